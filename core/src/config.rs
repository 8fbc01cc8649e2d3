//! The client configuration: a document, or the environment, turned into checked values.
//!
//! Every built-in provider (`provider::registry`) is known without configuration; an entry under
//! `providers` changes one or adds one. `docs/contract.md` lists the members.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ::http::{HeaderName, HeaderValue, Uri};

use crate::codec::{Fields, Object, parse_object};
use crate::error::{Error, ErrorKind};
use crate::json::Value;
use crate::provider::{Row, registry};
use crate::secret::KeyRef;

/// A client's configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Every provider, in the order of their names.
    pub providers: Vec<ProviderConfig>,
    /// The provider of requests that name none.
    pub default_provider: Option<String>,
    /// The model of requests that name none.
    pub default_model: Option<String>,
    /// Most calls in flight; one more is refused. Also the size of the idle connection pool.
    pub max_in_flight: usize,
}

/// One provider's settings.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    /// Its name in this configuration.
    pub name: String,
    /// Its wire format and what is peculiar to it.
    pub row: &'static Row,
    /// Where it is. Its key goes to this origin only.
    pub base_url: Uri,
    /// Its key.
    pub key: KeyRef,
    /// The model of requests that name none.
    pub model: Option<String>,
    /// Headers added to each request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The five timers.
    pub timeouts: Timeouts,
    /// The version header's value (Anthropic).
    pub api_version: Option<String>,
    /// A PEM file with further trusted roots.
    pub ca_file: Option<PathBuf>,
    /// Which HTTP versions are offered.
    pub http: HttpVersion,
}

/// Which HTTP versions are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpVersion {
    /// HTTP/2 where the server takes it (by ALPN), else HTTP/1.1.
    Auto,
    /// HTTP/1.1 only.
    Http1,
    /// HTTP/2 without asking, also on plain TCP.
    Http2,
}

/// The five timers; `None`: only the total counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Name look-up, TCP and TLS.
    pub connect: Duration,
    /// From sending the request to the response's headers.
    pub headers: Option<Duration>,
    /// From sending the request to a stream's first content.
    pub first_token: Option<Duration>,
    /// The longest silence inside a body; `None`: a minute, once the first content has come.
    pub idle: Option<Duration>,
    /// The whole call.
    pub total: Duration,
}

impl Default for Timeouts {
    /// 5 s to connect and 10 minutes in all, as the providers' own SDKs have it.
    fn default() -> Self {
        Timeouts {
            connect: Duration::from_secs(5),
            headers: None,
            first_token: None,
            idle: None,
            total: Duration::from_secs(600),
        }
    }
}

/// Headers that say where a message goes or ends, which nobody but the connection knows.
const FRAMING: &[&str] = &[
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

const MAX_IN_FLIGHT: usize = 16_384;

impl Config {
    /// The configuration from the environment: `LITER_LLM_CONFIG` (a path, or a document that
    /// starts with `{`), `LITER_LLM_PROVIDER`, `LITER_LLM_MODEL`.
    pub fn from_env() -> Result<Config, Error> {
        let mut config = match std::env::var("LITER_LLM_CONFIG") {
            Ok(text) if text.trim_start().starts_with('{') => Config::parse(text.as_bytes())?,
            Ok(path) if !path.is_empty() => {
                let bytes = std::fs::read(&path).map_err(|error| {
                    let message =
                        format!("cannot read LITER_LLM_CONFIG ({path}): {}", error.kind());
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
            let entry = Fields::of(entries.shift_remove(row.name).unwrap_or_else(empty), path)?;
            providers.insert(row.name.to_owned(), ProviderConfig::read(row.name, entry)?);
        }
        for (name, entry) in entries {
            let entry = Fields::of(entry, format!("providers.{name}"))?;
            providers.insert(name.to_string(), ProviderConfig::read(&name, entry)?);
        }
        let config = Config {
            default_provider: fields.string("default_provider")?,
            default_model: fields.string("default_model")?,
            max_in_flight: fields
                .whole("max_in_flight", 1)?
                .map_or(MAX_IN_FLIGHT, |n| usize::try_from(n).unwrap_or(usize::MAX)),
            providers: providers.into_values().collect(),
        };
        finish(fields, "configuration")?;
        if let Some(name) = &config.default_provider {
            config.index(name)?;
        }
        Ok(config)
    }

    /// Where the provider of this name stands in `providers`.
    pub fn index(&self, name: &str) -> Result<usize, Error> {
        self.providers.binary_search_by(|provider| provider.name.as_str().cmp(name)).map_err(|_| {
            let names: Vec<_> = self.providers.iter().map(|p| p.name.as_str()).collect();
            Error::new(
                ErrorKind::NotFound,
                format!("there is no provider of that name; known: {}", names.join(", ")),
            )
            .with(|e| e.param = Some("provider".to_owned()))
        })
    }
}

impl ProviderConfig {
    /// Scheme, host and port, for messages.
    #[must_use]
    pub fn origin(&self) -> String {
        let scheme = self.base_url.scheme_str().unwrap_or_default();
        let authority = self.base_url.authority().map_or("", |authority| authority.as_str());
        format!("{scheme}://{authority}")
    }

    /// Whether connections are encrypted.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.base_url.scheme_str() == Some("https")
    }

    fn read(name: &str, mut fields: Fields) -> Result<ProviderConfig, Error> {
        let kind = fields.string("kind")?;
        let Some(row) = registry::row(kind.as_deref().unwrap_or(name)) else {
            let path = fields.at("kind");
            let kinds: Vec<_> = registry::ROWS.iter().map(|row| row.name).collect();
            let message = format!("{path} must be one of {}", kinds.join(", "));
            return Err(Error::invalid(path, message));
        };
        let base_url = match fields.string("base_url")? {
            Some(url) => url,
            None => env(row.base_url_env).unwrap_or_else(|| row.base_url.to_owned()),
        };
        let base_url = read_base_url(&base_url, &fields.at("base_url"))?;
        let key = match fields.string("api_key")? {
            Some(text) => KeyRef::parse(&text),
            None if row.key_env.is_empty() => KeyRef::None,
            None => KeyRef::Env(row.key_env.to_owned()),
        };
        let mut headers = Vec::new();
        for (header, value) in fields.object("headers")?.unwrap_or_default() {
            let path = format!("{}.{header}", fields.at("headers"));
            let Value::String(value) = value else {
                return Err(crate::codec::wrong(&path, "a string", &value));
            };
            match (HeaderName::try_from(header.as_str()), HeaderValue::try_from(value)) {
                (Ok(header), _) if FRAMING.contains(&header.as_str()) => {
                    let message = format!("{path} is decided by the connection: leave it out");
                    return Err(Error::invalid(path, message));
                }
                (Ok(header), Ok(mut value)) => {
                    // It may well hold a key.
                    value.set_sensitive(true);
                    headers.push((header, value));
                }
                _ => {
                    let message = format!("{path} is not a valid HTTP header");
                    return Err(Error::invalid(path, message));
                }
            }
        }
        let config = ProviderConfig {
            name: name.to_owned(),
            row,
            base_url,
            key,
            model: fields.string("model")?,
            headers,
            timeouts: match fields.object("timeouts")? {
                Some(object) => read_timeouts(Fields::new(object, fields.at("timeouts")))?,
                None => Timeouts::default(),
            },
            api_version: fields.string("api_version")?,
            ca_file: fields.string("ca_file")?.map(PathBuf::from),
            http: match fields.word("http", &["auto", "1.1", "2"])? {
                Some("1.1") => HttpVersion::Http1,
                Some("2") => HttpVersion::Http2,
                _ => HttpVersion::Auto,
            },
        };
        if config.api_version.is_some() && !row.takes_api_version() {
            let path = fields.at("api_version");
            let message = format!("{path}: {} has no API version to choose", row.name);
            return Err(Error::invalid(path, message));
        }
        finish(fields, &format!("providers.{name}"))?;
        Ok(config)
    }
}

fn read_base_url(text: &str, path: &str) -> Result<Uri, Error> {
    if text.is_empty() {
        let message =
            format!("{path} is missing: the server's URL, such as http://localhost:8000/v1");
        return Err(Error::invalid(path, message));
    }
    // The URL is not quoted in messages: it may hold a password.
    let fault = match Uri::try_from(text) {
        Err(error) => error.to_string(),
        Ok(uri) if !matches!(uri.scheme_str(), Some("http" | "https")) => {
            "it must begin with http:// or https://".to_owned()
        }
        Ok(uri) if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) => {
            "give credentials as api_key, not inside the URL".to_owned()
        }
        Ok(uri) if uri.query().is_some() || text.contains('#') => {
            "no query and no fragment are allowed".to_owned()
        }
        Ok(uri) if uri.host().is_none_or(str::is_empty) => "it names no host".to_owned(),
        Ok(uri) => return Ok(uri),
    };
    Err(Error::invalid(path, format!("{path} is not a usable URL: {fault}")))
}

fn read_timeouts(mut fields: Fields) -> Result<Timeouts, Error> {
    let mut timer = |name: &str| Ok(fields.whole(name, 1)?.map(Duration::from_millis));
    let default = Timeouts::default();
    let timeouts = Timeouts {
        connect: timer("connect_ms")?.unwrap_or(default.connect),
        headers: timer("headers_ms")?,
        first_token: timer("first_token_ms")?,
        idle: timer("idle_ms")?,
        total: timer("total_ms")?.unwrap_or(default.total),
    };
    finish(fields, "timeouts")?;
    Ok(timeouts)
}

/// A configuration is written by hand: an unknown member is a slip of the pen, hence an error.
fn finish(fields: Fields, what: &str) -> Result<(), Error> {
    let mut unknown = Vec::new();
    fields.rest_into(&mut unknown);
    match unknown.first() {
        None => Ok(()),
        Some(path) => {
            let message = format!("{path} is not a member of {what}: see docs/contract.md");
            Err(Error::invalid(path.as_str(), message))
        }
    }
}

fn env(name: &str) -> Option<String> {
    if name.is_empty() { None } else { std::env::var(name).ok().filter(|value| !value.is_empty()) }
}

fn empty() -> Value {
    Value::Object(Object::new())
}
