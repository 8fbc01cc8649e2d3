//! A provider of one quota that counts what reaches it, and a client that must not meet a 429.

use super::*;

/// How the provider counts a minute.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Minutes of its clock. The reset is the start of the next one.
    Fixed,
    /// Any minute. The reset comes when the oldest call is a minute old.
    Sliding,
    /// A bucket that refills. The reset comes when it is full.
    Bucket,
}

struct Provider {
    kind: Kind,
    quota: u64,
    begun: Instant,
    /// When calls were admitted.
    passed: VecDeque<Instant>,
    refused: u64,
    level: f64,
    seen: Instant,
}

const MINUTE: Duration = Duration::from_secs(60);

impl Provider {
    fn new(kind: Kind, quota: u64) -> Self {
        let now = Instant::now();
        let (passed, level) = (VecDeque::new(), quota as f64);
        Self { kind, quota, begun: now, passed, refused: 0, level, seen: now }
    }

    /// Receives a call. Returns its status, its headers, and the time until the reset.
    fn ask(&mut self) -> (u16, HeaderMap, Duration) {
        let now = Instant::now();
        let since = now - self.begun;
        let window = since.as_secs() / 60;
        let (begun, kind) = (self.begun, self.kind);
        self.passed.retain(|at| match kind {
            Kind::Fixed => (*at - begun).as_secs() / 60 == window,
            Kind::Sliding | Kind::Bucket => *at + MINUTE > now,
        });
        let rate = self.quota as f64 / 60.0;
        let refilled = self.level + (now - self.seen).as_secs_f64() * rate;
        self.level = refilled.min(self.quota as f64);
        self.seen = now;
        let full = match self.kind {
            Kind::Fixed | Kind::Sliding => self.passed.len() as u64 >= self.quota,
            Kind::Bucket => self.level < 1.0,
        };
        let status = if full { 429 } else { 200 };
        if full {
            self.refused += 1;
        } else {
            self.passed.push_back(now);
            self.level -= 1.0;
        }
        let (left, reset) = match self.kind {
            Kind::Fixed => {
                (self.quota - self.passed.len() as u64, MINUTE * (window as u32 + 1) - since)
            }
            Kind::Sliding => (self.quota - self.passed.len() as u64, self.passed[0] + MINUTE - now),
            Kind::Bucket => {
                let missing = (self.quota as f64 - self.level) / rate;
                (self.level as u64, Duration::from_secs_f64(missing))
            }
        };
        let answer = headers(&[
            ("x-ratelimit-limit-requests", &self.quota.to_string()),
            ("x-ratelimit-remaining-requests", &left.to_string()),
            ("x-ratelimit-reset-requests", &format!("{}ms", reset.as_millis() + 1)),
        ]);
        (status, answer, reset)
    }
}

struct Load {
    seed: u64,
    /// The time between two calls.
    every: Duration,
    minutes: u32,
    /// The longest travel time of a call, and of its answer.
    way: Duration,
    told: Told,
}

/// The part of an answer that the client uses.
#[derive(Clone, Copy, PartialEq)]
enum Told {
    Nothing,
    /// The quotas in its headers.
    Quotas,
    /// The wait that a 429 asks for, and nothing else.
    Pauses,
}

/// Offers calls. Returns how many were admitted, refused, and not sent.
async fn offer(gate: &Gate, provider: Provider, load: Load) -> (u64, u64, u64) {
    let provider = Arc::new(Mutex::new(provider));
    let mut rng = fastrand::Rng::with_seed(load.seed);
    let mut calls = JoinSet::new();
    let end = Instant::now() + MINUTE * load.minutes;
    while Instant::now() < end {
        let way = load.way.as_millis() as u64;
        let [there, back] = [0; 2].map(|_| Duration::from_millis(rng.u64(1..=way)));
        let (gate, provider, told) = (gate.clone(), Arc::clone(&provider), load.told);
        calls.spawn(async move {
            let deadline = Instant::now() + MINUTE * 2;
            let Ok(mut permit) = gate.acquire(1, true, deadline).await else { return None };
            sleep(there).await;
            let (status, answer, reset) = provider.lock().unwrap().ask();
            sleep(back).await;
            let now = Instant::now();
            match told {
                Told::Nothing => {}
                Told::Quotas => permit.learn(&answer, now),
                Told::Pauses => {
                    permit.learn(&HeaderMap::new(), now);
                    if status == 429 {
                        gate.cool(now + reset);
                    }
                }
            }
            Some(status)
        });
        sleep(load.every).await;
    }
    let ended = calls.join_all().await;
    let count = |status| ended.iter().filter(|ended| **ended == status).count() as u64;
    assert_eq!(waiting(gate), (0, 0));
    (count(Some(200)), count(Some(429)), count(None))
}

fn seeds() -> u64 {
    if std::env::var_os("LITER_LLM_LONG").is_some() { 100 } else { 4 }
}

/// A load of 300 calls a minute, of which 100 are allowed.
fn threefold(seed: u64, told: Told) -> Load {
    let (every, way) = (Duration::from_millis(200), Duration::from_millis(250));
    Load { seed, every, minutes: 5, way, told }
}

#[tokio::test(start_paused = true)]
async fn a_configured_quota_is_never_overrun() {
    for kind in [Kind::Fixed, Kind::Sliding, Kind::Bucket] {
        for seed in 0..seeds() {
            let gate = requests(100);
            let provider = Provider::new(kind, 100);
            let (done, refused, unsent) =
                offer(&gate, provider, threefold(seed, Told::Nothing)).await;
            assert_eq!(refused, 0, "{kind:?} {seed}");
            assert!(done >= 540, "{kind:?} {seed}: {done} done, {unsent} not sent");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_learned_quota_is_never_overrun() {
    for kind in [Kind::Fixed, Kind::Sliding, Kind::Bucket] {
        for seed in 0..seeds() {
            let gate = Gate::new(Limits::default());
            let provider = Provider::new(kind, 100);
            let (done, refused, unsent) =
                offer(&gate, provider, threefold(seed, Told::Quotas)).await;
            assert_eq!(refused, 0, "{kind:?} {seed}");
            assert!(done >= 560, "{kind:?} {seed}: {done} done, {unsent} not sent");
        }
    }
}

/// A client that hears only of pauses has to find out how much the provider takes after each.
#[tokio::test(start_paused = true)]
async fn a_pause_does_not_end_in_a_storm() {
    for kind in [Kind::Fixed, Kind::Sliding, Kind::Bucket] {
        for seed in 0..seeds() {
            let gate = Gate::new(Limits::default());
            let provider = Provider::new(kind, 100);
            let (done, refused, unsent) =
                offer(&gate, provider, threefold(seed, Told::Pauses)).await;
            let told =
                format!("{kind:?} {seed}: {done} done, {refused} refused, {unsent} not sent");
            assert!(done >= 560 && refused <= done / 3, "{told}");
        }
    }
}

/// Answers that take long report quotas late, and the calls go on at the quota's own pace.
#[tokio::test(start_paused = true)]
async fn late_answers_do_not_stop_the_calls() {
    for kind in [Kind::Fixed, Kind::Sliding, Kind::Bucket] {
        for seed in 0..seeds() {
            let gate = Gate::new(Limits::default());
            let provider = Provider::new(kind, 100);
            let (every, way) = (Duration::from_millis(500), SECOND * 20);
            let load = Load { seed, every, minutes: 5, way, told: Told::Quotas };
            let (done, refused, unsent) = offer(&gate, provider, load).await;
            let told =
                format!("{kind:?} {seed}: {done} done, {refused} refused, {unsent} not sent");
            assert!(done >= 400 && unsent <= 60, "{told}");
        }
    }
}
