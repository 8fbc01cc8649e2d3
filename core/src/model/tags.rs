//! `options.tags`: a few short strings by which budgets and rules of routes tell calls apart.

use crate::codec::{Fields, wrong};
use crate::error::Error;
use crate::json::Value;

/// The most tags of a call.
const MOST: usize = 16;
/// The most bytes of a tag's name, and of its value.
const LONGEST_NAME: usize = 64;
const LONGEST: usize = 128;

/// Reads `tags`.
pub(super) fn read(fields: &mut Fields) -> Result<Option<Vec<(String, String)>>, Error> {
    let path = fields.at("tags");
    let Some(object) = fields.object("tags")? else { return Ok(None) };
    if object.len() > MOST {
        return Err(Error::invalid(&path, format!("{path}: {MOST} tags at most")));
    }
    let mut tags = Vec::with_capacity(object.len());
    for (name, value) in object {
        if name.is_empty() || name.len() > LONGEST_NAME {
            let message = format!("{path}: a tag's name has 1 to {LONGEST_NAME} bytes");
            return Err(Error::invalid(&path, message));
        }
        let place = || format!("{path}.{name}");
        match value {
            Value::String(text) if text.len() <= LONGEST => tags.push((name.to_string(), text)),
            Value::String(text) => {
                let message =
                    format!("{} has {} bytes; a tag has {LONGEST} at most", place(), text.len());
                return Err(Error::invalid(place(), message));
            }
            Value::Null => {}
            other => return Err(wrong(&place(), "a string", &other)),
        }
    }
    Ok(Some(tags))
}

/// Adds the tags of a wider scope that have other names.
pub(super) fn or(
    own: Option<Vec<(String, String)>>,
    other: Option<Vec<(String, String)>>,
) -> Option<Vec<(String, String)>> {
    let (Some(mut own), Some(other)) = (own.clone(), other.clone()) else { return own.or(other) };
    for tag in other {
        if !own.iter().any(|(name, _)| *name == tag.0) {
            own.push(tag);
        }
    }
    Some(own)
}

#[cfg(test)]
mod tests {
    use crate::model::Options;

    fn read(tags: &str) -> Result<Options, crate::error::Error> {
        Options::parse(format!(r#"{{"tags": {tags}}}"#).as_bytes())
    }

    #[test]
    fn tags_of_a_wider_scope_stay() {
        let call = read(r#"{"user": "ann"}"#).unwrap();
        let client = read(r#"{"user": "nobody", "team": "x"}"#).unwrap();
        let tags = call.or(client).tags.unwrap();
        let tags: Vec<_> = tags.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(tags, [("user", "ann"), ("team", "x")]);
    }

    #[test]
    fn bad_tags_are_named() {
        let long = format!(r#"{{"user": "{}"}}"#, "x".repeat(129));
        let name = format!(r#"{{"{}": "x"}}"#, "x".repeat(65));
        let many: Vec<_> = (0..17).map(|i| format!(r#""t{i}": "x""#)).collect();
        let many = format!("{{{}}}", many.join(", "));
        for (tags, param) in [
            ("[]", "options.tags"),
            (r#"{"user": 1}"#, "options.tags.user"),
            (r#"{"": "x"}"#, "options.tags"),
            (&long, "options.tags.user"),
            (&name, "options.tags"),
            (&many, "options.tags"),
        ] {
            assert_eq!(read(tags).unwrap_err().param.as_deref(), Some(param), "{tags}");
        }
        assert!(read(r#"{"user": "", "team": null}"#).is_ok());
    }
}
