//! The cache keeps answers for the next caller that asks the same, and lets callers that ask the
//! same at once share one answer.
//!
//! It knows nothing of how a call goes: a call hands it a [`Question`], and what came of it. `key`
//! makes the key of a question, `memory` keeps answers, `entry` is what is kept of one, `flight`
//! lets callers share a call, and `replay` gives a stored answer as a stream.
//!
//! Behind the memory is a `second` tier, if the configuration asks for it: Redis, which processes
//! share. A flight's own task asks it. `secret` names and seals what is kept there, `source` reads the
//! secret, and `value` has the form of what is kept.

mod entry;
mod flight;
mod key;
mod memory;
mod question;
mod replay;
#[cfg(not(feature = "redis"))]
#[path = "no_second.rs"]
mod second;
#[cfg(feature = "redis")]
mod second;
#[cfg(feature = "redis")]
mod secret;
#[cfg(feature = "redis")]
mod source;
#[cfg(feature = "redis")]
mod value;

pub(crate) use entry::Entry;
pub(crate) use flight::{Event, Landed, Reader, Seat, Writer};
pub(crate) use key::Tag;
pub(crate) use question::Question;
pub(crate) use replay::chunks;
pub(crate) use second::{Beyond, Lease, Second};

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::CacheConfig;
use crate::error::{Error, ErrorKind};
use crate::model::{CacheMode, CacheOptions};
use crate::operation::Answer;
use flight::Flights;
use key::{Content, Epoch, Keys};
use memory::Memory;

/// The stored answers of a client, and the calls that may be shared.
pub(crate) struct Cache {
    settings: CacheConfig,
    keys: Keys,
    memory: Memory,
    flights: Flights,
    second: Option<Second>,
    /// The tenants that were forgotten, and those whose epoch in Redis is known.
    epochs: Mutex<HashMap<Tag, Known>>,
}

/// What is known of a tenant's epoch.
#[derive(Clone, Copy, Default)]
struct Known {
    epoch: Epoch,
    /// When Redis last said it.
    read: Option<Instant>,
}

/// The longest that an answer is given which was forgotten elsewhere.
const LATE: Duration = Duration::from_secs(5);

/// The most tenants that are kept in mind, apart from those that were forgotten here.
const MOST_KNOWN: usize = 65_536;

/// What the cache has for a question.
pub(crate) enum Look {
    /// A fresh answer.
    Hit(Arc<Entry>),
    /// An answer that may be given, while the question is asked anew.
    Stale(Arc<Entry>),
    /// Nothing that may be given. If no target answers, this may be.
    Miss(Option<Arc<Entry>>),
}

impl Cache {
    pub(crate) fn new(settings: CacheConfig, second: Option<Second>) -> Cache {
        Cache {
            keys: Keys::of_process(),
            memory: Memory::new(settings.memory_bytes),
            flights: Flights::default(),
            second,
            epochs: Mutex::default(),
            settings,
        }
    }

    /// Whether calls of this tenant are cached.
    pub(crate) fn takes(&self, tenant: &str) -> bool {
        !(tenant.is_empty() && self.settings.require_tenant)
    }

    /// The question that `tenant` asks with these options. `parts` is all that would be sent, and
    /// all else that the answer hangs on. The error is about the options.
    pub(crate) fn question(
        &self,
        tenant: &str,
        options: CacheOptions,
        parts: &[&[u8]],
    ) -> Result<Question, Error> {
        let ttl = options.ttl.unwrap_or(self.settings.ttl);
        if ttl > self.settings.max_ttl {
            let most = self.settings.max_ttl.as_secs();
            let message = format!(
                "options.cache.ttl_s is {}, and the configuration allows {most}: \
                 raise cache.max_ttl_s",
                ttl.as_secs()
            );
            return Err(Error::invalid("options.cache.ttl_s", message));
        }
        let tag = self.keys.tag(tenant);
        let epoch = self.known(tag).epoch;
        let (mode, max_age) = (options.mode.unwrap_or_default(), options.max_age);
        let content = Content::of(parts);
        let key = self.keys.key(tenant, epoch, &content);
        Ok(Question { mode, key, content, tag, epoch, ttl, max_age })
    }

    /// Whether the memory is up to date with what was forgotten elsewhere of a tenant.
    pub(crate) fn is_current(&self, tenant: &str, now: Instant) -> bool {
        let read = || self.known(self.keys.tag(tenant)).read;
        self.second.is_none()
            || read().is_some_and(|read| now.saturating_duration_since(read) < LATE)
    }

    /// Brings the memory up to date, if Redis answers before `deadline`.
    pub(crate) async fn catch_up(&self, tenant: &str, deadline: Instant) {
        let Some(second) = &self.second else { return };
        if self.is_current(tenant, Instant::now()) {
            return;
        }
        let tag = self.keys.tag(tenant);
        match second.epoch(tenant, deadline).await {
            Some(name) => self.heard(tag, name),
            None => self.update(tag, |known| known.read = None),
        }
    }

    /// Redis says the name of a tenant's epoch.
    fn heard(&self, tag: Tag, name: u64) {
        let before = self.update(tag, |known| {
            known.read = Some(Instant::now());
            std::mem::replace(&mut known.epoch.name, name)
        });
        if before != 0 && before != name {
            self.memory.forget(tag);
        }
    }

    fn update<T>(&self, tag: Tag, change: impl FnOnce(&mut Known) -> T) -> T {
        let mut epochs = self.epochs();
        if epochs.len() >= MOST_KNOWN {
            epochs.retain(|_, known| known.epoch.purges > 0);
        }
        change(epochs.entry(tag).or_default())
    }

    /// Looks for an answer in memory. `draw` is a random number from 0 to 1, for `early`.
    pub(crate) fn look(&self, question: &Question, now: Instant, draw: f64) -> Look {
        let refresh = question.mode == CacheMode::Refresh;
        match self.memory.get(&question.key).filter(|_| !refresh) {
            Some(entry) => self.judge(question, entry, now, draw),
            None => Look::Miss(None),
        }
    }

    /// Whether an answer may be given for a question.
    fn judge(&self, question: &Question, entry: Arc<Entry>, now: Instant, draw: f64) -> Look {
        let (age, ttl) = (entry.age(now), entry.ttl);
        let over = age.saturating_sub(ttl);
        if question.max_age.is_some_and(|most| age > most) {
            return Look::Miss(None);
        }
        // XFetch: the older an answer, and the longer it took, the likelier is a look ahead.
        let ahead = || {
            let took = entry.took.as_secs_f64() * -(1.0 - draw).max(f64::MIN_POSITIVE).ln();
            self.settings.early && age.as_secs_f64() + took >= ttl.as_secs_f64()
        };
        let only = question.mode == CacheMode::Only;
        if age < ttl {
            return if !only && ahead() { Look::Stale(entry) } else { Look::Hit(entry) };
        }
        if over < self.settings.stale {
            return if only { Look::Hit(entry) } else { Look::Stale(entry) };
        }
        if over < self.settings.stale_if_error {
            return Look::Miss(Some(entry));
        }
        self.memory.remove(&question.key, &entry);
        Look::Miss(None)
    }

    /// Whether there is a second tier that may know more than the memory.
    pub(crate) fn has_second(&self) -> bool {
        self.second.is_some()
    }

    /// Looks for an answer in the second tier. If another process makes one, this waits for it,
    /// `patience` at most; without a patience it waits for nobody. The call ends at `deadline`.
    pub(crate) async fn look_beyond(
        &self,
        tenant: &str,
        question: &Question,
        patience: Option<Duration>,
        deadline: Instant,
    ) -> Beyond {
        let Some(second) = &self.second else { return Beyond::Nothing(None) };
        // Redis did not say the epoch just now, and a call waits for it once.
        if self.known(question.tag).read.is_none() {
            return Beyond::Nothing(None);
        }
        let found = match patience {
            Some(patience) => second.look(tenant, question, patience, deadline).await,
            None => second.peek(tenant, question, deadline).await,
        };
        if let Beyond::Stored(entry) = &found {
            self.put(question, entry);
        }
        found
    }

    /// What an answer of the second tier is worth for a question.
    pub(crate) fn judged(&self, question: &Question, entry: Arc<Entry>, now: Instant) -> Look {
        // Nobody looks ahead: the memory has it now, and does.
        self.judge(question, entry, now, 0.0)
    }

    /// An expired answer that may be given for want of another one.
    pub(crate) fn expired(&self, question: &Question, now: Instant) -> Option<Arc<Entry>> {
        match self.look(question, now, 0.0) {
            Look::Miss(expired) => expired,
            Look::Hit(_) | Look::Stale(_) => None,
        }
    }

    /// The right to make an answer anew. `Err`: another process makes it.
    pub(crate) async fn anew(
        &self,
        tenant: &str,
        question: &Question,
        deadline: Instant,
    ) -> Result<Option<Lease>, ()> {
        match &self.second {
            Some(second) => second.anew(tenant, question, deadline).await,
            None => Ok(None),
        }
    }

    /// Keeps an answer in the second tier, too.
    pub(crate) async fn keep_beyond(
        &self,
        tenant: &str,
        question: &Question,
        entry: &Entry,
        lease: Option<Lease>,
    ) {
        let Some(second) = &self.second else { return };
        if let Some(name) = second.store(tenant, question, entry, lease).await {
            self.heard(question.tag, name);
        }
    }

    /// A seat at the call that asks this question: its first one, or beside
    /// others. Whoever refreshes asks for himself, and so does who takes no old answer, as a flight
    /// may bring one from Redis.
    pub(crate) fn seat(&self, question: &Question) -> Seat {
        let picky = question.max_age.is_some() && self.second.is_some();
        if picky || question.mode == CacheMode::Refresh {
            let (writer, reader) = self.flights.begin(question.key);
            return Seat::First(writer, reader);
        }
        self.flights.seat(question.key)
    }

    /// The seat of a call that nobody waits for, unless the question is being asked.
    pub(crate) fn seat_alone(&self, question: &Question) -> Option<Writer> {
        self.flights.alone(question.key)
    }

    /// What came of a question: what others may be given, and whether it is kept under `question`. The
    /// answer's first `own` warnings are about the request.
    pub(crate) fn keep(
        &self,
        question: Option<&Question>,
        tag: Tag,
        answer: &Answer,
        own: usize,
        took: Duration,
        now: Instant,
    ) -> (Arc<Entry>, bool) {
        let ttl = question.map_or(Duration::ZERO, |question| question.ttl);
        let entry = Entry::new(answer, own, tag, ttl, took, now);
        let Some(question) = question else { return (entry, false) };
        let kept = answer.is_whole() && entry.bytes as u64 <= self.settings.max_entry_bytes;
        if kept {
            self.put(question, &entry);
        }
        (entry, kept)
    }

    fn put(&self, question: &Question, entry: &Arc<Entry>) {
        self.memory.put(question.key, Arc::clone(entry));
        // The tenant's answers may have been forgotten just then.
        if self.known(question.tag).epoch != question.epoch {
            self.memory.remove(&question.key, entry);
        }
    }

    /// Forgets what is kept for a tenant: from now on nobody gets it here, and in other processes
    /// nobody after [`LATE`]. Returns the number of answers, and of those in the second tier, or why
    /// some may be left there.
    pub(crate) async fn purge(&self, tenant: &str) -> (u64, Option<Result<u64, String>>) {
        let tag = self.keys.tag(tenant);
        self.update(tag, |known| known.epoch.purges += 1);
        let removed = self.memory.forget(tag);
        let Some(second) = &self.second else { return (removed, None) };
        let beyond = second.purge(tenant).await.map(|(name, removed)| {
            self.heard(tag, name);
            removed
        });
        (removed, Some(beyond))
    }

    /// The bytes that stored answers count for, and their number.
    pub(crate) fn size(&self) -> (u64, u64) {
        self.memory.size()
    }

    fn known(&self, tag: Tag) -> Known {
        self.epochs().get(&tag).copied().unwrap_or_default()
    }

    fn epochs(&self) -> std::sync::MutexGuard<'_, HashMap<Tag, Known>> {
        self.epochs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a failure is about the request, so that everyone who asks the same gets it.
pub(crate) fn is_about_the_request(kind: ErrorKind) -> bool {
    use ErrorKind::{ContentFilter, ContextLength, InvalidRequest, Unsupported};
    matches!(kind, InvalidRequest | ContextLength | ContentFilter | Unsupported)
}

/// Whether an expired answer may stand in after such a failure: no target answered.
pub(crate) fn may_stand_in(kind: ErrorKind) -> bool {
    use ErrorKind::{
        BadResponse, Connection, Quota, RateLimit, StreamBroken, Timeout, Unavailable,
    };
    matches!(
        kind,
        RateLimit | Quota | Unavailable | BadResponse | StreamBroken | Connection | Timeout
    )
}
