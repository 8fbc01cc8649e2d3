//! Adds an answer's texts, whole in every delta, and completes an answer at its end.

use super::which::Text;
use super::{Assembly, append};
use crate::json::Value;
use crate::model::Warning;
use crate::provider::foreign::{self, Halves};

impl Assembly {
    /// Adds text of the answer.
    pub fn text(&mut self, choice: u64, text: impl AsRef<str> + Into<String>) {
        if self.halves.is_some() {
            let text = self.joined(choice, Text::Content, text.as_ref());
            return self.say(choice, Text::Content, text);
        }
        self.say(choice, Text::Content, text);
    }

    /// Adds reasoning text.
    pub fn reasoning(&mut self, choice: u64, text: impl AsRef<str> + Into<String>) {
        if self.halves.is_some() {
            let text = self.joined(choice, Text::Reasoning, text.as_ref());
            return self.say(choice, Text::Reasoning, text);
        }
        self.say(choice, Text::Reasoning, text);
    }

    /// Adds text of a refusal.
    pub fn refusal(&mut self, choice: u64, text: &str) {
        let text = self.joined(choice, Text::Refusal, text);
        self.say(choice, Text::Refusal, text);
    }

    fn say(&mut self, choice: u64, which: Text, text: impl AsRef<str> + Into<String>) {
        self.committed |= !text.as_ref().is_empty();
        let message = &mut self.choice(choice).message;
        let whole = match which {
            Text::Content => &mut message.content,
            Text::Reasoning => &mut message.reasoning,
            Text::Refusal => &mut message.refusal,
        };
        append(whole, text.as_ref());
        let delta = &mut self.delta(choice).delta;
        let part = match which {
            Text::Content => &mut delta.content,
            Text::Reasoning => &mut delta.reasoning,
            Text::Refusal => &mut delta.refusal,
        };
        append(part, text);
    }

    /// Records what was repaired in an event. There is one warning for numbers. From here on,
    /// halves of characters wait for each other.
    pub(in crate::provider) fn mended(&mut self, read: &foreign::Read) {
        if read.numbers {
            self.warn_once(foreign::unknown_number());
        }
        if read.halves {
            self.halves.get_or_insert_default();
        }
    }

    /// Whether halves of characters have come.
    #[cfg(feature = "responses")]
    pub(in crate::provider) fn has_halves(&self) -> bool {
        self.halves.is_some()
    }

    /// Joins the halves of characters in a value, if any have come.
    pub(in crate::provider) fn settle(&mut self, value: &mut Value) {
        if self.halves.is_some() && foreign::settle(value) {
            self.warn_once(foreign::half_character());
        }
    }

    fn joined(&mut self, choice: u64, which: Text, text: &str) -> String {
        let Some(halves) = &mut self.halves else { return text.to_owned() };
        let known = halves.iter().position(|(c, w, _)| *c == choice && *w == which);
        let at = known.unwrap_or_else(|| {
            halves.push((choice, which, Halves::default()));
            halves.len() - 1
        });
        halves[at].2.join(text).into_owned()
    }

    /// Completes the answer at the stream's end. Halves that still wait stay alone, and a call
    /// without arguments gets an empty object.
    pub(in crate::provider) fn complete(&mut self) {
        let halves = self.halves.take().unwrap_or_default();
        for (choice, which, mut half) in halves {
            if let Some(end) = half.end() {
                self.say(choice, which, end.to_string());
            }
            if half.lost {
                self.warn_once(foreign::half_character());
            }
        }
        let silent = |(choice, index): &(u64, u64)| {
            self.call(*choice, *index).is_some_and(|call| call.arguments.is_empty())
        };
        let silent: Vec<_> = self.calls.keys().copied().filter(silent).collect();
        for (choice, index) in silent {
            self.tool_call(choice, index, "", "", "{}");
        }
    }

    fn warn_once(&mut self, warning: Warning) {
        if !self.answer.warnings.iter().any(|known| known.code == warning.code) {
            self.warn(warning);
        }
    }
}
