//! An outcome is what a caller gets: a whole answer of any operation, or a stream that has opened.

use super::chat_stream::ChatStream;
use super::passthrough::HttpStream;
use crate::error::Error;
use crate::json::to_vec;
use crate::model::{CachePurged, HttpAnswer, Response};
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
        self.to_json_behind(0)
    }

    /// The response document after `room` zero bytes, which a caller can fill with data of its own.
    #[must_use]
    pub fn to_json_behind(&self, room: usize) -> Vec<u8> {
        let document = match self {
            Outcome::Answer(answer) => return answer.to_json_behind(room),
            Outcome::Many(many) => many.to_json(),
            Outcome::Http(answer) => answer.to_json(),
            Outcome::Purged(purged) => to_vec(purged, 128),
        };
        if room == 0 { document } else { [vec![0; room], document].concat() }
    }

    /// Returns the chat response, or an error if the request was not a chat.
    pub fn chat(self) -> Result<Box<Response>, Error> {
        match self {
            Outcome::Answer(answer) => answer.chat(),
            Outcome::Many(_) | Outcome::Http(_) | Outcome::Purged(_) => Err(one_chat_only()),
        }
    }
}

pub(crate) fn one_chat_only() -> Error {
    let message = "op must be \"chat\" here, and without options.fanout: one answer is waited for";
    Error::new(crate::error::ErrorKind::InvalidRequest, message)
}
