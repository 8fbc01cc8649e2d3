//! A request document, and the operation that it asks for.

use std::sync::Arc;

use super::Operation;
use crate::codec::{Fields, parse_object};
use crate::error::{Error, ErrorKind};
use crate::model::{
    BudgetAsk, CachePurge, EmbedRequest, HttpCall, ModelsRequest, ModerateRequest, Options,
    Request, RerankRequest,
};

/// A request document.
pub(crate) enum Asked {
    /// An operation, which each provider is asked in its own format.
    Operation(Operation),
    /// `http`: a request of the caller, passed through.
    Http(HttpCall),
    /// `cache_purge`: nothing is sent.
    Purge(CachePurge),
    /// `budget`: nothing is sent.
    Budget(Box<BudgetAsk>),
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
        Some("embed") => Asked::Operation(Operation::Embed(EmbedRequest::read(fields, &options)?)),
        Some("models") => {
            Asked::Operation(Operation::Models(ModelsRequest::read(fields, &options)?))
        }
        Some("rerank") => {
            Asked::Operation(Operation::Rerank(RerankRequest::read(fields, &options)?))
        }
        Some("count_tokens") => {
            Asked::Operation(Operation::CountTokens(Request::read_counted(fields, &options)?))
        }
        Some("moderate") => {
            Asked::Operation(Operation::Moderate(ModerateRequest::read(fields, &options)?))
        }
        Some("http") => Asked::Http(HttpCall::read(fields)?),
        Some("cache_purge") => Asked::Purge(CachePurge::read(fields)?),
        Some("budget") => Asked::Budget(Box::new(BudgetAsk::read(fields)?)),
        // Tests use this operation to check that a panic stays inside.
        #[cfg(debug_assertions)]
        Some("debug_panic") => panic!("op debug_panic"),
        Some(_) => {
            let message = "op must be \"chat\", \"embed\", \"rerank\", \"models\", \"moderate\", \
                           \"count_tokens\", \"http\", \"cache_purge\" or \"budget\": this build has no \
                           other operation";
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
            Asked::Operation(_) | Asked::Http(_) | Asked::Purge(_) | Asked::Budget(_) => {
                Err(Error::invalid("op", "op must be \"chat\" here: only a chat is answered so"))
            }
        }
    }
}
