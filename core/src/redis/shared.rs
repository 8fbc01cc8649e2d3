//! The shared tier of the cache: entries, their locks, and the epochs of tenants. Keys and values
//! are bytes; what is in them is the cache's business.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use redis::Value;
use tokio::time::Instant;

use super::answer::{bytes, list, number, text};
use super::fault::{Fault, Turned};
use super::node::Node;
use super::random::unique;
use super::script::Script;
use super::{Nodes, Redis};

/// How long a lock holds without [`Redis::renew_lock`].
const LOCK_MS: &str = "10000";

/// The longest that a step waits for which no call waits, or what calls wait if that is longer.
const BACKGROUND: Duration = Duration::from_millis(250);

/// The longest that one step of a purge takes.
const STEP: Duration = Duration::from_secs(1);

/// The entry, or the right to make it.
static LOOK: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("look.lua")));
/// Stores an entry, and gives its lock back if it is still the owner's.
static STORE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("store.lua")));
/// Keeps a lock if it is still the owner's.
static RENEW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("renew.lua")));
/// Gives a lock back if it is still the owner's.
static UNLOCK: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("unlock.lua")));

/// The name of a tenant's epoch.
static EPOCH: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("epoch.lua")));

/// What a look at an entry finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The entry, and how long it lives.
    Hit(Vec<u8>, Duration),
    /// There is none, and the lock is now the asker's.
    Owner,
    /// There is none, and another one makes it. Its lock holds for this long.
    Busy(Duration),
}

impl Redis {
    /// Late answers open the circuit, so none is late here that a call would have waited for.
    fn patience(&self) -> Duration {
        BACKGROUND.max(self.longest())
    }

    /// Looks at an entry, and takes its lock for `owner` if there is none. Both keys have one slot.
    pub async fn get_or_lock(
        &self,
        entry: &[u8],
        lock: &[u8],
        owner: &[u8],
    ) -> Result<Lookup, Fault> {
        let arguments = [owner, LOCK_MS.as_bytes()];
        let answer = self.run(&LOOK, &[entry, lock], &arguments, self.timeout()).await?;
        let [value, ttl, owned] =
            <[Value; 3]>::try_from(list(answer)?).map_err(|_| Fault::Foreign)?;
        let ttl = number(&ttl)?;
        let time = Duration::from_millis(ttl.max(0).unsigned_abs());
        match value {
            // A lock without an end is not ours.
            Value::Nil if number(&owned)? == 1 || ttl == -1 => Ok(Lookup::Owner),
            Value::Nil => Ok(Lookup::Busy(time)),
            value => Ok(Lookup::Hit(bytes(value)?, time)),
        }
    }

    /// Looks at an entry, and takes no lock.
    pub async fn peek(
        &self,
        entry: &[u8],
        lock: &[u8],
    ) -> Result<Option<(Vec<u8>, Duration)>, Fault> {
        Ok(match self.get_or_lock(entry, lock, b"").await? {
            Lookup::Hit(value, life) => Some((value, life)),
            Lookup::Owner | Lookup::Busy(_) => None,
        })
    }

    /// Takes a lock, whether or not there is an entry. `false` means that another one has it.
    pub async fn take_lock(&self, lock: &[u8], owner: &[u8]) -> Result<bool, Fault> {
        let mut question = redis::cmd("SET");
        question.arg(lock).arg(owner).arg("NX").arg("PX").arg(LOCK_MS);
        Ok(self.plain(lock, &question, Instant::now() + self.timeout()).await? != Value::Nil)
    }

    /// Removes an entry.
    pub async fn remove(&self, entry: &[u8]) -> Result<(), Fault> {
        let mut question = redis::cmd("UNLINK");
        let end = Instant::now() + self.patience();
        self.plain(entry, question.arg(entry), end).await.map(drop)
    }

    /// Stores an entry for `ttl`, whatever its key held, and gives the lock back if it is still
    /// `owner`'s. No call waits for it.
    pub async fn put(
        &self,
        entry: &[u8],
        lock: &[u8],
        owner: &[u8],
        value: &[u8],
        ttl: Duration,
    ) -> Result<(), Fault> {
        let ms = ttl.as_millis().max(1).to_string();
        let arguments = [owner, value, ms.as_bytes()];
        self.run(&STORE, &[entry, lock], &arguments, self.patience()).await.map(drop)
    }

    /// Keeps a lock. `false` means that it is not `owner`'s any more.
    pub async fn renew_lock(&self, lock: &[u8], owner: &[u8]) -> Result<bool, Fault> {
        let arguments = [owner, LOCK_MS.as_bytes()];
        let answer = self.run(&RENEW, &[lock], &arguments, self.patience()).await?;
        Ok(number(&answer)? == 1)
    }

    /// Gives a lock back if it is still `owner`'s.
    pub async fn unlock(&self, lock: &[u8], owner: &[u8]) -> Result<(), Fault> {
        self.run(&UNLOCK, &[lock], &[owner], self.patience()).await.map(drop)
    }

    /// The number at this key, 0 if there is none.
    pub async fn count(&self, key: &[u8]) -> Result<u64, Fault> {
        let mut question = redis::cmd("GET");
        let answer = self.plain(key, question.arg(key), Instant::now() + self.timeout()).await?;
        u64::try_from(number(&answer)?).map_err(|_| Fault::Foreign)
    }

    /// The name of the epoch at this key, which is kept for `life`. An epoch that Redis does not know
    /// gets a random name. So what was forgotten once stays so after a flush or an eviction, too.
    pub async fn epoch(&self, key: &[u8], life: Duration) -> Result<u64, Fault> {
        self.name_epoch(key, life, "0", self.timeout()).await
    }

    /// Begins another epoch at this key, and returns its name.
    pub async fn next_epoch(&self, key: &[u8], life: Duration) -> Result<u64, Fault> {
        self.name_epoch(key, life, "1", STEP).await
    }

    async fn name_epoch(
        &self,
        key: &[u8],
        life: Duration,
        anew: &str,
        patience: Duration,
    ) -> Result<u64, Fault> {
        let (new, life) = (format!("{:016x}", unique()), life.as_millis().to_string());
        let name = self.run(&EPOCH, &[key], &[&new, &life, anew], patience).await?;
        let name = text(&name).ok_or(Fault::Foreign)?;
        u64::from_str_radix(&name, 16).map_err(|_| Fault::Foreign)
    }

    /// Deletes all keys that begin with `prefix`, on every primary, within `patience`. Returns their
    /// number. An error means that some may be left.
    pub async fn purge(&self, prefix: &[u8], patience: Duration) -> Result<u64, Fault> {
        let end = Instant::now() + patience;
        let nodes = match &self.0.nodes {
            Nodes::One(node) => vec![Arc::clone(node)],
            Nodes::Cluster(cluster) => {
                // A question for any slot brings the map.
                let _ = self.count(prefix).await;
                cluster.primaries()
            }
        };
        if nodes.is_empty() {
            return Err(Fault::Away);
        }
        let pattern = pattern(prefix);
        let mut gone = 0;
        for node in nodes {
            gone += purge_node(&node, &pattern, end).await?;
        }
        Ok(gone)
    }
}

async fn purge_node(node: &Arc<Node>, pattern: &[u8], end: Instant) -> Result<u64, Fault> {
    let mut cursor = b"0".to_vec();
    let mut gone = 0;
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(&cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(500);
        let [next, keys] = <[Value; 2]>::try_from(list(step(node, &scan, end).await?)?)
            .map_err(|_| Fault::Foreign)?;
        for key in list(keys)? {
            // One at a time, as the keys of a cluster's node have many slots.
            let mut unlink = redis::cmd("UNLINK");
            let answer = step(node, unlink.arg(bytes(key)?), end).await?;
            gone += number(&answer)?.max(0).unsigned_abs();
        }
        cursor = bytes(next)?;
        if cursor == b"0" {
            return Ok(gone);
        }
    }
}

async fn step(node: &Arc<Node>, command: &redis::Cmd, end: Instant) -> Result<Value, Fault> {
    let now = Instant::now();
    if now >= end {
        return Err(Fault::Late);
    }
    match node.ask(command, false, end.min(now + STEP)).await {
        Ok(value) => Ok(value),
        Err(Turned::Down(fault)) => Err(fault),
        Err(_) => Err(Fault::Foreign),
    }
}

/// The pattern of all keys that begin so.
fn pattern(prefix: &[u8]) -> Vec<u8> {
    let mut pattern = Vec::with_capacity(prefix.len() + 1);
    for byte in prefix {
        if matches!(byte, b'*' | b'?' | b'[' | b']' | b'\\' | b'^') {
            pattern.push(b'\\');
        }
        pattern.push(*byte);
    }
    pattern.push(b'*');
    pattern
}
