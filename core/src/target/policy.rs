//! In which order the targets of a call are asked.

use crate::config::RoutePolicy;

/// What is known of a target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Score {
    /// Its share; 0 is a last resort.
    pub weight: f64,
    /// Its average latency; `None` where it was never asked.
    pub ewma_ms: Option<f64>,
    pub in_flight: u32,
    /// What it was asked last it failed, a moment ago: it is neither quick nor idle.
    pub failing: bool,
    /// [`hash`] of what names it: the same in every process.
    pub id_hash: u64,
}

/// The scores' places, the best first. `sticky` is what keeps a conversation on one target; only
/// [`RoutePolicy::Weighted`] knows it.
pub(crate) fn order(
    policy: RoutePolicy,
    scores: &[Score],
    sticky: Option<&str>,
    rng: &mut fastrand::Rng,
) -> Vec<usize> {
    let mut places: Vec<usize> = (0..scores.len()).collect();
    match policy {
        RoutePolicy::Priority => {}
        RoutePolicy::Weighted => {
            let key = sticky.map_or_else(|| rng.u64(..), hash);
            let scores: Vec<f64> = scores.iter().map(|score| rendezvous(score, key)).collect();
            places.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        }
        RoutePolicy::Latency => {
            let costs = costs(scores);
            // Shuffled and sorted stably: equals come in random order.
            rng.shuffle(&mut places);
            places.sort_by_key(|place| scores[*place].failing);
            // Everyone's choice of the one best would be a herd; of two at random it is not. Who was
            // never asked is asked first, but by one call.
            let two = places.len() > 2 && costs.iter().all(|cost| *cost > 0.0);
            let first = two.then(|| cheaper(&costs, places[0], places[1]));
            places.sort_by(|a, b| costs[*a].total_cmp(&costs[*b]));
            if let Some(at) = first.and_then(|first| places.iter().position(|p| *p == first)) {
                places[..=at].rotate_right(1);
            }
        }
        RoutePolicy::LeastInFlight => {
            rng.shuffle(&mut places);
            places.sort_by_key(|place| (scores[*place].failing, scores[*place].in_flight));
        }
    }
    places
}

/// FNV-1a with a finalizer: stable over processes, machines and releases, so that replicas send
/// the same key to the same target. Not for what an enemy chooses.
pub(crate) fn hash(text: &str) -> u64 {
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    mixed(text.bytes().fold(0xcbf2_9ce4_8422_2325, fold))
}

/// The finalizer of `SplitMix64`: every bit of the input moves every bit of the result.
fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Weighted rendezvous hashing: the score of the highest score wins. Each wins its share of the
/// keys, and when one goes, only its own keys move. Those of no weight come after all others.
fn rendezvous(score: &Score, key: u64) -> f64 {
    let unit = unit(mixed(score.id_hash ^ key));
    if score.weight > 0.0 && score.weight.is_finite() { score.weight / -unit.ln() } else { -unit }
}

/// In (0, 1), both ends excluded: 52 bits and a half are what an `f64` holds exactly.
fn unit(bits: u64) -> f64 {
    ((bits >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
}

/// What a call to each is expected to cost: the latency times the calls that share it. Who was never
/// asked costs nothing, once: with the first call under way it is taken to be as quick as the best,
/// or a burst would all go there.
fn costs(scores: &[Score]) -> Vec<f64> {
    let known = scores.iter().filter_map(|score| score.ewma_ms);
    let best = known.min_by(f64::total_cmp).unwrap_or(1.0);
    scores
        .iter()
        .map(|score| match score.ewma_ms {
            _ if score.failing => f64::INFINITY,
            None if score.in_flight == 0 => 0.0,
            // Never as little as nothing, which means untried.
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
