//! Where a provider is: the base URL of its entry, or the one that follows from the other members.

use ::http::Uri;

use super::environment::Environment;
use super::members::Members;
use super::{azure, region, vertex};
use crate::codec::{Fields, url};
use crate::error::Error;
use crate::provider::Row;
use crate::provider::regions::{Regions, Said, is_within};

/// Whether a row has a base URL without an entry.
pub(super) fn is_known(row: &Row, environment: &Environment) -> bool {
    if row.takes_region() {
        region::of_environment(environment).is_some_and(|name| region::is_well_formed(row, &name))
    } else if row.takes_project() {
        vertex::is_known(environment)
    } else {
        !row.base_url.is_empty() || environment.some(row.base_url_env).is_some()
    }
}

/// Where a provider is.
pub(super) struct Place {
    pub(super) base_url: Uri,
    /// The provider's region, in the words of `options.region`.
    pub(super) region: Option<String>,
    /// Whether the entry or a variable gives the base URL itself.
    pub(super) given: bool,
}

impl Place {
    /// Reads `base_url`, `region`, and what else says where the provider is. Without them it is at
    /// `built_in`.
    pub(super) fn read(
        row: &Row,
        built_in: String,
        fields: &mut Fields,
        environment: &Environment,
        api_version: Option<&str>,
    ) -> Result<Place, Error> {
        let (base_url, resource) = (fields.string("base_url")?, fields.string("resource")?);
        let (region, location) = (fields.string("region")?, fields.string("location")?);
        let project = fields.string("project")?;
        // The entry's resource is another one than that of the environment.
        let of_environment = || environment.some(row.base_url_env).filter(|_| resource.is_none());
        let at = |name: &str| fields.at(name);
        let members = Members {
            row,
            built_in,
            environment,
            api_version,
            at: &at,
            base_url: base_url.or_else(of_environment),
            region,
            location,
            project,
            resource: resource.clone(),
        };
        members.refuse_foreign()?;
        let given = members.base_url.is_some();
        let text = members.url()?;
        let base_url = read_base_url(&text, &at("base_url"), row)?;
        let region = members.region_at(&base_url)?;
        Ok(Place { base_url, region, given })
    }
}

impl Members<'_> {
    /// The base URL, which is "" if nothing says it.
    fn url(&self) -> Result<String, Error> {
        if self.row.takes_project() {
            return vertex::url(self);
        }
        if self.row.takes_resource() {
            return azure::url(self);
        }
        let own = || self.base_url.clone().unwrap_or_else(|| self.built_in.clone());
        let region = match self.region.clone().or_else(|| region::of_row(self)) {
            Some(region) => region,
            None if self.row.takes_region() && self.base_url.is_none() => {
                return Err(self.no_region());
            }
            None => return Ok(own()),
        };
        if self.base_url.is_none() || self.region.is_some() {
            self.must_have(&region)?;
        }
        let of_region = self.row.at_region(&region).filter(|_| self.base_url.is_none());
        Ok(of_region.unwrap_or_else(own))
    }

    fn no_region(&self) -> Error {
        self.wrong(
            "region",
            "is missing: give the region, such as \"us-east-1\", or set AWS_REGION; base_url is for \
             another host",
        )
    }

    /// The provider has this region, or its base URL is that of another server.
    fn must_have(&self, region: &str) -> Result<(), Error> {
        let row = self.row;
        let name = row.name;
        let knows = match row.regions() {
            // The word becomes a part of hosts, so it may hold nothing else.
            Regions::Cloud => region::is_well_formed(row, region),
            Regions::Member(words) => words.contains(&region),
            Regions::Own => true,
            Regions::None | Regions::Hosts(_) if self.base_url.is_some() => true,
            Regions::None => {
                let reason = format!(
                    "is {region:?}, but {name} has no regions to choose from: leave it out, or give \
                     the base_url of a server there"
                );
                return Err(self.wrong("region", reason));
            }
            Regions::Hosts(hosts) => hosts.iter().any(|(known, _)| *known == region),
        };
        if knows {
            return Ok(());
        }
        let reason = format!(
            "is {region:?}, which is not a region of {name}: it has {}",
            row.region_words()
        );
        Err(self.wrong("region", reason))
    }

    /// The region of a provider at this base URL. The entry and the URL may not say two.
    fn region_at(&self, url: &Uri) -> Result<Option<String>, Error> {
        let own = self.location.as_ref().or(self.region.as_ref());
        let said = self.row.said_by(url);
        let member = if self.location.is_some() { "location" } else { "region" };
        match (own, said) {
            (Some(own), Said::Region(said)) if *own != said => {
                let reason = format!(
                    "is {own:?}, but base_url is in {said}: give one of them, or both for the same \
                     region"
                );
                Err(self.wrong(member, reason))
            }
            (Some(own), Said::NoRegion) => {
                let reason = format!(
                    "is {own:?}, but base_url is the host of {} that promises no region: leave \
                     base_url out",
                    self.row.name
                );
                Err(self.wrong(member, reason))
            }
            (Some(own), _) => Ok(Some(own.clone())),
            (None, Said::Region(said)) => Ok(Some(said)),
            (None, _) => {
                Ok(region::of_row(self).filter(|name| region::is_well_formed(self.row, name)))
            }
        }
    }
}

/// Whether a target of a provider that is at `url`, in `region`, may say that it is in `said`. The
/// error is why not.
pub(super) fn may_be(row: &Row, url: &Uri, region: Option<&str>, said: &str) -> Result<(), String> {
    let name = row.name;
    match region {
        Some(region) if is_within(region, said) => Ok(()),
        Some(region) => Err(format!("is {said:?}, but its provider is in {region}")),
        None if row.said_by(url) == Said::NoRegion
            || matches!(row.regions(), Regions::Member(_)) =>
        {
            let words = row.region_words();
            Err(if words.is_empty() {
                format!("is {said:?}, but {name} has no regions to choose from: leave it out")
            } else {
                format!(
                    "is {said:?}, but its provider promises no region: give the provider's entry a \
                     region, of {words}"
                )
            })
        }
        None => Ok(()),
    }
}

fn read_base_url(text: &str, path: &str, row: &Row) -> Result<Uri, Error> {
    if text.is_empty() {
        let message = format!("{path} is missing: the server's URL, such as {}", row.url_like());
        return Err(Error::invalid(path, message));
    }
    read_url(text, path)
}

/// The URL of a server, in the member at this path.
pub(super) fn read_url(text: &str, path: &str) -> Result<Uri, Error> {
    // A message does not quote the URL, because it may contain a password.
    let fault = match url::read(text) {
        Err(fault) => fault,
        Ok(uri) if uri.query().is_some() || text.contains('#') => {
            "no query and no fragment are allowed (a query goes into query)".to_owned()
        }
        Ok(uri) => return Ok(uri),
    };
    Err(Error::invalid(path, format!("{path} is not a usable URL: {fault}")))
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Environment};

    fn config(document: &str, variables: &str) -> Result<Config, crate::error::Error> {
        let environment = Environment::parse(variables.as_bytes()).unwrap();
        Config::parse_in(document.as_bytes(), &environment)
    }

    fn host(config: &Config, name: &str) -> String {
        config.providers[config.index(name).unwrap()].http.base_url.to_string()
    }

    #[test]
    fn a_region_makes_the_base_url() {
        let eu = r#"{"providers":{"bedrock":{"region":"eu-central-1"}}}"#;
        let found = config(eu, r#"{"AWS_REGION":"us-west-2"}"#).unwrap();
        assert_eq!(host(&found, "bedrock"), "https://bedrock-runtime.eu-central-1.amazonaws.com/");
        let two = r#"{"providers":{"cn":{"kind":"bedrock","region":"cn-north-1"}}}"#;
        let found = config(two, r#"{"AWS_DEFAULT_REGION":"us-west-2"}"#).unwrap();
        assert_eq!(host(&found, "cn"), "https://bedrock-runtime.cn-north-1.amazonaws.com.cn/");
        // The environment's region is enough for the built-in one.
        assert_eq!(host(&found, "bedrock"), "https://bedrock-runtime.us-west-2.amazonaws.com/");
        let bedrock = &found.providers[found.index("bedrock").unwrap()];
        assert_eq!((bedrock.region.as_deref(), bedrock.named), (Some("us-west-2"), false));
        let variable = r#"{"AWS_ENDPOINT_URL_BEDROCK_RUNTIME":"https://vpce.example"}"#;
        assert_eq!(host(&config(eu, variable).unwrap(), "bedrock"), "https://vpce.example/");
    }

    #[test]
    fn without_a_region_there_is_no_host() {
        let error = config(r#"{"providers":{"bedrock":{}}}"#, "{}").unwrap_err();
        assert_eq!(error.param.as_deref(), Some("providers.bedrock.region"));
        assert!(error.message.contains("AWS_REGION"), "{}", error.message);
        for region in ["eu", "evil.example/", "a-b@evil", "US-EAST-1"] {
            let document = format!(r#"{{"providers":{{"bedrock":{{"region":"{region}"}}}}}}"#);
            let error = config(&document, "{}").unwrap_err();
            assert_eq!(error.param.as_deref(), Some("providers.bedrock.region"), "{region}");
        }
        for variables in ["{}", r#"{"AWS_REGION":"nowhere"}"#] {
            assert!(config("{}", variables).unwrap().index("bedrock").is_err());
        }
    }
}
