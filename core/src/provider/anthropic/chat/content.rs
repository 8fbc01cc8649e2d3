//! Encodes a message's content as Anthropic's content blocks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{Content, Message, Part};
use crate::provider::Notes;

/// Whether a block is an empty text, which Anthropic refuses and which says nothing.
pub(super) fn is_empty(block: &Value) -> bool {
    block.get("text").and_then(Value::as_str) == Some("")
}

pub(super) fn content(
    message: &Message,
    path: &str,
    notes: &mut Notes,
) -> Result<Vec<Value>, Error> {
    let mut blocks = Vec::new();
    match &message.content {
        None => {}
        Some(Content::Text(text)) => blocks.push(json!({"type": "text", "text": text})),
        Some(Content::Parts(parts)) => {
            for (i, part) in parts.iter().enumerate() {
                let path = format!("{path}.content[{i}]");
                blocks.extend(block(part, &path, notes)?);
            }
        }
    }
    Ok(blocks)
}

fn block(part: &Part, path: &str, notes: &mut Notes) -> Result<Option<Value>, Error> {
    let (mut block, mark) = match part {
        Part::Text { text, cache_control } => {
            (json!({"type": "text", "text": text}), cache_control)
        }
        Part::Image { url, detail, cache_control } => {
            if detail.as_deref().is_some_and(|detail| detail != "auto") {
                let param = format!("{path}.image_url.detail");
                notes.unsupported(&param, "Anthropic takes no detail of an image")?;
            }
            (image(url, path, notes)?, cache_control)
        }
        Part::Audio { .. } => {
            notes.unsupported(path, "Anthropic takes no audio")?;
            return Ok(None);
        }
        Part::File { file, cache_control } => (document(file, path)?, cache_control),
    };
    if let Some(mark) = mark {
        block.set("cache_control", mark.clone());
    }
    Ok(Some(block))
}

fn image(url: &str, path: &str, notes: &mut Notes) -> Result<Value, Error> {
    let path = format!("{path}.image_url.url");
    let source = match DataUrl::parse(url) {
        None => json!({"type": "url", "url": url}),
        Some(mut data) => {
            if let Some(name) = other_name(data.media_type) {
                let text = format!("{} is called {name} here", data.media_type);
                notes.adjusted(&path, text)?;
                data.media_type = name;
            }
            data.base64_source(&path)?
        }
    };
    Ok(json!({"type": "image", "source": source}))
}

/// Anthropic's name for a type of images that has another name here
/// (NousResearch/hermes-agent#55432).
fn other_name(media_type: &str) -> Option<&'static str> {
    let known = ["image/jpeg", "image/png", "image/gif", "image/webp"];
    let lower = media_type.to_ascii_lowercase();
    let name = match lower.as_str() {
        "image/jpg" | "image/pjpeg" => "image/jpeg",
        "image/x-png" => "image/png",
        lower => known.into_iter().find(|name| *name == lower)?,
    };
    (name != media_type).then_some(name)
}

/// OpenAI's `file` object as a document. `filename` is its title. Members that OpenAI does not have
/// (`citations`, `context`, `title`) are the block's own.
fn document(file: &Object, path: &str) -> Result<Value, Error> {
    let text = |name: &str| file.get(name).and_then(Value::as_str);
    let path = format!("{path}.file");
    let mut kind = "document";
    let source = if let Some(id) = text("file_id") {
        json!({"type": "file", "file_id": id})
    } else if let Some(url) = text("file_url") {
        json!({"type": "url", "url": url})
    } else if let Some(data) = text("file_data") {
        let path = format!("{path}.file_data");
        match DataUrl::parse(data) {
            Some(data) if data.media_type.starts_with("text/") => {
                json!({"type": "text", "media_type": "text/plain", "data": data.text(&path)?})
            }
            Some(data) => {
                if data.media_type.starts_with("image/") {
                    kind = "image";
                }
                data.base64_source(&path)?
            }
            None if text("filename").is_some_and(|name| name.to_lowercase().ends_with(".pdf")) => {
                json!({"type": "base64", "media_type": "application/pdf", "data": data})
            }
            None => {
                let message = format!("{path} must be a data: URL, data:application/pdf;base64,…");
                return Err(Error::invalid(path, message));
            }
        }
    } else {
        let message = format!("{path} needs file_data or file_id");
        return Err(Error::invalid(path, message));
    };
    let mut block = Object::new();
    block.insert("type", kind);
    block.insert("source", source);
    if let (Some(name), "document") = (text("filename"), kind) {
        block.insert("title", name);
    }
    for (name, value) in file {
        if !matches!(name.as_str(), "file_id" | "file_url" | "file_data" | "filename") {
            block.insert(name.clone(), value.clone());
        }
    }
    Ok(Value::Object(block))
}

/// `data:MEDIA/TYPE;base64,…`
struct DataUrl<'a> {
    media_type: &'a str,
    is_base64: bool,
    data: &'a str,
}

impl<'a> DataUrl<'a> {
    fn parse(url: &'a str) -> Option<Self> {
        let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
        let is_base64 = head.ends_with(";base64");
        let media_type = head.split(';').next().unwrap_or_default();
        Some(DataUrl { media_type, is_base64, data })
    }

    fn base64_source(&self, path: &str) -> Result<Value, Error> {
        if !self.is_base64 || self.media_type.is_empty() {
            let message =
                format!("{path} must name its media type and be base64: data:image/png;base64,…");
            return Err(Error::invalid(path, message));
        }
        Ok(json!({"type": "base64", "media_type": self.media_type, "data": self.data}))
    }

    /// Reads a document of plain text, which is sent as text.
    fn text(&self, path: &str) -> Result<String, Error> {
        let bytes = if self.is_base64 { STANDARD.decode(self.data).ok() } else { None };
        bytes
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| Error::invalid(path, format!("{path} must be text in UTF-8, as base64")))
    }
}
