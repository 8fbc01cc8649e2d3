//! A complete answer. Its blocks are read by the decoder of streams, so the two cannot differ.

use super::stream::Decoder;
use crate::error::Error;
use crate::provider::bedrock::error;
use crate::provider::{Assembly, Completion, Target, classify};
use crate::wire::Reply;

/// Reads an answer of any status.
pub(super) fn answer(reply: &Reply<'_>, target: &Target) -> Result<Completion, Error> {
    if !(200..300).contains(&reply.status) {
        return Err(error::of_status(reply, target));
    }
    let (object, warnings) = classify::answer_object(reply, target)?;
    let mut out = Assembly::new(true);
    warnings.into_iter().for_each(|warning| out.warn(warning));
    let read = Decoder::new(target).whole(object, &mut out);
    read.map_err(|error| classify::locate(error, reply, target))?;
    out.complete();
    Ok(out.into_completion())
}
