//! Which text of a choice a delta adds to.

/// Which text of a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    Content,
    Reasoning,
    Refusal,
}
