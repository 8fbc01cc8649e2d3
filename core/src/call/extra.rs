//! The members that a request's `extra` may set in a provider's body.
//!
//! `extra` is laid over the body that the adapter wrote. What limits, routes and a host's policy
//! have looked at by then is not replaced, unless the provider's entry in the configuration says
//! so. What the configuration itself sets for a target is not checked.

use crate::config::LOOKED_AT;
use crate::error::Error;
use crate::json::Value;
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
            let refused =
                |member: &&&str| members.contains_key(member) && !allowed.contains(*member);
            if let Some(member) = LOOKED_AT.iter().find(refused) {
                let path = format!("extra.{name}.{member}");
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
