//! An operation is what can be asked. This file, `asked` and `answer` are the one place that tells
//! operations apart. A new operation is a variant of each of their types, its arms there and a file
//! beside them.

mod answer;
mod asked;
mod cacheable;
mod chat;
mod count_tokens;
mod embed;
mod envelope;
mod many;
mod models;
mod moderate;
mod priced;
mod rerank;
#[cfg(feature = "redis")]
mod stored;

pub use answer::Answer;
pub(crate) use answer::Decoded;
pub(crate) use asked::{Asked, parse};
pub(crate) use cacheable::Cacheable;
pub(crate) use envelope::Envelope;
pub use many::Many;
#[cfg(feature = "redis")]
pub(crate) use stored::StoredAs;

use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, ErrorKind};
use crate::json::Object;
use crate::model::{
    EmbedRequest, ModelsRequest, ModerateRequest, Parameters, Request, RerankRequest,
};
use crate::provider::{Chat, Notes, Provider, StreamReader, Target, embeddings};
use crate::wire;

/// A request to a provider.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    /// A chat completion.
    Chat(Request),
    /// Vectors of texts.
    Embed(EmbedRequest),
    /// A list of the models that a provider has.
    Models(ModelsRequest),
    /// An order of documents.
    Rerank(RerankRequest),
    /// The number of tokens of a chat's input.
    CountTokens(Request),
    /// A check of texts against a provider's rules.
    Moderate(ModerateRequest),
}

impl Operation {
    /// The operation's name in documents and metrics.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Operation::Chat(_) => "chat",
            Operation::Embed(_) => "embed",
            Operation::Models(_) => "models",
            Operation::Rerank(_) => "rerank",
            Operation::CountTokens(_) => "count_tokens",
            Operation::Moderate(_) => "moderate",
        }
    }

    /// The model that the request names.
    pub(crate) fn model(&self) -> Option<&str> {
        match self {
            Operation::Chat(request) | Operation::CountTokens(request) => request.model.as_deref(),
            Operation::Embed(request) => request.model.as_deref(),
            Operation::Models(request) => request.model.as_deref(),
            Operation::Rerank(request) => request.model.as_deref(),
            Operation::Moderate(request) => request.model.as_deref(),
        }
    }

    /// Whether the configuration's default models apply to this operation.
    pub(crate) fn wants_model(&self) -> bool {
        match self {
            Operation::Chat(_) | Operation::CountTokens(_) => true,
            Operation::Embed(_)
            | Operation::Models(_)
            | Operation::Rerank(_)
            | Operation::Moderate(_) => false,
        }
    }

    /// Whether the answer is wanted as a stream.
    pub(crate) fn streams(&self) -> bool {
        match self {
            Operation::Chat(request) => request.stream,
            Operation::Embed(_)
            | Operation::Models(_)
            | Operation::Rerank(_)
            | Operation::CountTokens(_)
            | Operation::Moderate(_) => false,
        }
    }

    /// The same operation, with a streamed or a whole answer.
    pub(crate) fn streamed(self, stream: bool) -> Operation {
        match self {
            Operation::Chat(request) => Operation::Chat(Request { stream, ..request }),
            whole @ (Operation::Embed(_)
            | Operation::Models(_)
            | Operation::Rerank(_)
            | Operation::CountTokens(_)
            | Operation::Moderate(_)) => whole,
        }
    }

    /// Whether the answer may be kept for the next caller that asks the same. `body` has the members
    /// that the target's configuration adds.
    pub(crate) fn cacheable(&self, body: Option<&Object>) -> Cacheable {
        match self {
            Operation::Chat(request) => cacheable::chat(request, body),
            Operation::Embed(request) => cacheable::embed(request),
            Operation::Rerank(_) => Cacheable::Yes,
            // A list changes when it does, and the other two are asked for what is true now.
            Operation::Models(_) | Operation::CountTokens(_) | Operation::Moderate(_) => {
                Cacheable::Never
            }
        }
    }

    /// What shapes the answer and reaches no provider, for the key of a cache.
    pub(crate) fn shape(&self) -> String {
        match self {
            Operation::Embed(request) => format!("{:?}", request.encoding),
            Operation::Rerank(request) => format!("{:?}", request.top_n),
            Operation::Chat(_)
            | Operation::Models(_)
            | Operation::CountTokens(_)
            | Operation::Moderate(_) => String::new(),
        }
    }

    /// The largest number of tokens of the answer, if the request limits it.
    pub(crate) fn max_tokens(&self) -> Option<u64> {
        match self {
            Operation::Chat(request) => request.max_tokens,
            // These answers have no tokens.
            Operation::Embed(_)
            | Operation::Models(_)
            | Operation::Rerank(_)
            | Operation::CountTokens(_)
            | Operation::Moderate(_) => Some(0),
        }
    }

    /// The parameters that are asked for, for a span of the call.
    pub(crate) fn parameters(&self) -> Object {
        match self {
            Operation::Chat(request) => chat::parameters(request),
            Operation::Embed(_)
            | Operation::Models(_)
            | Operation::Rerank(_)
            | Operation::CountTokens(_)
            | Operation::Moderate(_) => Object::new(),
        }
    }

    /// The members for one provider's body only, by the provider's name.
    pub(crate) fn extra(&self) -> Option<&Object> {
        match self {
            Operation::Chat(request) | Operation::CountTokens(request) => Some(&request.extra),
            Operation::Embed(request) => Some(&*request.extra),
            Operation::Models(_) => None,
            Operation::Rerank(request) => Some(&request.extra),
            Operation::Moderate(request) => Some(&request.extra),
        }
    }

    /// The paths of members that are unknown.
    pub(crate) fn unknown(&self) -> &[String] {
        match self {
            Operation::Chat(request) | Operation::CountTokens(request) => &request.unknown,
            Operation::Embed(request) => &request.unknown,
            Operation::Models(request) => &request.unknown,
            Operation::Rerank(request) => &request.unknown,
            Operation::Moderate(request) => &request.unknown,
        }
    }

    /// The request for a target that sets these members.
    pub(crate) fn adapted(&self, parameters: &Parameters) -> Operation {
        match self {
            Operation::Chat(request) => Operation::Chat(parameters.apply(request)),
            Operation::Embed(request) => {
                let extra = Arc::new(parameters.extra_over(&request.extra));
                Operation::Embed(EmbedRequest { extra, ..request.clone() })
            }
            Operation::Models(_) => self.clone(),
            Operation::Rerank(request) => {
                let extra = parameters.extra_over(&request.extra);
                Operation::Rerank(RerankRequest { extra, ..request.clone() })
            }
            Operation::CountTokens(request) => {
                Operation::CountTokens(parameters.apply(request).counted())
            }
            Operation::Moderate(request) => {
                let extra = parameters.extra_over(&request.extra);
                Operation::Moderate(ModerateRequest { extra, ..request.clone() })
            }
        }
    }

    /// The parts in which this operation goes out, if its targets do not take it in one request.
    /// Each has the range of the inputs that it is about. `targets` come with the number of inputs
    /// that the configuration allows them.
    pub(crate) fn parts<'a>(
        &self,
        targets: impl Iterator<Item = (&'static dyn Provider, &'a Target, Option<usize>)>,
    ) -> Option<Vec<(Range<usize>, Operation)>> {
        match self {
            Operation::Embed(request) => {
                let part = |part: EmbedRequest| (part.part.clone(), Operation::Embed(part));
                Some(embed::parts(request, targets)?.into_iter().map(part).collect())
            }
            Operation::Chat(_)
            | Operation::Models(_)
            | Operation::Rerank(_)
            | Operation::CountTokens(_)
            | Operation::Moderate(_) => None,
        }
    }

    /// The same question about another page of a list.
    pub(crate) fn page(&self, page: String) -> Operation {
        match self {
            Operation::Models(request) => {
                Operation::Models(ModelsRequest { page: Some(page), ..request.clone() })
            }
            other @ (Operation::Chat(_)
            | Operation::Embed(_)
            | Operation::Rerank(_)
            | Operation::CountTokens(_)
            | Operation::Moderate(_)) => other.clone(),
        }
    }

    /// Whether a target can be asked about each input of this operation.
    pub(crate) fn check(&self, provider: &dyn Provider, target: &Target) -> Result<(), Error> {
        match self {
            Operation::Embed(request) => {
                embeddings::check(self.of(provider.embed(), target)?, request, target)
            }
            Operation::Chat(_)
            | Operation::Models(_)
            | Operation::Rerank(_)
            | Operation::CountTokens(_)
            | Operation::Moderate(_) => Ok(()),
        }
    }

    /// Encodes the wire request to a target. `notes` takes what its provider does not support. The
    /// error kind is `unsupported` if the provider does not have this operation.
    pub(crate) fn encode(
        &self,
        provider: &dyn Provider,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<wire::Request, Error> {
        match self {
            Operation::Chat(request) => {
                self.of(provider.chat(), target)?.encode(request, target, notes)
            }
            Operation::Embed(request) => {
                self.of(provider.embed(), target)?.encode(request, target, notes)
            }
            Operation::Models(request) => {
                self.of(provider.models(), target)?.encode(request, target)
            }
            Operation::Rerank(request) => {
                self.of(provider.rerank(), target)?.encode(request, target, notes)
            }
            Operation::CountTokens(request) => {
                self.of(provider.count_tokens(), target)?.encode(request, target, notes)
            }
            Operation::Moderate(request) => {
                self.of(provider.moderate(), target)?.encode(request, target, notes)
            }
        }
    }

    /// Decodes a whole answer of any status.
    pub(crate) fn decode(
        &self,
        provider: &dyn Provider,
        reply: &wire::Reply<'_>,
        target: &Target,
    ) -> Result<Decoded, Error> {
        match self {
            Operation::Chat(_) => {
                let chat = self.of(provider.chat(), target)?;
                chat.decode(reply, target).map(Decoded::Chat)
            }
            Operation::Embed(request) => {
                let embed = self.of(provider.embed(), target)?;
                embed.decode(reply, request, target).map(Decoded::Embed)
            }
            Operation::Models(_) => {
                let models = self.of(provider.models(), target)?;
                models.decode(reply, target).map(Decoded::Models)
            }
            Operation::Rerank(request) => {
                let rerank = self.of(provider.rerank(), target)?;
                rerank.decode(reply, request, target).map(Decoded::Rerank)
            }
            Operation::CountTokens(_) => {
                let count = self.of(provider.count_tokens(), target)?;
                count.decode(reply, target).map(Decoded::CountTokens)
            }
            Operation::Moderate(_) => {
                let moderate = self.of(provider.moderate(), target)?;
                moderate.decode(reply, target).map(Decoded::Moderate)
            }
        }
    }

    /// The reader of a streamed answer. `merge` joins adjacent text deltas.
    pub(crate) fn reader(
        &self,
        provider: &'static dyn Provider,
        target: &Target,
        merge: bool,
    ) -> Result<StreamReader, Error> {
        match self {
            Operation::Chat(_) => {
                let chat: &'static dyn Chat = self.of(provider.chat(), target)?;
                Ok(StreamReader::new(chat, target, merge))
            }
            Operation::Embed(_)
            | Operation::Models(_)
            | Operation::Rerank(_)
            | Operation::CountTokens(_)
            | Operation::Moderate(_) => self.of(None, target),
        }
    }

    fn of<T>(&self, adapter: Option<T>, target: &Target) -> Result<T, Error> {
        adapter.ok_or_else(|| {
            let message = format!(
                "{} has no operation {:?}: ask another provider",
                target.provider,
                self.name()
            );
            Error::new(ErrorKind::Unsupported, message).with(|e| e.param = Some("op".to_owned()))
        })
    }
}
