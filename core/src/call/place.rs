//! Places in a list of inputs, as providers name them in their errors.
//!
//! A provider that was asked about a part of the list counts from the part's first input.

/// What providers call the list of inputs.
const LISTS: [&str; 5] = ["input", "inputs", "texts", "requests", "instances"];

/// The place as one of the whole list, whose part begins at `start`: `input[103].text` for
/// `texts[3].text`. What names no such place stays.
pub(super) fn of_whole(param: &str, start: usize) -> String {
    match place(param) {
        Some((number, rest)) => format!("input[{}]{rest}", start.saturating_add(number)),
        None => param.to_owned(),
    }
}

/// Whether a text names a place in the list.
pub(super) fn says_a_place(text: &str) -> bool {
    place(text).is_some()
}

/// The first place in the list, and what follows it.
fn place(text: &str) -> Option<(usize, &str)> {
    let mut from = 0;
    while let Some(found) = text.get(from..)?.find(['[', '.']) {
        let at = from + found;
        from = at + 1;
        let (before, after) = (text.get(..at)?, text.get(from..)?);
        let word = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
        if !LISTS.contains(&word) {
            continue;
        }
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let Some(number) = after.get(..digits).and_then(|digits| digits.parse().ok()) else {
            continue;
        };
        let rest = after.get(digits..)?;
        match (text.as_bytes().get(at), rest.strip_prefix(']')) {
            (Some(b'['), Some(rest)) => return Some((number, rest)),
            (Some(b'.'), _) => return Some((number, rest)),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_of_a_part_becomes_one_of_the_whole() {
        for (param, wanted) in [
            ("input[3]", "input[103]"),
            ("$.input[3]", "input[103]"),
            ("body.input.3", "input[103]"),
            ("input.3.text", "input[103].text"),
            ("texts[0]", "input[100]"),
            ("BatchEmbedContentsRequest.requests[7].content", "input[107].content"),
            ("instances[2].content", "input[102].content"),
            ("input[18446744073709551615]", "input[18446744073709551615]"),
            ("input[3", "input[3"),
            ("input[]", "input[]"),
            ("input", "input"),
            ("my_input[3]", "my_input[3]"),
            ("messages[3]", "messages[3]"),
            ("messages[3].input[1]", "input[101]"),
            ("größe.input[1]", "input[101]"),
            ("", ""),
        ] {
            assert_eq!(of_whole(param, 100), wanted);
        }
    }

    #[test]
    fn a_text_says_a_place_or_does_not() {
        assert!(says_a_place("'$.input[3]' is too long. Shorten it."));
        assert!(!says_a_place("The input. 3 of them are too long [3]."));
        assert!(!says_a_place("input too long"));
    }
}
