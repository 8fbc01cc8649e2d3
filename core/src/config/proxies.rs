//! Which proxy is on the way to a provider: its entry's own, or one of the environment.

use ::http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use super::environment::Environment;
use crate::codec::{Fields, url};
use crate::error::Error;

/// The proxies, by the rules of curl.
pub(super) struct Proxies {
    matcher: Matcher,
    /// The entries of `NO_PROXY` with a port, which the matcher does not know.
    direct: Vec<(String, u16)>,
}

impl Proxies {
    /// A CGI script has none, because there the client of the server could set `HTTP_PROXY` by a
    /// header. Neither is there one where `NO_PROXY` has a `*`, which the matcher takes for any name
    /// but for no address.
    pub(super) fn of(environment: &Environment) -> Self {
        let first = |name: &str| {
            let lower = || environment.get(&name.to_ascii_lowercase());
            environment.get(name).or_else(lower).unwrap_or_default()
        };
        let no = first("NO_PROXY");
        let is_cgi = environment.get("REQUEST_METHOD").is_some();
        if is_cgi || no.split(',').any(|entry| entry.trim() == "*") {
            return Proxies { matcher: Matcher::builder().build(), direct: Vec::new() };
        }
        let direct = no.split(',').filter_map(with_port).collect();
        let matcher = Matcher::builder()
            .all(first("ALL_PROXY"))
            .http(first("HTTP_PROXY"))
            .https(first("HTTPS_PROXY"))
            .no(no)
            .build();
        Proxies { matcher, direct }
    }

    /// The proxy on the way to an entry's URL. Its member `proxy` counts before the environment.
    pub(super) fn of_entry(
        &self,
        fields: &mut Fields,
        environment: &Environment,
        origin: &Uri,
    ) -> Result<Option<Intercept>, Error> {
        let Some(text) = fields.string("proxy")? else { return Ok(self.to(origin)) };
        if text == "none" {
            return Ok(None);
        }
        let path = fields.at("proxy");
        let wrong = |what: &str| Error::invalid(path.as_str(), format!("{path} {what}"));
        let named = match text.strip_prefix("env:") {
            None => text,
            Some(name) => environment
                .get(name)
                .ok_or_else(|| wrong(&format!("names the variable {name}, which is not set")))?,
        };
        // The URL may hold a password, so that no message repeats it.
        let found = Matcher::builder().all(named.as_str()).build().intercept(origin);
        match found {
            Some(found)
                if named.starts_with("http://")
                    && found.uri().authority().is_some_and(url::has_good_port) =>
            {
                Ok(Some(found))
            }
            _ => Err(wrong("must be http://[user:password@]host:port, env:NAME or none")),
        }
    }

    /// The environment's proxy on the way to this URL.
    pub(super) fn to(&self, url: &Uri) -> Option<Intercept> {
        let host = url.host().unwrap_or_default().to_ascii_lowercase();
        let default = if url.scheme_str() == Some("https") { 443 } else { 80 };
        let port = url.port_u16().unwrap_or(default);
        let is_of = |name: &str| {
            host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        if self.direct.iter().any(|(name, own)| *own == port && is_of(name)) {
            return None;
        }
        self.matcher.intercept(url)
    }
}

/// `name:port`, `.name:port` or `[::1]:port` of `NO_PROXY`.
fn with_port(entry: &str) -> Option<(String, u16)> {
    let (name, port) = entry.trim().rsplit_once(':')?;
    // An address of IPv6 has colons of its own.
    let whole = name.ends_with(']') || !name.contains(':');
    let name = name.trim_start_matches('*').trim_start_matches('.').to_ascii_lowercase();
    Some((name, port.parse().ok()?)).filter(|(name, _)| whole && !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_direct(no: &str, url: &str) -> bool {
        let environment = format!(r#"{{"HTTP_PROXY":"http://proxy:1","NO_PROXY":"{no}"}}"#);
        let environment = Environment::parse(environment.as_bytes()).unwrap();
        Proxies::of(&environment).to(&url.parse().unwrap()).is_none()
    }

    /// The proxy of an entry beside an environment that has one, and `NO_PROXY` for the host.
    fn of_entry(proxy: &str) -> Result<Option<String>, Error> {
        let environment =
            r#"{"HTTPS_PROXY":"http://theirs:1","NO_PROXY":"a.example","P":"http://p:2"}"#;
        let environment = Environment::parse(environment.as_bytes()).unwrap();
        let entry = crate::codec::parse_object(proxy.as_bytes(), "x").unwrap();
        let (mut fields, url) = (Fields::new(entry, "x"), "https://b.example/v1".parse().unwrap());
        let found = Proxies::of(&environment).of_entry(&mut fields, &environment, &url)?;
        Ok(found.map(|found| found.uri().to_string()))
    }

    #[test]
    fn the_proxy_of_an_entry_counts_before_the_environment() {
        let found = |proxy: &str| of_entry(proxy).unwrap();
        assert_eq!(found("{}").as_deref(), Some("http://theirs:1/"));
        assert_eq!(
            found(r#"{"proxy": "http://u:secret@own:3"}"#).as_deref(),
            Some("http://own:3/")
        );
        assert_eq!(found(r#"{"proxy": "env:P"}"#).as_deref(), Some("http://p:2/"));
        assert_eq!(found(r#"{"proxy": "none"}"#), None);
        for wrong in [
            "http://u:secret@p:99999",
            "http://p:",
            "http://p:080",
            "socks5://u:secret@p:1",
            "secret",
            "",
            "https://u:secret@p:1",
            "env:SECRET_NONE",
        ] {
            let error = of_entry(&format!(r#"{{"proxy": "{wrong}"}}"#)).unwrap_err();
            assert_eq!(error.param.as_deref(), Some("x.proxy"), "{wrong}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn no_proxy_has_networks_names_ports_and_a_star() {
        for (no, url) in [
            ("*", "http://a.example/v1"),
            ("*", "http://127.0.0.1:8080/v1"),
            ("x, *", "http://[::1]:8080/v1"),
            ("127.0.0.0/8", "http://127.0.0.1:8080/v1"),
            ("example", "http://example/v1"),
            (".example , OTHER", "http://a.example/v1"),
            ("a.example:8080", "http://a.example:8080/v1"),
            ("x, A.Example:8080", "http://a.example:8080/v1"),
            (".example:80", "http://a.example/v1"),
            ("[::1]:8080", "http://[::1]:8080/v1"),
        ] {
            assert!(is_direct(no, url), "{no} for {url}");
        }
        for (no, url) in [
            ("", "http://a.example/v1"),
            ("a.example:8080", "http://a.example:8081/v1"),
            ("a.example:8080", "http://a.example/v1"),
            ("example:8080", "http://counterexample:8080/v1"),
            ("::1", "http://[::2]:1/v1"),
        ] {
            assert!(!is_direct(no, url), "{no} for {url}");
        }
    }
}
