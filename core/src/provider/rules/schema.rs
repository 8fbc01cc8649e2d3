//! Adapts JSON Schemas to a provider's dialect. Keywords that the dialect does not have go into the
//! description, where the model may still read them. Anthropic's SDK does the same.

use crate::codec::Object;
use crate::json::Value;

/// A dialect of JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Anthropic's: closed objects, no bounds, few formats, `anyOf` for `oneOf` [sdk 2.14].
    Anthropic,
    /// OpenAI's strict one: closed objects whose members are all required, `anyOf` for `oneOf`
    /// [doc].
    OpenAiStrict,
}

/// Formats of texts that Anthropic takes [sdk 2.14].
const FORMATS: [&str; 10] =
    ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];

/// Keywords of a number, a text, a list or an object that Anthropic refuses [sdk 2.14].
const NOT_ANTHROPIC: [&str; 20] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "maxItems",
    "uniqueItems",
    "contains",
    "minContains",
    "maxContains",
    "minProperties",
    "maxProperties",
    "patternProperties",
    "propertyNames",
    "default",
    "examples",
    "not",
];

/// Keywords that OpenAI's strict mode refuses [doc].
const NOT_OPENAI: [&str; 10] = [
    "default",
    "not",
    "dependentRequired",
    "dependentSchemas",
    "if",
    "then",
    "else",
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
];

impl Dialect {
    /// Whether a schema must be in the dialect. For OpenAI it must if it is marked strict. For
    /// Anthropic, the schema of an answer always must, and that of a tool must if it is strict.
    pub(super) fn holds(self, strict: Option<bool>, is_answer: bool) -> bool {
        strict == Some(true) || (self == Dialect::Anthropic && is_answer)
    }
}

/// The schema in the dialect, and the kinds of changes, each named once.
pub(super) fn adapted(schema: &Value, dialect: Dialect) -> (Value, Vec<String>) {
    let mut walk = Walk { dialect, changes: Vec::new() };
    let mut schema = schema.clone();
    walk.schema(&mut schema);
    (schema, walk.changes)
}

struct Walk {
    dialect: Dialect,
    changes: Vec<String>,
}

impl Walk {
    fn changed(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.changes.contains(&what) {
            self.changes.push(what);
        }
    }

    fn schema(&mut self, schema: &mut Value) {
        let Value::Object(node) = schema else { return };
        self.one_of(node);
        self.bounds(node);
        self.object(node);
        for (name, value) in node.iter_mut() {
            match (name.as_str(), value) {
                ("properties" | "$defs" | "definitions", Value::Object(members)) => {
                    members.iter_mut().for_each(|(_, member)| self.schema(member));
                }
                ("anyOf" | "allOf" | "prefixItems", Value::Array(items)) => {
                    items.iter_mut().for_each(|item| self.schema(item));
                }
                ("items", item) => self.schema(item),
                _ => {}
            }
        }
    }

    fn one_of(&mut self, node: &mut Object) {
        if node.contains_key("anyOf") {
            return;
        }
        if let Some(choices) = node.shift_remove("oneOf") {
            self.changed("oneOf is anyOf");
            node.insert("anyOf", choices);
        }
    }

    /// Moves keywords that the dialect does not have to the description.
    fn bounds(&mut self, node: &mut Object) {
        let words: &[&str] = match self.dialect {
            Dialect::Anthropic => &NOT_ANTHROPIC,
            Dialect::OpenAiStrict => &NOT_OPENAI,
        };
        let mut told = Vec::new();
        node.retain(|name, value| {
            let refused = words.contains(&name.as_str())
                || self.dialect == Dialect::Anthropic && is_refused(name, value);
            if refused {
                told.push((name.clone(), value.take()));
            }
            !refused
        });
        if told.is_empty() {
            return;
        }
        let mut text = Vec::new();
        for (name, value) in told {
            self.changed(format!("{} goes to the description", name.as_str()));
            text.push(format!("{}: {value}", name.as_str()));
        }
        let text = format!("{{{}}}", text.join(", "));
        let text = match node.get("description").and_then(Value::as_str) {
            Some(said) => format!("{said}\n\n{text}"),
            None => text,
        };
        node.insert("description", text);
    }

    /// Closes an object. The strict dialect requires each of its members, with the optional ones as
    /// nullable.
    fn object(&mut self, node: &mut Object) {
        let is_object = match node.get("type") {
            Some(Value::String(kind)) => kind == "object",
            Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "object"),
            _ => node.contains_key("properties"),
        };
        if !is_object {
            return;
        }
        if node.get("additionalProperties") != Some(&Value::Bool(false)) {
            self.changed("additionalProperties is false");
            node.insert("additionalProperties", false);
        }
        if self.dialect == Dialect::OpenAiStrict {
            self.require(node);
        }
    }

    fn require(&mut self, node: &mut Object) {
        let required: Vec<Value> = match node.get("required") {
            Some(Value::Array(names)) => names.clone(),
            _ => Vec::new(),
        };
        let Some(Value::Object(members)) = node.get_mut("properties") else { return };
        let mut all = required.clone();
        for (name, member) in members.iter_mut() {
            if !required.iter().any(|given| given == name.as_str()) {
                all.push(name.as_str().into());
                nullable(member);
            }
        }
        if all.len() > required.len() {
            self.changed("optional members are required and may be null");
            node.insert("required", all);
        }
    }
}

fn is_refused(name: &str, value: &Value) -> bool {
    match name {
        "format" => value.as_str().is_some_and(|format| !FORMATS.contains(&format)),
        "minItems" => value.as_u64().is_none_or(|least| least > 1),
        _ => false,
    }
}

/// Makes the schema accept `null` too.
fn nullable(member: &mut Value) {
    let null = || Value::from("null");
    let Value::Object(node) = member else { return };
    match node.get_mut("type") {
        Some(kind @ Value::String(_)) if *kind != *"null" => {
            *kind = vec![kind.take(), null()].into()
        }
        Some(Value::Array(kinds)) if !kinds.contains(&null()) => kinds.push(null()),
        Some(_) => {}
        None => {
            let null = Value::Object(Object::from_iter([("type", null())]));
            if let Some(Value::Array(choices)) = node.get_mut("anyOf") {
                if !choices.contains(&null) {
                    choices.push(null);
                }
            } else {
                let choices = vec![member.take(), null];
                *member = Value::Object(Object::from_iter([("anyOf", Value::Array(choices))]));
            }
            return;
        }
    }
    if let Some(Value::Array(values)) = node.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
}
