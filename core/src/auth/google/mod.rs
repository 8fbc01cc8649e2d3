//! Google's tokens: OAuth access tokens of application default credentials, in the order of Google's
//! own libraries [sdk google-auth 2.x].

mod credentials;
mod external;
mod member;
mod metadata;
mod source;

pub use source::{Settings, Source};

use std::sync::Arc;

use ::http::HeaderValue;
use secrecy::ExposeSecret;

use self::credentials::{Credentials, Impersonation, Kind};
use self::source::SCOPE;
use super::fetch::{Network, far};
use super::jwt::{self, Algorithm};
use super::key::Key;
use super::oauth;
use super::token::{Issue, Issuing, Token};
use crate::codec::Object;

/// Asks the sources.
pub(super) struct Google {
    settings: Arc<Settings>,
    network: Network,
    provider: Arc<str>,
}

impl Google {
    pub(super) fn new(settings: Arc<Settings>, network: Network, provider: Arc<str>) -> Self {
        Google { settings, network, provider }
    }

    /// Asks the sources in their order. One that is there but fails is the answer: a later one would
    /// be another identity.
    async fn ask(&self) -> Result<Token, String> {
        let mut absent = Vec::new();
        for source in &self.settings.sources {
            match source {
                Source::Wrong(reason) => return Err(reason.clone()),
                Source::Metadata { http, asked } => {
                    if let Some(token) = metadata::ask(http, *asked, &self.network).await? {
                        return Ok(self.paid(token, None));
                    }
                    absent.push("a metadata server".to_owned());
                }
                Source::Text(from) => {
                    let text = Key::new(from.clone()).read(&self.provider, None).await;
                    let text = text.map_err(|error| error.message.clone())?.unwrap_or_default();
                    return self.exchange(text.expose_secret().as_bytes(), "its text").await;
                }
                Source::File { path, asked } => {
                    let content = match asked {
                        true => Some(oauth::file_of(path).await?),
                        false => oauth::file(path).await?,
                    };
                    let name = path.display().to_string();
                    let Some(content) = content else {
                        absent.push(name);
                        continue;
                    };
                    return self.exchange(&content, &name).await;
                }
            }
        }
        Err(format!(
            "give an api_key or google.credentials in providers.{}, set \
             GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login (not there: \
             {})",
            self.provider,
            absent.join(", ")
        ))
    }

    /// The token for credentials. `name` is where they are, for messages.
    async fn exchange(&self, content: &[u8], name: &str) -> Result<Token, String> {
        let named = |reason: String| format!("{name}: {reason}");
        let Credentials { kind, impersonation, quota_project } =
            Credentials::parse(content).map_err(named)?;
        let token = match &kind {
            Kind::ServiceAccount(account) => self.assert(account).await,
            Kind::User(user) => {
                let form = [
                    ("grant_type", "refresh_token"),
                    ("client_id", &user.client_id),
                    ("client_secret", user.client_secret.expose_secret()),
                    ("refresh_token", user.refresh_token.expose_secret()),
                ];
                let http = self.settings.reach.to(user.token_url.clone(), far());
                oauth::ask(&self.network, &http, &form).await
            }
            Kind::External(external) => {
                external::ask(external, &self.network, &self.settings.reach).await
            }
        };
        let mut token = token.map_err(named)?;
        if let Some(impersonation) = &impersonation {
            token = self.impersonate(impersonation, &token).await.map_err(named)?;
        }
        Ok(self.paid(token, quota_project))
    }

    /// A service account signs an assertion of itself [doc].
    async fn assert(&self, account: &credentials::ServiceAccount) -> Result<Token, String> {
        let (now, mut claims) = (jwt::now(), Object::new());
        claims.insert("iss", &account.email);
        claims.insert("scope", SCOPE);
        claims.insert("aud", account.token_url.to_string());
        claims.insert("iat", now);
        claims.insert("exp", now + 3_600);
        let key = account.key.expose_secret().as_bytes();
        let own = ("kid", account.key_id.as_str());
        let assertion = jwt::sign(key, Algorithm::Rs256, own, &claims)?;
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", assertion.expose_secret()),
        ];
        let http = self.settings.reach.to(account.token_url.clone(), far());
        oauth::ask(&self.network, &http, &form).await
    }

    /// A token of another service account, for one that may impersonate it [doc].
    async fn impersonate(&self, of: &Impersonation, token: &Token) -> Result<Token, String> {
        let mut body = Object::new();
        body.insert("delegates", of.delegates.iter().map(String::as_str).collect::<Vec<_>>());
        body.insert("scope", vec![SCOPE]);
        body.insert("lifetime", format!("{}s", of.lifetime));
        let http = self.settings.reach.to(of.url.clone(), far());
        let mut request = crate::wire::Request::post(oauth::path_of(&http), body.to_json());
        let bearer = format!("Bearer {}", token.text().expose_secret());
        oauth::header(&mut request, "authorization", &bearer)?;
        let (status, body) = self.network.fetch(&http, request, None).await?;
        credentials::impersonated(&http.origin(), status, &body)
    }

    /// The token with the project that pays.
    fn paid(&self, token: Token, of_file: Option<String>) -> Token {
        let project = self.settings.quota_project.clone().or(of_file);
        let project = project.and_then(|project| HeaderValue::try_from(project).ok());
        token.paid_by(project)
    }
}

impl Issue for Google {
    fn issue(&self) -> Issuing<'_> {
        Box::pin(self.ask())
    }

    fn name(&self) -> String {
        "Google's credentials".to_owned()
    }
}
