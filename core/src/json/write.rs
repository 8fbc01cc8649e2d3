//! The writer turns documents into bytes: a serde serializer into one growing buffer.
//!
//! It writes compact JSON like `serde_json`, except that text is escaped a run at a time, and that
//! a [`Number`](super::Number) goes out as its own text. Both our derived serializers and foreign
//! values use it.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::ser::{self, Impossible, Serialize, Serializer};

use super::scan::plain;

/// Returns a document as compact JSON. `capacity` is a guess at its length.
#[must_use]
pub fn to_vec<T: Serialize + ?Sized>(document: &T, capacity: usize) -> Vec<u8> {
    write_behind(0, capacity, document).bytes
}

/// The name of a newtype whose place in the document the writer notes: the value of the last member,
/// which a reader may want to read later than the others.
pub const MARK: &str = "liter-llm's mark";

/// What stands before the marked value: a comma and the name of its member.
const MARKED: &str = ",\"liter\":";

/// A document, and the place that the writer noted.
#[derive(Debug, Default)]
pub struct Marked {
    /// The zero bytes in front, then the document.
    pub bytes: Vec<u8>,
    /// The place in the document of the comma before the marked member; 0 if there is none.
    pub mark: usize,
}

impl From<Vec<u8>> for Marked {
    /// A document without a mark.
    fn from(bytes: Vec<u8>) -> Self {
        Marked { bytes, mark: 0 }
    }
}

impl Marked {
    pub(crate) fn unmarked(self) -> Marked {
        Marked { mark: 0, ..self }
    }
}

/// Returns a document as compact JSON behind `room` zero bytes. `capacity` is a guess at its length.
#[must_use]
pub fn write_behind<T: Serialize + ?Sized>(room: usize, capacity: usize, document: &T) -> Marked {
    let mut out = Out { bytes: Vec::with_capacity(room + capacity), mark: 0 };
    out.bytes.resize(room, 0);
    serialize(&mut out, document);
    Marked { bytes: out.bytes, mark: out.mark.saturating_sub(room) }
}

/// Appends a document as compact JSON. Strings, numbers and string-keyed maps into memory cannot
/// fail, and our documents have nothing else.
pub fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, document: &T) {
    let mut whole = Out { bytes: std::mem::take(out), mark: 0 };
    serialize(&mut whole, document);
    *out = whole.bytes;
}

fn serialize<T: Serialize + ?Sized>(out: &mut Out, document: &T) {
    let written = document.serialize(Writer { out });
    debug_assert!(written.is_ok(), "a document holds what JSON cannot say");
}

/// What was written, and where the member with the mark begins.
struct Out {
    bytes: Vec<u8>,
    mark: usize,
}

impl Deref for Out {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.bytes
    }
}

impl DerefMut for Out {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

struct Writer<'a> {
    out: &'a mut Out,
}

impl Writer<'_> {
    fn put(self, text: &str) -> Result<(), fmt::Error> {
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn text(self, text: &str) {
        self.out.push(b'"');
        inside(self.out, text);
        self.out.push(b'"');
    }
}

/// The text of an open string, while it is formatted.
struct Inside<'a>(&'a mut Vec<u8>);

impl fmt::Write for Inside<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        inside(self.0, text);
        Ok(())
    }
}

fn inside(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    loop {
        let (run, after) = rest.split_at(plain(rest));
        out.extend_from_slice(run);
        let Some((byte, after)) = after.split_first() else { break };
        escape(out, *byte);
        rest = after;
    }
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// An open list or object.
struct Open<'a> {
    out: &'a mut Out,
    first: bool,
    end: u8,
}

impl<'a> Open<'a> {
    fn new(writer: Writer<'a>, start: u8, end: u8) -> Result<Self, fmt::Error> {
        writer.out.push(start);
        Ok(Open { out: writer.out, first: true, end })
    }

    fn item(&mut self) -> Writer<'_> {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        Writer { out: self.out }
    }

    /// Writes a member of our own type, whose name needs no escape.
    fn named<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), fmt::Error> {
        let Writer { out } = self.item();
        out.push(b'"');
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        value.serialize(Writer { out })
    }

    fn close(self) -> Result<(), fmt::Error> {
        self.out.push(self.end);
        Ok(())
    }
}

macro_rules! whole {
    ($($name:ident: $type:ty),*) => {$(
        fn $name(self, number: $type) -> Result<(), fmt::Error> {
            self.put(itoa::Buffer::new().format(number))
        }
    )*};
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeSeq = Open<'a>;
    type SerializeTuple = Open<'a>;
    type SerializeTupleStruct = Open<'a>;
    type SerializeTupleVariant = Impossible<(), fmt::Error>;
    type SerializeMap = Open<'a>;
    type SerializeStruct = Open<'a>;
    type SerializeStructVariant = Impossible<(), fmt::Error>;

    /// A `Number` gives its text only to a writer that is not human readable.
    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, flag: bool) -> Result<(), fmt::Error> {
        self.put(if flag { "true" } else { "false" })
    }

    whole!(
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64
    );

    fn serialize_f32(self, float: f32) -> Result<(), fmt::Error> {
        serde_json::to_writer(&mut self.out.bytes, &float).map_err(|_| fmt::Error)
    }

    fn serialize_f64(self, float: f64) -> Result<(), fmt::Error> {
        serde_json::to_writer(&mut self.out.bytes, &float).map_err(|_| fmt::Error)
    }

    fn serialize_char(self, letter: char) -> Result<(), fmt::Error> {
        self.text(letter.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    fn serialize_str(self, text: &str) -> Result<(), fmt::Error> {
        self.text(text);
        Ok(())
    }

    /// Writes the text of a `Number`, because nothing else in a document is bytes.
    fn serialize_bytes(self, text: &[u8]) -> Result<(), fmt::Error> {
        self.out.extend_from_slice(text);
        Ok(())
    }

    /// Writes text directly to the buffer, because a body in base64 may be large.
    fn collect_str<T: fmt::Display + ?Sized>(self, text: &T) -> Result<(), fmt::Error> {
        self.out.push(b'"');
        fmt::Write::write_fmt(&mut Inside(self.out), format_args!("{text}"))?;
        self.out.push(b'"');
        Ok(())
    }

    fn serialize_none(self) -> Result<(), fmt::Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), fmt::Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), fmt::Error> {
        self.put("null")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), fmt::Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
    ) -> Result<(), fmt::Error> {
        self.serialize_str(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), fmt::Error> {
        if name == MARK {
            debug_assert!(self.out.ends_with(MARKED.as_bytes()), "only `liter` is marked");
            self.out.mark = self.out.len() - MARKED.len();
        }
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<(), fmt::Error> {
        let mut open = Open::new(self, b'{', b'}')?;
        open.named(name, value)?;
        open.close()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Open<'a>, fmt::Error> {
        Open::new(self, b'[', b']')
    }

    fn serialize_tuple(self, _: usize) -> Result<Open<'a>, fmt::Error> {
        Open::new(self, b'[', b']')
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Open<'a>, fmt::Error> {
        Open::new(self, b'[', b']')
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Open<'a>, fmt::Error> {
        Open::new(self, b'{', b'}')
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Open<'a>, fmt::Error> {
        Open::new(self, b'{', b'}')
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, fmt::Error> {
        Err(fmt::Error)
    }
}

macro_rules! items {
    ($($trait:ident $method:ident),*) => {$(
        impl ser::$trait for Open<'_> {
            type Ok = ();
            type Error = fmt::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), fmt::Error> {
                value.serialize(self.item())
            }

            fn end(self) -> Result<(), fmt::Error> {
                self.close()
            }
        }
    )*};
}

items!(SerializeSeq serialize_element, SerializeTuple serialize_element, SerializeTupleStruct serialize_field);

impl ser::SerializeMap for Open<'_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), fmt::Error> {
        let Writer { out } = self.item();
        let start = out.len();
        key.serialize(Writer { out })?;
        // Only a string can be a name.
        let is_name = out.get(start) == Some(&b'"');
        out.push(b':');
        if is_name { Ok(()) } else { Err(fmt::Error) }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), fmt::Error> {
        value.serialize(Writer { out: self.out })
    }

    fn end(self) -> Result<(), fmt::Error> {
        self.close()
    }
}

impl ser::SerializeStruct for Open<'_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), fmt::Error> {
        self.named(name, value)
    }

    fn end(self) -> Result<(), fmt::Error> {
        self.close()
    }
}
