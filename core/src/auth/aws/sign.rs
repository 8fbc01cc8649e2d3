//! Signature Version 4: a request signed with AWS's keys.
//!
//! It is written after AWS's public specification. The tests hold a vector of AWS's own suite, and
//! what AWS's SDK for Python signs for the same requests.

use ::http::header::AUTHORIZATION;
use ::http::{HeaderName, HeaderValue};
use ring::{digest, hmac};
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use crate::error::{Error, ErrorKind};
use crate::wire::Request;

const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// Whether a signature needs this header for itself.
#[must_use]
pub fn is_signed(name: &HeaderName) -> bool {
    [AUTHORIZATION, DATE, TOKEN].contains(name)
}

/// AWS's keys, as one source gives them.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    pub(super) id: SecretString,
    pub(super) secret: SecretString,
    /// The token of temporary keys.
    pub(super) token: Option<SecretString>,
}

/// Where signed requests go, and for what they are valid.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The region.
    pub region: String,
    /// The service, as signatures name it.
    pub service: &'static str,
    /// The `host` header.
    pub host: String,
    /// The path before that of a request.
    pub base_path: String,
    /// The query behind that of a request.
    pub query: String,
}

/// Signs a request: adds its headers, and returns the signature. `now` is in seconds since 1970.
pub(super) fn sign(
    request: &mut Request,
    keys: &Keys,
    scope: &Scope,
    now: i64,
) -> Result<SecretString, Error> {
    let time = timestamp(now);
    let mut headers = vec![("host", scope.host.as_str()), ("x-amz-date", time.as_str())];
    if let Some(token) = &keys.token {
        headers.push(("x-amz-security-token", token.expose_secret()));
    }
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let canonical = canonical(request, scope, &headers, &names);
    let day = &time[..8];
    let valid = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{valid}\n{}", sha256(canonical.as_bytes()));
    let key = [b"AWS4", keys.secret.expose_secret().as_bytes()].concat();
    // Each key would sign for a day, so that none is left in the memory.
    let key = [day, &scope.region, scope.service, "aws4_request"]
        .iter()
        .fold(SecretSlice::from(key), |key, part| hmac(key.expose_secret(), part).into());
    let signature = hex(&hmac(key.expose_secret(), &text));
    let value = format!(
        "AWS4-HMAC-SHA256 Credential={}/{valid}, SignedHeaders={names}, Signature={signature}",
        keys.id.expose_secret()
    );
    add(request, AUTHORIZATION, &value)?;
    add(request, DATE, &time)?;
    if let Some(token) = &keys.token {
        add(request, TOKEN, token.expose_secret())?;
    }
    Ok(SecretString::from(signature))
}

fn add(request: &mut Request, name: HeaderName, value: &str) -> Result<(), Error> {
    let mut value = HeaderValue::try_from(value).map_err(|_| {
        let what = "AWS's keys have characters that no header can hold";
        Error::new(ErrorKind::Authentication, what)
    })?;
    value.set_sensitive(true);
    request.headers.push((name, value));
    Ok(())
}

/// The request in the form that is signed. Each part of the path is percent-encoded once more, and
/// the parameters of the query are in their order.
fn canonical(request: &Request, scope: &Scope, headers: &[(&str, &str)], names: &str) -> String {
    let mut path = String::new();
    for byte in scope.base_path.bytes().chain(request.path.bytes()) {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                path.push(char::from(byte));
            }
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    let queries = [&*request.query, &scope.query].into_iter().flat_map(|query| query.split('&'));
    let mut pairs: Vec<(&str, &str)> = queries
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    pairs.sort_unstable();
    let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let (method, query, body) = (&request.method, query.join("&"), sha256(&request.body));
    format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{body}")
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A point in time as `20150830T123600Z`.
fn timestamp(now: i64) -> String {
    let (days, second) = (now.div_euclid(86_400), now.rem_euclid(86_400));
    // The days of years that begin in March, so that the leap day is the last one; 146,097 days are
    // 400 years.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2015-08-30T12:36:00Z, the time of AWS's test suite.
    const THEN: i64 = 1_440_938_160;

    fn signed(mut request: Request, host: &str, service: &'static str, token: &str) -> Request {
        let secret = |text: &str| SecretString::from(text.to_owned());
        let keys = Keys {
            id: secret("AKIDEXAMPLE"),
            secret: secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            token: (!token.is_empty()).then(|| secret(token)),
        };
        let (host, path) = host.split_once('/').unwrap_or((host, ""));
        let scope = Scope {
            region: "us-east-1".into(),
            service,
            host: host.into(),
            base_path: if path.is_empty() { String::new() } else { format!("/{path}") },
            query: String::new(),
        };
        sign(&mut request, &keys, &scope, THEN).unwrap();
        request
    }

    fn authorization(request: &Request) -> &str {
        request.headers[0].1.to_str().unwrap()
    }

    #[test]
    fn vectors() {
        // `get-vanilla` of AWS's suite.
        let bare = signed(Request::get("/"), "example.amazonaws.com", "service", "");
        assert_eq!(
            authorization(&bare),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
        // What botocore 1.44.8 signs. Percent-encoded ids are encoded once more.
        let host = "bedrock-runtime.us-east-1.amazonaws.com";
        let body = br#"{"messages":[]}"#.to_vec();
        let one = Request::post("/model/us.amazon.nova-lite-v1%3A0/converse", body.clone());
        let arn = Request::post("/model/arn%3Aaws%3Abedrock%3Aeu%2Fx/converse", body);
        let list =
            Request { query: "maxResults=1&b=%2Fx&a".into(), ..Request::get("/async-invoke") };
        for (request, host, token, names, signature) in [
            (
                one,
                host,
                "",
                "host;x-amz-date",
                "cba04784ee4b005a0fe7f9f365270cae35cfd2378611c4c12c5682a5b2d51ea5",
            ),
            (
                arn,
                host,
                "TOKEN/with+signs==",
                "host;x-amz-date;x-amz-security-token",
                "6bee3f01161b3351e8d44a1451388500e0989c65c3d8a0c56333deabd3f7a4f1",
            ),
            (
                list,
                "vpce.example:8443/front",
                "",
                "host;x-amz-date",
                "d59b3479fbd422dec5e661c604c32ca7ce5f3784f09eab16c97ca3b6b7031364",
            ),
        ] {
            let request = signed(request, host, "bedrock", token);
            assert_eq!(
                authorization(&request),
                format!(
                    "AWS4-HMAC-SHA256 \
                     Credential=AKIDEXAMPLE/20150830/us-east-1/bedrock/aws4_request, \
                     SignedHeaders={names}, Signature={signature}"
                )
            );
            assert_eq!(request.headers[1].1, "20150830T123600Z");
            assert!(request.headers.iter().all(|(_, value)| value.is_sensitive()));
        }
    }

    #[test]
    fn points_in_time() {
        for (seconds, text) in [
            (0, "19700101T000000Z"),
            (951_827_696, "20000229T123456Z"),
            (1_709_251_199, "20240229T235959Z"),
            (1_709_251_200, "20240301T000000Z"),
            (4_102_444_799, "20991231T235959Z"),
        ] {
            assert_eq!(timestamp(seconds), text);
        }
    }
}
