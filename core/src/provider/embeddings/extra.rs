//! Members of `extra` that say how the vectors of an answer are written.
//!
//! The answer is read as the request's `encoding` says. A member that asks for another form would
//! make the engine take its numbers for others, so it is refused before anything is sent.

use crate::codec::Object;
use crate::error::Error;
use crate::json::Value;
use crate::model::{EmbedRequest, Encoding};
use crate::provider::{Target, asked_extra};

/// Members about the text of a vector. Base64 and lists of numbers are both read [doc].
const TEXT: [&str; 1] = ["encoding_format"];

/// Members about the numbers of a vector: Mistral's and Voyage's, Jina's, Cohere's [doc], vLLM's [unverified].
const NUMBERS: [&str; 4] = ["output_dtype", "embedding_type", "embedding_types", "embed_dtype"];

/// The order of a float's bytes, which vLLM lets a request choose [unverified].
const BYTES: [&str; 1] = ["endianness"];

/// The members of `extra` for this target. The vectors are read as `encoding`.
pub(in crate::provider) fn extra(
    request: &EmbedRequest,
    target: &Target,
    encoding: Encoding,
) -> Result<Object, Error> {
    let members = asked_extra(&request.extra, target);
    match members.iter().find(|(name, value)| changes(name, value, encoding)) {
        None => Ok(members),
        Some((name, _)) => Err(changed(name, request, target)),
    }
}

fn changes(name: &str, value: &Value, encoding: Encoding) -> bool {
    let word = match value {
        Value::Array(words) => match words.as_slice() {
            [word] if name == "embedding_types" => word,
            _ => return is_one(name),
        },
        word => word,
    };
    let is_one_of = |words: &[&str]| word.as_str().is_some_and(|word| words.contains(&word));
    let default = word.is_null();
    if TEXT.contains(&name) {
        return !(default || is_one_of(&["float", "base64"]));
    }
    if NUMBERS.contains(&name) {
        return match encoding.is_float() {
            true => !(default || is_one_of(&["float", "float32", "base64"])),
            false => !is_one_of(&[encoding.name()]),
        };
    }
    BYTES.contains(&name) && !(default || is_one_of(&["little", "native"]))
}

fn is_one(name: &str) -> bool {
    TEXT.contains(&name) || NUMBERS.contains(&name) || BYTES.contains(&name)
}

fn changed(name: &str, request: &EmbedRequest, target: &Target) -> Error {
    let of = |provider: &str| request.extra.get(provider).is_some_and(|o| o.get(name).is_some());
    let provider = if of(&target.provider) { &*target.provider } else { target.kind };
    let path = format!("extra.{provider}.{name}");
    let message = format!(
        "{path} changes how vectors are written, and the answer would be misread: ask for them with \
         the request's encoding instead"
    );
    Error::invalid(path, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn what_changes_the_numbers_is_told_from_what_does_not() {
        for (name, value, encoding, wanted) in [
            ("encoding_format", r#""float""#, Encoding::Base64, false),
            ("encoding_format", r#""base64""#, Encoding::Int8, false),
            ("encoding_format", "null", Encoding::Base64, false),
            ("encoding_format", r#""bytes""#, Encoding::Base64, true),
            ("encoding_format", r#"["float"]"#, Encoding::Base64, true),
            ("output_dtype", r#""float""#, Encoding::Float, false),
            ("output_dtype", r#""int8""#, Encoding::Base64, true),
            ("output_dtype", r#""int8""#, Encoding::Int8, false),
            ("output_dtype", r#""uint8""#, Encoding::Int8, true),
            ("output_dtype", "null", Encoding::Int8, true),
            ("embedding_type", r#""binary""#, Encoding::Base64, true),
            ("embedding_types", r#"["float"]"#, Encoding::Base64, false),
            ("embedding_types", r#"["float","int8"]"#, Encoding::Base64, true),
            ("embedding_types", "[]", Encoding::Base64, true),
            ("embed_dtype", r#""float16""#, Encoding::Base64, true),
            ("endianness", r#""big""#, Encoding::Base64, true),
            ("endianness", r#""little""#, Encoding::Base64, false),
            ("user", r#""float""#, Encoding::Base64, false),
            ("user", "[]", Encoding::Base64, false),
        ] {
            let value = parse(value).unwrap();
            assert_eq!(changes(name, &value, encoding), wanted, "{name}: {value:?}");
        }
    }
}
