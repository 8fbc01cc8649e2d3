//! Where a provider's tokens of Google come from: the entry's `google`, or else the environment, in
//! the order of Google's libraries [sdk].

use std::path::PathBuf;
use std::sync::Arc;

use super::surroundings::Surroundings;
use crate::auth::KeyRef;
use crate::auth::google::{Settings, Source};
use crate::auth::near;
use crate::codec::{Fields, finish, url};
use crate::error::Error;
use crate::http;
use crate::provider::Row;

/// The metadata server of a machine, by its address: its name would be looked up anywhere.
const MACHINE: &str = "169.254.169.254";

/// Reads `google` of an entry. `None` means that no token is asked for: the provider takes none, or
/// it has a key, or a header that stands for it.
pub(super) fn read(
    row: &Row,
    fields: &mut Fields,
    http: &http::Settings,
    key: &KeyRef,
    around: &Surroundings<'_>,
) -> Result<Option<Arc<Settings>>, Error> {
    if !row.takes_google() {
        return Ok(None);
    }
    let (path, given) = (fields.at("google"), fields.object("google")?);
    if !matches!(key, KeyRef::None) {
        if given.is_some() {
            let message = format!("{path} and api_key are two ways to say who asks: give one");
            return Err(Error::invalid(path, message));
        }
        return Ok(None);
    }
    if given.is_none() && http.headers.iter().any(|(name, _)| *name == "authorization") {
        return Ok(None);
    }
    let own = match given {
        Some(object) => own(Fields::new(object, path), around)?,
        None => None,
    };
    let environment = around.environment();
    Ok(Some(Arc::new(Settings {
        sources: own.map_or_else(|| of_environment(around), |source| vec![source]),
        reach: around.reach(),
        quota_project: environment.some("GOOGLE_CLOUD_QUOTA_PROJECT"),
    })))
}

/// The source that an entry names.
fn own(mut fields: Fields, around: &Surroundings<'_>) -> Result<Option<Source>, Error> {
    let path = fields.at("credentials");
    let text = fields.string("credentials")?;
    finish(fields, "google")?;
    let Some(text) = text else { return Ok(None) };
    Ok(Some(match KeyRef::parse(&path, &text, around.environment())? {
        KeyRef::File(path) => Source::File { path, asked: true },
        // A document begins with a brace, and anything else is a path.
        KeyRef::Literal(_) if !text.trim_start().starts_with('{') => {
            Source::File { path: PathBuf::from(text), asked: true }
        }
        other => Source::Text(other),
    }))
}

/// The sources of the environment.
fn of_environment(around: &Surroundings<'_>) -> Vec<Source> {
    let environment = around.environment();
    let mut sources = Vec::new();
    if let Some(path) = environment.some("GOOGLE_APPLICATION_CREDENTIALS") {
        sources.push(Source::File { path: PathBuf::from(path), asked: true });
    }
    let home = |name: &str| environment.some(name).map(PathBuf::from);
    let folder = home("CLOUDSDK_CONFIG")
        .or_else(|| Some(home("HOME")?.join(".config/gcloud")))
        .or_else(|| Some(home("APPDATA")?.join("gcloud")));
    if let Some(folder) = folder {
        let path = folder.join("application_default_credentials.json");
        sources.push(Source::File { path, asked: false });
    }
    let named = environment.some("GCE_METADATA_HOST");
    let host = named.as_deref().unwrap_or(MACHINE);
    sources.push(match url::read(&format!("http://{host}")) {
        Ok(at) => {
            let http = Box::new(around.reach().to(at, near()));
            Source::Metadata { http, asked: named.is_some() }
        }
        Err(fault) => Source::Wrong(format!("GCE_METADATA_HOST is not a usable host: {fault}")),
    });
    sources
}
