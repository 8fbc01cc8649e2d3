//! The engine's costs equal those of genai-prices. `scripts/prices_oracle.py` writes what it computes
//! to the file that `LITER_LLM_PRICES_ORACLE` names. Without it there is nothing to compare.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use liter_llm_core::model::{Billed, Unit};
use liter_llm_core::price::{Catalog, Moment, Prices, cost};

#[test]
fn every_cost_is_that_of_the_oracle() {
    let Some(path) = std::env::var_os("LITER_LLM_PRICES_ORACLE") else { return };
    let text = std::fs::read_to_string(&path).unwrap();
    let catalog = Arc::new(Catalog::new());
    let (mut compared, mut wrong) = (0, Vec::new());
    for line in text.lines() {
        let [row, model, time, service_tier, speed, counts, expected] =
            line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let mut billed = Billed { service_tier: word(service_tier), ..Billed::default() };
        billed.speed = word(speed);
        let counts: Vec<u64> = counts.split(',').map(|count| count.parse().unwrap()).collect();
        assert_eq!(counts.len(), Unit::ALL.len());
        for (unit, count) in Unit::ALL.into_iter().zip(counts) {
            billed.counts.set(unit, count);
        }
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(time.parse().unwrap());
        let priced = Prices::of_row(row, Arc::clone(&catalog)).find(model, None);
        let cost = cost(priced.as_ref(), Some(&billed), || Moment::of(at));
        let found = cost.usd.map_or_else(|| format!("{:?}", cost.reason), |usd| usd.to_string());
        compared += 1;
        if found != expected {
            wrong.push(format!("{line}\n  found {found}"));
        }
    }
    assert!(compared > 0, "the file is empty");
    assert!(
        wrong.is_empty(),
        "{} of {compared}:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
}

fn word(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
