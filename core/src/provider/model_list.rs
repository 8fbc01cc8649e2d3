//! Reads what every provider's list of models has in common.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::json::{count, take_list, take_object, take_string};
use super::{Target, classify};
use crate::codec::{Object, parse_foreign};
use crate::error::Error;
use crate::json::Value;
use crate::model::{ModelInfo, ModelList, Warning};
use crate::wire::{Reply, retry_after};

/// The names of the members for a model's context and output sizes, the more specific first [rec].
const CONTEXT: [&str; 6] = [
    "context_window",
    "context_length",
    "max_context_length",
    "max_model_len",
    "max_input_tokens",
    "inputTokenLimit",
];
const OUTPUT: [&str; 4] =
    ["max_completion_tokens", "max_output_length", "max_tokens", "outputTokenLimit"];

/// The members that name what a model can do [rec]: Google's, Cohere's two, Groq's, `OpenRouter`'s.
/// The last one is Bedrock's [spec].
const WORDS: [&str; 6] = [
    "supportedGenerationMethods",
    "endpoints",
    "features",
    "supported_features",
    "supported_parameters",
    "outputModalities",
];

/// What a token is encoded with: a signature allows no other spelling.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What a list says besides its models.
pub(super) struct Page {
    pub(super) list: ModelList,
    /// The member that held the list. `None`: the answer is one model, or a bare list.
    #[cfg_attr(not(feature = "bedrock"), expect(dead_code, reason = "Bedrock has two lists"))]
    pub(super) member: Option<&'static str>,
    pub(super) rest: Object,
}

impl Page {
    /// The list, with the next page's token if there is one in this member.
    pub(super) fn followed_by(mut self, member: &str) -> ModelList {
        self.list.next = take_string(&mut self.rest, member).filter(|token| !token.is_empty());
        self.list
    }

    /// Whether the list says that more follows.
    pub(super) fn has_more(&self) -> bool {
        self.rest.get("has_more").and_then(Value::as_bool) == Some(true)
    }

    /// The list, with a warning that more follows that cannot be asked for.
    pub(super) fn truncated(mut self, target: &Target) -> ModelList {
        let message =
            format!("{} has more models, and does not say how to ask for them", target.provider);
        self.list.warnings.push(Warning { code: "truncated", message, param: None });
        self.list
    }
}

/// The query for a page: that of the first one, and the token in this parameter.
pub(super) fn query(first: &'static str, parameter: &str, page: Option<&str>) -> Cow<'static, str> {
    match page {
        None => first.into(),
        Some(token) => {
            format!("{first}&{parameter}={}", utf8_percent_encode(token, RESERVED)).into()
        }
    }
}

/// Reads a list of models, or one model. `lists` names the members that may hold the list, and
/// `names` those that may hold a model's id.
pub(super) fn read(
    reply: &Reply<'_>,
    target: &Target,
    lists: &[&'static str],
    names: &[&str],
) -> Result<Page, Error> {
    if !(200..300).contains(&reply.status) {
        return Err(classify::failed(reply, target));
    }
    let bad = |what: &str| classify::bad_response(what, reply, target);
    // Together answers with the bare list [rec].
    let (mut list, mut member, mut rest) = (ModelList::default(), None, Object::new());
    let items = if let Ok(Value::Array(items)) = parse_foreign(reply.body) {
        items
    } else {
        let (mut object, warnings) = classify::answer_object(reply, target)?;
        list.warnings = warnings;
        match lists.iter().find_map(|name| Some((*name, take_list(&mut object, name)?))) {
            Some((name, items)) => {
                (member, rest) = (Some(name), object);
                items
            }
            // Bedrock has a member for it [spec].
            None => match take_object(&mut object, "modelDetails") {
                Some(one) => vec![Value::Object(one)],
                None => vec![Value::Object(object)],
            },
        }
    };
    for item in items {
        let Value::Object(object) = item else {
            return Err(bad("a model of the answer is not an object"));
        };
        let info = model(object, target, names);
        list.data.push(info.ok_or_else(|| bad("a model of the answer has no id"))?);
    }
    Ok(Page { list, member, rest })
}

fn model(mut object: Object, target: &Target, names: &[&str]) -> Option<ModelInfo> {
    let id = names.iter().find_map(|name| take_string(&mut object, name))?;
    object.shift_remove("object");
    let mut number = |names: &[&str]| {
        let name = names.iter().find(|name| count(object.get(name)).is_some_and(|n| n > 0))?;
        count(object.shift_remove(name).as_ref())
    };
    let (context_window, max_output) = (number(&CONTEXT), number(&OUTPUT));
    // Servers that do not know it write 0 [rec].
    let created = number(&["created"]).and_then(|seconds| i64::try_from(seconds).ok());
    let created = created.or_else(|| {
        let mut times = ["created_at", "createdAt"].into_iter().filter_map(|name| {
            let at = object.get(name).and_then(Value::as_str).and_then(retry_after::unix_time)?;
            Some((name, at))
        });
        let (name, at) = times.next()?;
        drop(object.shift_remove(name));
        Some(at)
    });
    // Cohere says it in the model's configuration [rec].
    let configured = || count(object.get("config")?.get("max_output_tokens"));
    let max_output = max_output.or_else(configured);
    object.retain(|_, value| !value.is_null());
    Some(ModelInfo {
        id,
        provider: target.provider.to_string(),
        created,
        context_window,
        max_output,
        capabilities: capabilities(&object),
        provider_fields: object,
    })
}

/// What a model can do, in the provider's words: those of lists, and the names of what is marked as
/// true. Anthropic's marks are objects, `{"supported": true}` [rec]. Google has one for thinking [rec].
pub(super) fn capabilities(object: &Object) -> Vec<String> {
    let lists = WORDS.iter().filter_map(|name| object.get(name)?.as_array()).flatten();
    let mut words: Vec<String> = lists.filter_map(Value::as_str).map(str::to_owned).collect();
    let marked = |value: &Value| {
        let supported = value.get("supported").unwrap_or(value);
        *supported == Value::Bool(true)
    };
    let marks = object.get("capabilities").and_then(Value::as_object).into_iter().flatten();
    words.extend(marks.filter(|(_, value)| marked(value)).map(|(name, _)| name.to_string()));
    words.extend(object.get("thinking").filter(|on| marked(on)).map(|_| "thinking".to_owned()));
    words
}

/// The path of the target's model under that of the list. The id is percent-encoded, except for
/// characters that known ids have.
pub(super) fn path_of_one(list: &str, target: &Target) -> Result<String, Error> {
    if target.model.split('/').any(|part| matches!(part, "." | "..")) {
        // It would be the path of another resource, which the key may read.
        return Err(Error::invalid("model", "model has a part \".\" or \"..\": no id has"));
    }
    let mut out = format!("{list}/");
    for byte in target.model.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'-'
            | b'_'
            | b'.'
            | b'~'
            | b':'
            | b'/'
            | b'@' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    Ok(out)
}
