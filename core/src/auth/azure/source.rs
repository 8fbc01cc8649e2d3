//! The sources of Entra ID's tokens.

use std::path::PathBuf;

use secrecy::SecretString;

use crate::auth::KeyRef;
use crate::http;

/// Where a provider's tokens come from.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The sources, in the order in which they are asked.
    pub sources: Vec<Source>,
    /// What tokens are for, such as `https://cognitiveservices.azure.com/.default`.
    pub scope: String,
}

/// One source of tokens.
#[derive(Clone, Debug)]
pub enum Source {
    /// An application, by its secret.
    Secret(App, KeyRef),
    /// An application, by a PEM file with its certificate and the private key.
    Certificate(App, PathBuf),
    /// An application, by the token of another identity provider in a file (workload identity).
    Federated(App, PathBuf),
    /// The managed identity of App Service and the like.
    AppService {
        /// How its endpoint is reached.
        http: Box<http::Settings>,
        /// What it wants to see (`IDENTITY_HEADER`).
        header: SecretString,
        /// Which identity, if it is one that a user has assigned.
        client_id: Option<String>,
    },
    /// The managed identity of a machine (IMDS).
    Machine {
        /// How its metadata server is reached.
        http: Box<http::Settings>,
        /// Which identity, if it is one that a user has assigned.
        client_id: Option<String>,
        /// Whether somebody asked for it, so that it has to be there.
        asked: bool,
    },
    /// A variable of the environment that says something impossible. Only a call that needs a token
    /// fails by it.
    Wrong(String),
}

/// An application of a tenant.
#[derive(Clone, Debug)]
pub struct App {
    /// The application's id.
    pub client_id: String,
    /// How the tenant's token endpoint is reached. The base URL is the whole one.
    pub http: Box<http::Settings>,
}
