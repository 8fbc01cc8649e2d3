//! A script is a reply as bytes and steps: what leaves the socket, in which writes, with which
//! pauses, and how it ends.

use std::time::Duration;

use crate::reply::{Body, Cut, Endless, Framing, Reply, Split, gzipped_zeros};

/// One thing to do on the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Write the bytes from where the last write ended until this offset.
    Write { until: usize },
    /// Send nothing for this time.
    Wait(Duration),
    /// Send nothing until this time after the answer began. Paced streams use it, because pauses
    /// that add up would drift.
    WaitUntil(Duration),
    /// Send nothing until the peer goes away.
    Hang,
}

/// The end of the connection after the last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    KeepAlive,
    /// An orderly end (with TLS: close_notify first).
    Close,
    /// The socket is closed in the middle, without a notice.
    Cut,
    /// TCP RST.
    Reset,
}

#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) bytes: Vec<u8>,
    pub(crate) steps: Vec<Step>,
    pub(crate) end: End,
    /// Written again and again after the last step.
    pub(crate) endless: Option<Vec<u8>>,
}

/// Endless answers go out in writes of about this size.
const ENDLESS_WRITE: usize = 8 << 10;

impl Script {
    pub(crate) fn new(reply: &Reply) -> Self {
        let mut script =
            Self { bytes: Vec::new(), steps: Vec::new(), end: End::KeepAlive, endless: None };
        if reply.delay_ms > 0 {
            script.steps.push(Step::Wait(Duration::from_millis(reply.delay_ms)));
        }
        if reply.never {
            script.steps.push(Step::Hang);
            return script;
        }
        let zeros;
        let body = match &reply.body {
            Body::Bytes(bytes) => bytes,
            Body::GzippedZeros(count) => {
                zeros = gzipped_zeros(*count);
                &zeros
            }
        };
        match reply.endless {
            Some(kind) => script.endless(reply, body, kind),
            None => script.finite(reply, body),
        }
        script
    }

    fn finite(&mut self, reply: &Reply, body: &[u8]) {
        let limit = reply.cut.map_or(body.len(), |(at, _)| at.min(body.len()));
        let stall = reply.stall.map(|stall| (stall.at.min(limit), stall.ms));
        let whole = matches!(reply.cut, None | Some((_, Cut::End)));
        if !reply.raw {
            self.head(reply, Some(if whole { limit } else { body.len() }));
        }
        if reply.split.is_some() {
            self.mark();
        }

        let mut from = 0;
        let mut stalled = false;
        let mut sizes = Sizes::new(reply.split.as_ref());
        while from < limit {
            if stall.is_some_and(|(at, _)| at == from) && !stalled {
                self.pause(stall.and_then(|(_, ms)| ms));
                stalled = true;
            }
            let mut until = sizes.next().map_or(limit, |size| limit.min(from + size));
            if let Some((at, _)) = stall
                && from < at
            {
                until = until.min(at);
            }
            self.piece(&body[from..until], reply.framing);
            if reply.split.is_some() {
                self.mark();
            }
            from = until;
        }
        if !stalled && let Some((_, ms)) = stall {
            self.pause(ms);
        }
        if whole && reply.framing == Framing::Chunked {
            self.unmark();
            self.bytes.extend_from_slice(b"0\r\n\r\n");
        }
        self.mark();
        self.end = match reply.cut {
            Some((_, Cut::Close)) => End::Cut,
            Some((_, Cut::Reset)) => End::Reset,
            _ if reply.framing == Framing::Close => End::Close,
            // The author's own length may be wrong, and the next answer on the connection would be
            // misread.
            _ if reply.has_header("content-length") || reply.has_header("transfer-encoding") => {
                End::Close
            }
            _ => End::KeepAlive,
        };
    }

    fn endless(&mut self, reply: &Reply, body: &[u8], kind: Endless) {
        let mut unit = Vec::new();
        match kind {
            Endless::Headers => {
                self.status_and_headers(reply);
                while unit.len() < ENDLESS_WRITE {
                    unit.extend_from_slice(
                        b"x-endless: and one more header line, and there is no last one\r\n",
                    );
                }
            }
            Endless::Body => {
                self.head(reply, None);
                let body = if body.is_empty() { b"x" } else { body };
                let mut content = Vec::new();
                while content.len() < ENDLESS_WRITE {
                    content.extend_from_slice(body);
                }
                put_piece(&mut unit, &content, reply.framing);
            }
        }
        self.mark();
        self.endless = Some(unit);
        self.end = End::Close;
    }

    fn status_and_headers(&mut self, reply: &Reply) {
        let reason = http::StatusCode::from_u16(reply.status)
            .ok()
            .and_then(|status| status.canonical_reason());
        let line = format!("HTTP/1.1 {} {}\r\n", reply.status, reason.unwrap_or_default());
        self.bytes.extend_from_slice(line.as_bytes());
        for (name, value) in &reply.headers {
            self.bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
    }

    /// Writes the head with its framing header, which a case may also give itself.
    fn head(&mut self, reply: &Reply, length: Option<usize>) {
        self.status_and_headers(reply);
        let bodiless = matches!(reply.status, 204 | 304);
        let own = reply.has_header("content-length") || reply.has_header("transfer-encoding");
        let line = match (reply.framing, length) {
            _ if own => String::new(),
            (Framing::Length, Some(0)) if bodiless => String::new(),
            (Framing::Length, Some(length)) => format!("content-length: {length}\r\n"),
            (Framing::Chunked, _) => "transfer-encoding: chunked\r\n".to_owned(),
            (Framing::Length | Framing::Close, _) => String::new(),
        };
        self.bytes.extend_from_slice(line.as_bytes());
        self.bytes.extend_from_slice(b"\r\n");
    }

    fn piece(&mut self, content: &[u8], framing: Framing) {
        put_piece(&mut self.bytes, content, framing);
    }

    fn pause(&mut self, ms: Option<u64>) {
        self.mark();
        self.steps.push(ms.map_or(Step::Hang, |ms| Step::Wait(Duration::from_millis(ms))));
    }

    fn marked(&self) -> usize {
        self.steps
            .iter()
            .rev()
            .find_map(|step| if let Step::Write { until } = step { Some(*until) } else { None })
            .unwrap_or(0)
    }

    /// Everything until here goes out now.
    fn mark(&mut self) {
        if self.marked() < self.bytes.len() {
            self.steps.push(Step::Write { until: self.bytes.len() });
        }
    }

    /// Lets the next bytes join the last write. A peer that stops reading at its last event must
    /// find the framing complete.
    fn unmark(&mut self) {
        if matches!(self.steps.last(), Some(Step::Write { .. })) {
            self.steps.pop();
        }
    }
}

pub(crate) fn put_piece(out: &mut Vec<u8>, content: &[u8], framing: Framing) {
    if framing == Framing::Chunked {
        out.extend_from_slice(format!("{:x}\r\n", content.len()).as_bytes());
        out.extend_from_slice(content);
        out.extend_from_slice(b"\r\n");
    } else {
        out.extend_from_slice(content);
    }
}

/// The sizes of the writes, one by one. `None` means "all the rest".
struct Sizes<'a> {
    split: Option<&'a Split>,
    state: u64,
    index: usize,
}

impl<'a> Sizes<'a> {
    fn new(split: Option<&'a Split>) -> Self {
        let state = if let Some(Split::Seed(seed)) = split { seed.seed } else { 0 };
        Self { split, state, index: 0 }
    }
}

impl Iterator for Sizes<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        match self.split? {
            // The size is uniform over the magnitudes 1, 2, 4 … 2048 and then below them, so that
            // small sizes are frequent.
            Split::Seed(_) => {
                let random = split_mix(&mut self.state);
                let magnitude = 1_u64 << (random % 12);
                usize::try_from(1 + (random >> 8) % magnitude).ok()
            }
            Split::Every(every) => Some(every.every),
            Split::Sizes(sizes) => {
                self.index += 1;
                sizes.get(self.index - 1).copied()
            }
        }
    }
}

/// SplitMix64: one line of state, the same numbers on every machine.
pub(crate) fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
