//! What is asked beside chats, answered in OpenAI's format.

use serde_json::{Value, json};

const MODELS: [&str; 2] = ["gpt-5-mini", "gpt-5"];

/// What is asked.
pub(super) enum Asked<'a> {
    Models,
    Model(&'a str),
    Moderation,
}

impl<'a> Asked<'a> {
    pub(super) fn of(method: &str, path: &'a str) -> Option<Self> {
        let path = path.split('?').next().unwrap_or_default();
        match method {
            "GET" if path.ends_with("/models") => Some(Self::Models),
            "GET" => path.split_once("/models/").map(|(_, id)| Self::Model(id)),
            "POST" if path.ends_with("/moderations") => Some(Self::Moderation),
            _ => None,
        }
    }

    /// The answer, or what is wrong with the request.
    pub(super) fn answer(&self, body: &[u8], id: u64) -> Result<Value, String> {
        match self {
            Self::Models => Ok(json!({"object": "list", "data": MODELS.map(model)})),
            Self::Model(id) => Ok(model(id)),
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
