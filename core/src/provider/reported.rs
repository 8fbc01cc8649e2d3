//! What an answer reports of its usage, in a provider's own form and in the unified one. Adapters read
//! it into counts that do not overlap, from which the cost is made.

use super::json::count;
use crate::codec::Object;
use crate::json::Value;
use crate::model::{Billed, PromptParts, Unit, Usage};

/// What an answer reports.
#[derive(Clone, Copy, Debug)]
pub struct Reported<'a> {
    /// The counts in unified form.
    pub usage: &'a Usage,
    /// The provider's own object.
    pub raw: &'a Object,
    /// Members at the answer's top that have no other place.
    pub fields: &'a Object,
    /// The same of the first choice's message.
    pub message: Option<&'a Object>,
}

impl<'a> Reported<'a> {
    /// A count of the provider's own object.
    #[cfg(feature = "gemini")]
    pub(super) fn count(&self, name: &str) -> u64 {
        count(self.raw.get(name)).unwrap_or(0)
    }

    /// A word of the answer's top, or of its usage.
    pub(super) fn word(&self, name: &str) -> Option<&'a str> {
        self.fields.get(name).or_else(|| self.raw.get(name))?.as_str()
    }

    /// The parts of a prompt that the unified form knows.
    pub(super) fn parts(&self) -> PromptParts {
        let details = self.usage.prompt_tokens_details.as_ref();
        let part = |of: Option<u64>| of.unwrap_or(0);
        details.map_or_else(PromptParts::default, |details| PromptParts {
            cached: part(details.cached_tokens),
            written: part(details.cache_write_tokens),
            audio: part(details.audio_tokens),
            ..PromptParts::default()
        })
    }

    /// The counts of an answer whose prompt holds all its parts. `more` are those of the answer that
    /// the unified form does not know. None if it reports no prompt.
    pub(super) fn billed(&self, parts: PromptParts, more: [(Unit, u64); 2]) -> Option<Billed<'a>> {
        let mut billed = Billed::default();
        billed.prompt(self.usage.prompt_tokens?, parts);
        let details = self.usage.completion_tokens_details.as_ref();
        let of = |part: Option<u64>| part.unwrap_or(0);
        let reasoning = details.map_or(0, |details| of(details.reasoning_tokens));
        let audio = details.map_or(0, |details| of(details.audio_tokens));
        let [one, other] = more;
        let parts = [(Unit::Reasoning, reasoning), (Unit::OutputAudio, audio), one, other];
        billed.answer(self.usage.completion_tokens.unwrap_or(0), parts);
        billed.service_tier = self.word("service_tier");
        Some(billed)
    }

    /// The counts of an answer that reports tokens alone.
    pub(super) fn plain(&self) -> Option<Billed<'a>> {
        self.billed(self.parts(), NO_MEDIA)
    }
}

/// The parts of an answer that has neither images nor videos.
pub(super) const NO_MEDIA: [(Unit, u64); 2] = [(Unit::OutputImage, 0), (Unit::OutputVideo, 0)];

/// The count of a member of a member.
pub(super) fn inner(object: Option<&Value>, name: &str) -> u64 {
    object.and_then(|object| count(object.get(name))).unwrap_or(0)
}
