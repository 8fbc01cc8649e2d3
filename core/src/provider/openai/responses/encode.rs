//! Encodes a unified request as the body of Responses.

use super::input;
use super::writer::{Writer, insert};
use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{Request, ResponseFormat, Tool, ToolChoice};
use crate::provider::openai::dialect::{Dialect, Reasoning};
use crate::provider::{Notes, Target, extra, further, rules};
use crate::wire;

/// What Responses takes of the members that only some providers know [sdk].
const FURTHER: further::Takes = &[
    ("logprobs", "logprobs"),
    ("top_logprobs", "top_logprobs"),
    ("service_tier", "service_tier"),
    ("verbosity", "verbosity"),
    ("prompt_cache_key", "prompt_cache_key"),
    ("safety_identifier", "safety_identifier"),
];

/// The HTTP request for `request`.
pub(in crate::provider::openai) fn request(
    dialect: &Dialect,
    request: &Request,
    target: &Target,
    notes: &mut Notes,
) -> Result<wire::Request, Error> {
    let extra = extra(&request.extra, target);
    let request = &*rules::adapted(request, dialect.rules, target, &extra, notes)?;
    let mut writer =
        Writer { dialect, name: &target.provider, notes, body: Object::with_capacity(16) };
    writer.put("model", Some(&*target.model));
    let (instructions, input) = input::conversation(&request.messages, &mut writer)?;
    writer.put("instructions", instructions);
    writer.put("input", Some(input));
    writer.put("max_output_tokens", request.max_tokens);
    writer.sampling(request)?;
    writer.tools(request)?;
    writer.reasoning(request)?;
    writer.answer_form(request);
    writer.put_if(dialect.metadata, "metadata", request.metadata.clone())?;
    writer.put_if(dialect.user, "user", request.user.clone())?;
    let logprobs = writer.further(request)?;
    // Nothing is stored, so reasoning comes back with the next turn, encrypted.
    writer.put("store", Some(false));
    let reasoning = reasons(&target.model).then_some("reasoning.encrypted_content");
    let include: Vec<_> = reasoning.into_iter().chain(logprobs).map(Value::from).collect();
    writer.put("include", Some(include).filter(|include| !include.is_empty()));
    writer.put("stream", request.stream.then_some(true));
    let Writer { mut body, .. } = writer;
    body.extend(extra);
    dialect.post(target, body.to_json())
}

/// The body of a count of tokens: the members of a chat's that count [sdk].
pub(in crate::provider::openai) fn counted(
    dialect: &Dialect,
    request: &Request,
    target: &Target,
    notes: &mut Notes,
) -> Result<Object, Error> {
    let extra = extra(&request.extra, target);
    let request = &*rules::adapted(request, dialect.rules, target, &extra, notes)?;
    let mut writer =
        Writer { dialect, name: &target.provider, notes, body: Object::with_capacity(8) };
    writer.put("model", Some(&*target.model));
    let (instructions, input) = input::conversation(&request.messages, &mut writer)?;
    writer.put("instructions", instructions);
    writer.put("input", Some(input));
    writer.tools(request)?;
    writer.reasoning(request)?;
    writer.answer_form(request);
    writer.further(request)?;
    let Writer { mut body, .. } = writer;
    body.extend(extra);
    Ok(body)
}

/// Whether a model may reason. OpenAI's models that do not refuse to be asked for their encrypted
/// reasoning [unverified]. Other models may have any name.
fn reasons(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    !["gpt-3", "gpt-4", "gpt-5-chat", "chatgpt-"].iter().any(|start| name.starts_with(start))
}

impl Writer<'_> {
    fn sampling(&mut self, request: &Request) -> Result<(), Error> {
        let takes = self.dialect.sampling;
        self.put_if(takes.temperature, "temperature", request.temperature.clone())?;
        self.put_if(takes.top_p, "top_p", request.top_p.clone())?;
        let stop = (!request.stop.is_empty()).then(|| request.stop.clone());
        self.put_if(takes.stop, "stop", stop)?;
        self.put_if(takes.seed, "seed", request.seed.clone())?;
        // Every server gives one choice.
        self.put_if(takes.n, "n", request.n.filter(|n| takes.n || *n != 1))?;
        let presence = request.presence_penalty.clone();
        self.put_if(takes.presence_penalty, "presence_penalty", presence)?;
        let frequency = request.frequency_penalty.clone();
        self.put_if(takes.frequency_penalty, "frequency_penalty", frequency)
    }

    fn tools(&mut self, request: &Request) -> Result<(), Error> {
        let mut tools = Vec::new();
        for (i, tool) in request.tools.iter().enumerate() {
            let Tool::Function { name, description, parameters, strict, cache_control } = tool
            else {
                let Tool::Native(native) = tool else { continue };
                tools.push(Value::Object(own_tool(native)));
                continue;
            };
            if cache_control.is_some() {
                self.cannot(&format!("tools[{i}].cache_control"))?;
            }
            let mut out = Object::from_iter([
                ("type", Value::from("function")),
                ("name", Value::from(name.as_str())),
            ]);
            insert(&mut out, "description", description.clone());
            // Both are required. Without `strict` a function would be strict here [sdk].
            let none = || json!({"type": "object", "properties": Object::new()});
            insert(&mut out, "parameters", Some(parameters.clone().unwrap_or_else(none)));
            insert(&mut out, "strict", Some(strict.unwrap_or(false)));
            tools.push(Value::Object(out));
        }
        self.put("tools", Some(tools).filter(|tools| !tools.is_empty()));
        let choice = match &request.tool_choice {
            Some(ToolChoice::Auto) => Some(Value::from("auto")),
            Some(ToolChoice::None) => Some(Value::from("none")),
            Some(ToolChoice::Required) => Some(Value::from("required")),
            Some(ToolChoice::Function(name)) => Some(json!({"type": "function", "name": name})),
            None => None,
        };
        self.put_if(self.dialect.tool_choice, "tool_choice", choice)?;
        let parallel = request.parallel_tool_calls;
        self.put_if(self.dialect.parallel_tool_calls, "parallel_tool_calls", parallel)
    }

    fn reasoning(&mut self, request: &Request) -> Result<(), Error> {
        let Some(asked) = &request.reasoning else { return Ok(()) };
        let mut out = Object::new();
        insert(&mut out, "effort", asked.effort.clone());
        match asked.budget_tokens {
            Some(budget) if self.dialect.reasoning == Reasoning::Object => {
                insert(&mut out, "max_tokens", Some(budget));
            }
            Some(_) => self.cannot("reasoning.budget_tokens")?,
            None => {}
        }
        if out.is_empty() {
            return Ok(());
        }
        let silent = asked.effort.as_deref() == Some("none");
        insert(&mut out, "summary", (!silent).then_some("auto"));
        self.put("reasoning", Some(out));
        Ok(())
    }

    /// Writes the members that only some providers know. Two have places of their own: what is
    /// returned has to be included in the answer.
    fn further(&mut self, request: &Request) -> Result<Option<&'static str>, Error> {
        let mut found = Object::new();
        self.notes.further(request, FURTHER, self.name, &mut found)?;
        if let Some(verbosity) = found.shift_remove("verbosity") {
            match self.body.get_mut("text") {
                Some(Value::Object(text)) => {
                    text.insert("verbosity", verbosity);
                }
                _ => self.put("text", Some(json!({ "verbosity": verbosity }))),
            }
        }
        // The number alone asks for them, too: nothing is returned that is not included [rec].
        let logprobs = found.shift_remove("logprobs") == Some(Value::Bool(true))
            || found.get("top_logprobs").is_some();
        self.body.extend(found);
        Ok(logprobs.then_some("message.output_text.logprobs"))
    }

    fn answer_form(&mut self, request: &Request) {
        let format = match request.response_format.as_deref() {
            None => return,
            Some(ResponseFormat::Text) => json!({"type": "text"}),
            Some(ResponseFormat::JsonObject) => json!({"type": "json_object"}),
            Some(ResponseFormat::JsonSchema { name, description, schema, strict }) => {
                let mut out = Object::from_iter([
                    ("type", Value::from("json_schema")),
                    ("name", Value::from(name.as_str())),
                ]);
                insert(&mut out, "description", description.clone());
                insert(&mut out, "schema", Some(schema.clone()));
                insert(&mut out, "strict", *strict);
                Value::Object(out)
            }
        };
        self.put("text", Some(json!({ "format": format })));
    }
}

/// A tool of the provider's own, as it is. A custom tool in the form of chat completions becomes
/// flat.
fn own_tool(native: &Object) -> Object {
    let mut out = native.clone();
    if let Some(Value::Object(mut custom)) = out.take_if("custom", Value::is_object) {
        if let Some(Value::Object(format)) = custom.get_mut("format")
            && let Some(Value::Object(grammar)) = format.take_if("grammar", Value::is_object)
        {
            format.extend(grammar);
        }
        out.extend(custom);
    }
    out
}
