//! The unified data model: requests, options, responses and chunks. It has only types and their
//! documents, and knows no provider. `docs/contract.md` describes them.

mod caching;
mod cost;
mod count_tokens;
mod counts;
mod embed;
mod further;
mod header_map;
mod http;
mod models;
mod moderate;
#[doc(hidden)]
pub mod near;
mod options;
mod parameters;
mod policy;
mod read;
mod read_message;
mod request;
mod rerank;
mod response;
#[cfg(feature = "schema")]
pub mod schema;
mod spending;
#[cfg(feature = "redis")]
mod stored;
mod stream;
mod tags;
mod trace_context;
mod traits;
mod usage;
mod vector;

pub use caching::{
    CacheMode, CacheOptions, CachePurge, CachePurged, CacheRemoved, CacheTier, Cached, MOST_TENANT,
};
pub use cost::{Cost, CostReason, CostSource, Usd, Variant};
pub use count_tokens::{CountTokensResponse, TokenCount};
pub use counts::{Billed, Charged, Counts, PromptParts, Side, Size, Unit};
pub use embed::{
    EmbedInput, EmbedRequest, EmbedResponse, Embedding, Embeddings, InputType, Truncate,
};
pub(crate) use header_map::{FRAMING, read_headers};
pub use http::{HttpAnswer, HttpCall, HttpEvent};
pub use models::{ModelInfo, ModelList, ModelsRequest, ModelsResponse};
pub use moderate::{ModerateRequest, ModerateResponse, Moderation, Moderations};
pub use options::{Fanout, OnBreak, Options, Unsupported};
pub use parameters::Parameters;
pub(crate) use policy::read_wait;
pub use policy::{Hedge, HedgeDelay, RetryOverlay};
pub(crate) use request::says_nothing;
pub use request::{
    Content, Message, Part, Reasoning, Request, ResponseFormat, Role, Tool, ToolChoice,
};
pub use rerank::{Ranked, Ranking, RerankRequest, RerankResponse};
pub use response::{
    AssistantMessage, Choice, FinishReason, Liter, Response, Routed, Timing, ToolCall, Warning,
};
pub use spending::{BudgetAsk, BudgetState};
pub use stream::{Chunk, ChunkChoice, Delta, FunctionDelta, Reset, ToolCallDelta};
pub(crate) use trace_context::TraceHeaders;
pub use traits::{MOST_QUALITY, Traits};
pub(crate) use traits::{checked_quality, read_quality};
pub use usage::{CompletionDetails, PromptDetails, Usage};
pub use vector::{Encoding, NoVector, Vector};
