//! AWS's event streams (`application/vnd.amazon.eventstream`): binary frames.
//!
//! A frame is a prelude (its length, the length of its headers, their CRC-32), the headers, the
//! payload, and the CRC-32 of all that. Numbers are big-endian. Both checksums are checked before
//! anything of a frame is used, so a changed byte is never read as content.

use flate2::Crc;

use super::event::{Event, EventError, MAX_EVENT};

/// Both lengths and their checksum.
const PRELUDE: usize = 12;

/// The checksum at the end of a frame.
const CHECKSUM: usize = 4;

/// The parser. It takes bytes as they come, and returns each whole frame as an event.
#[derive(Debug, Default)]
pub struct EventStreamParser {
    buffer: Vec<u8>,
    /// Where the next frame begins.
    start: usize,
    /// The length of the next frame, once its prelude was checked.
    length: Option<usize>,
}

impl EventStreamParser {
    /// Takes bytes that have arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        // Each byte moves at most once for each time that the buffer doubles, so the cost is linear.
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
        } else if self.start > self.buffer.len() / 2 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Returns the next whole frame.
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>, EventError> {
        let rest = &self.buffer[self.start..];
        let length = match self.length {
            Some(length) => length,
            None if rest.len() < PRELUDE => return Ok(None),
            None => *self.length.insert(checked_length(rest)?),
        };
        if rest.len() < length {
            return Ok(None);
        }
        let frame = self.start..self.start + length;
        self.start = frame.end;
        self.length = None;
        read(&self.buffer[frame]).map(Some)
    }

    /// There is no frame that only lacks its end: one that is not whole is an error.
    pub fn last_event(&mut self) -> Result<Option<Event<'_>>, EventError> {
        if self.start == self.buffer.len() { Ok(None) } else { Err(EventError::Cut) }
    }
}

/// The length that a prelude gives, if the prelude is what was sent.
fn checked_length(prelude: &[u8]) -> Result<usize, EventError> {
    if number(prelude, 8) != checksum(&prelude[..8]) {
        return Err(EventError::Checksum);
    }
    let length = number(prelude, 0) as usize;
    let headers = number(prelude, 4) as usize;
    if length > MAX_EVENT {
        return Err(EventError::TooLarge);
    }
    let least = headers.checked_add(PRELUDE + CHECKSUM).ok_or(EventError::Malformed)?;
    if length < least { Err(EventError::Malformed) } else { Ok(length) }
}

/// The event of a whole frame, whose prelude was checked.
fn read(frame: &[u8]) -> Result<Event<'_>, EventError> {
    let end = frame.len() - CHECKSUM;
    if number(frame, end) != checksum(&frame[..end]) {
        return Err(EventError::Checksum);
    }
    let payload = PRELUDE + number(frame, 4) as usize;
    let headers = Headers::read(&frame[PRELUDE..payload])?;
    let data = text(&frame[payload..end])?;
    Ok(match headers.message_type {
        "event" => Event { name: headers.event_type, data, failed: false },
        "exception" => Event { name: headers.exception_type, data, failed: true },
        // A failure that is not modelled has its message in a header, and no payload [spec].
        "error" => {
            let said = Some(headers.error_message).filter(|said| !said.is_empty());
            Event { name: headers.error_code, data: said.unwrap_or(data), failed: true }
        }
        // Whatever it is, it may be a part of the answer.
        _ => return Err(EventError::Malformed),
    })
}

/// The headers that say what a frame is. Those that it lacks are "".
#[derive(Default)]
struct Headers<'a> {
    message_type: &'a str,
    event_type: &'a str,
    exception_type: &'a str,
    error_code: &'a str,
    error_message: &'a str,
}

impl<'a> Headers<'a> {
    fn read(mut bytes: &'a [u8]) -> Result<Self, EventError> {
        let mut headers = Headers::default();
        while !bytes.is_empty() {
            let length = usize::from(take(&mut bytes, 1)?[0]);
            let name = text(take(&mut bytes, length)?)?;
            let size = match take(&mut bytes, 1)?[0] {
                // True and false have no bytes.
                0 | 1 => 0,
                2 => 1,
                3 => 2,
                4 => 4,
                // A long number, and a point in time.
                5 | 8 => 8,
                kind @ (6 | 7) => {
                    let size = take(&mut bytes, 2)?;
                    let size = usize::from(size[0]) << 8 | usize::from(size[1]);
                    let value = take(&mut bytes, size)?;
                    if kind == 7 {
                        headers.set(name, text(value)?);
                    }
                    continue;
                }
                9 => 16,
                _ => return Err(EventError::Malformed),
            };
            take(&mut bytes, size)?;
        }
        Ok(headers)
    }

    fn set(&mut self, name: &str, value: &'a str) {
        match name {
            ":message-type" => self.message_type = value,
            ":event-type" => self.event_type = value,
            ":exception-type" => self.exception_type = value,
            ":error-code" => self.error_code = value,
            ":error-message" => self.error_message = value,
            _ => {}
        }
    }
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], EventError> {
    let (taken, rest) = bytes.split_at_checked(length).ok_or(EventError::Malformed)?;
    *bytes = rest;
    Ok(taken)
}

fn text(bytes: &[u8]) -> Result<&str, EventError> {
    std::str::from_utf8(bytes).map_err(|_| EventError::NotUtf8)
}

/// The number at this place, which the caller knows to be there.
fn number(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame with these headers of text.
    fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, value) in headers {
            bytes.push(u8::try_from(name.len()).unwrap());
            bytes.extend_from_slice(name.as_bytes());
            bytes.push(7);
            bytes.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
            bytes.extend_from_slice(value.as_bytes());
        }
        raw(&bytes, payload)
    }

    fn raw(headers: &[u8], payload: &[u8]) -> Vec<u8> {
        let length = PRELUDE + headers.len() + payload.len() + CHECKSUM;
        let mut out = u32::try_from(length).unwrap().to_be_bytes().to_vec();
        out.extend_from_slice(&u32::try_from(headers.len()).unwrap().to_be_bytes());
        out.extend_from_slice(&checksum(&out).to_be_bytes());
        out.extend_from_slice(headers);
        out.extend_from_slice(payload);
        out.extend_from_slice(&checksum(&out).to_be_bytes());
        out
    }

    fn event(name: &str, data: &str) -> Vec<u8> {
        frame(&[(":event-type", name), (":message-type", "event")], data.as_bytes())
    }

    type Seen = (String, String, bool);

    /// The events of a body that comes in these parts, and how it ended.
    fn events<'a>(parts: impl Iterator<Item = &'a [u8]>) -> (Vec<Seen>, Result<(), EventError>) {
        let mut parser = EventStreamParser::default();
        let mut seen = Vec::new();
        for part in parts {
            parser.push(part);
            loop {
                match parser.next_event() {
                    Ok(Some(e)) => seen.push((e.name.to_owned(), e.data.to_owned(), e.failed)),
                    Ok(None) => break,
                    Err(error) => return (seen, Err(error)),
                }
            }
        }
        let end = parser.last_event().map(|_| ());
        (seen, end)
    }

    #[test]
    fn the_checksum_is_the_usual_crc_32() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn frames_are_read_however_they_are_cut_and_never_before_they_are_whole() {
        let frames = [event("a", "{\"é\":1}"), event("b", ""), event("c", &"x".repeat(300))];
        let body = frames.concat();
        for size in [1, 2, 7, 64, body.len()] {
            let (seen, end) = events(body.chunks(size));
            assert_eq!(seen.len(), 3, "{size}");
            assert_eq!(seen[0], ("a".to_owned(), "{\"é\":1}".to_owned(), false));
            assert_eq!((seen[1].1.as_str(), end), ("", Ok(())));
        }
        let mut whole = 0;
        let ends = [0, frames[0].len(), frames[0].len() + frames[1].len(), body.len()];
        for cut in 0..=body.len() {
            let (seen, end) = events([&body[..cut]].into_iter());
            whole = whole.max(seen.len());
            let at_end = ends.iter().position(|end| *end == cut);
            assert_eq!(end, if at_end.is_some() { Ok(()) } else { Err(EventError::Cut) }, "{cut}");
            assert_eq!(seen.len(), ends.iter().filter(|end| **end <= cut).count() - 1, "{cut}");
        }
        assert_eq!(whole, 3);
    }

    #[test]
    fn no_changed_byte_is_read_as_content() {
        let body = event("contentBlockDelta", r#"{"delta":{"text":"yes"}}"#);
        for at in 0..body.len() {
            let mut changed = body.clone();
            changed[at] ^= 1;
            assert_eq!(events([&changed[..]].into_iter()), (vec![], Err(EventError::Checksum)));
        }
    }

    #[test]
    fn failures_are_told_from_events() {
        let exception = frame(
            &[(":exception-type", "throttlingException"), (":message-type", "exception")],
            br#"{"message":"slow"}"#,
        );
        let error = frame(
            &[
                (":message-type", "error"),
                (":error-code", "InternalFailure"),
                (":error-message", "oops"),
            ],
            b"",
        );
        let silent = frame(&[(":message-type", "error"), (":error-code", "Bad")], b"why");
        let body = [exception, error, silent].concat();
        let (seen, end) = events([&body[..]].into_iter());
        let wanted = [
            ("throttlingException".to_owned(), r#"{"message":"slow"}"#.to_owned(), true),
            ("InternalFailure".to_owned(), "oops".to_owned(), true),
            ("Bad".to_owned(), "why".to_owned(), true),
        ];
        assert_eq!((seen.as_slice(), end), (&wanted[..], Ok(())));
    }

    #[test]
    fn headers_of_every_type_are_passed_over() {
        let mut headers = Vec::new();
        for (kind, value) in [
            (0, &b""[..]),
            (1, b""),
            (2, b"1"),
            (3, b"12"),
            (4, b"1234"),
            (5, b"12345678"),
            (6, b"\0\x02hi"),
            (8, b"12345678"),
            (9, b"1234567812345678"),
        ] {
            headers.extend_from_slice(b"\x01h");
            headers.push(kind);
            headers.extend_from_slice(value);
        }
        headers.extend_from_slice(b"\x0b:event-type\x07\0\x04last");
        headers.extend_from_slice(b"\x0d:message-type\x07\0\x05event");
        let body = raw(&headers, b"data");
        let (seen, end) = events([&body[..]].into_iter());
        assert_eq!(seen, [("last".to_owned(), "data".to_owned(), false)]);
        assert_eq!(end, Ok(()));
    }

    #[test]
    fn what_no_server_sends_is_an_error() {
        let read = |body: &[u8]| events([body].into_iter()).1;
        // A header that is longer than all headers, one of no known type, one that is not UTF-8.
        assert_eq!(read(&raw(b"\x09h", b"")), Err(EventError::Malformed));
        assert_eq!(read(&raw(b"\x01h\x0a", b"")), Err(EventError::Malformed));
        assert_eq!(read(&raw(b"\x01\xff\x00", b"")), Err(EventError::NotUtf8));
        assert_eq!(read(&raw(b"", b"\xff")), Err(EventError::NotUtf8));
        // A frame that says not what it is, or that it is something else, may be a failure.
        for kind in ["", "Event", "warning"] {
            let body = frame(&[(":event-type", "a"), (":message-type", kind)], b"{}");
            assert_eq!(read(&body), Err(EventError::Malformed), "{kind}");
        }
        assert_eq!(read(&frame(&[(":event-type", "a")], b"{}")), Err(EventError::Malformed));
        let prelude = |length: u32, headers: u32| {
            let mut out = [length.to_be_bytes(), headers.to_be_bytes()].concat();
            out.extend_from_slice(&checksum(&out).to_be_bytes());
            out
        };
        // Nothing is kept for a frame that is too large: the prelude is enough.
        let too_large = u32::try_from(MAX_EVENT).unwrap() + 1;
        assert_eq!(read(&prelude(too_large, 0)), Err(EventError::TooLarge));
        assert_eq!(read(&prelude(15, 0)), Err(EventError::Malformed));
        assert_eq!(read(&prelude(20, 5)), Err(EventError::Malformed));
        assert_eq!(read(&prelude(20, u32::MAX)), Err(EventError::Malformed));
        assert_eq!(read(b"<html><body>no stream"), Err(EventError::Checksum));
    }
}
