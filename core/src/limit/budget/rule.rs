//! A budget as its user configured it: which calls count, how much money there is, for how long.

use std::sync::Arc;

use super::window::Window;

/// One budget.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) name: Arc<str>,
    /// The money of a window, in nano-dollars.
    pub(crate) limit: u64,
    pub(crate) window: Window,
    pub(crate) enforce: Enforce,
    /// All of these hold for a call that counts.
    pub(crate) when: Vec<(Fact, Box<str>)>,
    /// Each value has a ledger of its own.
    pub(crate) per: Option<Fact>,
}

/// What happens at the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Enforce {
    /// The most that a call can cost is reserved. The limit is never passed.
    Strict,
    /// What a call is likely to cost is reserved.
    #[default]
    Hard,
    /// Nothing is refused.
    Soft,
}

/// What is known of a call before it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    Tenant,
    /// The gateway's key.
    Key,
    /// A tag of the call, by its name.
    Tag(Box<str>),
    Provider,
    Model,
    Route,
}

impl Fact {
    /// Reads the name of a fact.
    pub(crate) fn read(text: &str) -> Option<Fact> {
        Some(match text {
            "tenant" => Fact::Tenant,
            "key" => Fact::Key,
            "provider" => Fact::Provider,
            "model" => Fact::Model,
            "route" => Fact::Route,
            tag => Fact::Tag(tag.strip_prefix("tag:").filter(|name| !name.is_empty())?.into()),
        })
    }

    /// Whether a ledger may be kept for each of its values: its texts are short.
    pub(crate) fn may_split(&self) -> bool {
        matches!(self, Fact::Tenant | Fact::Key | Fact::Tag(_))
    }
}

/// The facts of one attempt. A fact that nobody gave is "".
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) key: &'a str,
    pub(crate) tags: &'a [(String, String)],
    pub(crate) provider: &'a str,
    pub(crate) model: &'a str,
    pub(crate) route: &'a str,
}

impl<'a> Facts<'a> {
    pub(super) fn of(&self, fact: &Fact) -> &'a str {
        match fact {
            Fact::Tenant => self.tenant,
            Fact::Key => self.key,
            Fact::Provider => self.provider,
            Fact::Model => self.model,
            Fact::Route => self.route,
            Fact::Tag(name) => {
                let mut tags = self.tags.iter();
                tags.find(|(own, _)| **own == **name).map_or("", |(_, value)| value)
            }
        }
    }
}

impl Rule {
    /// Whether a call counts.
    pub(crate) fn concerns(&self, facts: &Facts<'_>) -> bool {
        self.when.iter().all(|(fact, value)| facts.of(fact) == &**value)
    }

    /// The ledger that a call counts in.
    pub(super) fn ledger<'a>(&self, facts: &Facts<'a>) -> &'a str {
        self.per.as_ref().map_or("", |fact| facts.of(fact))
    }
}
