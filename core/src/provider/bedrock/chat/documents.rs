//! The names of documents, which Bedrock restricts.

use std::collections::HashMap;

/// The names of the documents of a request so far. Each must have another one [doc]. With a name is
/// the number that the next document of the same name gets.
#[derive(Default)]
pub(super) struct Documents(HashMap<String, usize>);

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
        let Some(mut next) = self.0.get(name).copied() else {
            self.0.insert(name.to_owned(), 2);
            return name.to_owned();
        };
        let mut own = numbered(name, next);
        // Another document may be named so.
        while self.0.contains_key(&own) {
            next += 1;
            own = numbered(name, next);
        }
        self.0.insert(name.to_owned(), next + 1);
        self.0.insert(own.clone(), 2);
        own
    }
}

fn numbered(name: &str, number: usize) -> String {
    format!("{name} ({number})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_given_twice() {
        let mut documents = Documents::default();
        let mut name = |file: &str| documents.name(file);
        assert_eq!(name("a/report_v1.pdf"), "report v1");
        assert_eq!(name("report v1.pdf"), "report v1 (2)");
        assert_eq!(name("report v1 (3).pdf"), "report v1 (3)");
        assert_eq!(name("report v1.pdf"), "report v1 (4)");
        assert_eq!(name("report v1 (2).pdf"), "report v1 (2) (2)");
        assert_eq!((name(""), name("é.pdf")), ("document".into(), "document (2)".into()));
    }
}
