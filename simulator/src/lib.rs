//! Plays LLM providers over plain sockets, and misbehaves on request.
//!
//! Two modes share one port. **Case mode** (`/case/<run>/<id>/…`) plays the exchanges of conformance cases byte for
//! byte: split, delayed, stalled, cut, reset. **Free mode** (`…/chat/completions`, `…/messages`, `…/v2/chat`) makes up
//! an echo at high speed, for demos and load. `/_sim/…` tells what happened.
//!
//! ```text
//! server ─ accept ─► connection ─ request ─► registry + expect ─► script ─┐
//!                        ▲                 └► free ──────────────────────►│
//!                        └──────────── peer (socket) ◄── bytes and steps ─┘
//! ```
//!
//! The HTTP/1.1 code is our own because a library would refuse to send what some cases need.
//! Invariant: the case alone decides what the simulator sends in case mode. There is no `date`, no
//! `server`, and no header but the framing that the case does not set.
#![warn(clippy::unwrap_used)]
#![forbid(unsafe_code)]

mod case;
mod connection;
mod control;
mod document;
mod expect;
pub mod frames;
mod free;
mod h2_server;
mod load;
mod peer;
mod registry;
mod reply;
mod request;
mod script;
mod server;
mod shared;
mod stats;
mod tls;

pub use case::Case;
pub use load::load_cases;
pub use registry::{Failure, Report, Unused};
pub use server::{Options, Simulator};
pub use stats::Stats;
pub use tls::CA_PEM;
