//! An answer before it has a wire format.

/// What the writers of a wire format are given.
pub(super) struct Answer<'a> {
    pub(super) id: u64,
    pub(super) model: &'a str,
    pub(super) text: &'a str,
    /// Name and arguments (JSON) of the tool to call in place of a text.
    pub(super) tool: Option<(&'a str, &'a str)>,
    pub(super) chunks: usize,
    pub(super) include_usage: bool,
    pub(super) prompt_tokens: u64,
    pub(super) completion_tokens: u64,
}
