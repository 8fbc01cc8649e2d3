//! What an answer may have: parts that are looked up, values that are kept, names that are repeated.

use super::Assembly;
use crate::json::MAX_NODES;
use crate::provider::Completion;

/// The largest number of choices, and of tool calls, in an answer.
const MOST_PARTS: usize = 1_024;

/// The largest number of values without a unified place that an answer may gather. A value takes
/// more memory than its text: two bytes can make a value of forty.
const MOST_KEPT: usize = 2 * MAX_NODES;

/// The longest id, and the longest name of a model or a tool, in bytes. Every chunk repeats them.
const LONGEST_NAME: usize = 16 << 10;

const PARTS: &str = "more than 1,024 choices or calls";

impl Assembly {
    /// What it has more of than any answer. All of it is kept in memory until the stream ends.
    #[must_use]
    pub fn flooded(&self) -> Option<&'static str> {
        let Completion { choices, warnings, .. } = &self.answer;
        let many = [choices.len(), self.calls.len(), warnings.len()];
        if many.into_iter().any(|n| n > MOST_PARTS) { Some(PARTS) } else { self.flooded }
    }

    /// Takes note of so many values that are kept for the whole answer.
    pub(in crate::provider) fn keeps(&mut self, values: usize) {
        self.kept += values;
        if self.kept > MOST_KEPT {
            self.flooded = Some("more than 4,194,304 values");
        }
    }

    /// Takes note of so many parts of one kind.
    pub(in crate::provider) fn has_parts(&mut self, parts: usize) {
        if parts > MOST_PARTS {
            self.flooded = Some(PARTS);
        }
    }

    pub(super) fn names<'a>(&mut self, mut names: impl Iterator<Item = &'a str>) {
        if names.any(|name| name.len() > LONGEST_NAME) {
            self.flooded = Some("a name or an id of more than 16,384 bytes");
        }
    }
}
