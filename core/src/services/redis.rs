//! Hands Redis what its room does not know: sockets, the password, and who hears of it.

use std::sync::Arc;

use secrecy::SecretString;
use tokio::runtime::Handle;

use crate::auth::Secret;
use crate::cache::Second;
use crate::config::{CacheConfig, FleetConfig, RedisConfig};
use crate::http::{self, Lookups, Network};
use crate::limit::fleet::Fleet;
use crate::observe::{Observers, ServiceNotice};
use crate::redis::{Address, Io, Later, Redis, Report, Surroundings};
use crate::target::Membership;

/// The client of the configured Redis. It opens no connection and reads no secret yet.
pub(super) fn new(
    config: &RedisConfig,
    observers: &Observers,
    lookups: &Lookups,
    network: Option<&Arc<dyn Network>>,
) -> Redis {
    let around = Around {
        config: config.clone(),
        password: Secret::new("redis.password", config.password.clone()),
        observers: Arc::clone(observers),
        lookups: lookups.clone(),
        network: network.map(Arc::clone),
    };
    Redis::new(config.settings.clone(), Arc::new(around))
}

/// The fleet of a Redis, if the configuration asks for one.
pub(super) fn fleet(redis: Option<&Redis>, config: FleetConfig) -> Membership {
    match redis {
        Some(redis) if config.limits => Membership::of(Fleet::new(redis.clone(), config.replicas)),
        _ => Membership::default(),
    }
}

/// The tier of the cache in Redis, if the configuration asks for one.
pub(super) fn second(redis: Option<&Redis>, config: Option<&CacheConfig>) -> Option<Second> {
    let (redis, cache) = (redis?, config?);
    Some(Second::new(redis.clone(), cache, cache.shared.as_ref()?))
}

struct Around {
    config: RedisConfig,
    password: Secret,
    observers: Observers,
    lookups: Lookups,
    network: Option<Arc<dyn Network>>,
}

impl Surroundings for Around {
    fn connect<'a>(&'a self, to: &'a Address) -> Later<'a, Result<Box<dyn Io>, String>> {
        Box::pin(async {
            let server = http::Server {
                host: &to.host,
                port: to.port,
                tls: self.config.settings.tls,
                trust: &self.config.trust,
                ca_file: self.config.ca_file.as_deref(),
            };
            let (home, network) = (Handle::current(), self.network.clone());
            match http::connect(server, Some(home), &self.lookups, network).await {
                Ok(stream) => Ok(Box::new(stream) as Box<dyn Io>),
                Err(error) => Err(error.message.clone()),
            }
        })
    }

    fn password(&self, refused: bool) -> Later<'_, Result<Option<SecretString>, String>> {
        Box::pin(self.password.read(refused, None))
    }

    fn report(&self, report: &Report) {
        let (failed, message) = match report {
            Report::Away(why) => {
                (Some(false), format!("Redis is away, and calls go on without it: {why}"))
            }
            Report::Back => (None, "Redis is back".to_owned()),
            Report::Foreign(keys) => {
                (Some(true), format!("keys in Redis hold what is not of liter-llm: {keys}"))
            }
        };
        let notice = ServiceNotice { service: "redis", failed, message: &message };
        self.observers.iter().for_each(|observer| observer.service(&notice));
    }
}
