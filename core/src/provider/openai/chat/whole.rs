//! Finds out whether the arguments of a call, to which more may be added, are a whole JSON object.
//!
//! Servers that repeat a function's name in each piece make this a question for each piece. So every
//! byte is looked at once, and the text is parsed once, when its brackets first close.

use crate::codec::parse_foreign_text;

/// What is known of a growing text.
#[derive(Debug, Default)]
pub(super) struct Growing {
    /// The number of bytes that were looked at.
    seen: usize,
    depth: usize,
    inside_string: bool,
    after_backslash: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// It may still become an object.
    #[default]
    Open,
    /// The brackets have closed, and nothing but white space came after them. Not parsed yet.
    Closed,
    /// An object.
    Whole,
    /// Not an object, whatever follows.
    Never,
}

impl Growing {
    /// Whether `text` is a whole object. It is the text of the last time, or begins with it.
    pub(super) fn is_object(&mut self, text: &str) -> bool {
        for byte in text.as_bytes().get(self.seen..).unwrap_or_default() {
            if self.state == State::Never {
                break;
            }
            self.look(*byte);
        }
        self.seen = text.len();
        if self.state == State::Closed {
            let whole = parse_foreign_text(text).is_ok_and(|value| value.is_object());
            self.state = if whole { State::Whole } else { State::Never };
        }
        self.state == State::Whole
    }

    fn look(&mut self, byte: u8) {
        if self.inside_string {
            match byte {
                _ if self.after_backslash => self.after_backslash = false,
                b'\\' => self.after_backslash = true,
                b'"' => self.inside_string = false,
                _ => {}
            }
            return;
        }
        match (self.state, byte) {
            (_, b' ' | b'\n' | b'\r' | b'\t') => {}
            (State::Open, b'{' | b'[') => self.depth += 1,
            // An object begins with its bracket.
            (State::Open, _) if self.depth == 0 => self.state = State::Never,
            (State::Open, b'}' | b']') => {
                self.depth -= 1;
                if self.depth == 0 {
                    self.state = State::Closed;
                }
            }
            (State::Open, b'"') => self.inside_string = true,
            (State::Open, _) => {}
            _ => self.state = State::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// However a text grows, the answer for each beginning of it is the parser's.
        #[test]
        fn a_growing_text_is_whole_when_the_parser_says_so(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "{", "}", "[", "]", "\"", "\\", "\"a\":", "1", ",", " ", "{\"a\":\"}\"}", "é",
            ]), 0..12),
        ) {
            let (mut growing, mut text) = (Growing::default(), String::new());
            for piece in pieces {
                text.push_str(piece);
                let parsed = parse_foreign_text(&text).is_ok_and(|value| value.is_object());
                prop_assert_eq!(growing.is_object(&text), parsed, "{}", text);
            }
        }
    }
}
