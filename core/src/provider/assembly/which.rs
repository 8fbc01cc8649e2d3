//! The text of a choice that a delta adds to.

/// The kind of a choice's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    Content,
    Reasoning,
    Refusal,
}
