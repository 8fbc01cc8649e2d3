//! A client: configuration, connections and the calls in flight.
//!
//! Make few and keep them long. Every method may be called from any thread; the futures run on the
//! tokio runtime that polls them.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::http::Pool;
use crate::json::{Object, Value, json, to_vec};
use crate::model::{HttpAnswer, Operation, Options, Request, Response};
use crate::passthrough::{self, HttpStream};
use crate::pipeline::{self, Open, Step};

/// Sends requests to the configured providers.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
    pub(crate) pools: Arc<[Pool]>,
}

pub(crate) struct Inner {
    pub(crate) config: Config,
    state: watch::Sender<State>,
    in_flight: AtomicUsize,
    idle: Notify,
    counters: Vec<Counters>,
}

/// How far the client is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// Takes nothing new.
    Closing,
    /// Ends what still runs.
    Cancelled,
}

/// What one provider has seen.
#[derive(Default)]
struct Counters {
    calls: AtomicU64,
    errors: [AtomicU64; ErrorKind::ALL.len()],
}

/// A call's place among those in flight.
pub(crate) struct Permit {
    inner: Arc<Inner>,
    state: watch::Receiver<State>,
}

/// A whole answer.
pub enum Answer {
    /// To a chat request.
    Chat(Response),
    /// To a request that was passed through.
    Http(HttpAnswer),
}

/// What [`Client::start`] began.
pub enum Started {
    /// The whole answer.
    Whole(Box<Answer>),
    /// A stream that has opened.
    Stream(Box<ChatStream>),
    /// An answer that is passed through as it arrives.
    Http(Box<HttpStream>),
}

/// A streamed answer.
pub struct ChatStream {
    open: Open,
    permit: Permit,
}

impl Client {
    /// A client of this configuration. Opens no connection and reads no key yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let counters = config.providers.iter().map(|_| Counters::default()).collect();
        let inner = Arc::new(Inner {
            config,
            state: watch::Sender::new(State::Open),
            in_flight: AtomicUsize::new(0),
            idle: Notify::new(),
            counters,
        });
        let pools = pools(&inner.config, None);
        Client { inner, pools }
    }

    /// The same client with connections of its own: for a second tokio runtime, as a connection
    /// lives on the runtime that opened it. Names are looked up on the threads of `blocking`.
    #[must_use]
    pub fn with_own_connections(&self, blocking: Handle) -> Self {
        let pools = pools(&self.inner.config, Some(&blocking));
        Client { inner: Arc::clone(&self.inner), pools }
    }

    /// Sends a request document and waits for the whole answer. `options` may be empty; it wins
    /// over the request's own member by member.
    pub async fn call(&self, request: &[u8], options: &[u8]) -> Result<Response, Error> {
        let permit = self.admit()?;
        let (operation, options) = parse(request, options)?;
        self.run_whole(&permit, operation.chat()?, &options).await
    }

    /// Sends a request document of any operation and waits for the whole answer.
    pub async fn answer(&self, request: &[u8], options: &[u8]) -> Result<Answer, Error> {
        let permit = self.admit()?;
        let (operation, options) = parse(request, options)?;
        match operation {
            Operation::Chat(chat) => {
                Ok(Answer::Chat(self.run_whole(&permit, chat, &options).await?))
            }
            Operation::Http(call) => {
                Ok(Answer::Http(passthrough::answer(self, &permit, call, &options).await?))
            }
        }
    }

    /// Sends a request document and waits for the stream to open.
    pub async fn stream(&self, request: &[u8], options: &[u8]) -> Result<ChatStream, Error> {
        let permit = self.admit()?;
        let (operation, options) = parse(request, options)?;
        self.run_stream(permit, operation.chat()?, &options).await
    }

    /// Sends a request document of any operation: a stream where it says `"stream": true`, else the
    /// whole answer.
    pub async fn start(&self, request: &[u8], options: &[u8]) -> Result<Started, Error> {
        let permit = self.admit()?;
        let (operation, options) = parse(request, options)?;
        match operation {
            Operation::Chat(request) if request.stream => {
                let stream = self.run_stream(permit, request, &options).await?;
                Ok(Started::Stream(Box::new(stream)))
            }
            Operation::Chat(request) => {
                let response = self.run_whole(&permit, request, &options).await?;
                Ok(Started::Whole(Box::new(Answer::Chat(response))))
            }
            Operation::Http(call) if call.stream => {
                let stream = passthrough::open(self, permit, call, &options).await?;
                Ok(Started::Http(Box::new(stream)))
            }
            Operation::Http(call) => {
                let answer = passthrough::answer(self, &permit, call, &options).await?;
                Ok(Started::Whole(Box::new(Answer::Http(answer))))
            }
        }
    }

    async fn run_whole(
        &self,
        permit: &Permit,
        request: Request,
        options: &Options,
    ) -> Result<Response, Error> {
        let inner = Arc::clone(&self.inner);
        let work = pipeline::call(inner, &self.pools, request, options);
        let response = permit.run(pin!(work)).await.map_err(|error| permit.failed(error))?;
        permit.count(Some(&response.provider), None);
        Ok(response)
    }

    async fn run_stream(
        &self,
        permit: Permit,
        request: Request,
        options: &Options,
    ) -> Result<ChatStream, Error> {
        let inner = Arc::clone(&self.inner);
        let work = pipeline::open(inner, &self.pools, request, options);
        let open = permit.run(pin!(work)).await.map_err(|error| permit.failed(error))?;
        Ok(ChatStream { open, permit })
    }

    /// How many calls are in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.inner.in_flight.load(Ordering::Acquire)
    }

    /// Most calls in flight.
    #[must_use]
    pub fn max_in_flight(&self) -> usize {
        self.inner.config.max_in_flight
    }

    /// Whether [`Client::close`] has been called.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        *self.inner.state.borrow() != State::Open
    }

    /// Refuses new calls, waits up to `grace` for those in flight, and ends the rest.
    pub async fn close(&self, grace: Duration) {
        self.inner.state.send_if_modified(|state| {
            let open = *state == State::Open;
            if open {
                *state = State::Closing;
            }
            open
        });
        let _ = tokio::time::timeout(grace, self.idle()).await;
        self.cancel_all();
        // They end at once; but a call that its caller has to drive may be left lying.
        let _ = tokio::time::timeout(Duration::from_secs(1), self.idle()).await;
        self.disconnect();
    }

    /// Refuses new calls and ends those in flight, without waiting for them.
    pub fn cancel_all(&self) {
        self.inner.state.send_replace(State::Cancelled);
    }

    /// Closes idle connections.
    pub fn disconnect(&self) {
        self.pools.iter().for_each(Pool::clear);
    }

    async fn idle(&self) {
        loop {
            let idle = self.inner.idle.notified();
            tokio::pin!(idle);
            idle.as_mut().enable();
            if self.in_flight() == 0 {
                return;
            }
            idle.await;
        }
    }

    fn admit(&self) -> Result<Permit, Error> {
        // Counted first: a close that happens now either sees this call or is seen by it.
        let before = self.inner.in_flight.fetch_add(1, Ordering::AcqRel);
        let permit = Permit { inner: Arc::clone(&self.inner), state: self.inner.state.subscribe() };
        if self.is_closed() {
            return Err(closed());
        }
        if before >= self.inner.config.max_in_flight {
            return Err(Error::new(
                ErrorKind::RateLimit,
                format!(
                    "{before} calls are in flight, which is this client's max_in_flight: wait for \
                     some to end, or raise it in the configuration"
                ),
            ));
        }
        Ok(permit)
    }

    /// Counters so far, as a JSON document.
    #[must_use]
    pub fn metrics_json(&self) -> Vec<u8> {
        let mut providers = Object::new();
        for (settings, counters) in self.inner.config.providers.iter().zip(&self.inner.counters) {
            let calls = counters.calls.load(Ordering::Relaxed);
            if calls == 0 {
                continue;
            }
            let errors = counters.errors().filter(|(_, count)| *count > 0);
            let errors: Object =
                errors.map(|(kind, count)| (kind.name(), Value::from(count))).collect();
            let counts = json!({"calls": calls, "errors": errors});
            providers.insert(settings.name.clone(), counts);
        }
        let document = json!({"in_flight": self.in_flight(), "providers": providers});
        to_vec(&document, 256)
    }

    /// Counters so far, in Prometheus' text format.
    #[must_use]
    pub fn metrics_prometheus(&self) -> Vec<u8> {
        use std::fmt::Write as _;
        let mut text = String::from(
            "# HELP liter_llm_in_flight Calls in flight.\n# TYPE liter_llm_in_flight gauge\n",
        );
        // Writing into a String cannot fail.
        let _ = writeln!(text, "liter_llm_in_flight {}", self.in_flight());
        text.push_str(
            "# HELP liter_llm_calls_total Ended calls.\n# TYPE liter_llm_calls_total counter\n",
        );
        for (settings, counters) in self.inner.config.providers.iter().zip(&self.inner.counters) {
            let calls = counters.calls.load(Ordering::Relaxed);
            if calls == 0 {
                continue;
            }
            let name = label(&settings.name);
            let failed: u64 = counters.errors().map(|(_, count)| count).sum();
            let ok = calls.saturating_sub(failed);
            let _ =
                writeln!(text, "liter_llm_calls_total{{provider=\"{name}\",outcome=\"ok\"}} {ok}");
            for (kind, count) in counters.errors().filter(|(_, count)| *count > 0) {
                let _ = writeln!(
                    text,
                    "liter_llm_calls_total{{provider=\"{name}\",outcome=\"{kind}\"}} {count}"
                );
            }
        }
        text.into_bytes()
    }
}

impl Answer {
    /// The response document, compact, in canonical member order.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        match self {
            Answer::Chat(response) => response.to_json(),
            Answer::Http(answer) => answer.to_json(),
        }
    }
}

impl ChatStream {
    /// What comes next. After `Done` or an error there is nothing more.
    pub async fn next(&mut self) -> Result<Step, Error> {
        let work = self.open.next();
        let step = self.permit.run(pin!(work)).await.map_err(|error| self.permit.failed(error))?;
        if let Step::Done(response) = &step {
            self.permit.count(Some(&response.provider), None);
        }
        Ok(step)
    }
}

impl ChatStream {
    /// Waits for `room`, which a slow reader makes, until the call's time is up or the client is
    /// closed.
    pub async fn wait_for_reader(&mut self, room: impl Future<Output = ()>) -> Result<(), Error> {
        let outcome = self.permit.wait_for_reader(self.open.deadline(), room).await;
        outcome.map_err(|error| self.permit.failed(self.open.failed(error)))
    }
}

impl Permit {
    /// Waits for `room`, which a slow reader makes.
    pub(crate) async fn wait_for_reader(
        &self,
        deadline: Instant,
        room: impl Future<Output = ()>,
    ) -> Result<(), Error> {
        let work = async {
            tokio::time::timeout_at(deadline, room).await.map_err(|_| {
                Error::new(
                    ErrorKind::Timeout,
                    "the call's time ran out while its chunks waited to be read: read the stream \
                     faster, or give it more time",
                )
            })
        };
        self.run(work).await
    }

    /// Runs `work`, pinned by the caller so that its future is not held twice, unless the client is
    /// closed under it.
    pub(crate) async fn run<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let mut state = self.state.clone();
        tokio::select! {
            biased;
            outcome = work => outcome,
            _ = state.wait_for(|state| *state == State::Cancelled) => Err(closed()),
        }
    }

    /// Adds an ended call to its provider's counters.
    pub(crate) fn count(&self, provider: Option<&str>, failed: Option<ErrorKind>) {
        if let Some(index) = provider.and_then(|name| self.inner.config.index(name).ok()) {
            let counters = &self.inner.counters[index];
            counters.calls.fetch_add(1, Ordering::Relaxed);
            if let Some(kind) = failed {
                counters.errors[kind as usize - 1].fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub(crate) fn failed(&self, error: Error) -> Error {
        self.count(error.provider.as_deref(), Some(error.kind()));
        error
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.inner.in_flight.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.inner.idle.notify_waiters();
        }
    }
}

impl Counters {
    fn errors(&self) -> impl Iterator<Item = (ErrorKind, u64)> {
        let counts = self.errors.iter().map(|count| count.load(Ordering::Relaxed));
        ErrorKind::ALL.iter().copied().zip(counts)
    }
}

fn pools(config: &Config, blocking: Option<&Handle>) -> Arc<[Pool]> {
    let pool = |provider| Pool::new(provider, config.max_in_flight, blocking.cloned());
    config.providers.iter().map(pool).collect()
}

fn parse(request: &[u8], options: &[u8]) -> Result<(Operation, Options), Error> {
    let options = if options.is_empty() { Options::default() } else { Options::parse(options)? };
    Operation::parse(request, options)
}

fn closed() -> Error {
    Error::new(ErrorKind::Cancelled, "the client is closed")
}

/// A Prometheus label's value.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A call's future is moved where it is spawned or blocked on: a few kilobytes at the most.
    #[test]
    fn futures_are_small() {
        let client = Client::new(Config::parse(b"{}").unwrap());
        let call = size_of_val(&client.call(b"", b""));
        let start = size_of_val(&client.start(b"", b""));
        assert!(call < 6 << 10 && start < 6 << 10, "{call} and {start} bytes");
    }
}
