//! The rules of a route: which requests need a target of which quality.

use crate::codec::{Fields, finish_near, wrong};
use crate::error::Error;
use crate::json::Value;
use crate::model::{Traits, read_quality};

/// One rule. The first that holds counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FloorRule {
    when: Vec<Condition>,
    /// The least quality of a target.
    pub(crate) min_quality: u8,
}

/// What a rule looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    Tools(bool),
    Images(bool),
    JsonSchema(bool),
    Reasoning(bool),
    /// The prompt has fewer tokens than this, as far as can be guessed.
    PromptBelow(u64),
    Tag(Box<str>, Box<str>),
}

const CONDITIONS: [&str; 5] =
    ["tools", "images", "json_schema", "reasoning", "prompt_tokens_below"];

/// The most rules of a route.
const MOST: usize = 64;

/// Reads `rules`. `best` is the best quality of the route's targets.
pub(super) fn read(fields: &mut Fields, best: u8) -> Result<Vec<FloorRule>, Error> {
    let path = fields.at("rules");
    let items = fields.list("rules")?.unwrap_or_default();
    if items.len() > MOST {
        return Err(Error::invalid(&path, format!("{path}: {MOST} rules at most")));
    }
    let rule = |(i, item): (usize, Value)| {
        let mut fields = Fields::of(item, format!("{path}[{i}]"))?;
        let when = match fields.object("when")? {
            Some(object) => conditions(Fields::new(object, fields.at("when")))?,
            None => Vec::new(),
        };
        let Some(min_quality) = read_quality(&mut fields)? else {
            return Err(fields.missing("min_quality", "the least quality of a target, 1 to 5"));
        };
        if min_quality > best {
            let path = fields.at("min_quality");
            let message = format!(
                "{path} is {min_quality}, and no target of the route has such a quality: the best \
                 is {best}"
            );
            return Err(Error::invalid(path, message));
        }
        finish_near(fields, "a rule", &["when", "min_quality"], "docs/cost.md")?;
        Ok(FloorRule { when, min_quality })
    };
    items.into_iter().enumerate().map(rule).collect()
}

fn conditions(mut fields: Fields) -> Result<Vec<Condition>, Error> {
    let known = [
        fields.bool("tools")?.map(Condition::Tools),
        fields.bool("images")?.map(Condition::Images),
        fields.bool("json_schema")?.map(Condition::JsonSchema),
        fields.bool("reasoning")?.map(Condition::Reasoning),
        fields.whole("prompt_tokens_below", 1)?.map(Condition::PromptBelow),
    ];
    let mut conditions: Vec<_> = known.into_iter().flatten().collect();
    let path = fields.at("");
    for (name, value) in fields.rest() {
        let path = format!("{path}{name}");
        let Some(tag) = name.strip_prefix("tag:").filter(|tag| !tag.is_empty()) else {
            let message = format!("{path} must be one of {}, tag:<name>", CONDITIONS.join(", "));
            return Err(Error::invalid(path, message));
        };
        match value {
            Value::String(text) => conditions.push(Condition::Tag(tag.into(), text.into())),
            other => return Err(wrong(&path, "a string", &other)),
        }
    }
    Ok(conditions)
}

impl FloorRule {
    /// Whether it is about a request with these traits and tags.
    pub(crate) fn holds(&self, traits: &Traits, tags: &[(String, String)]) -> bool {
        let size = &traits.size;
        self.when.iter().all(|condition| match condition {
            Condition::Tools(wanted) => size.tools == *wanted,
            Condition::Images(wanted) => (size.pictures > 0) == *wanted,
            Condition::JsonSchema(wanted) => traits.json_schema == *wanted,
            Condition::Reasoning(wanted) => traits.reasoning == *wanted,
            Condition::PromptBelow(tokens) => size.likely_input() < *tokens,
            Condition::Tag(name, value) => {
                tags.iter().any(|(own, is)| **own == **name && **is == **value)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::model::Size;

    fn read(route: &str) -> Result<Vec<FloorRule>, Error> {
        let config = format!(r#"{{"routes": {{"r": {route}}}}}"#);
        Config::parse(config.as_bytes()).map(|mut config| config.routes.remove(0).rules)
    }

    const TARGETS: &str = r#""targets": [{"target": "openai/a", "quality": 2}, {"target": "openai/b", "quality": 4}]"#;

    #[test]
    fn rules_hold_by_what_is_asked() {
        let holds = |when: &str, traits: Traits, tags: &[(String, String)]| {
            let rules =
                format!(r#"{{{TARGETS}, "rules": [{{"when": {when}, "min_quality": 1}}]}}"#);
            read(&rules).unwrap()[0].holds(&traits, tags)
        };
        let size = Size { bytes: 1_000, tools: true, ..Size::default() };
        let asked = Traits { size, json_schema: true, reasoning: false };
        let tags = [("team".to_owned(), "x".to_owned())];
        for (when, held) in [
            ("{}", true),
            (r#"{"tools": true}"#, true),
            (r#"{"tools": false}"#, false),
            (r#"{"images": false, "json_schema": true}"#, true),
            (r#"{"images": true}"#, false),
            (r#"{"reasoning": false}"#, true),
            (r#"{"prompt_tokens_below": 251}"#, false),
            (r#"{"prompt_tokens_below": 252}"#, true),
            (r#"{"tag:team": "x"}"#, true),
            (r#"{"tag:team": "y"}"#, false),
            (r#"{"tag:team": "x", "tools": false}"#, false),
        ] {
            assert_eq!(holds(when, asked, &tags), held, "{when}");
        }
    }

    #[test]
    fn bad_rules_are_named() {
        let rule = |rule: &str| format!(r#"{{{TARGETS}, "rules": [{rule}]}}"#);
        for (route, param) in [
            (rule("1"), "routes.r.rules[0]"),
            (rule("{}"), "routes.r.rules[0].min_quality"),
            (rule(r#"{"min_quality": 0}"#), "routes.r.rules[0].min_quality"),
            (rule(r#"{"min_quality": 6}"#), "routes.r.rules[0].min_quality"),
            (rule(r#"{"min_quality": 5}"#), "routes.r.rules[0].min_quality"),
            (rule(r#"{"min_quality": 1, "if": {}}"#), "routes.r.rules[0].if"),
            (
                rule(r#"{"min_quality": 1, "when": {"audio": true}}"#),
                "routes.r.rules[0].when.audio",
            ),
            (rule(r#"{"min_quality": 1, "when": {"tag:x": 1}}"#), "routes.r.rules[0].when.tag:x"),
            (
                r#"{"targets": [{"target": "openai/a", "quality": 6}]}"#.to_owned(),
                "routes.r.targets[0].quality",
            ),
            (
                r#"{"targets": ["openai/a"], "policy": "cost", "slack_percent": -1}"#.to_owned(),
                "routes.r.slack_percent",
            ),
        ] {
            let error = read(&route).unwrap_err();
            assert_eq!(error.param.as_deref(), Some(param), "{route}");
        }
    }
}
