//! The names of documents, which Bedrock restricts.

use std::collections::HashSet;

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
