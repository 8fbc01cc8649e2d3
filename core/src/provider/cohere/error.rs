//! Cohere's errors: `{"message", "id"?, "error_type"?}`, and those that come as a `finish_reason`.

use crate::codec::Object;
use crate::error::{Error, ErrorKind};
use crate::json::Value;

/// Whether a 2xx body, or an event, is an error: its `message` is a text, not an object.
pub(super) fn is_error(object: &Object) -> bool {
    object.get("message").is_some_and(Value::is_string)
        || object.get("error").is_some_and(|error| !error.is_null())
}

/// The error of a finish reason. `said` is its text, which Cohere gives in streams [sdk].
pub(super) fn of_finish(word: &str, said: Option<&str>) -> Option<Error> {
    let (kind, default) = match word {
        "ERROR" => (ErrorKind::Unavailable, "Cohere failed while it generated the answer"),
        "TIMEOUT" => (ErrorKind::Timeout, "Cohere ran out of time while it generated the answer"),
        _ => return None,
    };
    let message = said.filter(|text| !text.is_empty()).unwrap_or(default);
    Some(Error::new(kind, message).with(|e| e.code = Some(word.to_owned())))
}
