//! A key is the name of a member.
//!
//! Providers and callers use few names, and these are known. Known names come from a table, so that
//! neither reading nor writing a document copies them.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::ops::Deref;

use serde::{Serialize, Serializer};

/// The name of a member.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Cow<'static, str>);

/// The names common in requests, answers and rate limit headers, by their length.
const KNOWN: [&[&str]; 31] = [
    &[],
    &["p"],
    &["id"],
    &["url"],
    &["role", "type", "text", "name", "user", "data", "code", "stop", "seed"],
    &["model", "usage", "index", "delta", "error", "input", "bytes", "token", "param", "tools"],
    &["object", "stream", "tokens", "strict"],
    &["choices", "created", "content", "message", "refusal", "logprob", "options"],
    &["messages", "logprobs", "function", "thinking", "provider"],
    &["arguments", "reasoning", "image_url", "signature", "citations"],
    &["tool_calls", "max_tokens", "parameters", "properties", "total_time"],
    &["annotations", "obfuscation", "description", "stop_reason", "temperature"],
    &[
        "service_tier",
        "audio_tokens",
        "total_tokens",
        "input_tokens",
        "top_logprobs",
        "billed_units",
    ],
    &["finish_reason", "prompt_tokens", "output_tokens", "cached_tokens", "content_block"],
    &[],
    &["response_format"],
    &["reasoning_effort", "reasoning_tokens"],
    &["reasoning_content", "completion_tokens", "reasoning_details"],
    &["system_fingerprint"],
    &[],
    &[],
    &["prompt_tokens_details", "max_completion_tokens"],
    &[],
    &["cache_read_input_tokens"],
    &["x-ratelimit-limit-tokens", "x-ratelimit-reset-tokens"],
    &["completion_tokens_details"],
    &[
        "accepted_prediction_tokens",
        "rejected_prediction_tokens",
        "x-ratelimit-limit-requests",
        "x-ratelimit-reset-requests",
    ],
    &[],
    &["x-ratelimit-remaining-tokens"],
    &[],
    &["x-ratelimit-remaining-requests"],
];

impl Key {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A bit for a name. Two different names mostly have different bits. So a set of bits shows for
    /// most names that they are not in it.
    #[inline]
    pub(crate) const fn bit(name: &str) -> u64 {
        let first = if name.is_empty() { 0 } else { name.as_bytes()[0] };
        1 << ((name.len() * 5 + first as usize) % 64)
    }

    /// Makes a key, with a copy of the name unless the table has it.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self::read(Cow::Borrowed(name))
    }

    /// Makes a key of a name that was read.
    pub(super) fn read(text: Cow<'_, str>) -> Self {
        let known = KNOWN.get(text.len()).copied().unwrap_or_default();
        // No name in the table is empty.
        let first = text.as_bytes().first().copied().unwrap_or_default();
        let same = |name: &&&str| name.as_bytes()[0] == first && **name == &*text;
        match known.iter().find(same) {
            Some(name) => Key(Cow::Borrowed(name)),
            None => Key(Cow::Owned(text.into_owned())),
        }
    }
}

impl Deref for Key {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&'static str> for Key {
    fn from(name: &'static str) -> Self {
        Key(Cow::Borrowed(name))
    }
}

impl From<String> for Key {
    fn from(name: String) -> Self {
        Key(Cow::Owned(name))
    }
}

impl From<Key> for String {
    fn from(key: Key) -> String {
        key.0.into_owned()
    }
}

impl PartialEq<str> for Key {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Key {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_by_length() {
        for (len, names) in KNOWN.iter().enumerate() {
            for name in *names {
                let key = Key::read(Cow::Borrowed(name));
                assert_eq!(name.len(), len, "{name}");
                assert!(matches!(key.0, Cow::Borrowed(_)), "{name}");
            }
        }
    }
}
