//! Log probabilities in OpenAI's form.

use crate::codec::Object;
use crate::json::{Value, json};
use crate::provider::json::take_list;

/// The member of a candidate that holds its log probabilities.
pub(super) const LOGPROBS: &str = "logprobsResult";

/// Takes the tokens out of a candidate's log probabilities. The ids of tokens stay with them.
pub(super) fn take(result: &mut Object) -> Option<Object> {
    let chosen = take_list(result, "chosenCandidates")?;
    let mut top = take_list(result, "topCandidates").unwrap_or_default().into_iter();
    let entry = |token: Value| {
        let candidates =
            top.next().and_then(|mut top| take_list(top.as_object_mut()?, "candidates"));
        let top: Vec<Value> = candidates.into_iter().flatten().map(|t| read(t, None)).collect();
        read(token, Some(top))
    };
    let content: Vec<Value> = chosen.into_iter().map(entry).collect();
    Some(Object::from_iter([("content", Value::from(content))]))
}

/// A token. Google does not give its bytes.
fn read(token: Value, top: Option<Vec<Value>>) -> Value {
    let member = |name: &str| token.get(name).cloned();
    let mut out = json!({"token": member("token").unwrap_or_else(|| "".into())});
    if let Some(logprob) = member("logProbability") {
        out.set("logprob", logprob);
    }
    out.set("bytes", Value::Null);
    if let Some(top) = top {
        out.set("top_logprobs", top);
    }
    if let Some(id) = member("tokenId") {
        out.set("token_id", id);
    }
    out
}
