//! A node is one server: its connection, and whether it is asked.
//!
//! A question waits for its answer, and at first for the connection, no longer than its timer. A
//! connection that is lost is made again beside the calls. All of a node's tasks run on one runtime,
//! its home; a question may come from any other.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Value};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::circuit::{Circuit, Pass};
use super::connect::{Opened, open};
use super::fault::{Fault, Turned, meaning};
use super::health::Health;
use super::settings::{Address, Place};

/// How long a connection may take to open, with its handshake.
const CONNECT: Duration = Duration::from_secs(5);

/// A server, or the primary that sentinels name.
pub(super) struct Node {
    pub(super) place: Place,
    health: Arc<Health>,
    state: Mutex<State>,
    /// Counts what a waiting question has to look at: a connection that came or failed, a circuit
    /// that opened.
    changes: watch::Sender<u64>,
    links: AtomicU64,
}

struct State {
    circuit: Circuit,
    link: Option<Arc<Link>>,
    connecting: bool,
    /// The last password was refused.
    refused: bool,
}

/// An open connection.
struct Link {
    connection: MultiplexedConnection,
    number: u64,
    driver: AbortHandle,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Node {
    pub(super) fn new(place: Place, health: &Arc<Health>) -> Arc<Self> {
        let (circuit, link) = (Circuit::new(), None);
        Arc::new(Node {
            place,
            health: Arc::clone(health),
            state: Mutex::new(State { circuit, link, connecting: false, refused: false }),
            changes: watch::Sender::default(),
            links: AtomicU64::new(0),
        })
    }

    /// Whether there is a connection, and it is used.
    pub(super) fn is_up(&self) -> bool {
        let state = self.lock();
        state.link.is_some() && state.circuit.is_closed()
    }

    /// The address, if it is known without a question.
    pub(super) fn address(&self) -> Option<&Address> {
        match &self.place {
            Place::At(address) => Some(address),
            Place::Master(_) => None,
        }
    }

    /// Asks, and waits until `end` at most. `asking` lets a node answer for a slot that it is about
    /// to get.
    pub(super) async fn ask(
        self: &Arc<Self>,
        command: &Cmd,
        asking: bool,
        end: Instant,
    ) -> Result<Value, Turned> {
        let began = Instant::now();
        let mut changes = self.changes.subscribe();
        let link = loop {
            match self.link()? {
                Some(link) => break link,
                // The first connection, or the one after a lost one, is waited for.
                None => match timeout_at(end, changes.changed()).await {
                    Ok(_) => {}
                    Err(_) => return Err(self.late(began).into()),
                },
            }
        };
        let mut connection = link.connection.clone();
        let answer = async {
            if asking {
                let mut both = redis::pipe();
                both.cmd("ASKING").ignore().add_command(command.clone());
                let answers = connection.send_packed_commands(&both, 1, 1).await?;
                return answers.into_iter().next().unwrap_or_default().extract_error();
            }
            connection.send_packed_command(command).await?.extract_error()
        };
        let opened = async {
            while changes.changed().await.is_ok() {
                if !self.lock().circuit.is_closed() {
                    return;
                }
            }
        };
        let answered = tokio::select! {
            biased;
            answer = timeout_at(end, answer) => answer,
            () = opened => return Err(Fault::Late.into()),
        };
        match answered {
            Err(_) => Err(self.late(began).into()),
            Ok(Ok(value)) => {
                self.lock().circuit.answered();
                Ok(value)
            }
            Ok(Err(error)) => Err(self.failed(meaning(&error), &link)),
        }
    }

    /// The connection. `None` means that it is being made, and may be waited for.
    fn link(self: &Arc<Self>) -> Result<Option<Arc<Link>>, Fault> {
        let mut state = self.lock();
        match state.circuit.pass(Instant::now()) {
            Pass::No => return Err(Fault::Away),
            Pass::Try => {
                drop(state);
                self.attempt();
                return Err(Fault::Away);
            }
            Pass::Ask => {}
        }
        if state.link.is_none() && !state.connecting {
            state.connecting = true;
            drop(state);
            self.spawn(Attempt::first(self));
            return Ok(None);
        }
        Ok(state.link.clone())
    }

    /// Makes the one attempt of an open circuit.
    fn attempt(self: &Arc<Self>) {
        self.spawn(Attempt { node: Arc::clone(self), first: false, over: false });
    }

    fn spawn(&self, attempt: Attempt) {
        // Without a home the attempt is dropped, and has failed.
        if let Some(home) = self.health.home() {
            home.spawn(attempt.run());
        }
    }

    /// An answer did not come in time. One whose call ended early says nothing about the server.
    fn late(&self, began: Instant) -> Fault {
        if began.elapsed() < self.health.settings.timeout / 2 {
            return Fault::Late;
        }
        if self.lock().circuit.late(Instant::now(), fastrand::f64()) {
            self.changed();
            self.health.away(&self.place.name(), &Fault::Late.to_string());
        }
        Fault::Late
    }

    /// The server said no, or the connection broke.
    fn failed(&self, turned: Turned, link: &Link) -> Turned {
        match &turned {
            Turned::Down(Fault::Away) => self.lost(link.number),
            Turned::Down(fault @ Fault::Refused(word)) if fault.is_of_all() => {
                let mut state = self.lock();
                if word == "READONLY" || word == "NOAUTH" {
                    // The primary is another one now: its name is looked up again.
                    state.link = None;
                }
                state.circuit.refused(Instant::now(), fastrand::f64());
                drop(state);
                self.changed();
                self.health.away(&self.place.name(), word);
            }
            _ => self.lock().circuit.answered(),
        }
        turned
    }

    /// A connection has ended.
    fn lost(&self, number: u64) {
        let mut state = self.lock();
        if state.link.as_ref().is_some_and(|link| link.number == number) {
            state.link = None;
            drop(state);
            self.changed();
        }
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a new connection into use.
    fn install(self: &Arc<Self>, opened: Opened) -> Result<Arc<Link>, String> {
        let number = self.links.fetch_add(1, Ordering::Relaxed);
        let lost = Lost { node: Arc::downgrade(self), number };
        let driver = opened.driver;
        let home = self.health.home().ok_or("there is no runtime")?;
        let driving = home.spawn(async move {
            let _lost = lost;
            driver.await;
        });
        let (connection, driver) = (opened.connection, driving.abort_handle());
        Ok(Arc::new(Link { connection, number, driver }))
    }
}

/// Tells the node when its connection ends, also if its runtime does.
struct Lost {
    node: Weak<Node>,
    number: u64,
}

impl Drop for Lost {
    fn drop(&mut self) {
        if let Some(node) = self.node.upgrade() {
            node.lost(self.number);
        }
    }
}

/// An attempt to reach a node. One that is dropped has failed.
struct Attempt {
    node: Arc<Node>,
    /// The circuit is closed: it is the first attempt after a start or a lost connection.
    first: bool,
    over: bool,
}

impl Attempt {
    fn first(node: &Arc<Node>) -> Self {
        Attempt { node: Arc::clone(node), first: true, over: false }
    }

    async fn run(mut self) {
        let outcome = match timeout(CONNECT, self.reach()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Fault::Late.to_string()),
        };
        self.end(outcome);
    }

    /// A connection that answers a `PING` in time: the one that is there, or else a new one.
    async fn reach(&self) -> Result<Arc<Link>, String> {
        let node = &self.node;
        let (known, refused) = {
            let state = node.lock();
            (state.link.clone(), state.refused)
        };
        let link = match known {
            Some(link) => link,
            None => {
                let opened = open(&node.health, &node.place, refused).await;
                node.lock().refused = opened.as_ref().is_err_and(|failed| failed.secret);
                let opened = opened.map_err(|failed| failed.reason)?;
                node.install(opened)?
            }
        };
        let mut connection = link.connection.clone();
        let ping = redis::cmd("PING");
        let patience = node.health.settings.timeout.max(Duration::from_millis(50));
        let answer = timeout(patience, connection.send_packed_command(&ping)).await;
        let answer = answer.map_err(|_| Fault::Late.to_string())?;
        match answer.and_then(Value::extract_error) {
            Ok(_) => Ok(link),
            Err(error) => match meaning(&error) {
                // A user without PING may ask its questions all the same.
                Turned::Down(Fault::Refused(word)) if word == "NOPERM" => Ok(link),
                Turned::Down(fault) => Err(fault.to_string()),
                _ => Err("no answer to PING".to_owned()),
            },
        }
    }

    fn end(&mut self, outcome: Result<Arc<Link>, String>) {
        self.over = true;
        let (node, now) = (&self.node, Instant::now());
        let mut state = node.lock();
        state.connecting = false;
        let well = outcome.is_ok();
        let reason = match outcome {
            Ok(link) => {
                let new = state.link.as_ref().is_none_or(|known| known.number != link.number);
                state.link = Some(link);
                if new {
                    node.health.connected();
                }
                None
            }
            Err(reason) => {
                // A silent connection is not asked again.
                state.link = None;
                Some(reason)
            }
        };
        match (self.first, well) {
            // Late answers may have opened the circuit meanwhile.
            (true, _) if state.circuit.is_closed() => {
                if !well {
                    state.circuit.refused(now, fastrand::f64());
                }
            }
            (true, true) => state.circuit.tried(true, now, fastrand::f64()),
            (true, false) => {}
            (false, well) => state.circuit.tried(well, now, fastrand::f64()),
        }
        drop(state);
        match reason {
            None => node.health.back(),
            Some(reason) => node.health.away(&node.place.name(), &reason),
        }
        node.changed();
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if !self.over {
            self.node.health.homeless();
            self.end(Err("its runtime has ended".to_owned()));
        }
    }
}
