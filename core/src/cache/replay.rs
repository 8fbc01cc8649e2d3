//! A stored answer as a stream. Put together, its chunks are the answer.

use std::sync::Arc;

use crate::json::Object;
use crate::model::{Choice, Chunk, ChunkChoice, Delta, FunctionDelta, Response, ToolCallDelta};

/// The most characters of a text in one chunk.
const MOST: usize = 256;

/// The chunks of a whole answer: for each choice its parts in order, then its finish reason; at last
/// the usage.
pub(crate) fn chunks(response: &Response) -> Vec<Chunk> {
    let blank = Chunk {
        id: response.id.as_deref().map(Arc::from),
        object: "chat.completion.chunk",
        created: response.created,
        model: response.model.as_deref().map(Arc::from),
        ..Chunk::default()
    };
    let of = |choice| Chunk { choices: vec![choice], ..blank.clone() };
    let mut chunks: Vec<Chunk> = response.choices.iter().flat_map(deltas).map(of).collect();
    if response.usage.is_some() || chunks.is_empty() {
        let choices = vec![ChunkChoice::default()];
        chunks.push(Chunk { choices, usage: response.usage.clone(), ..blank });
    }
    chunks
}

fn deltas(choice: &Choice) -> Vec<ChunkChoice> {
    let message = &choice.message;
    let mut deltas = vec![Delta { role: Some("assistant"), ..Delta::default() }];
    deltas.extend(
        pieces(message.reasoning.as_deref())
            .map(|text| Delta { reasoning: Some(text), ..Delta::default() }),
    );
    deltas.extend(
        pieces(message.content.as_deref())
            .map(|text| Delta { content: Some(text), ..Delta::default() }),
    );
    deltas.extend(
        pieces(message.refusal.as_deref())
            .map(|text| Delta { refusal: Some(text), ..Delta::default() }),
    );
    for (index, call) in message.tool_calls.iter().enumerate() {
        let function = FunctionDelta {
            name: Some(call.name.clone()),
            arguments: Some(call.arguments.clone()),
        };
        let (index, id) = (index as u64, Some(call.id.clone()));
        let call = ToolCallDelta { index, id, kind: Some("function"), function };
        deltas.push(Delta { tool_calls: vec![call], ..Delta::default() });
    }
    let rest = Delta {
        annotations: message.annotations.clone(),
        images: message.images.clone(),
        audio: message.audio.clone(),
        provider_fields: message.provider_fields.clone(),
        ..Delta::default()
    };
    if !(rest.annotations.is_empty() && rest.images.is_empty() && rest.audio.is_none())
        || !Object::is_empty(&rest.provider_fields)
    {
        deltas.push(rest);
    }
    let piece = |delta| ChunkChoice { index: choice.index, delta, ..ChunkChoice::default() };
    let mut pieces: Vec<ChunkChoice> = deltas.into_iter().map(piece).collect();
    if let Some(first) = pieces.get_mut(0) {
        first.logprobs.clone_from(&choice.logprobs);
    }
    pieces.push(ChunkChoice { finish_reason: choice.finish_reason, ..piece(Delta::default()) });
    pieces
}

/// A text in pieces, cut at characters. An empty text is one piece.
fn pieces(text: Option<&str>) -> impl Iterator<Item = String> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let text = rest?;
        let end = text.char_indices().nth(MOST).map_or(text.len(), |(end, _)| end);
        let (piece, after) = text.split_at(end);
        rest = (!after.is_empty()).then_some(after);
        Some(piece.to_owned())
    })
}
