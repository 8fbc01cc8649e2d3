//! The servers that the tests ask, and clients that ask them.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use liter_llm_core::config::Environment;
use liter_llm_core::{Client, Config, Error, Response};
use ring::{digest, hmac};
use serde_json::{Value, json};

pub(crate) use crate::common::fake::{Ask, Fake};

pub const ANSWER: &str = r#"{"output":{"message":{"role":"assistant","content":[{"text":"Hi"}]}},
    "stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2}}"#;

impl Ask {
    /// The id of the key that signed it, once the signature was checked with this secret.
    pub fn signed_with(&self, secret: &str) -> String {
        let authorization = self.header("authorization");
        let part = |name: &str| {
            let rest = authorization.split_once(name).unwrap_or_else(|| panic!("{self:?}")).1;
            rest.split([',', ' ']).next().unwrap().to_owned()
        };
        let (names, signature) = (part("SignedHeaders="), part("Signature="));
        let credential = part("Credential=");
        let (id, scope) = credential.split_once('/').unwrap();
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let mut query: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
        query.sort_unstable();
        let lines: String =
            names.split(';').map(|name| format!("{name}:{}\n", self.header(name))).collect();
        let canonical = format!(
            "{}\n{}\n{}\n{lines}\n{names}\n{}",
            self.method,
            path.replace('%', "%25"),
            query.join("&"),
            sha256(&self.body)
        );
        let time = self.header("x-amz-date");
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(&canonical));
        let key = scope.split('/').fold(format!("AWS4{secret}").into_bytes(), |k, p| sign(&k, p));
        assert_eq!(hex(&sign(&key, &text)), signature, "{self:?}");
        id.to_owned()
    }
}

fn sha256(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A client whose environment is this alone, and no metadata server of a real machine.
pub fn client(entry: Value, environment: Value) -> Client {
    let mut variables = json!({"HOME": "/nowhere", "AWS_EC2_METADATA_DISABLED": "true"});
    variables.as_object_mut().unwrap().extend(environment.as_object().unwrap().clone());
    let environment = Environment::parse(variables.to_string().as_bytes()).unwrap();
    let mut own = json!({"region": "eu-central-1"});
    own.as_object_mut().unwrap().extend(entry.as_object().unwrap().clone());
    let config = json!({"providers": {"bedrock": own}, "retry": false}).to_string();
    Client::new(Config::parse_in(config.as_bytes(), &environment).unwrap())
}

pub async fn call(client: &Client) -> Result<Response, Error> {
    let request = br#"{"model":"eu.amazon.nova-lite-v1:0","prompt":"q"}"#;
    let options = br#"{"provider":"bedrock"}"#;
    tokio::time::timeout(Duration::from_secs(30), client.call(request, options)).await.unwrap()
}

pub async fn failure(client: &Client) -> Error {
    call(client).await.unwrap_err()
}

/// A file that is removed at the end.
pub struct File(pub PathBuf);

impl File {
    pub fn new(name: &str, content: &str) -> File {
        let path = std::env::temp_dir().join(format!("liter-aws-{}-{name}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        File(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The time in so many seconds, as AWS writes it.
pub fn in_seconds(seconds: i64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64;
    let date = httpdate::fmt_http_date(
        SystemTime::UNIX_EPOCH + Duration::from_secs((now + seconds) as u64),
    );
    // "Sun, 29 Nov 2026 18:09:21 GMT"
    let words: Vec<&str> = date.split(' ').collect();
    let months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let month = months.find(words[2]).unwrap() / 3 + 1;
    format!("{}-{month:02}-{}T{}Z", words[3], words[1], words[4])
}

pub fn assumed(id: &str, seconds: i64) -> String {
    let expires = in_seconds(seconds);
    format!(
        "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
         <AccessKeyId>{id}</AccessKeyId><SecretAccessKey>secret-of-sts</SecretAccessKey>\
         <SessionToken>token/of+sts=</SessionToken><Expiration>{expires}</Expiration>\
         </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
    )
}

pub fn document(id: &str) -> String {
    json!({"AccessKeyId": id, "SecretAccessKey": "secret-of-server", "Token": "t",
        "Expiration": in_seconds(3_600)})
    .to_string()
}

pub const KEYS: [&str; 3] =
    ["AKID-canary-0123456789", "secret-canary-0123456789", "token-canary-012345"];

pub fn canaries() -> Value {
    json!({"AWS_ACCESS_KEY_ID": KEYS[0], "AWS_SECRET_ACCESS_KEY": KEYS[1],
        "AWS_SESSION_TOKEN": KEYS[2]})
}
