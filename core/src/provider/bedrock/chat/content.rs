//! Encodes a message's content as blocks.

use std::collections::HashSet;

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

/// The names of the documents so far. Each must have another one [doc].
#[derive(Default)]
pub(super) struct Documents(HashSet<String>);

impl Documents {
    /// A name of a document as Bedrock takes it: letters, digits, single spaces, hyphens and
    /// brackets [sdk]. A second document of the same name gets a number.
    pub(super) fn name(&mut self, file: &str) -> String {
        let stem = file.rsplit(['/', '\\']).next().unwrap_or(file);
        let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
        let mut name = String::new();
        for letter in stem.chars() {
            let plain = letter.is_ascii_alphanumeric() || "-()[]".contains(letter);
            match if plain { letter } else { ' ' } {
                ' ' if name.is_empty() || name.ends_with(' ') => {}
                letter => name.push(letter),
            }
        }
        name.truncate(180);
        let name = if name.trim().is_empty() { "document" } else { name.trim_end() };
        let mut own = name.to_owned();
        let mut number = 2;
        while !self.0.insert(own.clone()) {
            own = format!("{name} ({number})");
            number += 1;
        }
        own
    }
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
