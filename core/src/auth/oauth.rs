//! Requests for tokens (OAuth 2.0, RFC 6749), and what their answers say.
//!
//! The URLs of some requests stand in a file of credentials. A secret goes there, so that such a URL
//! is `https`, or of this machine.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ::http::Uri;
use bytes::Bytes;
use hyper_util::client::proxy::matcher::Intercept;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use super::fetch::Network;
use super::token::Token;
use crate::codec::{parse_foreign, url};
use crate::http::{HttpVersion, Settings, Timeouts, Trust};
use crate::json::Value;
use crate::wire::Request;

/// The largest file of credentials, in bytes.
const MOST: u64 = 64 << 10;

/// How a server is reached whose URL only a file says: by the proxies and with the roots of the
/// configuration.
#[derive(Clone)]
pub struct Reach(Arc<Way>);

type Way = dyn Fn(&Uri) -> (Option<Intercept>, Arc<Trust>) + Send + Sync;

impl Reach {
    /// `way` gives the proxy on the way to a URL, and the roots that are trusted.
    pub fn new(
        way: impl Fn(&Uri) -> (Option<Intercept>, Arc<Trust>) + Send + Sync + 'static,
    ) -> Self {
        Reach(Arc::new(way))
    }

    /// How the server of this URL is reached. The base URL is the whole one. A server without
    /// encryption is on this machine or its own network, and is asked without a proxy.
    #[must_use]
    pub fn to(&self, base_url: Uri, timeouts: Timeouts) -> Settings {
        let (proxy, trust) = (self.0)(&base_url);
        Settings {
            proxy: proxy.filter(|_| base_url.scheme_str() == Some("https")),
            trust,
            query: base_url.query().unwrap_or_default().to_owned(),
            base_url,
            headers: Vec::new(),
            timeouts,
            version: HttpVersion::Http1,
            ca_file: None,
        }
    }
}

impl std::fmt::Debug for Reach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reach")
    }
}

/// The URL in a member of this name, to which a secret may go. The error does not quote it.
pub(crate) fn secret_url(text: &str, name: &str) -> Result<Uri, String> {
    let url = url::read(text).map_err(|fault| format!("{name} is not a usable URL: {fault}"))?;
    let host = url.host().unwrap_or_default();
    let is_near = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
    if url.scheme_str() == Some("https") || is_near {
        Ok(url)
    } else {
        Err(format!("{name} must be https: a secret goes there"))
    }
}

/// The URL of a server that gives tokens to what runs on this machine. Such servers have addresses of
/// the machine's own network, and no certificates.
pub(crate) fn near_url(text: &str, name: &str) -> Result<Uri, String> {
    let url = url::read(text).map_err(|fault| format!("{name} is not a usable URL: {fault}"))?;
    let is_near = url.host().and_then(|host| host.parse::<Ipv4Addr>().ok());
    if is_near.is_some_and(|address| address.is_link_local()) {
        return Ok(url);
    }
    secret_url(text, name)
}

/// The path of a request to a whole URL: only a path of nothing needs its slash.
pub(super) fn path_of(settings: &Settings) -> &'static str {
    if settings.base_url.path() == "/" { "/" } else { "" }
}

/// A request with a form.
pub(super) fn post_form(settings: &Settings, form: &[(&str, &str)]) -> Result<Request, String> {
    let mut body = String::new();
    for (name, value) in form {
        if !body.is_empty() {
            body.push('&');
        }
        body.push_str(name);
        body.push('=');
        body.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
    }
    let mut request = Request::post(path_of(settings), body.into_bytes());
    header(&mut request, "content-type", "application/x-www-form-urlencoded")?;
    Ok(request)
}

/// Adds a header. Its value is in no message.
pub(super) fn header(request: &mut Request, name: &'static str, value: &str) -> Result<(), String> {
    request.header(name, value).map_err(|error| error.message.clone())?;
    if let Some((_, value)) = request.headers.last_mut() {
        value.set_sensitive(true);
    }
    Ok(())
}

/// Asks a token endpoint with a form.
pub(super) async fn ask(
    network: &Network,
    settings: &Settings,
    form: &[(&str, &str)],
) -> Result<Token, String> {
    let request = post_form(settings, form)?;
    let (status, body) = network.fetch(settings, request, None).await?;
    token(&settings.origin(), status, &body)
}

/// The token of an answer: `access_token`, and its life in `expires_in` or its end in `expires_on`.
/// Some servers write these numbers as texts.
pub(super) fn token(origin: &str, status: u16, body: &Bytes) -> Result<Token, String> {
    let answer = object(origin, status, body)?;
    let text = answer.get("access_token").and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(text) = text else {
        return Err(format!("the answer of {origin} has no access_token"));
    };
    let number = |name: &str| {
        let value = answer.get(name)?;
        value.as_f64().or_else(|| value.as_str()?.parse().ok())
    };
    let now = super::jwt::now() as f64;
    let left = number("expires_in").or_else(|| Some(number("expires_on")? - now));
    // RFC 6749 lets a server leave it out.
    let life = Duration::try_from_secs_f64(left.unwrap_or(3_600.0)).unwrap_or_default();
    if life.is_zero() {
        return Err(format!("the token of {origin} has expired"));
    }
    Ok(Token::new(SecretString::from(text), life))
}

/// The object that is the answer. The error of another status has the server's code.
pub(super) fn object(origin: &str, status: u16, body: &Bytes) -> Result<Value, String> {
    let answer = parse_foreign(body);
    if status != 200 {
        let code = answer.as_ref().ok().and_then(code).unwrap_or_else(|| "no code".to_owned());
        return Err(format!("{origin} answered with status {status} ({code})"));
    }
    match answer {
        Ok(answer @ Value::Object(_)) => Ok(answer),
        _ => Err(format!("the answer of {origin} is not a JSON object")),
    }
}

/// The code of a refusal: a word of the server's. Its messages may repeat what was sent.
fn code(answer: &Value) -> Option<String> {
    let error = answer.get("error")?;
    // Google's other services have an object there.
    let word = error.as_str().or_else(|| error.get("status")?.as_str())?;
    // Entra's messages begin with a number that its documentation explains.
    let own = answer.get("error_description").and_then(Value::as_str);
    let own = own.and_then(|text| text.split_once(':')).map(|(number, _)| number);
    let own = own.filter(|number| number.starts_with("AADSTS"));
    let plain = |text: &&str| {
        text.len() <= 40 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
    };
    let words: Vec<&str> = [Some(word), own].into_iter().flatten().filter(plain).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// The content of a small file. It is read on a thread that may wait. `None` means that there is no
/// file.
pub(super) async fn file(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
    let own = path.to_owned();
    let work = move || match own.try_exists() {
        Ok(false) => Ok(None),
        _ => crate::file::read(&own, MOST).map(|(content, _)| Some(Zeroizing::new(content))),
    };
    let read = tokio::task::spawn_blocking(work).await;
    let read = read.unwrap_or_else(|_| Err("it was interrupted".to_owned()));
    read.map_err(|reason| format!("cannot read {}: {reason}", path.display()))
}

/// The same for a file that has to be there.
pub(super) async fn file_of(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    file(path).await?.ok_or_else(|| format!("cannot read {}: entity not found", path.display()))
}
