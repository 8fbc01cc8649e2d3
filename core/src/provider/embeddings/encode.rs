//! Requests for embeddings in OpenAI's form.

use super::form::{Cut, Form};
use super::{check, extra, model, no_cut, no_encoding, no_refusal, read};
use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{EmbedInput, EmbedRequest, Embeddings, Encoding, InputType, Part, Truncate};
use crate::provider::most::Most;
use crate::provider::{Embed, Notes, Target, deployment};
use crate::wire::{Reply, Request};

impl Form {
    /// How the answer's vectors are to be written, which is not always what was asked for.
    fn encoding(&self, request: &EmbedRequest) -> Encoding {
        let wanted = request.encoding;
        if wanted.is_float() || self.encodings.contains(&wanted) {
            wanted
        } else {
            Encoding::Base64
        }
    }

    /// Adds how the vectors are to be written.
    fn add_encoding(
        &self,
        body: &mut Object,
        request: &EmbedRequest,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<(), Error> {
        if let Some((member, word)) = self.base64 {
            body.insert(member, word);
        }
        if self.encodings.contains(&request.encoding) {
            body.insert(self.numbers, request.encoding.name());
        } else if !request.encoding.is_float() {
            notes.unsupported("encoding", no_encoding(target, request.encoding))?;
        }
        Ok(())
    }

    fn add_type(
        &self,
        body: &mut Object,
        asked: InputType,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<(), Error> {
        let (member, words) = self.input_type;
        match words[asked as usize] {
            "" => {
                let (provider, name) = (&target.provider, asked.name());
                let message = format!("{provider} cannot be told that an input is a {name}");
                notes.unsupported("input_type", message)
            }
            word => {
                body.insert(member, word);
                Ok(())
            }
        }
    }

    fn add_truncate(
        &self,
        body: &mut Object,
        asked: Truncate,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<(), Error> {
        let message = match (asked, self.cut) {
            (Truncate::None | Truncate::End, Cut::Member(member)) => {
                body.insert(member, asked == Truncate::End);
                return Ok(());
            }
            (Truncate::None, Cut::Never) => return Ok(()),
            (Truncate::None, Cut::Unknown) => no_refusal(target),
            (Truncate::Start | Truncate::End, _) => no_cut(target),
        };
        notes.unsupported("truncate", message)
    }

    /// An input that the server does not refuse.
    fn input(input: &EmbedInput) -> Value {
        match input {
            EmbedInput::Text(text) => Value::from(text),
            EmbedInput::Tokens(tokens) => Value::Array(tokens.clone()),
            EmbedInput::Parts(parts) => match parts.first() {
                Some(Part::Text { text, .. }) => Value::from(text),
                Some(Part::Image { url, .. }) => {
                    // It takes the data alone [doc].
                    let data = url.split_once(";base64,").map_or(url.as_str(), |(_, data)| data);
                    json!({ "image": data })
                }
                Some(Part::Audio { .. } | Part::File { .. }) | None => Value::Null,
            },
        }
    }
}

impl Embed for Form {
    fn most(&self, request: &EmbedRequest, _target: &Target) -> Most {
        self.most.that_fits(request, self.base64.is_some() && self.packs)
    }

    fn refuses(&self, input: &EmbedInput, _target: &Target) -> Option<&'static str> {
        match input {
            EmbedInput::Text(_) => None,
            EmbedInput::Tokens(_) => (!self.tokens).then_some("lists of tokens, but texts"),
            EmbedInput::Parts(parts) => match parts.as_slice() {
                [Part::Text { .. }] => None,
                [Part::Image { .. }] if self.images => None,
                [_] => Some("images"),
                _ => Some("several parts together"),
            },
        }
    }

    fn encode(
        &self,
        request: &EmbedRequest,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<Request, Error> {
        let mut body = Object::new();
        body.insert("model", model(target)?);
        check(self, request, target)?;
        let inputs: Vec<Value> = request.asked().iter().map(Self::input).collect();
        // A server that takes images takes objects beside texts, and no mix of both.
        let mixed = self.images && inputs.iter().any(Value::is_object);
        let object =
            |input: Value| if input.is_object() { input } else { json!({ "text": input }) };
        let inputs = if mixed { inputs.into_iter().map(object).collect() } else { inputs };
        body.insert("input", inputs);
        self.add_encoding(&mut body, request, target, notes)?;
        match (request.dimensions, self.dimensions) {
            (None, _) => {}
            (Some(_), "") => {
                let message = format!("{} has no choice of dimensions", target.provider);
                notes.unsupported("dimensions", message)?;
            }
            (Some(dimensions), member) => drop(body.insert(member, dimensions)),
        }
        if let Some(asked) = request.input_type {
            self.add_type(&mut body, asked, target, notes)?;
        }
        if let Some(asked) = request.truncate {
            self.add_truncate(&mut body, asked, target, notes)?;
        }
        body.extend(extra(request, target, self.encoding(request))?);
        if self.deployments {
            return deployment::post(target, "/embeddings", body.to_json());
        }
        Ok(Request::post("/embeddings", body.to_json()))
    }

    fn decode(
        &self,
        reply: &Reply<'_>,
        request: &EmbedRequest,
        target: &Target,
    ) -> Result<Embeddings, Error> {
        read::answer(reply, request, target, self.encoding(request))
    }
}
