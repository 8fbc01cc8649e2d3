//! Small pieces of JSON reading that serde has no attribute for.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// A JSON object that keeps its order and its repeated names. Header order can matter, and a map
/// would lose it.
#[derive(Debug)]
pub(crate) struct Pairs<V>(pub(crate) Vec<(String, V)>);

impl<V> Default for Pairs<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Pairs<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for Object<V> {
            type Value = Pairs<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(Object(PhantomData))
    }
}

/// Reads members where `null` is a value and differs from absence.
pub(crate) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// JSON text without the white space between its tokens. Order, escapes and numbers stay as
/// written.
pub(crate) fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c.is_ascii_whitespace() {
            continue;
        } else {
            in_string = c == '"';
        }
        out.push(c);
    }
    out
}

/// Bytes from hexadecimal digits; white space may group them.
pub(crate) fn hex(text: &str) -> Result<Vec<u8>, String> {
    let digits = text.bytes().filter(|b| !b.is_ascii_whitespace());
    let digits = digits
        .map(|b| {
            char::from(b)
                .to_digit(16)
                .ok_or_else(|| format!("{:?} is not a hexadecimal digit", char::from(b)))
        })
        .collect::<Result<Vec<u32>, String>>()?;
    if digits.len() % 2 == 1 {
        return Err("an odd number of hexadecimal digits".to_owned());
    }
    #[expect(clippy::cast_possible_truncation, reason = "two digits make a byte")]
    Ok(digits.chunks_exact(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect())
}

/// The text of a JSON string.
pub(crate) fn string(json: &str) -> Result<String, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

/// The text behind `data: `. A string stays as it is, and other JSON is made compact.
pub(crate) fn data(json: &serde_json::value::RawValue) -> Result<String, String> {
    if json.get().starts_with('"') { string(json.get()) } else { Ok(compact(json.get())) }
}
