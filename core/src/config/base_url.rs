//! Where a provider is: the base URL of its entry, or that of its region.

use ::http::Uri;

use super::environment::Environment;
use crate::codec::{Fields, url};
use crate::error::Error;
use crate::provider::Row;

/// The variables that AWS's SDKs and its command line read for the region [sdk].
const REGION_ENV: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// Whether a row has a base URL without an entry.
pub(super) fn is_known(row: &Row, environment: &Environment) -> bool {
    !row.base_url.is_empty()
        || region_of(row, environment).is_some_and(|region| at_region(row, &region, "").is_ok())
}

/// Where a provider is.
pub(super) struct Place {
    pub(super) base_url: Uri,
    /// The provider's region, in the words of `options.region`.
    pub(super) region: Option<String>,
    /// Whether the entry or a variable gives the base URL itself.
    pub(super) given: bool,
}

/// The region that the environment gives, for a provider whose base URL follows from it.
fn region_of(row: &Row, environment: &Environment) -> Option<String> {
    let first = || REGION_ENV.iter().find_map(|name| environment.some(name));
    row.takes_region().then(first).flatten()
}

impl Place {
    /// Reads `base_url` and `region` of an entry. Without them the provider is at `built_in`.
    pub(super) fn read(
        row: &Row,
        built_in: String,
        fields: &mut Fields,
        environment: &Environment,
    ) -> Result<Place, Error> {
        let region = fields.string("region")?.or_else(|| region_of(row, environment));
        let given = fields.string("base_url")?.or_else(|| environment.some(row.base_url_env));
        let path = fields.at("base_url");
        let is_given = given.is_some();
        let base_url = match (given, &region) {
            (Some(url), _) => url,
            (None, Some(region)) if row.takes_region() => {
                at_region(row, region, &fields.at("region"))?
            }
            (None, _) => built_in,
        };
        if base_url.is_empty() && row.takes_region() {
            let path = fields.at("region");
            let message = format!(
                "{path} is missing: give the region, such as \"us-east-1\", or set {}; base_url is \
                 for another host",
                REGION_ENV[0]
            );
            return Err(Error::invalid(path, message));
        }
        Ok(Place { base_url: read_base_url(&base_url, &path, row)?, region, given: is_given })
    }
}

/// The base URL in a region. The name becomes a part of the host, so it may hold nothing else.
fn at_region(row: &Row, region: &str, path: &str) -> Result<String, Error> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    match row.at_region(region).filter(|_| region.bytes().all(plain) && region.contains('-')) {
        Some(url) => Ok(url),
        None => {
            let message = format!("{path} is not a region of {}: us-east-1 is one", row.name);
            Err(Error::invalid(path, message))
        }
    }
}

fn read_base_url(text: &str, path: &str, row: &Row) -> Result<Uri, Error> {
    if text.is_empty() {
        let message = format!("{path} is missing: the server's URL, such as {}", row.url_like());
        return Err(Error::invalid(path, message));
    }
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
