//! What a call shares with other processes: a stored answer in Redis, and the right to ask for one.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Call;
use super::question::Asked;
use crate::cache::{Beyond, Cache, Entry, Lease, Look};
use crate::model::CacheMode;
use crate::observe::CacheResult;

/// The longest that a stream waits for the answer that another process asks for.
const STREAM: Duration = Duration::from_millis(250);

/// The time between two looks at an answer that is asked for anew.
const AGAIN: Duration = Duration::from_millis(100);

/// What other processes have for a call.
pub(super) enum Found {
    /// An answer that may be given. `stale`: it is asked for anew meanwhile.
    Answer { entry: Arc<Entry>, stale: bool },
    /// None: this one asks, and no other one while it has a lease.
    Nothing(Option<Lease>),
}

/// The tenant of a call.
pub(super) fn tenant(call: &Call) -> &str {
    call.options.tenant.as_deref().unwrap_or_default()
}

/// Whether a call asks the cache at all.
fn asks(cache: &Cache, call: &Call) -> bool {
    call.mode() != CacheMode::Bypass && cache.takes(tenant(call))
}

/// Whether the memory may answer a call without a look at what was forgotten elsewhere.
pub(super) fn is_current(cache: &Cache, call: &Call) -> bool {
    !asks(cache, call) || cache.is_current(tenant(call), Instant::now())
}

/// Looks at what was forgotten elsewhere, where that is due.
pub(super) async fn catch_up(cache: &Cache, call: &Call) {
    if cache.has_second() && asks(cache, call) {
        cache.catch_up(tenant(call), call.deadline).await;
    }
}

/// Looks for an answer, and waits a while if another process asks for it.
pub(super) async fn look(call: &Call, asked: &Asked) -> Found {
    if !asked.cache.has_second() || call.mode() == CacheMode::Refresh {
        return Found::Nothing(None);
    }
    let quarter = call.remaining() / 4;
    let patience = if call.operation.streams() { quarter.min(STREAM) } else { quarter };
    found(call, asked, Some(patience)).await
}

/// Looks for an answer, and waits for nobody.
pub(super) async fn peek(call: &Call, asked: &Asked) -> Option<Arc<Entry>> {
    if !asked.cache.has_second() {
        return None;
    }
    match found(call, asked, None).await {
        Found::Answer { entry, .. } => Some(entry),
        Found::Nothing(_) => None,
    }
}

/// What stands there is too old. One process asks for another answer, and the others wait for it.
async fn anew(call: &Call, asked: &Asked, patience: Option<Duration>) -> Found {
    let Some(patience) = patience else { return Found::Nothing(None) };
    let (cache, question, deadline) = (&asked.cache, &asked.question, call.deadline);
    let end = Instant::now() + patience;
    loop {
        if let Ok(lease) = cache.anew(tenant(call), question, deadline).await {
            return Found::Nothing(lease);
        }
        if Instant::now() + AGAIN > end {
            return Found::Nothing(None);
        }
        sleep(AGAIN).await;
        let beyond = cache.look_beyond(tenant(call), question, None, deadline).await;
        if let Beyond::Stored(entry) = beyond
            && let Look::Hit(entry) = cache.judged(question, entry, Instant::now())
        {
            return Found::Answer { entry, stale: false };
        }
    }
}

async fn found(call: &Call, asked: &Asked, patience: Option<Duration>) -> Found {
    let (tenant, deadline) = (tenant(call), call.deadline);
    let beyond = asked.cache.look_beyond(tenant, &asked.question, patience, deadline).await;
    let (result, found) = match beyond {
        Beyond::Corrupt => (CacheResult::RedisCorrupt, Found::Nothing(None)),
        Beyond::Nothing(lease) => (CacheResult::RedisMiss, Found::Nothing(lease)),
        Beyond::Stored(entry) => match asked.cache.judged(&asked.question, entry, Instant::now()) {
            Look::Hit(entry) => (CacheResult::RedisHit, Found::Answer { entry, stale: false }),
            Look::Stale(entry) => (CacheResult::RedisHit, Found::Answer { entry, stale: true }),
            Look::Miss(_) => match anew(call, asked, patience).await {
                found @ Found::Answer { .. } => (CacheResult::RedisHit, found),
                found @ Found::Nothing(_) => (CacheResult::RedisMiss, found),
            },
        },
    };
    call.ledger.cached(result);
    found
}
