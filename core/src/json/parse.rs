//! The parser turns a document's text into a value, strictly by RFC 8259.
//!
//! Members and items are collected on two lists that the whole document shares. Each object and
//! each list is made at its end, in memory of its size. A fault names the place and never the text
//! there, because that may be a prompt.

use std::borrow::Cow;
use std::fmt;

use super::key::Key;
use super::number::Number;
use super::object::Object;
use super::scan::plain;
use super::value::Value;

/// The nesting depth that is too deep. 127 levels are read, as `serde_json` does.
pub const MAX_DEPTH: usize = 128;

/// Why a text is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    what: &'static str,
    at: usize,
}

/// The number of open members that have room at first.
const MEMBERS: usize = 16;

const TOO_DEEP: &str = "nested too deeply";

impl Fault {
    pub(super) fn new(what: &'static str, at: usize) -> Self {
        Fault { what, at }
    }

    /// The position in the text.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// Whether the text is nested deeper than [`MAX_DEPTH`].
    #[must_use]
    pub fn is_depth(&self) -> bool {
        self.what == TOO_DEEP
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.what, self.at)
    }
}

/// Reads a document.
pub fn parse(text: &str) -> Result<Value, Fault> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
        members: Vec::with_capacity(MEMBERS),
        items: Vec::with_capacity(4),
        scratch: String::new(),
    };
    let value = parser.value()?;
    match parser.peek() {
        None => Ok(value),
        Some(_) => Err(parser.fault("expected the end")),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// The members of the open objects.
    members: Vec<(Key, Value)>,
    /// The items of the open lists.
    items: Vec<Value>,
    /// The current string, if it has escapes.
    scratch: String,
}

impl<'a> Parser<'a> {
    fn fault(&self, what: &'static str) -> Fault {
        let what = if self.at < self.text.len() { what } else { "the text ends too early" };
        Fault::new(what, self.at)
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        match self.byte() {
            // Compact documents have no white space.
            Some(b' ' | b'\n' | b'\r' | b'\t') => self.skip(),
            byte => byte,
        }
    }

    #[inline(never)]
    fn skip(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.at += 1;
        }
        self.byte()
    }

    fn value(&mut self) -> Result<Value, Fault> {
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                Ok(Value::String(self.string()?.into_owned()))
            }
            Some(b'{') => self.object(),
            Some(b'[') => self.list(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'n') => self.word("null", Value::Null),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            _ => Err(self.fault("expected a value")),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Fault> {
        for byte in word.bytes() {
            if self.byte() != Some(byte) {
                return Err(self.fault("expected a value"));
            }
            self.at += 1;
        }
        Ok(value)
    }

    /// Enters a list or an object.
    fn enter(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth == MAX_DEPTH {
            return Err(Fault::new(TOO_DEEP, self.at));
        }
        self.at += 1;
        Ok(())
    }

    fn object(&mut self) -> Result<Value, Fault> {
        self.enter()?;
        let start = self.members.len();
        let mut next = self.peek();
        if next != Some(b'}') {
            loop {
                if next != Some(b'"') {
                    return Err(self.fault("expected a name in quotes"));
                }
                self.at += 1;
                let key = Key::read(self.string()?);
                if self.peek() != Some(b':') {
                    return Err(self.fault("expected a colon"));
                }
                self.at += 1;
                let value = self.value()?;
                self.members.push((key, value));
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b'}') => break,
                    _ => return Err(self.fault("expected a comma or the object's end")),
                }
                next = self.peek();
            }
        }
        self.at += 1;
        self.depth -= 1;
        // The list of a small document need not be copied.
        let members = match self.depth == 0 && self.members.capacity() == MEMBERS {
            true => std::mem::take(&mut self.members),
            false => self.members.split_off(start),
        };
        Ok(Value::Object(Object::of(members)))
    }

    fn list(&mut self) -> Result<Value, Fault> {
        self.enter()?;
        let start = self.items.len();
        if self.peek() != Some(b']') {
            loop {
                let value = self.value()?;
                self.items.push(value);
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b']') => break,
                    _ => return Err(self.fault("expected a comma or the list's end")),
                }
            }
        }
        self.at += 1;
        self.depth -= 1;
        Ok(Value::Array(self.items.split_off(start)))
    }

    fn number(&mut self) -> Result<Value, Fault> {
        let start = self.at;
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        match self.byte() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Value::Number(Number::of(&self.text[start..self.at])))
    }

    /// Reads one digit or more.
    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.byte() {
            self.at += 1;
        }
        if self.at == start { Err(self.fault("expected a digit")) } else { Ok(()) }
    }

    /// Reads the string whose first quote has been read.
    #[inline]
    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        let run = self.run();
        if self.byte() == Some(b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(run));
        }
        self.escaped(run)
    }

    /// Reads the string that begins with `run` and continues with an escape.
    #[inline(never)]
    fn escaped(&mut self, run: &str) -> Result<Cow<'a, str>, Fault> {
        self.scratch.clear();
        // Room that is enough for most texts is reserved at once.
        self.scratch.reserve(run.len() + 512);
        self.scratch.push_str(run);
        loop {
            match self.byte() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    let decoded = self.escape()?;
                    self.scratch.push(decoded);
                }
                _ => return Err(self.fault("a control character in a string")),
            }
            let run = self.run();
            self.scratch.push_str(run);
        }
        self.at += 1;
        Ok(Cow::Owned(self.scratch.as_str().to_owned()))
    }

    /// Reads text up to a quote, an escape, a control character or the end.
    fn run(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let run = &rest[..plain(rest.as_bytes())];
        self.at += run.len();
        run
    }

    /// Reads the character of an escape whose backslash has been read.
    fn escape(&mut self) -> Result<char, Fault> {
        let decoded = match self.byte() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.fault("an unknown escape")),
        };
        self.at += 1;
        Ok(decoded)
    }

    /// Reads `uXXXX`, or two of them that make one character.
    fn unicode(&mut self) -> Result<char, Fault> {
        let start = self.at - 1;
        let half = || Fault::new("half a character in an escape", start);
        self.at += 1;
        let first = self.hex()?;
        let code = match first {
            0xD800..=0xDBFF => {
                if !self.text.as_bytes()[self.at..].starts_with(b"\\u") {
                    return Err(half());
                }
                self.at += 2;
                let second = self.hex()?;
                let low = second.checked_sub(0xDC00).filter(|low| *low < 0x400).ok_or_else(half)?;
                0x1_0000 + ((first - 0xD800) << 10 | low)
            }
            code => code,
        };
        char::from_u32(code).ok_or_else(half)
    }

    fn hex(&mut self) -> Result<u32, Fault> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.byte().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else { return Err(self.fault("expected a hex digit")) };
            code = code << 4 | digit;
            self.at += 1;
        }
        Ok(code)
    }
}
