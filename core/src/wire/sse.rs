//! A push parser for server-sent events. It takes bytes as they come, and returns events.
//!
//! Every byte is scanned once: an open line is not scanned again from its start when more of it
//! arrives. CR, LF and CRLF end a line, even if a CRLF is split between two reads. A byte order
//! mark at the start is skipped. Several `data` lines are joined by LF. Comments and unknown fields
//! are skipped. A single `data` line is returned without a copy.

use std::ops::Range;

use memchr::memchr2;

use super::event::{Event, EventError, MAX_EVENT};

/// The parser of one stream.
#[derive(Debug, Default)]
pub struct SseParser {
    buffer: Vec<u8>,
    /// The start of the current line.
    line: usize,
    /// There is no line end between `line` and here.
    scanned: usize,
    /// The `event` field of the current event.
    name: Range<usize>,
    /// The first `data` line of the event, as a place in the buffer.
    data: Option<Range<usize>>,
    /// The `data` lines of the event, joined once there are two.
    joined: Vec<u8>,
    is_joined: bool,
    started: bool,
    after_cr: bool,
}

impl SseParser {
    /// Adds bytes that have arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.compact();
        self.buffer.extend_from_slice(bytes);
    }

    /// Returns the next complete event.
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>, EventError> {
        while let Some(line) = self.next_line() {
            if line.is_empty() {
                if self.data.is_some() {
                    return self.dispatch().map(Some);
                }
                self.name = 0..0;
                continue;
            }
            self.field(line);
        }
        let held = self.buffer.len() - self.first_needed() + self.joined.len();
        if held > MAX_EVENT { Err(EventError::TooLarge) } else { Ok(None) }
    }

    /// Returns an event that only lacks its blank line, after the proper end of the body. Real
    /// providers omit that line. The reader of the event finds a broken line of JSON.
    pub fn last_event(&mut self) -> Result<Option<Event<'_>>, EventError> {
        if self.line < self.buffer.len() {
            let line = self.line..self.buffer.len();
            self.line = self.buffer.len();
            self.field(line);
        }
        if self.data.is_some() { self.dispatch().map(Some) } else { Ok(None) }
    }

    /// Moves the needed bytes to the front, once the other bytes are the larger part.
    fn compact(&mut self) {
        let keep = self.first_needed();
        if keep == self.buffer.len() {
            self.buffer.clear();
        } else if keep > self.buffer.len() / 2 {
            self.buffer.drain(..keep);
        } else {
            return;
        }
        self.line -= keep;
        self.scanned -= keep;
        if let Some(data) = &mut self.data {
            *data = data.start - keep..data.end - keep;
        }
        if !self.name.is_empty() {
            self.name = self.name.start - keep..self.name.end - keep;
        }
    }

    fn first_needed(&self) -> usize {
        let data = self.data.as_ref().map_or(self.line, |data| data.start);
        let name = if self.name.is_empty() { self.line } else { self.name.start };
        self.line.min(data).min(name)
    }

    fn next_line(&mut self) -> Option<Range<usize>> {
        if !self.started && !self.skip_mark() {
            return None;
        }
        if self.after_cr && self.line < self.buffer.len() {
            self.after_cr = false;
            if self.buffer[self.line] == b'\n' {
                self.line += 1;
                self.scanned = self.scanned.max(self.line);
            }
        }
        match memchr2(b'\n', b'\r', &self.buffer[self.scanned..]) {
            None => {
                self.scanned = self.buffer.len();
                None
            }
            Some(offset) => {
                let end = self.scanned + offset;
                self.after_cr = self.buffer[end] == b'\r';
                let line = self.line..end;
                self.line = end + 1;
                self.scanned = self.line;
                Some(line)
            }
        }
    }

    /// Skips a byte order mark. Returns `false` if it needs more bytes to decide.
    fn skip_mark(&mut self) -> bool {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        if self.buffer.len() < MARK.len() && MARK.starts_with(&self.buffer) {
            return false;
        }
        self.started = true;
        if self.buffer.starts_with(MARK) {
            self.line = MARK.len();
            self.scanned = MARK.len();
        }
        true
    }

    fn field(&mut self, line: Range<usize>) {
        let text = &self.buffer[line.clone()];
        let (name, mut value) = match memchr::memchr(b':', text) {
            Some(colon) => (&text[..colon], line.start + colon + 1..line.end),
            None => (text, line.end..line.end),
        };
        if self.buffer[value.clone()].first() == Some(&b' ') {
            value.start += 1;
        }
        match name {
            b"data" => match &self.data {
                None => {
                    self.joined.clear();
                    self.is_joined = false;
                    self.data = Some(value);
                }
                Some(first) => {
                    if !std::mem::replace(&mut self.is_joined, true) {
                        self.joined.extend_from_slice(&self.buffer[first.clone()]);
                    }
                    self.joined.push(b'\n');
                    self.joined.extend_from_slice(&self.buffer[value]);
                }
            },
            // An empty name has no place, because `compact` would put its place behind the buffer's
            // end.
            b"event" => self.name = if value.is_empty() { 0..0 } else { value },
            _ => {}
        }
    }

    fn dispatch(&mut self) -> Result<Event<'_>, EventError> {
        let name = &self.buffer[std::mem::take(&mut self.name)];
        let range = self.data.take().unwrap_or_default();
        let data = if self.is_joined { &self.joined[..] } else { &self.buffer[range] };
        let text = |bytes| std::str::from_utf8(bytes).map_err(|_| EventError::NotUtf8);
        Ok(Event { name: text(name)?, data: text(data)?, failed: false })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads `chunks`, and the last event as after a proper end.
    fn read(chunks: &[&[u8]]) -> Vec<(String, String)> {
        let mut parser = SseParser::default();
        let mut events = Vec::new();
        for chunk in chunks {
            parser.push(chunk);
            while let Some(event) = parser.next_event().unwrap() {
                events.push((event.name.to_owned(), event.data.to_owned()));
            }
        }
        if let Some(event) = parser.last_event().unwrap() {
            events.push((event.name.to_owned(), event.data.to_owned()));
        }
        events
    }

    fn pairs(events: &[(&str, &str)]) -> Vec<(String, String)> {
        events.iter().map(|(name, data)| ((*name).to_owned(), (*data).to_owned())).collect()
    }

    #[test]
    fn fields_comments_and_joined_lines() {
        let text = b": hello\nid: 7\nevent: a\ndata: 1\ndata:2\ndata\n\ndata: x\nevent: late\ndata: y\n\nevent: none\n\ndata: z\n\n";
        let expected = pairs(&[("a", "1\n2\n"), ("late", "x\ny"), ("", "z")]);
        assert_eq!(read(&[text]), expected);
    }

    #[test]
    fn an_event_without_its_blank_line_is_read_at_a_proper_end() {
        assert_eq!(read(&[b"data: [DONE]"]), pairs(&[("", "[DONE]")]));
        assert_eq!(read(&[b"data: a\n\ndata: [DONE]\n"]), pairs(&[("", "a"), ("", "[DONE]")]));
    }

    #[test]
    fn an_empty_name_is_none_wherever_it_stood() {
        let chunks: [&[u8]; 2] = [b": a comment before it\nevent:\n", b"data: x\n\n"];
        assert_eq!(read(&chunks), pairs(&[("", "x")]));
    }

    #[test]
    fn bad_input_is_an_error() {
        let mut parser = SseParser::default();
        parser.push(b"data: \xff\n\n");
        assert_eq!(parser.next_event(), Err(EventError::NotUtf8));

        let mut parser = SseParser::default();
        let line = vec![b'x'; 1 << 20];
        let broken = (0..20).any(|_| {
            parser.push(&line);
            parser.next_event() == Err(EventError::TooLarge)
        });
        assert!(broken);
    }

    proptest! {
        /// However the bytes are cut, the events are the same. The text has line ends of all three
        /// kinds, a byte order mark, and characters of more than one byte.
        #[test]
        fn splits_do_not_matter(
            events in prop::collection::vec(("[a-z]{0,5}", prop::collection::vec("[ -~é世🦀]{0,12}", 1..4)), 0..8),
            ends in prop::collection::vec(0..3usize, 64),
            mark in any::<bool>(),
            cuts in prop::collection::vec(1..9usize, 0..200),
        ) {
            let mut text = Vec::new();
            if mark {
                text.extend_from_slice(b"\xef\xbb\xbf");
            }
            let mut end = ends.iter().cycle().map(|kind| ["\n", "\r\n", "\r"][*kind]);
            let mut expected = Vec::new();
            for (name, lines) in &events {
                // An empty name counts as none.
                if !name.is_empty() || lines.len() > 1 {
                    text.extend_from_slice(format!("event: {name}").as_bytes());
                    text.extend_from_slice(end.next().unwrap().as_bytes());
                }
                for line in lines {
                    text.extend_from_slice(format!("data: {line}").as_bytes());
                    text.extend_from_slice(end.next().unwrap().as_bytes());
                }
                // CR then LF would be one line end, not two.
                text.extend_from_slice(b": \n\n");
                expected.push((name.clone(), lines.join("\n")));
            }
            let mut chunks = Vec::new();
            let mut rest = &text[..];
            for cut in cuts {
                let (chunk, after) = rest.split_at(cut.min(rest.len()));
                chunks.push(chunk);
                rest = after;
            }
            chunks.push(rest);
            prop_assert_eq!(read(&chunks), expected);
        }

        /// Any bytes at all: no panic, and the same outcome under another split.
        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0..200usize) {
            let run = |chunks: &[&[u8]]| {
                let mut parser = SseParser::default();
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
