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
    /// Gemini's `responseJsonSchema`: no patterns, lengths or defaults [doc].
    Gemini,
}

/// Formats of texts that OpenAI takes [doc]. Another one is "not a valid format"
/// (can1357/oh-my-pi#206).
const FORMATS: [&str; 9] =
    ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];

/// The one that Anthropic takes beside these [sdk 2.14].
const URI: &str = "uri";

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

/// Keywords that OpenAI's strict mode refuses [doc], the last seven by pydantic-ai's transformer.
const NOT_OPENAI: [&str; 17] = [
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
    "unevaluatedItems",
    "uniqueItems",
    "contains",
    "minContains",
    "maxContains",
    "minProperties",
    "maxProperties",
];

/// Keywords that Gemini's schemas do not have. Its documents list those that they have, and the
/// rest is not read [doc].
const NOT_GEMINI: [&str; 17] = [
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
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

impl Dialect {
    /// Whether a schema must be in the dialect. For OpenAI it must if it is marked strict. For
    /// Anthropic, the schema of an answer always must, and that of a tool must if it is strict. For
    /// Gemini, that of an answer must.
    pub(super) fn holds(self, strict: Option<bool>, is_answer: bool) -> bool {
        match self {
            Dialect::OpenAiStrict => strict == Some(true),
            Dialect::Anthropic => strict == Some(true) || is_answer,
            Dialect::Gemini => is_answer,
        }
    }

    /// Whether a keyword is refused for its value.
    fn refuses(self, name: &str, value: &Value) -> bool {
        let anthropic = self == Dialect::Anthropic;
        match name {
            "format" if self != Dialect::Gemini => value
                .as_str()
                .is_some_and(|format| !(FORMATS.contains(&format) || anthropic && format == URI)),
            "minItems" => anthropic && value.as_u64().is_none_or(|least| least > 1),
            _ => false,
        }
    }

    /// Whether a schema may refer to itself. Anthropic: "Circular reference detected in schema
    /// definitions" [rec]. OpenAI takes it [doc].
    pub(super) fn has_recursion(self) -> bool {
        self != Dialect::Anthropic
    }
}

/// The schema in the dialect, and the kinds of changes, each named once.
pub(super) fn adapted(schema: &Value, dialect: Dialect) -> (Value, Vec<String>) {
    let mut walk = Walk { dialect, changes: Vec::new() };
    let mut schema = schema.clone();
    walk.root(&mut schema);
    walk.schema(&mut schema);
    (schema, walk.changes)
}

/// Whether following the references of a schema leads back to where one began.
pub(super) fn refers_to_itself(schema: &Value) -> bool {
    /// Follows each reference that is not being followed. `done` are those that led nowhere.
    fn circles<'a>(
        root: &'a Value,
        node: &'a Value,
        under_way: &mut Vec<&'a str>,
        done: &mut Vec<&'a str>,
    ) -> bool {
        match node {
            Value::Array(items) => items.iter().any(|item| circles(root, item, under_way, done)),
            Value::Object(members) => {
                let inside = members.iter().filter(|(name, _)| !is_definitions(name));
                for (_, member) in inside {
                    if circles(root, member, under_way, done) {
                        return true;
                    }
                }
                let Some(to) = members.get("$ref").and_then(Value::as_str) else { return false };
                if under_way.contains(&to) {
                    return true;
                }
                let Some(target) = at(root, to).filter(|_| !done.contains(&to)) else {
                    return false;
                };
                under_way.push(to);
                let found = circles(root, target, under_way, done);
                under_way.pop();
                done.push(to);
                found
            }
            _ => false,
        }
    }
    circles(schema, schema, &mut vec!["#"], &mut Vec::new())
}

fn is_definitions(name: &str) -> bool {
    matches!(name, "$defs" | "definitions")
}

/// The part of a schema that a reference inside it means (RFC 6901).
fn at<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    let mut place = root;
    for step in reference.strip_prefix("#")?.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        place = match place {
            Value::Array(items) => items.get(step.parse::<usize>().ok()?)?,
            place => place.get(&step)?,
        };
    }
    Some(place)
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
        self.choices(node);
        self.bounds(node);
        self.reference(node);
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
        self.object(node);
    }

    /// A whole schema that is only a reference becomes what it refers to, because OpenAI wants an
    /// object there. Its SDK does the same [sdk 3.54].
    fn root(&mut self, schema: &mut Value) {
        if self.dialect != Dialect::OpenAiStrict {
            return;
        }
        let to = schema.get("$ref").and_then(Value::as_str);
        let Some(Value::Object(target)) = to.and_then(|to| at(schema, to)).cloned() else { return };
        let Value::Object(node) = schema else { return };
        self.changed("the first $ref is what it refers to");
        node.shift_remove("$ref");
        for (name, value) in target {
            if !node.contains_key(name.as_str()) {
                node.insert(name, value);
            }
        }
    }

    /// Writes choices as `anyOf`. OpenAI has no `allOf`: one of a single schema is a choice of it.
    fn choices(&mut self, node: &mut Object) {
        if self.dialect == Dialect::Gemini
            && let Some(only) = node.shift_remove("const")
        {
            self.changed("const is enum");
            node.insert("enum", vec![only]);
        }
        if node.contains_key("anyOf") {
            return;
        }
        let single = |all: &Value| all.as_array().is_some_and(|all| all.len() == 1);
        let strict = self.dialect == Dialect::OpenAiStrict;
        if let Some(choices) = node.shift_remove("oneOf") {
            self.changed("oneOf is anyOf");
            node.insert("anyOf", choices);
        } else if strict && let Some(one) = node.take_if("allOf", single) {
            self.changed("allOf is anyOf");
            node.insert("anyOf", one);
        }
    }

    /// Puts a reference that stands beside other keywords into a choice of its own: "`$ref`s cannot
    /// be used if there are also other properties defined" (OpenAI [sdk 3.54]).
    fn reference(&mut self, node: &mut Object) {
        let alone = node.len() == 1 || node.contains_key("anyOf");
        if self.dialect != Dialect::OpenAiStrict || alone {
            return;
        }
        if let Some(to) = node.take_if("$ref", Value::is_string) {
            self.changed("$ref stands alone");
            let reference = Value::Object(Object::from_iter([("$ref", to)]));
            node.insert("anyOf", vec![reference]);
        }
    }

    /// Moves keywords that the dialect does not have to the description.
    fn bounds(&mut self, node: &mut Object) {
        let words: &[&str] = match self.dialect {
            Dialect::Anthropic => &NOT_ANTHROPIC,
            Dialect::OpenAiStrict => &NOT_OPENAI,
            Dialect::Gemini => &NOT_GEMINI,
        };
        let mut told = Vec::new();
        node.retain(|name, value| {
            let refused = words.contains(&name.as_str()) || self.dialect.refuses(name, value);
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
        if self.dialect == Dialect::Gemini {
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
