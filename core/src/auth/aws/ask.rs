//! Asks one source for its keys.

use secrecy::ExposeSecret;
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::fetch::Network;
use super::sign::Keys;
use super::source::{Found, Source};
use super::{metadata, profile, web_identity};
use crate::auth::KeyRef;
use crate::auth::key::Key;

/// The keys. `None` means that the source is not there; an error is a reason.
pub(super) async fn keys(
    source: &Source,
    network: &Network,
    provider: &str,
    blocking: Option<&Handle>,
) -> Result<Option<Found>, String> {
    match source {
        Source::Keys { id, secret, token, .. } => {
            let of_file = [Some(id), Some(secret), token.as_ref()]
                .into_iter()
                .flatten()
                .any(|from| matches!(from, KeyRef::File(_)));
            let read = async |from: &KeyRef| {
                // What helps is said by the one who knows the member.
                if let KeyRef::Env(name, value) = from
                    && value.as_ref().is_none_or(|value| value.expose_secret().is_empty())
                {
                    let state = if value.is_some() { "set to nothing" } else { "not set" };
                    return Err(format!("the environment variable {name} is {state}"));
                }
                let key = Key::new(from.clone()).read(provider, blocking).await;
                key.map(Option::unwrap_or_default).map_err(|error| error.message.clone())
            };
            let (id, secret) = (read(id).await?, read(secret).await?);
            let token = match token {
                Some(token) => Some(read(token).await?),
                None => None,
            };
            let seen = of_file.then(Instant::now);
            Ok(Some(Found { keys: Keys { id, secret, token }.into(), expires: None, seen }))
        }
        Source::Profile(profile) => profile::read(profile.clone(), blocking).await,
        Source::WebIdentity(web) => web_identity::ask(web, network, blocking).await.map(Some),
        Source::Wrong { reason, .. } => Err(reason.clone()),
        Source::Metadata(server) => metadata::ask(server, network, provider, blocking).await,
    }
}
