//! Reads the vectors of an answer. An answer that lacks one, or has one of another length, is no
//! answer: the vectors after it would be taken for those of other inputs.

use std::borrow::Cow;

use super::pack::pack;
use crate::codec::Object;
use crate::error::Error;
use crate::json::Value;
use crate::model::{EmbedRequest, Embeddings, Encoding, Usage, Vector, Warning};
use crate::provider::json::{count, take_list, take_object, take_string};
use crate::provider::{Target, classify};
use crate::wire::Reply;

/// The object of an answer, with each list of numbers packed as `encoding` says.
pub(in crate::provider) fn open(
    reply: &Reply<'_>,
    target: &Target,
    encoding: Encoding,
) -> Result<(Object, Vec<Warning>), Error> {
    if !(200..300).contains(&reply.status) {
        return Err(classify::failed(reply, target));
    }
    let packed: Cow<'_, [u8]> = pack(reply.body, encoding);
    let (object, warnings) = classify::answer_object(&Reply { body: &packed, ..*reply }, target)?;
    let says_error = object.get("error").is_some_and(|error| !error.is_null());
    let text = |name: &str| object.get(name).is_some_and(Value::is_string);
    if says_error || text("message") || text("detail") {
        let error = classify::in_body(&Value::Object(object), target);
        return Err(classify::locate(error, reply, target));
    }
    Ok((object, warnings))
}

/// Reads an answer in OpenAI's form.
pub(super) fn answer(
    reply: &Reply<'_>,
    request: &EmbedRequest,
    target: &Target,
    encoding: Encoding,
) -> Result<Embeddings, Error> {
    let bad = |what: &str| classify::bad_response(what, reply, target);
    let (mut object, warnings) = open(reply, target, encoding)?;
    let Some(items) = take_list(&mut object, "data") else {
        return Err(bad("the answer has no data: these are no embeddings"));
    };
    let mut vectors: Vec<Option<Vector>> = vec![None; items.len()];
    for (i, item) in items.into_iter().enumerate() {
        let Value::Object(mut item) = item else {
            return Err(bad("an embedding of the answer is not an object"));
        };
        let place = count(item.get("index").or(Some(&Value::from(i))));
        let place = place.and_then(|place| usize::try_from(place).ok());
        let place = place.and_then(|place| vectors.get_mut(place)).filter(|place| place.is_none());
        let Some(place) = place else {
            return Err(bad("the answer has two embeddings for one input, or one for none"));
        };
        *place = item.shift_remove("embedding").and_then(vector);
    }
    let mut answer = Embeddings {
        id: take_string(&mut object, "id"),
        model: take_string(&mut object, "model"),
        vectors: count_vectors(vectors, request, encoding, reply, target)?,
        encoding,
        warnings,
        ..Embeddings::default()
    };
    if let Some(raw) = take_object(&mut object, "usage") {
        answer.usage = Some(usage(raw.get("prompt_tokens"), raw.get("total_tokens")));
        answer.usage_raw = Some(Value::Object(raw));
    }
    object.retain(|name, value| !value.is_null() && name != "object");
    answer.fields = object;
    Ok(answer)
}

/// A vector in base64.
fn vector(value: Value) -> Option<Vector> {
    if let Value::String(text) = value { Some(Vector::Packed(text)) } else { None }
}

/// The vectors of an answer, if there is one for each input and all have the same length.
pub(in crate::provider) fn count_vectors(
    vectors: Vec<Option<Vector>>,
    request: &EmbedRequest,
    encoding: Encoding,
    reply: &Reply<'_>,
    target: &Target,
) -> Result<Vec<Vector>, Error> {
    let bad = |what: String| Err(classify::bad_response(what, reply, target));
    let wanted = request.asked().len();
    if vectors.len() != wanted {
        let found = vectors.len();
        return bad(format!("the answer has {found} embeddings for {wanted} inputs"));
    }
    let mut length = None;
    let mut read = Vec::with_capacity(wanted);
    for vector in vectors {
        let bytes = vector.as_ref().and_then(|vector| vector.bytes(encoding.width()));
        let (Some(vector), Some(bytes)) = (vector, bytes) else {
            let name = if encoding.is_float() { "floats" } else { encoding.name() };
            return bad(format!("an embedding of the answer is no vector of {name}"));
        };
        if *length.get_or_insert(bytes) != bytes {
            return bad("the embeddings of the answer differ in length".to_owned());
        }
        read.push(vector);
    }
    if encoding != Encoding::Float {
        return Ok(read);
    }
    let read: Option<Vec<Vector>> = read.into_iter().map(Vector::unpacked).collect();
    read.map_or_else(|| bad("an embedding of the answer has NaN or infinity".to_owned()), Ok)
}

/// The usage: tokens of the inputs, and all tokens. A provider may give only one of them.
pub(in crate::provider) fn usage(prompt: Option<&Value>, total: Option<&Value>) -> Usage {
    let (prompt, total) = (count(prompt), count(total));
    Usage { prompt_tokens: prompt.or(total), total_tokens: total.or(prompt), ..Usage::default() }
}
