//! Reading an HTTP/1.1 request out of a buffer, without copying what is there.
//!
//! A body with a length is borrowed from the read buffer as soon as all of it has arrived. A
//! chunked body is decoded into a buffer of its own (`ChunkedBody`). The head is parsed again
//! whenever more bytes came. That costs less than keeping offsets, because nearly every request
//! arrives in one piece.

use memchr::memmem;

/// More header lines than any client sends.
const MAX_HEADERS: usize = 96;
/// A head larger than this is an attack or a mistake.
const MAX_HEAD: usize = 256 << 10;
/// The largest body that is read. The suites send 33 MiB.
pub(crate) const MAX_BODY: usize = 256 << 20;

/// A complete request.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    /// Path and query, as sent.
    pub(crate) target: &'a str,
    pub(crate) headers: &'a [httparse::Header<'a>],
    pub(crate) body: &'a [u8],
    pub(crate) keep_alive: bool,
}

impl Request<'_> {
    /// The value of a header. Repeated headers are joined with a comma, as HTTP allows.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let mut values =
            self.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        let mut text = String::from_utf8_lossy(values.next()?.value).into_owned();
        for value in values {
            text += ", ";
            text += &String::from_utf8_lossy(value.value);
        }
        Some(text)
    }

    pub(crate) fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|header| header.name.eq_ignore_ascii_case(name))
    }
}

/// How much of a request the buffer holds.
pub(crate) enum Progress<R> {
    /// `handle` was called with the request, which took `used` bytes of the buffer.
    Complete { used: usize, result: R },
    /// `wanted` is the total number of bytes needed, as far as known.
    Partial { wanted: usize, continue_expected: bool },
    /// The head is complete and a chunked body follows it.
    Chunked { head: usize, continue_expected: bool },
}

/// Looks for a request at the start of `buffer` and hands a complete one to `handle`. With `body`,
/// the body is taken from there and the buffer holds the head only.
pub(crate) fn read_request<R>(
    buffer: &[u8],
    body: Option<&[u8]>,
    handle: impl FnOnce(&Request<'_>) -> R,
) -> Result<Progress<R>, String> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let head_length = match head.parse(buffer) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if buffer.len() > MAX_HEAD => {
            return Err("the head is too large".to_owned());
        }
        Ok(httparse::Status::Partial) => {
            return Ok(Progress::Partial { wanted: 0, continue_expected: false });
        }
        Err(error) => return Err(format!("not an HTTP/1.1 request: {error}")),
    };

    let mut length = 0;
    let mut chunked = false;
    let mut continue_expected = false;
    let mut keep_alive = head.version == Some(1);
    for header in head.headers.iter() {
        // The lengths are compared first, because they rule out nearly all headers.
        match header.name.len() {
            14 if header.name.eq_ignore_ascii_case("content-length") => {
                let text = std::str::from_utf8(header.value).ok();
                length = text
                    .and_then(|text| text.trim().parse::<usize>().ok())
                    .filter(|length| *length <= MAX_BODY)
                    .ok_or_else(|| format!("content-length: not a number up to {MAX_BODY}"))?;
            }
            17 if header.name.eq_ignore_ascii_case("transfer-encoding") => {
                chunked = header.value.eq_ignore_ascii_case(b"chunked");
                if !chunked {
                    return Err("transfer-encoding: only `chunked` is known".to_owned());
                }
            }
            10 if header.name.eq_ignore_ascii_case("connection") => {
                keep_alive &= !header.value.eq_ignore_ascii_case(b"close");
            }
            6 if header.name.eq_ignore_ascii_case("expect") => continue_expected = true,
            _ => {}
        }
    }

    let body = match body {
        Some(body) => body,
        None if chunked => {
            return Ok(Progress::Chunked { head: head_length, continue_expected });
        }
        None => match buffer.get(head_length..head_length + length) {
            Some(body) => body,
            None => {
                return Ok(Progress::Partial { wanted: head_length + length, continue_expected });
            }
        },
    };
    let used = if chunked { head_length } else { head_length + length };
    let target = head.path.unwrap_or("/");
    let request = Request {
        method: head.method.unwrap_or_default(),
        target: origin_form(target),
        headers: head.headers,
        body,
        keep_alive,
    };
    Ok(Progress::Complete { used, result: handle(&request) })
}

/// A client that uses the simulator as a proxy sends `http://host/path`.
fn origin_form(target: &str) -> &str {
    match target.strip_prefix("http://").or_else(|| target.strip_prefix("https://")) {
        Some(rest) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => target,
    }
}

/// A chunked body as it comes in.
#[derive(Default)]
pub(crate) struct ChunkedBody {
    pub(crate) bytes: Vec<u8>,
    /// Bytes of the chunk that are still missing, its closing CRLF included.
    missing: usize,
    in_trailers: bool,
}

impl ChunkedBody {
    /// Takes what it can from `input`. Returns the number of these bytes, and whether the body is
    /// complete.
    pub(crate) fn take(&mut self, input: &[u8]) -> Result<(usize, bool), String> {
        let mut at = 0;
        loop {
            if self.missing > 0 {
                let content = self.missing.saturating_sub(2);
                let available = input.len() - at;
                let copied = content.min(available);
                self.bytes.extend_from_slice(&input[at..at + copied]);
                let skipped = self.missing.min(available);
                at += skipped;
                self.missing -= skipped;
                if self.missing > 0 {
                    return Ok((at, false));
                }
            }
            let Some(line) = memmem::find(&input[at..], b"\r\n") else {
                return Ok((at, false));
            };
            let text = &input[at..at + line];
            at += line + 2;
            if self.in_trailers {
                if text.is_empty() {
                    return Ok((at, true));
                }
                continue;
            }
            let digits = text.split(|b| *b == b';').next().unwrap_or_default();
            let size = std::str::from_utf8(digits)
                .ok()
                .and_then(|text| usize::from_str_radix(text.trim(), 16).ok());
            match size {
                Some(0) => self.in_trailers = true,
                Some(size) if self.bytes.len() + size <= MAX_BODY => self.missing = size + 2,
                _ => return Err("chunked body: bad chunk size".to_owned()),
            }
        }
    }
}
