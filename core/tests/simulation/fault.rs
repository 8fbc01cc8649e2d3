//! What may go wrong in one exchange, and what a caller may be told of it.

use std::time::Duration;

use fastrand::Rng;
use liter_llm_core::ErrorKind;

use super::hint::Hint;
use super::wire::{self, Events, Wire, complaint, refusal};

/// What a provider does with one request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    None,
    /// A status, with what it asks for.
    Limited(Hint),
    Failing(u16, Hint),
    Quota,
    Invalid,
    Context,
    Filter,
    /// The key is refused, and repeated.
    Key,
    /// The connection is reset somewhere; `at` is a share of the answer in 1/1000.
    Reset {
        at: usize,
    },
    /// The connection ends somewhere.
    Cut {
        at: usize,
    },
    /// Nothing at all.
    Silence,
    /// The answer begins late.
    Late(Duration),
    /// Nothing more, from somewhere on, for a while or for ever.
    Stall {
        at: usize,
        lasting: Option<Duration>,
    },
    /// An event or a body that is no JSON.
    Malformed,
    /// A chunk whose size is none.
    Framing,
    /// No terminal event; of a whole answer: half a document of proper length.
    Unterminated,
    /// An error under status 200.
    ErrorInside,
    Empty,
    Html,
    /// A complete stream whose connection is then left open. Nothing, for a whole answer.
    Linger,
}

/// A step of what a provider does.
#[derive(Debug)]
pub(crate) enum Step {
    Wait(Duration),
    Send(Vec<u8>),
    /// Nothing more, for ever.
    Hang,
    Close,
    /// `lossy`: what was sent and not read is lost.
    Reset {
        lossy: bool,
    },
}

/// What a provider does with one request, in steps.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) steps: Vec<Step>,
    /// From how many bytes on the answer may be taken as complete.
    pub(crate) complete: usize,
}

impl Fault {
    pub(crate) const NAMES: [&str; 20] = [
        "none",
        "limited",
        "failing",
        "quota",
        "invalid",
        "context",
        "filter",
        "key",
        "reset",
        "cut",
        "silence",
        "late",
        "stall",
        "malformed",
        "framing",
        "unterminated",
        "error_inside",
        "empty",
        "html",
        "linger",
    ];

    pub(crate) fn name(&self) -> &'static str {
        Self::NAMES[match self {
            Fault::None => 0,
            Fault::Limited(_) => 1,
            Fault::Failing(..) => 2,
            Fault::Quota => 3,
            Fault::Invalid => 4,
            Fault::Context => 5,
            Fault::Filter => 6,
            Fault::Key => 7,
            Fault::Reset { .. } => 8,
            Fault::Cut { .. } => 9,
            Fault::Silence => 10,
            Fault::Late(_) => 11,
            Fault::Stall { .. } => 12,
            Fault::Malformed => 13,
            Fault::Framing => 14,
            Fault::Unterminated => 15,
            Fault::ErrorInside => 16,
            Fault::Empty => 17,
            Fault::Html => 18,
            Fault::Linger => 19,
        }]
    }

    /// Any of them.
    pub(crate) fn draw(rng: &mut Rng) -> Fault {
        // Half of them are such as a provider gets over.
        let pick =
            if rng.bool() { [1, 1, 2, 2, 8, 9, 12, 16][rng.usize(0..8)] } else { rng.u8(1..20) };
        match pick {
            1 => Fault::Limited(Hint::draw(rng)),
            2 => Fault::unavailable(rng),
            3 => Fault::Quota,
            4 => Fault::Invalid,
            5 => Fault::Context,
            6 => Fault::Filter,
            7 => Fault::Key,
            8 => Fault::Reset { at: rng.usize(0..1000) },
            9 => Fault::Cut { at: rng.usize(0..1000) },
            10 => Fault::Silence,
            11 => Fault::Late(Duration::from_secs(rng.u64(5..40))),
            12 => {
                let lasting = rng.bool().then(|| Duration::from_secs(rng.u64(1..90)));
                Fault::Stall { at: rng.usize(0..1000), lasting }
            }
            13 => Fault::Malformed,
            14 => Fault::Framing,
            15 => Fault::Unterminated,
            16 => Fault::ErrorInside,
            17 => Fault::Empty,
            18 => Fault::Html,
            _ => Fault::Linger,
        }
    }

    pub(crate) fn unavailable(rng: &mut Rng) -> Fault {
        Fault::Failing([500, 502, 503, 503, 529][rng.usize(0..5)], Hint::draw(rng))
    }

    /// What the answer asks to wait. Only some statuses are read as more than their headers say.
    pub(crate) fn hint(&self) -> Option<&Hint> {
        match self {
            Fault::Limited(hint) | Fault::Failing(503 | 529, hint) => Some(hint),
            _ => None,
        }
    }

    /// `x-should-retry: false`.
    pub(crate) fn forbids(&self) -> bool {
        match self {
            Fault::Limited(hint) | Fault::Failing(_, hint) => hint.again == Some(false),
            _ => false,
        }
    }

    /// Where it is not repeated at the same target, whatever happens.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Fault::Quota | Fault::Invalid | Fault::Context | Fault::Filter | Fault::Key)
    }

    /// Where no other target is asked either.
    pub(crate) fn is_callers(&self) -> bool {
        matches!(self, Fault::Invalid | Fault::Filter)
    }

    /// The status and the kinds with which an attempt may be told to have failed. A timer may always
    /// have been faster; whether one ran out is looked at elsewhere.
    pub(crate) fn tells(&self, stream: bool) -> (Option<u16>, &'static [ErrorKind]) {
        use ErrorKind as K;
        match self {
            Fault::None | Fault::Late(_) | Fault::Silence | Fault::Stall { .. } | Fault::Linger => {
                (None, &[])
            }
            Fault::Limited(_) => (Some(429), &[K::RateLimit]),
            Fault::Failing(status, _) => (Some(*status), &[K::Unavailable]),
            Fault::Quota => (Some(429), &[K::Quota]),
            Fault::Invalid => (Some(400), &[K::InvalidRequest]),
            Fault::Context => (Some(400), &[K::ContextLength]),
            Fault::Filter => (Some(400), &[K::ContentFilter]),
            Fault::Key => (Some(401), &[K::Authentication]),
            // In the head, in the body, in the middle of a document that only its end bounds.
            Fault::Reset { .. } | Fault::Cut { .. } if stream => {
                (None, &[K::Connection, K::StreamBroken])
            }
            Fault::Reset { .. } | Fault::Cut { .. } => (None, &[K::Connection, K::BadResponse]),
            Fault::Malformed => (Some(200), &[K::BadResponse]),
            Fault::Framing if stream => (Some(200), &[K::BadResponse, K::StreamBroken]),
            Fault::Framing => (Some(200), &[K::BadResponse]),
            Fault::Unterminated if stream => (Some(200), &[K::StreamBroken]),
            Fault::Unterminated => (Some(200), &[K::BadResponse]),
            Fault::ErrorInside => (Some(200), &[K::Unavailable]),
            Fault::Empty if stream => (Some(200), &[K::StreamBroken, K::BadResponse]),
            Fault::Empty | Fault::Html => (Some(200), &[K::BadResponse]),
        }
    }

    /// What happens on the wire. `key` is what the request was authorised with.
    pub(crate) fn script(&self, stream: bool, text: &str, key: &str, rng: &mut Rng) -> Script {
        let good = |rng: &mut Rng| match stream {
            true => wire::stream(text, Events::Good, rng),
            false => wire::whole(text, rng),
        };
        let refused = |status: u16, hint: &str, code: &str, message: &str| Script {
            steps: vec![Step::Send(refusal(status, hint, &complaint(code, message)))],
            complete: usize::MAX,
        };
        let mut script = match self {
            Fault::Linger if stream => {
                let mut wire = good(rng);
                if !wire.closes {
                    // The last chunk, which says that there are no more.
                    wire.bytes.truncate(wire.bytes.len() - 5);
                }
                let end = wire.bytes.len();
                split(wire, end, [Step::Hang], rng)
            }
            Fault::None | Fault::Linger => sent(good(rng), rng),
            Fault::Limited(hint) => {
                refused(429, &hint.headers, "rate_limit_exceeded", "Rate limit reached")
            }
            Fault::Failing(status, hint) => refused(*status, &hint.headers, "", "It fails"),
            Fault::Quota => refused(429, "retry-after: 1\r\n", "insufficient_quota", "No credit"),
            Fault::Invalid => refused(400, "", "invalid_value", "temperature must be smaller"),
            Fault::Context => refused(400, "", "context_length_exceeded", "Too long"),
            Fault::Filter => refused(400, "", "content_filter", "Not that"),
            Fault::Key => {
                let message = format!("Incorrect API key provided: {key}");
                refused(401, "", "invalid_api_key", &message)
            }
            Fault::Reset { at } => {
                let lossy = rng.bool();
                ended(good(rng), *at, [Step::Reset { lossy }], rng)
            }
            Fault::Cut { at } => ended(good(rng), *at, [Step::Close], rng),
            Fault::Silence => Script { steps: vec![Step::Hang], complete: usize::MAX },
            Fault::Late(by) => {
                let wire = good(rng);
                // Before the head, or between it and the body.
                let at = if rng.bool() { 0 } else { wire.head };
                split(wire, at, [Step::Wait(*by)], rng)
            }
            Fault::Stall { at, lasting: None } => ended(good(rng), *at, [Step::Hang], rng),
            Fault::Stall { at, lasting: Some(by) } => {
                let wire = good(rng);
                let at = wire.bytes.len() * at / 1000;
                split(wire, at, [Step::Wait(*by)], rng)
            }
            Fault::Malformed if stream => sent(wire::stream(text, Events::Malformed, rng), rng),
            Fault::Malformed => {
                sent(wire::other("application/json", "{\"id\": \"x\",,}", rng), rng)
            }
            Fault::Framing => {
                let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
                let body = if stream { "7\r\ndata: \n\r\nzz\r\n" } else { "1\r\n{\r\nzz\r\n" };
                let steps = vec![Step::Send([head, body].concat().into_bytes()), Step::Close];
                Script { steps, complete: usize::MAX }
            }
            Fault::Unterminated if stream => {
                sent(wire::stream(text, Events::Unterminated, rng), rng)
            }
            Fault::Unterminated => {
                sent(wire::other("application/json", "{\"id\": \"x\", \"choices\": [{", rng), rng)
            }
            Fault::ErrorInside if stream => sent(wire::stream(text, Events::Error, rng), rng),
            Fault::ErrorInside => {
                let body = complaint("server_error", "The server had an error");
                sent(wire::other("application/json", &body, rng), rng)
            }
            Fault::Empty => sent(wire::other("application/json", "", rng), rng),
            Fault::Html => {
                sent(wire::other("text/html", "<!doctype html><p>Sign in</p>", rng), rng)
            }
        };
        if rng.bool() {
            script.steps.insert(0, Step::Wait(Duration::from_millis(rng.u64(1..400))));
        }
        // Some servers close after every answer, whatever they said of it.
        if !matches!(script.steps.last(), Some(Step::Hang | Step::Close | Step::Reset { .. }))
            && rng.u8(0..8) == 0
        {
            script.steps.push(Step::Close);
        }
        script
    }
}

/// The whole of it, in pieces.
fn sent(wire: Wire, rng: &mut Rng) -> Script {
    let end = wire.bytes.len();
    split(wire, end, [], rng)
}

/// As far as the share `at`, and then what ends it.
fn ended(mut wire: Wire, at: usize, end: [Step; 1], rng: &mut Rng) -> Script {
    let kept = wire.bytes.len() * at / 1000;
    wire.bytes.truncate(kept);
    wire.closes = false;
    split(wire, kept, end, rng)
}

/// With something in between.
fn split<const N: usize>(wire: Wire, at: usize, between: [Step; N], rng: &mut Rng) -> Script {
    let mut steps = Vec::new();
    let (before, after) = wire.bytes.split_at(at);
    pieces(before, &mut steps, rng);
    steps.extend(between);
    pieces(after, &mut steps, rng);
    if wire.closes {
        steps.push(Step::Close);
    }
    Script { steps, complete: wire.complete }
}

fn pieces(bytes: &[u8], steps: &mut Vec<Step>, rng: &mut Rng) {
    let most = [40, 400, 4000][rng.usize(0..3)];
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.len().min(rng.usize(1..=most)));
        steps.push(Step::Send(piece.to_vec()));
        rest = after;
        if !rest.is_empty() && rng.u8(0..4) == 0 {
            steps.push(Step::Wait(Duration::from_millis(rng.u64(1..100))));
        }
    }
}
