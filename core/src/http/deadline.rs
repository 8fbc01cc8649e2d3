//! The timers of one call and of each of its attempts.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::settings::Timeouts;
use crate::error::{Error, ErrorKind};

/// The timers of one call, as points in time.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    /// When the call began.
    pub start: Instant,
    /// When its time ends.
    pub total: Instant,
    /// When the attempt began.
    begun: Instant,
    /// When the headers are due, and the name of that limit.
    headers: Option<(Instant, &'static str)>,
    first_token: Option<Instant>,
    idle: Duration,
    /// The limit was set. The default does not apply before the first content, because a
    /// model that reasons may be silent for minutes.
    idle_from_start: bool,
    /// The call set the limit, and it is shorter than that of its target.
    own_idle: bool,
}

/// The longest silence between two parts of an answer, unless another limit is set.
const IDLE: Duration = Duration::from_secs(60);

/// A time too far off to matter, but not too far for the clock.
const FOREVER: Duration = Duration::from_secs(60 * 60 * 24 * 30);

impl Deadline {
    /// The point in time that is `time` after `start`.
    #[must_use]
    pub fn after(start: Instant, time: Duration) -> Instant {
        start + time.min(FOREVER)
    }

    /// The timers of an attempt that begins at `begun`, in a call that began at `start` and has
    /// until `total`. Only a `stream` has a first token.
    #[must_use]
    pub fn new(
        timeouts: &Timeouts,
        stream: bool,
        start: Instant,
        begun: Instant,
        total: Instant,
        idle_ms: Option<u64>,
    ) -> Self {
        let at = |time| Self::after(begun, time);
        let own = idle_ms.map(Duration::from_millis);
        let asked = own.or(timeouts.idle);
        Deadline {
            start,
            total,
            begun,
            headers: timeouts.headers.map(|after| (at(after), HEADERS)),
            first_token: timeouts.first_token.filter(|_| stream).map(at),
            idle: asked.unwrap_or(IDLE).min(FOREVER),
            idle_from_start: asked.is_some(),
            own_idle: own.is_some_and(|own| own < timeouts.idle.unwrap_or(IDLE)),
        }
    }

    /// The timers of a passed-through request that is sent at `begun`, in a call that began at
    /// `start` and has until `total`. Nobody here knows which bytes of its answer are content, so
    /// silence counts only if a limit is set. A limit that the call sets counts before the headers
    /// too, as in HTTP clients.
    #[must_use]
    pub fn verbatim(
        timeouts: &Timeouts,
        start: Instant,
        begun: Instant,
        total: Instant,
        idle_ms: Option<u64>,
    ) -> Self {
        let mut deadline = Self::new(timeouts, true, start, begun, total, idle_ms);
        if !deadline.idle_from_start {
            deadline.idle = FOREVER;
        }
        if idle_ms.is_some() {
            let silent = deadline.begun + deadline.idle;
            if deadline.headers.is_none_or(|(at, _)| silent < at) {
                deadline.headers = Some((silent, "response headers (idle_ms)"));
            }
        }
        deadline
    }

    /// The same timers without the one for the first content.
    pub(super) fn without_first_token(&self) -> Self {
        Deadline { first_token: None, ..*self }
    }

    /// Waits for `work` until the headers are due.
    pub async fn headers<T>(&self, work: impl Future<Output = T>) -> Result<T, Error> {
        let mut due = (self.total, self.start, TOTAL);
        if let Some((at, what)) = self.headers
            && at < due.0
        {
            due = (at, self.begun, what);
        }
        if let Some(at) = self.first_token
            && at < due.0
        {
            due = (at, self.begun, FIRST_TOKEN);
        }
        until(|| due.0, work).await.ok_or_else(|| late(due.0 - due.1, due.2))
    }

    /// Whether there is time left, for a body whose next part has already arrived. `content` means
    /// that the first content has arrived.
    pub fn check(&self, content: bool) -> Result<(), Error> {
        let now = Instant::now();
        match self.first_token.filter(|first| !content && *first < self.total) {
            Some(first) if first <= now => Err(late(first - self.begun, FIRST_TOKEN)),
            None if self.total <= now => Err(late(self.total - self.start, TOTAL)),
            _ => Ok(()),
        }
    }

    /// Waits for a part of a body. `content` means that the first content has arrived.
    pub async fn part<T>(&self, content: bool, work: impl Future<Output = T>) -> Result<T, Error> {
        let (mut limit, mut what, mut own) = (self.total - self.start, TOTAL, false);
        let due = || {
            let mut at = self.total;
            if content || self.idle_from_start {
                let silent = Instant::now() + self.idle;
                if silent < at {
                    at = silent;
                    (limit, what) = (self.idle, "the next part of the answer (idle_ms)");
                    own = self.own_idle;
                }
            }
            if let (false, Some(first)) = (content, self.first_token)
                && first < at
            {
                at = first;
                (limit, what, own) = (first - self.begun, FIRST_TOKEN, false);
            }
            at
        };
        let outcome = until(due, work).await;
        outcome.ok_or_else(|| late(limit, what).with(|e| e.own_timer = own))
    }
}

/// The error names the limit, not the measured time, because the limit is what the caller can
/// change.
fn late(limit: Duration, what: &str) -> Error {
    let ms = limit.as_millis();
    // Seconds where milliseconds are meant look like this.
    let unit = if ms < 1000 { "; limits are in milliseconds" } else { "" };
    Error::new(ErrorKind::Timeout, format!("gave up after {ms} ms waiting for {what}{unit}"))
}

/// Waits for `work` until it is `due`. `None` means that it was not done by then. Work that is done
/// at once needs neither a timer nor a look at the clock.
pub(crate) async fn until<T>(
    due: impl FnOnce() -> Instant,
    work: impl Future<Output = T>,
) -> Option<T> {
    let (mut due, mut work, mut timer) = (Some(due), pin!(work), pin!(None));
    poll_fn(|cx| {
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(Some(done));
        }
        if let Some(due) = due.take() {
            // The work may have used up the task's turn. That must not keep the timer from ending.
            timer.set(Some(tokio::task::unconstrained(sleep_until(due()))));
        }
        let over = timer.as_mut().as_pin_mut().map_or(Poll::Pending, |timer| timer.poll(cx));
        over.map(|()| None)
    })
    .await
}

const HEADERS: &str = "response headers (timeouts.headers_ms)";
const FIRST_TOKEN: &str = "the first token (timeouts.first_token_ms)";
const TOTAL: &str = "the answer (the call's whole time: options.timeout_ms or timeouts.total_ms)";
