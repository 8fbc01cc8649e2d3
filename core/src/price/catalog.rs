//! The price table: which models it has, and what they cost.
//!
//! `core/data/prices.bin` is made by `make prices` from a pinned version of `genai-prices` (MIT,
//! Copyright (c) Pydantic Services Inc.) and never changes while a program runs. A provider's part is
//! inflated when the first answer of that provider is priced.

use std::fmt;
use std::io::Read;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use flate2::read::DeflateDecoder;

use super::clause::{Clause, with_hyphens};
use super::entry::Entry;
use crate::codec::Fields;
use crate::json::{Object, Value, parse};

static DATA: &[u8] = include_bytes!("../../data/prices.bin");

/// The price table of a client. Each provider's part is read once.
pub struct Catalog {
    /// `genai-prices 0.2.3`.
    name: Arc<str>,
    lists: Vec<List>,
}

/// The models of one provider.
struct List {
    name: Box<str>,
    bytes: Range<usize>,
    /// The lists that are asked for a model that is not here.
    fallback: Vec<Box<str>>,
    models: OnceLock<Vec<Model>>,
}

struct Model {
    clauses: Box<[Clause]>,
    entry: Arc<Entry>,
}

impl Catalog {
    /// The table of this build. No part of it is read yet.
    #[must_use]
    pub fn new() -> Self {
        Catalog::of(DATA).unwrap_or_else(|| Catalog { name: Arc::from(""), lists: Vec::new() })
    }

    fn of(data: &'static [u8]) -> Option<Self> {
        let end = data.iter().position(|byte| *byte == b'\n')?;
        let head = parse(std::str::from_utf8(&data[..end]).ok()?).ok()?;
        let mut from = end + 1;
        let mut lists = Vec::new();
        for (name, about) in head.get("lists")?.as_object()? {
            let length = usize::try_from(about.get("bytes")?.as_u64()?).ok()?;
            let fallback = about.get("fallback")?.as_array()?.iter();
            lists.push(List {
                name: Box::from(name.as_str()),
                bytes: from..from + length,
                fallback: fallback.filter_map(|name| name.as_str().map(Box::from)).collect(),
                models: OnceLock::new(),
            });
            from += length;
        }
        Some(Catalog { name: Arc::from(head.get("catalog")?.as_str()?), lists })
    }

    /// The name and version of the data.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The entry for a model, from the list of a provider, or from those that it falls back to.
    pub(super) fn find(&self, list: &str, model: &str) -> Option<Arc<Entry>> {
        let list = self.lists.iter().find(|own| *own.name == *list)?;
        let model = model.to_lowercase();
        self.matched(list, &model).or_else(|| self.matched(list, &with_hyphens(&model)?))
    }

    fn matched(&self, list: &List, model: &str) -> Option<Arc<Entry>> {
        let others = list.fallback.iter();
        let others = others.filter_map(|name| self.lists.iter().find(|own| own.name == *name));
        std::iter::once(list).chain(others).find_map(|list| list.find(model))
    }
}

impl List {
    /// The entry of this name. One that names the model counts before one that only fits it.
    fn find(&self, model: &str) -> Option<Arc<Entry>> {
        let models = self.models.get_or_init(|| read(&DATA[self.bytes.clone()]));
        let named = models.iter().find(|own| own.clauses.iter().any(|clause| clause.is(model)));
        let fits =
            || models.iter().find(|own| own.clauses.iter().any(|clause| clause.holds(model)));
        named.or_else(fits).map(|own| Arc::clone(&own.entry))
    }
}

impl Default for Catalog {
    fn default() -> Self {
        Catalog::new()
    }
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Catalog").field(&self.name).finish()
    }
}

/// The models of a provider's part. A test reads every line of the table.
fn read(part: &[u8]) -> Vec<Model> {
    let mut text = String::new();
    if DeflateDecoder::new(part).read_to_string(&mut text).is_err() {
        return Vec::new();
    }
    text.lines().filter_map(|line| model(parse(line).ok()?)).collect()
}

fn model(line: Value) -> Option<Model> {
    let Value::Object(mut object) = line else { return None };
    let clauses = Clause::list(&object.shift_remove("match")?)?;
    let entry = Entry::read(&mut Fields::new(own(object), "")).ok()?;
    Some(Model { clauses, entry: Arc::new(entry) })
}

/// The members of a line that are the entry's own. Prices of batches are left out: no call is one.
fn own(mut object: Object) -> Object {
    object.retain(|name, _| !["provider", "model", "context"].contains(&name.as_str()));
    if let Some(Value::Array(variants)) = object.get_mut("variants") {
        variants.retain(|one| one.get("when").is_none_or(|when| when.get("processing").is_none()));
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        let text = include_str!("../../data/prices.json");
        let catalog = Catalog::new();
        assert!(catalog.name().starts_with("genai-prices "), "{}", catalog.name());
        let mut lines = text.lines().skip(1);
        for list in &catalog.lists {
            let models = read(&DATA[list.bytes.clone()]);
            for _ in models {
                let line = parse(lines.next().unwrap()).unwrap();
                assert_eq!(line.get("provider").unwrap(), &*list.name);
            }
        }
        assert_eq!(lines.next(), None);
    }

    #[test]
    fn a_model_is_found_by_its_name_before_a_clause() {
        let catalog = Catalog::new();
        for (list, model) in [
            ("openai", "gpt-4.1-mini"),
            ("openai", "GPT-4.1-Mini-2025-04-14"),
            ("openai", "gpt-5.2-20251211"),
            ("anthropic", "claude-sonnet-4-5-20250929"),
            ("azure", "gpt-4.1-mini"),
            ("google", "claude-opus-4-1"),
        ] {
            assert!(catalog.find(list, model).is_some(), "{list}/{model}");
        }
        assert!(catalog.find("openai", "no-such-model").is_none());
        assert!(catalog.find("nobody", "gpt-4.1-mini").is_none());
    }
}
