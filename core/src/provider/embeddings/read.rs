//! Reads the vectors of an answer. An answer that lacks one, or has one of another length, is no
//! answer: the vectors after it would be taken for those of other inputs.

use std::borrow::Cow;

use super::pack::pack;
use crate::codec::Object;
use crate::error::Error;
use crate::json::Value;
use crate::model::{EmbedRequest, Embeddings, Encoding, NoVector, Usage, Vector, Warning};
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
    Ok((classify::without_error(object, reply, target)?, warnings))
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
    let mut vectors: Vec<Option<String>> = vec![None; items.len()];
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
        *place = take_string(&mut item, "embedding");
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

/// The vectors of an answer, given in base64, if there is one for each input and all have the same
/// length.
pub(in crate::provider) fn count_vectors(
    vectors: Vec<Option<String>>,
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
    let (mut length, mut bytes) = (None, Vec::new());
    let mut read = Vec::with_capacity(wanted);
    for (text, i) in vectors.into_iter().zip(request.part.clone()) {
        let vector = text.ok_or(NoVector::Form);
        let vector = match vector.and_then(|text| Vector::read(text, encoding, &mut bytes)) {
            Ok(vector) => vector,
            Err(NoVector::Form) => {
                let name = if encoding.is_float() { "floats" } else { encoding.name() };
                return bad(format!("the embedding of input[{i}] is no vector of {name}"));
            }
            Err(NoVector::NotFinite) => {
                return bad(format!("the embedding of input[{i}] has NaN or infinity"));
            }
        };
        if *length.get_or_insert(bytes.len()) != bytes.len() {
            let what = "the embeddings of the answer differ in length: see that of";
            return bad(format!("{what} input[{i}]"));
        }
        read.push(vector);
    }
    Ok(read)
}

/// The usage: tokens of the inputs, and all tokens. A provider may give only one of them.
pub(in crate::provider) fn usage(prompt: Option<&Value>, total: Option<&Value>) -> Usage {
    let (prompt, total) = (count(prompt), count(total));
    Usage { prompt_tokens: prompt.or(total), total_tokens: total.or(prompt), ..Usage::default() }
}
