//! The members of an entry that say where its provider is.

use super::environment::Environment;
use crate::error::Error;
use crate::provider::Row;

/// The members of an entry that say where its provider is.
pub(super) struct Members<'a> {
    pub(super) row: &'a Row,
    /// The base URL where nothing else is said; "" if there is none.
    pub(super) built_in: String,
    /// Their paths in the configuration, for messages.
    pub(super) at: &'a dyn Fn(&str) -> String,
    pub(super) environment: &'a Environment,
    /// The base URL, of the entry or of the environment.
    pub(super) base_url: Option<String>,
    pub(super) region: Option<String>,
    pub(super) location: Option<String>,
    pub(super) project: Option<String>,
    pub(super) resource: Option<String>,
    pub(super) api_version: Option<&'a str>,
}

impl Members<'_> {
    /// An error about one of them.
    pub(super) fn wrong(&self, name: &str, reason: impl AsRef<str>) -> Error {
        let path = (self.at)(name);
        let message = format!("{path} {}", reason.as_ref());
        Error::invalid(path, message)
    }

    /// Members that only other kinds have.
    pub(super) fn refuse_foreign(&self) -> Result<(), Error> {
        let row = self.row;
        for (name, given, taken, whose) in [
            ("project", self.project.is_some(), row.takes_project(), "Vertex"),
            ("location", self.location.is_some(), row.takes_project(), "Vertex"),
            ("resource", self.resource.is_some(), row.takes_resource(), "Azure"),
        ] {
            if given && !taken {
                let reason = format!("is a member of {whose}'s entries: {} has none", row.name);
                return Err(self.wrong(name, reason));
            }
        }
        Ok(())
    }
}
