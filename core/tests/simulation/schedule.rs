//! What happens in one run, all of it from one seed.

use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use super::fault::Fault;
use super::network::NEVER;

/// A run.
#[derive(Debug)]
pub(crate) struct Schedule {
    pub(crate) seed: u64,
    /// The client's configuration.
    pub(crate) config: Value,
    pub(crate) targets: Vec<Target>,
    pub(crate) calls: Vec<Plan>,
    /// How many bytes a pipe holds.
    pub(crate) pipe: usize,
    /// When the client is closed under its calls, and how long it waits for them.
    pub(crate) close: Option<(Duration, Duration)>,
    /// Further attempts: so many a hundred calls, and so many a second.
    pub(crate) budget: Option<(u64, u64)>,
}

/// A provider.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) health: Health,
    /// How many dials in a hundred fail.
    pub(crate) lost: u8,
    /// How long it keeps a connection at rest.
    pub(crate) keep_alive: Duration,
    /// Most requests a minute, and in flight, that the client is told to send it.
    pub(crate) per_minute: Option<usize>,
    pub(crate) in_flight: Option<usize>,
}

/// How a provider fares.
#[derive(Debug)]
pub(crate) enum Health {
    /// So many requests in a hundred fail.
    Mixed(u8),
    /// Every request fails in the same way.
    Dead(Fault),
    /// It fails in every second of these spans.
    Flapping(Duration),
}

/// What becomes of a dial.
#[derive(Debug)]
pub(crate) enum DialFault {
    None(Duration),
    Refused(Duration),
    Hangs,
}

/// A call.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) start: Duration,
    pub(crate) stream: bool,
    pub(crate) request: Value,
    /// The whole call's time.
    pub(crate) time: Duration,
    /// When its caller gives up.
    pub(crate) cancel: Option<Duration>,
    /// How long its caller takes over each part of a stream.
    pub(crate) pause: Duration,
    /// Where it may go.
    pub(crate) targets: Vec<usize>,
    /// Where it goes first, if that is well.
    pub(crate) first: Option<usize>,
    /// Most attempts at one target.
    pub(crate) attempts: usize,
    /// Nobody named that number, and there is one target: its outage is outlasted.
    pub(crate) outlasts: bool,
    /// Most attempts beside another one.
    pub(crate) hedges: usize,
    /// So many answers are wanted of all its targets at once.
    pub(crate) fanout: Option<usize>,
    /// A stream that breaks begins anew.
    pub(crate) restart: bool,
}

/// The secret of a target.
pub(crate) fn key(target: usize) -> String {
    format!("sk-canary-{target}-0123456789")
}

impl Schedule {
    pub(crate) fn new(seed: u64) -> Schedule {
        let mut rng = part(seed, "schedule", 0);
        let rng = &mut rng;
        let targets: Vec<Target> = (0..rng.usize(1..=4)).map(|_| Target::draw(rng)).collect();
        let mut config = json!({"providers": {}});
        let mut totals = Vec::new();
        for (number, target) in targets.iter().enumerate() {
            let timeouts = timeouts(rng);
            totals.push(timeouts["total_ms"].as_u64().unwrap_or(600_000));
            let mut limits = json!({});
            if let Some(most) = target.per_minute {
                limits["requests_per_minute"] = json!(most);
            }
            if let Some(most) = target.in_flight {
                limits["max_in_flight"] = json!(most);
            }
            config["providers"][format!("t{number}")] = json!({
                "kind": "compatible", "base_url": format!("http://t{number}.test/v1"),
                "api_key": key(number), "timeouts": timeouts, "limits": limits,
            });
        }
        let common = Common::draw(&mut config, targets.len(), rng);
        let span = [0, 1_000, 20_000, 90_000][rng.usize(0..4)];
        // A budget of a twentieth needs more calls than most schedules have.
        let calls = if one_in(rng, 12) { 60 } else { rng.usize(1..=20) };
        let calls = (0..calls).map(|call| Plan::draw(call, &totals, span, &common, rng)).collect();
        let pipe = [64, 1 << 10, 1 << 16][rng.usize(0..3)];
        let close = one_in(rng, 20).then(|| (millis(rng, 0, 40_000), millis(rng, 0, 5_000)));
        Schedule { seed, config, targets, calls, pipe, close, budget: common.budget }
    }

    /// Random numbers for one thing of a kind.
    pub(crate) fn rng(&self, kind: &str, number: usize) -> Rng {
        part(self.seed, kind, number)
    }

    /// What becomes of a request.
    pub(crate) fn fault(&self, target: usize, now: Duration, rng: &mut Rng) -> Fault {
        match &self.targets[target].health {
            Health::Mixed(percent) if rng.u8(0..100) < *percent => Fault::draw(rng),
            Health::Dead(fault) => fault.clone(),
            Health::Flapping(span) if is_down(now, *span) => Fault::unavailable(rng),
            _ => Fault::None,
        }
    }

    /// What becomes of a dial.
    pub(crate) fn dial(&self, target: usize, number: usize, now: Duration) -> DialFault {
        let mut rng = self.rng("dial", number);
        let after = if rng.bool() { Duration::ZERO } else { millis(&mut rng, 1, 120) };
        let down =
            matches!(self.targets[target].health, Health::Flapping(span) if is_down(now, span));
        if rng.u8(0..100) < self.targets[target].lost || down && rng.bool() {
            return if rng.u8(0..3) == 0 { DialFault::Hangs } else { DialFault::Refused(after) };
        }
        // What is late on its way may come together with what was sent a minute after it.
        let slow = rng.u8(0..40) == 0 && self.targets[target].per_minute.is_none();
        DialFault::None(if slow { millis(&mut rng, 500, 8_000) } else { after })
    }
}

fn is_down(now: Duration, span: Duration) -> bool {
    (now.as_millis() / span.as_millis()) % 2 == 1
}

impl Target {
    fn draw(rng: &mut Rng) -> Target {
        let health = match rng.u8(0..10) {
            0..2 => Health::Mixed(0),
            2..6 => Health::Mixed(rng.u8(10..60)),
            6 => Health::Mixed(100),
            7 => Health::Dead(Fault::draw(rng)),
            8 => Health::Dead(Fault::unavailable(rng)),
            _ => Health::Flapping(millis(rng, 2_000, 60_000)),
        };
        let lost = [0, 0, 0, 10, 50][rng.usize(0..5)];
        let keep_alive = if rng.bool() { NEVER } else { millis(rng, 1, 5_000) };
        let per_minute = one_in(rng, 8).then(|| rng.usize(3..40));
        let in_flight = one_in(rng, 8).then(|| rng.usize(1..4));
        Target { health, lost, keep_alive, per_minute, in_flight }
    }
}

/// The timers of a provider.
fn timeouts(rng: &mut Rng) -> Value {
    let mut timeouts = json!({});
    for (name, from, to) in [
        ("connect_ms", 500, 6_000),
        ("headers_ms", 400, 20_000),
        ("first_token_ms", 100, 20_000),
        ("idle_ms", 500, 20_000),
        ("total_ms", 5_000, 120_000),
    ] {
        if one_in(rng, 3) {
            // Short ones decide more.
            let to = if rng.bool() { from + (to - from) / 10 } else { to };
            timeouts[name] = json!(rng.u64(from..to));
        }
    }
    timeouts
}

/// What the client's configuration says of every call.
struct Common {
    attempts: usize,
    /// The configuration names that number.
    named: bool,
    hedge: Option<Value>,
    budget: Option<(u64, u64)>,
    /// The targets of the route `r`.
    route: Vec<usize>,
}

impl Common {
    /// Draws the client's settings, and writes them into its configuration.
    fn draw(config: &mut Value, targets: usize, rng: &mut Rng) -> Common {
        if one_in(rng, 10) {
            config["max_in_flight"] = json!(rng.u8(1..6));
        }
        let mut attempts = 3;
        let named = rng.bool();
        if named {
            let (retry, most) = retry(rng);
            config["retry"] = retry;
            attempts = most;
        }
        let budget = match rng.u8(0..4) {
            0 => {
                config["retry_budget"] = json!(false);
                None
            }
            1 => {
                let (percent, per_second) = (rng.u64(0..60), rng.u64(0..3));
                config["retry_budget"] = json!({"percent": percent, "per_second": per_second});
                Some((percent, per_second))
            }
            _ => Some((20, 10)),
        };
        let hedge = one_in(rng, 4).then(|| hedge(rng));
        if let Some(hedge) = &hedge {
            config["hedge"] = hedge.clone();
        }
        if rng.bool() {
            config["breaker"] = json!(rng.bool());
        }
        if one_in(rng, 6) {
            config["limit"] = json!({"wait": rng.bool()});
        }
        let mut route: Vec<usize> = (0..targets).collect();
        rng.shuffle(&mut route);
        route.truncate(rng.usize(1..=targets));
        let policy = ["priority", "weighted", "latency", "least_in_flight"][rng.usize(0..4)];
        let names: Vec<Value> = route
            .iter()
            .map(|target| match rng.bool() {
                true => json!(format!("t{target}/m")),
                false => json!({"target": format!("t{target}/m"), "weight": rng.u8(0..4)}),
            })
            .collect();
        config["routes"] = json!({"r": {"policy": policy, "targets": names}});
        Common { attempts, named, hedge, budget, route }
    }
}

/// `retry`, and the most attempts that it allows.
fn retry(rng: &mut Rng) -> (Value, usize) {
    if one_in(rng, 8) {
        return (json!(false), 1);
    }
    let attempts = rng.usize(1..6);
    let mut retry = json!({"max_attempts": attempts});
    for (name, to) in [("base_ms", 3_000), ("cap_ms", 10_000), ("max_wait_ms", 20_000)] {
        if one_in(rng, 3) {
            retry[name] = json!(rng.u64(0..to));
        }
    }
    (retry, attempts)
}

fn hedge(rng: &mut Rng) -> Value {
    match rng.u8(0..6) {
        0 => json!({"after_ms": "p95"}),
        _ => json!({"after_ms": rng.u64(1..2_000), "max": rng.u8(1..3)}),
    }
}

impl Plan {
    fn draw(call: usize, totals: &[u64], span: u64, common: &Common, rng: &mut Rng) -> Plan {
        let mut targets: Vec<usize> = (0..totals.len()).collect();
        rng.shuffle(&mut targets);
        let mut stream = rng.bool();
        let mut options = json!({});
        let mut model = format!("t{}/m", targets[0]);
        let mut time = totals[targets[0]];
        let mut is_timed = rng.bool();
        let mut fanout = None;
        match rng.u8(0..10) {
            0..3 => {
                model = "r".to_owned();
                targets = common.route.clone();
                is_timed = true;
            }
            3..6 => {
                targets.truncate(rng.usize(1..=targets.len()));
                let others = targets[1..].iter().map(|target| json!(format!("t{target}/m")));
                options["fallback"] = others.collect();
            }
            6 => {
                targets.truncate(rng.usize(1..=targets.len()));
                let all = targets.iter().map(|target| json!(format!("t{target}/m")));
                let all: Value = all.collect();
                // Of streams only the fastest one can be had.
                let first = if stream { 1 } else { rng.usize(1..=targets.len()) };
                options["fanout"] = json!({"targets": all, "first": first});
                fanout = Some(first);
                is_timed = true;
            }
            _ => targets.truncate(1),
        }
        if is_timed {
            time = if one_in(rng, 4) { rng.u64(1..1_000) } else { rng.u64(1_000..60_000) };
            options["timeout_ms"] = json!(time);
        }
        let (mut attempts, mut named) = (common.attempts, common.named);
        if one_in(rng, 3) {
            named = true;
            (options["retry"], attempts) = retry(rng);
        }
        let mut beside = common.hedge.clone();
        if one_in(rng, 6) {
            let own = if one_in(rng, 4) { json!(false) } else { hedge(rng) };
            options["hedge"] = own.clone();
            beside = Some(own).filter(|own| own.is_object());
        }
        if one_in(rng, 6) {
            options["limit"] = json!({"wait": rng.bool()});
        }
        if one_in(rng, 6) {
            options["idle_ms"] = json!(rng.u64(200..10_000));
        }
        if one_in(rng, 6) {
            options["merge_deltas"] = json!(true);
        }
        let restart = one_in(rng, 4);
        if restart {
            options["on_break"] = json!("restart");
            stream = true;
            if let Some(fanout) = &mut fanout {
                options["fanout"]["first"] = json!(1);
                *fanout = 1;
            }
        }
        // With further targets, a late first token starts the next one.
        let late = if stream { targets.len() - 1 } else { 0 };
        let hedges = beside.map_or(0, |beside| beside["max"].as_u64().unwrap_or(1) as usize);
        let messages = json!([{"role": "user", "content": format!("call {call} asks")}]);
        Plan {
            start: millis(rng, 0, span + 1),
            stream,
            first: (fanout.is_none() && model != "r").then(|| targets[0]),
            request: json!({"model": model, "messages": messages, "options": options}),
            time: Duration::from_millis(time),
            cancel: one_in(rng, 5).then(|| millis(rng, 0, 15_000)),
            pause: if one_in(rng, 5) { millis(rng, 1, 4_000) } else { Duration::ZERO },
            outlasts: !named && targets.len() == 1 && fanout.is_none(),
            targets,
            attempts,
            hedges: hedges + late,
            fanout,
            restart,
        }
    }
}

/// Random numbers for one thing of a kind, whatever else is drawn.
fn part(seed: u64, kind: &str, number: usize) -> Rng {
    let mut mixed = seed ^ 0x9e37_79b9_7f4a_7c15;
    for byte in kind.bytes().chain((number as u64).to_le_bytes()) {
        mixed = (mixed ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    Rng::with_seed(mixed)
}

fn one_in(rng: &mut Rng, n: u8) -> bool {
    rng.u8(0..n) == 0
}

fn millis(rng: &mut Rng, from: u64, to: u64) -> Duration {
    Duration::from_millis(rng.u64(from..to))
}
