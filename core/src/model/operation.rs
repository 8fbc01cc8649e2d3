//! What a request document asks for: the one place that reads `op`.

use super::http::HttpCall;
use super::options::Options;
use super::request::Request;
use crate::codec::{Fields, parse_object};
use crate::error::{Error, ErrorKind};

/// A request document, by its operation.
#[derive(Clone, Debug)]
pub enum Operation {
    /// `chat`, which is also what a document without `op` asks for.
    Chat(Request),
    /// `http`: a request of the caller's own, passed through.
    Http(HttpCall),
}

impl Operation {
    /// Reads a request document and the options that lie in it; `options`, given beside it, win
    /// member by member.
    pub fn parse(bytes: &[u8], options: Options) -> Result<(Operation, Options), Error> {
        let mut fields = Fields::new(parse_object(bytes, "request")?, "");
        let options = match fields.object("options")? {
            Some(object) => options.or(Options::read(object)?),
            None => options,
        };
        let operation = match fields.string("op")?.as_deref() {
            None | Some("chat") => Operation::Chat(Request::read(fields, &options)?),
            Some("http") => Operation::Http(HttpCall::read(fields)?),
            // The tests' way to see that a panic stays inside.
            #[cfg(debug_assertions)]
            Some("debug_panic") => panic!("op debug_panic"),
            Some(_) => {
                let message = "op must be \"chat\" or \"http\": this build has no other operation";
                return Err(Error::new(ErrorKind::Unsupported, message)
                    .with(|e| e.param = Some("op".into())));
            }
        };
        Ok((operation, options))
    }

    /// The chat request.
    pub fn chat(self) -> Result<Request, Error> {
        match self {
            Operation::Chat(request) => Ok(request),
            Operation::Http(_) => {
                Err(Error::invalid("op", "op must be \"chat\" here: only a chat is answered so"))
            }
        }
    }
}
