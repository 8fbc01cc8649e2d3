//! Parameters are the members that a route's target sets in its requests.

use super::read::read_reasoning;
use super::request::{Reasoning, Request};
use crate::codec::{Fields, Object, wrong};
use crate::error::Error;
use crate::json::{Number, Value};

/// The members of a request that a target sets.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    max_tokens: Option<u64>,
    temperature: Option<Number>,
    top_p: Option<Number>,
    seed: Option<Number>,
    reasoning: Option<Reasoning>,
    extra: Object,
}

impl Parameters {
    /// The largest number of tokens of the answer.
    #[must_use]
    pub fn max_tokens(&self) -> Option<u64> {
        self.max_tokens
    }

    /// The request for this target.
    #[must_use]
    pub fn apply(&self, request: &Request) -> Request {
        let mut request = request.clone();
        request.max_tokens = self.max_tokens.or(request.max_tokens);
        request.temperature = self.temperature.clone().or(request.temperature);
        request.top_p = self.top_p.clone().or(request.top_p);
        request.seed = self.seed.clone().or(request.seed);
        request.reasoning = self.reasoning.clone().or(request.reasoning);
        request.extra = self.extra_over(&request.extra);
        request
    }

    /// Members for one provider's body only. The target's members override those of the request.
    pub(crate) fn extra_over(&self, asked: &Object) -> Object {
        let mut extra = asked.clone();
        for (provider, members) in self.extra.iter() {
            match (extra.get_mut(provider.as_str()), members) {
                (_, Value::Null) => {}
                (Some(Value::Object(had)), Value::Object(members)) => {
                    for (name, value) in members.iter() {
                        had.insert(name.clone(), value.clone());
                    }
                }
                _ => {
                    extra.insert(provider.clone(), members.clone());
                }
            }
        }
        extra
    }

    pub(crate) fn read(mut fields: Fields) -> Result<Parameters, Error> {
        let mut unknown = Vec::new();
        let parameters = Parameters {
            max_tokens: fields.whole("max_tokens", 1)?,
            temperature: fields.number("temperature")?,
            top_p: fields.number("top_p")?,
            seed: fields.number("seed")?,
            reasoning: read_reasoning(&mut fields, &mut unknown)?,
            extra: fields.object("extra")?.unwrap_or_default(),
        };
        for (provider, members) in parameters.extra.iter() {
            if !members.is_object() && !members.is_null() {
                return Err(wrong(
                    &format!("{}.{provider}", fields.at("extra")),
                    "an object",
                    members,
                ));
            }
        }
        fields.rest_into(&mut unknown);
        match unknown.first() {
            None => Ok(parameters),
            Some(path) => Err(Error::invalid(
                path.as_str(),
                format!(
                    "{path} cannot be set by a target: max_tokens, temperature, top_p, seed, \
                     reasoning and extra can"
                ),
            )),
        }
    }
}
