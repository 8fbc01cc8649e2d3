//! What an answer in OpenAI's formats, and those of its dialects, says was used and billed.

use super::OUTPUT;
use crate::json::Value;
use crate::model::{Billed, Charged, PromptParts, Unit};
use crate::provider::Target;
use crate::provider::json::count;
use crate::provider::reported::{Reported, inner};

/// Reads the usage of chat completions, Responses, embeddings, rankings and moderations.
pub(super) fn billed<'a>(said: &Reported<'a>, target: &Target) -> Option<Billed<'a>> {
    let of = |chat: &str, responses: &str| said.raw.get(chat).or_else(|| said.raw.get(responses));
    let prompt = of("prompt_tokens_details", "input_tokens_details");
    let answer = of("completion_tokens_details", "output_tokens_details");
    let cached = prompt.and_then(|prompt| prompt.get("cached_tokens_details"));
    let parts = PromptParts {
        image: inner(prompt, "image_tokens"),
        video: inner(prompt, "video_tokens"),
        cached_media: cached
            .map(|cached| ["audio_tokens", "image_tokens"].map(|name| inner(Some(cached), name))),
        ..said.parts()
    };
    let mut billed = said.billed(
        parts,
        [
            (Unit::OutputImage, inner(answer, "image_tokens")),
            (Unit::OutputVideo, inner(answer, "video_tokens")),
        ],
    )?;
    // xAI [doc]: 10⁻¹⁰ USD. OpenRouter [doc]: USD. Others have a `cost` of another meaning.
    billed.charged = match (said.raw.get("cost_in_usd_ticks"), said.raw.get("cost")) {
        (Some(ticks), _) => count(Some(ticks)).map(Charged::Ticks),
        (None, Some(Value::Number(dollars))) if target.kind == "openrouter" => {
            Some(Charged::Dollars(dollars))
        }
        _ => None,
    };
    for item in
        said.message.and_then(|message| message.get(OUTPUT)?.as_array()).into_iter().flatten()
    {
        match item.get("type").and_then(Value::as_str) {
            Some("web_search_call") if searches(item) => billed.counts.add(Unit::Searches, 1),
            Some("file_search_call") => billed.counts.add(Unit::FileSearches, 1),
            _ => {}
        }
    }
    Some(billed)
}

/// Whether a call of the tool is a search, and not the opening of a page [doc].
fn searches(item: &Value) -> bool {
    let action = item.get("action").and_then(|action| action.get("type"));
    action.is_none_or(|action| *action == *"search")
}
