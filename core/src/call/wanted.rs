//! The kind of answer that a caller can take.

use crate::error::Error;
use crate::model::Options;

/// What a caller of [`crate::Client::start`] can take.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Whether a stream is wanted, whatever the request's `stream` says. `None` follows the
    /// request.
    pub stream: Option<bool>,
    /// One answer only, so `options.fanout` is an error. The fastest of several streams counts as
    /// one.
    pub single: bool,
}

impl Wanted {
    /// A whole answer, or the answers of a fan-out.
    pub const WHOLE: Self = Wanted { stream: Some(false), single: false };
    /// A stream.
    pub const STREAM: Self = Wanted { stream: Some(true), single: false };

    /// Refuses several answers if one is wanted. `stream` means that the answer comes as one
    /// stream.
    pub(crate) fn check(self, stream: bool, options: &Options) -> Result<(), Error> {
        if self.single && !stream && options.fanout.is_some() {
            let message = "options.fanout asks several targets for an answer each, and one is \
                           wanted here: leave it out, or call generate_multi (generateMulti in \
                           Node, GenerateMulti in Go)";
            return Err(Error::invalid("options.fanout", message));
        }
        Ok(())
    }
}
