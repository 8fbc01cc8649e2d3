//! `redis`: which Redis the processes of a fleet share. `fleet`: what they share there.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use secrecy::SecretString;

use super::environment::Environment;
use crate::auth::KeyRef;
use crate::codec::{Fields, finish_near, saturated};
use crate::error::Error;
use crate::http::Trust;
use crate::json::Value;
use crate::redis::{Address, Mode, Settings};

/// Which Redis, and how it is reached.
#[derive(Clone, Debug)]
pub struct RedisConfig {
    /// Which Redis, and how it is asked.
    pub settings: Settings,
    /// The password.
    pub password: KeyRef,
    /// A PEM file with further trusted roots.
    pub ca_file: Option<PathBuf>,
    /// The roots that are trusted without it.
    pub trust: Arc<Trust>,
}

/// What the processes of a fleet share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FleetConfig {
    /// Whether `limits` hold for all of them together.
    pub limits: bool,
    /// Their number, until it is known from Redis.
    pub replicas: u32,
}

const MEMBERS: [&str; 9] =
    ["url", "urls", "mode", "master", "username", "password", "namespace", "timeout_ms", "ca_file"];

/// The longest namespace, in bytes.
const MOST_NAMESPACE: usize = 64;

/// The most servers in `urls`.
const MOST_URLS: usize = 64;

/// The longest `timeout_ms`. A call waits so long for a Redis that is silent.
const LONGEST: u64 = 10_000;

impl RedisConfig {
    /// Reads `redis`.
    pub(super) fn read(
        fields: &mut Fields,
        environment: &Environment,
    ) -> Result<Option<RedisConfig>, Error> {
        let Some(object) = fields.object("redis")? else { return Ok(None) };
        let mut redis = Fields::new(object, "redis");
        let mode = redis.word("mode", &["single", "cluster", "sentinel"])?.unwrap_or("single");
        let master = redis.name("master")?;
        let mut places = read_places(&mut redis, mode)?;
        let first = places.swap_remove(0);
        if let Some(other) = places.iter().find(|other| !other.is_like(&first)) {
            let message = format!(
                "redis.urls: {} and {} differ in more than host and port: scheme, user, password and \
                 database are the same for all",
                first.address, other.address
            );
            return Err(Error::invalid("redis.urls", message));
        }
        let Place { address, tls, username, password, database } = first;
        let mode = match (mode, master) {
            ("sentinel", Some(master)) => Mode::Sentinel { master },
            ("sentinel", None) => {
                return Err(redis.missing("master", "give the primary's name at the sentinels"));
            }
            (mode, Some(_)) => {
                let message =
                    format!("redis.master is for mode \"sentinel\", and this is {mode:?}");
                return Err(Error::invalid("redis.master", message));
            }
            ("cluster", None) if database != 0 => {
                let message = "redis.urls: a cluster has only the database 0";
                return Err(Error::invalid("redis.urls", message));
            }
            ("cluster", None) => Mode::Cluster,
            (_, None) => Mode::Single,
        };
        let member = redis.name("username")?;
        let username = once(&redis, "username", member, username)?;
        let password = read_password(&mut redis, password, environment)?;
        if username.is_some() && matches!(password, KeyRef::None) {
            return Err(redis.missing("password", "redis.username is nothing without one"));
        }
        let mut addresses = vec![address];
        addresses.extend(places.into_iter().map(|place| place.address));
        let config = RedisConfig {
            settings: Settings {
                mode,
                addresses,
                tls,
                username,
                database,
                timeout: read_timeout(&mut redis)?,
                namespace: read_namespace(&mut redis)?,
            },
            password,
            ca_file: redis.string("ca_file")?.map(PathBuf::from),
            trust: environment.trust(),
        };
        if config.ca_file.is_some() && !tls {
            let message = "redis.ca_file needs TLS: the URL begins with rediss://";
            return Err(Error::invalid("redis.ca_file", message));
        }
        finish_near(redis, "redis", &MEMBERS, "docs/redis.md")?;
        Ok(Some(config))
    }
}

impl FleetConfig {
    /// Reads `fleet`.
    pub(super) fn read(fields: &mut Fields, has_redis: bool) -> Result<FleetConfig, Error> {
        let Some(object) = fields.object("fleet")? else { return Ok(FleetConfig::default()) };
        let mut fleet = Fields::new(object, "fleet");
        let config = FleetConfig {
            limits: fleet.bool("limits")?.unwrap_or(false),
            replicas: fleet.whole("replicas", 1)?.map_or(1, saturated),
        };
        finish_near(fleet, "fleet", &["limits", "replicas"], "docs/redis.md")?;
        if config.limits && !has_redis {
            let message = "fleet.limits needs the Redis that the processes share: give redis.url";
            return Err(Error::invalid("fleet.limits", message));
        }
        Ok(config)
    }
}

/// What one URL says.
#[derive(Debug)]
struct Place {
    address: Address,
    tls: bool,
    username: Option<String>,
    password: Option<String>,
    database: u32,
}

impl Place {
    fn is_like(&self, other: &Place) -> bool {
        self.tls == other.tls
            && self.username == other.username
            && self.password == other.password
            && self.database == other.database
    }

    /// Reads `redis[s]://[user[:password]@]host[:port][/database]`. No message quotes the text, which
    /// may have a password.
    fn parse(path: &str, text: &str) -> Result<Place, Error> {
        let wrong = |what: &str| {
            let message = format!("{path} {what}: write redis://host:6379/0, or rediss:// for TLS");
            Error::invalid(path, message)
        };
        let (tls, rest) = match text.split_once("://") {
            Some(("redis", rest)) => (false, rest),
            Some(("rediss", rest)) => (true, rest),
            _ => return Err(wrong("begins with neither redis:// nor rediss://")),
        };
        if rest.contains(['?', '#']) {
            return Err(wrong("has a query or a fragment, which mean nothing here"));
        }
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let database = match database.trim_end_matches('/') {
            "" => 0,
            digits => digits.parse().map_err(|_| wrong("names no database by its number"))?,
        };
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        let decoded = |text: &str| {
            let text = percent_decode_str(text).decode_utf8();
            text.map(|text| Some(text.into_owned()).filter(|text| !text.is_empty()))
                .map_err(|_| wrong("has a user or password that is not UTF-8"))
        };
        let (username, password) = match user.map(|user| user.split_once(':').unwrap_or((user, "")))
        {
            Some((user, password)) => (decoded(user)?, decoded(password)?),
            None => (None, None),
        };
        let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':').unwrap_or(port)),
            None => place.split_once(':').unwrap_or((place, "")),
        };
        let port = match port {
            "" => 6379,
            port => port
                .parse()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(|| wrong("has no valid port"))?,
        };
        let is_named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if host.is_empty() || !host.chars().all(is_named) {
            return Err(wrong("has no valid host"));
        }
        Ok(Place {
            address: Address { host: host.to_owned(), port },
            tls,
            username,
            password,
            database,
        })
    }
}

/// Reads `url` and `urls`. There is one place at least.
fn read_places(redis: &mut Fields, mode: &str) -> Result<Vec<Place>, Error> {
    let (url, urls) = (redis.string("url")?, redis.list("urls")?);
    let places = match (url, urls) {
        (Some(_), Some(_)) => {
            let message = "give redis.url or redis.urls, not both";
            return Err(Error::invalid("redis.urls", message));
        }
        (Some(url), None) => vec![Place::parse("redis.url", &url)?],
        (None, None) => return Err(redis.missing("url", "such as redis://cache.internal:6379/0")),
        (None, Some(urls)) if urls.is_empty() || urls.len() > MOST_URLS => {
            let message = format!("redis.urls has {} entries: give 1 to {MOST_URLS}", urls.len());
            return Err(Error::invalid("redis.urls", message));
        }
        (None, Some(urls)) => {
            let read = |(i, url): (usize, &Value)| {
                let path = format!("redis.urls[{i}]");
                match url.as_str() {
                    Some(url) => Place::parse(&path, url),
                    None => Err(crate::codec::wrong(&path, "a string", url)),
                }
            };
            urls.iter().enumerate().map(read).collect::<Result<_, _>>()?
        }
    };
    if mode == "single" && places.len() > 1 {
        let message = "redis.urls has several servers: redis.mode says whether they are a \"cluster\" \
                       or the \"sentinel\"s of one";
        return Err(Error::invalid("redis.urls", message));
    }
    Ok(places)
}

/// A member that the URL may have instead.
fn once<T>(
    redis: &Fields,
    name: &str,
    member: Option<T>,
    of_url: Option<T>,
) -> Result<Option<T>, Error> {
    if member.is_some() && of_url.is_some() {
        let path = redis.at(name);
        let message = format!("{path} is in the URL, too: give it once");
        return Err(Error::invalid(path, message));
    }
    Ok(member.or(of_url))
}

fn read_password(
    redis: &mut Fields,
    of_url: Option<String>,
    environment: &Environment,
) -> Result<KeyRef, Error> {
    let member = redis.string("password")?;
    if member.as_deref() == Some("") {
        let message = "redis.password is empty: leave it out if Redis has none";
        return Err(Error::invalid("redis.password", message));
    }
    let member = member.map(|text| KeyRef::parse("redis.password", &text, environment));
    let of_url = of_url.map(|text| KeyRef::Literal(SecretString::from(text)));
    Ok(once(redis, "password", member.transpose()?, of_url)?.unwrap_or(KeyRef::None))
}

fn read_timeout(redis: &mut Fields) -> Result<Duration, Error> {
    let ms = redis.whole("timeout_ms", 1)?.unwrap_or(50);
    if ms > LONGEST {
        let message = format!(
            "redis.timeout_ms is {ms}: every call waits so long for a Redis that is silent, so it is \
             {LONGEST} at most"
        );
        return Err(Error::invalid("redis.timeout_ms", message));
    }
    Ok(Duration::from_millis(ms))
}

fn read_namespace(redis: &mut Fields) -> Result<String, Error> {
    let Some(name) = redis.string("namespace")? else { return Ok("default".to_owned()) };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if name.is_empty() || name.len() > MOST_NAMESPACE || !name.bytes().all(is_plain) {
        let message = format!(
            "redis.namespace has 1 to {MOST_NAMESPACE} letters, digits, dots, dashes and underscores, \
             as it stands in the names of keys"
        );
        return Err(Error::invalid("redis.namespace", message));
    }
    Ok(name)
}
