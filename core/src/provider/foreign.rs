//! Reads a provider's JSON as leniently as truth allows.
//!
//! Python servers write `NaN` and `Infinity`, which are not JSON. `1e400` is JSON, but few
//! languages have a number for it. Token limits cut characters whose two halves are separate
//! escapes. A paid answer must not be lost for that: the number becomes `null`, the half becomes
//! U+FFFD, and a warning says so. Halves in two pieces of a stream are joined again.

use std::borrow::Cow;

use crate::codec::parse_foreign_finite;
use crate::json::Value;
use crate::model::Warning;

/// JSON, and what was repaired in it.
#[derive(Debug)]
pub(super) struct Read {
    pub value: Value,
    /// A number became `null`.
    pub numbers: bool,
    /// Its texts hold half characters, as stand-ins that [`settle`] or [`Halves`] resolves.
    pub halves: bool,
}

/// Parses a provider's JSON.
pub(super) fn read(text: &str) -> Result<Read, String> {
    let error = match parse_foreign_finite(text) {
        Ok((value, numbers)) => return Ok(Read { value, numbers, halves: false }),
        Err(error) => error,
    };
    let Some((mended, numbers, halves)) = mend(text) else { return Err(error) };
    // Other errors stay errors.
    let (value, infinite) = parse_foreign_finite(&mended).map_err(|_| error)?;
    Ok(Read { value, numbers: numbers || infinite, halves })
}

/// Parses a whole answer, with the warnings about it.
pub(super) fn read_whole(body: &[u8]) -> Result<(Value, Vec<Warning>), String> {
    let text = std::str::from_utf8(body)
        .map_err(|error| format!("is not UTF-8: byte {} is invalid", error.valid_up_to()))?;
    let mut read = read(without_done(text))?;
    let mut warnings = Vec::new();
    if read.numbers {
        warnings.push(unknown_number());
    }
    if read.halves && settle(&mut read.value) {
        warnings.push(half_character());
    }
    Ok((read.value, warnings))
}

/// A whole answer without the end mark of a stream, which some gateways append.
fn without_done(text: &str) -> &str {
    let end = text.trim_ascii_end();
    let cut = end.strip_suffix("[DONE]").map(str::trim_ascii_end);
    cut.and_then(|cut| cut.strip_suffix("data:")).unwrap_or(text)
}

pub(super) fn unknown_number() -> Warning {
    Warning {
        code: "unknown_number",
        message:
            "the answer has a number that not every language can hold (NaN, Infinity, 1e400): \
                  it is null"
                .to_owned(),
        param: None,
    }
}

pub(super) fn half_character() -> Warning {
    Warning {
        code: "half_character",
        message: "the answer has half a character (a lone surrogate): it is U+FFFD".to_owned(),
        param: None,
    }
}

/// Stand-ins for the surrogates, U+D800 to U+DFFF, which are no characters. They are as many code
/// points of the last private plane.
const STAND_IN: u32 = 0x10_f800;

fn stand_in(surrogate: u32) -> char {
    char::from_u32(STAND_IN + (surrogate - 0xd800)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn surrogate(stand_in: char) -> Option<u32> {
    (u32::from(stand_in) >= STAND_IN).then(|| u32::from(stand_in) - STAND_IN + 0xd800)
}

fn joined(high: u32, low: u32) -> char {
    let point = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The text with `null` for each number that is not JSON, and stand-ins for lone halves of
/// characters. `None` if there are none.
fn mend(text: &str) -> Option<(String, bool, bool)> {
    let mut out = String::with_capacity(text.len() + 16);
    let (mut numbers, mut halves, mut inside) = (false, false, false);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let mut taken = first.len_utf8();
        if !inside {
            let word = ["-Infinity", "Infinity", "NaN"].into_iter().find(|w| rest.starts_with(w));
            if let Some(word) = word {
                out.push_str("null");
                rest = &rest[word.len()..];
                numbers = true;
                continue;
            }
            inside = first == '"';
        } else if first == '"' {
            inside = false;
        } else if first == '\\' {
            match escaped(rest) {
                Some(unit @ 0xd800..=0xdfff) => {
                    let low = if unit < 0xdc00 { escaped(&rest[6..]) } else { None };
                    taken = match low {
                        Some(0xdc00..=0xdfff) => 12,
                        _ => {
                            out.push(stand_in(unit));
                            rest = &rest[6..];
                            halves = true;
                            continue;
                        }
                    };
                }
                Some(_) => taken = 6,
                None => taken += rest[1..].chars().next().map_or(0, char::len_utf8),
            }
        }
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    (numbers || halves).then_some((out, numbers, halves))
}

/// The code unit of an escape, `\uXXXX`, at the beginning of a text.
fn escaped(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit())
        .then(|| u32::from_str_radix(digits, 16).ok())?
}

/// Joins the halves of characters in all texts of a document. Returns whether a half had no other
/// half.
pub(super) fn settle(value: &mut Value) -> bool {
    match value {
        Value::String(text) => {
            let mut halves = Halves::default();
            let Cow::Owned(mut whole) = halves.join(text) else { return false };
            let lost = halves.end().is_some_and(|end| {
                whole.push(end);
                true
            });
            *text = whole;
            lost || halves.lost
        }
        Value::Array(items) => items.iter_mut().fold(false, |lost, item| settle(item) | lost),
        Value::Object(members) => {
            members.iter_mut().fold(false, |lost, (_, member)| settle(member) | lost)
        }
        _ => false,
    }
}

/// Joins the halves of characters in the pieces of one text.
#[derive(Debug, Default)]
pub(super) struct Halves {
    high: Option<u32>,
    /// A half had no other half.
    pub lost: bool,
}

impl Halves {
    /// The piece with whole characters only. A half at its end waits for the next piece.
    pub fn join<'a>(&mut self, piece: &'a str) -> Cow<'a, str> {
        if self.high.is_none() && !piece.chars().any(|c| surrogate(c).is_some()) {
            return Cow::Borrowed(piece);
        }
        let mut out = String::with_capacity(piece.len());
        for c in piece.chars() {
            match (self.high.take(), surrogate(c)) {
                (Some(high), Some(low @ 0xdc00..=0xdfff)) => {
                    out.push(joined(high, low));
                    continue;
                }
                (Some(_), _) => self.lose(&mut out),
                (None, _) => {}
            }
            match surrogate(c) {
                Some(high @ 0xd800..=0xdbff) => self.high = Some(high),
                Some(_) => self.lose(&mut out),
                None => out.push(c),
            }
        }
        Cow::Owned(out)
    }

    /// The character for a half that still waits at the end.
    pub fn end(&mut self) -> Option<char> {
        let half = self.high.take()?;
        self.lost |= half > 0;
        Some(char::REPLACEMENT_CHARACTER)
    }

    fn lose(&mut self, out: &mut String) {
        out.push(char::REPLACEMENT_CHARACTER);
        self.lost = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> (String, Vec<&'static str>) {
        let (value, warnings) = read_whole(text.as_bytes()).unwrap();
        (value.to_string(), warnings.into_iter().map(|warning| warning.code).collect())
    }

    #[test]
    fn numbers_that_json_does_not_know_are_null() {
        let (value, codes) = whole(r#"{"a":[NaN,-Infinity,Infinity,1.50],"b":"NaN \" Infinity"}"#);
        assert_eq!(value, r#"{"a":[null,null,null,1.50],"b":"NaN \" Infinity"}"#);
        assert_eq!(codes, ["unknown_number"]);
    }

    #[test]
    fn numbers_that_no_language_can_hold_are_null() {
        let digits = "9".repeat(400);
        let text = format!(r#"[1e400,-1E+400,{digits},1e-400,-0,1.7e308,18446744073709551616]"#);
        let (value, codes) = whole(&text);
        assert_eq!(value, "[null,null,null,1e-400,-0,1.7e308,18446744073709551616]");
        assert_eq!(codes, ["unknown_number"]);
        assert_eq!(whole(r#"{"a":NaN,"b":1e999}"#).0, r#"{"a":null,"b":null}"#);
    }

    #[test]
    fn half_a_character_is_a_replacement() {
        for (text, wanted) in [
            (r#""a\ud83c""#, "\"a\u{fffd}\""),
            (r#""\udf0db""#, "\"\u{fffd}b\""),
            (r#""\ud83c\ud83c\udf0d""#, "\"\u{fffd}🌍\""),
            (r#""\udf0d\ud83c\n""#, "\"\u{fffd}\u{fffd}\\n\""),
        ] {
            assert_eq!(whole(text), (wanted.to_owned(), vec!["half_character"]), "{text}");
        }
        assert_eq!(whole(r#""\ud83c\udf0d \\ud83c""#), (r#""🌍 \\ud83c""#.to_owned(), vec![]));
    }

    #[test]
    fn what_else_is_wrong_stays_wrong() {
        for text in ["{NaN}", "[NaN", r#"["\ud83c"#, "NaNa", "[1,]"] {
            assert!(read_whole(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn the_end_mark_of_a_stream_is_cut_off() {
        assert_eq!(whole("{\"a\":1}\n\ndata: [DONE]\n\n").0, "{\"a\":1}");
    }

    #[test]
    fn halves_of_two_pieces_are_one_character() {
        let mut halves = Halves::default();
        let piece = |text: &str| read(text).unwrap().value.as_str().unwrap().to_owned();
        let (first, second) = (piece(r#""a\ud83c""#), piece(r#""\udf0db""#));
        assert_eq!(halves.join(&first), "a");
        assert_eq!(halves.join(&second), "🌍b");
        assert!(halves.end().is_none() && !halves.lost);
    }
}
