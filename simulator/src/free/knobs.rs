//! `/sim,delay_ms=50,chunks=64/v1/…`: how the answer is to be, told in the first path segment.

use std::time::Duration;

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
}

/// Bounds a typing error's damage: a text is held in memory as a whole.
const MAX_SIZE: usize = 64 << 20;

/// The knobs, and the path without them and without the query.
pub(crate) fn parse(target: &str) -> Result<(Knobs, &str), String> {
    let path = target.split('?').next().unwrap_or_default();
    let mut knobs = Knobs::default();
    let Some(rest) = path.strip_prefix("/sim,") else {
        return Ok((knobs, path));
    };
    let (list, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    for knob in list.split(',').filter(|knob| !knob.is_empty()) {
        let (name, value) = knob.split_once('=').unwrap_or((knob, ""));
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
            "close_us" => knobs.close = Some(Duration::from_micros(number as u64)),
            _ => {
                return Err(format!(
                    "{name:?}: the knobs are delay_ms, chunks, interval_ms, burst, bytes and close_us"
                ));
            }
        }
    }
    Ok((knobs, path))
}
