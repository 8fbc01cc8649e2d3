//! A push parser for newline-delimited JSON: each line is one document. It takes bytes as they come,
//! and returns a line as an event without a name.
//!
//! Every byte is scanned once. A byte order mark at the start and blank lines are skipped, and a CR
//! before the line's end is white space. A document holds no raw line end, so no line is cut.

use std::ops::Range;

use memchr::memchr;

use super::event::{Event, EventError, MAX_EVENT};

/// The parser of one stream.
#[derive(Debug, Default)]
pub struct NdjsonParser {
    buffer: Vec<u8>,
    /// The start of the current line.
    line: usize,
    /// There is no line end between `line` and here.
    scanned: usize,
    /// The first line was returned, so a byte order mark can no longer come.
    started: bool,
}

impl NdjsonParser {
    /// Adds bytes that have arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.compact();
        self.buffer.extend_from_slice(bytes);
    }

    /// Returns the next complete line.
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>, EventError> {
        while let Some(offset) = memchr(b'\n', &self.buffer[self.scanned..]) {
            let end = self.scanned + offset;
            let line = self.trimmed(self.line..end);
            self.line = end + 1;
            self.scanned = self.line;
            if !line.is_empty() {
                return self.event(line).map(Some);
            }
        }
        self.scanned = self.buffer.len();
        let held = self.buffer.len() - self.line;
        if held > MAX_EVENT { Err(EventError::TooLarge) } else { Ok(None) }
    }

    /// Returns a line that only lacks its end, after the proper end of the body. The reader of the
    /// event finds half a document.
    pub fn last_event(&mut self) -> Result<Option<Event<'_>>, EventError> {
        let line = self.trimmed(self.line..self.buffer.len());
        self.line = self.buffer.len();
        self.scanned = self.line;
        if line.is_empty() { Ok(None) } else { self.event(line).map(Some) }
    }

    /// Moves the needed bytes to the front, once the other bytes are the larger part.
    fn compact(&mut self) {
        if self.line == self.buffer.len() {
            self.buffer.clear();
        } else if self.line > self.buffer.len() / 2 {
            self.buffer.drain(..self.line);
        } else {
            return;
        }
        self.scanned -= self.line;
        self.line = 0;
    }

    /// The line without the white space around it.
    fn trimmed(&mut self, mut line: Range<usize>) -> Range<usize> {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        if !std::mem::replace(&mut self.started, true)
            && self.buffer[line.clone()].starts_with(MARK)
        {
            line.start += MARK.len();
        }
        let text = &self.buffer[line.clone()];
        line.end -= text.len() - text.trim_ascii_end().len();
        let text = &self.buffer[line.clone()];
        line.start += text.len() - text.trim_ascii_start().len();
        line
    }

    fn event(&self, line: Range<usize>) -> Result<Event<'_>, EventError> {
        let data = std::str::from_utf8(&self.buffer[line]).map_err(|_| EventError::NotUtf8)?;
        Ok(Event { name: "", data, failed: false })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads `chunks`, and the last line as after a proper end.
    fn read(chunks: &[&[u8]]) -> Vec<String> {
        let mut parser = NdjsonParser::default();
        let mut lines = Vec::new();
        for chunk in chunks {
            parser.push(chunk);
            while let Some(event) = parser.next_event().unwrap() {
                lines.push(event.data.to_owned());
            }
        }
        lines.extend(parser.last_event().unwrap().map(|event| event.data.to_owned()));
        lines
    }

    #[test]
    fn lines_are_events_and_blank_ones_are_none() {
        let text = b"\xef\xbb\xbf{\"a\":1}\r\n\n \r\n {\"b\":\"\\n\"} \n{\"c\":2}";
        assert_eq!(read(&[text]), ["{\"a\":1}", "{\"b\":\"\\n\"}", "{\"c\":2}"]);
        assert!(read(&[b"", b"\n\r\n", b"  "]).is_empty());
    }

    #[test]
    fn bad_input_is_an_error() {
        let mut parser = NdjsonParser::default();
        parser.push(b"{\"a\":\"\xff\"}\n{}\n");
        assert_eq!(parser.next_event(), Err(EventError::NotUtf8));

        let mut parser = NdjsonParser::default();
        let line = vec![b'x'; 1 << 20];
        let broken = (0..20).any(|_| {
            parser.push(&line);
            parser.next_event() == Err(EventError::TooLarge)
        });
        assert!(broken);
    }

    proptest! {
        /// However the bytes are cut, the lines are the same.
        #[test]
        fn splits_do_not_matter(
            lines in prop::collection::vec("[!-~é世🦀]{1,12}", 0..12),
            ends in prop::collection::vec(0..3usize, 16),
            mark in any::<bool>(),
            cuts in prop::collection::vec(1..9usize, 0..100),
        ) {
            let mut text = Vec::new();
            if mark {
                text.extend_from_slice(b"\xef\xbb\xbf");
            }
            for (line, end) in lines.iter().zip(ends.iter().cycle()) {
                text.extend_from_slice(line.as_bytes());
                text.extend_from_slice(["\n", "\r\n", "\n\n"][*end].as_bytes());
            }
            let mut chunks = Vec::new();
            let mut rest = &text[..];
            for cut in cuts {
                let (chunk, after) = rest.split_at(cut.min(rest.len()));
                chunks.push(chunk);
                rest = after;
            }
            chunks.push(rest);
            prop_assert_eq!(read(&chunks), lines);
        }

        /// Any bytes at all: no panic, and the same outcome under another split.
        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0..200usize) {
            let run = |chunks: &[&[u8]]| {
                let mut parser = NdjsonParser::default();
                let mut seen = Vec::new();
                for chunk in chunks {
                    parser.push(chunk);
                    loop {
                        match parser.next_event() {
                            Ok(Some(event)) => seen.push(event.data.to_owned()),
                            Ok(None) => break,
                            Err(_) => return (seen, false),
                        }
                    }
                }
                (seen, true)
            };
            let (a, b) = bytes.split_at(cut.min(bytes.len()));
            prop_assert_eq!(run(&[&bytes]), run(&[a, b]));
        }
    }
}
