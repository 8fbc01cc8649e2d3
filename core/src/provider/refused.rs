//! Finds the one member of a request that its provider refused, and takes it out
//! (`options.drop_refused`).
//!
//! Providers name it in different ways: in `param` (OpenAI), before the words "Extra inputs are not
//! permitted" (Anthropic, Mistral, vLLM), in quotes, or at the end of a sentence. What counts is a
//! name that the request's body has.

use crate::codec::{Object, parse_foreign};
use crate::error::{Error, ErrorKind};
use crate::json::Value;

/// Codes that say that a parameter is refused as such [rec].
const CODES: [&str; 3] = ["unsupported_parameter", "unsupported_value", "unknown_parameter"];

/// Words that say so [rec].
const WORDS: [&str; 11] = [
    "unsupported",
    "not support",
    "not permitted",
    "not allowed",
    "not enabled",
    "not a valid field",
    "unrecognized",
    "unknown",
    "unexpected",
    "extra inputs",
    "extraneous",
];

/// Words before the name of a member [rec].
const BEFORE: [&str; 5] = ["parameter", "param", "property", "argument", "field"];

/// Members that make the request what it is. They are never taken out.
const NEEDED: [&str; 18] = [
    "model",
    "messages",
    "stream",
    "input",
    "contents",
    "prompt",
    "system",
    "instructions",
    "inputs",
    "texts",
    "images",
    "requests",
    "instances",
    "query",
    "documents",
    "inputText",
    "inputImage",
    "singleEmbeddingParams",
];

/// The same of a message.
const NEEDED_IN_MESSAGE: [&str; 6] =
    ["role", "content", "images", "tool_calls", "tool_call_id", "tool_name"];

/// The path in `body` of the one member that the error says is refused, such as `temperature` or
/// `tools[0].function.strict`. `None` if it names none, or more than one.
pub(crate) fn refused(error: &Error, body: &[u8]) -> Option<String> {
    let asks = matches!(error.status, Some(400 | 422))
        && matches!(error.kind(), ErrorKind::InvalidRequest | ErrorKind::Unsupported);
    let Ok(Value::Object(body)) = parse_foreign(body) else { return None };
    if !asks {
        return None;
    }
    let by_code = error.code.as_deref().is_some_and(|code| CODES.contains(&code));
    if (by_code || refuses(&error.message))
        && let Some(param) = &error.param
    {
        return find(&body, param);
    }
    let clauses = error.message.split(['\n', ';']).flat_map(|text| text.split(". "));
    let names = clauses.filter(|clause| refuses(clause)).flat_map(names);
    let mut found: Vec<String> = names.filter_map(|name| find(&body, name)).collect();
    found.sort_unstable();
    found.dedup();
    if found.len() == 1 { found.pop() } else { None }
}

/// The body without the member at this path of [`refused`].
pub(crate) fn without(body: &[u8], path: &str) -> Option<Vec<u8>> {
    let Ok(mut body) = parse_foreign(body) else { return None };
    let steps = steps(path);
    let (last, parents) = steps.split_last()?;
    let mut place = &mut body;
    for step in parents {
        place = match place {
            Value::Object(members) => members.get_mut(step)?,
            Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    place.as_object_mut()?.shift_remove(last)?;
    Some(body.as_object()?.to_json())
}

fn refuses(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}

/// The words of a sentence that may be the name of a member: those in quotes, its first and its
/// last one, those behind a word that announces one, and those that are no words of a language.
fn names(clause: &str) -> Vec<&str> {
    let digit = |at: Option<char>| at.is_some_and(|c| c.is_ascii_digit());
    let mut words: Vec<(bool, &str)> = Vec::new();
    let mut start = None;
    for (i, c) in clause.char_indices().chain([(clause.len(), ' ')]) {
        let (before, after) = (clause[..i].chars().next_back(), clause[i..].chars().nth(1));
        let is_part = match c {
            '_' | '-' => true,
            '.' => after.is_some_and(|c| c.is_ascii_alphanumeric()),
            // An index.
            '[' => start.is_some() && digit(after),
            ']' => start.is_some() && digit(before),
            c => c.is_ascii_alphanumeric(),
        };
        if is_part {
            start.get_or_insert(i);
        } else if let Some(from) = start.take() {
            let quoted = clause[..from].ends_with(['\'', '"', '`', '[']);
            words.push((quoted, &clause[from..i]));
        }
    }
    let last = words.len().saturating_sub(1);
    let announced = |i: usize| i > 0 && BEFORE.contains(&words[i - 1].1);
    let may_be = |i: usize, (quoted, word): (bool, &str)| {
        quoted || i == 0 || i == last || announced(i) || word.contains(['_', '.', '['])
    };
    let names = words.iter().enumerate().filter(|(i, word)| may_be(*i, **word));
    names.map(|(_, (_, word))| *word).collect()
}

fn steps(path: &str) -> Vec<&str> {
    path.split(['.', '[', ']']).filter(|step| !step.is_empty()).collect()
}

/// The path in `body` that `name` means, if it is there and may be taken out. Validators add words
/// of their own to a path (`body`, `assistant`): they are passed over.
fn find(body: &Object, name: &str) -> Option<String> {
    let steps = steps(name);
    let last = steps.len().checked_sub(1)?;
    let mut path = String::new();
    let mut place = Place::Object(body);
    for (i, step) in steps.into_iter().enumerate() {
        let next = match place {
            Place::Object(members) => members
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(step))
                .map(|(name, value)| (format!(".{name}"), value)),
            Place::List(items) => {
                let item = step.parse::<usize>().ok().and_then(|i| items.get(i));
                item.map(|item| (format!("[{step}]"), item))
            }
            Place::Leaf => None,
        };
        let Some((step, value)) = next else {
            if i == last {
                return None;
            }
            continue;
        };
        path.push_str(&step);
        place = match value {
            Value::Object(members) => Place::Object(members),
            Value::Array(items) => Place::List(items),
            _ => Place::Leaf,
        };
    }
    let path = path.strip_prefix('.').map(str::to_owned)?;
    may_go(&path).then_some(path)
}

enum Place<'a> {
    Object(&'a Object),
    List(&'a [Value]),
    Leaf,
}

/// Whether a request without this member is still the same question. Of a message only members of
/// its own may go, and nothing inside its content.
fn may_go(path: &str) -> bool {
    match steps(path)[..] {
        ["messages", _, name] => !path.ends_with(']') && !NEEDED_IN_MESSAGE.contains(&name),
        [first, ..] => !path.ends_with(']') && !NEEDED.contains(&first),
        [] => false,
    }
}

#[cfg(test)]
#[path = "refused_tests.rs"]
mod tests;
