//! The settings of one provider.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderName, Uri};

use super::api::Api;
use super::azure;
use super::base_url::Place;
use super::control::{reached, read_url_of_control};
use super::elsewhere::elsewhere;
use super::extras::{read_api_version, read_auth, read_query};
use super::identity::{Identity, read_key};
use super::limits::read_limits;
use super::looked_at::read_extra_may_replace;
use super::models::{ModelConfig, read_models};
use super::names::{no_row, not_built, unknown};
use super::price_list;
use super::surroundings::{Surroundings, Way};
use crate::auth::KeyRef;
use crate::codec::{Fields, Object, finish, finish_near};
use crate::error::{Error, ErrorKind};
use crate::http::{self, HttpVersion, Timeouts};
use crate::limit::Limits;
use crate::model::{FRAMING, read_headers};
use crate::price::Prices;
use crate::provider::regions::Regions;
use crate::provider::{Dialect, Row, Target, registry};
use crate::wire::Scheme;

/// The settings of one provider.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    /// The provider's name in this configuration.
    pub name: Arc<str>,
    /// The provider's wire format and its differences.
    pub row: &'static Row,
    /// Whether the configuration or a variable of the environment says where it is. Otherwise it is
    /// known only because it is built in.
    pub named: bool,
    /// How the provider is reached. Its key goes to this origin only.
    pub http: http::Settings,
    /// How its control plane is reached, if its models are listed there and its URL is known. The key
    /// goes to this origin, too.
    pub control: Option<http::Settings>,
    /// The provider's other hosts, by region, if its entry names neither one nor a base URL: a call may
    /// choose. The key goes to these origins, too.
    pub elsewhere: Vec<(&'static str, http::Settings)>,
    /// The provider's key.
    pub key: KeyRef,
    /// What stands in the place of a key.
    pub identity: Identity,
    /// How the key is sent, if not as the provider's kind does.
    auth: Option<Scheme>,
    /// The dialect, if the entry has switches or another format of chats.
    dialect: Option<Arc<Dialect>>,
    /// Members that are added to each chat's body.
    body: Option<Arc<Object>>,
    /// The model for requests that name none.
    pub model: Option<String>,
    /// The version of the API: a header's value (Anthropic), or that of deployments (Azure).
    pub api_version: Option<Arc<str>>,
    /// The provider's region, in the words of `options.region`.
    pub region: Option<Arc<str>>,
    /// The limits of all its models together.
    pub(crate) limits: Limits,
    /// The settings of single models.
    pub(crate) models: Vec<ModelConfig>,
    /// What its models cost.
    pub(crate) prices: Prices,
    /// The header that makes a repeated request count once, if the server has one.
    pub idempotency_header: Option<HeaderName>,
    /// The members of a body that `extra` may replace although limits and policies look at them.
    pub extra_may_replace: Vec<&'static str>,
    /// The health probe, which asks a provider that failed whether it works again.
    pub health_probe: Option<ProbeConfig>,
    /// Whether the trace context of calls goes to this provider.
    pub trace_context: bool,
}

/// The settings of the health probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeConfig {
    /// The time between two probes.
    pub interval: Duration,
}

/// The members of an entry, for the hint at the nearest one.
const MEMBERS: [&str; 31] = [
    "kind",
    "api",
    "base_url",
    "control_url",
    "resource",
    "project",
    "location",
    "api_key",
    "auth",
    "aws",
    "google",
    "entra",
    "model",
    "headers",
    "query",
    "body",
    "switches",
    "timeouts",
    "api_version",
    "ca_file",
    "proxy",
    "http",
    "region",
    "limits",
    "models",
    "price",
    "price_list",
    "idempotency_header",
    "health_probe",
    "extra_may_replace",
    "trace_context",
];

/// Headers that the engine or a credential sets, besides those of [`FRAMING`].
const OURS: &[&str] = &[
    "accept-encoding",
    "api-key",
    "authorization",
    "content-encoding",
    "content-type",
    "cookie",
    "x-amz-date",
    "x-amz-security-token",
    "x-api-key",
    "x-goog-api-key",
    "x-portkey-api-key",
];

impl ProviderConfig {
    /// The regions of which a call may choose one.
    pub(crate) fn regions(&self) -> impl Iterator<Item = &'static str> {
        let words: &[&'static str] = match self.row.regions() {
            Regions::Member(words) if self.region.is_none() => words,
            _ => &[],
        };
        self.elsewhere.iter().map(|(name, _)| *name).chain(words.iter().copied())
    }

    /// The region that a call may choose by this word.
    pub(crate) fn moves_to(&self, word: &str) -> Option<&'static str> {
        self.regions().find(|region| *region == word)
    }

    /// The part of these settings that an adapter sees, for one model.
    #[must_use]
    pub fn target(&self, model: &str) -> Target {
        Target {
            provider: Arc::clone(&self.name),
            kind: self.row.name,
            model: Arc::from(model),
            api_version: self.api_version.clone(),
            region: self.region.clone(),
            dialect: self.dialect.clone(),
            body: self.body.clone(),
        }
    }

    /// The number of inputs that one request to this model may have, if it is configured.
    pub(crate) fn max_inputs(&self, model: &str) -> Option<usize> {
        self.models.iter().find(|own| own.name == model)?.max_inputs
    }

    /// How the key is sent.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        let of_identity = || self.identity.scheme();
        self.auth.clone().or_else(of_identity).unwrap_or_else(|| self.row.adapter().scheme())
    }

    /// Reads an entry. `named` means that the configuration has one.
    pub(super) fn read(
        name: &str,
        mut fields: Fields,
        named: bool,
        around: &Surroundings<'_>,
    ) -> Result<ProviderConfig, Error> {
        let environment = around.environment();
        let kind = fields.string("kind")?;
        let Some(row) = registry::row(kind.as_deref().unwrap_or(name)) else {
            return Err(no_row(&fields.at("kind"), kind.as_deref(), name));
        };
        let api_version = read_api_version(row, &mut fields)?;
        let api = Api::read(row, &mut fields)?;
        let (built_in, own_base) = (api.base_url(), fields.has("base_url"));
        let Place { base_url, region, given } =
            Place::read(row, built_in, &mut fields, environment, api_version.as_deref())?;
        let (named, own_proxy) = (named || given, fields.has("proxy"));
        let key = read_key(row, &mut fields, environment)?;
        let control = read_url_of_control(row, &mut fields, environment, &base_url, own_base)?;
        let http = read_http(base_url, &mut fields, around)?;
        let control = control.map(|url| reached(url, &http, own_proxy, around));
        let elsewhere = match (&region, given) {
            (None, false) => elsewhere(row, &http, own_proxy, around),
            _ => Vec::new(),
        };
        let way = Way {
            http: &http,
            #[cfg(feature = "aws")]
            control: control.as_ref(),
            #[cfg(feature = "aws")]
            own_proxy,
            #[cfg(feature = "aws")]
            region: region.as_deref(),
        };
        let identity = Identity::read(row, &mut fields, &way, &key, around)?;
        let models = read_models(&mut fields)?;
        let config = ProviderConfig {
            prices: price_list::read_entry(row.name, &models, &mut fields)?,
            name: Arc::from(name),
            row,
            named,
            key,
            identity,
            auth: read_auth(&mut fields)?,
            dialect: api.dialect(&http.base_url, &fields.at("base_url"))?,
            body: super::extras::read_body(&mut fields)?,
            model: fields.string("model")?,
            http,
            control,
            elsewhere,
            api_version,
            region: region.map(Arc::from),
            limits: read_limits(&mut fields)?,
            models,
            idempotency_header: read_idempotency(&mut fields)?,
            extra_may_replace: read_extra_may_replace(&mut fields)?,
            health_probe: ProbeConfig::read(&mut fields)?,
            trace_context: fields.bool("trace_context")?.unwrap_or(true),
        };
        if row.takes_resource() && config.api_version.is_some() {
            let path = fields.at("api_version");
            azure::check(&path, &config.http.query, config.dialect.as_deref())?;
        }
        super::extras::refuse_switches(&mut fields)?;
        finish_near(fields, &format!("providers.{name}"), &MEMBERS, "docs/contract.md")?;
        Ok(config)
    }
}

/// Reads the settings of the connection.
fn read_http(
    base_url: Uri,
    fields: &mut Fields,
    around: &Surroundings<'_>,
) -> Result<http::Settings, Error> {
    let (proxy, trust) = around.way_of_entry(fields, &base_url)?;
    Ok(http::Settings {
        proxy,
        trust,
        base_url,
        headers: read_headers(fields)?.unwrap_or_default(),
        query: read_query(fields)?,
        timeouts: match fields.object("timeouts")? {
            Some(object) => read_timeouts(Fields::new(object, fields.at("timeouts")))?,
            None => Timeouts::default(),
        },
        ca_file: fields.string("ca_file")?.map(PathBuf::from),
        version: match fields.word("http", &["auto", "1.1", "2"])? {
            Some("1.1") => HttpVersion::Http1,
            Some("2") => HttpVersion::Http2,
            _ => HttpVersion::Auto,
        },
    })
}

fn read_idempotency(fields: &mut Fields) -> Result<Option<HeaderName>, Error> {
    let Some(header) = fields.string("idempotency_header")? else { return Ok(None) };
    let path = fields.at("idempotency_header");
    let header = HeaderName::try_from(header)
        .map_err(|_| Error::invalid(path.clone(), format!("{path} is not the name of a header")))?;
    if FRAMING.contains(&header.as_str()) || OURS.contains(&header.as_str()) {
        // The caller's idempotency key would replace it.
        let message = format!("{path}: {header} has another meaning; name the server's own header");
        return Err(Error::invalid(path, message));
    }
    Ok(Some(header))
}

impl ProbeConfig {
    fn read(fields: &mut Fields) -> Result<Option<ProbeConfig>, Error> {
        let Some(object) = fields.object("health_probe")? else { return Ok(None) };
        let mut probe = Fields::new(object, fields.at("health_probe"));
        let interval = probe.millis("interval_ms", 100)?;
        finish(probe, "health_probe")?;
        Ok(Some(ProbeConfig { interval: interval.unwrap_or(Duration::from_secs(10)) }))
    }
}

/// The place of the provider of this name, if there is one. `providers` are in the order of their
/// names.
pub(super) fn find(providers: &[ProviderConfig], name: &str) -> Option<usize> {
    providers.binary_search_by(|provider| (*provider.name).cmp(name)).ok()
}

/// The place of the provider of this name. `providers` are in the order of their names.
pub(super) fn index(providers: &[ProviderConfig], name: &str) -> Result<usize, Error> {
    find(providers, name).ok_or_else(|| {
        let known = providers.iter().map(|provider| &*provider.name);
        no_provider("provider", name, known, "provider")
    })
}

/// The error for a name that is no provider's, at `param`.
pub(super) fn no_provider<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    param: &str,
) -> Error {
    not_built(name, param).unwrap_or_else(|| {
        Error::new(ErrorKind::NotFound, unknown_provider(what, name, known))
            .with(|e| e.param = Some(param.to_owned()))
    })
}

/// The message about a name that is no provider's, or the name of a row that needs an entry.
pub(crate) fn unknown_provider<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> String {
    match registry::row(name).filter(|row| row.base_url.is_empty()) {
        None => unknown(what, name, known),
        Some(row) if row.takes_project() => format!(
            "provider '{name}' needs a project and a location: give them in providers.{name} in the \
             configuration, or set GOOGLE_CLOUD_PROJECT and GOOGLE_CLOUD_LOCATION"
        ),
        Some(row) if row.takes_region() => format!(
            "provider '{name}' needs a region: give providers.{name}.region in the configuration, or \
             set AWS_REGION"
        ),
        Some(row) => format!(
            "provider '{name}' has no base URL of its own: give providers.{name}.base_url in the \
             configuration, such as {}",
            row.url_like()
        ),
    }
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
