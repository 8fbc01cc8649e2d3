//! Where a provider's tokens of Entra ID come from: the entry's `entra`, or else the environment, in
//! the order of Azure's libraries [sdk].

use std::path::PathBuf;
use std::sync::Arc;

use secrecy::SecretString;

use super::environment::Environment;
use super::surroundings::Surroundings;
use crate::auth::azure::{App, Settings, Source};
use crate::auth::{KeyRef, far, near, near_url, secret_url};
use crate::codec::{Fields, finish, url};
use crate::error::Error;
use crate::provider::Row;

/// Azure's public cloud [sdk].
const AUTHORITY: &str = "https://login.microsoftonline.com";

/// What tokens are for [sdk, doc].
const SCOPE: &str = "https://cognitiveservices.azure.com/.default";

/// The metadata server of a machine [doc].
const MACHINE: &str = "http://169.254.169.254";

/// Reads `entra` of an entry. `None` means that no token is asked for: the provider takes none, or it
/// has a key.
pub(super) fn read(
    row: &Row,
    fields: &mut Fields,
    key: &KeyRef,
    around: &Surroundings<'_>,
) -> Result<Option<Arc<Settings>>, Error> {
    if !row.takes_entra() {
        return Ok(None);
    }
    let (path, given) = (fields.at("entra"), fields.object("entra")?);
    let of_variable = matches!(key, KeyRef::Env(name, _) if name == row.key_env);
    let keyless = matches!(key, KeyRef::Env(name, None) if name == row.key_env);
    let Some(object) = given else {
        let asks = keyless && names_any(around.environment());
        let sources = || of_environment(&Given::default(), false, around);
        return Ok(asks.then(|| Arc::new(Settings { sources: sources(), scope: SCOPE.to_owned() })));
    };
    if !of_variable {
        let message = format!("{path} and api_key are two ways to say who asks: give one");
        return Err(Error::invalid(path, message));
    }
    let mut fields = Fields::new(object, path);
    let scope = fields.string("scope")?.unwrap_or_else(|| SCOPE.to_owned());
    let given = Given::read(&mut fields, around.environment())?;
    let at = fields.at("authority_host");
    finish(fields, "entra")?;
    let sources = given.sources(&at, around)?;
    Ok(Some(Arc::new(Settings { sources, scope })))
}

/// Whether the environment says anything of an identity: a machine is asked for its own only then, as
/// most machines have none and each call would wait for it.
fn names_any(environment: &Environment) -> bool {
    let app = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID"];
    app.iter().all(|name| environment.some(name).is_some())
        || environment.some("IDENTITY_ENDPOINT").is_some()
}

/// What an entry says of an identity.
#[derive(Default)]
struct Given {
    tenant: Option<String>,
    client: Option<String>,
    authority: Option<String>,
    secret: Option<KeyRef>,
    certificate: Option<PathBuf>,
    token: Option<PathBuf>,
}

impl Given {
    fn read(fields: &mut Fields, environment: &Environment) -> Result<Given, Error> {
        let path = fields.at("client_secret");
        let secret = fields.string("client_secret")?;
        let at = fields.at("");
        let given = Given {
            tenant: fields.string("tenant_id")?,
            client: fields.string("client_id")?,
            authority: fields.string("authority_host")?,
            secret: secret.map(|text| KeyRef::parse(&path, &text, environment)).transpose()?,
            certificate: fields.string("client_certificate_path")?.map(PathBuf::from),
            token: fields.string("federated_token_file")?.map(PathBuf::from),
        };
        let ways = [given.secret.is_some(), given.certificate.is_some(), given.token.is_some()];
        if ways.iter().filter(|way| **way).count() > 1 {
            let at = at.trim_end_matches('.');
            let message = format!(
                "{at}: client_secret, client_certificate_path and federated_token_file are three ways \
                 to say who asks: give one"
            );
            return Err(Error::invalid(at, message));
        }
        Ok(given)
    }

    /// The one source that an entry names, or those of the environment.
    fn sources(self, at: &str, around: &Surroundings<'_>) -> Result<Vec<Source>, Error> {
        let names_way = self.secret.is_some() || self.certificate.is_some() || self.token.is_some();
        if !names_way {
            return Ok(of_environment(&self, true, around));
        }
        let wrong = |reason: String| {
            let entry = at.trim_end_matches(".authority_host");
            Error::invalid(entry, format!("{entry}: {reason}"))
        };
        let app = app(&self, around).map_err(wrong)?;
        let one = match (self.secret, self.certificate, self.token) {
            (Some(secret), _, _) => Source::Secret(app, secret),
            (_, Some(path), _) => Source::Certificate(app, path),
            (_, _, path) => Source::Federated(app, path.unwrap_or_default()),
        };
        Ok(vec![one])
    }
}

/// An application, of the entry or else of the environment.
fn app(given: &Given, around: &Surroundings<'_>) -> Result<App, String> {
    let environment = around.environment();
    let of = |own: &Option<String>, name: &str| {
        own.clone().filter(|own| !own.is_empty()).or_else(|| environment.some(name))
    };
    let missing = |member: &str, name: &str| format!("give {member}, or set {name}");
    let tenant = of(&given.tenant, "AZURE_TENANT_ID")
        .ok_or_else(|| missing("tenant_id", "AZURE_TENANT_ID"))?;
    let client_id = of(&given.client, "AZURE_CLIENT_ID")
        .ok_or_else(|| missing("client_id", "AZURE_CLIENT_ID"))?;
    // The tenant becomes a part of the path, so it may hold nothing else.
    if !tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)) {
        return Err("the tenant is neither an id nor a domain".to_owned());
    }
    let authority = of(&given.authority, "AZURE_AUTHORITY_HOST");
    let authority = authority.unwrap_or_else(|| AUTHORITY.to_owned());
    // Some write the host alone [sdk].
    let before = if authority.contains("://") { "" } else { "https://" };
    let authority = authority.trim_end_matches('/');
    let url = format!("{before}{authority}/{tenant}/oauth2/v2.0/token");
    let url = secret_url(&url, "the authority's host")?;
    Ok(App { client_id, http: Box::new(around.reach().to(url, far())) })
}

/// The sources of the environment: an application, and then the managed identity.
fn of_environment(given: &Given, asked: bool, around: &Surroundings<'_>) -> Vec<Source> {
    let environment = around.environment();
    let mut sources = Vec::new();
    let secret = environment
        .some("AZURE_CLIENT_SECRET")
        .map(|_| KeyRef::of_variable("AZURE_CLIENT_SECRET", |name| environment.get(name)));
    let path = |name: &str| environment.some(name).map(PathBuf::from);
    let of_app = |app: App| match secret {
        Some(secret) => Some(Source::Secret(app, secret)),
        None => match path("AZURE_CLIENT_CERTIFICATE_PATH") {
            Some(path) => Some(Source::Certificate(app, path)),
            None => path("AZURE_FEDERATED_TOKEN_FILE").map(|path| Source::Federated(app, path)),
        },
    };
    let names =
        ["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE"];
    if names.iter().any(|name| environment.some(name).is_some()) {
        sources
            .extend(app(given, around).map_or_else(|reason| Some(Source::Wrong(reason)), of_app));
    }
    sources.push(managed(given, asked, around));
    sources
}

/// The managed identity of App Service, or of the machine.
fn managed(given: &Given, asked: bool, around: &Surroundings<'_>) -> Source {
    let environment = around.environment();
    let client_id = given.client.clone().or_else(|| environment.some("AZURE_CLIENT_ID"));
    let endpoint = environment.some("IDENTITY_ENDPOINT");
    if let Some((endpoint, header)) = endpoint.zip(environment.some("IDENTITY_HEADER")) {
        return match near_url(&endpoint, "IDENTITY_ENDPOINT") {
            Err(reason) => Source::Wrong(reason),
            Ok(at) => {
                let http = Box::new(around.reach().to(at, near()));
                Source::AppService { http, header: SecretString::from(header), client_id }
            }
        };
    }
    let name = "AZURE_POD_IDENTITY_AUTHORITY_HOST";
    let host = environment.some(name).unwrap_or_else(|| MACHINE.to_owned());
    match url::read(&host) {
        Err(fault) => Source::Wrong(format!("{name} is not a usable URL: {fault}")),
        Ok(at) => {
            let http = Box::new(around.reach().to(at, near()));
            Source::Machine { http, client_id, asked }
        }
    }
}
