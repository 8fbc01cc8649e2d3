//! The documents of credentials that Google hands out: files with a `type` [doc].

use std::time::Duration;

use ::http::Uri;
use bytes::Bytes;
use secrecy::SecretString;

use super::external::External;
use super::member::{missing, optional, secret, text};
use crate::auth::oauth::{self, secret_url};
use crate::auth::token::Token;
use crate::codec::parse_foreign;
use crate::json::Value;
use crate::wire::retry_after;

/// Google's token endpoint, for a file that names none [sdk].
const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";

/// The life of an impersonated token, in seconds [sdk].
const LIFETIME: u64 = 3_600;

/// What a document says.
pub(super) struct Credentials {
    pub(super) kind: Kind,
    /// Whom it is to be, if another one.
    pub(super) impersonation: Option<Impersonation>,
    pub(super) quota_project: Option<String>,
}

/// Whose credentials they are.
pub(super) enum Kind {
    ServiceAccount(ServiceAccount),
    User(User),
    External(Box<External>),
}

/// A service account with its key.
pub(super) struct ServiceAccount {
    pub(super) email: String,
    pub(super) key_id: String,
    pub(super) key: SecretString,
    pub(super) token_url: Uri,
}

/// A user who has signed in with gcloud.
pub(super) struct User {
    pub(super) client_id: String,
    pub(super) client_secret: SecretString,
    pub(super) refresh_token: SecretString,
    pub(super) token_url: Uri,
}

/// A service account that the credentials may be used for.
pub(super) struct Impersonation {
    pub(super) url: Uri,
    pub(super) delegates: Vec<String>,
    pub(super) lifetime: u64,
}

impl Credentials {
    /// Reads a document. The error is the reason; it quotes no value but a type.
    pub(super) fn parse(content: &[u8]) -> Result<Credentials, String> {
        let Ok(document @ Value::Object(_)) = parse_foreign(content) else {
            return Err("it is not a JSON object".to_owned());
        };
        if document.get("type").and_then(Value::as_str) != Some("impersonated_service_account") {
            return Self::of(&document);
        }
        let source =
            document.get("source_credentials").ok_or_else(|| missing("source_credentials"))?;
        let inner = Self::of(source)?;
        let delegates = document.get("delegates").and_then(Value::as_array);
        let delegate = |name: &Value| name.as_str().map(str::to_owned);
        let url = text(&document, "service_account_impersonation_url")?;
        let impersonation = Some(Impersonation {
            url: secret_url(url, "service_account_impersonation_url")?,
            delegates: delegates.into_iter().flatten().filter_map(delegate).collect(),
            lifetime: LIFETIME,
        });
        let quota_project = optional(&document, "quota_project_id").or(inner.quota_project);
        Ok(Credentials { kind: inner.kind, impersonation, quota_project })
    }

    fn of(document: &Value) -> Result<Credentials, String> {
        let mut impersonation = None;
        let kind = match text(document, "type")? {
            "service_account" => Kind::ServiceAccount(ServiceAccount {
                email: text(document, "client_email")?.to_owned(),
                key_id: optional(document, "private_key_id").unwrap_or_default(),
                key: secret(document, "private_key")?,
                token_url: token_url(document)?,
            }),
            "authorized_user" => Kind::User(User {
                client_id: text(document, "client_id")?.to_owned(),
                client_secret: secret(document, "client_secret")?,
                refresh_token: secret(document, "refresh_token")?,
                token_url: token_url(document)?,
            }),
            "external_account" => {
                impersonation = impersonation_of(document)?;
                Kind::External(Box::new(External::parse(document)?))
            }
            other => {
                let known = "service_account, authorized_user, external_account, \
                             impersonated_service_account";
                let plain = |c: char| c.is_ascii_lowercase() || c == '_';
                let other = if other.chars().all(plain) { other } else { "unknown" };
                return Err(format!("its type {other} is not supported; known: {known}"));
            }
        };
        let quota_project = optional(document, "quota_project_id");
        Ok(Credentials { kind, impersonation, quota_project })
    }
}

fn impersonation_of(document: &Value) -> Result<Option<Impersonation>, String> {
    let name = "service_account_impersonation_url";
    let Some(url) = optional(document, name) else { return Ok(None) };
    let of = document.get("service_account_impersonation");
    let lifetime = of.and_then(|of| of.get("token_lifetime_seconds")).and_then(Value::as_u64);
    Ok(Some(Impersonation {
        url: secret_url(&url, name)?,
        delegates: Vec::new(),
        lifetime: lifetime.unwrap_or(LIFETIME),
    }))
}

fn token_url(document: &Value) -> Result<Uri, String> {
    let url = optional(document, "token_uri");
    secret_url(url.as_deref().unwrap_or(TOKEN_URL), "token_uri")
}

/// The token of an answer of the service that impersonates: `accessToken`, `expireTime` [doc].
pub(super) fn impersonated(origin: &str, status: u16, body: &Bytes) -> Result<Token, String> {
    let answer = oauth::object(origin, status, body)?;
    let token = answer.get("accessToken").and_then(Value::as_str).filter(|text| !text.is_empty());
    let token = token.ok_or_else(|| format!("the answer of {origin} has no accessToken"))?;
    let end = answer.get("expireTime").and_then(Value::as_str).and_then(retry_after::unix_time);
    let end = end.and_then(|end| u64::try_from(end).ok());
    let end = end.ok_or_else(|| format!("the answer of {origin} has no expireTime"))?;
    let life = end.saturating_sub(crate::auth::jwt::now());
    if life == 0 {
        return Err(format!("the token of {origin} has expired"));
    }
    Ok(Token::new(SecretString::from(token), Duration::from_secs(life)))
}
