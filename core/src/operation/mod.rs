//! An operation is what can be asked. This is the one place that tells operations apart. A new
//! operation is a variant of each of these types, its arms here and a file beside this one.

mod chat;
mod envelope;
mod many;
mod models;
mod moderate;

pub(crate) use envelope::Envelope;
pub use many::Many;

use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::codec::{Fields, parse_object};
use crate::error::{Error, ErrorKind};
use crate::json::{Object, write};
use crate::model::{
    HttpCall, Liter, ModelList, ModelsRequest, ModelsResponse, ModerateRequest, ModerateResponse,
    Moderations, Options, Parameters, Request, Response, Usage, Warning,
};
use crate::provider::{Chat, Completion, Notes, Provider, StreamReader, Target};
use crate::wire;

/// A request to a provider.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all are chats, and a box would cost each")]
pub(crate) enum Operation {
    /// A chat completion.
    Chat(Request),
    /// A list of the models that a provider has.
    Models(ModelsRequest),
    /// A check of texts against a provider's rules.
    Moderate(ModerateRequest),
}

/// A provider's answer, before the engine adds its own members.
pub(crate) enum Decoded {
    Chat(Completion),
    Models(ModelList),
    Moderate(Moderations),
}

/// The document that answers an operation.
#[derive(Debug)]
pub enum Answer {
    /// The answer to a chat.
    Chat(Box<Response>),
    /// The answer to a request for models.
    Models(Box<ModelsResponse>),
    /// The answer to a moderation.
    Moderate(Box<ModerateResponse>),
}

/// A request document.
pub(crate) enum Asked {
    /// An operation, which each provider is asked in its own format.
    Operation(Operation),
    /// `http`: a request of the caller, passed through.
    Http(HttpCall),
}

/// Reads a request document and the options inside it. `options` come from beside the document, and
/// each of their members overrides the same member inside it.
pub(crate) fn parse(bytes: &[u8], options: Arc<Options>) -> Result<(Asked, Arc<Options>), Error> {
    let mut fields = Fields::new(parse_object(bytes, "request")?, "");
    let options = match fields.object("options")? {
        Some(object) => Arc::new(Options::clone(&options).or(Options::read(object)?)),
        None => options,
    };
    let asked = match fields.string("op")?.as_deref() {
        None | Some("chat") => Asked::Operation(Operation::Chat(Request::read(fields, &options)?)),
        Some("models") => {
            Asked::Operation(Operation::Models(ModelsRequest::read(fields, &options)?))
        }
        Some("moderate") => {
            Asked::Operation(Operation::Moderate(ModerateRequest::read(fields, &options)?))
        }
        Some("http") => Asked::Http(HttpCall::read(fields)?),
        // Tests use this operation to check that a panic stays inside.
        #[cfg(debug_assertions)]
        Some("debug_panic") => panic!("op debug_panic"),
        Some(_) => {
            let message = "op must be \"chat\", \"models\", \"moderate\" or \"http\": this build has \
                           no other operation";
            return Err(
                Error::new(ErrorKind::Unsupported, message).with(|e| e.param = Some("op".into()))
            );
        }
    };
    Ok((asked, options))
}

impl Request {
    /// Reads a chat request document and the options inside it. `options` come from beside the
    /// document, and each of their members overrides the same member inside it.
    pub fn parse(bytes: &[u8], options: Options) -> Result<(Request, Options), Error> {
        let (asked, options) = parse(bytes, Arc::new(options))?;
        match asked {
            Asked::Operation(Operation::Chat(request)) => {
                Ok((request, Arc::unwrap_or_clone(options)))
            }
            Asked::Operation(_) | Asked::Http(_) => {
                Err(Error::invalid("op", "op must be \"chat\" here: only a chat is answered so"))
            }
        }
    }
}

impl Operation {
    /// The operation's name in documents and metrics.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Operation::Chat(_) => "chat",
            Operation::Models(_) => "models",
            Operation::Moderate(_) => "moderate",
        }
    }

    /// The model that the request names.
    pub(crate) fn model(&self) -> Option<&str> {
        match self {
            Operation::Chat(request) => request.model.as_deref(),
            Operation::Models(request) => request.model.as_deref(),
            Operation::Moderate(request) => request.model.as_deref(),
        }
    }

    /// Whether the configuration's default models apply to this operation.
    pub(crate) fn wants_model(&self) -> bool {
        match self {
            Operation::Chat(_) => true,
            Operation::Models(_) | Operation::Moderate(_) => false,
        }
    }

    /// Whether the answer is wanted as a stream.
    pub(crate) fn streams(&self) -> bool {
        match self {
            Operation::Chat(request) => request.stream,
            Operation::Models(_) | Operation::Moderate(_) => false,
        }
    }

    /// The same operation, with a streamed or a whole answer.
    pub(crate) fn streamed(self, stream: bool) -> Operation {
        match self {
            Operation::Chat(request) => Operation::Chat(Request { stream, ..request }),
            whole @ (Operation::Models(_) | Operation::Moderate(_)) => whole,
        }
    }

    /// The largest number of tokens of the answer, if the request limits it.
    pub(crate) fn max_tokens(&self) -> Option<u64> {
        match self {
            Operation::Chat(request) => request.max_tokens,
            // These answers cost no tokens.
            Operation::Models(_) | Operation::Moderate(_) => Some(0),
        }
    }

    /// The members for one provider's body only, by the provider's name.
    pub(crate) fn extra(&self) -> Option<&Object> {
        match self {
            Operation::Chat(request) => Some(&request.extra),
            Operation::Models(_) => None,
            Operation::Moderate(request) => Some(&request.extra),
        }
    }

    /// The paths of members that are unknown.
    pub(crate) fn unknown(&self) -> &[String] {
        match self {
            Operation::Chat(request) => &request.unknown,
            Operation::Models(request) => &request.unknown,
            Operation::Moderate(request) => &request.unknown,
        }
    }

    /// The request for a target that sets these members.
    pub(crate) fn adapted(&self, parameters: &Parameters) -> Operation {
        match self {
            Operation::Chat(request) => Operation::Chat(parameters.apply(request)),
            Operation::Models(_) => self.clone(),
            Operation::Moderate(request) => {
                let extra = parameters.extra_over(&request.extra);
                Operation::Moderate(ModerateRequest { extra, ..request.clone() })
            }
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
            Operation::Models(request) => {
                self.of(provider.models(), target)?.encode(request, target)
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
            Operation::Models(_) => {
                let models = self.of(provider.models(), target)?;
                models.decode(reply, target).map(Decoded::Models)
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
            Operation::Models(_) | Operation::Moderate(_) => self.of(None, target),
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

impl Decoded {
    /// The document, with what the engine adds.
    pub(crate) fn into_answer(self, envelope: Envelope) -> Answer {
        match self {
            Decoded::Chat(completion) => {
                Answer::Chat(Box::new(chat::response(completion, envelope)))
            }
            Decoded::Models(list) => Answer::Models(Box::new(models::response(list, envelope))),
            Decoded::Moderate(answer) => {
                Answer::Moderate(Box::new(moderate::response(answer, envelope)))
            }
        }
    }

    /// The answer that a stream has built up.
    pub(crate) fn of_stream(reader: StreamReader) -> Decoded {
        Decoded::Chat(reader.into_completion())
    }

    /// The usage that the provider reports.
    pub(crate) fn usage(&self) -> Option<&Usage> {
        match self {
            Decoded::Chat(completion) => completion.usage.as_ref(),
            Decoded::Models(_) => None,
            Decoded::Moderate(answer) => answer.usage.as_ref(),
        }
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Answer::Chat(response) => response.serialize(serializer),
            Answer::Models(response) => response.serialize(serializer),
            Answer::Moderate(response) => response.serialize(serializer),
        }
    }
}

impl Answer {
    /// The document, compact and in canonical member order. It follows `room` zero bytes, which a
    /// caller can fill with data of its own.
    #[must_use]
    pub fn to_json_behind(&self, room: usize) -> Vec<u8> {
        match self {
            Answer::Chat(response) => response.to_json_behind(room),
            Answer::Models(response) => behind(room, &**response),
            Answer::Moderate(response) => behind(room, &**response),
        }
    }

    /// The name in the configuration of the provider that answered.
    #[must_use]
    pub fn provider(&self) -> &str {
        match self {
            Answer::Chat(response) => &response.provider,
            Answer::Models(response) => &response.provider,
            Answer::Moderate(response) => &response.provider,
        }
    }

    /// The model, as the provider names it.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        match self {
            Answer::Chat(response) => response.model.as_deref(),
            Answer::Models(_) => None,
            Answer::Moderate(response) => response.model.as_deref(),
        }
    }

    /// The usage that the provider reports.
    #[must_use]
    pub fn usage(&self) -> Option<&Usage> {
        match self {
            Answer::Chat(response) => response.usage.as_ref(),
            Answer::Models(_) => None,
            Answer::Moderate(response) => response.usage.as_ref(),
        }
    }

    /// The members that are volatile or added by the engine.
    #[must_use]
    pub fn liter(&self) -> &Liter {
        match self {
            Answer::Chat(response) => &response.liter,
            Answer::Models(response) => &response.liter,
            Answer::Moderate(response) => &response.liter,
        }
    }

    /// What the engine adds to the provider's own answer.
    pub(crate) fn additions(&mut self) -> (&mut Vec<Warning>, &mut Liter) {
        match self {
            Answer::Chat(response) => (&mut response.warnings, &mut response.liter),
            Answer::Models(response) => (&mut response.warnings, &mut response.liter),
            Answer::Moderate(response) => (&mut response.warnings, &mut response.liter),
        }
    }

    /// Returns the chat response, or an error if the answer is of another operation.
    pub fn chat(self) -> Result<Box<Response>, Error> {
        match self {
            Answer::Chat(response) => Ok(response),
            Answer::Models(_) | Answer::Moderate(_) => {
                Err(Error::invalid("op", "op must be \"chat\" here: only a chat is answered so"))
            }
        }
    }
}

fn behind(room: usize, document: &impl Serialize) -> Vec<u8> {
    let mut out = vec![0; room];
    write(&mut out, document);
    out
}
