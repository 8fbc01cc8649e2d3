//! The places of a secret in a text: as it is, in the escapes of JSON and of URLs at any depth, and
//! in base64.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::{memchr_iter, memchr2, memchr3_iter, memmem};

/// The shortest secret that is looked for. Fewer characters are a word that any text may contain.
pub const SHORTEST: usize = 8;

/// The longest text of which each place is looked at.
const SHORT: usize = 256;

/// Adds the places of a secret in a text, in every form.
pub fn find(text: &str, secret: &str, found: &mut Vec<Range<usize>>) {
    // No form of a secret is shorter than the secret without its backslashes.
    let shortest = secret.len() - memchr_iter(b'\\', secret.as_bytes()).count();
    if shortest < SHORTEST || text.len() < shortest {
        return;
    }
    let escapes = memchr2(b'\\', b'%', text.as_bytes()).is_some();
    if escapes || secret.contains([' ', '\\']) {
        find_escaped(text, secret, |place| found.push(place));
    } else if text.len() > SHORT {
        let places = memmem::find_iter(text.as_bytes(), secret);
        found.extend(places.map(|start| start..start + secret.len()));
    } else if let Some(start) = position(text, secret.as_bytes()) {
        // A second one may only follow the first.
        found.push(start..start + secret.len());
        let more = memmem::find_iter(&text.as_bytes()[start + 1..], secret);
        found.extend(more.map(|at| start + 1 + at..start + 1 + at + secret.len()));
    }
    if text.len() < secret.len() * 4 / 3 - 3 {
        return;
    }
    for before in 0..3 {
        if !escapes && !may_be_encoded(text, secret, before) {
            continue;
        }
        // What stands before the secret shifts its bits.
        let bytes = [&[0; 2][..before], secret.as_bytes()].concat();
        let whole = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
        let plain = STANDARD_NO_PAD.encode(&bytes);
        let url = URL_SAFE_NO_PAD.encode(&bytes);
        let mut forms = vec![&plain[whole.clone()]];
        if plain != url {
            forms.push(&url[whole]);
        }
        for form in forms {
            find_escaped(text, form, |place| found.push(with_neighbours(text, place)));
        }
    }
}

/// Whether the beginning of a secret stands in a text without escapes, in base64 behind so many
/// other bytes. It spares nearly every text the secret's whole forms.
fn may_be_encoded(text: &str, secret: &str, before: usize) -> bool {
    let mut bytes = [0; 6];
    bytes[before..].copy_from_slice(&secret.as_bytes()[..6 - before]);
    let mut digits = [0; 8];
    // Six bytes are eight digits.
    if STANDARD_NO_PAD.encode_slice(bytes, &mut digits).is_err() {
        return true;
    }
    let digits = &mut digits[(before * 8).div_ceil(6)..];
    if position(text, digits).is_some() {
        return true;
    }
    let mut other = false;
    for digit in &mut *digits {
        let url = match *digit {
            b'+' => b'-',
            b'/' => b'_',
            _ => continue,
        };
        (*digit, other) = (url, true);
    }
    other && position(text, digits).is_some()
}

/// The first place of a piece in a text. For the short texts of an answer this is cheaper than to
/// make a searcher for each.
fn position(text: &str, piece: &[u8]) -> Option<usize> {
    let text = text.as_bytes();
    memchr_iter(*piece.first()?, text).find(|start| text[*start..].starts_with(piece))
}

/// A place of base64, with the digit on either side, which may hold some bits of the secret, and
/// with its padding.
fn with_neighbours(text: &str, place: Range<usize>) -> Range<usize> {
    let is_digit = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
    let (before, after) = (&text.as_bytes()[..place.start], &text.as_bytes()[place.end..]);
    let start = place.start - usize::from(before.last().filter(is_digit).is_some());
    let digit = usize::from(after.first().filter(is_digit).is_some());
    let padding = after[digit..].iter().take_while(|byte| **byte == b'=').count();
    start..place.end + digit + padding
}

/// Gives the places of a secret in a text as it is, or with any of its characters escaped as in
/// JSON or in a URL. Backslashes do not count: each level of JSON in JSON adds some.
fn find_escaped(text: &str, secret: &str, mut found: impl FnMut(Range<usize>)) {
    let Some(first) = bare(secret).next() else { return };
    let lead = first.encode_utf8(&mut [0; 4]).as_bytes()[0];
    let mut from = 0;
    for start in memchr3_iter(lead, b'\\', b'%', text.as_bytes()) {
        // What lies before `from` belongs to a match, or to backslashes that began none.
        if start < from || !text.is_char_boundary(start) {
            continue;
        }
        match bare(secret).try_fold(start, |at, character| end_of(text, at, character)) {
            Some(end) => {
                found(start..end);
                from = end;
            }
            None => from = start + text[start..].bytes().take_while(|b| *b == b'\\').count(),
        }
    }
}

/// A secret's characters without its backslashes.
fn bare(secret: &str) -> impl Iterator<Item = char> {
    secret.chars().filter(|character| *character != '\\')
}

/// Where `character` ends, if it is the next one at `at`, escaped or not.
fn end_of(text: &str, at: usize, character: char) -> Option<usize> {
    let rest = without_backslashes(&text[at..]);
    let escaped = rest.len() < text.len() - at;
    let unit = rest.strip_prefix('u').filter(|_| escaped).and_then(|hex| hex.get(..4));
    let after = if let Some(after) = rest.strip_prefix(character) {
        after
    } else if unit.is_some_and(|unit| u32::from_str_radix(unit, 16) == Ok(u32::from(character))) {
        &rest[5..]
    } else if character == ' ' && rest.starts_with('+') {
        &rest[1..]
    } else {
        character.encode_utf8(&mut [0; 4]).bytes().try_fold(rest, after_percent)?
    };
    Some(text.len() - after.len())
}

/// The text behind the backslashes with which it begins, which may be escaped themselves.
fn without_backslashes(mut text: &str) -> &str {
    loop {
        text = match text.strip_prefix('\\') {
            Some(rest) => match rest.get(..5) {
                Some(unit) if unit.eq_ignore_ascii_case("u005c") => &rest[5..],
                _ => rest,
            },
            None => match after_percent(text, b'\\') {
                Some(rest) => rest,
                None => return text,
            },
        };
    }
}

/// The text after a byte that is escaped as in a URL, possibly several times (`%2525XX`).
fn after_percent(text: &str, byte: u8) -> Option<&str> {
    let mut digits = text.strip_prefix('%')?;
    loop {
        let pair = digits.get(..2)?;
        if u8::from_str_radix(pair, 16) == Ok(byte) {
            return Some(&digits[2..]);
        }
        digits = digits.strip_prefix("25")?;
    }
}
