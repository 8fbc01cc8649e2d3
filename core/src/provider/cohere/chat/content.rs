//! Encodes a message's content in Cohere's form.

use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{Content, Message, Part};
use crate::provider::Notes;

pub(super) fn content(
    message: &Message,
    path: &str,
    notes: &mut Notes,
) -> Result<Option<Value>, Error> {
    let parts = match &message.content {
        None => return Ok(None),
        Some(Content::Text(text)) => return Ok(Some(text.clone().into())),
        Some(Content::Parts(parts)) => parts,
    };
    let mut blocks = Vec::new();
    for (i, part) in parts.iter().enumerate() {
        let path = format!("{path}.content[{i}]");
        let mark = match part {
            Part::Text { text, cache_control } => {
                blocks.push(json!({"type": "text", "text": text}));
                cache_control
            }
            Part::Image { url, detail, cache_control } => {
                let mut image = json!({ "url": url });
                if let Some(detail) = detail {
                    image.set("detail", detail.clone());
                }
                blocks.push(json!({"type": "image_url", "image_url": image}));
                cache_control
            }
            Part::Audio { .. } => {
                notes.unsupported(&path, "Cohere takes no audio")?;
                &None
            }
            Part::File { cache_control, .. } => {
                let text = "Cohere takes no files in messages: give their text as a part, or under \
                            extra.cohere.documents";
                notes.unsupported(&path, text)?;
                cache_control
            }
        };
        if mark.is_some() {
            cache_mark(&path, notes)?;
        }
    }
    Ok(Some(blocks.into()))
}

pub(super) fn cache_mark(path: &str, notes: &mut Notes) -> Result<(), Error> {
    notes.unsupported(&format!("{path}.cache_control"), "Cohere caches by itself, without marks")
}
