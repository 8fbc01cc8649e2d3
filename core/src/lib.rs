//! The engine of liter-llm: one request and response for every LLM provider.
//!
//! Read `pipeline` first: it is the whole flow. Then `provider/openai`, then `client`.
#![warn(clippy::unwrap_used)]
#![forbid(unsafe_code)]

mod client;
pub mod codec;
pub mod config;
pub mod error;
pub mod http;
pub mod json;
pub mod model;
mod passthrough;
mod pipeline;
pub mod provider;
pub mod secret;

pub use client::{Answer, ChatStream, Client, Started};
pub use config::Config;
pub use error::{Error, ErrorKind};
pub use model::{Chunk, Options, Request, Response};
pub use passthrough::{HttpStep, HttpStream};
pub use pipeline::Step;
