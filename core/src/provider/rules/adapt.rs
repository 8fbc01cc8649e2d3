//! Applies the table to a request.

use std::borrow::Cow;
use std::sync::Arc;

use super::Rules;
use super::models::ModelRule;
use super::schema::{self, Dialect};
use crate::codec::Object;
use crate::error::Error;
use crate::json::{Number, Value};
use crate::model::{Request, ResponseFormat, Tool};
use crate::provider::{Notes, Target};

/// The request in the form that this provider takes.
pub(in crate::provider) fn adapted<'a>(
    request: &'a Request,
    rules: &Rules,
    target: &Target,
    extra: &Object,
    notes: &mut Notes,
) -> Result<Cow<'a, Request>, Error> {
    let mut request = Cow::Borrowed(request);
    if !notes.adapts() {
        return Ok(request);
    }
    stops(&mut request, rules, notes)?;
    choice(&mut request, extra, notes)?;
    by_model(&mut request, rules.models, target, notes)?;
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
    if let Some(most) = rules.most_stops.filter(|most| *most < request.stop.len()) {
        let text = format!("at most {most} texts can end an answer here: the others are left out");
        notes.unsupported("stop", text)?;
        request.to_mut().stop.truncate(most);
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
    recursions(request, dialect, notes)?;
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

/// Leaves out what a dialect without recursion cannot say: the form of an answer, and a tool's mark
/// that its schema binds. The model still sees the tool's schema.
fn recursions(
    request: &mut Cow<'_, Request>,
    dialect: Dialect,
    notes: &mut Notes,
) -> Result<(), Error> {
    if dialect.has_recursion() {
        return Ok(());
    }
    if let Some(ResponseFormat::JsonSchema { schema, .. }) = request.response_format.as_deref()
        && schema::refers_to_itself(schema)
    {
        let text = "a schema that refers to itself is refused here: the form is left out, so ask \
                    for it in the prompt";
        notes.unsupported("response_format.json_schema.schema", text)?;
        request.to_mut().response_format = None;
    }
    for i in 0..request.tools.len() {
        if let Tool::Function { parameters: Some(schema), strict: Some(true), .. } =
            &request.tools[i]
            && schema::refers_to_itself(schema)
        {
            let text = "a strict schema that refers to itself is refused here: the tool is not \
                        strict";
            notes.unsupported(&format!("tools[{i}].function.strict"), text)?;
            if let Tool::Function { strict, .. } =
                &mut Arc::make_mut(&mut request.to_mut().tools)[i]
            {
                *strict = None;
            }
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

/// Leaves out what the model refuses.
fn by_model(
    request: &mut Cow<'_, Request>,
    rules: &[ModelRule],
    target: &Target,
    notes: &mut Notes,
) -> Result<(), Error> {
    if !rules.iter().any(|rule| rule.is_about(&target.model)) {
        return Ok(());
    }
    let asks = |given: &Option<Number>, default: f64| {
        given.as_ref().is_some_and(|number| number.as_f64() != Some(default))
    };
    let mut refuse = |name: &str| {
        notes.unsupported(name, format!("{} takes no {name}: it is left out", target.model))
    };
    if asks(&request.temperature, 1.0) {
        refuse("temperature")?;
        request.to_mut().temperature = None;
    }
    if asks(&request.top_p, 1.0) {
        refuse("top_p")?;
        request.to_mut().top_p = None;
    }
    if asks(&request.presence_penalty, 0.0) {
        refuse("presence_penalty")?;
        request.to_mut().presence_penalty = None;
    }
    if asks(&request.frequency_penalty, 0.0) {
        refuse("frequency_penalty")?;
        request.to_mut().frequency_penalty = None;
    }
    if !request.stop.is_empty() {
        refuse("stop")?;
        request.to_mut().stop.clear();
    }
    Ok(())
}
