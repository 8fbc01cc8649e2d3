//! What must hold of every run, whatever happened in it.

use std::time::Duration;

use liter_llm_core::ErrorKind;
use liter_llm_core::error::Attempt;

use super::run::{Call, Ending, GRACE, Report};
use super::world::{Dial, Dialled, Exchange, Log, Stamp};

/// How late a call may end.
const LATE: Duration = Duration::from_millis(100);

/// What a call caused at a provider: a request that arrived, or a dial that led to none.
enum Event<'a> {
    Request(&'a Exchange),
    Dial(&'a Dial),
}

impl Event<'_> {
    fn target(&self) -> usize {
        match self {
            Event::Request(exchange) => exchange.target,
            Event::Dial(dial) => dial.target,
        }
    }
}

/// A call with all that is known of it.
struct Known<'a> {
    number: usize,
    call: &'a Call,
    report: &'a Report,
    log: &'a Log,
    /// In the order in which they began.
    events: Vec<(Stamp, Event<'a>)>,
    wrong: Vec<String>,
}

/// Everything that is wrong with a run; empty if nothing is.
pub(crate) fn check(report: &Report) -> Vec<String> {
    let log = report.world.log();
    let mut wrong = log.wrong.clone();
    for (number, call) in report.calls.iter().enumerate() {
        let events = events(number, &log);
        let known = Known { number, call, report, log: &log, events, wrong: Vec::new() };
        wrong.extend(known.check());
    }
    if report.in_flight != 0 || !report.metrics.contains("\"in_flight\":0") {
        wrong.push(format!("{} calls are in flight at the end", report.in_flight));
    }
    if report.metrics.contains("canary") {
        wrong.push(format!("a key is in the metrics: {}", report.metrics));
    }
    for (number, conn) in log.conns.iter().enumerate() {
        if conn.closed.is_none() {
            wrong.push(format!("connection {number} is open after the client is gone"));
        }
    }
    wrong
}

fn events(number: usize, log: &Log) -> Vec<(Stamp, Event<'_>)> {
    let mine = |dial: &&Dial| dial.call == Some(number);
    let mut events = Vec::new();
    for exchange in log.exchanges.iter().filter(|exchange| exchange.call == number) {
        // An attempt that opens a connection begins there.
        let opened = |dial: &&Dial| matches!(dial.end, Some((_, Dialled::Opened(conn))) if conn == exchange.conn);
        let first = log.exchanges.iter().find(|other| other.conn == exchange.conn);
        let is_first = first.is_some_and(|first| first.seen == exchange.seen);
        let dial = log.dials.iter().filter(mine).find(opened).filter(|_| is_first);
        let begun = dial.map_or(exchange.seen, |dial| dial.begun);
        events.push((begun, Event::Request(exchange)));
    }
    for dial in log.dials.iter().filter(mine) {
        let used = match dial.end {
            Some((_, Dialled::Opened(conn))) => log.conns[conn].requests > 0,
            _ => false,
        };
        if !used {
            events.push((dial.begun, Event::Dial(dial)));
        }
    }
    events.sort_by_key(|(begun, _)| begun.order);
    events
}

impl<'a> Known<'a> {
    fn fail(&mut self, what: impl std::fmt::Display) {
        self.wrong.push(format!("call {}: {what}", self.number));
    }

    fn check(mut self) -> Vec<String> {
        let Some((end, ending)) = &self.call.end else { return self.wrong };
        if self.call.late > LATE {
            self.fail(format!("it was told something {:?} after its deadline", self.call.late));
        }
        if self.call.documents.contains("canary") {
            self.fail(format!("a key is in its documents: {}", self.call.documents));
        }
        self.nothing_outlives(*end, matches!(ending, Ending::Cancelled));
        self.repetitions();
        self.content();
        match ending {
            Ending::Answer { text, provider, attempts } => {
                self.answer(*end, text, provider);
                self.attempts(*end, attempts);
                if attempts.iter().filter(|attempt| attempt.kind.is_none()).count() != 1 {
                    self.fail("not exactly one attempt of its answer succeeded");
                }
            }
            Ending::Failure(error) => {
                if error.kind() != ErrorKind::Cancelled {
                    self.attempts(*end, &error.attempts);
                }
                self.failure(*end, error);
            }
            Ending::Cancelled => {}
        }
        self.wrong
    }

    /// No request and no dial after the call's end, and no socket that still waits for it.
    fn nothing_outlives(&mut self, end: Stamp, cancelled: bool) {
        let limit = end.at + GRACE + LATE;
        let mut wrong = Vec::new();
        for dial in self.log.dials.iter().filter(|dial| dial.call == Some(self.number)) {
            if dial.begun.order > end.order {
                wrong.push("a dial came after its end".to_owned());
            }
            if dial.end.is_none_or(|(when, _)| when.at > limit) {
                wrong.push(format!("a dial to t{} went on after its end", dial.target));
            }
        }
        for exchange in self.log.exchanges.iter().filter(|exchange| exchange.call == self.number) {
            // One that was on its way arrives at the same instant.
            if exchange.seen.at > end.at {
                wrong.push("a request came after its end".to_owned());
            }
            // A stream whose end was read may be read a little further, for its connection's sake.
            let over = match cancelled {
                true => exchange.over.is_some_and(|over| over.order < end.order),
                false => exchange.over.is_some_and(|over| over.at <= limit),
            };
            let closed = self.log.conns[exchange.conn].closed;
            if !over && closed.is_none_or(|closed| closed.at > limit) {
                wrong.push(format!("connection {} outlived it", exchange.conn));
            }
        }
        wrong.into_iter().for_each(|what| self.fail(what));
    }

    /// What is asked again: not too early, and only what may be.
    fn repetitions(&mut self) {
        let mut wrong = Vec::new();
        let requests: Vec<&Exchange> = self
            .events
            .iter()
            .filter_map(|(_, event)| match event {
                Event::Request(exchange) => Some(*exchange),
                Event::Dial(_) => None,
            })
            .collect();
        for (i, failed) in requests.iter().enumerate() {
            let Some(over) = failed.over else { continue };
            let later = requests.iter().filter(|later| later.seen.order > over.order);
            for later in later {
                let what = format!("its {} at t{}", failed.fault.name(), failed.target);
                if later.target == failed.target {
                    if failed.fault.is_final() {
                        wrong.push(format!("{what} was followed by another request"));
                    }
                    let hint = failed.fault.hint();
                    if hint.is_some_and(|hint| hint.again == Some(false)) {
                        wrong.push(format!("{what} was not to be repeated"));
                    }
                    let wait = hint.and_then(|hint| hint.wait).unwrap_or_default();
                    if later.seen.at < over.at + wait {
                        let early = over.at + wait - later.seen.at;
                        wrong.push(format!("{what} was repeated {early:?} too early"));
                    }
                } else if failed.fault.is_callers() && i == 0 {
                    wrong.push(format!("{what} was followed by a request elsewhere"));
                }
            }
        }
        wrong.into_iter().for_each(|what| self.fail(what));
    }

    /// What was shown of a stream is the beginning of one answer, and nothing is asked after it.
    fn content(&mut self) {
        let Some(content) = self.call.content else { return };
        if self.events.iter().any(|(begun, _)| begun.order > content.order) {
            self.fail("something was asked after its first content");
        }
        let mut mine = self.log.exchanges.iter().filter(|exchange| exchange.call == self.number);
        if !mine.any(|exchange| exchange.text.starts_with(&self.call.text)) {
            self.fail(format!("its chunks are of no answer: {:?}", self.call.text));
        }
    }

    /// An answer is one that was sent, completely.
    fn answer(&mut self, end: Stamp, text: &str, provider: &str) {
        let found = self.log.exchanges.iter().find(|exchange| {
            exchange.call == self.number
                && exchange.text == text
                && provider == format!("t{}", exchange.target)
        });
        match found {
            None => self.fail(format!("nobody sent its answer: {text:?}")),
            Some(sent) if sent.whole.is_none_or(|whole| whole.order > end.order) => {
                let (name, bytes, all) = (sent.fault.name(), sent.sent, sent.complete);
                self.fail(format!("its answer ({name}) is not complete: {bytes} bytes of {all}"));
            }
            Some(_) => {}
        }
        if self.report.schedule.calls[self.number].stream && self.call.text != text {
            self.fail(format!("its chunks are {:?}, its answer {text:?}", self.call.text));
        }
    }

    /// An error says what became of its attempts.
    fn failure(&mut self, end: Stamp, error: &liter_llm_core::Error) {
        let kind = error.kind();
        if error.attempts.iter().any(|attempt| attempt.kind.is_none()) {
            self.fail("it failed though an attempt succeeded");
        }
        if error.attempts.is_empty() {
            let refused =
                matches!(kind, ErrorKind::RateLimit | ErrorKind::Cancelled | ErrorKind::Timeout);
            if !refused {
                self.fail(format!("it failed without an attempt: {error}"));
            }
        } else if !error.attempts.iter().any(|attempt| attempt.kind == Some(kind)) {
            self.fail(format!("its error is that of no attempt: {error}"));
        }
        let shown = error.partial.as_ref().map_or("", |partial| partial.text.as_str());
        // Whoever closes the client under a call is told no more than that.
        if kind != ErrorKind::Cancelled
            && self.report.schedule.calls[self.number].stream
            && shown != self.call.text
        {
            self.fail(format!("its chunks are {:?}, its partial text {shown:?}", self.call.text));
        }
        if kind == ErrorKind::Cancelled
            && self.report.closed.is_none_or(|closed| closed.at > end.at)
        {
            self.fail("it says that the client is closed, which it is not");
        }
        let theirs = |exchange: &&Exchange| {
            exchange.call == self.number
                && error.provider.as_deref() == Some(&format!("t{}", exchange.target))
        };
        if let Some(last) = self.log.exchanges.iter().rfind(theirs)
            && let Some(hint) = last.fault.hint()
            && error.status == last.fault.tells(last.stream).0
        {
            let (told, said) = (error.retry_after_ms, hint.wait.map(|wait| wait.as_millis()));
            if told.map(u128::from) != said {
                self.fail(format!("it says to retry after {told:?} ms, the provider {said:?}"));
            }
        }
    }

    /// The attempts in a document are those that the providers saw.
    fn attempts(&mut self, end: Stamp, attempts: &[Attempt]) {
        let seen: Vec<String> = self
            .events
            .iter()
            .map(|(_, event)| match event {
                Event::Request(exchange) => format!("t{}/m", exchange.target),
                Event::Dial(dial) => format!("t{}/m", dial.target),
            })
            .collect();
        let told: Vec<&str> = attempts.iter().map(|attempt| attempt.target.as_str()).collect();
        if seen != told {
            return self.fail(format!("its attempts are {told:?}, the providers saw {seen:?}"));
        }
        let mut wrong = Vec::new();
        for (attempt, (_, event)) in attempts.iter().zip(&self.events) {
            let (status, kinds) = match event {
                Event::Request(exchange) => exchange.fault.tells(exchange.stream),
                Event::Dial(_) => (None, &[ErrorKind::Connection][..]),
            };
            let right = match attempt.kind {
                None => matches!(event, Event::Request(_)) && attempt.status == Some(200),
                Some(ErrorKind::Timeout) => self.ran_out(end, attempt, event.target()),
                Some(ErrorKind::Cancelled) => self.report.closed.is_some(),
                Some(kind) => {
                    let given = if status.is_some() {
                        attempt.status == status
                    } else {
                        matches!(attempt.status, None | Some(200))
                    };
                    given && kinds.contains(&kind)
                }
            };
            if !right {
                let what = match event {
                    Event::Request(exchange) => exchange.fault.name(),
                    Event::Dial(_) => "a dial that failed",
                };
                wrong.push(format!("{what} was told as {attempt:?}"));
            }
        }
        wrong.into_iter().for_each(|what| self.fail(what));
    }

    /// Whether some timer of the call may have run out.
    fn ran_out(&self, end: Stamp, attempt: &Attempt, target: usize) -> bool {
        let plan = &self.report.schedule.calls[self.number];
        let timers = &self.report.schedule.config["providers"][format!("t{target}")]["timeouts"];
        let timer = |name: &str, default: u64| timers[name].as_u64().unwrap_or(default);
        let own = plan.request["options"]["idle_ms"].as_u64();
        let idle = own.unwrap_or_else(|| timer("idle_ms", 60_000));
        let total = u64::try_from(plan.time.as_millis()).unwrap_or(u64::MAX);
        let whole = timer("headers_ms", total).min(timer("first_token_ms", total)).min(total);
        let took = (end.at - self.call.begun.at).as_millis();
        attempt.ms >= timer("connect_ms", 5_000).min(idle) || took >= u128::from(whole)
    }
}
