//! The `reply` member of an exchange, read and checked.
//!
//! Invariant: a `Reply` that exists can be played. Contradictions (two kinds of body, a cut beyond
//! the end) are found when the case is loaded, not in the middle of a test.

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::document::{Pairs, compact, data, hex, present, string};
use crate::frames::frames;

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
    pub(crate) framing: Framing,
    pub(crate) split: Option<Split>,
    pub(crate) delay_ms: u64,
    pub(crate) stall: Option<Stall>,
    pub(crate) cut: Option<(usize, Cut)>,
    pub(crate) never: bool,
    pub(crate) raw: bool,
    pub(crate) endless: Option<Endless>,
}

/// The content bytes, as they are before chunked framing.
#[derive(Debug)]
pub(crate) enum Body {
    Bytes(Vec<u8>),
    /// This many zero bytes, compressed when first needed.
    GzippedZeros(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Framing {
    Length,
    Chunked,
    Close,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Cut {
    End,
    Close,
    Reset,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Endless {
    Headers,
    Body,
}

/// A pause after `at` body bytes. `ms: None` is a pause for ever.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stall {
    pub(crate) at: usize,
    pub(crate) ms: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "split: expected {\"seed\": n}, {\"every\": n} or a list of sizes")]
pub(crate) enum Split {
    Seed(Seed),
    Every(Every),
    Sizes(Vec<usize>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seed {
    pub(crate) seed: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Every {
    pub(crate) every: usize,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "gzip: expected true, false or {\"zeros\": n}")]
enum Gzip {
    Flag(bool),
    Zeros(Zeros),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Zeros {
    zeros: u64,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "raw: expected a string or {\"hex\": \"…\"}")]
enum Raw {
    Text(String),
    Hex(Hex),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hex {
    hex: String,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a header value: expected a string or a list of strings")]
enum Values {
    One(String),
    Many(Vec<String>),
}

/// The document as written, before its members are checked against each other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    status: Option<u16>,
    #[serde(default)]
    headers: Pairs<Values>,
    #[serde(default, deserialize_with = "present")]
    body: Option<Box<RawValue>>,
    body_hex: Option<String>,
    sse: Option<Vec<Box<RawValue>>>,
    frames: Option<Vec<Box<RawValue>>>,
    chunks: Option<Vec<String>>,
    gzip: Option<Gzip>,
    framing: Option<Framing>,
    split: Option<Split>,
    #[serde(default)]
    delay_ms: u64,
    stall_at: Option<usize>,
    #[serde(default, deserialize_with = "present")]
    stall_ms: Option<Option<u64>>,
    cut_at: Option<usize>,
    cut: Option<Cut>,
    #[serde(default)]
    never: bool,
    raw: Option<Raw>,
    endless: Option<Endless>,
}

impl Reply {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let document: Document = serde_json::from_str(text).map_err(|error| error.to_string())?;
        Self::check(document)
    }

    fn check(document: Document) -> Result<Self, String> {
        let status = document.status.unwrap_or(200);
        if !(200..=999).contains(&status) {
            return Err(format!(
                "status: {status} is not between 200 and 999 (an interim answer can be given as `raw`)"
            ));
        }
        let zeros = match document.gzip {
            Some(Gzip::Zeros(Zeros { zeros })) => Some(zeros),
            _ => None,
        };
        let bodies = [
            ("body", document.body.is_some()),
            ("body_hex", document.body_hex.is_some()),
            ("sse", document.sse.is_some()),
            ("frames", document.frames.is_some()),
            ("chunks", document.chunks.is_some()),
            ("gzip.zeros", zeros.is_some()),
            ("raw", document.raw.is_some()),
        ];
        let given: Vec<&str> = bodies.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
        if given.len() > 1 {
            return Err(format!("{} exclude one another", given.join(" and ")));
        }

        let mut headers = flat(document.headers);
        let raw = document.raw.is_some();
        let mut split = document.split;
        let mut default_framing = Framing::Length;
        let mut bytes = Vec::new();
        if let Some(body) = document.body {
            if body.get().starts_with('"') {
                bytes = string(body.get())?.into_bytes();
            } else {
                bytes = compact(body.get()).into_bytes();
                or_header(&mut headers, "content-type", "application/json");
            }
        } else if let Some(digits) = document.body_hex {
            bytes = hex(&digits).map_err(|error| format!("body_hex: {error}"))?;
        } else if let Some(events) = document.sse {
            bytes = sse(&events).map_err(|error| format!("sse{error}"))?;
            default_framing = Framing::Chunked;
            or_header(&mut headers, "content-type", "text/event-stream");
        } else if let Some(events) = document.frames {
            bytes = frames(&events).map_err(|error| format!("frames{error}"))?;
            default_framing = Framing::Chunked;
            or_header(&mut headers, "content-type", "application/vnd.amazon.eventstream");
        } else if let Some(chunks) = document.chunks {
            if split.is_some() || matches!(document.gzip, Some(Gzip::Flag(true))) {
                return Err("chunks are writes already: `split` and `gzip` exclude them".to_owned());
            }
            bytes = chunks.concat().into_bytes();
            default_framing = Framing::Chunked;
            split = Some(Split::Sizes(
                chunks.iter().map(String::len).filter(|size| *size > 0).collect(),
            ));
        } else if let Some(bytes_sent) = document.raw {
            default_framing = Framing::Close;
            bytes = match bytes_sent {
                Raw::Text(text) => text.into_bytes(),
                Raw::Hex(Hex { hex: digits }) => {
                    hex(&digits).map_err(|error| format!("raw.hex: {error}"))?
                }
            };
        }
        if matches!(document.gzip, Some(Gzip::Flag(true))) {
            bytes = gzip(&bytes);
        }
        if matches!(document.gzip, Some(Gzip::Flag(true) | Gzip::Zeros(_))) {
            or_header(&mut headers, "content-encoding", "gzip");
        }

        let reply = Self {
            status,
            headers,
            framing: document.framing.unwrap_or(match document.endless {
                Some(_) => Framing::Chunked,
                None => default_framing,
            }),
            split,
            delay_ms: document.delay_ms,
            stall: match (document.stall_at, document.stall_ms) {
                (Some(at), ms) => Some(Stall { at, ms: ms.flatten() }),
                (None, Some(_)) => return Err("stall_ms without stall_at".to_owned()),
                (None, None) => None,
            },
            cut: match (document.cut_at, document.cut) {
                (Some(at), kind) => Some((at, kind.unwrap_or(Cut::Close))),
                (None, Some(_)) => return Err("cut without cut_at".to_owned()),
                (None, None) => None,
            },
            never: document.never,
            raw,
            endless: document.endless,
            body: zeros.map_or(Body::Bytes(bytes), Body::GzippedZeros),
        };
        reply.check_sizes()?;
        Ok(reply)
    }

    fn check_sizes(&self) -> Result<(), String> {
        if self.endless.is_some() {
            let plain =
                self.split.is_none() && self.stall.is_none() && self.cut.is_none() && !self.raw;
            if !plain || matches!(self.body, Body::GzippedZeros(_)) {
                return Err("endless: split, stall, cut, raw and gzip.zeros exclude it".to_owned());
            }
            if self.framing == Framing::Length {
                return Err("endless: a body without end cannot have a length".to_owned());
            }
        }
        match &self.split {
            Some(Split::Every(Every { every: 0 })) => {
                return Err("split.every: must be at least 1".to_owned());
            }
            Some(Split::Sizes(sizes)) if sizes.contains(&0) => {
                return Err("split: a size must be at least 1".to_owned());
            }
            _ => {}
        }
        let Body::Bytes(bytes) = &self.body else {
            return Ok(());
        };
        if let Some(Split::Sizes(sizes)) = &self.split {
            let sum: usize = sizes.iter().sum();
            within("split: the sum", sum, bytes.len())?;
        }
        if let Some(stall) = self.stall {
            within("stall_at:", stall.at, bytes.len())?;
        }
        if let Some((at, _)) = self.cut {
            within("cut_at:", at, bytes.len())?;
        }
        Ok(())
    }

    pub(crate) fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
    }
}

/// The gzip form of this many zero bytes. The zeros are never held as a whole.
pub(crate) fn gzipped_zeros(count: u64) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing into a Vec cannot fail.
    let _ = std::io::copy(&mut std::io::Read::take(std::io::repeat(0), count), &mut encoder);
    encoder.finish().unwrap_or_default()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing into a Vec cannot fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

fn within(what: &str, size: usize, length: usize) -> Result<(), String> {
    if size > length {
        return Err(format!("{what} {size} is beyond the end of the body of {length} bytes"));
    }
    Ok(())
}

fn flat(headers: Pairs<Values>) -> Vec<(String, String)> {
    let values = |values| match values {
        Values::One(value) => vec![value],
        Values::Many(values) => values,
    };
    headers
        .0
        .into_iter()
        .flat_map(|(name, v)| values(v).into_iter().map(move |v| (name.clone(), v)))
        .collect()
}

fn or_header(headers: &mut Vec<(String, String)>, name: &str, value: &str) {
    if !headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
        headers.push((name.to_owned(), value.to_owned()));
    }
}

fn sse(events: &[Box<RawValue>]) -> Result<Vec<u8>, String> {
    let mut out = String::new();
    for (n, event) in events.iter().enumerate() {
        out += &sse_event(event).map_err(|error| format!("[{n}]: {error}"))?;
    }
    Ok(out.into_bytes())
}

/// Writes one event. Only an object of exactly `event` and `data`, or of `raw` alone, is a
/// description. Any other value is the data itself.
fn sse_event(event: &RawValue) -> Result<String, String> {
    if event.get().starts_with('{') {
        let members: BTreeMap<String, &RawValue> =
            serde_json::from_str(event.get()).map_err(|error| error.to_string())?;
        match (members.len(), members.get("event"), members.get("data"), members.get("raw")) {
            (2, Some(name), Some(content), _) if name.get().starts_with('"') => {
                return Ok(format!("event: {}\ndata: {}\n\n", string(name.get())?, data(content)?));
            }
            (1, _, _, Some(text)) if text.get().starts_with('"') => return string(text.get()),
            _ => {}
        }
    }
    Ok(format!("data: {}\n\n", data(event)?))
}
