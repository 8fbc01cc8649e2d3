//! What must hold of every run, whatever happened in it.

use std::time::Duration;

use liter_llm_core::ErrorKind;
use liter_llm_core::error::Attempt;

use super::fault::Fault;
use super::run::{Answer, Call, Ending, GRACE, Report};
use super::schedule::Plan;
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

    /// Whether it says that the target is out of service, and cost nothing.
    fn is_outage(&self) -> bool {
        match self {
            Event::Request(exchange) => {
                matches!(exchange.fault, Fault::Failing(status, _) if status > 500)
            }
            Event::Dial(_) => true,
        }
    }
}

/// A call with all that is known of it.
struct Known<'a> {
    number: usize,
    call: &'a Call,
    plan: &'a Plan,
    report: &'a Report,
    log: &'a Log,
    /// In the order in which they began.
    events: Vec<(Stamp, Event<'a>)>,
    wrong: Vec<String>,
}

/// Everything that is wrong with the calls of a run, each looked at for itself.
pub(crate) fn check(report: &Report, log: &Log) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, call) in report.calls.iter().enumerate() {
        let plan = &report.schedule.calls[number];
        let events = events(number, log);
        let known = Known { number, call, plan, report, log, events, wrong: Vec::new() };
        wrong.extend(known.check());
    }
    wrong
}

fn events(number: usize, log: &Log) -> Vec<(Stamp, Event<'_>)> {
    let requests = log.attempts().filter(|exchange| exchange.call == number);
    let requests = requests.map(|exchange| (log.begun(exchange), Event::Request(exchange)));
    let dials = log.unused().filter(|dial| dial.call == Some(number));
    let dials = dials.map(|dial| (dial.begun, Event::Dial(dial)));
    let mut events: Vec<_> = requests.chain(dials).collect();
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
        self.resends(*end);
        self.repetitions();
        self.content();
        self.bounds();
        match ending {
            Ending::Answer(answer) => self.answer(*end, answer),
            Ending::Many(answers, failures) => {
                for answer in answers {
                    self.answer(*end, answer);
                }
                for error in failures {
                    self.failure(*end, error, true);
                }
                if Some(answers.len()) > self.plan.fanout || answers.is_empty() {
                    self.fail(format!("it has {} answers", answers.len()));
                }
                if answers.len() + failures.len() != self.plan.targets.len() {
                    self.fail("a target is missing in its answers and failures");
                }
            }
            Ending::Failure(error) => self.failure(*end, error, false),
            Ending::Cancelled => {}
        }
        self.wrong
    }

    /// No more attempts than were allowed.
    fn bounds(&mut self) {
        let Plan { targets, attempts, hedges, fanout, outlasts, .. } = self.plan;
        let beside = hedges * (1 + self.call.restarts);
        // An outage that is outlasted has no bound but time and the budget.
        let counts = |(_, event): &&(Stamp, Event<'a>)| !outlasts || !event.is_outage();
        let counted = self.events.iter().filter(counts).count();
        for target in targets {
            let at = |event: &&(Stamp, Event<'a>)| event.1.target() == *target;
            let made = self.events.iter().filter(at).filter(counts).count();
            // A restart is one more attempt, and bounded like them.
            if made > attempts + beside + self.call.restarts {
                self.fail(format!(
                    "{made} attempts at t{target}, of {attempts} and {beside} beside"
                ));
            }
        }
        let most = match fanout {
            Some(_) => (attempts + hedges) * targets.len(),
            None => attempts + targets.len() - 1 + beside,
        };
        if counted > most + self.call.restarts {
            self.fail(format!("{counted} attempts, of {most}"));
        }
        // As often as a failed attempt may be repeated, and once at each further target.
        let anew = attempts + targets.len() - 1;
        if self.call.restarts > 0 && (!self.plan.restart || self.call.restarts > anew) {
            self.fail(format!("it began anew {} times", self.call.restarts));
        }
        if self.events.iter().any(|(_, event)| !targets.contains(&event.target())) {
            self.fail("it went where nobody sent it");
        }
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

    /// What a reused connection took with it is sent once more, unless nobody waits for it.
    fn resends(&mut self, end: Stamp) {
        let mine = self.log.exchanges.iter().filter(|exchange| exchange.call == self.number);
        let lost = |one: &&Exchange| {
            let over = one.over.map_or(end.at, |over| over.at);
            let left = self.log.conns[one.conn].closed.is_some_and(|closed| closed.at < over);
            one.stale && !left && over < end.at && !self.log.was_resent(one)
        };
        let lost = mine.filter(lost).count();
        if lost > 0 {
            self.fail(format!("{lost} requests were lost with reused connections"));
        }
    }

    /// What is asked again: not too early, and only what may be.
    fn repetitions(&mut self) {
        let mut wrong = Vec::new();
        let requests = |(begun, event): &(Stamp, Event<'a>)| match event {
            Event::Request(exchange) => Some((*begun, *exchange)),
            Event::Dial(_) => None,
        };
        let requests: Vec<_> = self.events.iter().filter_map(requests).collect();
        let first = self.events.first().map(|(begun, _)| *begun);
        for (begun, failed) in &requests {
            let Some(over) = failed.over else { continue };
            // Nobody heard it whose timer ran out before, or in the same instant.
            if self.log.conns[failed.conn].closed.is_some_and(|closed| closed.at <= over.at) {
                continue;
            }
            let what = format!("its {} at t{}", failed.fault.name(), failed.target);
            let stops = failed.fault.is_callers()
                && first == Some(*begun)
                && self.plan.first == Some(failed.target)
                && self.all_were_well(*begun);
            // Those that had begun before it failed are no repetition.
            for (_, later) in requests.iter().filter(|(begun, _)| begun.order > over.order) {
                if later.target == failed.target {
                    if failed.fault.is_final() || failed.fault.forbids() {
                        wrong.push(format!("{what} was not to be repeated"));
                    }
                    let wait = failed.fault.hint().and_then(|hint| hint.wait).unwrap_or_default();
                    if later.seen.at < over.at + wait {
                        let early = over.at + wait - later.seen.at;
                        wrong.push(format!("{what} was repeated {early:?} too early"));
                    }
                } else if stops {
                    wrong.push(format!("{what} was followed by a request elsewhere"));
                }
            }
        }
        wrong.into_iter().for_each(|what| self.fail(what));
    }

    /// Whether nothing spoke against any of the call's targets until then.
    fn all_were_well(&self, then: Stamp) -> bool {
        let free = |target: &usize| {
            let settings = &self.report.schedule.targets[*target];
            settings.per_minute.is_none() && settings.in_flight.is_none()
        };
        let mut failed = self.log.exchanges.iter().filter(|exchange| {
            exchange.seen.order < then.order && !matches!(exchange.fault, Fault::None)
        });
        let mut lost = self.log.dials.iter().filter(|dial| {
            let opened = matches!(dial.end, Some((_, Dialled::Opened(_))));
            dial.begun.order < then.order && !opened
        });
        self.plan.targets.iter().all(free)
            && !failed.any(|exchange| self.plan.targets.contains(&exchange.target))
            && !lost.any(|dial| self.plan.targets.contains(&dial.target))
    }

    /// What was shown of a stream is the beginning of one answer, and nothing is asked after it.
    fn content(&mut self) {
        let Some(content) = self.call.content else { return };
        // A request that was on its way may arrive at the same instant.
        let after = |(begun, event): &(Stamp, Event<'_>)| match event {
            Event::Request(exchange) if exchange.seen == *begun => begun.at > content.at,
            _ => begun.order > content.order,
        };
        if self.events.iter().any(after) {
            self.fail("something was asked after its first content");
        }
        let mut mine = self.log.exchanges.iter().filter(|exchange| exchange.call == self.number);
        if !mine.any(|exchange| exchange.text.starts_with(&self.call.text)) {
            self.fail(format!("its chunks are of no answer: {:?}", self.call.text));
        }
    }

    /// An answer is one that was sent, completely.
    fn answer(&mut self, end: Stamp, answer: &Answer) {
        let Answer { text, provider, attempts } = answer;
        let found = self.log.exchanges.iter().find(|exchange| {
            exchange.call == self.number
                && exchange.text == *text
                && *provider == format!("t{}", exchange.target)
        });
        match found {
            None => self.fail(format!("nobody sent its answer: {text:?}")),
            Some(sent) if sent.whole.is_none_or(|whole| whole.order > end.order) => {
                let (name, bytes, all) = (sent.fault.name(), sent.sent, sent.complete);
                self.fail(format!("its answer ({name}) is not complete: {bytes} bytes of {all}"));
            }
            Some(sent) => {
                if self.plan.fanout.is_none() {
                    self.attempts(end, attempts, None);
                } else {
                    // Of a stream all targets are told of, of whole answers each tells of its own.
                    for target in &self.plan.targets {
                        let name = format!("t{target}/m");
                        let own = attempts.iter().filter(|attempt| attempt.target == name);
                        let own: Vec<Attempt> = own.cloned().collect();
                        if self.plan.stream || *target == sent.target {
                            self.attempts(end, &own, Some(*target));
                        }
                    }
                }
            }
        }
        if self.plan.stream && self.call.text != *text {
            self.fail(format!("its chunks are {:?}, its answer {text:?}", self.call.text));
        }
        if attempts.iter().filter(|attempt| attempt.kind.is_none()).count() != 1 {
            self.fail("not exactly one attempt of its answer succeeded");
        }
    }

    /// An error says what became of its attempts. `one`: those of one target of a fan-out.
    fn failure(&mut self, end: Stamp, error: &liter_llm_core::Error, one: bool) {
        let kind = error.kind();
        let closed = self.report.closed.is_some_and(|closed| closed.at <= end.at);
        // Of a fan-out, an answer that was not waited for.
        let lost = self.plan.fanout.is_some() && kind == ErrorKind::Cancelled;
        if closed && kind == ErrorKind::Cancelled {
            return;
        }
        if kind == ErrorKind::Cancelled && !lost {
            self.fail(format!("it says that it was cancelled, which it was not: {error}"));
        }
        let target = error.provider.as_deref().and_then(|name| name[1..].parse().ok());
        if one {
            self.attempts(end, &error.attempts, target);
        } else if self.plan.fanout.is_none() {
            self.attempts(end, &error.attempts, None);
        } else {
            for target in &self.plan.targets {
                let name = format!("t{target}/m");
                let own = error.attempts.iter().filter(|attempt| attempt.target == name);
                let own: Vec<Attempt> = own.cloned().collect();
                self.attempts(end, &own, Some(*target));
            }
        }
        if error.attempts.iter().any(|attempt| attempt.kind.is_none()) {
            self.fail("it failed though an attempt succeeded");
        }
        // A limit, or the client's own.
        let refused = kind == ErrorKind::RateLimit && error.status.is_none();
        let late = self.call.restarts > 0 && kind == ErrorKind::Timeout;
        if !lost && !refused && !late && !error.attempts.iter().any(|one| one.kind == Some(kind)) {
            self.fail(format!("its error is that of no attempt: {error}"));
        }
        let shown = error.partial.as_ref().map_or("", |partial| partial.text.as_str());
        if self.plan.stream && shown != self.call.text {
            self.fail(format!("its chunks are {:?}, its partial text {shown:?}", self.call.text));
        }
        let theirs =
            |exchange: &&Exchange| exchange.call == self.number && target == Some(exchange.target);
        if self.plan.hedges == 0
            && let Some(last) = self.log.exchanges.iter().rfind(theirs)
            && let Some(hint) = last.fault.hint()
            && error.status == last.fault.tells(last.stream).0
        {
            let (told, said) = (error.retry_after_ms, hint.wait.map(|wait| wait.as_millis()));
            if told.map(u128::from) != said {
                self.fail(format!("it says to retry after {told:?} ms, the provider {said:?}"));
            }
        }
    }

    /// The attempts in a document are those that the providers saw; or one of them.
    fn attempts(&mut self, end: Stamp, attempts: &[Attempt], target: Option<usize>) {
        let wanted = |event: &Event<'_>| target.is_none_or(|target| event.target() == target);
        let events = self.events.iter().map(|(_, event)| event).filter(|event| wanted(event));
        let seen: Vec<String> =
            events.clone().map(|event| format!("t{}/m", event.target())).collect();
        // What a provider need not have seen: one that was overtaken in the instant in which it began,
        // and one that went out on a connection which the server was just closing.
        let unseen = |one: &Attempt| match one.kind {
            Some(ErrorKind::Cancelled) => one.status.is_none(),
            Some(ErrorKind::Connection) => one.status.is_none() && one.may_be_billed,
            _ => false,
        };
        let sent = |one: &&Attempt| attempts.len() == seen.len() || !unseen(one);
        let attempts: Vec<&Attempt> = attempts.iter().filter(sent).collect();
        let told: Vec<&str> = attempts.iter().map(|attempt| attempt.target.as_str()).collect();
        let mut wrong = Vec::new();
        if seen != told {
            wrong.push(format!("its attempts are {told:?}, the providers saw {seen:?}"));
        }
        for (attempt, event) in attempts.iter().zip(events) {
            let (status, kinds) = match event {
                Event::Request(exchange) => exchange.fault.tells(exchange.stream),
                Event::Dial(_) => (None, &[ErrorKind::Connection][..]),
            };
            let right = match attempt.kind {
                None => matches!(event, Event::Request(_)) && attempt.status == Some(200),
                Some(ErrorKind::Timeout) => self.ran_out(end, attempt, event.target()),
                // One of several at once, which another was faster than.
                Some(ErrorKind::Cancelled) => {
                    self.report.closed.is_some()
                        || self.plan.fanout.is_some()
                        || self.plan.hedges > 0
                }
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
        let timers = &self.report.schedule.config["providers"][format!("t{target}")]["timeouts"];
        let timer = |name: &str, default: u64| timers[name].as_u64().unwrap_or(default);
        let own = self.plan.request["options"]["idle_ms"].as_u64();
        let idle = own.unwrap_or_else(|| timer("idle_ms", 60_000));
        let total = u64::try_from(self.plan.time.as_millis()).unwrap_or(u64::MAX);
        let whole = timer("headers_ms", total).min(timer("first_token_ms", total)).min(total);
        let took = (end.at - self.call.begun.at).as_millis();
        attempt.ms >= timer("connect_ms", 5_000).min(idle) || took >= u128::from(whole)
    }
}
