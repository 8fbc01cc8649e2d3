//! Servers that give keys to what runs on them: those of a container (ECS, EKS), and that of a
//! machine (IMDSv2).

use ::http::Method;
use bytes::Bytes;
use tokio::runtime::Handle;

use super::fetch::Network;
use super::source::{Found, Metadata, of_document, text};
use crate::auth::KeyRef;
use crate::auth::key::Key;
use crate::codec::parse_foreign;
use crate::http::Settings;
use crate::json::Value;
use crate::wire::Request;

/// Where the machine's server has its roles.
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

/// The keys. `None` means that there is no such server, or that it has no role.
pub(super) async fn ask(
    server: &Metadata,
    network: &Network,
    provider: &str,
    blocking: Option<&Handle>,
) -> Result<Option<Found>, String> {
    match server {
        Metadata::Container { http, token } => {
            let token = match token {
                Some(token) => Some(read(token, provider, blocking).await?),
                None => None,
            };
            // The base URL is the whole one; only a path of nothing needs its slash.
            let path = if http.base_url.path() == "/" { "/" } else { "" };
            let mut request = Request::get(path);
            if let Some(token) = &token {
                header(&mut request, "authorization", token)?;
            }
            let (status, body) = network.fetch(http, request, blocking).await?;
            keys(status, &body).map(Some)
        }
        Metadata::Machine { http } => machine(http, network, blocking).await,
    }
}

/// The second version of the server asks for a token of its own first.
async fn machine(
    http: &Settings,
    network: &Network,
    blocking: Option<&Handle>,
) -> Result<Option<Found>, String> {
    let mut request = Request { method: Method::PUT, ..Request::get("/latest/api/token") };
    header(&mut request, "x-aws-ec2-metadata-token-ttl-seconds", "21600")?;
    // Most machines are none of AWS's, and have no such server.
    let Ok((200, token)) = network.fetch(http, request, blocking).await else { return Ok(None) };
    let token = String::from_utf8_lossy(&token).trim().to_owned();
    let get = async |path: String| {
        let mut request = Request::get(path);
        header(&mut request, "x-aws-ec2-metadata-token", &token)?;
        network.fetch(http, request, blocking).await
    };
    let (status, roles) = get(ROLES.to_owned()).await?;
    let roles = String::from_utf8_lossy(&roles).into_owned();
    let role = roles.lines().next().unwrap_or_default().trim();
    // A machine without a role.
    if status == 404 || (status == 200 && role.is_empty()) {
        return Ok(None);
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
    if status != 200 || !role.chars().all(plain) {
        return Err(format!("it answered with status {status} and no role"));
    }
    let (status, body) = get(format!("{ROLES}{role}")).await?;
    keys(status, &body).map(Some)
}

fn header(request: &mut Request, name: &'static str, value: &str) -> Result<(), String> {
    request.header(name, value).map_err(|error| error.message.clone())
}

async fn read(from: &KeyRef, provider: &str, blocking: Option<&Handle>) -> Result<String, String> {
    let key = Key::new(from.clone()).read(provider, blocking).await;
    let key = key.map_err(|error| error.message.clone())?;
    Ok(key.as_ref().map(text).unwrap_or_default().to_owned())
}

fn keys(status: u16, body: &Bytes) -> Result<Found, String> {
    if status != 200 {
        return Err(format!("it answered with status {status}"));
    }
    match parse_foreign(body) {
        Ok(Value::Object(document)) => of_document(&document),
        _ => Err("its answer is not a JSON object".to_owned()),
    }
}
