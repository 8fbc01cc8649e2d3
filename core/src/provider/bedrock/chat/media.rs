//! Encodes images, audio, video and documents: by their bytes, or by their place in S3. Bedrock
//! fetches nothing else.

use super::documents::Documents;
use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json};
use crate::provider::Notes;

/// The block for a cache mark: the prefix up to it is cached.
pub(super) fn cache_point(mark: Option<&Value>, path: &str, notes: &mut Notes) -> Option<Value> {
    let mark = mark?;
    let mut point = json!({"type": "default"});
    for (name, value) in mark.as_object().into_iter().flat_map(Object::iter) {
        match name.as_str() {
            "type" => {}
            "ttl" => point.set("ttl", value.clone()),
            name => {
                let text = "Bedrock's cache mark has no such member";
                notes.warn("unsupported_parameter", &format!("{path}.{name}"), text);
            }
        }
    }
    Some(json!({ "cachePoint": point }))
}

/// An image by a `data:` URL or an `s3://` one.
pub(super) fn image(url: &str, path: &str) -> Result<Value, Error> {
    let (kind, source) = source(url, path)?;
    let format = kind.or_else(|| extension(url)).map(image_format);
    Ok(json!({ "image": media(format, source) }))
}

/// Audio in base64.
pub(super) fn audio(data: &str, format: &str) -> Value {
    let bytes = json!({ "bytes": data });
    json!({ "audio": media(Some(format.to_owned()), bytes) })
}

/// OpenAI's `file` object: an image, audio, video or a document, by its type. `file_id` may be a
/// place in S3. Members that OpenAI does not have (`citations`, `context`) are the document's own.
pub(super) fn file(file: &Object, documents: &mut Documents, path: &str) -> Result<Value, Error> {
    let text = |name: &str| file.get(name).and_then(Value::as_str);
    let name = text("filename").unwrap_or_default();
    let given = ["file_data", "file_id", "file_url"]
        .into_iter()
        .find_map(|name| text(name).map(|value| (format!("{path}.{name}"), value)));
    let Some((at, url)) = given else {
        let message = format!("{path} needs file_data, or the place in S3 as file_id");
        return Err(Error::invalid(path, message));
    };
    // The bytes alone are base64, whose type the name tells.
    let plain = at.ends_with("file_data") && !url.contains(':');
    let (kind, source) = if plain { (None, json!({ "bytes": url })) } else { source(url, &at)? };
    let kind = text("mime_type").or(kind).or_else(|| extension(name)).or_else(|| extension(url));
    let Some(kind) = kind else {
        let message = format!("{at} must name its type: data:application/pdf;base64,…");
        return Err(Error::invalid(at, message));
    };
    let (class, sub) = kind.split_once('/').unwrap_or(("", kind));
    match class {
        "image" => Ok(json!({ "image": media(Some(image_format(kind)), source) })),
        "audio" => Ok(json!({ "audio": media(Some(audio_format(sub)), source) })),
        "video" => Ok(json!({ "video": media(Some(video_format(sub)), source) })),
        _ => {
            let mut document = media(Some(document_format(kind, &at)?.to_owned()), source);
            document.insert("name", documents.name(name));
            for (name, value) in file.iter().filter(|(name, _)| {
                !matches!(
                    name.as_str(),
                    "file_id" | "file_url" | "file_data" | "filename" | "mime_type"
                )
            }) {
                document.insert(name.clone(), value.clone());
            }
            Ok(json!({ "document": document }))
        }
    }
}

fn media(format: Option<String>, source: Value) -> Object {
    let mut out = Object::new();
    if let Some(format) = format {
        out.insert("format", format);
    }
    out.insert("source", source);
    out
}

/// The media type, if the URL names it, and the source.
fn source<'a>(url: &'a str, path: &str) -> Result<(Option<&'a str>, Value), Error> {
    if url.starts_with("s3://") {
        let place = json!({ "uri": url });
        return Ok((None, json!({ "s3Location": place })));
    }
    let Some(rest) = url.strip_prefix("data:") else {
        let message = format!(
            "{path}: Bedrock fetches no URL but one of S3 (s3://…): send the data, as \
             data:image/png;base64,…"
        );
        return Err(Error::invalid(path, message));
    };
    let (head, data) = rest.split_once(',').unwrap_or_default();
    let kind = head.split(';').next().filter(|kind| !kind.is_empty());
    if kind.is_none() || !head.ends_with(";base64") {
        let message =
            format!("{path} must name its media type and be base64: data:image/png;base64,…");
        return Err(Error::invalid(path, message));
    }
    Ok((kind, json!({ "bytes": data })))
}

/// What a name or an address ends in.
fn extension(name: &str) -> Option<&str> {
    let end = name.rsplit_once('.')?.1;
    (!end.is_empty() && end.len() <= 4 && end.bytes().all(|b| b.is_ascii_alphanumeric()))
        .then(|| known(end))
}

/// The media type of an extension, or the extension itself.
fn known(end: &str) -> &str {
    match end.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "flac" => "audio/flac",
        "ogg" => "audio/ogg",
        "mp4" => "video/mp4",
        "mov" => "video/quicktime",
        "mkv" => "video/x-matroska",
        "webm" => "video/webm",
        _ => end,
    }
}

fn image_format(kind: &str) -> String {
    let sub = kind.rsplit('/').next().unwrap_or(kind).to_ascii_lowercase();
    match sub.as_str() {
        "jpg" | "pjpeg" => "jpeg".to_owned(),
        "x-png" => "png".to_owned(),
        _ => sub,
    }
}

fn audio_format(sub: &str) -> String {
    match sub {
        "mpeg" => "mp3".to_owned(),
        "x-wav" | "wave" => "wav".to_owned(),
        other => other.to_owned(),
    }
}

fn video_format(sub: &str) -> String {
    match sub {
        "quicktime" => "mov".to_owned(),
        "x-matroska" => "mkv".to_owned(),
        "x-flv" => "flv".to_owned(),
        "x-ms-wmv" => "wmv".to_owned(),
        "3gpp" => "three_gp".to_owned(),
        other => other.to_owned(),
    }
}

/// The format of a document, by its media type or by the end of its name [sdk].
fn document_format(kind: &str, path: &str) -> Result<&'static str, Error> {
    const WORD: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    const SHEET: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    Ok(match kind.to_ascii_lowercase().as_str() {
        "application/pdf" | "pdf" => "pdf",
        "text/csv" | "csv" => "csv",
        "application/msword" | "doc" => "doc",
        WORD | "docx" => "docx",
        "application/vnd.ms-excel" | "xls" => "xls",
        SHEET | "xlsx" => "xlsx",
        "text/html" | "html" | "htm" => "html",
        "text/plain" | "txt" => "txt",
        "text/markdown" | "md" => "md",
        _ => {
            let message = format!(
                "{path}: Bedrock takes documents as pdf, csv, doc, docx, xls, xlsx, html, txt or md"
            );
            return Err(Error::invalid(path, message));
        }
    })
}
