//! The cache keeps answers for the next caller that asks the same, and lets callers that ask the
//! same at once share one answer.
//!
//! It knows nothing of how a call goes: a call hands it a [`Question`], and what came of it. `key`
//! makes the key of a question, `memory` keeps answers, `entry` is what is kept of one, `flight`
//! lets callers share a call, and `replay` gives a stored answer as a stream.
//!
//! A tier behind the memory goes between [`Cache::look`] and the flight: it has the same keys, and
//! is asked by the flight's own task.

mod entry;
mod flight;
mod key;
mod memory;
mod replay;

pub(crate) use entry::Entry;
pub(crate) use flight::{Event, Landed, Reader, Seat, Writer};
pub(crate) use key::{Key, Tag};
pub(crate) use replay::chunks;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::CacheConfig;
use crate::error::{Error, ErrorKind};
use crate::model::{CacheMode, CacheOptions};
use crate::operation::Answer;
use flight::Flights;
use key::Keys;
use memory::Memory;

/// The stored answers of a client, and the calls that may be shared.
pub(crate) struct Cache {
    settings: CacheConfig,
    keys: Keys,
    memory: Memory,
    flights: Flights,
    /// How often what was kept for a tenant was forgotten, if it ever was.
    epochs: Mutex<HashMap<Tag, u64>>,
}

/// What a call asks, as the cache sees it.
#[derive(Clone, Copy)]
pub(crate) struct Question {
    mode: CacheMode,
    key: Key,
    tag: Tag,
    epoch: u64,
    ttl: Duration,
    max_age: Option<Duration>,
}

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
    pub(crate) fn new(settings: CacheConfig) -> Cache {
        Cache {
            keys: Keys::of_process(),
            memory: Memory::new(settings.memory_bytes),
            flights: Flights::default(),
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
        let epoch = self.epoch(tag);
        let (mode, max_age) = (options.mode.unwrap_or_default(), options.max_age);
        let key = self.keys.key(tenant, epoch, parts);
        Ok(Question { mode, key, tag, epoch, ttl, max_age })
    }

    /// Looks for an answer in memory. `draw` is a random number from 0 to 1, for `early`.
    pub(crate) fn look(&self, question: &Question, now: Instant, draw: f64) -> Look {
        let refresh = question.mode == CacheMode::Refresh;
        let Some(entry) = self.memory.get(&question.key).filter(|_| !refresh) else {
            return Look::Miss(None);
        };
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

    /// A seat at the call that asks this question: its first one, or beside
    /// others. Whoever refreshes asks for himself.
    pub(crate) fn seat(&self, question: &Question) -> Seat {
        match question.mode {
            CacheMode::Refresh => {
                let (writer, reader) = self.flights.begin(question.key);
                Seat::First(writer, reader)
            }
            _ => self.flights.seat(question.key),
        }
    }

    /// The seat of a call that nobody waits for, unless the question is being asked.
    pub(crate) fn seat_alone(&self, question: &Question) -> Option<Writer> {
        self.flights.alone(question.key)
    }

    /// What came of a question: what others may be given, and the entry if it is kept under
    /// `question`. The answer's first `own` warnings are about the request.
    pub(crate) fn keep(
        &self,
        question: Option<&Question>,
        tag: Tag,
        answer: &Answer,
        own: usize,
        took: Duration,
        now: Instant,
    ) -> Arc<Entry> {
        let ttl = question.map_or(Duration::ZERO, |question| question.ttl);
        let entry = Entry::new(answer, own, tag, ttl, took, now);
        let Some(question) = question else { return entry };
        if answer.is_whole() && entry.bytes as u64 <= self.settings.max_entry_bytes {
            self.memory.put(question.key, Arc::clone(&entry));
            // The tenant's answers may have been forgotten just then.
            if self.epoch(question.tag) != question.epoch {
                self.memory.remove(&question.key, &entry);
            }
        }
        entry
    }

    /// Forgets what is kept for a tenant: from now on nobody gets it. Returns the number of answers.
    pub(crate) fn purge(&self, tenant: &str) -> u64 {
        let tag = self.keys.tag(tenant);
        *self.epochs().entry(tag).or_default() += 1;
        self.memory.forget(tag)
    }

    /// The bytes that stored answers count for, and their number.
    pub(crate) fn size(&self) -> (u64, u64) {
        self.memory.size()
    }

    fn epoch(&self, tag: Tag) -> u64 {
        self.epochs().get(&tag).copied().unwrap_or(0)
    }

    fn epochs(&self) -> std::sync::MutexGuard<'_, HashMap<Tag, u64>> {
        self.epochs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Question {
    /// Whose question it is.
    pub(crate) fn tag(&self) -> Tag {
        self.tag
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
