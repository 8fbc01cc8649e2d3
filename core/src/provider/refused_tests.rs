//! The texts are those of the providers, as recorded or reported.

use super::{refused, without};
use crate::error::{Error, ErrorKind};

fn said(status: u16, param: Option<&str>, code: Option<&str>, message: &str) -> Error {
    Error::new(ErrorKind::InvalidRequest, message).with(|e| {
        e.status = Some(status);
        e.param = param.map(str::to_owned);
        e.code = code.map(str::to_owned);
    })
}

const BODY: &str = r#"{"model":"m","messages":[{"role":"user","content":"x","name":"n"},
    {"role":"assistant","content":"y","reasoning":"z"}],"max_tokens":9,"temperature":0.20,
    "stop":["a"],"tools":[{"type":"function","function":{"name":"f","strict":true}}],
    "tool_choice":"auto","reasoning_effort":"low","logprobs":true,"metadata":{"a":"b"},
    "response_format":{"type":"json_object"},"user":"u","chat":1,
    "stream_options":{"include_usage":true}}"#;

#[test]
fn the_refused_member_is_found() {
    let openai = Some("unsupported_parameter");
    for (param, code, message, wanted) in [
        (
            Some("max_tokens"),
            openai,
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
             'max_completion_tokens' instead.",
            "max_tokens",
        ),
        (
            Some("reasoning_effort"),
            Some("unsupported_value"),
            "Unsupported value: 'low' is not supported with this model.",
            "reasoning_effort",
        ),
        (
            Some("tools[0].function.strict"),
            Some("unknown_parameter"),
            "Unknown parameter: 'tools[0].function.strict'.",
            "tools[0].function.strict",
        ),
        (None, None, "Unrecognized request argument supplied: chat", "chat"),
        (
            None,
            None,
            "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this \
             model. Learn more about supported models at the Structured Outputs guide: \
             https://platform.openai.com/docs/guides/structured-outputs",
            "response_format",
        ),
        (None, None, "temperature: Extra inputs are not permitted", "temperature"),
        (None, None, "body.metadata: Extra inputs are not permitted", "metadata"),
        (
            None,
            None,
            "tools.0.custom.function.strict: Extra inputs are not permitted",
            "tools[0].function.strict",
        ),
        (
            None,
            None,
            "body.messages.1.assistant.reasoning: Extra inputs are not permitted",
            "messages[1].reasoning",
        ),
        (
            None,
            Some("3051"),
            "reasoning_effort='low' is not supported for this model. Must be one of \
             (<ReasoningEffort.none: 'none'>, <ReasoningEffort.high: 'high'>)",
            "reasoning_effort",
        ),
        (None, Some("3051"), "Logprobs are not enabled for this model", "logprobs"),
        (
            None,
            None,
            "unknown field: parameter user is not a valid field. For proper usage, please refer to \
             https://docs.cohere.com/reference/chat",
            "user",
        ),
        (None, None, "Thinking mode does not support this tool_choice", "tool_choice"),
        (None, None, "Argument not supported on this model: stop", "stop"),
        (
            None,
            None,
            "'messages.1' : for 'role:assistant' the following must be satisfied[('messages.1' : \
             property 'messages.1.reasoning' is unsupported)]",
            "messages[1].reasoning",
        ),
        (
            None,
            None,
            "#: extraneous key [stream_options] is not permitted, please reformat your input",
            "stream_options",
        ),
    ] {
        let error = said(400, param, code, message);
        assert_eq!(refused(&error, BODY.as_bytes()).as_deref(), Some(wanted), "{message}");
    }
}

#[test]
fn the_question_itself_is_never_taken_out() {
    for member in ["documents", "query", "texts", "inputs", "instances", "requests", "instructions"]
    {
        let body = format!(r#"{{"model":"m","{member}":["x"],"top_n":1}}"#);
        let error = said(400, None, None, &format!("'{member}' is not supported with this model."));
        assert_eq!(refused(&error, body.as_bytes()), None, "{member}");
    }
}

#[test]
fn what_is_no_refusal_of_one_member_is_left() {
    for (param, code, message) in [
        // A wrong value, not a refused parameter.
        (
            Some("temperature"),
            Some("decimal_above_max_value"),
            "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got \
             99.0 instead.",
        ),
        (None, None, "temperature: range: 0..1"),
        // Without these the request would be another one.
        (
            Some("messages[0].role"),
            Some("unsupported_value"),
            "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
        ),
        (
            Some("messages[1].content[1].file.data"),
            Some("unknown_parameter"),
            "Unknown parameter: 'messages[1].content[1].file.data'.",
        ),
        (None, None, "This model is not supported."),
        // More than one.
        (
            None,
            None,
            "temperature: Extra inputs are not permitted; metadata: Extra inputs are not permitted",
        ),
        // Not in the request.
        (None, None, "Unrecognized request argument supplied: top_k"),
        (None, None, "Unexpected role 'system' after role 'assistant'"),
        (None, None, "tools.0.custom: For 'array' type, property 'maxItems' is not supported"),
        (
            None,
            None,
            "Too many strict tools (21). The maximum number of strict tools supported is 20.",
        ),
    ] {
        let error = said(400, param, code, message);
        assert_eq!(refused(&error, BODY.as_bytes()), None, "{message}");
    }
    let message = "Unsupported parameter: 'stop' is not supported with this model.";
    assert_eq!(refused(&said(500, None, None, message), BODY.as_bytes()), None);
    let filtered = said(400, None, None, message).with(|e| e.kind = ErrorKind::ContentFilter);
    assert_eq!(refused(&filtered, BODY.as_bytes()), None);
    assert_eq!(refused(&said(400, None, None, message), b"[]"), None);
}

#[test]
fn only_that_member_goes() {
    let body = br#"{"a":1.0,"tools":[{"function":{"name":"f","strict":true}}],"b":0.10}"#;
    assert_eq!(
        without(body, "a").unwrap(),
        br#"{"tools":[{"function":{"name":"f","strict":true}}],"b":0.10}"#
    );
    assert_eq!(
        without(body, "tools[0].function.strict").unwrap(),
        br#"{"a":1.0,"tools":[{"function":{"name":"f"}}],"b":0.10}"#
    );
    assert_eq!(without(body, "c"), None);
    assert_eq!(without(body, "tools[1].function"), None);
}
