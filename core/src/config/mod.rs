//! The client configuration: a document, or the environment, turned into checked values.
//!
//! Every built-in provider (`provider::registry`) is known without configuration. An entry under
//! `providers` changes one or adds one. `docs/contract.md` lists the members.

mod environment;
mod limits;
mod provider;
mod route;

pub use limits::BudgetConfig;
pub(crate) use provider::LOOKED_AT;
pub use provider::{ProbeConfig, ProviderConfig};
pub use route::{RouteConfig, RouteTarget};
pub(crate) use route::{RoutePolicy, at, target};

use std::collections::BTreeMap;

use environment::env;

use crate::codec::{Fields, MAX_DOCUMENT, Object, finish, parse_object};
use crate::error::Error;
use crate::json::Value;
use crate::model::{Hedge, RetryOverlay, read_wait};
use crate::provider::registry;

/// A client's configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Every provider, in the order of their names.
    pub providers: Vec<ProviderConfig>,
    /// The provider for requests that name none.
    pub default_provider: Option<String>,
    /// The model for requests that name none.
    pub default_model: Option<String>,
    /// The largest number of calls in flight; one more is refused. Also the size of the idle
    /// connection pool.
    pub max_in_flight: usize,
    /// Named lists of targets, in the order of their names.
    pub routes: Vec<RouteConfig>,
    /// The retry policy of calls that set none.
    pub retry: RetryOverlay,
    /// The budget of retries and fallbacks.
    pub retry_budget: BudgetConfig,
    /// The hedges of calls that set none.
    pub hedge: Option<Hedge>,
    /// Whether targets that keep failing are passed over.
    pub breaker: bool,
    /// Whether calls wait for a limit.
    pub wait: bool,
    /// Whether the quotas and pauses that an answer reports apply to later calls.
    pub learn_limits: bool,
}

const MAX_IN_FLIGHT: usize = 16_384;

impl Config {
    /// Reads the configuration from the environment: `LITER_LLM_CONFIG` (a path, or a document that
    /// starts with `{`), `LITER_LLM_PROVIDER`, `LITER_LLM_MODEL`.
    pub fn from_env() -> Result<Config, Error> {
        let mut config = match std::env::var("LITER_LLM_CONFIG") {
            Ok(text) if text.trim_start().starts_with('{') => Config::parse(text.as_bytes())?,
            Ok(path) if !path.is_empty() => {
                let read = crate::file::read(path.as_ref(), MAX_DOCUMENT as u64);
                let (bytes, _) = read.map_err(|reason| {
                    let message = format!("cannot read LITER_LLM_CONFIG ({path}): {reason}");
                    Error::invalid("LITER_LLM_CONFIG", message)
                })?;
                Config::parse(&bytes)?
            }
            _ => Config::read(Fields::new(Object::new(), ""))?,
        };
        if let Some(name) = env("LITER_LLM_PROVIDER") {
            config.default_provider = Some(name);
        }
        if let Some(model) = env("LITER_LLM_MODEL") {
            config.default_model = Some(model);
        }
        Ok(config)
    }

    /// Reads a configuration document.
    pub fn parse(bytes: &[u8]) -> Result<Config, Error> {
        Self::read(Fields::new(parse_object(bytes, "configuration")?, ""))
    }

    fn read(mut fields: Fields) -> Result<Config, Error> {
        let mut entries = fields.object("providers")?.unwrap_or_default();
        let mut providers = BTreeMap::new();
        for row in registry::ROWS.iter().filter(|row| !row.base_url.is_empty()) {
            let path = format!("providers.{}", row.name);
            let entry = entries.shift_remove(row.name);
            let named = entry.is_some();
            let entry = Fields::of(entry.unwrap_or_else(empty), path)?;
            providers.insert(row.name.to_owned(), ProviderConfig::read(row.name, entry, named)?);
        }
        for (name, entry) in entries {
            let entry = Fields::of(entry, format!("providers.{name}"))?;
            providers.insert(name.to_string(), ProviderConfig::read(&name, entry, true)?);
        }
        let mut config = Config {
            retry: RetryOverlay::read(&mut fields)?.unwrap_or_default(),
            retry_budget: BudgetConfig::read(&mut fields)?,
            hedge: Hedge::read(&mut fields)?,
            breaker: fields.bool("breaker")?.unwrap_or(true),
            wait: read_wait(&mut fields)?.unwrap_or(true),
            learn_limits: fields.bool("learn_limits")?.unwrap_or(true),
            routes: Vec::new(),
            default_provider: fields.string("default_provider")?,
            default_model: fields.string("default_model")?,
            max_in_flight: fields
                .whole("max_in_flight", 1)?
                .map_or(MAX_IN_FLIGHT, |n| usize::try_from(n).unwrap_or(usize::MAX)),
            providers: providers.into_values().collect(),
        };
        let mut routes = BTreeMap::new();
        for (name, entry) in fields.object("routes")?.unwrap_or_default() {
            let entry = Fields::of(entry, format!("routes.{name}"))?;
            routes.insert(name.to_string(), RouteConfig::read(&name, entry, &config.providers)?);
        }
        config.routes = routes.into_values().collect();
        finish(fields, "configuration")?;
        if let Some(name) = &config.default_provider
            && config.route(name).is_none()
        {
            config.index(name)?;
        }
        Ok(config)
    }

    /// The route of this name.
    #[must_use]
    pub fn route(&self, name: &str) -> Option<&RouteConfig> {
        let found = self.routes.binary_search_by(|route| route.name.as_str().cmp(name)).ok()?;
        Some(&self.routes[found])
    }

    /// The index in `providers` of the provider with this name.
    pub fn index(&self, name: &str) -> Result<usize, Error> {
        provider::index(&self.providers, name)
    }
}

fn empty() -> Value {
    Value::Object(Object::new())
}
