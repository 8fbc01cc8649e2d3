//! Which names of models an entry of the price table is for.

use crate::json::Value;

/// A condition on the name of a model, in lower case.
#[derive(Debug)]
pub(super) enum Clause {
    /// The name itself.
    Is(Box<str>),
    Starts(Box<str>),
    Ends(Box<str>),
    Has(Box<str>),
    /// The name and a date: `-YYYYMMDD`, `@YYYYMMDD` or `-YYYY-MM-DD`.
    Dated(Box<str>),
    /// The name, a hyphen and a digit, whatever follows.
    Numbered(Box<str>),
    /// None of the parts between hyphens is this one, but for the first.
    Lacks(Box<str>),
    All(Box<[Clause]>),
    Any(Box<[Clause]>),
}

impl Clause {
    /// Reads a clause of the table. None for one that this build does not know.
    pub(super) fn read(value: &Value) -> Option<Clause> {
        let object = value.as_object().filter(|object| object.len() == 1)?;
        let (kind, value) = object.iter().next()?;
        let text = || Some(Box::from(value.as_str()?));
        Some(match kind.as_str() {
            "is" => Clause::Is(text()?),
            "starts" => Clause::Starts(text()?),
            "ends" => Clause::Ends(text()?),
            "has" => Clause::Has(text()?),
            "dated" => Clause::Dated(text()?),
            "numbered" => Clause::Numbered(text()?),
            "lacks" => Clause::Lacks(text()?),
            "all" => Clause::All(Clause::list(value)?),
            "any" => Clause::Any(Clause::list(value)?),
            _ => return None,
        })
    }

    /// Reads a list of clauses.
    pub(super) fn list(value: &Value) -> Option<Box<[Clause]>> {
        value.as_array()?.iter().map(Clause::read).collect()
    }

    /// Whether it is this name and nothing else.
    pub(super) fn is(&self, name: &str) -> bool {
        match self {
            Clause::Is(own) => **own == *name,
            Clause::Any(clauses) => clauses.iter().any(|clause| clause.is(name)),
            _ => false,
        }
    }

    /// Whether it holds for a name.
    pub(super) fn holds(&self, name: &str) -> bool {
        match self {
            Clause::Is(own) => **own == *name,
            Clause::Starts(start) => name.starts_with(&**start),
            Clause::Ends(end) => name.ends_with(&**end),
            Clause::Has(part) => name.contains(&**part),
            Clause::Dated(own) => name.strip_prefix(&**own).is_some_and(is_date),
            Clause::Numbered(own) => {
                let rest = name.strip_prefix(&**own).and_then(|rest| rest.strip_prefix('-'));
                rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            }
            Clause::Lacks(part) => !name.split('-').skip(1).any(|own| *own == **part),
            Clause::All(clauses) => clauses.iter().all(|clause| clause.holds(name)),
            Clause::Any(clauses) => clauses.iter().any(|clause| clause.holds(name)),
        }
    }
}

/// `-YYYYMMDD`, `@YYYYMMDD` or `-YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
    match bytes {
        [b'-' | b'@', date @ ..] if date.len() == 8 => digits(date),
        [b'-', date @ ..] if date.len() == 10 => {
            date[4] == b'-'
                && date[7] == b'-'
                && digits(&date[..4])
                && digits(&date[5..7])
                && digits(&date[8..])
        }
        _ => false,
    }
}

/// The name with a date like `-20251211` written as `-2025-12-11`. Gateways write the former where
/// the provider has the latter.
pub(super) fn with_hyphens(name: &str) -> Option<String> {
    let bytes = name.as_bytes();
    let at = (0..bytes.len()).find(|at| {
        let date = &bytes[*at..];
        date.len() >= 9
            && date[0] == b'-'
            && date[1..9].iter().all(u8::is_ascii_digit)
            && date[1..3] == *b"20"
            && matches!(&date[5..7], [b'0', b'1'..=b'9'] | [b'1', b'0'..=b'2'])
            && matches!(&date[7..9], [b'0', b'1'..=b'9'] | [b'1' | b'2', _] | [b'3', b'0' | b'1'])
            && matches!(date.get(9), None | Some(b'-' | b':'))
    })?;
    let (year, month, day) = (at + 1, at + 5, at + 7);
    Some([&name[..month], "-", &name[month..day], "-", &name[day..]].concat()).filter(|_| year > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    fn holds(clause: &str, name: &str) -> bool {
        Clause::read(&parse(clause).unwrap()).unwrap().holds(name)
    }

    #[test]
    fn dates_behind_a_name() {
        let dated = r#"{"dated": "m-1"}"#;
        for name in ["m-1-20260101", "m-1@20260101", "m-1-2026-01-01"] {
            assert!(holds(dated, name), "{name}");
        }
        for name in
            ["m-1", "m-1-2026", "m-1-202601011", "m-1-2026-1-1", "m-1-abcdefgh", "m-1x-20260101"]
        {
            assert!(!holds(dated, name), "{name}");
        }
    }

    #[test]
    fn other_clauses() {
        assert!(holds(r#"{"numbered": "g"}"#, "g-001-x"));
        assert!(!holds(r#"{"numbered": "g"}"#, "g-x"));
        assert!(!holds(r#"{"numbered": "g"}"#, "g"));
        assert!(holds(r#"{"lacks": "tts"}"#, "tts-1-ttsx"));
        assert!(!holds(r#"{"lacks": "tts"}"#, "gemini-tts-x"));
        assert!(!holds(r#"{"lacks": "tts"}"#, "gemini-tts"));
        assert!(holds(
            r#"{"all": [{"starts": "a"}, {"any": [{"ends": "b"}, {"has": "x"}]}]}"#,
            "ax1"
        ));
        for unknown in [r#"{"like": "a"}"#, r#"{"is": 1}"#, r#"{}"#, r#"{"is": "a", "has": "b"}"#] {
            assert!(Clause::read(&parse(unknown).unwrap()).is_none(), "{unknown}");
        }
    }

    #[test]
    fn a_date_gets_its_hyphens() {
        for (name, other) in [
            ("gpt-5.2-20251211", Some("gpt-5.2-2025-12-11")),
            ("gpt-5.2-20251211:free", Some("gpt-5.2-2025-12-11:free")),
            ("gpt-5.2-20251311", None),
            ("gpt-5.2-20251200", None),
            ("gpt-5.2-19991211", None),
            ("gpt-5.2-202512111", None),
            ("é-20251211", Some("é-2025-12-11")),
        ] {
            assert_eq!(with_hyphens(name).as_deref(), other, "{name}");
        }
    }
}
