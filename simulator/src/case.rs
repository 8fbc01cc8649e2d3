//! One case as the simulator sees it: an id and the exchanges to play.
//!
//! The other members of a case file (`config`, `request`, `outcome`, …) belong to the runners. The
//! simulator only checks their names, because a misspelt member must never pass silently. The text
//! keeps its member order and number spelling (`RawValue`), so that a reply leaves the simulator as
//! its author wrote it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::expect::Expect;
use crate::reply::Reply;
use crate::script::Script;

/// What a case file may hold; see `bindings/conformance/README.md`.
const MEMBERS: [&str; 14] = [
    "id",
    "about",
    "config",
    "provider",
    "request",
    "request_raw",
    "options",
    "via",
    "cancel_after",
    "exchanges",
    "before",
    "by_path",
    "outcome",
    "outcome_exact",
];

/// A case: what the simulator expects and answers, in order.
#[derive(Debug)]
pub struct Case {
    pub(crate) id: String,
    pub(crate) exchanges: Vec<Exchange>,
    /// A request takes the first exchange left that expects its path. This serves requests that go
    /// out at once.
    pub(crate) by_path: bool,
}

/// One request and its answer.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) expect: Expect,
    reply: Reply,
    script: OnceLock<Script>,
}

impl Exchange {
    /// The reply as bytes and pauses. It is made at the first use, because a compressed gigabyte of
    /// zeros should cost nothing until a request needs it.
    pub(crate) fn script(&self) -> &Script {
        self.script.get_or_init(|| Script::new(&self.reply))
    }
}

impl Case {
    /// Reads a case from the text of its file. `id` is `<topic>/<name>`.
    ///
    /// # Errors
    /// Says which member is wrong, and why.
    pub fn parse(id: &str, text: &str) -> Result<Self, String> {
        let members = members(text)?;
        Self::from_members(id.to_owned(), &members)
    }

    /// Reads a case from a parsed document.
    ///
    /// # Errors
    /// Says which member is wrong, and why.
    pub fn from_value(id: &str, document: &Value) -> Result<Self, String> {
        Self::parse(id, &document.to_string())
    }

    /// Reads a line of a `.jsonl` file, which names its id itself.
    ///
    /// # Errors
    /// Says which member is wrong, and why.
    pub fn parse_line(text: &str) -> Result<Self, String> {
        let members = members(text)?;
        let id = members.get("id").ok_or("the member `id` is missing")?;
        let id: String = serde_json::from_str(id.get()).map_err(|error| format!("id: {error}"))?;
        Self::from_members(id, &members)
    }

    fn from_members(
        id: String,
        members: &BTreeMap<Cow<'_, str>, &RawValue>,
    ) -> Result<Self, String> {
        if id.is_empty() || id.contains('~') {
            return Err(format!(
                "id {id:?}: must not be empty nor contain `~`, which stands for `/` in URLs"
            ));
        }
        let exchanges: Vec<Exchange> = match members.get("exchanges") {
            None => Vec::new(),
            Some(list) => {
                let list: Vec<&RawValue> = serde_json::from_str(list.get())
                    .map_err(|error| format!("exchanges: {error}"))?;
                let number = |(n, raw): (usize, &RawValue)| {
                    exchange(raw.get()).map_err(|error| format!("exchanges[{n}]{error}"))
                };
                list.into_iter().enumerate().map(number).collect::<Result<_, _>>()?
            }
        };
        let by_path = match members.get("by_path") {
            None => false,
            Some(raw) => {
                serde_json::from_str(raw.get()).map_err(|error| format!("by_path: {error}"))?
            }
        };
        if by_path && exchanges.iter().any(|exchange| !exchange.expect.has_path()) {
            return Err("by_path: every exchange has to expect a path".to_owned());
        }
        Ok(Self { id, exchanges, by_path })
    }
}

fn members(text: &str) -> Result<BTreeMap<Cow<'_, str>, &RawValue>, String> {
    let members: BTreeMap<Cow<'_, str>, &RawValue> =
        serde_json::from_str(text).map_err(|error| format!("not a JSON object: {error}"))?;
    match members.keys().find(|name| !MEMBERS.contains(&name.as_ref())) {
        Some(name) => {
            Err(format!("unknown member `{name}`, expected one of {}", MEMBERS.join(", ")))
        }
        None => Ok(members),
    }
}

/// The errors start with the path inside the exchange: they continue `exchanges[3]`.
fn exchange(text: &str) -> Result<Exchange, String> {
    let members: BTreeMap<Cow<'_, str>, &RawValue> =
        serde_json::from_str(text).map_err(|error| format!(": {error}"))?;
    if let Some(name) = members.keys().find(|name| !["expect", "reply"].contains(&name.as_ref())) {
        return Err(format!(": unknown member `{name}`, expected `expect` or `reply`"));
    }
    let part = |name: &str| members.get(name).map_or("{}", |raw| raw.get());
    let expect =
        serde_json::from_str(part("expect")).map_err(|error| format!(".expect: {error}"))?;
    let reply = Reply::parse(part("reply")).map_err(|error| format!(".reply: {error}"))?;
    Ok(Exchange { expect, reply, script: OnceLock::new() })
}
