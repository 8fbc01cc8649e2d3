//! The secrets that went out with a request, and texts without them.
//!
//! Some servers repeat in an answer what they were sent. The secrets are those that were sent, not
//! those that a file or variable holds by now.

mod search;

use std::ops::Range;

use super::Proof;
use ::http::header::PROXY_AUTHORIZATION;
use ::http::{HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use search::{SHORTEST, find};

/// What takes a secret's place.
const MARK: &str = "[key]";

/// Headers that are configured often and hold no secret. Errors about their values stay readable.
const PLAIN: [&str; 9] = [
    "accept",
    "anthropic-beta",
    "anthropic-version",
    "content-type",
    "http-referer",
    "openai-beta",
    "referer",
    "user-agent",
    "x-title",
];

/// Parameters of a query that hold no secret, for the same reason.
const PLAIN_PARAMETERS: [&str; 3] = ["alt", "api-version", "version"];

/// The secrets of one request.
#[derive(Clone, Copy)]
pub struct Secrets<'a> {
    /// The key as it was sent. `None` means that there was none.
    pub key: Option<&'a Proof>,
    /// Further headers that were sent, any of which may hold a secret: the configured ones, and
    /// those of the call.
    pub headers: [&'a [(HeaderName, HeaderValue)]; 2],
    /// The configured query that was sent, percent-encoded. Any value of it may be a secret.
    pub query: &'a str,
    /// What a proxy on the way was sent: it may answer in the provider's place.
    pub proxy: Option<&'a HeaderValue>,
}

impl Secrets<'_> {
    /// Returns `text` without the secrets. `None` means that the text has none.
    #[must_use]
    pub fn redact(&self, text: &str) -> Option<String> {
        // Most texts of an answer are shorter than a key.
        if text.len() < SHORTEST {
            return None;
        }
        let mut found = Vec::new();
        if let Some(key) = self.key {
            key.each(|secret| find(text, secret, &mut found));
        }
        let headers = self.headers.into_iter().flatten();
        for (name, value) in headers.filter(|(name, _)| !PLAIN.contains(&name.as_str())) {
            each_secret(name, value, |secret| find(text, secret, &mut found));
        }
        if let Some(value) = self.proxy {
            each_secret(&PROXY_AUTHORIZATION, value, |secret| find(text, secret, &mut found));
        }
        for pair in self.query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or(("", pair));
            if !PLAIN_PARAMETERS.contains(&name) {
                find(text, &percent_decode_str(value).decode_utf8_lossy(), &mut found);
            }
        }
        (!found.is_empty()).then(|| replaced(text, found))
    }
}

/// Gives each part of a header's value that may be a secret: the value, its words (the token of
/// `Bearer TOKEN`), the values of cookies, and the password of `Basic`.
fn each_secret(name: &HeaderName, value: &HeaderValue, mut secret: impl FnMut(&str)) {
    let Ok(value) = std::str::from_utf8(value.as_bytes()) else { return };
    secret(value);
    for word in value.split([' ', ';', ',']) {
        if word.len() < value.len() {
            secret(word);
        }
        if let Some((_, value)) = word.split_once('=') {
            secret(value);
        }
    }
    let pair = value.strip_prefix("Basic ").filter(|_| name.as_str().contains("auth"));
    let pair = pair.and_then(|pair| String::from_utf8(STANDARD.decode(pair).ok()?).ok());
    if let Some((_, password)) = pair.as_deref().and_then(|pair| pair.split_once(':')) {
        secret(password);
    }
}

/// The text with the mark in these places, which may overlap.
fn replaced(text: &str, mut places: Vec<Range<usize>>) -> String {
    places.sort_unstable_by_key(|place| place.start);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for place in places {
        if place.start >= done {
            out.push_str(&text[done..place.start]);
            out.push_str(MARK);
        }
        done = done.max(place.end);
    }
    out.push_str(&text[done..]);
    out
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use secrecy::SecretString;

    use super::*;

    fn clean(key: &str, text: &str) -> String {
        let key = Proof::Key(SecretString::from(key.to_owned()));
        let secrets = Secrets { key: Some(&key), headers: [&[], &[]], query: "", proxy: None };
        secrets.redact(text).unwrap_or_else(|| text.to_owned())
    }

    /// The text without secrets, where these headers were sent.
    fn clean_of(headers: &[(&str, &str)], text: &str) -> String {
        let header = |(name, value): &(&str, &str)| {
            (HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap())
        };
        let headers: Vec<_> = headers.iter().map(header).collect();
        let secrets = Secrets { key: None, headers: [&headers, &[]], query: "", proxy: None };
        secrets.redact(text).unwrap_or_else(|| text.to_owned())
    }

    #[test]
    fn every_form_of_a_key_is_found_wherever_it_stands() {
        let key = r#"sk/q"uo\te+é=0123456789"#;
        let json = serde_json::to_string(key).unwrap();
        let json = &json[1..json.len() - 1];
        let json_twice = serde_json::to_string(json).unwrap();
        let ascii = r"sk\/q\u0022uo\u005cte+\u00e9=0123456789";
        let url = "sk%2Fq%22uo%5Cte%2B%C3%A9%3D0123456789";
        let every_byte: String = key.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let forms = [
            key,
            json,
            &json_twice[1..json_twice.len() - 1],
            ascii,
            url,
            &url.to_lowercase(),
            &url.replace('%', "%25"),
            &every_byte,
        ];
        for form in forms {
            for (before, after) in
                [("", ""), ("key ", "."), ("\"", "\""), ("s\\n%", "%"), ("é", "é")]
            {
                let text = format!("{before}{form}{after}");
                assert_eq!(clean(key, &text), format!("{before}[key]{after}"), "{text}");
            }
        }
    }

    #[test]
    fn base64_is_found_behind_any_text_and_in_both_alphabets() {
        let key = "sk-~~~???>>>-0123456789";
        for before in ["", "u", "us", "user:", "Bearer "] {
            for after in ["", ":", ":x", " and more"] {
                let bytes = format!("{before}{key}{after}");
                for form in [STANDARD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
                    let own = clean(key, &format!("got <{form}> here"));
                    assert!(own.contains("[key]"), "{form}: {own}");
                    // What is left holds no more than what stood around the key.
                    let left = own.replace("[key]", "").len() - "got <> here".len();
                    assert!(left <= (before.len() + after.len()) * 4 / 3 + 4, "{form}: {own}");
                }
                let url = STANDARD.encode(&bytes).replace('+', "%2B").replace('/', "%2F");
                assert!(clean(key, &url).contains("[key]"));
            }
        }
    }

    #[test]
    fn several_keys_and_texts_without_one() {
        assert_eq!(clean("sk-01234567", "sk-01234567, sk-01234567"), "[key], [key]");
        assert_eq!(clean("sk-01234567", "sk-sk-01234567"), "sk-[key]");
        for text in ["", "sk-0123456", "sk-0123456\\", "%", "\\\\\\\\\\\\\\\\u", "%25%25%25%25%"] {
            assert_eq!(clean("sk-01234567", text), text);
        }
        // A short key is a word that any message may contain.
        assert_eq!(clean("ollama", "ollama is down today"), "ollama is down today");
    }

    #[test]
    fn a_header_hides_its_value_its_words_and_its_password() {
        let basic = format!("Basic {}", STANDARD.encode("user:correct horse"));
        let headers = [
            ("x-gateway", "Bearer gw-0123456789"),
            ("cookie", "a=first-cookie; b=other-cookie"),
            ("proxy-auth", basic.as_str()),
            ("anthropic-beta", "context-1m-2025-08-07"),
        ];
        let of = |text: &str| clean_of(&headers, text);
        assert_eq!(of("the token gw-0123456789 is old"), "the token [key] is old");
        assert_eq!(of("Bearer gw-0123456789"), "[key]");
        assert_eq!(of("first-cookie or other-cookie"), "[key] or [key]");
        assert_eq!(of("not correct horse"), "not [key]");
        assert_eq!(
            of("no such beta: context-1m-2025-08-07"),
            "no such beta: context-1m-2025-08-07"
        );
    }

    #[test]
    fn a_query_hides_its_values_in_every_form() {
        let query = "code=q%2Fr%20s-0123456789&api-version=2025-01-01-preview&a=short&flag";
        let secrets = Secrets { key: None, headers: [&[], &[]], query, proxy: None };
        let clean = |text: &str| secrets.redact(text).unwrap_or_else(|| text.to_owned());
        assert_eq!(clean("not q/r s-0123456789"), "not [key]");
        assert_eq!(clean("/v1?code=q%2Fr+s-0123456789&a=short"), "/v1?code=[key]&a=short");
        let text = "2025-01-01-preview is no version";
        assert_eq!(clean(text), text);
    }

    /// A server that knows the key cannot make the search slow: a text of four times the length
    /// costs four times as much, not sixteen times. The cost is this thread's time on a processor,
    /// the least of several runs, because other processes can only add to it.
    #[test]
    #[cfg(target_os = "linux")]
    fn the_search_is_linear() {
        use rustix::time::{ClockId, clock_gettime};

        let key = "sk-0123456789012345678901234567890123456789";
        let now = || {
            let now = clock_gettime(ClockId::ThreadCPUTime);
            now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
        };
        let cost = |text: &str| {
            let start = now();
            assert_eq!(clean(key, text), text);
            now() - start
        };
        for unit in ["\\", "%25", &key[..40], &format!("{}\\", &key[..40])] {
            let (short, long) =
                (unit.repeat(20_000 / unit.len()), unit.repeat(80_000 / unit.len()));
            let (mut few, mut many) = (f64::MAX, f64::MAX);
            for _ in 0..12 {
                (few, many) = (few.min(cost(&short)), many.min(cost(&long)));
                if many <= few * 6.25 {
                    break;
                }
            }
            assert!(many <= few * 6.25, "{unit:.8}: {few} s, and {many} s");
        }
    }
}
