//! A complete answer. It is read as a stream of one line, so the two cannot differ.

use super::stream::Decoder;
use crate::error::Error;
use crate::provider::{Assembly, Completion, Target, classify, foreign, reader};
use crate::wire::Reply;

/// Reads an answer of any status.
pub(super) fn answer(reply: &Reply<'_>, target: &Target) -> Result<Completion, Error> {
    if !(200..300).contains(&reply.status) {
        return Err(classify::failed(reply, target));
    }
    if has_lines(reply.body)
        && let Some(read) = reader::streamed(reply, target)
    {
        return read;
    }
    let (object, warnings) = classify::answer_object(reply, target)?;
    let mut out = Assembly::new(true);
    warnings.into_iter().for_each(|warning| out.warn(warning));
    let read = Decoder::new(target).whole(object, &mut out);
    read.map_err(|error| classify::locate(error, reply, target))?;
    out.complete();
    Ok(out.into_completion())
}

/// Whether a server streamed unasked: its first line alone is a document, and another line follows.
fn has_lines(body: &[u8]) -> bool {
    let body = body.trim_ascii();
    let Some(end) = memchr::memchr(b'\n', body) else { return false };
    let line = body.get(..end).and_then(|line| std::str::from_utf8(line).ok());
    line.is_some_and(|line| foreign::read(line).is_ok())
}
