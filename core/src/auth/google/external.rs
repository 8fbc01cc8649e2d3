//! Workload identity federation: a token of another identity provider, in a file or from a URL, is
//! exchanged for one of Google's (RFC 8693) [doc].

use std::path::PathBuf;

use ::http::{HeaderName, HeaderValue, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

use super::member::{optional, text};
use super::source::SCOPE;
use crate::auth::fetch::{Network, far, near};
use crate::auth::oauth::{self, Reach, near_url, secret_url};
use crate::auth::token::Token;
use crate::codec::{Object, parse_foreign};
use crate::json::{Key, Value};
use crate::wire::Request;

/// An account of another identity provider.
pub(super) struct External {
    audience: String,
    subject_token_type: String,
    token_url: Uri,
    subject: Subject,
    /// The member with the token, where what is read is JSON.
    member: Option<String>,
    /// The id and the secret of a client of Google's token service.
    client: Option<(String, SecretString)>,
    /// The project of a workforce pool.
    workforce_project: Option<String>,
}

/// Where the other provider's token is.
enum Subject {
    File(PathBuf),
    Url(Uri, Vec<(HeaderName, HeaderValue)>),
}

impl External {
    pub(super) fn parse(document: &Value) -> Result<External, String> {
        let source = document.get("credential_source");
        let source = source.ok_or_else(|| "it has no credential_source".to_owned())?;
        let client = match (optional(document, "client_id"), optional(document, "client_secret")) {
            (Some(id), Some(secret)) => Some((id, SecretString::from(secret))),
            _ => None,
        };
        Ok(External {
            audience: text(document, "audience")?.to_owned(),
            subject_token_type: text(document, "subject_token_type")?.to_owned(),
            token_url: secret_url(text(document, "token_url")?, "token_url")?,
            subject: Subject::parse(source)?,
            member: member(source)?,
            client,
            workforce_project: optional(document, "workforce_pool_user_project"),
        })
    }
}

impl Subject {
    fn parse(source: &Value) -> Result<Subject, String> {
        if let Some(path) = optional(source, "file") {
            return Ok(Subject::File(PathBuf::from(path)));
        }
        let Some(at) = optional(source, "url").filter(|_| source.get("environment_id").is_none())
        else {
            let message = "its credential_source is neither a file nor a url: a program, a \
                           certificate or AWS's keys are not supported there";
            return Err(message.to_owned());
        };
        let url = near_url(&at, "credential_source.url")?;
        let headers = source.get("headers").and_then(Value::as_object);
        let header = |(name, value): (&Key, &Value)| {
            let name = HeaderName::try_from(name.as_str()).ok()?;
            Some((name, HeaderValue::try_from(value.as_str()?).ok()?))
        };
        let headers: Option<Vec<_>> =
            headers.map_or(Some(Vec::new()), |headers| headers.iter().map(header).collect());
        let wrong = || "its credential_source.headers are not names and texts".to_owned();
        Ok(Subject::Url(url, headers.ok_or_else(wrong)?))
    }
}

/// The member with the token, where the format is JSON.
fn member(source: &Value) -> Result<Option<String>, String> {
    let Some(format) = source.get("format").filter(|format| !format.is_null()) else {
        return Ok(None);
    };
    match optional(format, "type").as_deref() {
        None | Some("text") => Ok(None),
        Some("json") => text(format, "subject_token_field_name").map(|name| Some(name.to_owned())),
        _ => Err("its credential_source.format.type is neither text nor json".to_owned()),
    }
}

/// Exchanges the other provider's token.
pub(super) async fn ask(
    external: &External,
    network: &Network,
    reach: &Reach,
) -> Result<Token, String> {
    let subject = subject(external, network, reach).await?;
    let mut options = Object::new();
    if let Some(project) =
        external.workforce_project.as_deref().filter(|_| external.client.is_none())
    {
        options.insert("userProject", project);
    }
    let options = String::from_utf8(options.to_json()).unwrap_or_default();
    let mut form = vec![
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("audience", external.audience.as_str()),
        ("scope", SCOPE),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_token", subject.expose_secret()),
        ("subject_token_type", &external.subject_token_type),
    ];
    if options.len() > "{}".len() {
        form.push(("options", &options));
    }
    let http = reach.to(external.token_url.clone(), far());
    let mut request = oauth::post_form(&http, &form)?;
    if let Some((id, secret)) = &external.client {
        let pair = STANDARD.encode(format!("{id}:{}", secret.expose_secret()));
        oauth::header(&mut request, "authorization", &format!("Basic {pair}"))?;
    }
    let (status, body) = network.fetch(&http, request, None).await?;
    oauth::token(&http.origin(), status, &body)
}

/// The other provider's token. It is read each time, because it is replaced.
async fn subject(
    external: &External,
    network: &Network,
    reach: &Reach,
) -> Result<SecretString, String> {
    let (content, name) = match &external.subject {
        Subject::File(path) => (oauth::file_of(path).await?, path.display().to_string()),
        Subject::Url(url, headers) => {
            let http = reach.to(url.clone(), near());
            let mut request = Request::get(oauth::path_of(&http));
            request.headers.extend(headers.iter().cloned());
            let (status, body) = network.fetch(&http, request, None).await?;
            if status != 200 {
                return Err(format!("{} answered with status {status}", http.origin()));
            }
            (body.to_vec().into(), http.origin())
        }
    };
    let wrong = |what: &str| format!("what {name} says {what}");
    let token = match &external.member {
        None => {
            let text = std::str::from_utf8(&content).map_err(|_| wrong("is not UTF-8"))?;
            SecretString::from(text.trim())
        }
        Some(member) => {
            let document = parse_foreign(&content).map_err(|fault| wrong(&fault))?;
            let token = document.get(member).and_then(Value::as_str).unwrap_or_default();
            SecretString::from(token.trim())
        }
    };
    if token.expose_secret().is_empty() { Err(wrong("has no token")) } else { Ok(token) }
}
