//! The rules of one attempt as one question to Redis, and what is settled afterwards. Each is one step
//! on the server, by the server's clock.

use std::sync::LazyLock;
use std::time::Duration;

use crate::redis::{Fault, Redis, Script};

static TAKE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("take.lua")));
static SETTLE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("settle.lua")));
static ALIVE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("alive.lua")));

/// How long a place in flight holds without a renewal.
pub const LEASE: Duration = Duration::from_secs(30);

/// How long tokens count: a minute, and a second for what the network does.
const HORIZON: Duration = Duration::from_secs(61);

/// One rule. All keys of a question have one tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// No pause of a provider lasts.
    Pause {
        /// The end of the pause.
        key: String,
    },
    /// A request after the others, by the generic cell rate algorithm.
    Requests {
        /// When all requests would have passed at an even rate.
        key: String,
        /// The time between two requests.
        interval: Duration,
        /// How much of the future may be used now.
        tolerance: Duration,
    },
    /// Tokens of the last minute. More than the quota counts as the quota.
    Tokens {
        /// The tokens by second.
        key: String,
        /// The most tokens in a minute.
        quota: u64,
        /// The tokens of the attempt.
        tokens: u64,
    },
    /// A place in flight, which is given back or ends after [`LEASE`].
    InFlight {
        /// The places and their ends.
        key: String,
        /// The number of places.
        most: u32,
    },
    /// An amount of a budget, held until it is settled. After its life it counts as spent.
    Budget {
        /// What is spent and held.
        key: String,
        /// The holds and their ends.
        holds: String,
        /// The most that may be spent and held.
        limit: u64,
        /// The amount that is held.
        amount: u64,
        /// The life of the hold.
        life: Duration,
    },
}

/// The answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All rules hold, and all was taken in this second of the server's clock.
    Granted(i64),
    /// Nothing was taken. It is the rule with this index that blocks longest.
    Blocked(usize, Until),
}

/// When a rule lets pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// After this time at the earliest.
    After(Duration),
    /// When a place is given back.
    Free,
    /// Not before something of the budget is given back, or it starts anew.
    Spent,
}

/// What is settled of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Its place in flight is free.
    Release {
        /// As in [`Rule::InFlight`].
        key: String,
        /// The attempt's id.
        id: String,
    },
    /// Its place holds for another [`LEASE`].
    Renew {
        /// As in [`Rule::InFlight`].
        key: String,
        /// The attempt's id.
        id: String,
    },
    /// Its provider asked for a pause.
    Pause {
        /// As in [`Rule::Pause`].
        key: String,
        /// From now on.
        time: Duration,
    },
    /// Its tokens are known.
    Tokens {
        /// As in [`Rule::Tokens`].
        key: String,
        /// The second in which they were counted.
        second: i64,
        /// What was counted.
        counted: u64,
        /// What they are.
        actual: u64,
    },
    /// What it spent is known.
    Budget {
        /// As in [`Rule::Budget`].
        key: String,
        /// As in [`Rule::Budget`].
        holds: String,
        /// The attempt's id.
        id: String,
        /// What was held.
        held: u64,
        /// What was spent.
        actual: u64,
    },
}

/// Takes all rules, or none. The id is that of the attempt.
pub async fn take(redis: &Redis, id: &str, rules: &[Rule]) -> Result<Verdict, Fault> {
    let mut keys = Vec::with_capacity(rules.len() + 1);
    let mut words = vec![id.to_owned(), rules.len().to_string()];
    let mut rule = |kind: &str, x: u64, y: u64, z: u64| {
        words.extend([kind.to_owned(), x.to_string(), y.to_string(), z.to_string()]);
    };
    for one in rules {
        match one {
            Rule::Pause { key } => {
                rule("p", 0, 0, 0);
                keys.push(key);
            }
            Rule::Requests { key, interval, tolerance } => {
                // Rounded up, so that no minute sees more than the quota.
                let interval = interval.as_nanos().div_ceil(1_000);
                rule("r", u64::try_from(interval).unwrap_or(u64::MAX), micros(*tolerance), 0);
                keys.push(key);
            }
            Rule::Tokens { key, quota, tokens } => {
                rule("t", *quota, (*tokens).min(*quota), micros(HORIZON));
                keys.push(key);
            }
            Rule::InFlight { key, most } => {
                rule("c", u64::from(*most), micros(LEASE), 0);
                keys.push(key);
            }
            Rule::Budget { key, holds, limit, amount, life } => {
                rule("b", *limit, *amount, micros(*life));
                keys.extend([key, holds]);
            }
        }
    }
    let answer = redis.numbers(&TAKE, &keys, &words, redis.timeout()).await?;
    match answer[..] {
        [1, second, _] => Ok(Verdict::Granted(second)),
        [0, wait, rule] => {
            let index = usize::try_from(rule - 1).ok().filter(|index| *index < rules.len());
            let until = match wait {
                -1 => Until::Free,
                -2 => Until::Spent,
                us => Until::After(Duration::from_micros(us.max(0).unsigned_abs())),
            };
            Ok(Verdict::Blocked(index.ok_or(Fault::Foreign)?, until))
        }
        _ => Err(Fault::Foreign),
    }
}

/// Settles what attempts have taken. `patience` is the longest wait, as no call waits for it.
pub async fn settle(redis: &Redis, items: &[Settled], patience: Duration) -> Result<(), Fault> {
    let mut keys = Vec::with_capacity(items.len() + 1);
    let mut words = vec![items.len().to_string()];
    let mut item = |kind: &str, id: &str, [x, y, z]: [String; 3]| {
        words.extend([kind.to_owned(), id.to_owned(), x, y, z]);
    };
    let none = || "0".to_owned();
    for one in items {
        match one {
            Settled::Release { key, id } => {
                item("c", id, [none(), none(), none()]);
                keys.push(key);
            }
            Settled::Renew { key, id } => {
                item("l", id, [none(), micros(LEASE).to_string(), none()]);
                keys.push(key);
            }
            Settled::Pause { key, time } => {
                item("p", "", [none(), micros(*time).to_string(), none()]);
                keys.push(key);
            }
            Settled::Tokens { key, second, counted, actual } => {
                item("t", "", [second.to_string(), counted.to_string(), actual.to_string()]);
                keys.push(key);
            }
            Settled::Budget { key, holds, id, held, actual } => {
                item("b", id, [held.to_string(), held.to_string(), actual.to_string()]);
                keys.extend([key, holds]);
            }
        }
    }
    redis.numbers(&SETTLE, &keys, &words, patience).await.map(drop)
}

/// Says that a process is alive, for `life`. Returns the number of living ones, and whether this one
/// was missing.
pub(super) async fn alive(
    redis: &Redis,
    key: &str,
    process: &str,
    life: Duration,
    patience: Duration,
) -> Result<(u32, bool), Fault> {
    let words = [process.to_owned(), micros(life).to_string()];
    match redis.numbers(&ALIVE, &[key], &words, patience).await?[..] {
        [number, missing] => Ok((u32::try_from(number).unwrap_or(1).max(1), missing == 1)),
        _ => Err(Fault::Foreign),
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
