//! AWS's credentials over real sockets: fakes of Bedrock, of AWS's token service and of metadata
//! servers. Each signature is computed again from what arrived.
#![cfg(feature = "aws")]
#![allow(clippy::unwrap_used)]

mod common;
#[path = "aws/fake.rs"]
mod fake;
#[path = "aws/fetch.rs"]
mod fetch;
#[path = "aws/models.rs"]
mod models;
#[path = "aws/refusals.rs"]
mod refusals;
#[path = "aws/sources.rs"]
mod sources;
