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
}

/// A provider.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) health: Health,
    /// How many dials in a hundred fail.
    pub(crate) lost: u8,
    /// How long it keeps a connection at rest.
    pub(crate) keep_alive: Duration,
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
        for target in 0..targets.len() {
            let timeouts = timeouts(rng);
            totals.push(timeouts["total_ms"].as_u64().map_or(600_000, |ms| ms));
            config["providers"][format!("t{target}")] = json!({
                "kind": "compatible", "base_url": format!("http://t{target}.test/v1"),
                "api_key": key(target), "timeouts": timeouts,
            });
        }
        if one_in(rng, 10) {
            config["max_in_flight"] = json!(rng.u8(1..6));
        }
        let span = [0, 1_000, 20_000, 90_000][rng.usize(0..4)];
        let calls =
            (0..rng.usize(1..=20)).map(|call| Plan::draw(call, &totals, span, rng)).collect();
        let pipe = [64, 1 << 10, 1 << 16][rng.usize(0..3)];
        let close = one_in(rng, 20).then(|| (millis(rng, 0, 40_000), millis(rng, 0, 5_000)));
        Schedule { seed, config, targets, calls, pipe, close }
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
        let slow = rng.u8(0..40) == 0;
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
        Target { health, lost, keep_alive }
    }
}

/// The timers of a provider.
fn timeouts(rng: &mut Rng) -> Value {
    let mut timeouts = json!({});
    for (name, from, to) in [
        ("connect_ms", 500, 6_000),
        ("headers_ms", 1_000, 20_000),
        ("first_token_ms", 1_000, 20_000),
        ("idle_ms", 500, 20_000),
        ("total_ms", 5_000, 120_000),
    ] {
        if one_in(rng, 3) {
            timeouts[name] = json!(rng.u64(from..to));
        }
    }
    timeouts
}

impl Plan {
    fn draw(call: usize, totals: &[u64], span: u64, rng: &mut Rng) -> Plan {
        let target = rng.usize(0..totals.len());
        let stream = rng.bool();
        let mut options = json!({});
        let mut time = totals[target];
        if rng.bool() {
            time = if one_in(rng, 4) { rng.u64(1..1_000) } else { rng.u64(1_000..60_000) };
            options["timeout_ms"] = json!(time);
        }
        if one_in(rng, 6) {
            options["idle_ms"] = json!(rng.u64(200..10_000));
        }
        if one_in(rng, 6) {
            options["merge_deltas"] = json!(true);
        }
        let messages = json!([{"role": "user", "content": format!("call {call} asks")}]);
        let request = json!({
            "model": format!("t{target}/m"), "messages": messages, "options": options,
        });
        Plan {
            start: millis(rng, 0, span + 1),
            stream,
            request,
            time: Duration::from_millis(time),
            cancel: one_in(rng, 5).then(|| millis(rng, 0, 15_000)),
            pause: if one_in(rng, 5) { millis(rng, 1, 4_000) } else { Duration::ZERO },
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
