//! The adapters: one for each provider's wire format, and the registry of the built-in ones.
//!
//! Adapters are pure: they have no I/O, no clock, no retries and no keys. The pipeline does those
//! once for all. An adapter turns a [`Request`] into a [`wire::Request`], and the answer into a
//! [`Completion`], chunks or an [`Error`].

mod anthropic;
mod assembly;
#[cfg(feature = "bedrock")]
mod bedrock;
mod citation;
pub mod classify;
mod cohere;
mod completion;
mod control;
mod counting;
mod deployment;
mod details;
pub mod embeddings;
mod foreign;
mod format;
mod further;
#[cfg(feature = "gemini")]
mod gemini;
mod history;
mod ids;
mod json;
mod kind;
mod model_list;
mod most;
#[cfg(feature = "ollama")]
mod ollama;
mod openai;
mod page;
mod provider_error;
mod reader;
pub(crate) mod refused;
pub mod regions;
pub mod registry;
mod reported;
pub mod reranking;
pub mod rules;
#[cfg(feature = "gemini")]
mod vertex;

pub use assembly::Assembly;
pub use completion::Completion;
pub use most::Most;
pub use openai::{Dialect, SWITCHES};
pub use reader::StreamReader;
pub use registry::Row;
pub use reported::Reported;

use std::sync::Arc;

use crate::codec::Object;
use crate::error::{Error, ErrorKind};
use crate::json::Value;
use crate::model::{
    Billed, EmbedInput, EmbedRequest, Embeddings, ModelList, ModelsRequest, ModerateRequest,
    Moderations, Ranking, Request, RerankRequest, TokenCount, Unsupported, Warning,
};
use crate::wire::{self, Event, Framing, Scheme};

/// One provider's wire format, with a method for each operation.
///
/// `None` for an operation means that the provider does not have it. The caller then gets an error
/// of kind `unsupported` before anything is sent.
pub trait Provider: Send + Sync {
    /// How the key is sent.
    fn scheme(&self) -> Scheme;

    /// The probe: a request that costs nothing and that a healthy provider answers. It asks for the
    /// list of models.
    fn probe(&self, target: &Target) -> Result<wire::Request, Error>;

    /// What an answer says was used and billed, in counts that do not overlap. None if it reports no
    /// usage.
    fn billed<'a>(&self, said: &Reported<'a>, target: &Target) -> Option<Billed<'a>>;

    /// Chat completions.
    fn chat(&self) -> Option<&dyn Chat> {
        None
    }

    /// Embeddings.
    fn embed(&self) -> Option<&dyn Embed> {
        None
    }

    /// Lists of models.
    fn models(&self) -> Option<&dyn Models> {
        None
    }

    /// Ranking of documents.
    fn rerank(&self) -> Option<&dyn Rerank> {
        None
    }

    /// Counts of tokens.
    fn count_tokens(&self) -> Option<&dyn CountTokens> {
        None
    }

    /// Moderation.
    fn moderate(&self) -> Option<&dyn Moderate> {
        None
    }
}

/// Embeddings in one provider's wire format.
pub trait Embed: Send + Sync {
    /// The most that one request may ask for. A longer list of inputs goes out in parts.
    fn most(&self, request: &EmbedRequest, target: &Target) -> Most;

    /// What of an input the provider cannot embed, in words for an error. `None`: it takes it.
    fn refuses(&self, input: &EmbedInput, target: &Target) -> Option<&'static str>;

    /// The wire request for `request`. What the provider cannot take goes to `notes`.
    fn encode(
        &self,
        request: &EmbedRequest,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<wire::Request, Error>;

    /// Reads a whole answer of any status. There is a vector for each input of `request`.
    fn decode(
        &self,
        reply: &wire::Reply<'_>,
        request: &EmbedRequest,
        target: &Target,
    ) -> Result<Embeddings, Error>;
}

/// Lists of models in one provider's wire format.
pub trait Models: Send + Sync {
    /// The wire request for `request`.
    fn encode(&self, request: &ModelsRequest, target: &Target) -> Result<wire::Request, Error>;

    /// Reads a whole answer of any status.
    fn decode(&self, reply: &wire::Reply<'_>, target: &Target) -> Result<ModelList, Error>;
}

/// Ranking of documents in one provider's wire format.
pub trait Rerank: Send + Sync {
    /// The wire request for `request`. What the provider cannot take goes to `notes`.
    fn encode(
        &self,
        request: &RerankRequest,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<wire::Request, Error>;

    /// Reads a whole answer of any status. Its documents are some of those of `request`.
    fn decode(
        &self,
        reply: &wire::Reply<'_>,
        request: &RerankRequest,
        target: &Target,
    ) -> Result<Ranking, Error>;
}

/// Counts of tokens in one provider's wire format.
pub trait CountTokens: Send + Sync {
    /// The wire request for `request`, of which only what counts is looked at. What the provider
    /// cannot take goes to `notes`.
    fn encode(
        &self,
        request: &Request,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<wire::Request, Error>;

    /// Reads a whole answer of any status.
    fn decode(&self, reply: &wire::Reply<'_>, target: &Target) -> Result<TokenCount, Error>;
}

/// Moderation in one provider's wire format.
pub trait Moderate: Send + Sync {
    /// The wire request for `request`. What the provider cannot take goes to `notes`.
    fn encode(
        &self,
        request: &ModerateRequest,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<wire::Request, Error>;

    /// Reads a whole answer of any status.
    fn decode(&self, reply: &wire::Reply<'_>, target: &Target) -> Result<Moderations, Error>;
}

/// Chat completions in one provider's wire format.
pub trait Chat: Send + Sync {
    /// The wire request for `request`. What the provider cannot take goes to `notes`.
    fn encode(
        &self,
        request: &Request,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<wire::Request, Error>;

    /// Reads a whole answer of any status.
    fn decode(&self, reply: &wire::Reply<'_>, target: &Target) -> Result<Completion, Error>;

    /// How a streamed answer is cut into events, and their reader.
    fn stream_decoder(&self, target: &Target) -> (Framing, Box<dyn StreamDecoder>);
}

/// Reads the events of one streamed answer.
pub trait StreamDecoder: Send {
    /// Takes one event. Deltas go to `out`; an error event is an `Err`.
    fn event(&mut self, event: Event<'_>, out: &mut Assembly) -> Result<Progress, Error>;

    /// The HTTP body ended, as its framing says properly, without a terminal event so far.
    /// `Ok` only where this provider ends its streams so.
    fn end(&mut self, out: &mut Assembly) -> Result<(), Error>;
}

/// Whether a stream goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More events are expected.
    More,
    /// This was the terminal event.
    Done,
}

/// All that an adapter sees of the settings: no key, no URL, no limits. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Target {
    /// The provider's name in the configuration.
    pub provider: Arc<str>,
    /// The name of its row: that of the built-in provider, or of the kind that it is configured as.
    pub kind: &'static str,
    /// The model to ask for.
    pub model: Arc<str>,
    /// The version of the provider's API, if one is configured.
    pub api_version: Option<Arc<str>>,
    /// The provider's region, if one is known.
    pub region: Option<Arc<str>>,
    /// The dialect of its entry, where that has switches. Otherwise that of its row. For Ollama, it
    /// has one where it is reached in OpenAI's form.
    pub dialect: Option<Arc<Dialect>>,
    /// Members that its entry adds to each chat's body.
    pub body: Option<Arc<Object>>,
}

/// Collects what the provider could not do as asked.
#[derive(Debug)]
pub struct Notes {
    policy: Unsupported,
    adapt: bool,
    warnings: Vec<Warning>,
}

impl Notes {
    /// An empty collection under `policy`.
    #[must_use]
    pub fn new(policy: Unsupported) -> Self {
        Notes { policy, adapt: true, warnings: Vec::new() }
    }

    /// The same for a request that is sent as it is: no rule about what providers refuse applies.
    #[must_use]
    pub fn as_it_is(self) -> Self {
        Notes { adapt: false, ..self }
    }

    /// Whether the request is adapted to what the provider is known to refuse.
    #[must_use]
    pub fn adapts(&self) -> bool {
        self.adapt
    }

    /// Notes that the provider cannot take `param`: a warning, or an error if the caller asked for
    /// one.
    pub fn unsupported(&mut self, param: &str, message: impl Into<String>) -> Result<(), Error> {
        let message = message.into();
        if self.policy == Unsupported::Error {
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with(|e| e.param = Some(param.to_owned())));
        }
        self.warn("unsupported_parameter", param, message);
        Ok(())
    }

    /// Notes that the provider is known to refuse `param` as it is, so it was changed: a warning,
    /// or an error if the caller asked for one.
    pub fn adjusted(&mut self, param: &str, message: impl Into<String>) -> Result<(), Error> {
        if self.policy == Unsupported::Error {
            return self.unsupported(param, message);
        }
        self.warn("adjusted", param, message);
        Ok(())
    }

    /// Writes the members that only some providers know, each under the provider's name for it.
    /// Those that it does not take are noted.
    fn further(
        &mut self,
        request: &Request,
        takes: further::Takes,
        provider: &str,
        body: &mut Object,
    ) -> Result<(), Error> {
        for (name, value) in &request.further {
            match takes.iter().find(|(ours, _)| ours == name) {
                Some((_, theirs)) => {
                    body.insert(*theirs, value.clone());
                }
                None => self.unsupported(name, format!("{provider} takes no {name}"))?,
            }
        }
        Ok(())
    }

    /// Adds a warning, whatever the policy.
    pub fn warn(&mut self, code: &'static str, param: &str, message: impl Into<String>) {
        let param = Some(param.to_owned());
        self.warnings.push(Warning { code, message: message.into(), param });
    }

    /// The warnings.
    #[must_use]
    pub fn into_warnings(self) -> Vec<Warning> {
        self.warnings
    }
}

/// The members that a chat's body gets as they are: those of the provider's entry, and over them
/// those that the caller wants for this provider.
pub(crate) fn extra(asked: &Object, target: &Target) -> Object {
    let mut extra = target.body.as_deref().cloned().unwrap_or_default();
    extra.extend(asked_extra(asked, target));
    extra
}

/// The members that the caller wants in this provider's body. They are found by the provider's name
/// in the configuration or by that of its kind; the former wins.
pub(crate) fn asked_extra(asked: &Object, target: &Target) -> Object {
    let mut extra = Object::new();
    for name in [target.kind, &target.provider] {
        if let Some(Value::Object(members)) = asked.get(name) {
            extra.extend(members.clone());
        }
    }
    extra
}

/// The finish words of a turn that is not over. The model stops here for now, and goes on when its
/// message is handed back [sdk].
pub(crate) const UNFINISHED: [&str; 2] = ["pause_turn", "compaction"];

/// The warning about a finish word that is in no table of ours, or that means that the turn goes
/// on.
#[must_use]
pub(crate) fn finish_remark(word: &str, known: bool) -> Option<Warning> {
    if UNFINISHED.contains(&word) {
        let message = format!(
            "the turn is not finished (finish_reason {word:?}): hand the message back, and the \
             model goes on"
        );
        return Some(Warning { code: "unfinished_turn", message, param: None });
    }
    (!known).then(|| unknown_finish(word))
}

/// The warning about a piece of a tool call that belongs to no call.
pub(crate) fn nameless_call() -> Warning {
    Warning {
        code: "nameless_call",
        message: "a part of a tool call named no function and belongs to no call: it is left out"
            .to_owned(),
        param: None,
    }
}

/// The warning about a finish reason that is in no table of ours.
#[must_use]
pub fn unknown_finish(word: &str) -> Warning {
    let quoted = match word.len() {
        // No cut: half a key would not be recognized as one.
        LONGEST_WORD.. => format!("of {} bytes", word.len()),
        _ => format!("{word:?}"),
    };
    Warning {
        code: "unknown_finish_reason",
        message: format!("the provider's finish_reason {quoted} is not known; taken as a stop"),
        param: None,
    }
}

/// A finish reason from this length on is not quoted. Known ones have at most 26 bytes.
const LONGEST_WORD: usize = 100;
