//! Entra ID's tokens (Azure): of an application with a secret, a certificate or another provider's
//! token, or of the machine's managed identity, in the order of Azure's own libraries
//! [sdk azure-identity 1.x].

mod managed;
mod source;

pub use source::{App, Settings, Source};

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::{ExposeSecret, SecretString};

use super::fetch::Network;
use super::jwt::{self, Algorithm};
use super::key::Key;
use super::oauth;
use super::token::{Issue, Issuing, Token};
use crate::codec::Object;

/// How an application proves who it is with an assertion (RFC 7523).
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The life of an assertion, in seconds [sdk].
const LIFE: u64 = 600;

/// Asks the sources.
pub(super) struct Entra {
    settings: Arc<Settings>,
    network: Network,
    provider: Arc<str>,
}

impl Entra {
    pub(super) fn new(settings: Arc<Settings>, network: Network, provider: Arc<str>) -> Self {
        Entra { settings, network, provider }
    }

    /// Asks the sources in their order. One that is there but fails is the answer: a later one would
    /// be another identity.
    async fn ask(&self) -> Result<Token, String> {
        for source in &self.settings.sources {
            match source {
                Source::Wrong(reason) => return Err(reason.clone()),
                Source::Secret(app, secret) => {
                    let secret = Key::new(secret.clone()).read(&self.provider, None).await;
                    let secret = secret.map_err(|error| error.message.clone())?.unwrap_or_default();
                    return self.token(app, &[("client_secret", secret.expose_secret())]).await;
                }
                Source::Certificate(app, path) => {
                    let pem = oauth::file_of(path).await?;
                    let assertion = assertion(app, &pem)
                        .map_err(|reason| format!("{}: {reason}", path.display()))?;
                    return self.by_assertion(app, assertion.expose_secret()).await;
                }
                Source::Federated(app, path) => {
                    let token = oauth::file_of(path).await?;
                    let token = std::str::from_utf8(&token)
                        .map_err(|_| format!("{} is not UTF-8", path.display()))?;
                    return self.by_assertion(app, token.trim()).await;
                }
                managed @ (Source::AppService { .. } | Source::Machine { .. }) => {
                    let found = managed::ask(managed, &self.settings.scope, &self.network).await?;
                    if let Some(token) = found {
                        return Ok(token);
                    }
                }
            }
        }
        Err(format!(
            "give an api_key or entra in providers.{}, or set AZURE_OPENAI_API_KEY, or \
             AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (this machine has no managed \
             identity)",
            self.provider
        ))
    }

    async fn by_assertion(&self, app: &App, assertion: &str) -> Result<Token, String> {
        let proof = [("client_assertion_type", ASSERTION), ("client_assertion", assertion)];
        self.token(app, &proof).await
    }

    async fn token(&self, app: &App, proof: &[(&str, &str)]) -> Result<Token, String> {
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", app.client_id.as_str()),
            ("scope", &self.settings.scope),
        ];
        form.extend(proof);
        oauth::ask(&self.network, &app.http, &form).await
    }
}

/// An assertion that an application signs with its certificate's key [doc].
fn assertion(app: &App, pem: &[u8]) -> Result<SecretString, String> {
    let certificate = CertificateDer::from_pem_slice(pem)
        .map_err(|_| "it has no certificate in PEM".to_owned())?;
    let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, &certificate));
    let mut id = [0; 16];
    SystemRandom::new().fill(&mut id).map_err(|_| "there are no random numbers".to_owned())?;
    let (now, mut claims) = (jwt::now(), Object::new());
    claims.insert("aud", app.http.base_url.to_string());
    claims.insert("iss", &app.client_id);
    claims.insert("sub", &app.client_id);
    claims.insert("jti", URL_SAFE_NO_PAD.encode(id));
    claims.insert("iat", now);
    claims.insert("nbf", now);
    claims.insert("exp", now + LIFE);
    jwt::sign(pem, Algorithm::Ps256, ("x5t#S256", &thumbprint), &claims)
}

impl Issue for Entra {
    fn issue(&self) -> Issuing<'_> {
        Box::pin(self.ask())
    }

    fn name(&self) -> String {
        "Entra ID".to_owned()
    }
}
