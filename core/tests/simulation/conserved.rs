//! What must hold of a run as a whole: nothing is left, and no bound on all calls together is passed.

use std::time::Duration;

use serde_json::Value;

use super::run::{Call, Ending, Report};
use super::schedule::Plan;
use super::world::{Exchange, Log, Stamp};

/// Everything that is wrong with a run as a whole.
pub(crate) fn check(report: &Report, log: &Log) -> Vec<String> {
    let mut wrong = log.wrong.clone();
    wrong.extend(left_over(report, log));
    wrong.extend(budgets(report, log));
    for target in 0..report.schedule.targets.len() {
        wrong.extend(limits(report, log, target));
        wrong.extend(counted(report, log, target));
        wrong.extend(cooling(report, log, target));
    }
    wrong
}

/// Calls, permits and sockets.
fn left_over(report: &Report, log: &Log) -> Vec<String> {
    let mut wrong = Vec::new();
    let metrics: Value = serde_json::from_str(&report.metrics).expect("a document");
    let mut at_work = Vec::new();
    in_flight(&metrics, &mut at_work);
    if report.in_flight != 0 || at_work.iter().any(|count| *count != 0) {
        wrong.push(format!("something is in flight at the end: {}", report.metrics));
    }
    if report.metrics.contains("canary") || report.prometheus.contains("canary") {
        wrong.push(format!("a key is in the metrics: {} {}", report.metrics, report.prometheus));
    }
    for (number, conn) in log.conns.iter().enumerate() {
        if conn.closed.is_none() {
            wrong.push(format!("connection {number} is open after the client is gone"));
        }
    }
    wrong
}

/// The client counts the attempts that its providers saw.
fn counted(report: &Report, log: &Log, target: usize) -> Option<String> {
    let metrics: Value = serde_json::from_str(&report.metrics).expect("a document");
    let name = format!("t{target}/m");
    let all = metrics["targets"].as_array().into_iter().flatten();
    let own = all.clone().find(|entry| entry["target"] == name.as_str());
    let told = own.and_then(|entry| entry["attempts"].as_u64()).unwrap_or(0);
    let requests = log.attempts().filter(|exchange| exchange.target == target).count();
    let unused = log.unused().filter(|dial| dial.target == target);
    let seen = (requests + unused.count()) as u64;
    // One of several at once may be overtaken, and one be given up, in the instant in which it began.
    // And when a client is closed, those that waited for a place get it and are cancelled.
    let closed = report.closed.is_some();
    let several = |(call, plan): &(&Call, &Plan)| {
        let given_up = matches!(call.end, Some((_, Ending::Cancelled)));
        closed || given_up || plan.fanout.is_some() || plan.hedges > 0
    };
    let unsent = report.calls.iter().zip(&report.schedule.calls).filter(several).count() as u64;
    (told < seen || told > seen + unsent)
        .then(|| format!("{told} attempts at {name} were counted, of {seen}"))
}

/// Every count of that name.
fn in_flight(value: &Value, counts: &mut Vec<u64>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                counts.extend(value.as_u64().filter(|_| name == "in_flight"));
                in_flight(value, counts);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| in_flight(item, counts)),
        _ => {}
    }
}

/// Attempts after the first of a call, and beside another.
fn budgets(report: &Report, log: &Log) -> Vec<String> {
    let mut wrong = Vec::new();
    let (mut offered, mut further, mut hedged) = (0, 0, 0);
    for (number, call) in report.calls.iter().enumerate() {
        let plan = &report.schedule.calls[number];
        let firsts = if plan.fanout.is_some() { plan.targets.len() } else { 1 };
        offered += firsts;
        let requests = log.attempts().filter(|exchange| exchange.call == number).count();
        further += requests.saturating_sub(firsts);
        let fixed = |hedge: &Value| hedge["after_ms"].is_u64();
        let own = &plan.request["options"]["hedge"];
        // What a late first token starts is not for speed.
        let providers = report.schedule.config["providers"].as_object().into_iter().flatten();
        let timed = |(_, own): (_, &Value)| own["timeouts"]["first_token_ms"].is_u64();
        let may_be_late = plan.stream && plan.targets.len() > 1 && providers.into_iter().any(timed);
        if may_be_late {
            continue;
        }
        if fixed(own) || own.is_null() && fixed(&report.schedule.config["hedge"]) {
            let attempts = match &call.end {
                Some((_, Ending::Answer(answer))) => &answer.attempts,
                Some((_, Ending::Failure(error))) => &error.attempts,
                _ => continue,
            };
            hedged += attempts.iter().filter(|attempt| attempt.hedge).count();
        }
    }
    if let Some((percent, per_second)) = report.schedule.budget {
        let seconds = report.calls.iter().filter_map(|call| Some(call.end.as_ref()?.0.at)).max();
        let seconds = seconds.unwrap_or_default().as_secs() + 2;
        // Each provider has a budget of its own.
        let floor = per_second * seconds * report.schedule.targets.len() as u64;
        let most = percent * offered as u64 / 100 + floor;
        if further as u64 > most {
            wrong.push(format!("{further} further requests to {offered} calls, of {most}"));
        }
    }
    if hedged * 20 > offered {
        wrong.push(format!("{hedged} hedges to {offered} calls"));
    }
    wrong
}

/// When a request is no longer in flight, as far as its provider can know.
fn over(report: &Report, log: &Log, exchange: &Exchange) -> usize {
    let ends = [
        exchange.over,
        log.conns[exchange.conn].closed,
        report.calls[exchange.call].end.as_ref().map(|(end, _)| *end),
    ];
    ends.into_iter().flatten().map(|end| end.order).min().unwrap_or(usize::MAX)
}

/// What the client was told to keep to.
fn limits(report: &Report, log: &Log, target: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    let settings = &report.schedule.targets[target];
    let requests: Vec<_> = log.attempts().filter(|exchange| exchange.target == target).collect();
    for (i, request) in requests.iter().enumerate() {
        let before = &requests[..=i];
        if let Some(most) = settings.in_flight {
            let open = |other: &&&Exchange| over(report, log, other) > request.seen.order;
            let open = before.iter().filter(open).count();
            if open > most {
                wrong.push(format!("{open} requests in flight at t{target}, of {most}"));
            }
        }
        if let Some(most) = settings.per_minute {
            // They are counted where they are sent, and take some time to arrive.
            let minute = Duration::from_millis(59_800);
            let since = request.seen.at.saturating_sub(minute);
            let sent = before.iter().filter(|other| other.seen.at > since || since.is_zero());
            let sent = sent.count();
            if sent > most {
                wrong.push(format!("{sent} requests in a minute at t{target}, of {most}"));
            }
        }
    }
    wrong
}

/// A target that asked to be left alone is, by every call.
fn cooling(report: &Report, log: &Log, target: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    let requests: Vec<_> =
        log.exchanges.iter().filter(|exchange| exchange.target == target).collect();
    for failed in &requests {
        let wait = failed.fault.hint().and_then(|hint| hint.wait).unwrap_or_default();
        let Some(said) = failed.over else { continue };
        let gone = |stamp: Option<Stamp>| stamp.is_some_and(|stamp| stamp.order < said.order);
        let ended = report.calls[failed.call].end.as_ref().map(|(end, _)| *end);
        // Nobody heard it, another may have been faster; or nobody is made to wait so long.
        let plan = &report.schedule.calls[failed.call];
        if plan.fanout.is_some() || plan.hedges > 0 {
            continue;
        }
        if gone(log.conns[failed.conn].closed) || gone(ended) || wait > Duration::from_secs(55) {
            continue;
        }
        for later in &requests {
            // One that was on its way before it was said may still come.
            let begun = log.begun(later);
            if begun.at > said.at && later.seen.at < said.at + wait {
                let early = said.at + wait - later.seen.at;
                wrong.push(format!(
                    "a request of call {} came to t{target} {early:?} before call {} was told that it \
                     may",
                    later.call, failed.call
                ));
            }
        }
    }
    wrong
}
