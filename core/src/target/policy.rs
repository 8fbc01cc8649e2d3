//! A policy gives the order in which a call asks its targets.

use std::cmp::Ordering;

use crate::config::RoutePolicy;

/// What is known of a target, for the order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Score {
    /// The target's share. 0 makes it a last resort.
    pub weight: f64,
    /// The average latency in milliseconds. `None` if the target was never asked.
    pub ewma_ms: Option<f64>,
    pub in_flight: u32,
    /// The last request failed a moment ago, so the target is neither quick nor idle.
    pub failing: bool,
    /// The [`hash`] of the target's name, the same in every process.
    pub id_hash: u64,
}

/// The indices of the scores, best first. `sticky` keeps a conversation on one target; only
/// [`RoutePolicy::Weighted`] uses it.
pub(crate) fn order(
    policy: RoutePolicy,
    scores: &[Score],
    sticky: Option<&str>,
    rng: &mut fastrand::Rng,
) -> Vec<usize> {
    let mut places: Vec<usize> = (0..scores.len()).collect();
    match policy {
        // By cost they are in order already.
        RoutePolicy::Priority | RoutePolicy::Cost => {}
        RoutePolicy::Weighted => {
            let key = sticky.map_or_else(|| rng.u64(..), hash);
            let scores: Vec<f64> = scores.iter().map(|score| rendezvous(score, key)).collect();
            arrange(&mut places, &|a, b| scores[b].total_cmp(&scores[a]));
        }
        RoutePolicy::Latency => {
            let costs = costs(scores);
            // A shuffle before a stable sort puts equals in random order.
            rng.shuffle(&mut places);
            arrange(&mut places, &|a, b| scores[a].failing.cmp(&scores[b].failing));
            // The better of two random targets is taken, because if every call took the best, all
            // would crowd there. A target that was never asked comes first, but for one call only.
            let two = places.len() > 2 && costs.iter().all(|cost| *cost > 0.0);
            let first = two.then(|| cheaper(&costs, places[0], places[1]));
            arrange(&mut places, &|a, b| costs[a].total_cmp(&costs[b]));
            if let Some(at) = first.and_then(|first| places.iter().position(|p| *p == first)) {
                places[..=at].rotate_right(1);
            }
        }
        RoutePolicy::LeastInFlight => {
            rng.shuffle(&mut places);
            let of = |place: usize| (scores[place].failing, scores[place].in_flight);
            arrange(&mut places, &|a, b| of(a).cmp(&of(b)));
        }
    }
    places
}

/// A stable sort. The order is behind a pointer, as each one would be the whole sort's code once more.
fn arrange(places: &mut [usize], order: &dyn Fn(usize, usize) -> Ordering) {
    places.sort_by(|a, b| order(*a, *b));
}

/// FNV-1a with a finalizer. It is stable over processes, machines and releases, so that replicas
/// send the same key to the same target. It is not safe against keys that an attacker chooses.
pub(crate) fn hash(text: &str) -> u64 {
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    mixed(text.bytes().fold(0xcbf2_9ce4_8422_2325, fold))
}

/// The finalizer of `SplitMix64`, in which every input bit changes every output bit.
fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Weighted rendezvous hashing: the target with the highest result wins. Each target wins its share
/// of the keys. When a target goes, only its own keys move. Targets without weight come after all
/// others.
fn rendezvous(score: &Score, key: u64) -> f64 {
    let unit = unit(mixed(score.id_hash ^ key));
    if score.weight > 0.0 && score.weight.is_finite() { score.weight / -unit.ln() } else { -unit }
}

/// A number in (0, 1), without both ends. An `f64` holds 52 bits and a half exactly.
fn unit(bits: u64) -> f64 {
    ((bits >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
}

/// The expected cost of a call to each target: its latency times the calls that share it. A target
/// that was never asked costs nothing for one call. With that call in flight it counts as quick as
/// the best, or a burst would all go there.
fn costs(scores: &[Score]) -> Vec<f64> {
    let known = scores.iter().filter_map(|score| score.ewma_ms);
    let best = known.min_by(f64::total_cmp).unwrap_or(1.0);
    scores
        .iter()
        .map(|score| match score.ewma_ms {
            _ if score.failing => f64::INFINITY,
            None if score.in_flight == 0 => 0.0,
            // The cost is never zero, because zero means untried.
            ewma => ewma.unwrap_or(best).max(1e-3) * (f64::from(score.in_flight) + 1.0),
        })
        .collect()
}

fn cheaper(costs: &[f64], a: usize, b: usize) -> usize {
    if costs[b] < costs[a] { b } else { a }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
