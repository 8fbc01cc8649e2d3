//! Packs the vectors of an answer that come as decimal text: each list of numbers becomes base64,
//! before the answer is parsed. A parsed number takes ten times the memory of a float, and an
//! answer has a million of them.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memchr2;

use crate::model::Encoding;

/// The members that hold vectors, or lists of them. Other lists of numbers stay as they are.
const HOLDERS: [&[u8]; 8] =
    [b"embedding", b"embeddings", b"values", b"float", b"int8", b"uint8", b"binary", b"ubinary"];

/// The text with each vector as a string of base64. What is no list of such numbers stays.
pub(super) fn pack(text: &[u8], encoding: Encoding) -> Cow<'_, [u8]> {
    let mut out = Vec::new();
    let mut numbers = Vec::new();
    let mut base64 = String::new();
    let (mut copied, mut at) = (0, 0);
    // The last string, which is the name of the member that a list belongs to.
    let mut name: &[u8] = b"";
    while let Some(next) = memchr2(b'"', b'[', &text[at..]) {
        at += next + 1;
        if text[at - 1] == b'"' {
            let end = at + string(&text[at..]);
            (name, at) = (&text[at..end], text.len().min(end + 1));
            continue;
        }
        if !HOLDERS.contains(&name) {
            continue;
        }
        numbers.clear();
        let Some(length) = list(&text[at..], encoding, &mut numbers) else { continue };
        out.extend_from_slice(&text[copied..at - 1]);
        base64.clear();
        STANDARD.encode_string(&numbers, &mut base64);
        out.push(b'"');
        out.extend_from_slice(base64.as_bytes());
        out.push(b'"');
        at += length;
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
            (r#"{"embedding":[0.5, -1]}"#, r#"{"embedding":"AAAAPwAAgL8="}"#),
            (r#"{"embeddings":[[0.5],[ 1e0 ]]}"#, r#"{"embeddings":["AAAAPw==","AACAPw=="]}"#),
            (r#"{"shape":[1,2],"values":[0]}"#, r#"{"shape":[1,2],"values":"AAAAAA=="}"#),
        ] {
            assert_eq!(packed(text, Encoding::Base64), wanted);
        }
        for text in [
            r#"{"embedding":[]}"#,
            r#"{"embedding":[1,null]}"#,
            r#"{"embedding":[1e39]}"#,
            r#"{"embedding":[1,]}"#,
            r#"{"embedding":[1"#,
            r#"{"embedding":["#,
            r#"{"embedding":"\"#,
            r#"{"text":"\"embedding\":[1]"}"#,
            "",
        ] {
            assert_eq!(packed(text, Encoding::Base64), text);
        }
        let bytes = r#"{"int8":[[-128,127]]}"#;
        assert_eq!(packed(bytes, Encoding::Int8), r#"{"int8":["gH8="]}"#);
        assert_eq!(packed(bytes, Encoding::Uint8), bytes);
        assert_eq!(packed(r#"{"uint8":[255]}"#, Encoding::Uint8), r#"{"uint8":"/w=="}"#);
        assert_eq!(packed(r#"{"uint8":[1.5]}"#, Encoding::Uint8), r#"{"uint8":[1.5]}"#);
    }

    proptest! {
        /// Whatever the floats, their text gives their bytes, and what follows is still JSON.
        #[test]
        fn floats_keep_their_bits(floats in prop::collection::vec(
            any::<f32>().prop_filter("finite", |float| float.is_finite()), 1..20,
        )) {
            let text = format!(r#"{{"embedding":{floats:?},"n":[1]}}"#);
            let bytes: Vec<u8> = floats.iter().flat_map(|float| float.to_le_bytes()).collect();
            let value = parse(&packed(&text, Encoding::Base64)).unwrap();
            let found = value.get("embedding").and_then(Value::as_str).unwrap();
            prop_assert_eq!(STANDARD.decode(found).unwrap(), bytes);
        }

        /// No text makes it panic, and text without vectors stays as it is.
        #[test]
        fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = pack(&bytes, Encoding::Base64);
            let text = [b"{\"embedding\":[".as_slice(), &bytes].concat();
            let _ = pack(&text, Encoding::Int8);
        }
    }
}
