//! The settings of the cache. `docs/cache.md` says what each does.

use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::environment::Environment;
use crate::auth::KeyRef;
use crate::codec::{Fields, finish_near};
use crate::error::Error;

/// The settings of a client's cache.
#[derive(Clone, Debug)]
pub struct CacheConfig {
    /// How long an answer is fresh, unless a call says otherwise.
    pub ttl: Duration,
    /// The longest time that a call may ask for.
    pub max_ttl: Duration,
    /// The bound of the memory, in bytes.
    pub memory_bytes: u64,
    /// The bound of one answer, in bytes.
    pub max_entry_bytes: u64,
    /// How long an expired answer is still given, while one call asks anew.
    pub stale: Duration,
    /// How long an expired answer is still given if no target answers.
    pub stale_if_error: Duration,
    /// Whether an answer may be asked for anew before it expires.
    pub early: bool,
    /// Whether calls that name no tenant are not cached.
    pub require_tenant: bool,
    /// The tier that processes share, if there is one.
    pub shared: Option<SharedConfig>,
}

/// The tier that processes share.
#[derive(Clone, Debug)]
pub struct SharedConfig {
    /// What the names and the keys of entries are made of. Without one they are plain hashes.
    pub secret: KeyRef,
    /// Whether answers are encrypted.
    pub encrypt: bool,
}

const MEMBERS: [&str; 11] = [
    "ttl_s",
    "max_ttl_s",
    "memory_bytes",
    "max_entry_bytes",
    "stale_s",
    "stale_if_error_s",
    "early",
    "require_tenant",
    "redis",
    "secret",
    "encrypt",
];

/// The least bytes of a secret.
pub(crate) const LEAST_SECRET: usize = 16;

/// The number of parts of the memory. An answer has the room of one of them at most.
pub(crate) const SHARDS: u64 = 8;

/// The least bound of the memory.
const LEAST_BYTES: u64 = 1 << 16;

const MEMORY_BYTES: u64 = 64 << 20;
const MAX_ENTRY_BYTES: u64 = 1 << 20;
const TTL: u64 = 300;
const MAX_TTL: u64 = 86_400;

impl CacheConfig {
    /// Reads `cache`: an object, or `false` for none.
    pub(super) fn read(
        fields: &mut Fields,
        has_redis: bool,
        environment: &Environment,
    ) -> Result<Option<CacheConfig>, Error> {
        let Some(Some(mut cache)) = fields.object_or_false("cache")? else { return Ok(None) };
        let shared = read_shared(&mut cache, has_redis, environment)?;
        let max_ttl = cache.whole("max_ttl_s", 1)?;
        let ttl = cache.whole("ttl_s", 1)?;
        let max_ttl = max_ttl.unwrap_or_else(|| MAX_TTL.max(ttl.unwrap_or(0)));
        let ttl = ttl.unwrap_or_else(|| TTL.min(max_ttl));
        if ttl > max_ttl {
            let message = format!("cache.ttl_s is {ttl}, and max_ttl_s {max_ttl}: raise max_ttl_s");
            return Err(Error::invalid("cache.ttl_s", message));
        }
        let memory_bytes = cache.whole("memory_bytes", LEAST_BYTES)?.unwrap_or(MEMORY_BYTES);
        let most = memory_bytes / SHARDS;
        let max_entry_bytes = cache.whole("max_entry_bytes", 1)?;
        if let Some(bytes) = max_entry_bytes.filter(|bytes| *bytes > most) {
            let message = format!(
                "cache.max_entry_bytes is {bytes}, and an answer may have an eighth of \
                 memory_bytes, {most}, at most"
            );
            return Err(Error::invalid("cache.max_entry_bytes", message));
        }
        let stale = cache.whole("stale_s", 0)?.unwrap_or(0);
        let stale_if_error = cache.whole("stale_if_error_s", 0)?.unwrap_or(0);
        let read = CacheConfig {
            ttl: Duration::from_secs(ttl),
            max_ttl: Duration::from_secs(max_ttl),
            memory_bytes,
            max_entry_bytes: max_entry_bytes.unwrap_or(MAX_ENTRY_BYTES.min(most)),
            stale: Duration::from_secs(stale),
            stale_if_error: Duration::from_secs(stale_if_error),
            early: cache.bool("early")?.unwrap_or(false),
            require_tenant: cache.bool("require_tenant")?.unwrap_or(false),
            shared,
        };
        finish_near(cache, "cache", &MEMBERS, "docs/cache.md")?;
        Ok(Some(read))
    }
}

/// Reads `redis`, `secret` and `encrypt`.
fn read_shared(
    cache: &mut Fields,
    has_redis: bool,
    environment: &Environment,
) -> Result<Option<SharedConfig>, Error> {
    let wanted = cache.bool("redis")?.unwrap_or(false);
    let (secret, encrypt) = (cache.string("secret")?, cache.bool("encrypt")?);
    if !wanted {
        for (name, given) in [("secret", secret.is_some()), ("encrypt", encrypt.is_some())] {
            if given {
                let path = cache.at(name);
                let message =
                    format!("{path} is for answers in Redis: set cache.redis, or leave it out");
                return Err(Error::invalid(path, message));
            }
        }
        return Ok(None);
    }
    if cfg!(not(feature = "redis")) {
        return Err(Error::not_built("cache.redis", "cache.redis", "redis"));
    }
    if !has_redis {
        let message = "cache.redis needs the Redis that the processes share: give redis.url";
        return Err(Error::invalid("cache.redis", message));
    }
    let secret = match secret {
        Some(text) => KeyRef::parse("cache.secret", &text, environment)?,
        None if encrypt == Some(false) => KeyRef::None,
        None => {
            let hint = "answers are personal data, and are encrypted with it in Redis. \
                        \"encrypt\": false keeps them there as they are";
            return Err(cache.missing("secret", hint));
        }
    };
    match &secret {
        KeyRef::Env(name, None) => {
            let message = format!("cache.secret: the environment variable {name} is not set");
            return Err(Error::invalid("cache.secret", message));
        }
        KeyRef::Env(_, Some(text)) | KeyRef::Literal(text)
            if text.expose_secret().len() < LEAST_SECRET =>
        {
            let message = format!("cache.secret has fewer than {LEAST_SECRET} bytes");
            return Err(Error::invalid("cache.secret", message));
        }
        _ => {}
    }
    Ok(Some(SharedConfig { secret, encrypt: encrypt.unwrap_or(true) }))
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::error::ErrorKind;

    use super::*;

    fn read(cache: &str) -> Result<Option<CacheConfig>, Error> {
        Config::parse(format!(r#"{{"cache": {cache}}}"#).as_bytes()).map(|config| config.cache)
    }

    #[test]
    fn defaults_are_those_of_the_documents() {
        let cache = read("{}").unwrap().unwrap();
        assert_eq!((cache.ttl.as_secs(), cache.max_ttl.as_secs()), (300, 86_400));
        assert_eq!((cache.memory_bytes, cache.max_entry_bytes), (64 << 20, 1 << 20));
        assert_eq!((cache.stale, cache.stale_if_error), (Duration::ZERO, Duration::ZERO));
        assert!(!cache.early && !cache.require_tenant);
        assert!(cache.shared.is_none());
        assert!(read("false").unwrap().is_none());
        assert!(Config::parse(b"{}").unwrap().cache.is_none());
    }

    #[test]
    fn one_answer_has_an_eighth_of_the_memory_at_most() {
        let cache = read(r#"{"memory_bytes": 65536}"#).unwrap().unwrap();
        assert_eq!(cache.max_entry_bytes, 8_192);
        let error = read(r#"{"memory_bytes": 65536, "max_entry_bytes": 8193}"#).unwrap_err();
        assert_eq!(error.param.as_deref(), Some("cache.max_entry_bytes"));
    }

    #[test]
    fn bad_settings_are_named() {
        for (cache, kind, param) in [
            ("1", ErrorKind::InvalidRequest, "cache"),
            ("true", ErrorKind::InvalidRequest, "cache"),
            (r#"{"ttl_s": 0}"#, ErrorKind::InvalidRequest, "cache.ttl_s"),
            (r#"{"ttl_s": -1}"#, ErrorKind::InvalidRequest, "cache.ttl_s"),
            (r#"{"ttl_s": 1.5}"#, ErrorKind::InvalidRequest, "cache.ttl_s"),
            (r#"{"ttl_s": 10, "max_ttl_s": 9}"#, ErrorKind::InvalidRequest, "cache.ttl_s"),
            (r#"{"max_ttl_s": 0}"#, ErrorKind::InvalidRequest, "cache.max_ttl_s"),
            (r#"{"memory_bytes": 65535}"#, ErrorKind::InvalidRequest, "cache.memory_bytes"),
            (r#"{"max_entry_bytes": 0}"#, ErrorKind::InvalidRequest, "cache.max_entry_bytes"),
            (r#"{"stale_s": -1}"#, ErrorKind::InvalidRequest, "cache.stale_s"),
            (r#"{"early": 1}"#, ErrorKind::InvalidRequest, "cache.early"),
            (r#"{"secret": "0123456789abcdef"}"#, ErrorKind::InvalidRequest, "cache.secret"),
            (r#"{"encrypt": true}"#, ErrorKind::InvalidRequest, "cache.encrypt"),
            (r#"{"redis": false, "encrypt": 1}"#, ErrorKind::InvalidRequest, "cache.encrypt"),
            (r#"{"redis": "yes"}"#, ErrorKind::InvalidRequest, "cache.redis"),
            (r#"{"ttl": 5}"#, ErrorKind::InvalidRequest, "cache.ttl"),
        ] {
            let error = read(cache).unwrap_err();
            assert_eq!((error.kind(), error.param.as_deref()), (kind, Some(param)), "{cache}");
        }
        let error = read(r#"{"memory_byte": 5}"#).unwrap_err();
        assert!(error.message.contains("did you mean 'memory_bytes'?"), "{}", error.message);
        assert!(read(r#"{"redis": false}"#).unwrap().is_some());
    }

    #[cfg(not(feature = "redis"))]
    #[test]
    fn a_library_without_redis_has_one_tier() {
        let error = read(r#"{"redis": true}"#).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }

    #[cfg(feature = "redis")]
    #[test]
    fn answers_in_redis_need_a_secret_or_a_word() {
        let read = |cache: &str| {
            let redis = r#""redis": {"url": "redis://localhost"}"#;
            Config::parse(format!(r#"{{{redis}, "cache": {cache}}}"#).as_bytes())
                .map(|config| config.cache.unwrap().shared.unwrap())
        };
        let shared = read(r#"{"redis": true, "secret": "0123456789abcdef"}"#).unwrap();
        assert!(shared.encrypt && matches!(shared.secret, KeyRef::Literal(_)));
        assert!(!format!("{shared:?}").contains("0123456789abcdef"));
        let shared = read(r#"{"redis": true, "secret": "file:/run/key"}"#).unwrap();
        assert!(shared.encrypt && matches!(shared.secret, KeyRef::File(_)));
        let shared = read(r#"{"redis": true, "encrypt": false}"#).unwrap();
        assert!(!shared.encrypt && matches!(shared.secret, KeyRef::None));
        for (cache, param) in [
            (r#"{"redis": true}"#, "cache.secret"),
            (r#"{"redis": true, "encrypt": true}"#, "cache.secret"),
            (r#"{"redis": true, "secret": ""}"#, "cache.secret"),
            (r#"{"redis": true, "secret": "x"}"#, "cache.secret"),
            (r#"{"redis": true, "secret": "0123456789abcde"}"#, "cache.secret"),
            (r#"{"redis": true, "secret": "env:LITER_LLM_TEST_IS_NOT_SET"}"#, "cache.secret"),
            (r#"{"redis": true, "secret": 5}"#, "cache.secret"),
        ] {
            let error = read(cache).unwrap_err();
            assert_eq!(error.param.as_deref(), Some(param), "{cache}: {error}");
        }
        let error = Config::parse(br#"{"cache": {"redis": true}}"#).unwrap_err();
        assert_eq!(error.param.as_deref(), Some("cache.redis"), "{error}");
    }
}
