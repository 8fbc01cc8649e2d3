//! The scan finds the end of a run of plain text: a quote, a backslash or a control character.
//!
//! The same bytes end a string that is read and need an escape in one that is written. Text is long
//! and such bytes are few, so the scan takes a block at a time.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The number of bytes before the first special one.
#[inline]
pub(super) fn plain(bytes: &[u8]) -> usize {
    // Names and words are short, so the first eight bytes mostly decide.
    special_in(bytes, 0).unwrap_or_else(|| plain_run(bytes))
}

/// Does the same for bytes whose first eight, if there are so many, are plain.
#[inline(never)]
fn plain_run(bytes: &[u8]) -> usize {
    let mut at = if bytes.len() < 8 { 0 } else { 8 };
    // A fold without an early exit becomes a few vector instructions.
    while let Some(block) = bytes[at..].first_chunk::<16>() {
        if block.iter().fold(false, |found, byte| found | is_special(*byte)) {
            break;
        }
        at += 16;
    }
    while at + 8 <= bytes.len() {
        if let Some(found) = special_in(bytes, at) {
            return found;
        }
        at += 8;
    }
    // The rest is scanned together with bytes before it that are known to be plain.
    match bytes.len().checked_sub(8) {
        Some(last) => special_in(bytes, last).unwrap_or(bytes.len()),
        None => bytes.iter().position(|byte| is_special(*byte)).unwrap_or(bytes.len()),
    }
}

/// The index of the first special byte of the eight from `at`. `None` if there are fewer than
/// eight.
fn special_in(bytes: &[u8], at: usize) -> Option<usize> {
    let block = bytes[at..].first_chunk::<8>()?;
    let found = specials(u64::from_le_bytes(*block));
    (found != 0).then(|| at + found.trailing_zeros() as usize / 8)
}

fn is_special(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// The high bit of each special byte. It is exact up to the lowest one, because a borrow only goes
/// upwards.
fn specials(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let control = word.wrapping_sub(ONES * b' ' as u64) & !word;
    let quote = quote.wrapping_sub(ONES) & !quote;
    let backslash = backslash.wrapping_sub(ONES) & !backslash;
    (control | quote | backslash) & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place() {
        for len in 0..40 {
            for at in 0..len {
                for byte in 0..=255_u8 {
                    for around in [b'a', b'!', b'#', b'[', b']', 0x80, 0xff, b' '] {
                        let mut text = vec![around; len];
                        text[at] = byte;
                        let wanted = if is_special(byte) { at } else { len };
                        assert_eq!(plain(&text), wanted, "{byte} at {at} of {len}");
                    }
                }
            }
        }
    }
}
