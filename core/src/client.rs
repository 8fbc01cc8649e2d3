//! A client takes documents and returns an outcome or a stream. It knows nothing of how a call
//! goes.
//!
//! Make few clients and keep them long. Every method may be called from any thread. The futures run
//! on the tokio runtime that polls them.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::admission::{Admission, InFlight};
use crate::call::cached;
use crate::call::chat_stream::ChatStream;
use crate::call::outcome::{Outcome, Started, one_chat_only};
use crate::call::plan::{Plan, plan};
use crate::call::wanted::Wanted;
use crate::config::Config;
use crate::error::Error;
use crate::http::{Lookups, Network, give_way};
use crate::model::{Options, Response};
use crate::observe::metrics::Beside;
use crate::observe::{CacheSize, Observer};
use crate::pipeline;
use crate::services::{ClientState, Pools, Services};

/// Sends requests to the configured providers.
#[derive(Clone)]
pub struct Client {
    services: Arc<Services>,
    in_flight: Arc<InFlight>,
    last_options: Arc<LastOptions>,
}

/// What [`Client::begin`] began.
pub enum Begun {
    /// A stored answer.
    Answered(Outcome),
    /// A call that waits.
    Waiting(Waiting),
}

/// A call that knows its targets, and has not been sent.
pub struct Waiting {
    services: Arc<Services>,
    admission: Admission,
    planned: Plan,
}

impl Waiting {
    /// Sends the request and waits, as [`Client::start`] does.
    pub async fn start(self) -> Result<Started, Error> {
        pipeline::run(&self.services, self.admission, self.planned).await
    }
}

/// The options of the last few calls, the last first. They are kept because most callers pass the
/// same options every time, or the same few for each kind of call.
#[derive(Default)]
struct LastOptions(Mutex<Vec<Parsed>>);

/// Parsed options, and the bytes that they were read from.
struct Parsed {
    bytes: Box<[u8]>,
    options: Arc<Options>,
}

impl Client {
    /// Makes a client with this configuration. It opens no connection and reads no key yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self::with_observers(config, Vec::new())
    }

    /// Makes a client whose calls are reported to these observers. Observers run on the threads of
    /// the calls, so they must not wait.
    #[must_use]
    pub fn with_observers(config: Config, observers: Vec<Arc<dyn Observer>>) -> Self {
        Self::of(Services::new(config, observers, Lookups::default(), None, fastrand::u64(..)))
    }

    /// Makes a client whose connections `network` opens instead of TCP, for tests in virtual time.
    /// Two clients with the same `seed` draw the same random numbers.
    #[doc(hidden)]
    #[must_use]
    pub fn with_network(
        config: Config,
        observers: Vec<Arc<dyn Observer>>,
        network: Arc<dyn Network>,
        seed: u64,
    ) -> Self {
        Self::of(Services::new(config, observers, Lookups::default(), Some(network), seed))
    }

    /// Makes a client that looks names up in this way, for tests.
    #[doc(hidden)]
    #[must_use]
    pub fn with_lookups(config: Config, lookups: Lookups) -> Self {
        Self::of(Services::new(config, Vec::new(), lookups, None, fastrand::u64(..)))
    }

    fn of(services: Services) -> Self {
        let services = Arc::new(services);
        Client { services, in_flight: Arc::default(), last_options: Arc::default() }
    }

    /// Returns the same client with connections of its own, for a second tokio runtime. A
    /// connection lives on the runtime that opened it. The threads of `blocking` look names up.
    #[must_use]
    pub fn with_own_connections(&self, blocking: Handle) -> Self {
        let services = Arc::new(self.services.with_own_connections(&blocking));
        Client { services, ..self.clone() }
    }

    /// Sends a chat request and waits for the whole answer. `options` may be empty. Each member of
    /// `options` overrides the same member of the request's own options.
    pub async fn call(&self, request: &[u8], options: &[u8]) -> Result<Response, Error> {
        let admission = self.admit()?;
        match self.plan(&admission, request, options, Wanted::WHOLE)? {
            Plan::One(call) => {
                Ok(*pipeline::whole(&self.services, &admission, &call).await?.chat()?)
            }
            Plan::Many(..) | Plan::Http(..) | Plan::Purge(_) | Plan::Budget(_) => {
                Err(one_chat_only())
            }
        }
    }

    /// Sends a chat request and waits for the first content of the stream.
    pub async fn stream(&self, request: &[u8], options: &[u8]) -> Result<ChatStream, Error> {
        let admission = self.admit()?;
        match self.plan(&admission, request, options, Wanted::STREAM)? {
            Plan::One(call) => pipeline::stream(&self.services, admission, call).await,
            Plan::Many(calls, first) => {
                pipeline::fastest_stream(&self.services, admission, calls, first).await
            }
            Plan::Http(..) | Plan::Purge(_) | Plan::Budget(_) => Err(one_chat_only()),
        }
    }

    /// Sends a request document of any operation and waits for the whole answer.
    pub async fn answer(&self, request: &[u8], options: &[u8]) -> Result<Outcome, Error> {
        let admission = self.admit()?;
        let planned = self.plan(&admission, request, options, Wanted::WHOLE)?;
        pipeline::answer(&self.services, &admission, planned).await
    }

    /// Sends a request document of any operation. The answer is a stream if the document says
    /// `"stream": true`, otherwise whole; `wanted` can override that. `admission` comes from
    /// [`Client::admit`].
    pub async fn start(
        &self,
        admission: Admission,
        request: &[u8],
        options: &[u8],
        wanted: Wanted,
    ) -> Result<Started, Error> {
        let planned = self.plan(&admission, request, options, wanted)?;
        pipeline::run(&self.services, admission, planned).await
    }

    /// Whether this client stores answers. Calls of such a client share what they wait for, so their
    /// runtime must go on when one of them has ended.
    #[must_use]
    pub fn stores_answers(&self) -> bool {
        self.services.cache.is_some()
    }

    /// Like [`Client::start`], but it waits for nothing: it returns a whole answer that is stored, or
    /// the call, which goes on with [`Begun::Waiting`].
    pub fn begin(
        &self,
        admission: Admission,
        request: &[u8],
        options: &[u8],
        wanted: Wanted,
    ) -> Result<Begun, Error> {
        let planned = self.plan(&admission, request, options, wanted)?;
        if let Some(answer) = cached::stored(&self.services, &admission, &planned) {
            return Ok(Begun::Answered(Outcome::Answer(answer)));
        }
        Ok(Begun::Waiting(Waiting { services: Arc::clone(&self.services), admission, planned }))
    }

    /// Reads the documents and finds the targets before the call waits for anything. Across a wait,
    /// the future then keeps only one pointer.
    fn plan(
        &self,
        admission: &Admission,
        request: &[u8],
        options: &[u8],
        wanted: Wanted,
    ) -> Result<Plan, Error> {
        admission.hold(request.len()).map_err(|error| admission.failed(error))?;
        let options = self.last_options.read(options).map_err(|error| admission.failed(error))?;
        plan(&self.services, admission, request, options, wanted)
    }

    /// The number of calls in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.count()
    }

    /// The largest number of calls in flight.
    #[must_use]
    pub fn max_in_flight(&self) -> usize {
        self.services.config.max_in_flight
    }

    /// Whether [`Client::close`] has been called.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        *self.services.state.borrow() != ClientState::Open
    }

    /// Refuses new calls, waits up to `grace` for the calls in flight, and ends the rest.
    pub async fn close(&self, grace: Duration) {
        self.services.state.send_if_modified(|state| {
            let open = *state == ClientState::Open;
            if open {
                *state = ClientState::Closing;
            }
            open
        });
        self.in_flight.none(grace).await;
        self.cancel_all();
        // Cancelled calls end at once, except one whose future its caller no longer polls.
        self.in_flight.none(Duration::from_secs(1)).await;
        self.disconnect();
    }

    /// Refuses new calls and ends the calls in flight, without waiting for them.
    pub fn cancel_all(&self) {
        self.services.state.send_replace(ClientState::Cancelled);
    }

    /// Closes the idle connections of every client of this process, because no file descriptor is
    /// left. `false` means that there was none.
    #[must_use]
    pub fn close_idle_connections() -> bool {
        give_way()
    }

    /// Whether this client has opened a connection that calls share (HTTP/2), on any runtime.
    #[must_use]
    pub fn shares_connections(&self) -> bool {
        self.services.shares.load(Ordering::Relaxed)
    }

    /// Closes the shared connections whose server has left, and those that nobody has used for a
    /// while. Call it on their runtime after that has looked at its sockets. `false` means that
    /// none is left.
    #[must_use]
    pub fn tend_shared_connections(&self) -> bool {
        let pools = self.services.pools.iter().flat_map(Pools::all);
        pools.fold(false, |any, pool| pool.tend_shared() | any)
    }

    /// Closes idle connections. From now on none is kept.
    pub fn disconnect(&self) {
        self.services.pools.iter().for_each(Pools::close);
    }

    /// Takes a place among the calls in flight. A caller that starts the call later, for example on
    /// another thread, takes the place now: from here on [`Client::close`] waits for that call. The
    /// error kind is `cancelled` if the client is closed, and `rate_limit` if
    /// [`Client::max_in_flight`] calls are in flight.
    pub fn admit(&self) -> Result<Admission, Error> {
        Admission::take(&self.services, &self.in_flight)
    }

    /// What the memory of answers holds, if there is one.
    fn cache_size(&self) -> Option<CacheSize> {
        let (bytes, entries) = self.services.cache.as_ref()?.size();
        Some(CacheSize { bytes, entries })
    }

    /// The Redis that several processes share, for tests.
    #[cfg(feature = "redis")]
    #[doc(hidden)]
    #[must_use]
    pub fn redis(&self) -> Option<&crate::redis::Redis> {
        self.services.redis.as_ref()
    }

    /// The counters so far, as a JSON document.
    #[must_use]
    pub fn metrics_json(&self) -> Vec<u8> {
        let services = &self.services;
        let beside = Beside { cache: self.cache_size(), redis: services.redis_up() };
        services.metrics.json(self.in_flight(), &services.table, beside)
    }

    /// The counters so far, in Prometheus' text format.
    #[must_use]
    pub fn metrics_prometheus(&self) -> Vec<u8> {
        let services = &self.services;
        let beside = Beside { cache: self.cache_size(), redis: services.redis_up() };
        services.metrics.prometheus(self.in_flight(), &services.table, beside)
    }
}

impl LastOptions {
    /// The largest options that are kept, in bytes.
    const MOST: usize = 4_096;
    /// How many are kept.
    const KEPT: usize = 4;

    /// Reads options, unless they are the same bytes as in one of the last calls.
    fn read(&self, bytes: &[u8]) -> Result<Arc<Options>, Error> {
        // A call never waits for the lock, because parsing costs less.
        let mut last = self.0.try_lock().ok();
        if let Some(last) = &mut last
            && let Some(place) = last.iter().position(|known| *known.bytes == *bytes)
        {
            last[..=place].rotate_right(1);
            return Ok(Arc::clone(&last[0].options));
        }
        let options = if bytes.is_empty() { Options::default() } else { Options::parse(bytes)? };
        let options = Arc::new(options);
        if let Some(last) = &mut last
            && bytes.len() <= Self::MOST
        {
            last.truncate(Self::KEPT - 1);
            last.insert(0, Parsed { bytes: bytes.into(), options: Arc::clone(&options) });
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A call's future is moved where it is spawned or blocked on, so it may have a few kilobytes
    /// at most.
    #[test]
    fn futures_are_small() {
        let client = Client::new(Config::parse(b"{}").unwrap());
        let call = size_of_val(&client.call(b"", b""));
        let start = size_of_val(&client.start(client.admit().unwrap(), b"", b"", Wanted::WHOLE));
        assert!(call < 8 << 10 && start < 8 << 10, "{call} and {start} bytes");
    }

    /// The same bytes are parsed once, other bytes anew, and wrong ones leave what is kept.
    #[test]
    fn options_of_the_last_calls_are_not_parsed_again() {
        let last = LastOptions::default();
        let one = last.read(br#"{"timeout_ms": 1}"#).unwrap();
        assert!(Arc::ptr_eq(&one, &last.read(br#"{"timeout_ms": 1}"#).unwrap()));
        assert!(last.read(br#"{"timeout_ms": "x"}"#).is_err());
        assert!(Arc::ptr_eq(&one, &last.read(br#"{"timeout_ms": 1}"#).unwrap()));
        let other = last.read(br#"{"timeout_ms": 2}"#).unwrap();
        assert_eq!((one.timeout_ms, other.timeout_ms), (Some(1), Some(2)));
        assert_eq!(last.read(b"").unwrap().timeout_ms, None);
        assert!(Arc::ptr_eq(&one, &last.read(br#"{"timeout_ms": 1}"#).unwrap()));
    }

    /// Few are kept, and no large ones: what is kept is what was used last.
    #[test]
    fn kept_options_are_bounded() {
        let last = LastOptions::default();
        let read = |n: usize| last.read(format!("{{\"timeout_ms\": {n}}}").as_bytes()).unwrap();
        let first = read(1);
        for n in 2..1000 {
            read(n);
            assert!(Arc::ptr_eq(&first, &read(1)), "used before each of them");
        }
        let mut large = br#"{"timeout_ms": 5"#.to_vec();
        large.resize(LastOptions::MOST, b' ');
        large.push(b'}');
        assert!(!Arc::ptr_eq(&last.read(&large).unwrap(), &last.read(&large).unwrap()));
        assert_eq!(last.0.lock().unwrap().len(), LastOptions::KEPT);
        (1000..1004).for_each(|n| drop(read(n)));
        assert!(!Arc::ptr_eq(&first, &read(1)));
    }
}
