//! Chat completions.

use super::envelope::{Envelope, further};
use crate::json::{Object, Value};
use crate::model::{Liter, Request, Response, ResponseFormat};
use crate::provider::Completion;

/// The response document: the provider's answer, and what the engine adds.
pub(super) fn response(completion: Completion, envelope: Envelope) -> Response {
    let Envelope { date, provider, mut warnings, liter } = envelope;
    warnings.extend(completion.warnings);
    let usage_raw = further(completion.usage_raw, completion.usage.as_ref());
    Response {
        id: completion.id,
        object: "chat.completion",
        created: completion.created.or(date),
        model: completion.model,
        choices: completion.choices,
        usage: completion.usage,
        provider,
        warnings,
        liter: Liter {
            finish_reason_raw: completion.finish_reason_raw,
            usage_raw,
            provider_fields: completion.fields,
            ..liter
        },
    }
}

/// The parameters that are asked for, by the names of a request. No text of the conversation is
/// among them.
pub(super) fn parameters(request: &Request) -> Object {
    let mut out = Object::new();
    let mut put = |name: &'static str, value: Option<Value>| {
        if let Some(value) = value {
            out.insert(name, value);
        }
    };
    put("max_tokens", request.max_tokens.map(Value::from));
    for (name, number) in [
        ("temperature", &request.temperature),
        ("top_p", &request.top_p),
        ("frequency_penalty", &request.frequency_penalty),
        ("presence_penalty", &request.presence_penalty),
        ("seed", &request.seed),
    ] {
        put(name, number.clone().map(Value::Number));
    }
    put("n", request.n.map(Value::from));
    let stop = || request.stop.iter().map(|text| Value::from(text.as_str())).collect::<Vec<_>>();
    put("stop", (!request.stop.is_empty()).then(|| stop().into()));
    put("stream", request.stream.then(|| true.into()));
    let effort = request.reasoning.as_ref().and_then(|own| own.effort.as_deref());
    put("reasoning_effort", effort.map(Value::from));
    let format = request.response_format.as_deref().map(|format| match format {
        ResponseFormat::Text => "text",
        ResponseFormat::JsonObject | ResponseFormat::JsonSchema { .. } => "json",
    });
    put("output_type", format.map(Value::from));
    out
}
