//! The second tier: answers in Redis, which all processes of a namespace share, and the right to make
//! one, so that only one of them asks.
//!
//! Nothing here fails a call. Whatever Redis says, the worst is that there is no answer in it.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio::time::{Instant, sleep};

use super::entry::Entry;
use super::question::Question;
use super::secret::{SecretKeys, Spot};
use super::source::Source;
use super::value::Value;
use crate::auth::Secret;
use crate::config::{CacheConfig, LEAST_SECRET, SharedConfig};
use crate::redis::{Fault, Lookup, Redis, unique};

/// How often a lock is renewed, which holds for 10 s.
const RENEW: Duration = Duration::from_secs(3);

/// The waits between two looks at what another process makes, in milliseconds. The last one repeats.
const WAITS: [u64; 3] = [20, 40, 100];

/// The longest that a step waits for the secret for which no call waits.
const BESIDE: Duration = Duration::from_secs(10);

/// The longest that a purge takes.
const PURGE: Duration = Duration::from_secs(60);

/// The longest that anything is kept, which Redis can count.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 86_400);

/// Answers in Redis.
pub(crate) struct Second {
    redis: Redis,
    secret: Source,
    encrypt: bool,
    /// The most bytes of a document.
    most: u64,
    /// How long an answer is kept when it is not fresh any more.
    stale: Duration,
    /// How long a tenant's epoch is kept without a question: longer than any answer.
    epochs: Duration,
    keys: Mutex<Option<Arc<SecretKeys>>>,
}

/// What Redis has for a question.
pub(crate) enum Beyond {
    /// An answer.
    Stored(Arc<Entry>),
    /// A value that is not whole, or not ours.
    Corrupt,
    /// Nothing. A lease is the right to make an answer; without one Redis is away, or another process
    /// takes too long.
    Nothing(Option<Lease>),
}

/// The right to make the answer to a question. It is given back when it is dropped.
pub(crate) struct Lease {
    redis: Redis,
    spot: Arc<Spot>,
    owner: String,
    over: bool,
}

impl Second {
    pub(crate) fn new(redis: Redis, cache: &CacheConfig, shared: &SharedConfig) -> Second {
        let stale = cache.stale.max(cache.stale_if_error);
        Second {
            redis,
            secret: Source::new(Secret::new("cache.secret", shared.secret.clone())),
            encrypt: shared.encrypt,
            most: cache.max_entry_bytes,
            stale,
            epochs: cache.max_ttl.saturating_add(stale).min(LONGEST) + Duration::from_secs(3_600),
            keys: Mutex::default(),
        }
    }

    /// The name of a tenant's epoch. `None`: Redis does not say.
    pub(super) async fn epoch(&self, tenant: &str, deadline: Instant) -> Option<u64> {
        let redis = self.redis.before(deadline);
        let keys = self.keys(redis.timeout()).await.ok()?;
        redis.epoch(&keys.epoch(tenant), self.epochs).await.ok()
    }

    /// Looks for an answer. If another process makes one, this waits for it, `patience` at most.
    pub(super) async fn look(
        &self,
        tenant: &str,
        question: &Question,
        patience: Duration,
        deadline: Instant,
    ) -> Beyond {
        let redis = self.redis.before(deadline);
        let Some(spot) = self.spot(tenant, question, redis.timeout()).await else {
            return Beyond::Nothing(None);
        };
        let end = Instant::now() + patience;
        let mut waits = WAITS.into_iter();
        let mut wait = 0;
        loop {
            let lease = self.lease(&spot);
            let found = redis.get_or_lock(&spot.entry, &spot.lock, lease.owner.as_bytes()).await;
            match found {
                Ok(Lookup::Hit(value, left)) => {
                    lease.never();
                    return self.open(value, left, &spot, question);
                }
                Ok(Lookup::Owner) => return Beyond::Nothing(Some(lease)),
                Ok(Lookup::Busy(_)) => lease.never(),
                // The lock may have been taken all the same: the lease gives it back.
                Err(Fault::Late) => return Beyond::Nothing(None),
                Err(Fault::Foreign) => {
                    lease.never();
                    return Beyond::Corrupt;
                }
                Err(_) => {
                    lease.never();
                    return Beyond::Nothing(None);
                }
            }
            wait = waits.next().unwrap_or(wait);
            let time = Duration::from_millis(wait).mul_f64(0.75 + fastrand::f64() / 2.0);
            if Instant::now() + time > end {
                return Beyond::Nothing(None);
            }
            sleep(time).await;
        }
    }

    /// Looks for an answer, and waits for nobody.
    pub(super) async fn peek(
        &self,
        tenant: &str,
        question: &Question,
        deadline: Instant,
    ) -> Beyond {
        let redis = self.redis.before(deadline);
        let Some(spot) = self.spot(tenant, question, redis.timeout()).await else {
            return Beyond::Nothing(None);
        };
        match redis.peek(&spot.entry, &spot.lock).await {
            Ok(Some((value, left))) => self.open(value, left, &spot, question),
            Ok(None) => Beyond::Nothing(None),
            Err(Fault::Foreign) => Beyond::Corrupt,
            Err(_) => Beyond::Nothing(None),
        }
    }

    /// The right to make an answer anew, whether or not there is one. `Err`: another process has it.
    pub(super) async fn anew(
        &self,
        tenant: &str,
        question: &Question,
        deadline: Instant,
    ) -> Result<Option<Lease>, ()> {
        let redis = self.redis.before(deadline);
        let Some(spot) = self.spot(tenant, question, redis.timeout()).await else {
            return Ok(None);
        };
        let lease = self.lease(&spot);
        match redis.take_lock(&spot.lock, lease.owner.as_bytes()).await {
            Ok(true) => Ok(Some(lease)),
            Ok(false) => {
                lease.never();
                Err(())
            }
            Err(_) => Ok(None),
        }
    }

    /// Stores an answer. Returns the name of its tenant's epoch now: another one than that of the
    /// question means that the answer was removed again.
    pub(super) async fn store(
        &self,
        tenant: &str,
        question: &Question,
        entry: &Entry,
        lease: Option<Lease>,
    ) -> Option<u64> {
        let spot = self.spot(tenant, question, BESIDE).await?;
        let value = Value {
            kind: entry.answer.stored_as()?,
            document: entry.answer.to_json(),
            ttl: entry.ttl,
            life: entry.ttl.saturating_add(self.stale).min(LONGEST),
            took: entry.took,
        };
        let sealed = value.seal(&spot, self.encrypt)?;
        // Another target may have answered than that whose lock this is.
        let mut own = lease.filter(|lease| lease.spot.entry == spot.entry);
        let owner = own.as_ref().map_or("", |lease| &lease.owner);
        let stored = self.redis.put(&spot.entry, &spot.lock, owner.as_bytes(), &sealed, value.life);
        stored.await.ok()?;
        if let Some(lease) = &mut own {
            lease.over = true;
        }
        // A purge that began meanwhile may have looked at this key before.
        let name = self.redis.epoch(&spot.epoch, self.epochs).await.ok();
        if name != Some(question.epoch.name) {
            let _ = self.redis.remove(&spot.entry).await;
        }
        name
    }

    /// Forgets what is stored for a tenant. Returns the new epoch's name and the number of answers, or
    /// why some may be left.
    pub(super) async fn purge(&self, tenant: &str) -> Result<(u64, u64), String> {
        let keys = self.keys(BESIDE).await?;
        let why = |fault: Fault| fault.to_string();
        let name = self.redis.next_epoch(&keys.epoch(tenant), self.epochs).await.map_err(why)?;
        let removed = self.redis.purge(&keys.prefix(tenant), PURGE).await.map_err(why)?;
        Ok((name, removed))
    }

    fn open(&self, value: Vec<u8>, left: Duration, spot: &Spot, question: &Question) -> Beyond {
        if value.len() > Value::most(self.most) {
            return Beyond::Corrupt;
        }
        let opened = Value::open(value, spot, self.encrypt, self.most);
        let entry = opened.and_then(|value| Entry::stored(value, left, question.tag));
        entry.map_or(Beyond::Corrupt, Beyond::Stored)
    }

    /// `patience` is for the secret.
    async fn spot(
        &self,
        tenant: &str,
        question: &Question,
        patience: Duration,
    ) -> Option<Arc<Spot>> {
        if question.epoch.name == 0 {
            return None;
        }
        let keys = self.keys(patience).await.ok()?;
        Some(Arc::new(keys.spot(tenant, question.epoch.name, &question.content)))
    }

    fn lease(&self, spot: &Arc<Spot>) -> Lease {
        let (redis, spot) = (self.redis.clone(), Arc::clone(spot));
        Lease { redis, spot, owner: format!("{:016x}", unique()), over: false }
    }

    /// The keys of the secret as it is now.
    async fn keys(&self, patience: Duration) -> Result<Arc<SecretKeys>, String> {
        let read = self.secret.read(self.redis.home(), patience).await;
        let secret = read.and_then(|secret| match secret {
            Some(secret) if secret.expose_secret().len() < LEAST_SECRET => {
                Err(format!("cache.secret has fewer than {LEAST_SECRET} bytes"))
            }
            secret => Ok(secret),
        });
        let secret = secret.inspect_err(|why| self.redis.unusable(why))?;
        let secret = secret.as_ref().map_or("", |secret| secret.expose_secret()).as_bytes();
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        match &*keys {
            Some(known) if known.is_of(secret) => Ok(Arc::clone(known)),
            _ => Ok(Arc::clone(
                keys.insert(Arc::new(SecretKeys::of(secret, self.redis.namespace()))),
            )),
        }
    }
}

impl Lease {
    /// Works while the lease is kept.
    pub(crate) async fn held<T>(lease: Option<&Lease>, work: impl Future<Output = T>) -> T {
        let Some(lease) = lease else { return work.await };
        let renewing = async {
            loop {
                sleep(RENEW).await;
                // A lease that was lost stays lost: one more process asks then, and no harm is done.
                let _ = lease.redis.renew_lock(&lease.spot.lock, lease.owner.as_bytes()).await;
            }
        };
        tokio::select! {
            biased;
            done = pin!(work) => done,
            () = renewing => unreachable!("it renews until the work is done"),
        }
    }

    /// It was never had.
    fn never(mut self) {
        self.over = true;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let Some(home) = self.redis.home() else { return };
        let (redis, spot) = (self.redis.clone(), Arc::clone(&self.spot));
        let owner = std::mem::take(&mut self.owner);
        home.spawn(async move { redis.unlock(&spot.lock, owner.as_bytes()).await });
    }
}
