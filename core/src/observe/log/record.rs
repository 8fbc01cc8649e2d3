//! One record: its members, in the order of `docs/logs.md`, and what may stand in them.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use super::level::Level;
use crate::json::{Object, Value};
use crate::observe::{CallFacts, Reason};

/// The most characters of a code.
const MOST_CODE: usize = 64;
/// The most characters of a name that a caller made up.
const MOST_NAME: usize = 256;
/// The most bytes of a content.
const MOST_CONTENT: usize = 32 << 10;

/// A record that is being written.
pub(super) struct Record(Object);

impl Record {
    /// A record of now.
    pub(super) fn new(level: Level, event: &'static str) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut object = Object::with_capacity(16);
        object.insert("ts", timestamp(now.as_secs(), now.subsec_millis()));
        object.insert("level", level.name());
        object.insert("event", event);
        Record(object)
    }

    /// A record about a call.
    pub(super) fn of(level: Level, event: &'static str, call: &CallFacts) -> Self {
        Record::new(level, event).with("request_id", call.id.to_string())
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.insert(name, value);
        self
    }

    pub(super) fn maybe(self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The provider and the model; a target may have no model.
    pub(super) fn target(self, provider: &str, model: &str) -> Self {
        let model = Some(model).filter(|model| !model.is_empty());
        self.with("provider", provider).maybe("model", model.map(|model| name(model).into_owned()))
    }

    /// The ids of the trace and of the span that the call belongs to.
    pub(super) fn trace(self, call: &CallFacts) -> Self {
        let mut parts =
            call.traceparent.as_deref().into_iter().flat_map(|own| own.split('-').skip(1));
        let (trace, span) = (parts.next(), parts.next());
        self.maybe("trace_id", trace).maybe("span_id", span)
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0.to_json()
    }
}

/// `, after rate_limit (429)`, or nothing.
pub(super) fn reason(reason: Option<&Reason>) -> String {
    let Some(reason) = reason else { return String::new() };
    let status = reason.status.map(|status| format!(" ({status})")).unwrap_or_default();
    format!(", after {}{status}", reason.kind.name())
}

/// A provider's code, up to the first character that no code has, so that no text passes for one.
pub(super) fn code(text: &str) -> Option<&str> {
    let is_one = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let end = text.find(|c| !is_one(c)).unwrap_or(text.len()).min(MOST_CODE);
    Some(&text[..end]).filter(|code| !code.is_empty())
}

/// A name of a caller's choice, which may be as long as a request.
pub(super) fn name(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MOST_NAME) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// The begin of a content.
pub(super) fn shortened(text: &str) -> Cow<'_, str> {
    if text.len() <= MOST_CONTENT {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{}…", &text[..text.floor_char_boundary(MOST_CONTENT)]))
}

/// A time as RFC 3339 has it, in UTC.
pub(super) fn timestamp(seconds: u64, ms: u32) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Howard Hinnant's days_from_civil, backwards: years begin in March, eras have 400 of them.
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{of_month:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}
