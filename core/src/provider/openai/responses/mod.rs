//! OpenAI's Responses as the format of chat: `encode` and `input` write requests, `history` sends
//! earlier answers back, `items` reads what an answer is made of, `item` finds what came in pieces,
//! and `decode` and `stream` read answers. An answer is a list of items. Items that hold more than
//! the unified message does are kept verbatim under [`super::OUTPUT`].

mod decode;
mod encode;
mod history;
mod input;
mod item;
pub(super) mod items;
mod stream;
mod writer;

pub(super) use decode::answer;
pub(super) use encode::{counted, request};
pub(super) use stream::Decoder;
