//! The members that a request's `extra` may set in a provider's body.
//!
//! `extra` is laid over the body that the adapter wrote. What limits, routes and a host's policy
//! have looked at by then is not replaced, unless the provider's entry in the configuration says
//! so. What the configuration itself sets for a target is not checked.

use crate::config::LOOKED_AT;
use crate::error::Error;
use crate::json::{Object, Value};
use crate::operation::Operation;
use crate::services::Services;
use crate::target::ChosenTarget;

/// Refuses a request whose `extra` replaces such a member at one of its targets.
pub(super) fn check(
    services: &Services,
    operation: &Operation,
    targets: &[ChosenTarget],
) -> Result<(), Error> {
    let Some(extra) = operation.extra().filter(|extra| !extra.is_empty()) else { return Ok(()) };
    for settings in targets.iter().map(|target| services.settings(target)) {
        for name in [settings.row.name, &*settings.name] {
            let Some(Value::Object(members)) = extra.get(name) else { continue };
            let allowed = &settings.extra_may_replace;
            let of_it = LOOKED_AT.iter().filter(|member| concerns(operation, member));
            let denied = of_it.filter(|member| !allowed.contains(*member));
            let found = denied.filter_map(|member| Some((member, replaced(members, member)?)));
            if let Some((member, at)) = found.into_iter().next() {
                let path = format!("extra.{name}.{at}");
                let message = format!(
                    "{path} would replace what limits and policies have looked at: set it in the \
                     request itself, or list {member} in providers.{}.extra_may_replace of the \
                     configuration",
                    settings.name
                );
                return Err(Error::invalid(path, message));
            }
        }
    }
    Ok(())
}

/// Whether a member of the body means for this operation what was looked at. A chat's `documents` are
/// Cohere's sources, and its `top_k` is a way to sample.
fn concerns(operation: &Operation, member: &str) -> bool {
    match member {
        "query" | "documents" | "top_n" | "top_k" => matches!(operation, Operation::Rerank(_)),
        "images" => matches!(operation, Operation::Embed(_)),
        _ => true,
    }
}

/// Where `members` replace the member at this path, in their own spelling.
fn replaced(members: &Object, path: &str) -> Option<String> {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let mut named = members.iter().filter(|(own, _)| **own == *name || **own == *snake_case(name));
    named.find_map(|(own, value)| match value {
        Value::Object(inner) if !rest.is_empty() => {
            replaced(inner, rest).map(|at| format!("{own}.{at}"))
        }
        // What is no object replaces the whole one.
        _ => Some(own.to_string()),
    })
}

/// `max_output_tokens` for `maxOutputTokens`.
fn snake_case(name: &str) -> String {
    let letter = |letter: char| match letter.is_ascii_uppercase() {
        true => vec!['_', letter.to_ascii_lowercase()],
        false => vec![letter],
    };
    name.chars().flat_map(letter).collect()
}
