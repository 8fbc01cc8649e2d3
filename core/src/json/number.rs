//! A number is kept as the text that was read.
//!
//! Code seldom needs a number's value, and its text has to go out again: `1e5`, `0.10` and thirty
//! digits stay unchanged. Short texts, which are nearly all, need no memory of their own.

use std::fmt;

use serde::{Serialize, Serializer};

use super::parse::{Fault, parse};
use super::value::Value;

/// The longest text, in bytes, that is stored in the number itself.
const SHORT: usize = 22;

/// A number.
#[derive(Clone, PartialEq, Eq)]
pub struct Number(Text);

#[derive(Clone, PartialEq, Eq)]
enum Text {
    /// The length of the text and its bytes. The other bytes are 0.
    Short(u8, [u8; SHORT]),
    Long(Box<str>),
}

impl Number {
    /// Makes a number of this text, which the grammar allows.
    pub(super) fn of(text: &str) -> Self {
        let mut bytes = [0; SHORT];
        match bytes.get_mut(..text.len()) {
            Some(place) => {
                place.copy_from_slice(text.as_bytes());
                // The length is at most `SHORT`.
                Number(Text::Short(text.len() as u8, bytes))
            }
            None => Number(Text::Long(text.into())),
        }
    }

    /// Makes a number of a float, if the float is finite.
    #[must_use]
    pub fn from_f64(float: f64) -> Option<Self> {
        float.is_finite().then(|| Number::of(&serde_json::to_string(&float).unwrap_or_default()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            // Digits and signs are always UTF-8.
            Text::Short(len, bytes) => {
                std::str::from_utf8(&bytes[..usize::from(*len)]).unwrap_or_default()
            }
            Text::Long(text) => text,
        }
    }

    /// The value, if it is a whole number of at least 0 that fits.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        // Only digits count, because a sign, a point or an exponent makes another number.
        let digit = |number: u64, byte: &u8| {
            let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
            number.checked_mul(10)?.checked_add(digit.into())
        };
        self.bytes().iter().try_fold(0, digit)
    }

    fn bytes(&self) -> &[u8] {
        match &self.0 {
            Text::Short(len, bytes) => &bytes[..usize::from(*len)],
            Text::Long(text) => text.as_bytes(),
        }
    }

    /// The value, if it is a whole number that fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.as_str().parse().ok()
    }

    /// The nearest float, if it is finite.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        self.as_str().parse().ok().filter(|float: &f64| float.is_finite())
    }
}

impl std::str::FromStr for Number {
    type Err = Fault;

    /// Reads a number from JSON text.
    fn from_str(text: &str) -> Result<Self, Fault> {
        match parse(text) {
            Ok(Value::Number(number)) => Ok(number),
            Ok(_) => Err(Fault::new("expected a number", 0)),
            Err(fault) => Err(fault),
        }
    }
}

macro_rules! whole {
    ($($type:ty)*) => {$(
        impl From<$type> for Number {
            fn from(number: $type) -> Self {
                Number::of(itoa::Buffer::new().format(number))
            }
        }
    )*};
}

whole!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Number {
    /// Our own writer takes the text as it is, and is not human readable, which tells it apart. Any
    /// other writer gets the number that the text means.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serializer.serialize_bytes(self.bytes());
        }
        if let Some(number) = self.as_u64() {
            serializer.serialize_u64(number)
        } else if let Some(number) = self.as_i64() {
            serializer.serialize_i64(number)
        } else {
            serializer.serialize_f64(self.as_f64().unwrap_or(f64::NAN))
        }
    }
}
