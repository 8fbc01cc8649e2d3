//! A cluster: which primary has the slot of a key, and where to go if that has changed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use redis::{Cmd, Value};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::answer::{list, number, text};
use super::fault::{Fault, Turned};
use super::health::Health;
use super::node::Node;
use super::settings::{Address, Place};

const SLOTS: usize = 16_384;

/// How often a question is sent on to another node.
const MOST_TURNS: usize = 5;

/// The least time between two looks at the map that questions ask for.
const LOOK: Duration = Duration::from_secs(1);

/// The most questions that wait for the first map in vain.
const MOST_LATE: u32 = 3;

/// The longest that one node is asked for the map.
const PATIENCE: Duration = Duration::from_secs(1);

/// The nodes of a cluster, and which of them has which slot.
pub(super) struct Cluster {
    health: Arc<Health>,
    nodes: Mutex<HashMap<Address, Arc<Node>>>,
    /// Empty until the first node has told it.
    map: RwLock<Vec<Option<Arc<Node>>>>,
    looking: AtomicBool,
    looked: Mutex<Option<Instant>>,
    looks: watch::Sender<u64>,
    /// The questions that have waited for the first map in vain.
    late: AtomicU32,
}

impl Cluster {
    pub(super) fn new(health: &Arc<Health>) -> Arc<Self> {
        Arc::new(Cluster {
            health: Arc::clone(health),
            nodes: Mutex::default(),
            map: RwLock::default(),
            looking: AtomicBool::new(false),
            looked: Mutex::default(),
            looks: watch::Sender::default(),
            late: AtomicU32::new(0),
        })
    }

    /// Whether there is a map, and a primary of it is used now.
    pub(super) fn is_up(&self) -> bool {
        let primaries = self.primaries();
        !primaries.is_empty() && primaries.iter().any(|node| node.is_up())
    }

    pub(super) async fn ask(
        self: &Arc<Self>,
        key: &[u8],
        command: &Cmd,
        end: Instant,
    ) -> Result<Value, Turned> {
        let slot = slot(key);
        let mut node = self.node_of(slot, end).await?;
        let mut asking = false;
        for _ in 0..=MOST_TURNS {
            match node.ask(command, asking, end).await {
                Err(Turned::Moved(slot, to)) => {
                    node = self.node(to);
                    asking = false;
                    if let Some(place) = self.write().get_mut(usize::from(slot)) {
                        *place = Some(Arc::clone(&node));
                    }
                    self.look();
                }
                Err(Turned::Ask(to)) => {
                    node = self.node(to);
                    asking = true;
                }
                Err(turned @ Turned::Down(Fault::Away | Fault::Late | Fault::Refused(_))) => {
                    // The slot may have another primary now.
                    self.look();
                    return Err(turned);
                }
                answer => return answer,
            }
        }
        Err(Fault::Refused("MOVED".to_owned()).into())
    }

    /// The node of a slot. The first look at the map is waited for, and no other one.
    async fn node_of(self: &Arc<Self>, slot: u16, end: Instant) -> Result<Arc<Node>, Fault> {
        let mut looks = self.looks.subscribe();
        for _ in 0..2 {
            if let Some(node) = self.known(slot) {
                return Ok(node);
            }
            // A slot that nobody had may have a primary now.
            self.look();
            let first = *looks.borrow() == 0 && self.looking.load(Ordering::Acquire);
            if !first || self.late.load(Ordering::Relaxed) >= MOST_LATE {
                break;
            }
            if timeout_at(end, looks.changed()).await.is_err() {
                self.late.fetch_add(1, Ordering::Relaxed);
                return Err(Fault::Late);
            }
        }
        self.known(slot).ok_or(Fault::Away)
    }

    fn known(&self, slot: u16) -> Option<Arc<Node>> {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        map.get(usize::from(slot)).cloned().flatten()
    }

    /// Looks at the map, beside the questions.
    fn look(self: &Arc<Self>) {
        {
            let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            if looked.is_some_and(|looked| now < looked + LOOK)
                || self.looking.swap(true, Ordering::AcqRel)
            {
                return;
            }
            *looked = Some(now);
        }
        let looking = Looking(Arc::clone(self));
        if let Some(home) = self.health.home() {
            home.spawn(async move { looking.0.read_map().await });
        }
    }

    async fn read_map(self: &Arc<Self>) {
        let known = self.primaries();
        let seeds = self.health.settings.addresses.iter().map(|seed| self.node(seed.clone()));
        for node in known.into_iter().chain(seeds) {
            let mut question = redis::cmd("CLUSTER");
            question.arg("SLOTS");
            let end = Instant::now() + PATIENCE;
            let Ok(answer) = node.ask(&question, false, end).await else { continue };
            if let Ok(map) = self.parse(answer, &node) {
                *self.write() = map;
                return;
            }
        }
    }

    /// Reads a list of `[first, last, [host, port, …], …]`. A node that has joined nothing has none,
    /// and does not know the cluster.
    fn parse(&self, answer: Value, asked: &Node) -> Result<Vec<Option<Arc<Node>>>, Fault> {
        let mut map = vec![None; SLOTS];
        for range in list(answer)? {
            let range = list(range)?;
            let [first, last, Value::Array(primary), ..] = &range[..] else {
                return Err(Fault::Foreign);
            };
            let host =
                primary.first().and_then(text).filter(|host| !host.is_empty() && host != "?");
            // A node that does not know its own name is the one that was asked.
            let host =
                host.or_else(|| Some(asked.address()?.host.clone())).ok_or(Fault::Foreign)?;
            let port = number(primary.get(1).ok_or(Fault::Foreign)?)?;
            let port = u16::try_from(port).map_err(|_| Fault::Foreign)?;
            let node = self.node(Address { host, port });
            let at = |value| usize::try_from(number(value)?).map_err(|_| Fault::Foreign);
            let range = map.get_mut(at(first)?..=at(last)?).ok_or(Fault::Foreign)?;
            range.fill(Some(node));
        }
        if map.iter().all(Option::is_none) {
            return Err(Fault::Foreign);
        }
        Ok(map)
    }

    /// The primaries, each once.
    pub(super) fn primaries(&self) -> Vec<Arc<Node>> {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        let mut primaries: Vec<Arc<Node>> = Vec::new();
        for node in map.iter().flatten() {
            if !primaries.iter().any(|known| Arc::ptr_eq(known, node)) {
                primaries.push(Arc::clone(node));
            }
        }
        primaries
    }

    fn node(&self, address: Address) -> Arc<Node> {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        let node = nodes
            .entry(address.clone())
            .or_insert_with(|| Node::new(Place::At(address), &self.health));
        Arc::clone(node)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Vec<Option<Arc<Node>>>> {
        self.map.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A look that is under way.
struct Looking(Arc<Cluster>);

impl Drop for Looking {
    fn drop(&mut self) {
        self.0.looking.store(false, Ordering::Release);
        self.0.looks.send_modify(|count| *count = count.wrapping_add(1));
    }
}

/// The slot of a key: of what is between its first braces, if anything is.
fn slot(key: &[u8]) -> u16 {
    let tag = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        let close = rest.iter().position(|byte| *byte == b'}').filter(|length| *length > 0)?;
        Some(&rest[..close])
    });
    crc16(tag.unwrap_or(key)) % SLOTS as u16
}

/// CRC-16/XMODEM, as the specification of Redis Cluster has it.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the specification of Redis Cluster.
    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(slot(b"{user1000}.following"), slot(b"{user1000}.followers"));
        assert_eq!(slot(b"foo{}{bar}"), crc16(b"foo{}{bar}") % 16_384);
        assert_eq!(slot(b"foo{{bar}}zap"), slot(b"{bar"));
        assert_eq!(slot(b"foo{bar}{zap}"), slot(b"bar"));
        assert_eq!(slot(b"somekey"), 11_058);
    }
}
