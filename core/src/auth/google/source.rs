//! The sources of Google's tokens.

use std::path::PathBuf;

use crate::auth::KeyRef;
use crate::auth::oauth::Reach;
use crate::http;

/// What tokens are for [sdk].
pub(super) const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Where a provider's tokens come from.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The sources, in the order in which they are asked.
    pub sources: Vec<Source>,
    /// How the servers are reached that a file of credentials names.
    pub reach: Reach,
    /// The project that pays, in place of the one in a file (`GOOGLE_CLOUD_QUOTA_PROJECT`).
    pub quota_project: Option<String>,
}

/// One source of tokens.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file of credentials. One that was not asked for may be missing.
    File {
        /// Where it is.
        path: PathBuf,
        /// Whether somebody named it.
        asked: bool,
    },
    /// Credentials that are no file: a variable's, or those of the configuration itself.
    Text(KeyRef),
    /// The metadata server of the machine.
    Metadata {
        /// How it is reached.
        http: Box<http::Settings>,
        /// Whether somebody named it.
        asked: bool,
    },
    /// A variable of the environment that says something impossible. Only a call that needs a token
    /// fails by it.
    Wrong(String),
}
