//! Credentials that end, such as temporary keys and tokens: one fetch for all calls.
//!
//! A fetch is a flight. It runs on the runtime, not in the call that began it, so that a cancelled
//! call ends it for nobody. Calls that come meanwhile take its outcome, also a failure: if each
//! fetched for itself, the last of many calls would wait for as many timeouts. A credential that
//! will end soon is used on while a flight fetches the next one.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::error::{Error, ErrorKind};

/// A credential is fetched again when it is valid for less than this.
const EARLY: Duration = Duration::from_secs(300);

/// The time between two flights while the credential is still valid. A source may fail, or may give
/// the same credential until shortly before its end.
const PAUSE: Duration = Duration::from_secs(5);

/// The longest flight. Its parts have timers of their own; a file on a lost server has none.
const LONGEST: Duration = Duration::from_secs(60);

/// The credential of type `T`, and the flight that fetches the next one.
pub(super) struct Flights<T>(Arc<Mutex<State<T>>>);

struct State<T> {
    known: Option<T>,
    /// The outcome of the flight that is under way, once it has one.
    under_way: Option<watch::Receiver<Outcome<T>>>,
    /// When the last flight ended.
    ended: Option<Instant>,
}

type Outcome<T> = Option<Result<T, Error>>;

impl<T: Clone + Send + Sync + 'static> Flights<T> {
    /// Nothing is known, and nothing fetched yet.
    pub(super) fn new() -> Self {
        Flights(Arc::new(Mutex::new(State { known: None, under_way: None, ended: None })))
    }

    /// The credential. `lasts` says whether one is valid for longer than a time. `fetch` makes a
    /// flight, which runs on `runtime`; the default is the call's. The error is that of the flight
    /// for which this call waited.
    pub(super) async fn get<F>(
        &self,
        runtime: Option<&Handle>,
        lasts: impl Fn(&T, Duration) -> bool,
        fetch: impl Fn() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        // A flight has no outcome if its runtime has ended. The next one is on this call's.
        for _ in 0..2 {
            let (valid, outcome, begun) = self.turn(&lasts);
            // The lock is free here: a runtime that has ended drops the flight at once.
            if let Some(flight) = begun {
                let runtime = runtime.cloned().unwrap_or_else(Handle::current);
                // Boxed: each type of task would be a runtime's code once more.
                let flight: Pin<Box<dyn Future<Output = ()> + Send>> =
                    Box::pin(flight.run(fetch()));
                runtime.spawn(flight);
            }
            if let Some(valid) = valid {
                return Ok(valid);
            }
            let Some(mut outcome) = outcome else { break };
            let said = outcome.wait_for(Option::is_some).await.ok().and_then(|said| said.clone());
            if let Some(said) = said {
                return said;
            }
        }
        Err(Error::new(ErrorKind::Internal, "the fetch of a credential was interrupted"))
    }

    /// The credential as far as it is known, whether it is still valid or not.
    #[cfg(feature = "aws")]
    pub(super) fn known(&self) -> Option<T> {
        lock(&self.0).known.clone()
    }

    /// Forgets the credential if it is this one, because the provider refused it.
    pub(super) fn forget(&self, is_refused: impl FnOnce(&T) -> bool) {
        let mut state = lock(&self.0);
        if state.known.as_ref().is_some_and(is_refused) {
            state.known = None;
        }
    }

    /// The credential if it is valid, else the flight for which to wait, and the flight to start.
    fn turn(&self, lasts: &impl Fn(&T, Duration) -> bool) -> Turn<T> {
        let mut state = lock(&self.0);
        let valid = state.known.as_ref().filter(|known| lasts(known, Duration::ZERO)).cloned();
        let fresh = valid.as_ref().is_some_and(|valid| lasts(valid, EARLY));
        let paused = valid.is_some() && state.ended.is_some_and(|ended| ended.elapsed() < PAUSE);
        if fresh || paused {
            return (valid, None, None);
        }
        if let Some(outcome) = &state.under_way {
            return (valid, Some(outcome.clone()), None);
        }
        let (said, outcome) = watch::channel(None);
        state.under_way = Some(outcome.clone());
        (valid, Some(outcome), Some(Flight { state: Arc::clone(&self.0), said, ended: false }))
    }
}

type Turn<T> = (Option<T>, Option<watch::Receiver<Outcome<T>>>, Option<Flight<T>>);

/// One fetch.
struct Flight<T> {
    state: Arc<Mutex<State<T>>>,
    said: watch::Sender<Outcome<T>>,
    ended: bool,
}

impl<T: Clone> Flight<T> {
    async fn run(mut self, fetch: impl Future<Output = Result<T, Error>>) {
        let outcome = tokio::time::timeout(LONGEST, fetch).await;
        let outcome = outcome.unwrap_or_else(|_| {
            let message =
                format!("the fetch of a credential took more than {} s", LONGEST.as_secs());
            Err(Error::new(ErrorKind::Authentication, message))
        });
        let mut state = lock(&self.state);
        state.under_way = None;
        state.ended = Some(Instant::now());
        // A failure leaves the one that is known: it may still be valid.
        if let Ok(known) = &outcome {
            state.known = Some(known.clone());
        }
        drop(state);
        self.ended = true;
        let _ = self.said.send(Some(outcome));
    }
}

impl<T> Drop for Flight<T> {
    fn drop(&mut self) {
        if !self.ended {
            lock(&self.state).under_way = None;
        }
    }
}

fn lock<T>(state: &Mutex<State<T>>) -> MutexGuard<'_, State<T>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    /// A source of numbers. A flight ends when it is let go.
    #[derive(Clone)]
    struct Source {
        flights: Arc<Flights<(u32, Instant)>>,
        asked: Arc<AtomicU32>,
        gate: Arc<Semaphore>,
        /// How long a credential is valid. None are given if it is 0.
        valid: Arc<AtomicU32>,
    }

    impl Source {
        fn new(valid: u32) -> Self {
            Source {
                flights: Arc::new(Flights::new()),
                asked: Arc::default(),
                gate: Arc::new(Semaphore::new(0)),
                valid: Arc::new(AtomicU32::new(valid)),
            }
        }

        async fn get(&self, runtime: Option<&Handle>) -> Result<u32, String> {
            let lasts = |known: &(u32, Instant), time: Duration| known.1 > Instant::now() + time;
            let fetch = || {
                let own = self.clone();
                async move {
                    let number = own.asked.fetch_add(1, Ordering::Relaxed);
                    own.gate.acquire().await.unwrap().forget();
                    match own.valid.load(Ordering::Relaxed) {
                        0 => Err(Error::new(ErrorKind::Authentication, format!("no {number}"))),
                        time => Ok((number, Instant::now() + Duration::from_secs(time.into()))),
                    }
                }
            };
            let got = self.flights.get(runtime, lasts, fetch).await;
            got.map(|(number, _)| number).map_err(|error| error.message.clone())
        }

        fn asked(&self) -> u32 {
            self.asked.load(Ordering::Relaxed)
        }
    }

    /// Lets every task run until it waits.
    async fn settled() {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn all_that_wait_take_the_outcome_of_one_flight_also_a_failure() {
        let source = Source::new(0);
        let calls: Vec<_> = (0..20)
            .map(|_| {
                let source = source.clone();
                tokio::spawn(async move { source.get(None).await })
            })
            .collect();
        settled().await;
        source.gate.add_permits(1);
        for call in calls {
            assert_eq!(call.await.unwrap(), Err("no 0".to_owned()));
        }
        assert_eq!(source.asked(), 1);
        // The next call asks again at once.
        source.valid.store(3_600, Ordering::Relaxed);
        source.gate.add_permits(1);
        assert_eq!(source.get(None).await, Ok(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_call_ends_the_flight_for_nobody() {
        let source = Source::new(3_600);
        let (first, second) = (source.clone(), source.clone());
        let first = tokio::spawn(async move { first.get(None).await });
        settled().await;
        let second = tokio::spawn(async move { second.get(None).await });
        settled().await;
        first.abort();
        settled().await;
        source.gate.add_permits(1);
        assert_eq!(second.await.unwrap(), Ok(0));
        assert_eq!(source.asked(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_still_valid_is_used_while_the_next_is_fetched() {
        let source = Source::new(360);
        source.gate.add_permits(1);
        assert_eq!(source.get(None).await, Ok(0));
        // 299 s are left. The flight has not ended, and nobody waits for it.
        tokio::time::advance(Duration::from_secs(61)).await;
        for _ in 0..3 {
            assert_eq!(source.get(None).await, Ok(0));
            settled().await;
        }
        assert_eq!(source.asked(), 2);
        // It fails: the next one comes after a pause.
        source.valid.store(0, Ordering::Relaxed);
        source.gate.add_permits(1);
        settled().await;
        assert_eq!(source.get(None).await, Ok(0));
        settled().await;
        assert_eq!(source.asked(), 2);
        tokio::time::advance(PAUSE).await;
        source.valid.store(3_600, Ordering::Relaxed);
        source.gate.add_permits(1);
        assert_eq!(source.get(None).await, Ok(0));
        settled().await;
        assert_eq!(source.get(None).await, Ok(2));
        assert_eq!(source.asked(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_refused_is_forgotten_and_no_other() {
        let source = Source::new(3_600);
        source.gate.add_permits(2);
        assert_eq!(source.get(None).await, Ok(0));
        source.flights.forget(|(number, _)| *number == 7);
        assert_eq!(source.get(None).await, Ok(0));
        source.flights.forget(|(number, _)| *number == 0);
        assert_eq!(source.get(None).await, Ok(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_flight_that_never_ends_is_given_up() {
        let source = Source::new(3_600);
        let error = source.get(None).await.unwrap_err();
        assert!(error.contains("60 s"), "{error}");
        source.gate.add_permits(1);
        assert_eq!(source.get(None).await, Ok(1));
    }

    #[test]
    fn a_flight_whose_runtime_has_ended_is_made_again() {
        let runtime =
            || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let source = Source::new(3_600);
        let first = runtime();
        let ended = first.handle().clone();
        let own = source.clone();
        first.block_on(async {
            let call = tokio::spawn(async move { own.get(None).await });
            settled().await;
            call.abort();
        });
        drop(first);
        source.gate.add_permits(1);
        assert_eq!(runtime().block_on(source.get(None)), Ok(1));
        source.flights.forget(|_| true);
        // One that was given and has ended is an error, not an endless wait.
        let error = runtime().block_on(source.get(Some(&ended))).unwrap_err();
        assert!(error.contains("interrupted"), "{error}");
    }
}
