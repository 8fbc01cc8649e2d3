//! The engine of liter-llm: one request and response for every LLM provider.
//!
//! Read `pipeline` first: it is the whole flow. Then `provider/openai`, then `client`.
#![warn(clippy::unwrap_used)]
#![forbid(unsafe_code)]

mod attempt;
mod client;
pub mod codec;
pub mod config;
pub mod error;
pub mod http;
pub mod json;
mod ledger;
mod limit;
mod metrics;
pub mod model;
mod passthrough;
mod pipeline;
pub mod provider;
mod retry;
mod route;
pub mod secret;
mod stream;

pub use client::{Answer, ChatStream, Client, Permit, Started, Wanted};
pub use config::Config;
pub use error::{Error, ErrorKind};
pub use model::{Chunk, Options, Request, Reset, Response};
pub use passthrough::{HttpStep, HttpStream};
pub use route::fanout::Many;
pub use stream::Step;
