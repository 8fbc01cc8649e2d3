//! A complete answer. It is read as the last event of a stream, so the two cannot differ.

use super::stream::Decoder;
use crate::error::Error;
use crate::provider::{Assembly, Completion, Target, classify, reader};
use crate::wire::Reply;

/// Reads an answer of any status.
pub(in crate::provider::openai) fn answer(
    reply: &Reply<'_>,
    target: &Target,
) -> Result<Completion, Error> {
    if !(200..300).contains(&reply.status) {
        return Err(classify::failed(reply, target));
    }
    if let Some(read) = reader::unasked(reply, target) {
        return read;
    }
    let (object, warnings) = classify::answer_object(reply, target)?;
    let mut out = Assembly::new(true);
    warnings.into_iter().for_each(|warning| out.warn(warning));
    let mut decoder = Decoder::new(target);
    let read = decoder.response(object, &mut out);
    read.map_err(|error| classify::locate(error, reply, target))?;
    out.complete();
    Ok(out.into_completion())
}
