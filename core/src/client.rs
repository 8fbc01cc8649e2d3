//! A client: configuration, connections and the calls in flight.
//!
//! Make few and keep them long. Every method may be called from any thread; the futures run on the
//! tokio runtime that polls them.

mod permit;
mod wanted;

pub use permit::Permit;
pub use wanted::Wanted;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};

use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::http::{Network, Pool};
use crate::model::{HttpAnswer, HttpCall, Operation, Options, Response};
use crate::passthrough::{self, HttpStream};
use crate::pipeline::Call;
use crate::route::fanout::Many;
use crate::route::table::Table;
use crate::stream::{Open, Step};

/// Sends requests to the configured providers.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
    pub(crate) pools: Arc<[Pool]>,
}

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) table: Table,
    pub(crate) network: Option<Arc<dyn Network>>,
    /// The number of the process.
    pub(crate) process: u32,
    state: watch::Sender<State>,
    in_flight: AtomicUsize,
    idle: Notify,
    pub(crate) counters: Vec<Counters>,
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
pub(crate) struct Counters {
    pub(crate) calls: AtomicU64,
    errors: [AtomicU64; ErrorKind::ALL.len()],
}

/// A request that knows where it goes.
enum Planned {
    Chat(Box<Call>),
    /// A fan-out: a call for each target, and how many answers are wanted.
    Many(Vec<Call>, usize),
    Http(Box<HttpCall>, Box<Options>),
}

/// A whole answer.
pub enum Answer {
    /// To a chat request.
    Chat(Box<Response>),
    /// To a chat request that went to several targets.
    Many(Many),
    /// To a request that was passed through.
    Http(Box<HttpAnswer>),
}

/// What [`Client::start`] began.
pub enum Started {
    /// The whole answer.
    Whole(Answer),
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
        Self::build(config, None, fastrand::u64(..))
    }

    /// A client whose connections `network` opens in place of TCP, for tests in virtual time. Two
    /// with the same `seed` draw the same random numbers.
    #[doc(hidden)]
    #[must_use]
    pub fn with_network(config: Config, network: Arc<dyn Network>, seed: u64) -> Self {
        Self::build(config, Some(network), seed)
    }

    fn build(config: Config, network: Option<Arc<dyn Network>>, seed: u64) -> Self {
        let counters = config.providers.iter().map(|_| Counters::default()).collect();
        let inner = Arc::new(Inner {
            table: Table::new(&config, seed),
            config,
            network,
            process: std::process::id(),
            state: watch::Sender::new(State::Open),
            in_flight: AtomicUsize::new(0),
            idle: Notify::new(),
            counters,
        });
        let pools = pools(&inner, None);
        Client { inner, pools }
    }

    /// The same client with connections of its own: for a second tokio runtime, as a connection
    /// lives on the runtime that opened it. Names are looked up on the threads of `blocking`.
    #[must_use]
    pub fn with_own_connections(&self, blocking: Handle) -> Self {
        let pools = pools(&self.inner, Some(&blocking));
        Client { inner: Arc::clone(&self.inner), pools }
    }

    /// Sends a chat request and waits for the whole answer. `options` may be empty; it wins over
    /// the request's own member by member.
    pub async fn call(&self, request: &[u8], options: &[u8]) -> Result<Response, Error> {
        let permit = self.admit()?;
        match self.plan(&permit, request, options, Wanted::WHOLE)? {
            Planned::Chat(call) => Ok(*permit.whole(call).await?),
            Planned::Many(..) | Planned::Http(..) => Err(one_chat_only()),
        }
    }

    /// Sends a chat request and waits for the stream to show its first content.
    pub async fn stream(&self, request: &[u8], options: &[u8]) -> Result<ChatStream, Error> {
        let permit = self.admit()?;
        match self.plan(&permit, request, options, Wanted::STREAM)? {
            Planned::Chat(call) => permit.stream(call).await,
            Planned::Many(calls, first) => permit.fastest_stream(calls, first).await,
            Planned::Http(..) => Err(one_chat_only()),
        }
    }

    /// Sends a request document of any operation and waits for the whole answer.
    pub async fn answer(&self, request: &[u8], options: &[u8]) -> Result<Answer, Error> {
        let permit = self.admit()?;
        match self.plan(&permit, request, options, Wanted::WHOLE)? {
            Planned::Chat(call) => Ok(Answer::Chat(permit.whole(call).await?)),
            Planned::Many(calls, first) => Ok(Answer::Many(permit.many(calls, first).await?)),
            Planned::Http(call, options) => {
                let answer = passthrough::answer(self, &permit, *call, &options).await?;
                Ok(Answer::Http(Box::new(answer)))
            }
        }
    }

    /// Sends a request document of any operation: a stream where it says `"stream": true`, else the
    /// whole answer, unless `wanted` says which. `permit`: from [`Client::admit`].
    pub async fn start(
        &self,
        permit: Permit,
        request: &[u8],
        options: &[u8],
        wanted: Wanted,
    ) -> Result<Started, Error> {
        let whole = match self.plan(&permit, request, options, wanted)? {
            Planned::Chat(call) if call.request.stream => {
                return Ok(Started::Stream(Box::new(permit.stream(call).await?)));
            }
            Planned::Many(calls, first) if calls[0].request.stream => {
                let stream = permit.fastest_stream(calls, first).await?;
                return Ok(Started::Stream(Box::new(stream)));
            }
            Planned::Http(call, options) if call.stream => {
                let stream = passthrough::open(self, permit, *call, &options).await?;
                return Ok(Started::Http(Box::new(stream)));
            }
            Planned::Chat(call) => Answer::Chat(permit.whole(call).await?),
            Planned::Many(calls, first) => Answer::Many(permit.many(calls, first).await?),
            Planned::Http(call, options) => {
                let answer = passthrough::answer(self, &permit, *call, &options).await?;
                Answer::Http(Box::new(answer))
            }
        };
        Ok(Started::Whole(whole))
    }

    /// Reads the documents and finds the targets, all before anything is waited for: what is kept
    /// meanwhile is one pointer.
    fn plan(
        &self,
        permit: &Permit,
        request: &[u8],
        options: &[u8],
        wanted: Wanted,
    ) -> Result<Planned, Error> {
        let options =
            if options.is_empty() { Options::default() } else { Options::parse(options)? };
        let (operation, options) = Operation::parse(request, options)?;
        let mut request = match operation {
            Operation::Chat(request) => request,
            Operation::Http(mut call) => {
                call.stream = wanted.stream.unwrap_or(call.stream);
                return Ok(Planned::Http(Box::new(call), Box::new(options)));
            }
        };
        request.stream = wanted.stream.unwrap_or(request.stream);
        wanted.check(request.stream, &options)?;
        let plan = |request, options, to: Option<&str>| {
            let (inner, pools) = (Arc::clone(&self.inner), Arc::clone(&self.pools));
            let call = Call::new(inner, pools, request, options, to);
            let call = call.map_err(|error| permit.failed(error))?;
            permit.begins(call.candidates[0].provider);
            Ok(call)
        };
        let Some(fanout) = options.fanout.clone() else {
            return Ok(Planned::Chat(plan(request, options, None)?));
        };
        let each = |to: &String| {
            plan(request.clone(), options.clone(), Some(to.as_str())).map(|call| *call)
        };
        let calls = fanout.targets.iter().map(each).collect::<Result<_, _>>()?;
        Ok(Planned::Many(calls, fanout.first))
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

    /// A place among the calls in flight. Whoever starts a call later, on another thread say, takes its
    /// place now: [`Client::close`] waits for it from here on. An error of kind `cancelled`: the client
    /// is closed; of kind `rate_limit`: [`Client::max_in_flight`] are in flight.
    pub fn admit(&self) -> Result<Permit, Error> {
        // Counted first: a close that happens now either sees this call or is seen by it.
        let before = self.inner.in_flight.fetch_add(1, Ordering::AcqRel);
        let permit = Permit::new(Arc::clone(&self.inner));
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
}

impl Inner {
    /// Ends when the client is closed or gone; keeps nothing of it meanwhile.
    pub(crate) fn closing(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut state = self.state.subscribe();
        async move {
            let _ = state.wait_for(|state| *state != State::Open).await;
        }
    }
}

impl Answer {
    /// The response document, compact, in canonical member order.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        self.to_json_behind(0)
    }

    /// The same behind so many zero bytes, for a caller that puts something of its own there.
    #[must_use]
    pub fn to_json_behind(&self, room: usize) -> Vec<u8> {
        let document = match self {
            Answer::Chat(response) => return response.to_json_behind(room),
            Answer::Many(many) => many.to_json(),
            Answer::Http(answer) => answer.to_json(),
        };
        if room == 0 { document } else { [vec![0; room], document].concat() }
    }
}

impl ChatStream {
    /// What comes next. After `Done` or an error there is nothing more.
    pub async fn next(&mut self) -> Result<Step, Error> {
        let step = self.permit.unless_closed(pin!(self.open.next())).await;
        let step = step.unwrap_or_else(|| Err(self.open.failed(closed())));
        let step = step.map_err(|error| self.permit.failed(error))?;
        if let Step::Done(response) = &step {
            self.permit.count(Some(&response.provider), None);
        }
        Ok(step)
    }

    /// Waits for `room`, which a slow reader makes, until the call's time is up or the client is
    /// closed.
    pub async fn wait_for_reader(&mut self, room: impl Future<Output = ()>) -> Result<(), Error> {
        let outcome = self.permit.wait_for_reader(self.open.deadline(), room).await;
        outcome.map_err(|error| self.permit.failed(self.open.failed(error)))
    }
}

impl Counters {
    /// A call has ended.
    fn count(&self, failed: Option<ErrorKind>) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if let Some(kind) = failed {
            self.errors[kind as usize - 1].fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn errors(&self) -> impl Iterator<Item = (ErrorKind, u64)> {
        let counts = self.errors.iter().map(|count| count.load(Ordering::Relaxed));
        ErrorKind::ALL.iter().copied().zip(counts)
    }
}

fn pools(inner: &Inner, blocking: Option<&Handle>) -> Arc<[Pool]> {
    let pool = |provider| {
        let most_idle = inner.config.max_in_flight;
        Pool::new(provider, most_idle, blocking.cloned(), inner.network.clone())
    };
    inner.config.providers.iter().map(pool).collect()
}

fn one_chat_only() -> Error {
    let message = "op must be \"chat\" here, and without options.fanout: one answer is waited for";
    Error::new(ErrorKind::InvalidRequest, message)
}

fn closed() -> Error {
    Error::new(ErrorKind::Cancelled, "the client is closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A call's future is moved where it is spawned or blocked on: a few kilobytes at the most.
    #[test]
    fn futures_are_small() {
        let client = Client::new(Config::parse(b"{}").unwrap());
        let call = size_of_val(&client.call(b"", b""));
        let start =
            size_of_val(&client.start(client.admit().unwrap(), b"", b"", Wanted::default()));
        assert!(call < 6 << 10 && start < 6 << 10, "{call} and {start} bytes");
    }
}
