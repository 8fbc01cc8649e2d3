//! Adapts requests to what providers are known to refuse, before anything is sent. It is one table,
//! with a row for each fact.
//!
//! Each change is a warning, or an error of kind `unsupported` if the caller wants no changes
//! (`options.unsupported: "error"`). The rules for messages stand beside each dialect.

pub(super) mod models;
pub(super) mod schema;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;

use super::{Notes, Target};
use crate::codec::Object;
use crate::error::Error;
use crate::json::Value;
use crate::model::{Request, ResponseFormat, Tool};
use models::ModelRule;
use schema::Dialect;

/// What one provider refuses.
#[derive(Debug)]
pub struct Rules {
    /// Texts that end an answer must have a character beside white space.
    pub blank_stops: bool,
    /// The dialect of JSON Schema for the schemas of an answer and of strict tools.
    pub schema: Option<Dialect>,
    /// Models that take less than the others.
    pub models: &'static [ModelRule],
}

/// What every server refuses or is free to refuse: `tool_choice` and `parallel_tool_calls` without
/// tools ("only allowed when 'tools' are specified", OpenAI [rec]), and empty stop texts.
pub const COMMON: Rules = Rules { blank_stops: false, schema: None, models: &[] };

/// OpenAI: strict schemas close each object, require each member, and have no `oneOf` or `default`
/// [doc]; reasoning models refuse more [rec].
pub const OPENAI: Rules =
    Rules { schema: Some(Dialect::OpenAiStrict), models: models::OPENAI, ..COMMON };

/// A server of which nothing is known: it may serve OpenAI's models under their names.
pub const COMPATIBLE: Rules = Rules { models: models::OPENAI, ..COMMON };

/// Anthropic: "each stop sequence must contain non-whitespace" (BerriAI/litellm#3286); schemas in
/// the form that its SDK gives them [sdk 2.14].
pub const ANTHROPIC: Rules =
    Rules { blank_stops: true, schema: Some(Dialect::Anthropic), ..COMMON };

/// The request in the form that this provider takes.
pub(super) fn adapted<'a>(
    request: &'a Request,
    rules: &Rules,
    target: &Target,
    extra: &Object,
    notes: &mut Notes,
) -> Result<Cow<'a, Request>, Error> {
    let mut request = Cow::Borrowed(request);
    stops(&mut request, rules, notes)?;
    choice(&mut request, extra, notes)?;
    models::adapt(&mut request, rules.models, target, notes)?;
    if let Some(dialect) = rules.schema {
        schemas(&mut request, dialect, notes)?;
    }
    Ok(request)
}

fn stops(request: &mut Cow<'_, Request>, rules: &Rules, notes: &mut Notes) -> Result<(), Error> {
    let refused = |stop: &String| stop.is_empty() || rules.blank_stops && stop.trim().is_empty();
    for (i, _) in request.stop.iter().enumerate().filter(|(_, stop)| refused(stop)) {
        let text = "a text that ends the answer needs more than white space here: it is left out";
        notes.unsupported(&format!("stop[{i}]"), text)?;
    }
    if request.stop.iter().any(refused) {
        request.to_mut().stop.retain(|stop| !refused(stop));
    }
    Ok(())
}

fn choice(request: &mut Cow<'_, Request>, extra: &Object, notes: &mut Notes) -> Result<(), Error> {
    if !request.tools.is_empty() || extra.contains_key("tools") {
        return Ok(());
    }
    for (name, given) in [
        ("tool_choice", request.tool_choice.is_some()),
        ("parallel_tool_calls", request.parallel_tool_calls.is_some()),
    ] {
        if given {
            notes.unsupported(name, format!("{name} is refused without tools: it is left out"))?;
        }
    }
    if request.tool_choice.is_some() || request.parallel_tool_calls.is_some() {
        let request = request.to_mut();
        (request.tool_choice, request.parallel_tool_calls) = (None, None);
    }
    Ok(())
}

fn schemas(
    request: &mut Cow<'_, Request>,
    dialect: Dialect,
    notes: &mut Notes,
) -> Result<(), Error> {
    if let Some(ResponseFormat::JsonSchema { schema, strict, .. }) =
        request.response_format.as_deref()
        && dialect.holds(*strict, true)
        && let Some(better) = better(schema, dialect, "response_format.json_schema.schema", notes)?
        && let Some(ResponseFormat::JsonSchema { schema, .. }) =
            request.to_mut().response_format.as_deref_mut()
    {
        *schema = better;
    }
    for i in 0..request.tools.len() {
        if let Tool::Function { parameters: Some(schema), strict, .. } = &request.tools[i]
            && dialect.holds(*strict, false)
            && let path = format!("tools[{i}].function.parameters")
            && let Some(better) = better(schema, dialect, &path, notes)?
            && let Tool::Function { parameters, .. } =
                &mut Arc::make_mut(&mut request.to_mut().tools)[i]
        {
            *parameters = Some(better);
        }
    }
    Ok(())
}

/// The schema in the provider's dialect. `None` if it already is.
fn better(
    schema: &Value,
    dialect: Dialect,
    path: &str,
    notes: &mut Notes,
) -> Result<Option<Value>, Error> {
    let (better, changes) = schema::adapted(schema, dialect);
    if changes.is_empty() {
        return Ok(None);
    }
    let text =
        format!("the schema is brought into this provider's dialect: {}", changes.join(", "));
    notes.adjusted(path, text)?;
    Ok(Some(better))
}
