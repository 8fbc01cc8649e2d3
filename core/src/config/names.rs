//! Names that nobody knows, told with the nearest known ones.

use crate::codec::did_you_mean;
use crate::error::Error;
use crate::provider::registry;

/// `unknown provider 'opnai'; did you mean 'openai'?`, or a list of all where none is near.
pub(crate) fn unknown<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> String {
    let quoted = quoted(name).map(|name| format!(" {name}")).unwrap_or_default();
    let advice = did_you_mean(name, known.clone());
    let advice =
        advice.unwrap_or_else(|| format!("; known: {}", known.collect::<Vec<_>>().join(", ")));
    format!("unknown {what}{quoted}{advice}")
}

/// A name in quotes. `None` for what is no name, such as a key in the wrong place.
pub(crate) fn quoted(name: &str) -> Option<String> {
    /// A key has a longer run of letters and digits than a name.
    const LONGEST_RUN: usize = 20;
    const LONGEST: usize = 80;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:/@+".contains(letter);
    let run = name.split(|letter: char| !letter.is_ascii_alphanumeric()).map(str::len).max();
    let is_name = !name.is_empty()
        && name.len() <= LONGEST
        && name.chars().all(plain)
        && !name.starts_with("sk-")
        && run.is_none_or(|run| run < LONGEST_RUN);
    is_name.then(|| format!("'{name}'"))
}

/// The error for the built-in provider of this name, if this library was built without its format.
pub(crate) fn not_built(name: &str, param: &str) -> Option<Error> {
    let feature = registry::missing_feature(name)?;
    Some(Error::not_built(param, &format!("provider '{name}'"), feature))
}

/// The error of an entry that no row fits: `kind` is wrong, or the name stands for none.
pub(super) fn no_row(path: &str, kind: Option<&str>, name: &str) -> Error {
    if let Some(error) = not_built(kind.unwrap_or(name), path) {
        return error;
    }
    let kinds = registry::ROWS.iter().map(|row| row.name);
    let message = match kind {
        Some(kind) => {
            let near = did_you_mean(kind, kinds.clone()).unwrap_or_default();
            format!("{path} must be one of {}{near}", kinds.collect::<Vec<_>>().join(", "))
        }
        None => {
            let unknown = unknown("provider", name, kinds);
            format!("{unknown}; an entry with a name of its own says in {path} which one it is")
        }
    };
    Error::invalid(path, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 5] = ["anthropic", "openai", "openrouter", "xai", "vllm"];

    fn told(name: &str) -> String {
        unknown("provider", name, KNOWN.into_iter())
    }

    #[test]
    fn a_name_is_quoted_with_the_nearest_ones() {
        assert_eq!(told("opnai"), "unknown provider 'opnai'; did you mean 'openai'?");
        assert_eq!(told("OpenAI"), "unknown provider 'OpenAI'; did you mean 'openai'?");
        assert_eq!(told("antropic"), "unknown provider 'antropic'; did you mean 'anthropic'?");
        assert_eq!(
            told("bedrock"),
            "unknown provider 'bedrock'; known: anthropic, openai, openrouter, xai, vllm"
        );
        let two = unknown("route", "chat3", ["chat1", "chat2", "other"].into_iter());
        assert_eq!(two, "unknown route 'chat3'; did you mean 'chat1' or 'chat2'?");
    }

    #[test]
    fn a_key_in_the_wrong_place_is_not_repeated() {
        for key in [
            "sk-proj-abc",
            "AIzaSyA1234567890abcdefghij",
            "gsk_0123456789012345678901",
            "two words",
            "",
            &"a-".repeat(60),
        ] {
            assert!(!told(key).contains('\''), "{}", told(key));
        }
        assert!(told("claude-3-5-sonnet-20241022").contains("'claude-3-5-sonnet-20241022'"));
    }
}
