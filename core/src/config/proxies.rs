//! Which proxy of the environment is on the way to a provider.

use ::http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use super::environment::Environment;

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

    /// The proxy on the way to this URL.
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
