//! Options say how and where a request is sent. They are never in the cache key and never in the
//! audit hash.

use ::http::header::AUTHORIZATION;
use ::http::{HeaderName, HeaderValue};

use super::caching::{CacheOptions, read_tenant};
use super::header_map::read_headers;
use super::near;
use super::policy::{self, Hedge, RetryOverlay};
use super::tags;
use super::traits::read_quality;
use crate::codec::{Fields, Object, parse_object, short, wrong};
use crate::error::{Error, ErrorKind};
use crate::json::Value;

/// The options of one call.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The provider's name in the configuration.
    pub provider: Option<String>,
    /// The time for the whole call, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// The longest silence inside a stream, in milliseconds.
    pub idle_ms: Option<u64>,
    /// Joins text deltas that arrive in one read of the socket.
    pub merge_deltas: Option<bool>,
    /// What happens with a parameter that the provider does not support.
    pub unsupported: Option<Unsupported>,
    /// Whether unknown members of a request are an error instead of a warning.
    pub strict: Option<bool>,
    /// The retry policy of this call.
    pub retry: Option<RetryOverlay>,
    /// Fallback targets, in order, for a failure of the first: `provider/model`, or a provider.
    pub fallback: Option<Vec<String>>,
    /// The fan-out: several targets at once.
    pub fanout: Option<Fanout>,
    /// The hedges: further attempts beside a slow first one.
    pub hedge: Option<Hedge>,
    /// `limit.wait`: whether the call waits for a limit.
    pub wait: Option<bool>,
    /// Only targets of this region, and those whose entry leaves the region to the call.
    pub region: Option<String>,
    /// The sticky key. Calls with the same key use the same target of a `weighted` route.
    pub sticky_key: Option<String>,
    /// The idempotency key, the same for every attempt of a call, for providers that count a
    /// repeated request once.
    pub idempotency_key: Option<String>,
    /// What happens to a stream that breaks after its first content.
    pub on_break: Option<OnBreak>,
    /// Whether the request is adapted to what its provider is known to refuse.
    pub adapt: Option<bool>,
    /// Whether a request that its provider refuses for one parameter goes again without it.
    pub drop_refused: Option<bool>,
    /// Headers of this call's requests, over the configured ones.
    pub headers: Option<Vec<(HeaderName, HeaderValue)>>,
    /// How the call uses the cache.
    pub cache: Option<CacheOptions>,
    /// The tenant, which separates everything that is kept.
    pub tenant: Option<String>,
    /// Whether the last document has what a span of the call needs.
    pub telemetry: Option<bool>,
    /// The W3C trace context that goes to providers.
    pub traceparent: Option<String>,
    /// What goes with `traceparent`.
    pub tracestate: Option<String>,
    /// The least quality of a route's target.
    pub min_quality: Option<u8>,
    /// Tags by name, by which budgets and rules of routes tell calls apart.
    pub tags: Option<Vec<(String, String)>>,
    /// The gateway's key that the call came with. No document has it: only a Rust caller says it.
    pub key: Option<String>,
}

/// A fan-out: several targets at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fanout {
    /// The targets: `provider/model`, or a provider or route.
    pub targets: Vec<String>,
    /// The number of answers to wait for. The other calls are cancelled.
    pub first: usize,
}

/// What happens to a stream that breaks after its first content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnBreak {
    /// The stream ends with an error that holds the content so far.
    #[default]
    Error,
    /// A reset event comes, and the answer starts again from its beginning.
    Restart,
}

/// What happens with a parameter that the provider does not support.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unsupported {
    /// The parameter is left out, and `warnings` says so.
    #[default]
    Warn,
    /// The call fails before anything is sent.
    Error,
}

/// Options of the contract that this build does not have yet. They are an error and never ignored.
const NOT_YET: [&str; 1] = ["baggage"];

impl Options {
    /// Reads an options document.
    pub fn parse(bytes: &[u8]) -> Result<Options, Error> {
        Self::read(parse_object(bytes, "options")?)
    }

    /// Fills members that these options leave out from `other`.
    #[must_use]
    pub fn or(self, other: Options) -> Options {
        Options {
            provider: self.provider.or(other.provider),
            timeout_ms: self.timeout_ms.or(other.timeout_ms),
            idle_ms: self.idle_ms.or(other.idle_ms),
            merge_deltas: self.merge_deltas.or(other.merge_deltas),
            unsupported: self.unsupported.or(other.unsupported),
            strict: self.strict.or(other.strict),
            retry: match (self.retry, other.retry) {
                (Some(mine), Some(theirs)) => Some(mine.or(theirs)),
                (mine, theirs) => mine.or(theirs),
            },
            fallback: self.fallback.or(other.fallback),
            fanout: self.fanout.or(other.fanout),
            hedge: self.hedge.or(other.hedge),
            wait: self.wait.or(other.wait),
            region: self.region.or(other.region),
            sticky_key: self.sticky_key.or(other.sticky_key),
            idempotency_key: self.idempotency_key.or(other.idempotency_key),
            on_break: self.on_break.or(other.on_break),
            adapt: self.adapt.or(other.adapt),
            drop_refused: self.drop_refused.or(other.drop_refused),
            headers: self.headers.or(other.headers),
            cache: match (self.cache, other.cache) {
                (Some(mine), Some(theirs)) => Some(mine.or(theirs)),
                (mine, theirs) => mine.or(theirs),
            },
            tenant: self.tenant.or(other.tenant),
            telemetry: self.telemetry.or(other.telemetry),
            traceparent: self.traceparent.or(other.traceparent),
            tracestate: self.tracestate.or(other.tracestate),
            min_quality: self.min_quality.or(other.min_quality),
            tags: tags::or(self.tags, other.tags),
            key: self.key.or(other.key),
        }
    }

    pub(crate) fn read(object: Object) -> Result<Options, Error> {
        let mut fields = Fields::new(object, "options");
        let options = Options {
            provider: fields.name("provider")?,
            timeout_ms: fields.whole("timeout_ms", 1)?,
            idle_ms: fields.whole("idle_ms", 1)?,
            merge_deltas: fields.bool("merge_deltas")?,
            unsupported: fields.word("unsupported", &["warn", "error"])?.map(|word| match word {
                "error" => Unsupported::Error,
                _ => Unsupported::Warn,
            }),
            strict: fields.bool("strict")?,
            retry: RetryOverlay::read(&mut fields)?,
            fallback: read_fallback(&mut fields)?,
            fanout: match fields.object("fanout")? {
                Some(object) => Some(Fanout::read(Fields::new(object, "options.fanout"))?),
                None => None,
            },
            hedge: Hedge::read(&mut fields)?,
            wait: policy::read_wait(&mut fields)?,
            region: fields.string("region")?,
            sticky_key: fields.string("sticky_key")?,
            idempotency_key: fields.string("idempotency_key")?,
            on_break: fields.word("on_break", &["error", "restart"])?.map(|word| match word {
                "restart" => OnBreak::Restart,
                _ => OnBreak::Error,
            }),
            adapt: fields.bool("adapt")?,
            drop_refused: fields.bool("drop_refused")?,
            headers: call_headers(&mut fields)?,
            cache: CacheOptions::read(&mut fields)?,
            tenant: read_tenant(&mut fields)?,
            telemetry: fields.bool("telemetry")?,
            traceparent: fields.string("traceparent")?,
            tracestate: fields.string("tracestate")?,
            min_quality: read_quality(&mut fields)?,
            tags: tags::read(&mut fields)?,
            key: None,
        };
        match fields.rest().keys().next() {
            None => Ok(options),
            Some(name) => {
                let path = format!("options.{name}");
                let (kind, message) = if NOT_YET.contains(&name.as_str()) {
                    (ErrorKind::Unsupported, format!("{path} is not in this build: leave it out"))
                } else {
                    let advice = near::option(name).unwrap_or_default();
                    (
                        ErrorKind::InvalidRequest,
                        format!("{path} is not an option: see docs/contract.md{advice}"),
                    )
                };
                Err(Error::new(kind, message).with(|e| e.param = Some(path)))
            }
        }
    }
}

fn read_fallback(fields: &mut Fields) -> Result<Option<Vec<String>>, Error> {
    let Some(items) = fields.list("fallback")? else { return Ok(None) };
    if items.len() > MOST {
        let message = format!("options.fallback: {MOST} targets at most");
        return Err(Error::invalid("options.fallback", message));
    }
    names(items, "options.fallback").map(Some)
}

/// Reads `headers`. The key is no header of a call: it would go to each of its providers.
fn call_headers(fields: &mut Fields) -> Result<Option<Vec<(HeaderName, HeaderValue)>>, Error> {
    let headers = read_headers(fields)?;
    if headers.iter().flatten().any(|(name, _)| name == AUTHORIZATION) {
        let path = "options.headers.authorization";
        let message = format!("{path}: the key stands in the configuration, as api_key");
        return Err(Error::invalid(path, message));
    }
    Ok(headers)
}

impl Fanout {
    fn read(mut fields: Fields) -> Result<Fanout, Error> {
        let path = fields.at("targets");
        let targets = names(fields.list("targets")?.unwrap_or_default(), &path)?;
        if targets.is_empty() {
            return Err(fields.missing("targets", "a list of provider/model"));
        }
        let first = fields.whole("first", 1)?.map_or(1, |n| usize::try_from(n).unwrap_or(MOST));
        if first > targets.len() || targets.len() > MOST {
            let message = format!(
                "options.fanout: first is at most the number of targets, and they are {MOST} at most"
            );
            return Err(Error::invalid("options.fanout", message));
        }
        crate::codec::finish(fields, "options.fanout")?;
        Ok(Fanout { targets, first })
    }
}

/// The largest number of targets of one call.
const MOST: usize = 32;

fn names(items: Vec<Value>, path: &str) -> Result<Vec<String>, Error> {
    let name = |(i, item)| match item {
        Value::String(text) => short(text, || format!("{path}[{i}]")),
        other => Err(wrong(&format!("{path}[{i}]"), "a string", &other)),
    };
    items.into_iter().enumerate().map(name).collect()
}
