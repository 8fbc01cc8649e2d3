//! What is asked beside chats, answered in OpenAI's format.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const MODELS: [&str; 2] = ["gpt-5-mini", "gpt-5"];

/// What is asked.
pub(super) enum Asked<'a> {
    Models,
    Model(&'a str),
    Moderation,
    Embeddings,
    Ranking,
    /// Of OpenAI's input, or of Anthropic's messages.
    Tokens,
}

impl<'a> Asked<'a> {
    pub(super) fn of(method: &str, path: &'a str) -> Option<Self> {
        let path = path.split('?').next().unwrap_or_default();
        match method {
            "GET" if path.ends_with("/models") => Some(Self::Models),
            "GET" => path.split_once("/models/").map(|(_, id)| Self::Model(id)),
            "POST" if path.ends_with("/moderations") => Some(Self::Moderation),
            "POST" if path.ends_with("/rerank") => Some(Self::Ranking),
            "POST" if path.ends_with("/embeddings") => Some(Self::Embeddings),
            "POST" if path.ends_with("/responses/input_tokens") => Some(Self::Tokens),
            "POST" if path.ends_with("/messages/count_tokens") => Some(Self::Tokens),
            _ => None,
        }
    }

    /// The answer, or what is wrong with the request.
    pub(super) fn answer(&self, body: &[u8], id: u64) -> Result<Value, String> {
        match self {
            Self::Models => Ok(json!({"object": "list", "data": MODELS.map(model)})),
            Self::Model(id) => Ok(model(id)),
            Self::Embeddings => embeddings(body),
            Self::Ranking => ranking(body),
            Self::Tokens => tokens(body),
            Self::Moderation => {
                let body: Value = serde_json::from_slice(body)
                    .map_err(|error| format!("could not read the body: {error}"))?;
                let results = match &body["input"] {
                    Value::Null => return Err("input: Field required".to_owned()),
                    Value::Array(items) if items.iter().all(Value::is_string) => {
                        items.iter().map(verdict).collect()
                    }
                    together => vec![verdict(together)],
                };
                let model = body["model"].as_str().unwrap_or("omni-moderation-latest");
                Ok(json!({"id": format!("modr-{id:016x}"), "model": model, "results": results}))
            }
        }
    }
}

fn model(id: &str) -> Value {
    json!({"id": id, "object": "model", "created": 1_700_000_000, "owned_by": "simulator"})
}

/// The most inputs of a request, as OpenAI has it.
const MOST_INPUTS: usize = 2_048;

/// A vector for each input: the sum of its bytes, their number, and then as many thirds as
/// `dimensions` asks for. They are base64 where the request asks for it.
fn embeddings(body: &[u8]) -> Result<Value, String> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| format!("could not read the body: {error}"))?;
    let Some(inputs) = body["input"].as_array() else {
        return Err("input: a list is required".to_owned());
    };
    if inputs.len() > MOST_INPUTS {
        return Err(format!("input: at most {MOST_INPUTS} are taken"));
    }
    let dimensions = body["dimensions"].as_u64().map_or(4, |length| length.min(4_096) as usize);
    let packed = body["encoding_format"] == "base64";
    let one = |(index, input): (usize, &Value)| {
        let text = input.as_str().unwrap_or_default();
        let sum: u32 = text.bytes().map(u32::from).sum();
        let mut numbers = vec![sum as f32, text.len() as f32];
        numbers.resize(dimensions, 1.0 / 3.0);
        let embedding = if packed {
            let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
            Value::from(STANDARD.encode(bytes))
        } else {
            Value::from(numbers)
        };
        json!({"object": "embedding", "index": index, "embedding": embedding})
    };
    let data: Vec<Value> = inputs.iter().enumerate().map(one).collect();
    let tokens = data.len();
    let usage = json!({"prompt_tokens": tokens, "total_tokens": tokens});
    Ok(json!({"object": "list", "data": data, "model": body["model"], "usage": usage}))
}

/// Each document's score is the share of the query's words that it has.
fn ranking(body: &[u8]) -> Result<Value, String> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| format!("could not read the body: {error}"))?;
    let Some(documents) = body["documents"].as_array() else {
        return Err("documents: a list is required".to_owned());
    };
    let words: Vec<&str> = body["query"].as_str().unwrap_or_default().split(' ').collect();
    let one = |(index, document): (usize, &Value)| {
        let text = document.as_str().unwrap_or_default();
        let found = words.iter().filter(|word| text.contains(**word)).count();
        json!({"index": index, "relevance_score": found as f64 / words.len() as f64})
    };
    let results: Vec<Value> = documents.iter().enumerate().map(one).collect();
    Ok(json!({"id": "rank", "model": body["model"], "results": results}))
}

/// A token for each word of the input, and one for each tool.
fn tokens(body: &[u8]) -> Result<Value, String> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| format!("could not read the body: {error}"))?;
    if body["model"].as_str().is_none() {
        return Err("model: Field required".to_owned());
    }
    let tools = body["tools"].as_array().map_or(0, Vec::len);
    let texts = ["instructions", "input", "system", "messages"].map(|name| words(&body[name]));
    let count = texts.iter().sum::<usize>() + tools;
    let mut answer = json!({ "input_tokens": count });
    if body["messages"].is_null() {
        answer["object"] = "response.input_tokens".into();
    }
    Ok(answer)
}

/// The words of an input: a text, or items with texts of their own.
fn words(input: &Value) -> usize {
    match input {
        Value::String(text) => text.split_whitespace().count(),
        Value::Array(items) => items.iter().map(words).sum(),
        Value::Object(item) => {
            ["content", "text", "output"].iter().filter_map(|name| item.get(*name)).map(words).sum()
        }
        _ => 0,
    }
}

/// It is flagged where the word "violence" is in it.
fn verdict(input: &Value) -> Value {
    let flagged = input.to_string().contains("violence");
    let score = if flagged { 0.99 } else { 0.01 };
    json!({
        "flagged": flagged,
        "categories": {"violence": flagged},
        "category_scores": {"violence": score},
    })
}
