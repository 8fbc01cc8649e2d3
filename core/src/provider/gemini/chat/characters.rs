//! Places in a text: Google counts bytes, and annotations count characters.

use crate::provider::citation::Span;

/// The number of characters before each place of a text, whose places are in bytes.
pub(super) struct Characters<'a> {
    text: &'a [u8],
    /// The number of characters before each step.
    before: Vec<u64>,
}

/// The bytes between two places of which the number of characters is kept.
const STEP: usize = 1_024;

impl<'a> Characters<'a> {
    pub fn of(text: &'a str) -> Self {
        let mut so_far = 0;
        let before = text.as_bytes().chunks(STEP).map(|step| {
            let before = so_far;
            so_far += begun(step);
            before
        });
        Characters { before: before.collect(), text: text.as_bytes() }
    }

    /// The number of characters before this byte. `None` if no character begins or ends there.
    pub fn before(&self, byte: usize) -> Option<u64> {
        if byte == self.text.len() {
            let last = self.before.len().saturating_sub(1);
            let rest = self.text.get(last * STEP..).unwrap_or_default();
            return Some(self.before.last().copied().unwrap_or(0) + begun(rest));
        }
        if !begins(*self.text.get(byte)?) {
            return None;
        }
        let step = byte / STEP;
        Some(self.before.get(step)? + begun(self.text.get(step * STEP..byte)?))
    }

    /// The place of these bytes in characters.
    pub fn span(&self, start: u64, end: u64) -> Span {
        let at = |byte: u64| self.before(usize::try_from(byte).ok()?);
        at(start).zip(at(end))
    }

    /// Whether the text has these words at this place, in bytes.
    pub fn has(&self, words: &str, start: u64, end: u64) -> bool {
        let [Ok(start), Ok(end)] = [start, end].map(usize::try_from) else { return false };
        self.text.get(start..end).is_some_and(|found| found == words.as_bytes())
    }
}

/// The number of characters that begin in these bytes of UTF-8.
fn begun(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| begins(**byte)).count() as u64
}

fn begins(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_place_in_bytes_is_the_same_place_in_characters(
            text in "[a€🌍é]{0,900}", at in 0_usize..4_000,
        ) {
            let wanted = text.get(..at).map(|before| before.chars().count() as u64);
            prop_assert_eq!(Characters::of(&text).before(at), wanted);
        }
    }
}
