//! Writes the members that only some providers know.

use super::Notes;
use crate::codec::Object;
use crate::error::Error;
use crate::model::Request;

/// Writes those that a provider takes, by `(our name, its name)`. The others are noted as left out.
pub(super) fn write(
    request: &Request,
    takes: &[(&str, &'static str)],
    provider: &str,
    body: &mut Object,
    notes: &mut Notes,
) -> Result<(), Error> {
    for (name, value) in &request.further {
        match takes.iter().find(|(ours, _)| ours == name) {
            Some((_, theirs)) => {
                body.insert(*theirs, value.clone());
            }
            None => notes.unsupported(name, format!("{provider} takes no {name}"))?,
        }
    }
    Ok(())
}
