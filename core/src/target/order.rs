//! The order of a route's targets: by its policy, among those that are good enough.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::Instant;

use super::policy;
use super::state::{ChosenTarget, TargetState};
use super::table::Table;
use crate::config::{Config, FloorRule, RoutePolicy, RouteTarget};
use crate::error::{Error, ErrorKind};
use crate::model::{Options, Routed, Traits, Usd, Warning};
use crate::price::{Moment, likely};

/// The quality of a target that has none.
const UNRATED: u8 = 1;

/// The targets of a route that are good enough for a request, and why. `listed` are its own.
pub(super) fn good_enough(
    route: &str,
    rules: &[FloorRule],
    options: &Options,
    traits: &Traits,
    listed: &mut Vec<RouteTarget>,
) -> Result<Option<Routed>, Error> {
    let tags = options.tags.as_deref().unwrap_or_default();
    let rule = match options.min_quality {
        // The call has said it itself.
        Some(_) => None,
        None => rules.iter().position(|rule| rule.holds(traits, tags)),
    };
    let floor = options.min_quality.or(rule.map(|rule| rules[rule].min_quality));
    let Some(min_quality) = floor else { return Ok(None) };
    listed.retain(|target| target.quality.unwrap_or(UNRATED) >= min_quality);
    if listed.is_empty() {
        let message = format!(
            "no target of the route {route} has a quality of {min_quality} or more: see \
             options.min_quality"
        );
        return Err(Error::new(ErrorKind::Unsupported, message)
            .with(|e| e.param = Some("options.min_quality".to_owned())));
    }
    let rule = rule.and_then(|rule| u64::try_from(rule).ok());
    Ok(Some(Routed { rule, min_quality: Some(min_quality), ..Routed::default() }))
}

/// The targets in the order of a policy that looks at what is known of them.
pub(super) fn ordered(
    policy: RoutePolicy,
    targets: Vec<ChosenTarget>,
    sticky: Option<&str>,
    table: &Table,
) -> Vec<ChosenTarget> {
    let now = Instant::now();
    let mut listed: HashMap<*const TargetState, usize> = HashMap::new();
    let known: Vec<_> = targets
        .iter()
        .map(|target| {
            // A route may list a model again, with other parameters.
            let times = listed.entry(Arc::as_ptr(&target.state)).or_default();
            let again = if *times == 0 { String::new() } else { format!("#{times}") };
            *times += 1;
            policy::Score {
                weight: f64::from(target.weight),
                ewma_ms: target.state.ewma_ms(now),
                in_flight: target.state.in_flight(),
                failing: target.state.is_failing(now),
                id_hash: policy::hash(&format!("{}{again}", target.name())),
            }
        })
        .collect();
    let order = policy::order(policy, &known, sticky, &mut table.rng());
    let mut targets: Vec<_> = targets.into_iter().map(Some).collect();
    order.into_iter().filter_map(|i| targets[i].take()).collect()
}

/// The targets in the order of what a request is likely to cost at each. Those that cost about the
/// same are in the order of their latency.
pub(super) fn by_cost(
    config: &Config,
    slack_percent: u32,
    traits: &Traits,
    mut targets: Vec<ChosenTarget>,
    warnings: &mut Vec<Warning>,
) -> Vec<ChosenTarget> {
    let at = Moment::of(SystemTime::now());
    for target in &mut targets {
        let prices = &config.providers[target.provider].prices;
        let own = target.parameters.as_ref().and_then(|own| own.max_tokens());
        let mut size = traits.size;
        size.answer = own.or(size.answer);
        let guess = target.state.usual.guess(&size);
        let priced = target.state.price.asked(prices, &target.target().model);
        target.expected = likely(priced, &guess, at);
        if target.expected.is_none() {
            let message = format!(
                "no price is known for {}, so it comes last: give one under prices",
                target.name()
            );
            let param = Some("model".to_owned());
            warnings.push(Warning { code: "price_unknown", message, param });
        }
    }
    let now = Instant::now();
    let known = targets.iter().map(|target| Known {
        expected: target.expected,
        failing: target.state.is_failing(now),
        ewma_ms: target.state.ewma_ms(now),
    });
    let order = places(&known.collect::<Vec<_>>(), slack_percent);
    let mut targets: Vec<_> = targets.into_iter().map(Some).collect();
    order.into_iter().filter_map(|i| targets[i].take()).collect()
}

/// What is known of a target, for its place.
#[derive(Clone, Copy, Debug)]
struct Known {
    expected: Option<Usd>,
    failing: bool,
    ewma_ms: Option<f64>,
}

/// The places of targets, the first one first: the cheapest and those within the slack of it, the
/// quicker before the slower; then the same of the rest. Those without a price come last.
fn places(known: &[Known], slack_percent: u32) -> Vec<usize> {
    let mut left: Vec<usize> = (0..known.len()).collect();
    // The order of the list decides between equals.
    left.sort_by_key(|i| (known[*i].expected.is_none(), known[*i].expected));
    let mut places = Vec::with_capacity(left.len());
    while let Some(cheapest) = left.first() {
        let most = known[*cheapest].expected.map(|Usd(pico)| {
            let slack = pico / 100 * u128::from(slack_percent);
            Usd(pico.saturating_add(slack))
        });
        let end = left.partition_point(|i| match (known[*i].expected, most) {
            (Some(usd), Some(most)) => usd <= most,
            (None, None) => true,
            _ => false,
        });
        let mut class: Vec<usize> = left.drain(..end).collect();
        class.sort_by(|a, b| {
            let (a, b) = (&known[*a], &known[*b]);
            // One that was never asked is tried first.
            let ms = |known: &Known| known.ewma_ms.unwrap_or(0.0);
            a.failing.cmp(&b.failing).then(ms(a).total_cmp(&ms(b)))
        });
        places.append(&mut class);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(known: &[(Option<u128>, Option<f64>)], slack: u32) -> Vec<usize> {
        let known = known.iter().map(|(usd, ewma_ms)| Known {
            expected: usd.map(|usd| Usd(usd * Usd::ONE)),
            failing: false,
            ewma_ms: *ewma_ms,
        });
        places(&known.collect::<Vec<_>>(), slack)
    }

    #[test]
    fn the_cheapest_comes_first_and_the_quicker_of_equals() {
        let slow = Some(900.0);
        let quick = Some(100.0);
        assert_eq!(order(&[(Some(30), quick), (Some(10), slow), (Some(20), quick)], 10), [1, 2, 0]);
        // 11 is within 10 % of 10.
        assert_eq!(order(&[(Some(10), slow), (Some(11), quick), (Some(12), quick)], 10), [1, 0, 2]);
        assert_eq!(order(&[(Some(10), slow), (Some(11), quick)], 9), [0, 1]);
        // The next class is within the slack of its own cheapest.
        let dear = [(Some(10), slow), (Some(20), slow), (Some(22), quick), (Some(25), quick)];
        assert_eq!(order(&dear, 10), [0, 2, 1, 3]);
        // Without a price it comes last, even if it is quick.
        assert_eq!(order(&[(None, quick), (Some(99), slow), (None, None)], 10), [1, 2, 0]);
        // The order of the list decides between equals.
        assert_eq!(order(&[(Some(1), None), (Some(1), None)], 0), [0, 1]);
        assert_eq!(order(&[], 10), [] as [usize; 0]);
    }

    #[test]
    fn what_fails_is_not_quick() {
        let of = |failing| Known { expected: Some(Usd(1)), failing, ewma_ms: Some(1.0) };
        assert_eq!(places(&[of(true), of(false)], 10), [1, 0]);
    }
}
