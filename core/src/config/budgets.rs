//! Budgets of money. `docs/cost.md` says what each member does.

use std::sync::Arc;

use crate::codec::{Fields, finish_near, wrong};
use crate::error::Error;
use crate::json::Value;
use crate::limit::budget::{Enforce, Fact, Rule, Window};
use crate::model::Usd;

const MEMBERS: [&str; 5] = ["when", "per", "usd", "window", "enforce"];

/// The most budgets of a client: each attempt looks at all of them.
const MOST: usize = 256;

/// The decimals of an amount: whole nano-dollars.
const DECIMALS: usize = 9;

/// The largest limit, in nano-dollars: the largest whole number that every part of a fleet can hold.
const MOST_NANO: u64 = 1 << 53;

/// Reads `budgets`, in the order of their names.
pub(super) fn read(fields: &mut Fields) -> Result<Vec<Rule>, Error> {
    let entries = fields.object("budgets")?.unwrap_or_default();
    if entries.len() > MOST {
        return Err(Error::invalid("budgets", format!("budgets: {MOST} at most")));
    }
    let mut rules = Vec::with_capacity(entries.len());
    for (name, entry) in entries {
        let entry = Fields::of(entry, format!("budgets.{name}"))?;
        rules.push(rule(&name, entry)?);
    }
    rules.sort_by(|a: &Rule, b| a.name.cmp(&b.name));
    Ok(rules)
}

fn rule(name: &str, mut fields: Fields) -> Result<Rule, Error> {
    let Some(usd) = fields.value("usd") else {
        return Err(fields.missing("usd", "the money of a window, such as \"50\""));
    };
    let Some(window) = fields.string("window")? else {
        return Err(fields.missing("window", WINDOWS));
    };
    let Some(window) = Window::read(&window) else {
        let path = fields.at("window");
        return Err(Error::invalid(&path, format!("{path} must be {WINDOWS}")));
    };
    let rule = Rule {
        name: Arc::from(name),
        limit: limit(&fields.at("usd"), usd)?,
        window,
        enforce: match fields.word("enforce", &["hard", "strict", "soft"])? {
            Some("strict") => Enforce::Strict,
            Some("soft") => Enforce::Soft,
            _ => Enforce::Hard,
        },
        when: when(&mut fields)?,
        per: per(&mut fields)?,
    };
    finish_near(fields, "a budget", &MEMBERS, "docs/cost.md")?;
    Ok(rule)
}

const WINDOWS: &str = "hour, day, week, month, total, or hours or days such as 12h or 30d, ten years \
                       at most";

/// Reads decimal text in USD as nano-dollars.
fn limit(path: &str, value: Value) -> Result<u64, Error> {
    let Value::String(text) = value else {
        return Err(wrong(path, "an amount in USD as a string, such as \"50\"", &value));
    };
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let nano = || {
        if !plain(whole) || !plain(decimals) || decimals.len() > DECIMALS {
            return None;
        }
        let decimals = format!("{decimals:0<DECIMALS$}").parse::<u64>().ok()?;
        whole.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(decimals)
    };
    nano().filter(|nano| (1..=MOST_NANO).contains(nano)).ok_or_else(|| {
        let most = Usd::of_nano(MOST_NANO);
        let message = format!(
            "{path} must be digits and perhaps a point and up to {DECIMALS} more, above 0 and not \
             over {most}"
        );
        Error::invalid(path, message)
    })
}

/// Reads which calls count.
fn when(fields: &mut Fields) -> Result<Vec<(Fact, Box<str>)>, Error> {
    let path = fields.at("when");
    let mut facts = Vec::new();
    for (name, value) in fields.object("when")?.unwrap_or_default() {
        let path = format!("{path}.{name}");
        let Some(fact) = Fact::read(&name) else {
            let message =
                format!("{path} must be tenant, key, tag:<name>, provider, model or route");
            return Err(Error::invalid(path, message));
        };
        match value {
            Value::String(text) => facts.push((fact, text.into())),
            other => return Err(wrong(&path, "a string", &other)),
        }
    }
    Ok(facts)
}

/// Reads what a budget is split by.
fn per(fields: &mut Fields) -> Result<Option<Fact>, Error> {
    let Some(text) = fields.string("per")? else { return Ok(None) };
    let fact = Fact::read(&text).filter(Fact::may_split);
    if fact.is_none() {
        let path = fields.at("per");
        return Err(Error::invalid(&path, format!("{path} must be tenant, key or tag:<name>")));
    }
    Ok(fact)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn read(budget: &str) -> Result<Vec<Rule>, Error> {
        let config = format!(r#"{{"budgets": {{"b": {budget}}}}}"#);
        Config::parse(config.as_bytes()).map(|config| config.budgets)
    }

    #[test]
    fn amounts_are_whole_nano_dollars() {
        for (usd, nano) in [
            ("50", 50_000_000_000),
            ("0.01", 10_000_000),
            ("0.000000001", 1),
            ("9007199.254740992", MOST_NANO),
        ] {
            let rules = read(&format!(r#"{{"usd": "{usd}", "window": "day"}}"#)).unwrap();
            assert_eq!(rules[0].limit, nano, "{usd}");
        }
    }

    #[test]
    fn bad_budgets_are_named() {
        for (budget, param) in [
            ("1", "budgets.b"),
            (r#"{"window": "day"}"#, "budgets.b.usd"),
            (r#"{"usd": "1"}"#, "budgets.b.window"),
            (r#"{"usd": "1", "window": "0d"}"#, "budgets.b.window"),
            (r#"{"usd": "1", "window": "fortnight"}"#, "budgets.b.window"),
            (r#"{"usd": 1, "window": "day"}"#, "budgets.b.usd"),
            (r#"{"usd": "0", "window": "day"}"#, "budgets.b.usd"),
            (r#"{"usd": "-1", "window": "day"}"#, "budgets.b.usd"),
            (r#"{"usd": "1e3", "window": "day"}"#, "budgets.b.usd"),
            (r#"{"usd": "NaN", "window": "day"}"#, "budgets.b.usd"),
            (r#"{"usd": "1.", "window": "day"}"#, "budgets.b.usd"),
            (r#"{"usd": "0.0000000001", "window": "day"}"#, "budgets.b.usd"),
            (r#"{"usd": "9007199.254740993", "window": "day"}"#, "budgets.b.usd"),
            (r#"{"usd": "99999999999999999999", "window": "day"}"#, "budgets.b.usd"),
            (r#"{"usd": "1", "window": "day", "enforce": "maybe"}"#, "budgets.b.enforce"),
            (r#"{"usd": "1", "window": "day", "per": "model"}"#, "budgets.b.per"),
            (r#"{"usd": "1", "window": "day", "per": "tag:"}"#, "budgets.b.per"),
            (r#"{"usd": "1", "window": "day", "when": {"user": "x"}}"#, "budgets.b.when.user"),
            (r#"{"usd": "1", "window": "day", "when": {"tenant": 1}}"#, "budgets.b.when.tenant"),
            (r#"{"usd": "1", "window": "day", "enforces": "hard"}"#, "budgets.b.enforces"),
        ] {
            let error = read(budget).unwrap_err();
            assert_eq!(error.param.as_deref(), Some(param), "{budget}");
        }
    }
}
