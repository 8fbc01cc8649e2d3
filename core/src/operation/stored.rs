//! Answers as documents that are kept elsewhere, and read again.

use super::Answer;
use crate::json::parse;
use crate::model::{EmbedResponse, RerankResponse, Response};

/// What an answer is stored as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoredAs {
    Chat = 1,
    Embed = 2,
    Rerank = 3,
}

impl StoredAs {
    /// The kind of this number.
    pub(crate) fn of(number: u8) -> Option<Self> {
        [StoredAs::Chat, StoredAs::Embed, StoredAs::Rerank]
            .into_iter()
            .find(|kind| *kind as u8 == number)
    }
}

impl Answer {
    /// What this is stored as. `None`: it is not stored.
    pub(crate) fn stored_as(&self) -> Option<StoredAs> {
        match self {
            Answer::Chat(_) => Some(StoredAs::Chat),
            Answer::Embed(_) => Some(StoredAs::Embed),
            Answer::Rerank(_) => Some(StoredAs::Rerank),
            _ => None,
        }
    }

    /// Reads an answer that was stored. `None`: it is none, or of another version.
    pub(crate) fn read_stored(kind: StoredAs, document: &[u8]) -> Option<Answer> {
        let document = parse(std::str::from_utf8(document).ok()?).ok()?;
        Some(match kind {
            StoredAs::Chat => Answer::Chat(Box::new(Response::read_stored(document)?)),
            StoredAs::Embed => Answer::Embed(Box::new(EmbedResponse::read_stored(document)?)),
            StoredAs::Rerank => Answer::Rerank(Box::new(RerankResponse::read_stored(document)?)),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::*;

    /// Every answer of the project's cases is read as it was written.
    #[test]
    fn the_answers_of_all_cases_are_read_again() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bindings/conformance/cases");
        let mut counts = [0; 4];
        for folder in std::fs::read_dir(root).unwrap() {
            for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                let case: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
                let mut document = case["outcome"]["result"].clone();
                let kind = match &document["object"] {
                    Value::String(object) if object == "chat.completion" => StoredAs::Chat,
                    Value::String(_) if document["encoding"].is_string() => StoredAs::Embed,
                    Value::Null if document["results"][0]["relevance_score"].is_number() => {
                        StoredAs::Rerank
                    }
                    _ => continue,
                };
                // Members that are of the call, and what they are in an answer that is kept.
                let liter = document["liter"].as_object_mut().unwrap();
                for volatile in ["attempts", "request_id", "timing", "ratelimit", "cache"] {
                    liter.remove(volatile);
                }
                if liter.contains_key("cost") {
                    liter.insert("cost".to_owned(), json!({"usd": "0", "saved_usd": "0.0000125"}));
                }
                let text = serde_json::to_vec(&document).unwrap();
                let read = Answer::read_stored(kind, &text);
                let read = read.unwrap_or_else(|| panic!("{} is not read", path.display()));
                assert_eq!(read.stored_as(), Some(kind));
                let mut again: Value = serde_json::from_slice(&read.to_json()).unwrap();
                let liter = again["liter"].as_object_mut().unwrap();
                for volatile in ["attempts", "request_id", "timing"] {
                    liter.remove(volatile);
                }
                assert_eq!(again, document, "{}", path.display());
                counts[kind as usize] += 1;
            }
        }
        assert!(counts[1] > 200 && counts[2] > 5 && counts[3] > 2, "{counts:?}");
    }
}
