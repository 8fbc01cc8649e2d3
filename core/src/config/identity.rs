//! What stands in the place of a key: keys of AWS that sign, or tokens of Google or of Entra ID.

#[cfg(any(feature = "aws", feature = "azure", feature = "google"))]
use std::sync::Arc;

use super::environment::Environment;
use super::surroundings::{Surroundings, Way};
use crate::auth::KeyRef;
#[cfg(feature = "aws")]
use crate::auth::aws;
#[cfg(feature = "azure")]
use crate::auth::azure;
#[cfg(feature = "google")]
use crate::auth::google;
use crate::codec::Fields;
use crate::error::Error;
use crate::provider::Row;
use crate::wire::Scheme;

/// What stands in the place of a provider's key.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// AWS's keys, which sign.
    #[cfg(feature = "aws")]
    pub aws: Option<Arc<aws::Settings>>,
    /// Google's tokens.
    #[cfg(feature = "google")]
    pub google: Option<Arc<google::Settings>>,
    /// Entra ID's tokens.
    #[cfg(feature = "azure")]
    pub entra: Option<Arc<azure::Settings>>,
}

impl Identity {
    /// Reads `aws`, `google` and `entra` of an entry.
    pub(super) fn read(
        row: &Row,
        fields: &mut Fields,
        way: &Way<'_>,
        key: &KeyRef,
        around: &Surroundings<'_>,
    ) -> Result<Identity, Error> {
        // Without these features nothing looks at them.
        let _ = (way.http, key, around);
        let identity = Identity {
            #[cfg(feature = "aws")]
            aws: super::aws::read(row, fields, way, key, around)?,
            #[cfg(feature = "google")]
            google: super::google::read(row, fields, way.http, key, around)?,
            #[cfg(feature = "azure")]
            entra: super::entra::read(row, fields, key, around)?,
        };
        refuse_unbuilt(row, fields)?;
        Ok(identity)
    }

    /// How what stands in the place of the key is sent, if not as the key is.
    pub(super) fn scheme(&self) -> Option<Scheme> {
        #[cfg(feature = "azure")]
        return self.entra.as_ref().map(|_| Scheme::Bearer);
        #[cfg(not(feature = "azure"))]
        None
    }
}

/// Reads `api_key`.
pub(super) fn read_key(
    row: &Row,
    fields: &mut Fields,
    environment: &Environment,
) -> Result<KeyRef, Error> {
    match fields.string("api_key")? {
        Some(text) => KeyRef::parse(&fields.at("api_key"), &text, environment),
        None if row.key_env.is_empty() => Ok(KeyRef::None),
        None => Ok(KeyRef::of_variable(row.key_env, |name| environment.get(name))),
    }
}

/// Refuses credentials that this library was built without.
fn refuse_unbuilt(row: &Row, fields: &mut Fields) -> Result<(), Error> {
    for (member, feature, is_built, is_taken) in [
        ("aws", "aws", cfg!(feature = "aws"), row.signed_service().is_some()),
        ("google", "google", cfg!(feature = "google"), row.takes_google()),
        ("entra", "azure", cfg!(feature = "azure"), row.takes_entra()),
    ] {
        if !is_built && is_taken && fields.value(member).is_some() {
            let path = fields.at(member);
            return Err(Error::not_built(path.as_str(), &path, feature));
        }
    }
    Ok(())
}
