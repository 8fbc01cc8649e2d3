//! A complete answer. It is read as a stream of one event, so the two cannot differ.

use super::stream::Decoder;
use crate::error::Error;
use crate::json::Value;
use crate::provider::{Assembly, Completion, Target, classify, foreign, reader};
use crate::wire::Reply;

/// Reads an answer of any status.
pub(super) fn answer(reply: &Reply<'_>, target: &Target) -> Result<Completion, Error> {
    if !(200..300).contains(&reply.status) {
        return Err(classify::failed(reply, target));
    }
    if let Some(read) = reader::unasked(reply, target) {
        return read;
    }
    let mut out = Assembly::new(true);
    let mut decoder = Decoder::new(target);
    let read = if reply.body.trim_ascii_start().first() == Some(&b'[') {
        pieces(reply, target, &mut decoder, &mut out)
    } else {
        let (object, warnings) = classify::answer_object(reply, target)?;
        warnings.into_iter().for_each(|warning| out.warn(warning));
        decoder.response(object, &mut out).and_then(|()| decoder.settle(&mut out))
    };
    read.map_err(|error| classify::locate(error, reply, target))?;
    out.complete();
    Ok(out.into_completion())
}

/// A stream that came as one list, as it does without `alt=sse` [rec].
fn pieces(
    reply: &Reply<'_>,
    target: &Target,
    decoder: &mut Decoder,
    out: &mut Assembly,
) -> Result<(), Error> {
    let bad = |what: String| classify::bad_response(what, reply, target);
    let (value, warnings) =
        foreign::read_whole(reply.body).map_err(|what| bad(format!("the answer {what}")))?;
    warnings.into_iter().for_each(|warning| out.warn(warning));
    let Value::Array(items) = value else { return Err(bad("the answer is no list".to_owned())) };
    for item in items {
        let Value::Object(object) = item else {
            return Err(bad("an item of the answer is not a JSON object".to_owned()));
        };
        decoder.response(object, out)?;
    }
    decoder.ended(out)
}
