//! What of a request the rules of a route look at.

use super::counts::Size;
use crate::codec::Fields;
use crate::error::Error;

/// The best quality that a target may have.
pub const MOST_QUALITY: u8 = 5;

/// What is known of a request before a target is chosen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traits {
    /// How large it is.
    pub size: Size,
    /// Whether it wants an answer of a JSON schema.
    pub json_schema: bool,
    /// Whether it asks the model to think.
    pub reasoning: bool,
}

/// Reads `min_quality`.
pub(crate) fn read_quality(fields: &mut Fields) -> Result<Option<u8>, Error> {
    let quality = fields.whole("min_quality", 1)?;
    checked_quality(quality, || fields.at("min_quality"))
}

/// Checks that a quality is one.
pub(crate) fn checked_quality(
    quality: Option<u64>,
    path: impl FnOnce() -> String,
) -> Result<Option<u8>, Error> {
    let Some(quality) = quality else { return Ok(None) };
    let known = u8::try_from(quality).ok().filter(|quality| *quality <= MOST_QUALITY);
    known.map(Some).ok_or_else(|| {
        let path = path();
        let message = format!("{path} must be a whole number from 1 to {MOST_QUALITY}");
        Error::invalid(path, message)
    })
}
