//! The text of a choice that a delta adds to, and how far it is counted.

/// The kind of a choice's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    Content,
    Reasoning,
    Refusal,
}

/// How far the characters of a choice's text are counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    pub(super) choice: u64,
    pub(super) bytes: usize,
    pub(super) characters: u64,
}
