//! A role that is assumed with a token in a file, as on Kubernetes (IRSA): one request to AWS's
//! token service, which needs no signature.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::runtime::Handle;

use super::fetch::Network;
use super::source::{Found, WebIdentity, found};
use crate::wire::Request;

/// The largest file of a token, in bytes.
const MOST: u64 = 64 << 10;

/// The role's keys.
pub(super) async fn ask(
    web: &WebIdentity,
    network: &Network,
    blocking: Option<&Handle>,
) -> Result<Found, String> {
    let path = web.token_file.clone();
    let work = move || crate::file::read(&path, MOST);
    let reading = match blocking {
        Some(handle) => handle.spawn_blocking(work),
        None => tokio::task::spawn_blocking(work),
    };
    let read = reading.await.unwrap_or_else(|_| Err("it was interrupted".to_owned()));
    let (token, _) =
        read.map_err(|reason| format!("cannot read {}: {reason}", web.token_file.display()))?;
    let token = String::from_utf8_lossy(&token);
    let form = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", &web.role),
        ("RoleSessionName", &web.session),
        ("WebIdentityToken", token.trim()),
    ];
    let pair = |(name, value): &(&str, &str)| {
        format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))
    };
    let form: Vec<String> = form.iter().map(pair).collect();
    let mut request = Request::post("/", form.join("&").into_bytes());
    request
        .header("content-type", "application/x-www-form-urlencoded")
        .map_err(|error| error.message.clone())?;
    let (status, body) = network.fetch(&web.http, request, blocking).await?;
    let body = String::from_utf8_lossy(&body);
    if status != 200 {
        // The code is a word of AWS's; the message may repeat the token, as may anything else.
        let word = |code: &&str| {
            code.len() <= 64 && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
        };
        let code = tag(&body, "Code").filter(word).unwrap_or("no code");
        return Err(format!("AWS's token service answered with status {status} ({code})"));
    }
    let member = |name: &str| tag(&body, name).unwrap_or_default();
    found(
        member("AccessKeyId"),
        member("SecretAccessKey"),
        member("SessionToken"),
        member("Expiration"),
    )
}

/// The text of the first element of this name. These have no characters that XML escapes.
fn tag<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let text = text.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || "+/=_-.:".contains(c);
    text.chars().all(plain).then_some(text)
}
