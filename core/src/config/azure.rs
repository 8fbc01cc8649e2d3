//! Where Azure is: a resource, or an endpoint, and whether its paths name a deployment.

use super::members::Members;
use crate::error::Error;
use crate::provider::Dialect;

/// The base URL. It ends with `/openai/v1`, or, with an `api_version`, with `/openai`, which the
/// deployment follows. "" if nothing says it.
pub(super) fn url(members: &Members<'_>) -> Result<String, Error> {
    if let Some(version) = members.api_version
        && !is_version(version)
    {
        return Err(members.wrong("api_version", "is no version: 2024-10-21 is one"));
    }
    let url = match (&members.resource, &members.base_url) {
        (Some(_), Some(_)) => {
            return Err(members.wrong("resource", "says the same as base_url: give one of them"));
        }
        (Some(resource), None) if is_resource(resource) => {
            format!("https://{resource}.openai.azure.com")
        }
        (Some(_), None) => {
            let reason = "is not the name of a resource, which has letters, digits and '-': for \
                          another host, give base_url";
            return Err(members.wrong("resource", reason));
        }
        (None, Some(url)) => url.trim_end_matches('/').to_owned(),
        (None, None) => return Ok(String::new()),
    };
    let has_path = url.split_once("://").is_none_or(|(_, rest)| rest.contains('/'));
    match members.api_version {
        Some(_) if url.ends_with("/v1") => {
            let reason = "is for deployments, and base_url ends with /v1, which takes no version: leave \
                          one of them out, or give a base_url that ends with /openai";
            Err(members.wrong("api_version", reason))
        }
        _ if has_path => Ok(url),
        Some(_) => Ok(url + "/openai"),
        None => Ok(url + "/openai/v1"),
    }
}

/// A version of the API is said once, and a deployment, too.
pub(super) fn check(path: &str, query: &str, dialect: Option<&Dialect>) -> Result<(), Error> {
    let wrong = |what: &str| {
        let message = format!("{path} and {what} say the same: give one of them");
        Err(Error::invalid(path, message))
    };
    if query.split('&').any(|pair| pair.starts_with("api-version=")) {
        return wrong("the api-version of query");
    }
    if dialect.is_some_and(|dialect| dialect.path.starts_with("/deployments/")) {
        return wrong("the deployment of switches.path");
    }
    Ok(())
}

/// It becomes a part of the host.
fn is_resource(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// It becomes a part of the query.
fn is_version(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !text.is_empty() && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Environment};

    fn url(entry: &str, variables: &str) -> Result<String, String> {
        let environment = Environment::parse(variables.as_bytes()).unwrap();
        let document = format!(r#"{{"providers":{{"azure":{entry}}}}}"#);
        let config = Config::parse_in(document.as_bytes(), &environment);
        let config = config.map_err(|error| error.param.clone().unwrap_or_default())?;
        Ok(config.providers[config.index("azure").unwrap()].http.base_url.to_string())
    }

    #[test]
    fn a_resource_or_an_endpoint_makes_the_base_url() {
        let endpoint = r#"{"AZURE_OPENAI_ENDPOINT":"https://env.openai.azure.com/"}"#;
        for (entry, variables, wanted) in [
            (r#"{"resource":"mine"}"#, "{}", "https://mine.openai.azure.com/openai/v1"),
            (r#"{"resource":"mine"}"#, endpoint, "https://mine.openai.azure.com/openai/v1"),
            ("{}", endpoint, "https://env.openai.azure.com/openai/v1"),
            (r#"{"api_version":"2024-10-21"}"#, endpoint, "https://env.openai.azure.com/openai"),
            (
                r#"{"base_url":"https://x.services.ai.azure.com"}"#,
                "{}",
                "https://x.services.ai.azure.com/openai/v1",
            ),
            (
                r#"{"base_url":"https://proxy.example/openai","api_version":"preview"}"#,
                "{}",
                "https://proxy.example/openai",
            ),
        ] {
            assert_eq!(url(entry, variables).unwrap(), wanted, "{entry}");
        }
        let environment = Environment::parse(endpoint.as_bytes()).unwrap();
        assert!(Config::parse_in(b"{}", &environment).unwrap().index("azure").is_ok());
        assert!(Config::parse(b"{}").unwrap().index("azure").is_err());
    }

    #[test]
    fn wrong_mixes_are_named() {
        for (entry, param) in [
            (
                r#"{"base_url":"https://x.openai.azure.com/openai/v1/","api_version":"2024-10-21"}"#,
                "api_version",
            ),
            (r#"{"resource":"x","base_url":"https://x.openai.azure.com"}"#, "resource"),
            (r#"{"resource":"evil.example/"}"#, "resource"),
            (r#"{"resource":"x","api_version":"1&a=b"}"#, "api_version"),
            (r#"{"resource":"x","api_version":"1","query":{"api-version":"2"}}"#, "api_version"),
            (
                r#"{"resource":"x","api_version":"1","switches":{"path":"/deployments/d/chat/completions"}}"#,
                "api_version",
            ),
            ("{}", "base_url"),
        ] {
            assert_eq!(
                url(entry, "{}").unwrap_err(),
                format!("providers.azure.{param}"),
                "{entry}"
            );
        }
    }
}
