//! Reads a URL strictly, so that everybody who looks at it sees the same origin and target.

use std::borrow::Cow;
use std::fmt::Write as _;

use ::http::Uri;
use ::http::uri::Authority;

/// A URL of scheme `http` or `https`. Its fragment is left out, since it is never sent, and raw
/// characters of path and query are percent-encoded. The error is what is wrong. It does not quote
/// the URL, because a URL may contain a password.
pub(crate) fn read(text: &str) -> Result<Uri, String> {
    let text = text.split_once('#').map_or(text, |(before, _)| before);
    let url = Uri::try_from(encoded(text).as_ref()).map_err(|error| error.to_string())?;
    if !matches!(url.scheme_str(), Some("http" | "https")) {
        return Err("it must begin with http:// or https://".to_owned());
    }
    let Some(authority) = url.authority().filter(|_| url.host().is_some_and(|h| !h.is_empty()))
    else {
        return Err("it names no host".to_owned());
    };
    if authority.as_str().contains('@') {
        return Err("give credentials as api_key or in a header, not inside the URL".to_owned());
    }
    if !has_good_port(authority) {
        return Err("its port must be a number from 1 to 65535 without leading zeros".to_owned());
    }
    Ok(url)
}

/// The text with a path, and with the bytes beyond ASCII of path and query percent-encoded.
fn encoded(text: &str) -> Cow<'_, str> {
    let authority = text.find("://").map_or(0, |at| at + 3);
    let path = text[authority..].find(['/', '?']).map_or(text.len(), |at| authority + at);
    let (before, after) = text.split_at(path);
    if after.starts_with('/') && after.is_ascii() {
        return Cow::Borrowed(text);
    }
    let slash = if after.starts_with('/') { "" } else { "/" };
    let mut out = [before, slash].concat();
    for character in after.chars() {
        if character.is_ascii() {
            out.push(character);
            continue;
        }
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    Cow::Owned(out)
}

/// Whether the port is left out, or a number from 1 to 65535 without leading zeros. Credentials in
/// front of the host do not count.
pub(crate) fn has_good_port(authority: &Authority) -> bool {
    let place = authority.as_str().rsplit_once('@').map_or(authority.as_str(), |(_, place)| place);
    let Some(rest) = place.strip_prefix(authority.host()) else { return false };
    if rest.is_empty() {
        return true;
    }
    rest.strip_prefix(':').is_some_and(|port| {
        port.starts_with(|first: char| matches!(first, '1'..='9'))
            && port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse::<u16>().is_ok()
    })
}

/// Whether a URL is that of a server on this machine.
pub(crate) fn is_loopback(url: &Uri) -> bool {
    let host = url.host().unwrap_or_default().trim_end_matches('.');
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<std::net::IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback() || address.is_unspecified(),
        Err(_) => {
            let name = host.to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l3_ports_are_numbers() {
        for good in
            ["http://h", "http://h:1", "https://h:65535/x", "http://[::1]:80", "http://[::1]"]
        {
            assert!(read(good).is_ok(), "{good}");
        }
        for port in ["99999", "65616", "65536", "", "+8080", "08080", "0", "-1", "8 0", "80:80"] {
            for host in ["h", "[::1]", "127.0.0.1"] {
                for after in ["", "/", "/v1?x=1"] {
                    let url = format!("http://{host}:{port}{after}");
                    assert!(read(&url).is_err(), "{url}");
                }
            }
        }
    }

    #[test]
    fn l3_a_target_is_ascii_and_begins_with_a_slash() {
        for (given, target) in [
            ("http://h", "/"),
            ("http://h:1#f", "/"),
            ("http://h?x=1#f?y", "/?x=1"),
            ("http://h/a#/b", "/a"),
            ("http://h/ä/日?q=ü", "/%C3%A4/%E6%97%A5?q=%C3%BC"),
            ("http://h/%C3%A4", "/%C3%A4"),
        ] {
            let url = read(given).unwrap();
            assert_eq!(url.path_and_query().unwrap().as_str(), target, "{given}");
        }
        for bad in
            ["http://bücher.example/", "h/x", "ftp://h", "http://", "http://u:p@h/", "http:///x"]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn loopback_is_a_name_or_an_address() {
        for own in [
            "http://localhost:1",
            "http://LOCALHOST",
            "http://a.localhost",
            "http://localhost.",
            "http://127.0.0.1",
            "http://127.9.9.9",
            "http://[::1]",
            "http://[::ffff:127.0.0.1]",
            "http://0.0.0.0",
        ] {
            assert!(is_loopback(&read(own).unwrap()), "{own}");
        }
        for other in ["http://localhost.example", "http://10.0.0.1", "http://[::2]"] {
            assert!(!is_loopback(&read(other).unwrap()), "{other}");
        }
    }
}
