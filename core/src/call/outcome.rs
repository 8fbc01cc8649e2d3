//! What a caller gets: a whole answer of any operation, or a stream that has opened.

use super::passthrough::HttpStream;
use super::stream::ChatStream;
use crate::error::Error;
use crate::model::{HttpAnswer, Response};
use crate::operation::{Answer, Many};

/// A whole answer.
pub enum Outcome {
    /// To a request that providers are asked in formats of their own.
    Answer(Answer),
    /// To a request that went to several targets.
    Many(Many),
    /// To a request that was passed through.
    Http(Box<HttpAnswer>),
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

    /// The same behind so many zero bytes, for a caller that puts something of its own there.
    #[must_use]
    pub fn to_json_behind(&self, room: usize) -> Vec<u8> {
        let document = match self {
            Outcome::Answer(answer) => return answer.to_json_behind(room),
            Outcome::Many(many) => many.to_json(),
            Outcome::Http(answer) => answer.to_json(),
        };
        if room == 0 { document } else { [vec![0; room], document].concat() }
    }

    /// The chat response. An error: something else was asked for.
    pub fn chat(self) -> Result<Box<Response>, Error> {
        match self {
            Outcome::Answer(answer) => answer.chat(),
            Outcome::Many(_) | Outcome::Http(_) => Err(one_chat_only()),
        }
    }
}

pub(crate) fn one_chat_only() -> Error {
    let message = "op must be \"chat\" here, and without options.fanout: one answer is waited for";
    Error::new(crate::error::ErrorKind::InvalidRequest, message)
}
