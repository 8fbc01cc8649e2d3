//! Encodes a message's content as blocks.

use super::documents::Documents;
use super::media::{self, cache_point};
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{Content, Message, Part};
use crate::provider::Notes;

/// Whether a block is this text.
pub(super) fn is_text(block: &Value, text: &str) -> bool {
    block.get("text").and_then(Value::as_str) == Some(text)
}

/// Whether a block is a text without a letter.
pub(super) fn is_blank(block: &Value) -> bool {
    block.get("text").and_then(Value::as_str).is_some_and(|text| text.trim().is_empty())
}

pub(super) fn content(
    message: &Message,
    documents: &mut Documents,
    path: &str,
    notes: &mut Notes,
) -> Result<Vec<Value>, Error> {
    let mut blocks = Vec::new();
    match &message.content {
        None => {}
        Some(Content::Text(text)) => blocks.push(json!({ "text": text })),
        Some(Content::Parts(parts)) => {
            for (i, given) in parts.iter().enumerate() {
                part(given, documents, &format!("{path}.content[{i}]"), &mut blocks, notes)?;
            }
        }
    }
    Ok(blocks)
}

fn part(
    part: &Part,
    documents: &mut Documents,
    path: &str,
    blocks: &mut Vec<Value>,
    notes: &mut Notes,
) -> Result<(), Error> {
    let (block, mark) = match part {
        Part::Text { text, cache_control } => (json!({ "text": text }), cache_control.as_ref()),
        Part::Image { url, detail, cache_control } => {
            if detail.as_deref().is_some_and(|detail| detail != "auto") {
                let text = "Bedrock takes no detail of an image";
                notes.unsupported(&format!("{path}.image_url.detail"), text)?;
            }
            (media::image(url, &format!("{path}.image_url.url"))?, cache_control.as_ref())
        }
        Part::Audio { data, format } => (media::audio(data, format), None),
        Part::File { file, cache_control } => {
            (media::file(file, documents, &format!("{path}.file"))?, cache_control.as_ref())
        }
    };
    blocks.push(block);
    blocks.extend(cache_point(mark, &format!("{path}.cache_control"), notes));
    Ok(())
}
