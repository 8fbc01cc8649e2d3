//! Packs the vectors of an answer that come as decimal text: each list of numbers becomes base64,
//! before the answer is parsed. A parsed number takes ten times the memory of a float, and an
//! answer has a million of them.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memchr2;

use crate::codec::MAX_DOCUMENT;
use crate::model::Encoding;

/// Where a vector is in an answer: the top-level member, the member that it belongs to, and the
/// number of objects and lists around it. Other lists of numbers stay as they are.
const PLACES: [(&[u8], &[u8], usize); 12] = [
    // OpenAI's form.
    (b"data", b"embedding", 3),
    // Gemini's and Vertex's.
    (b"embeddings", b"values", 3),
    (b"predictions", b"values", 4),
    // Cohere's version 1, and version 2.
    (b"embeddings", b"embeddings", 2),
    (b"embeddings", b"float", 3),
    (b"embeddings", b"int8", 3),
    (b"embeddings", b"uint8", 3),
    (b"embeddings", b"binary", 3),
    (b"embeddings", b"ubinary", 3),
    // Titan's, which may repeat it by its type, and Nova's.
    (b"embedding", b"embedding", 1),
    (b"embeddingsByType", b"float", 2),
    (b"embeddings", b"embedding", 3),
];

/// The most bytes of a vector. Models have some thousand numbers.
const LONGEST: usize = 4 << 20;

/// The text with each vector as a string of base64. What is no list of such numbers stays.
pub(super) fn pack(text: &[u8], encoding: Encoding) -> Cow<'_, [u8]> {
    let mut out = Vec::new();
    let mut numbers = Vec::new();
    let mut base64 = String::new();
    let (mut copied, mut at, mut depth) = (0, 0_usize, 0_usize);
    // The last string, which is the name of the member that a list belongs to, and the last one of
    // the answer's own members.
    let (mut name, mut top): (&[u8], &[u8]) = (b"", b"");
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'"' => {
                let end = at + string(&text[at..]);
                name = &text[at..end];
                if depth == 1 {
                    top = name;
                }
                at = text.len().min(end + 1);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if *byte != b'[' || !PLACES.contains(&(top, name, depth - 1)) {
            continue;
        }
        numbers.clear();
        let Some(length) = list(&text[at..], encoding, &mut numbers) else { continue };
        // Short numbers, as no vector has them, would become a longer document than any may be.
        if out.len() + numbers.len() > MAX_DOCUMENT {
            return Cow::Borrowed(text);
        }
        out.extend_from_slice(&text[copied..at - 1]);
        base64.clear();
        STANDARD.encode_string(&numbers, &mut base64);
        out.push(b'"');
        out.extend_from_slice(base64.as_bytes());
        out.push(b'"');
        at += length;
        depth -= 1;
        copied = at;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.extend_from_slice(&text[copied..]);
    Cow::Owned(out)
}

/// The length of a string up to its closing quote, or up to the end of the text.
fn string(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(next) = memchr2(b'"', b'\\', &text[at..]) {
        if text[at + next] == b'"' {
            return at + next;
        }
        at = text.len().min(at + next + 2);
    }
    text.len()
}

/// Reads the numbers of a list. Returns the length of its text up to and with its closing bracket,
/// or none if it is empty or holds anything else.
fn list(text: &[u8], encoding: Encoding, numbers: &mut Vec<u8>) -> Option<usize> {
    let mut at = 0;
    loop {
        at += space(&text[at..]);
        let length = text[at..].iter().take_while(|byte| is_number(**byte)).count();
        let digits = std::str::from_utf8(&text[at..at + length]).ok()?;
        number(digits, encoding, numbers)?;
        if numbers.len() > LONGEST {
            return None;
        }
        at += length;
        at += space(&text[at..]);
        match text.get(at)? {
            b',' => at += 1,
            b']' => return Some(at + 1),
            _ => return None,
        }
    }
}

fn space(text: &[u8]) -> usize {
    text.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count()
}

fn is_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

/// Adds a number. None if it is not one, or one that the encoding has no place for.
fn number(digits: &str, encoding: Encoding, numbers: &mut Vec<u8>) -> Option<()> {
    match encoding {
        Encoding::Base64 | Encoding::Float => {
            let float = digits.parse::<f32>().ok().filter(|float| float.is_finite())?;
            numbers.extend_from_slice(&float.to_le_bytes());
        }
        Encoding::Int8 | Encoding::Binary => {
            numbers.extend_from_slice(&digits.parse::<i8>().ok()?.to_le_bytes());
        }
        Encoding::Uint8 | Encoding::Ubinary => numbers.push(digits.parse::<u8>().ok()?),
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::{Value, parse};

    fn packed(text: &str, encoding: Encoding) -> String {
        String::from_utf8(pack(text.as_bytes(), encoding).into_owned()).unwrap()
    }

    #[test]
    fn vectors_become_base64_and_nothing_else_does() {
        for (text, wanted) in [
            (
                r#"{"data":[{"object":"embedding","embedding":[0.5, -1],"n":[1]}]}"#,
                r#"{"data":[{"object":"embedding","embedding":"AAAAPwAAgL8=","n":[1]}]}"#,
            ),
            (r#"{"embeddings":[[0.5],[ 1e0 ]]}"#, r#"{"embeddings":["AAAAPw==","AACAPw=="]}"#),
            (
                r#"{"embeddings":[{"shape":[1],"values":[0]}],"values":[0],"x":[{"values":[0]}]}"#,
                r#"{"embeddings":[{"shape":[1],"values":"AAAAAA=="}],"values":[0],"x":[{"values":[0]}]}"#,
            ),
            (
                r#"{"predictions":[{"embeddings":{"values":[0],"statistics":{"values":[0]}}}]}"#,
                r#"{"predictions":[{"embeddings":{"values":"AAAAAA==","statistics":{"values":[0]}}}]}"#,
            ),
            (
                r#"{"embedding":[0],"embeddingsByType":{"float":[0]},"inputTextTokenCount":1}"#,
                r#"{"embedding":"AAAAAA==","embeddingsByType":{"float":"AAAAAA=="},"inputTextTokenCount":1}"#,
            ),
            (
                r#"{"texts":["a\"]"],"embeddings":{"float":[[0]]},"meta":{"float":[[0]]}}"#,
                r#"{"texts":["a\"]"],"embeddings":{"float":["AAAAAA=="]},"meta":{"float":[[0]]}}"#,
            ),
        ] {
            assert_eq!(packed(text, Encoding::Base64), wanted);
        }
        for inner in ["[]", "[1,null]", "[1e39]", "[1,]", "[1", "[", "\"\\", "[[1]]"] {
            let text = format!(r#"{{"data":[{{"embedding":{inner}"#);
            assert_eq!(packed(&text, Encoding::Base64), text);
        }
        for text in [
            r#"{"data":"\"embedding\":[1]"}"#,
            r#"{"vector":[1]}"#,
            r#"{"usage":[{"embedding":[1]}],"data":[]}"#,
            "]]]}}[[",
            "",
        ] {
            assert_eq!(packed(text, Encoding::Base64), text);
        }
        let of = |name: &str, inner: &str| format!(r#"{{"embeddings":{{"{name}":[{inner}]}}}}"#);
        let bytes = of("int8", "[-128,127]");
        assert_eq!(packed(&bytes, Encoding::Int8), of("int8", r#""gH8=""#));
        assert_eq!(packed(&bytes, Encoding::Uint8), bytes);
        assert_eq!(packed(&of("uint8", "[255]"), Encoding::Uint8), of("uint8", r#""/w==""#));
        let halves = of("uint8", "[1.5]");
        assert_eq!(packed(&halves, Encoding::Uint8), halves);
    }

    proptest! {
        /// Whatever the floats, their text gives their bytes, and what follows is still JSON.
        #[test]
        fn floats_keep_their_bits(floats in prop::collection::vec(
            any::<f32>().prop_filter("finite", |float| float.is_finite()), 1..20,
        )) {
            let text = format!(r#"{{"data":[{{"embedding":{floats:?},"n":[1]}}]}}"#);
            let bytes: Vec<u8> = floats.iter().flat_map(|float| float.to_le_bytes()).collect();
            let value = parse(&packed(&text, Encoding::Base64)).unwrap();
            let found = value.get("data").and_then(Value::as_array).unwrap();
            let found = found[0].get("embedding").and_then(Value::as_str).unwrap();
            prop_assert_eq!(STANDARD.decode(found).unwrap(), bytes);
        }

        /// No text makes it panic, and text without vectors stays as it is.
        #[test]
        fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = pack(&bytes, Encoding::Base64);
            let text = [b"{\"data\":[{\"embedding\":[".as_slice(), &bytes].concat();
            let _ = pack(&text, Encoding::Int8);
        }
    }
}
