//! Where a provider's AWS keys come from: the entry's `aws`, or else the environment, in the order
//! of AWS's SDKs.

use std::path::PathBuf;
use std::sync::Arc;

use ::http::Uri;
use secrecy::ExposeSecret;

use super::environment::Environment;
use super::surroundings::{Surroundings, Way};
use crate::auth::aws::{Metadata, Profile, Scope, Settings, Source, WebIdentity, is_signed};
use crate::auth::{KeyRef, far, near};
use crate::codec::{Fields, finish, url};
use crate::error::Error;
use crate::http::{self, HttpVersion, Timeouts};
use crate::provider::Row;

/// The server of a container on ECS.
const CONTAINER: &str = "http://169.254.170.2";

/// The metadata server of a machine.
const MACHINE: &str = "http://169.254.169.254";

/// The hosts of containers' servers that a whole URL may name without encryption, besides this
/// machine [sdk].
const NEAR: [&str; 3] = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"];

/// Reads `aws` of an entry. `None` means that requests are not signed: the provider takes no
/// signatures, or it has a key, or a header of its own for one.
pub(super) fn read(
    row: &Row,
    fields: &mut Fields,
    place: &Way<'_>,
    key: &KeyRef,
    around: &Surroundings<'_>,
) -> Result<Option<Arc<Settings>>, Error> {
    let Some(service) = row.signed_service() else { return Ok(None) };
    let (path, given) = (fields.at("aws"), fields.object("aws")?);
    // A variable that is not set, or set to nothing, is the only way to have no key.
    let keyless = matches!(key, KeyRef::Env(name, value)
        if name == row.key_env && value.as_ref().is_none_or(|key| key.expose_secret().is_empty()));
    let of_variable = matches!(key, KeyRef::Env(name, _) if name == row.key_env);
    if given.is_some() && !of_variable {
        let message = format!("{path} and api_key are two ways to say who asks: give one");
        return Err(Error::invalid(path, message));
    }
    if given.is_some() && fields.has("auth") {
        let other = fields.at("auth");
        let message =
            format!("{path} and {other} are two ways to say who asks: a signature has its headers");
        return Err(Error::invalid(path, message));
    }
    if given.is_none() && (!keyless || fields.has("auth")) {
        return Ok(None);
    }
    let Some(region) = place.region else {
        if given.is_none() {
            return Ok(None);
        }
        let path = fields.at("region");
        let message = format!("{path} is missing: a signature is for a region, such as us-east-1");
        return Err(Error::invalid(path, message));
    };
    let sources = match given {
        Some(object) => own(Fields::new(object, path), around.environment())?,
        None => of_environment(region, place, around),
    };
    let http = place.http;
    if let Some((name, _)) = http.headers.iter().find(|(name, _)| is_signed(name)) {
        let path = format!("{}.{name}", fields.at("headers"));
        let message = format!(
            "{path}: requests are signed with AWS's keys, and the signature is there: leave it out, \
             or give an api_key"
        );
        return Err(Error::invalid(path, message));
    }
    let scope = |http: &http::Settings| Scope {
        region: region.to_owned(),
        service,
        host: http.base_url.authority().map_or_else(String::new, ToString::to_string),
        base_path: http.base_url.path().trim_end_matches('/').to_owned(),
        query: http.query.clone(),
    };
    let (scope, control) = (scope(http), place.control.map(scope));
    Ok(Some(Arc::new(Settings { scope, control, sources })))
}

/// The one source that an entry names.
fn own(mut fields: Fields, environment: &Environment) -> Result<Vec<Source>, Error> {
    let key = |path: String, text: Option<String>| {
        text.map(|text| KeyRef::parse(&path, &text, environment)).transpose()
    };
    let id = key(fields.at("access_key_id"), fields.string("access_key_id")?)?;
    let secret = key(fields.at("secret_access_key"), fields.string("secret_access_key")?)?;
    let token = key(fields.at("session_token"), fields.string("session_token")?)?;
    let name = fields.string("profile")?;
    let path = fields.at("profile");
    finish(fields, "aws")?;
    let at = path.trim_end_matches(".profile");
    let wrong = || {
        let message = format!(
            "{at} needs access_key_id and secret_access_key, or the name of a profile, and not both"
        );
        Error::invalid(at, message)
    };
    match (id, secret, name) {
        (Some(id), Some(secret), None) => {
            Ok(vec![Source::Keys { name: "the configuration", id, secret, token }])
        }
        (None, None, Some(name)) if token.is_none() => profile(Some(name), environment)
            .map(Source::Profile)
            .map(|one| vec![one])
            .ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

/// The sources that the environment names, in the order of AWS's SDKs.
fn of_environment(region: &str, of: &Way<'_>, around: &Surroundings<'_>) -> Vec<Source> {
    let environment = around.environment();
    let key = |name: &str| {
        environment.some(name).map(|_| KeyRef::of_variable(name, |name| environment.get(name)))
    };
    let mut sources = Vec::new();
    if let (Some(id), Some(secret)) = (key("AWS_ACCESS_KEY_ID"), key("AWS_SECRET_ACCESS_KEY")) {
        let token = key("AWS_SESSION_TOKEN");
        sources.push(Source::Keys { name: "AWS_ACCESS_KEY_ID", id, secret, token });
    }
    let profile = profile(None, environment).map(Source::Profile);
    let others =
        [web_identity(region, of, around), Ok(profile), container(around), machine(around)];
    sources.extend(others.into_iter().filter_map(|source| source.unwrap_or_else(wrong)));
    sources
}

/// A variable that says something impossible must not keep other providers from their calls.
fn wrong(error: Error) -> Option<Source> {
    let name = error.param.clone().unwrap_or_default();
    Some(Source::Wrong { name, reason: error.message.clone() })
}

fn web_identity(
    region: &str,
    of: &Way<'_>,
    around: &Surroundings<'_>,
) -> Result<Option<Source>, Error> {
    let some = |name: &str| around.environment().some(name);
    let (Some(file), Some(role)) = (some("AWS_WEB_IDENTITY_TOKEN_FILE"), some("AWS_ROLE_ARN"))
    else {
        return Ok(None);
    };
    let name = "AWS_ENDPOINT_URL_STS";
    let end = if region.starts_with("cn-") { ".cn" } else { "" };
    let at = some(name).unwrap_or_else(|| format!("https://sts.{region}.amazonaws.com{end}"));
    let at = place(&at, name)?;
    // The token goes there.
    if at.scheme_str() != Some("https") && !url::is_loopback(&at) {
        let message = format!("{name} must be https, or a server of this machine");
        return Err(Error::invalid(name, message));
    }
    // Who reaches the provider by a proxy of its own, or trusts a root for it, does so for AWS's
    // token service, too.
    let mut http = reached(at, far(), around);
    if of.own_proxy {
        http.proxy = of.http.proxy.clone().filter(|_| http.is_https());
    }
    http.ca_file.clone_from(&of.http.ca_file);
    Ok(Some(Source::WebIdentity(WebIdentity {
        token_file: PathBuf::from(file),
        role,
        session: some("AWS_ROLE_SESSION_NAME").unwrap_or_else(|| "liter-llm".to_owned()),
        http,
    })))
}

/// The metadata server of the machine, unless the environment says that there is none.
fn machine(around: &Surroundings<'_>) -> Result<Option<Source>, Error> {
    let environment = around.environment();
    let off = environment.get("AWS_EC2_METADATA_DISABLED");
    if off.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(None);
    }
    let name = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
    let at = environment.some(name).unwrap_or_else(|| MACHINE.to_owned());
    let http = reached(place(&at, name)?, near(), around);
    Ok(Some(Source::Metadata(Metadata::Machine { http })))
}

/// A profile of the files. `None` means that nobody knows where they are.
fn profile(name: Option<String>, environment: &Environment) -> Option<Profile> {
    let home = environment.some("HOME").or_else(|| environment.some("USERPROFILE"));
    let file = |variable: &str, name: &str| {
        let given = environment.some(variable).map(PathBuf::from);
        given.or_else(|| Some(PathBuf::from(home.as_ref()?).join(".aws").join(name)))
    };
    let asked = name.or_else(|| environment.some("AWS_PROFILE"));
    Some(Profile {
        asked: asked.is_some(),
        name: asked.unwrap_or_else(|| "default".to_owned()),
        credentials: file("AWS_SHARED_CREDENTIALS_FILE", "credentials")?,
        config: file("AWS_CONFIG_FILE", "config")?,
    })
}

/// The server of the container in which this process runs.
fn container(around: &Surroundings<'_>) -> Result<Option<Source>, Error> {
    let environment = around.environment();
    let (relative, full) =
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    let at = match (environment.some(relative), environment.some(full)) {
        // Whatever else stands there would be a part of the host.
        (Some(path), _) if !path.starts_with('/') => {
            let message = format!("{relative} must begin with /");
            return Err(Error::invalid(relative, message));
        }
        (Some(path), _) => place(&format!("{CONTAINER}{path}"), relative)?,
        (None, Some(url)) => {
            let at = place(&url, full)?;
            let host = at.host().unwrap_or_default();
            // The keys' token goes there.
            let near = url::is_loopback(&at) || NEAR.contains(&host);
            if at.scheme_str() != Some("https") && !near {
                let message = format!("{full} must be https, or a server of this machine");
                return Err(Error::invalid(full, message));
            }
            at
        }
        (None, None) => return Ok(None),
    };
    let (file, token) =
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    let token = match environment.some(file) {
        Some(path) => Some(KeyRef::File(PathBuf::from(path))),
        None => environment
            .some(token)
            .map(|_| KeyRef::of_variable(token, |name| environment.get(name))),
    };
    let http = reached(at, near(), around);
    Ok(Some(Source::Metadata(Metadata::Container { http, token })))
}

/// The URL that a variable holds.
fn place(text: &str, variable: &str) -> Result<Uri, Error> {
    url::read(text).map_err(|fault| {
        Error::invalid(variable, format!("{variable} is not a usable URL: {fault}"))
    })
}

/// How a server is reached. Those of this machine are asked without a proxy.
fn reached(base_url: Uri, timeouts: Timeouts, around: &Surroundings<'_>) -> http::Settings {
    let (proxy, trust) = around.way(&base_url);
    http::Settings {
        proxy: proxy.filter(|_| base_url.scheme_str() == Some("https")),
        trust,
        query: base_url.query().unwrap_or_default().to_owned(),
        base_url,
        headers: Vec::new(),
        timeouts,
        version: HttpVersion::Http1,
        ca_file: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    /// An entry's way to its provider is also the way to AWS's token service.
    #[test]
    fn the_token_service_is_reached_by_the_proxy_and_the_roots_of_the_entry() {
        let of = |entry: &str| {
            let variables = r#"{"AWS_WEB_IDENTITY_TOKEN_FILE":"/x","AWS_ROLE_ARN":"r",
                "HTTPS_PROXY":"http://theirs:1"}"#;
            let environment = Environment::parse(variables.as_bytes()).unwrap();
            let document =
                format!(r#"{{"providers":{{"bedrock":{{"region":"eu-west-1"{entry}}}}}}}"#);
            let config = Config::parse_in(document.as_bytes(), &environment).unwrap();
            let entry = &config.providers[config.index("bedrock").unwrap()];
            let sources = &entry.identity.aws.as_ref().unwrap().sources;
            let web = sources.iter().find_map(|source| match source {
                Source::WebIdentity(web) => Some(web.http.clone()),
                _ => None,
            });
            let web = web.unwrap();
            let ca_file = web.ca_file.map(|path| path.display().to_string());
            (web.proxy.map(|proxy| proxy.uri().to_string()), ca_file)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of(""), (some("http://theirs:1/"), None));
        let own = r#","proxy":"none","ca_file":"/ca.pem""#;
        assert_eq!(of(own), (None, some("/ca.pem")));
        assert_eq!(of(r#","proxy":"http://own:3""#), (some("http://own:3/"), None));
    }
}
