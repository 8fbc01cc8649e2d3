//! Encodes a message's content as parts.

use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{Content, Message, Part};
use crate::provider::Notes;

/// The parts of a message. Empty texts say nothing and are refused, so they are left out.
pub(super) fn content(
    message: &Message,
    path: &str,
    notes: &mut Notes,
) -> Result<Vec<Value>, Error> {
    let mut out = Vec::new();
    match &message.content {
        None => {}
        Some(Content::Text(text)) => out.extend(self::text(text, notes)),
        Some(Content::Parts(parts)) => {
            for (i, given) in parts.iter().enumerate() {
                out.extend(part(given, &format!("{path}.content[{i}]"), notes)?);
            }
        }
    }
    Ok(out)
}

/// A part of text; an empty one only where the caller wants the request as it is.
pub(super) fn text(text: &str, notes: &Notes) -> Option<Value> {
    (!text.is_empty() || !notes.adapts()).then(|| json!({ "text": text }))
}

fn part(part: &Part, path: &str, notes: &mut Notes) -> Result<Option<Value>, Error> {
    let mark = match part {
        Part::Text { cache_control, .. }
        | Part::Image { cache_control, .. }
        | Part::File { cache_control, .. } => cache_control.is_some(),
        Part::Audio { .. } => false,
    };
    if mark {
        let text = "Gemini caches by itself, without marks";
        notes.unsupported(&format!("{path}.cache_control"), text)?;
    }
    Ok(match part {
        Part::Text { text, .. } => self::text(text, notes),
        Part::Image { url, detail, .. } => {
            if detail.as_deref().is_some_and(|detail| detail != "auto") {
                let text = "Gemini takes no detail of an image";
                notes.unsupported(&format!("{path}.image_url.detail"), text)?;
            }
            Some(media(url, None, &format!("{path}.image_url.url"))?)
        }
        Part::Audio { data, format } => {
            let kind = match format.as_str() {
                "mp3" => "audio/mpeg".to_owned(),
                other => format!("audio/{other}"),
            };
            Some(inline(&kind, data))
        }
        Part::File { file, .. } => Some(self::file(file, &format!("{path}.file"))?),
    })
}

/// OpenAI's `file` object. `file_id` is the address of an uploaded file (`files/x`, `gs://…`), and
/// `mime_type` its type, where its name does not tell.
fn file(file: &Object, path: &str) -> Result<Value, Error> {
    let text = |name: &str| file.get(name).and_then(Value::as_str);
    let name = text("filename").unwrap_or_default();
    let kind = text("mime_type").or_else(|| text("format")).or_else(|| media_type(name));
    if let Some(data) = text("file_data") {
        let path = format!("{path}.file_data");
        if data.starts_with("data:") {
            return media(data, kind, &path);
        }
        return match kind {
            Some(kind) => Ok(inline(kind, data)),
            None => {
                let message = format!("{path} must be a data: URL, data:application/pdf;base64,…");
                Err(Error::invalid(path, message))
            }
        };
    }
    match text("file_id").or_else(|| text("file_url")) {
        Some(url) => media(url, kind, path),
        None => {
            let message = format!("{path} needs file_data, file_id or file_url");
            Err(Error::invalid(path, message))
        }
    }
}

/// A part of media: by its data, or by an address, which Google fetches.
fn media(url: &str, kind: Option<&str>, path: &str) -> Result<Value, Error> {
    let Some(rest) = url.strip_prefix("data:") else {
        let mut data = Object::new();
        if let Some(kind) = kind.or_else(|| media_type(url)) {
            data.insert("mimeType", kind);
        }
        data.insert("fileUri", url);
        return Ok(json!({ "fileData": data }));
    };
    let (head, data) = rest.split_once(',').unwrap_or_default();
    let kind = head.split(';').next().filter(|kind| !kind.is_empty());
    match kind.filter(|_| head.ends_with(";base64")) {
        Some(kind) => Ok(inline(kind, data)),
        None => {
            let message =
                format!("{path} must name its media type and be base64: data:image/png;base64,…");
            Err(Error::invalid(path, message))
        }
    }
}

fn inline(kind: &str, data: &str) -> Value {
    json!({"inlineData": json!({"mimeType": kind, "data": data})})
}

/// The media type that a name or an address ends in. Vertex refuses a file without one [doc].
fn media_type(name: &str) -> Option<&'static str> {
    let name = name.split(['?', '#']).next().unwrap_or(name);
    let (_, end) = name.rsplit_once('.')?;
    Some(match end.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "md" => "text/markdown",
        "csv" => "text/csv",
        "html" => "text/html",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "flac" => "audio/flac",
        "ogg" => "audio/ogg",
        "mp4" => "video/mp4",
        "mov" => "video/quicktime",
        "webm" => "video/webm",
        _ => return None,
    })
}
