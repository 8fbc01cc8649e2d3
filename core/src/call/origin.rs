//! Which provider a request that is passed through goes to.

use ::http::Uri;

use crate::codec::url::is_loopback;
use crate::config::{Config, ProviderConfig};
use crate::error::{Error, ErrorKind};

/// The provider whose connections lead to `url`: the named one, otherwise the first whose base URL
/// has the same scheme, host and port.
pub(super) fn provider(config: &Config, url: &Uri, named: Option<&str>) -> Result<usize, Error> {
    let is_there = |entry: &ProviderConfig| is_same(&entry.http.base_url, url);
    // Nobody chose the servers of this machine that are built in. A document from elsewhere must
    // not reach whatever listens there.
    let is_open = |entry: &ProviderConfig| entry.named || !is_loopback(&entry.http.base_url);
    if let Some(name) = named {
        let index = config.index(name)?;
        let entry = &config.providers[index];
        if is_there(entry) && is_open(entry) {
            return Ok(index);
        }
        let message = match is_there(entry) {
            true => unnamed(name),
            false => format!(
                "url is at {}, which is not the origin of the provider's base_url: name another \
                 provider, or none",
                said(url)
            ),
        };
        return Err(Error::invalid("url", message).with(|e| e.provider = Some(name.to_owned())));
    }
    let found = config.providers.iter().position(|entry| is_there(entry) && is_open(entry));
    found.ok_or_else(|| {
        let message = match config.providers.iter().find(|entry| is_there(entry)) {
            Some(entry) => unnamed(&entry.name),
            None => format!(
                "no provider is at {}: a request is passed through only to the origin of a \
                 configured provider's base_url; add one",
                said(url)
            ),
        };
        Error::new(ErrorKind::NotFound, message).with(|e| e.param = Some("url".to_owned()))
    })
}

fn unnamed(name: &str) -> String {
    format!(
        "a request is passed through to a server of this machine only if the configuration names \
         it: add providers.{name}"
    )
}

/// Whether two URLs have the same origin. Nearly all are told apart by how their authorities begin,
/// so that many providers cost a call little.
fn is_same(one: &Uri, other: &Uri) -> bool {
    let [a, b] = [one, other]
        .map(|url| url.authority().map_or("", |authority| authority.as_str()).as_bytes());
    let both = a.len().min(b.len());
    a[..both].eq_ignore_ascii_case(&b[..both]) && origin(one) == origin(other)
}

/// The origin of a URL. Two URLs with the same origin lead to one server.
fn origin(url: &Uri) -> (bool, String, u16) {
    let secure = url.scheme_str() == Some("https");
    let host = url.host().unwrap_or_default().to_ascii_lowercase();
    (secure, host, url.port_u16().unwrap_or(if secure { 443 } else { 80 }))
}

/// A URL's origin for a message. Path and query are left out, because they may hold secrets.
fn said(url: &Uri) -> String {
    let authority = url.authority().map_or("", |authority| authority.as_str());
    format!("{}://{authority}", url.scheme_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::registry::ROWS;

    /// The provider that a URL is sent to, or the error's kind.
    fn by(url: &str, named: Option<&str>) -> String {
        let config = br#"{"providers": {
            "a": {"kind": "compatible", "base_url": "http://Example.com/v1"},
            "b": {"kind": "compatible", "base_url": "http://example.com:80/v2"},
            "c": {"kind": "compatible", "base_url": "http://example.com:81"}
        }}"#;
        let config = Config::parse(config).unwrap();
        match provider(&config, &Uri::try_from(url).unwrap(), named) {
            Ok(index) => config.providers[index].name.to_string(),
            Err(error) => error.kind().to_string(),
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        assert_eq!(by("http://example.com/anything?x=1", None), "a");
        assert_eq!(by("http://EXAMPLE.com:80/", None), "a");
        assert_eq!(by("http://example.com/", Some("b")), "b");
        assert_eq!(by("http://example.com:81/", None), "c");
        assert_eq!(by("https://api.openai.com:443/v1/models", None), "openai");
        assert_eq!(by("https://example.com/", None), "not_found");
        assert_eq!(by("http://example.com.evil.test/", None), "not_found");
        assert_eq!(by("http://example.com/", Some("c")), "invalid_request");
        assert_eq!(by("http://example.com/", Some("nobody")), "not_found");
    }

    #[test]
    fn l4_servers_of_this_machine_have_to_be_configured() {
        for url in ["http://localhost:11434/api/tags", "http://LOCALHOST:8000/"] {
            assert_eq!(by(url, None), "not_found");
        }
        let here = ROWS.iter().filter(|row| row.base_url.starts_with("http://localhost:"));
        for row in here {
            assert_eq!(by(row.base_url, None), "not_found");
            assert_eq!(by(row.base_url, Some(row.name)), "invalid_request");
        }
        assert_eq!(by("http://localhost:11434/", Some("ollama")), "invalid_request");
        let config = Config::parse(br#"{"providers": {"ollama": {}}}"#).unwrap();
        let url = Uri::from_static("http://localhost:11434/api/tags");
        let index = provider(&config, &url, None).unwrap();
        assert_eq!(&*config.providers[index].name, "ollama");
        let url = Uri::from_static("http://localhost:8000/");
        assert!(provider(&config, &url, None).unwrap_err().message.contains("providers.vllm"));
    }
}
