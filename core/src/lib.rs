//! The engine of liter-llm: one request and response for every LLM provider.
//!
//! Read `pipeline` first, because it is the whole flow. Then read `provider/cohere`, then `client`.
//!
//! Rooms import downwards only, from the top of this list to its end: `client`; `pipeline`; `call`,
//! `admission`; `services`, `cache`, `observe`; `target`, `operation`; `config`; `provider`, `auth`,
//! `limit`, `price`, `http`, `redis`; `model`, `wire`, `retry`; `codec`, `file`,
//! `error`, `json`.
#![warn(clippy::unwrap_used)]
// A test may be a long table.
#![cfg_attr(not(test), warn(clippy::too_many_lines))]
#![forbid(unsafe_code)]

mod admission;
mod auth;
mod cache;
mod call;
mod client;
pub mod codec;
pub mod config;
pub mod error;
mod file;
pub mod http;
pub mod json;
#[cfg(not(feature = "redis"))]
mod limit;
#[cfg(feature = "redis")]
pub mod limit;
pub mod model;
pub mod observe;
mod operation;
mod pipeline;
pub mod price;
pub mod provider;
#[cfg(feature = "redis")]
pub mod redis;
mod retry;
mod services;
mod target;
pub mod wire;

pub use admission::Admission;
pub use call::chat_stream::ChatStream;
pub use call::outcome::{Outcome, Started};
pub use call::passthrough::{HttpStep, HttpStream};
pub use call::stream::{Collects, Step};
pub use call::wanted::Wanted;
pub use client::{Begun, Client, Waiting};
pub use config::{Config, Environment};
pub use error::{Error, ErrorKind};
pub use json::Marked;
pub use model::{Chunk, Options, Request, Reset, Response};
pub use observe::Observer;
pub use operation::{Answer, Many};
