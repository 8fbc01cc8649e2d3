//! An outcome is what a caller gets: a whole answer of any operation, or a stream that has opened.

use super::chat_stream::ChatStream;
use super::passthrough::HttpStream;
use crate::error::Error;
use crate::json::{Marked, write_behind};
use crate::model::{BudgetState, CachePurged, HttpAnswer, Response};
use crate::operation::{Answer, Many};

/// A whole answer.
pub enum Outcome {
    /// The answer to an operation, which is sent in the provider's own format.
    Answer(Answer),
    /// The answers of a fan-out, which asks several targets.
    Many(Many),
    /// The answer to a request that was passed through.
    Http(Box<HttpAnswer>),
    /// What a purge of the cache has removed.
    Purged(CachePurged),
    /// What was spent of a budget.
    Budget(Box<BudgetState>),
}

/// What [`crate::Client::start`] began.
pub enum Started {
    /// The whole answer.
    Whole(Outcome),
    /// A stream that has opened.
    Stream(Box<ChatStream>),
    /// An answer that is passed through as it arrives.
    Http(Box<HttpStream>),
}

impl Outcome {
    /// The response document, compact, in canonical member order.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        self.to_json_behind(0).bytes
    }

    /// The response document behind `room` zero bytes, which a caller can fill with data of its own.
    /// The mark is the place of the member `liter`.
    #[must_use]
    pub fn to_json_behind(&self, room: usize) -> Marked {
        match self {
            Outcome::Answer(answer) => answer.to_json_behind(room),
            Outcome::Many(many) => write_behind(room, many.size(), many).unmarked(),
            Outcome::Http(answer) => write_behind(room, answer.size(), &**answer),
            Outcome::Purged(purged) => write_behind(room, 128, purged).unmarked(),
            Outcome::Budget(state) => write_behind(room, 256, &**state).unmarked(),
        }
    }

    /// Returns the chat response, or an error if the request was not a chat.
    pub fn chat(self) -> Result<Box<Response>, Error> {
        match self {
            Outcome::Answer(answer) => answer.chat(),
            Outcome::Many(_) | Outcome::Http(_) | Outcome::Purged(_) | Outcome::Budget(_) => {
                Err(one_chat_only())
            }
        }
    }
}

pub(crate) fn one_chat_only() -> Error {
    let message = "op must be \"chat\" here, and without options.fanout: one answer is waited for";
    Error::new(crate::error::ErrorKind::InvalidRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Value, json, parse};
    use crate::model::{AssistantMessage, Choice, Liter};

    /// An answer in which everything that a provider may say names the member `liter`.
    fn answer() -> Answer {
        let said = || match json!({ "liter": json!({ "v": 1_i64, "liter": "x" }) }) {
            Value::Object(object) => object,
            _ => unreachable!(),
        };
        let message = AssistantMessage {
            content: Some(r#"","liter":{"v":1}"#.to_owned()),
            provider_fields: said(),
            ..AssistantMessage::default()
        };
        let choice = Choice { message, provider_fields: said(), ..Choice::default() };
        Answer::Chat(Box::new(Response {
            id: None,
            object: "chat.completion",
            created: None,
            model: None,
            choices: vec![choice],
            usage: None,
            provider: "openai".to_owned(),
            warnings: Vec::new(),
            liter: Liter { v: 1, provider_fields: said(), ..Liter::default() },
        }))
    }

    /// A reader that leaves `liter` for later reads a whole document before its place.
    #[test]
    fn a_member_liter_of_the_providers_is_not_taken_for_the_last_one() {
        for room in [0, 16] {
            let Marked { bytes, mark } = Outcome::Answer(answer()).to_json_behind(room);
            let text = std::str::from_utf8(&bytes[room..]).unwrap();
            let whole = parse(text).unwrap();
            let front = parse(&format!("{}}}", &text[..mark])).unwrap();
            let rest =
                text[mark..].strip_prefix(r#","liter":"#).unwrap().strip_suffix('}').unwrap();
            assert_eq!(whole.get("liter").unwrap().to_string(), parse(rest).unwrap().to_string());
            let (whole, front) = (whole.as_object().unwrap(), front.as_object().unwrap());
            assert_eq!(front.len() + 1, whole.len());
            assert!(front.iter().all(|(name, value)| whole.get(name) == Some(value)));
        }
    }

    /// The answers of a fan-out have the member, their document has not.
    #[test]
    fn a_document_without_the_member_has_no_mark() {
        let many = Many { results: vec![answer(), answer()], failures: Vec::new() };
        assert_eq!(Outcome::Many(many).to_json_behind(16).mark, 0);
    }
}
