//! Vectors of embeddings, and how documents write them.
//!
//! A vector of a thousand numbers is long as text and slow to read, so its numbers travel as
//! base64 unless a list is asked for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

/// How vectors are written, and what their numbers are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Base64 of 32-bit floats, little-endian.
    #[default]
    Base64,
    /// A list of numbers, for readers that have nothing but JSON.
    Float,
    /// Base64 of signed bytes, one for each number.
    Int8,
    /// Base64 of bytes, one for each number.
    Uint8,
    /// Base64 of signed bytes, each with the signs of eight numbers.
    Binary,
    /// Base64 of bytes, each with the signs of eight numbers.
    Ubinary,
}

impl Encoding {
    const ALL: [Encoding; 6] = [
        Encoding::Base64,
        Encoding::Float,
        Encoding::Int8,
        Encoding::Uint8,
        Encoding::Binary,
        Encoding::Ubinary,
    ];

    /// Their names in documents.
    pub const NAMES: [&'static str; 6] = ["base64", "float", "int8", "uint8", "binary", "ubinary"];

    /// The encoding of this name; the default of another one.
    #[must_use]
    pub(super) fn of(name: &str) -> Self {
        let place = Self::NAMES.iter().position(|known| *known == name);
        place.map(|i| Self::ALL[i]).unwrap_or_default()
    }

    /// Its name in documents, and in most providers' requests.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// Whether the numbers are floats.
    #[must_use]
    pub fn is_float(self) -> bool {
        matches!(self, Encoding::Base64 | Encoding::Float)
    }

    /// The number of bytes of one number.
    #[must_use]
    pub fn width(self) -> usize {
        if self.is_float() { 4 } else { 1 }
    }
}

/// One vector.
#[derive(Clone, Debug, PartialEq)]
pub enum Vector {
    /// Base64 of its numbers.
    Packed(String),
    /// Its numbers.
    Numbers(Vec<f32>),
}

/// A vector in the schema.
#[cfg(feature = "schema")]
#[derive(Serialize, schemars::JsonSchema)]
#[serde(untagged)]
#[schemars(title = "Vector")]
#[expect(dead_code, reason = "it is only described")]
pub(super) enum VectorDocument {
    /// Base64 of its numbers.
    Packed(String),
    /// Its numbers.
    Numbers(Vec<f64>),
}

impl Vector {
    /// The vector of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Vector::Packed(STANDARD.encode(bytes))
    }

    /// Its numbers as a list, if it is base64 of finite 32-bit floats.
    #[must_use]
    pub fn unpacked(self) -> Option<Self> {
        let Vector::Packed(text) = &self else { return Some(self) };
        let bytes = STANDARD.decode(text).ok()?;
        let (numbers, rest) = bytes.as_chunks::<4>();
        let numbers: Vec<f32> = numbers.iter().map(|number| f32::from_le_bytes(*number)).collect();
        let finite = rest.is_empty() && numbers.iter().all(|number| number.is_finite());
        finite.then_some(Vector::Numbers(numbers))
    }

    /// The number of its bytes, or none if it is not base64 of whole numbers of `width` bytes.
    #[must_use]
    pub fn bytes(&self, width: usize) -> Option<usize> {
        let text = match self {
            Vector::Packed(text) => text.as_bytes(),
            Vector::Numbers(numbers) => return Some(numbers.len() * width),
        };
        let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
        let letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        let whole = text.len() % 4 == 0 && padding <= 2;
        if !whole || !text[..text.len() - padding].iter().fold(true, |all, byte| all & letter(byte))
        {
            return None;
        }
        let bytes = (text.len() / 4 * 3).checked_sub(padding)?;
        (bytes > 0 && bytes % width == 0).then_some(bytes)
    }
}

impl Serialize for Vector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Vector::Packed(text) => serializer.serialize_str(text),
            Vector::Numbers(numbers) => serializer.collect_seq(numbers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_is_measured_without_reading_it() {
        for (bytes, width, wanted) in [
            (&[0_u8; 8][..], 4, Some(8)),
            (&[0; 7], 4, None),
            (&[255; 7], 1, Some(7)),
            (&[255; 6], 1, Some(6)),
            (&[], 1, None),
        ] {
            assert_eq!(Vector::of(bytes).bytes(width), wanted, "{bytes:?}");
        }
        for text in ["AAAA=AAA", "AAA", "A===", "AAA-", "AAA\n"] {
            assert_eq!(Vector::Packed(text.to_owned()).bytes(1), None, "{text}");
        }
    }

    #[test]
    fn floats_are_listed_only_if_json_can_say_them() {
        let of = |numbers: &[f32]| {
            let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
            Vector::of(&bytes).unpacked()
        };
        assert_eq!(of(&[0.1, -2.0]), Some(Vector::Numbers(vec![0.1, -2.0])));
        assert_eq!(of(&[f32::NAN]), None);
        assert_eq!(of(&[f32::INFINITY]), None);
    }
}
