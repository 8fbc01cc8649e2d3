//! `/sim,delay_ms=50,chunks=64/v1/…`: how the answer is to be, told in the first path segment.

use std::time::Duration;

use super::faults::Fault;

/// The knobs of one request.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Knobs {
    /// Before the answer begins.
    pub(crate) delay: Duration,
    /// Text chunks of a stream; by default one a word.
    pub(crate) chunks: Option<usize>,
    /// Between bursts of text chunks; zero: all at once.
    pub(crate) interval: Duration,
    /// Text chunks that leave together at each interval; zero counts as one.
    pub(crate) burst: usize,
    /// Exact size of the answer's text.
    pub(crate) bytes: Option<usize>,
    /// After its answer an HTTP/1.1 connection rests for a random time, up to this one, and is closed.
    pub(crate) close: Option<Duration>,
    /// What goes wrong.
    pub(crate) fault: Option<Fault>,
    /// It goes wrong for this many requests under the same segment, then no more. None: for all.
    pub(super) times: Option<usize>,
}

/// Bounds a typing error's damage: a text is held in memory as a whole.
const MAX_SIZE: usize = 64 << 20;

/// The knobs, the segment that says them, and the path without it and without the query.
pub(crate) fn parse(target: &str) -> Result<(Knobs, &str, &str), String> {
    let path = target.split('?').next().unwrap_or_default();
    let mut knobs = Knobs::default();
    let Some(rest) = path.strip_prefix("/sim,") else {
        return Ok((knobs, "", path));
    };
    let (list, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    for knob in list.split(',').filter(|knob| !knob.is_empty()) {
        let (name, value) = knob.split_once('=').unwrap_or((knob, ""));
        match name {
            "fault" => {
                knobs.fault = Some(Fault::named(value)?);
                continue;
            }
            // Any word. It makes the segment, for which `times` counts, the caller's own.
            "run" => continue,
            _ => {}
        }
        let number: usize =
            value.parse().ok().filter(|number| *number <= MAX_SIZE).ok_or_else(|| {
                format!("{knob:?}: a number up to {MAX_SIZE} is wanted, as in delay_ms=50")
            })?;
        match name {
            "delay_ms" => knobs.delay = Duration::from_millis(number as u64),
            "interval_ms" => knobs.interval = Duration::from_millis(number as u64),
            "chunks" => knobs.chunks = Some(number.max(1)),
            "burst" => knobs.burst = number,
            "bytes" => knobs.bytes = Some(number),
            "times" => knobs.times = Some(number),
            "close_us" => knobs.close = Some(Duration::from_micros(number as u64)),
            _ => {
                return Err(format!(
                    "{name:?}: the knobs are delay_ms, chunks, interval_ms, burst, bytes, close_us, fault, times and run"
                ));
            }
        }
    }
    if knobs.times.is_some() && knobs.fault.is_none() {
        return Err("times says how often a fault is played: fault=… is missing".to_owned());
    }
    Ok((knobs, list, path))
}
