//! Chat completions: `encode` and `messages` write requests, `message` reads what an answer and a
//! delta have in common, `decode` and `stream` read answers. Reading takes the known members out of
//! each object; the others are kept in `provider_fields`.

mod decode;
mod encode;
mod message;
mod messages;
mod stream;
mod whole;

pub(super) use decode::answer;
pub(super) use encode::request;
pub(super) use message::usage;
pub(super) use stream::Decoder;
