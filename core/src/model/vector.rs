//! Vectors of embeddings, and how documents write them.
//!
//! A vector of a thousand numbers is long as text and slow to read, so its numbers travel as
//! base64 unless a list is asked for.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
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

/// Why a text is not a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoVector {
    /// It is not base64 of at least one number of its encoding.
    Form,
    /// A number is NaN or infinity, which no list can say and with which nothing can be compared.
    NotFinite,
}

/// Base64 as servers write it. The bits that follow the last byte mean nothing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

impl Vector {
    /// The vector of this base64. Its bytes are left in `bytes`.
    pub fn read(text: String, encoding: Encoding, bytes: &mut Vec<u8>) -> Result<Self, NoVector> {
        bytes.clear();
        BASE64.decode_vec(&text, bytes).map_err(|_| NoVector::Form)?;
        if bytes.is_empty() || !bytes.len().is_multiple_of(encoding.width()) {
            return Err(NoVector::Form);
        }
        if !encoding.is_float() {
            return Ok(Vector::Packed(text));
        }
        let (numbers, _) = bytes.as_chunks::<4>();
        // Both have all bits of the exponent. No early end: so the loop needs no branches.
        let odd = |number: &[u8; 4]| u32::from_le_bytes(*number) & EXPONENT == EXPONENT;
        if numbers.iter().fold(false, |any, number| any | odd(number)) {
            return Err(NoVector::NotFinite);
        }
        if encoding == Encoding::Base64 {
            return Ok(Vector::Packed(text));
        }
        Ok(Vector::Numbers(numbers.iter().map(|number| f32::from_le_bytes(*number)).collect()))
    }

    /// Its length, to compare with that of another vector of the same encoding.
    #[must_use]
    pub fn length(&self) -> usize {
        match self {
            Vector::Packed(text) => {
                let padding = text.bytes().rev().take_while(|byte| *byte == b'=').count();
                (text.len() / 4 * 3).saturating_sub(padding)
            }
            Vector::Numbers(numbers) => numbers.len(),
        }
    }
}

/// The exponent's bits of a 32-bit float.
const EXPONENT: u32 = 0x7f80_0000;

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

    fn read(text: &str, encoding: Encoding) -> Result<Vector, NoVector> {
        Vector::read(text.to_owned(), encoding, &mut vec![7])
    }

    #[test]
    fn a_vector_has_whole_numbers_and_at_least_one() {
        for (bytes, encoding, wanted) in [
            (&[0_u8; 8][..], Encoding::Base64, true),
            (&[0; 7], Encoding::Base64, false),
            (&[255; 7], Encoding::Int8, true),
            (&[255; 6], Encoding::Ubinary, true),
            (&[], Encoding::Int8, false),
            (&[], Encoding::Float, false),
        ] {
            let text = BASE64.encode(bytes);
            assert_eq!(read(&text, encoding).is_ok(), wanted, "{bytes:?}");
            assert_eq!(Vector::Packed(text).length(), bytes.len());
        }
        for text in ["AAAA=AAA", "AAA", "A===", "AAA-", "AAA\n", "===="] {
            assert_eq!(read(text, Encoding::Int8), Err(NoVector::Form), "{text}");
        }
        // The bits behind the last byte.
        assert!(read("AB==", Encoding::Int8).is_ok());
    }

    #[test]
    fn no_form_of_floats_has_nan_or_infinity() {
        for encoding in [Encoding::Base64, Encoding::Float] {
            let of = |numbers: &[f32]| {
                let bytes: Vec<u8> = numbers.iter().flat_map(|one| one.to_le_bytes()).collect();
                read(&BASE64.encode(bytes), encoding)
            };
            for odd in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                assert_eq!(of(&[0.5, odd, 1.0]), Err(NoVector::NotFinite), "{odd}");
            }
            assert!(of(&[f32::MAX, f32::MIN, f32::MIN_POSITIVE, -0.0]).is_ok());
        }
        let numbers = Vector::Numbers(vec![0.5, -1.0]);
        assert_eq!(numbers.length(), 2);
        assert_eq!(read("AAAAPwAAgL8=", Encoding::Float), Ok(numbers));
    }
}
