//! What the settings of every provider take from the environment.

use std::sync::Arc;

use ::http::Uri;
use hyper_util::client::proxy::matcher::Intercept;

use super::base_url;
use super::environment::Environment;
use super::proxies::Proxies;
use crate::codec::Fields;
use crate::error::Error;
use crate::http::{self, Trust};
use crate::provider::Row;

/// What the settings of every provider take from the environment.
pub(super) struct Surroundings<'a> {
    environment: &'a Environment,
    proxies: Arc<Proxies>,
    trust: Arc<Trust>,
}

/// How a provider is reached.
pub(super) struct Way<'a> {
    pub(super) http: &'a http::Settings,
    /// How its control plane is reached, if it has one that is known.
    #[cfg(feature = "aws")]
    pub(super) control: Option<&'a http::Settings>,
    /// The proxy is the entry's own, not the environment's.
    #[cfg(feature = "aws")]
    pub(super) own_proxy: bool,
    #[cfg(feature = "aws")]
    pub(super) region: Option<&'a str>,
}

impl<'a> Surroundings<'a> {
    pub(super) fn of(environment: &'a Environment) -> Self {
        let proxies = Arc::new(Proxies::of(environment));
        Surroundings { environment, proxies, trust: environment.trust() }
    }

    pub(super) fn environment(&self) -> &Environment {
        self.environment
    }

    /// The proxy on the way to an entry's base URL, and the roots that are trusted.
    pub(super) fn way_of_entry(
        &self,
        fields: &mut Fields,
        url: &Uri,
    ) -> Result<(Option<Intercept>, Arc<Trust>), Error> {
        let proxy = self.proxies.of_entry(fields, self.environment, url)?;
        Ok((proxy, Arc::clone(&self.trust)))
    }

    /// The environment's proxy on the way to a URL.
    pub(super) fn proxy_to(&self, url: &Uri) -> Option<Intercept> {
        self.proxies.to(url)
    }

    /// The proxy on the way to a URL, and the roots that are trusted.
    #[cfg(feature = "aws")]
    pub(super) fn way(&self, url: &Uri) -> (Option<Intercept>, Arc<Trust>) {
        (self.proxies.to(url), Arc::clone(&self.trust))
    }

    /// How servers are reached whose URLs are not known yet.
    #[cfg(any(feature = "azure", feature = "google"))]
    pub(super) fn reach(&self) -> crate::auth::Reach {
        let (proxies, trust) = (Arc::clone(&self.proxies), Arc::clone(&self.trust));
        crate::auth::Reach::new(move |url| (proxies.to(url), Arc::clone(&trust)))
    }

    /// Whether a row has a base URL without an entry.
    pub(super) fn knows(&self, row: &Row) -> bool {
        base_url::is_known(row, self.environment)
    }
}
