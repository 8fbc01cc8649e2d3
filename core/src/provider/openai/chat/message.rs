//! Reads what a message and a delta have in common: text, reasoning, refusal, tool calls, and the
//! rest.
//!
//! It accepts what servers really send. Content may be a list of parts, mixed with strings in one
//! stream (Mistral [rec]). The same reasoning may come under two names (`OpenRouter` [rec]).
//! Arguments may be an object or `null` (vLLM, Writer [rec]). Calls may be empty stubs (Snowflake
//! [rec]).

use crate::codec::Object;
use crate::json::{Key, Value};
use crate::model::{CompletionDetails, FinishReason, PromptDetails, Usage, says_nothing};
use crate::provider::citation;
use crate::provider::history::CUSTOM_CALLS;
use crate::provider::json::{count, take_list, take_object, take_string};

/// A message, or a piece of one.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub content: Option<String>,
    /// Reasoning text, with the member that held it.
    pub reasoning: Option<(Source, String)>,
    pub refusal: Option<String>,
    pub calls: Vec<CallPiece>,
    /// What few messages have, so that the others stay small.
    pub more: Option<Box<More>>,
    /// All other members that are not empty.
    pub fields: Object,
}

/// What a message has beside its texts and calls.
#[derive(Debug, Default)]
pub(super) struct More {
    pub annotations: Vec<Value>,
    pub images: Vec<Value>,
    pub audio: Option<Object>,
}

/// The member that held reasoning text. Text under two names is read once. The text inside
/// `reasoning_details` is not read: if it is meant to be shown, `OpenRouter` and Vercel's gateway
/// repeat it under `reasoning` [rec]. The details are kept, to be sent back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Content,
    Plain,
    Parts,
}

/// A tool call, or a piece of one.
#[derive(Debug, Default)]
pub(super) struct CallPiece {
    pub index: Option<u64>,
    pub id: String,
    pub name: String,
    pub arguments: String,
    /// The other members of the call, such as Gemini's `extra_content`.
    pub fields: Object,
}

impl Piece {
    /// Takes a message or delta apart.
    pub fn read(mut object: Object) -> Self {
        let mut piece = Piece::default();
        object.shift_remove("role");
        piece.content = take_string(&mut object, "content");
        // Most deltas end here.
        if object.is_empty() {
            return piece;
        }
        let mut thinking = String::new();
        if let Some(parts) = take_list(&mut object, "content") {
            let others = piece.read_parts(parts, &mut thinking);
            if !others.is_empty() {
                object.insert("content_parts", Value::Array(others));
            }
        }
        let content = take_string(&mut object, "reasoning_content").filter(|text| !text.is_empty());
        let plain = take_string(&mut object, "reasoning").filter(|text| !text.is_empty());
        piece.reasoning = [
            (Source::Content, content.unwrap_or_default()),
            (Source::Plain, plain.unwrap_or_default()),
            (Source::Parts, thinking),
        ]
        .into_iter()
        .find(|(_, text)| !text.is_empty());
        piece.refusal = take_string(&mut object, "refusal").filter(|text| !text.is_empty());
        let mut custom = Vec::new();
        for call in take_list(&mut object, "tool_calls").unwrap_or_default() {
            match call {
                // In a stream, only the first piece of such a call has a type.
                Value::Object(call) if is_custom(&call) => {
                    custom.push(Value::Object(call));
                }
                Value::Object(call) => piece.calls.extend(CallPiece::read(call)),
                _ => {}
            }
        }
        if !custom.is_empty() {
            object.insert(CUSTOM_CALLS, Value::Array(custom));
        }
        // The form before tools has one call, without an id.
        if let Some(function) = take_object(&mut object, "function_call") {
            let call = Object::from_iter([("function", Value::Object(function))]);
            piece.calls.extend(CallPiece::read(call));
        }
        piece.read_more(&mut object);
        piece.fields = said(object);
        piece
    }

    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// Takes annotations, images and speech. What only has the name of one stays.
    fn read_more(&mut self, object: &mut Object) {
        for item in take_list(object, "annotations").unwrap_or_default() {
            match citation::openai(item.clone(), 0) {
                Some(annotation) => self.more().annotations.push(annotation),
                None => keep(object, "annotations", item),
            }
        }
        let named = citation::of_message(object);
        if !named.is_empty() {
            self.more().annotations.extend(named);
        }
        for item in take_list(object, "images").unwrap_or_default() {
            match is_image(&item) {
                true => self.more().images.push(item),
                false => keep(object, "images", item),
            }
        }
        let audio = take_object(object, "audio").map(said_of_audio);
        if let Some(audio) = audio.filter(|audio| !audio.is_empty()) {
            self.more().audio = Some(audio);
        }
    }

    /// Takes text and thinking out of a list of parts. Parts of other types are left.
    fn read_parts(&mut self, parts: Vec<Value>, thinking: &mut String) -> Vec<Value> {
        let mut others = Vec::new();
        for part in parts {
            match (part.get("type").and_then(Value::as_str), part.get("text"), &part) {
                (Some("thinking"), _, _) => match part.get("thinking") {
                    Some(Value::String(text)) => thinking.push_str(text),
                    Some(Value::Array(items)) => {
                        for item in items {
                            let text = item.get("text").and_then(Value::as_str);
                            thinking.push_str(text.unwrap_or_default());
                        }
                    }
                    _ => {}
                },
                (Some("text" | "output_text") | None, Some(Value::String(text)), _)
                | (_, _, Value::String(text)) => {
                    self.content.get_or_insert_default().push_str(text);
                }
                (Some("image_url"), ..) if is_image(&part) => self.more().images.push(part),
                (Some("reference"), ..) => {
                    for annotation in citation::references(&part) {
                        self.more().annotations.push(annotation);
                    }
                    others.push(part);
                }
                _ => others.push(part),
            }
        }
        others
    }
}

fn keep(object: &mut Object, name: &'static str, item: Value) {
    match object.get_mut(name) {
        Some(Value::Array(items)) => items.push(item),
        _ => drop(object.insert(name, vec![item])),
    }
}

/// Whether this is an image as `OpenRouter` sends it [doc], which is the form of a request's part.
fn is_image(item: &Value) -> bool {
    let url = item.get("image_url").and_then(|image| image.get("url"));
    item.get("type").is_some_and(Value::is_string) && url.is_some_and(Value::is_string)
}

/// The members of speech that say something. Gateways fill in a stub [rec].
fn said_of_audio(mut audio: Object) -> Object {
    audio.retain(|name, value| match name.as_str() {
        "id" | "data" | "transcript" => value.as_str().is_some_and(|text| !text.is_empty()),
        "expires_at" => count(Some(value)).is_some_and(|at| at > 0),
        "format" => value.is_string(),
        _ => !says_nothing(value),
    });
    audio
}

fn is_custom(call: &Object) -> bool {
    let is_object = |name: &str| call.get(name).is_some_and(Value::is_object);
    call.get("type").is_some_and(|kind| kind == "custom")
        || (is_object("custom") && !is_object("function"))
}

impl CallPiece {
    /// `None` for an empty stub.
    fn read(mut object: Object) -> Option<Self> {
        let mut function = take_object(&mut object, "function").unwrap_or_default();
        object.shift_remove("type");
        object.shift_remove("custom");
        let index = count(object.shift_remove("index").as_ref());
        let id = match object.shift_remove("id") {
            Some(Value::String(id)) => id,
            Some(Value::Number(id)) => id.to_string(),
            _ => String::new(),
        };
        let name = take_string(&mut function, "name").unwrap_or_default();
        let arguments = match function.shift_remove("arguments") {
            Some(Value::String(text)) => text,
            None | Some(Value::Null) => String::new(),
            Some(other) => other.to_string(),
        };
        let call = CallPiece { index, id, name, arguments, fields: said(object) };
        let silent = call.id.is_empty() && call.name.is_empty() && call.arguments.is_empty();
        (!silent || !call.fields.is_empty()).then_some(call)
    }
}

/// The members that are not empty: `refusal: null`, `audio: {}` and the like are dropped.
pub(super) fn said(mut object: Object) -> Object {
    object.retain(|_, value| !says_nothing(value));
    object
}

/// Merges a delta's member into the earlier ones: lists and objects grow, reasoning text is
/// continued, and anything else is replaced.
pub(super) fn merge(into: &mut Object, name: Key, value: Value) {
    match (into.get_mut(&name), value) {
        (Some(Value::Array(items)), Value::Array(more)) if name == "reasoning_details" => {
            more.into_iter().for_each(|item| merge_detail(items, item));
        }
        (Some(Value::Array(items)), Value::Array(more)) => items.extend(more),
        (Some(Value::Object(members)), Value::Object(more)) => {
            more.into_iter().for_each(|(member, value)| merge(members, member, value));
        }
        (_, value) => {
            into.insert(name, value);
        }
    }
}

/// Pieces of one reasoning block have the same type and index, and follow each other.
fn merge_detail(items: &mut Vec<Value>, item: Value) {
    let (Some(Value::Object(last)), Value::Object(more)) = (items.last_mut(), &item) else {
        items.push(item);
        return;
    };
    let kind = last.get("type").and_then(Value::as_str);
    let text = matches!(kind, Some("reasoning.text" | "reasoning.summary"));
    if !text || last.get("type") != more.get("type") || last.get("index") != more.get("index") {
        items.push(item);
        return;
    }
    for (name, value) in more {
        match (last.get_mut(name), value) {
            (Some(Value::String(text)), Value::String(more))
                if name == "text" || name == "summary" =>
            {
                text.push_str(more);
            }
            (_, Value::Null) => {}
            _ => {
                last.insert(name.clone(), value.clone());
            }
        }
    }
}

/// Continues the text of a custom tool's call. `false` if the piece has none, or the call no place
/// for it.
pub(super) fn continue_custom(call: &mut Value, piece: &Value) -> bool {
    let more = piece.get("custom").and_then(|custom| custom.get("input")?.as_str());
    let custom = call.as_object_mut().and_then(|call| call.get_mut("custom")?.as_object_mut());
    let (Some(more), Some(custom)) = (more, custom) else { return false };
    if let Some(Value::String(so_far)) = custom.get_mut("input") {
        so_far.push_str(more);
    } else {
        custom.insert("input", more);
    }
    true
}

/// The meaning of a provider's finish word.
pub(super) enum Finish {
    /// One of our finish reasons. `known` is false for a word that is in no table.
    Reason { reason: FinishReason, known: bool },
    /// The answer failed.
    Failed,
}

/// The table of finish words. It has OpenAI's five; `eos` Together, `model_length` and `error`
/// Mistral, `insufficient_system_resource` `DeepSeek` (it broke off), `abort` SGLang and vLLM (a
/// dropped request). It also has what gateways pass on from Anthropic, Cohere and Gemini
/// (`providers.md`). A call that Gemini could not write whole is a failed answer.
pub(super) fn finish(word: &str, calls_tools: bool) -> Finish {
    let (reason, known) = match word {
        "length"
        | "max_tokens"
        | "model_length"
        | "MAX_TOKENS"
        | "max_output_tokens"
        | "model_context_window_exceeded"
        // Gateways pass on Anthropic's words for a turn that is not over.
        | "pause_turn"
        | "compaction" => (FinishReason::Length, true),
        "tool_calls" | "function_call" | "tool_use" | "TOOL_CALL" => {
            (FinishReason::ToolCalls, true)
        }
        "content_filter" | "content_filtered" | "safety" | "SAFETY" | "refusal" | "RECITATION"
        | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" => (FinishReason::ContentFilter, true),
        "error" | "ERROR" | "insufficient_system_resource" | "abort" => return Finish::Failed,
        word if word.contains("MALFORMED_FUNCTION_CALL") => return Finish::Failed,
        "stop" | "eos" | "end_turn" | "stop_sequence" | "STOP" | "COMPLETE" | "complete" => {
            (FinishReason::Stop, true)
        }
        _ => (FinishReason::Stop, false),
    };
    // Some servers say `stop` after a tool call, and so does OpenAI if the tool is named [rec].
    let calls = reason == FinishReason::Stop && calls_tools;
    Finish::Reason { reason: if calls { FinishReason::ToolCalls } else { reason }, known }
}

/// Reads token counts from a usage object.
pub(in crate::provider::openai) fn usage(raw: &Object) -> Usage {
    let at = |names: &[&str]| names.iter().find_map(|name| count(raw.get(name)));
    let of_prompt = raw.get("prompt_tokens_details").and_then(Value::as_object);
    let of_prompt = |name| count(of_prompt?.get(name));
    let prompt = PromptDetails {
        // `DeepSeek`, Moonshot and Mistral report it beside the details [rec].
        cached_tokens: of_prompt("cached_tokens")
            .or_else(|| at(&["prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens"])),
        cache_write_tokens: of_prompt("cache_write_tokens")
            .or_else(|| of_prompt("cache_creation_tokens")),
        audio_tokens: of_prompt("audio_tokens"),
    };
    let of_answer = raw.get("completion_tokens_details").and_then(Value::as_object);
    let of_answer = |name| count(of_answer?.get(name));
    let completion = CompletionDetails {
        reasoning_tokens: of_answer("reasoning_tokens").or_else(|| at(&["reasoning_tokens"])),
        audio_tokens: of_answer("audio_tokens"),
        accepted_prediction_tokens: of_answer("accepted_prediction_tokens"),
        rejected_prediction_tokens: of_answer("rejected_prediction_tokens"),
    };
    let prompt_tokens = at(&["prompt_tokens", "input_tokens"]);
    let said = at(&["completion_tokens", "output_tokens"]);
    let total_tokens = at(&["total_tokens"]);
    // xAI counts reasoning beside the completion [rec]; here it is part of the completion.
    let completion_tokens = match (prompt_tokens, said, total_tokens, completion.reasoning_tokens) {
        (Some(prompt), Some(said), Some(total), Some(reasoning))
            if prompt.checked_add(said).and_then(|n| n.checked_add(reasoning)) == Some(total) =>
        {
            Some(said + reasoning)
        }
        _ => said,
    };
    Usage {
        prompt_tokens,
        completion_tokens,
        total_tokens,
        prompt_tokens_details: Some(prompt).filter(|d| *d != PromptDetails::default()),
        completion_tokens_details: Some(completion).filter(|d| *d != CompletionDetails::default()),
    }
}
