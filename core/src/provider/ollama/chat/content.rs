//! Encodes a message's content: one text, and a list of images beside it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::codec::Object;
use crate::error::Error;
use crate::json::Value;
use crate::model::{Content, Message, Part};
use crate::provider::Notes;

/// What messages call the provider.
pub(super) const WHO: &str = "Ollama";

/// Writes the content. Texts are joined by line ends, because the member is one text.
pub(super) fn content(
    message: &Message,
    path: &str,
    out: &mut Object,
    notes: &mut Notes,
) -> Result<(), Error> {
    let parts = match &message.content {
        None => return Ok(()),
        Some(Content::Text(text)) => {
            out.insert("content", text.clone());
            return Ok(());
        }
        Some(Content::Parts(parts)) => parts,
    };
    let (mut texts, mut images) = (Vec::new(), Vec::<Value>::new());
    for (i, part) in parts.iter().enumerate() {
        let path = format!("{path}.content[{i}]");
        let mark = match part {
            Part::Text { text, cache_control } => {
                texts.push(text.as_str());
                cache_control
            }
            Part::Image { url, detail, cache_control } => {
                if detail.as_deref().is_some_and(|detail| detail != "auto") {
                    let text = "Ollama takes no detail of an image";
                    notes.unsupported(&format!("{path}.image_url.detail"), text)?;
                }
                images.push(image(url, &format!("{path}.image_url.url"))?);
                cache_control
            }
            Part::Audio { .. } => {
                notes.unsupported(&path, format!("{WHO} takes no audio"))?;
                &None
            }
            Part::File { cache_control, .. } => {
                let text = "Ollama takes no files: give their text as a part";
                notes.unsupported(&path, text)?;
                cache_control
            }
        };
        if mark.is_some() {
            cache_mark(&path, notes)?;
        }
    }
    out.insert("content", texts.join("\n"));
    if !images.is_empty() {
        out.insert("images", images);
    }
    Ok(())
}

/// An image's data. The server fetches no URL.
fn image(url: &str, path: &str) -> Result<Value, Error> {
    let Some(rest) = url.strip_prefix("data:") else {
        let message =
            format!("{path}: Ollama fetches no URL: send the data, as data:image/png;base64,…");
        return Err(Error::invalid(path, message));
    };
    let (head, data) = rest.split_once(',').unwrap_or_default();
    // The server refuses other text as a broken request, without a word about which image.
    if !head.ends_with(";base64") || data.is_empty() || STANDARD.decode(data).is_err() {
        let message = format!("{path} must be base64: data:image/png;base64,…");
        return Err(Error::invalid(path, message));
    }
    Ok(Value::from(data))
}

pub(super) fn cache_mark(path: &str, notes: &mut Notes) -> Result<(), Error> {
    notes.unsupported(&format!("{path}.cache_control"), "Ollama caches by itself, without marks")
}
