//! The servers that the tests ask, and clients that ask them.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use liter_llm_core::config::Environment;
use liter_llm_core::{Client, Config, Error, Response};
use ring::{digest, hmac};
use serde_json::{Value, json};

pub const ANSWER: &str = r#"{"output":{"message":{"role":"assistant","content":[{"text":"Hi"}]}},
    "stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2}}"#;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Ask {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Ask {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }

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

/// A server that answers each request by a function of it and of its number, from 0.
#[derive(Clone)]
pub struct Fake {
    pub url: String,
    asked: Arc<Mutex<Vec<Ask>>>,
}

/// Status, further header lines, body.
pub type Said = (u16, String, String);

impl Fake {
    pub fn new(answer: impl Fn(usize, &Ask) -> Said + Send + Sync + 'static) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Ask>>> = Arc::default();
        let (kept, answer) = (Arc::clone(&asked), Arc::new(answer));
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let (asked, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                std::thread::spawn(move || serve(socket.unwrap(), &asked, &*answer));
            }
        });
        Fake { url, asked }
    }

    pub fn saying(answer: &str) -> Fake {
        let answer = answer.to_owned();
        Fake::new(move |_, _| (200, String::new(), answer.clone()))
    }

    pub fn asked(&self) -> Vec<Ask> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(mut socket: TcpStream, asked: &Mutex<Vec<Ask>>, answer: &dyn Fn(usize, &Ask) -> Said) {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        let mut part = [0; 4096];
        let read = socket.read(&mut part).unwrap_or(0);
        if read == 0 {
            return;
        }
        bytes.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let lower = head.to_ascii_lowercase();
        let length = lower.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        if body.len() >= length {
            break (head.to_owned(), length);
        }
    };
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ').map(str::to_owned);
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_ascii_lowercase(), value.to_owned())
    };
    let ask = Ask {
        method: first.next().unwrap(),
        target: first.next().unwrap(),
        headers: lines.map(header).collect(),
        body: text[text.len() - length..].to_owned(),
    };
    let number = {
        let mut asked = asked.lock().unwrap();
        asked.push(ask.clone());
        asked.len() - 1
    };
    let (status, headers, body) = answer(number, &ask);
    let length = body.len();
    let head = format!("HTTP/1.1 {status} x\r\nconnection: close\r\n{headers}");
    let _ = write!(socket, "{head}content-length: {length}\r\n\r\n{body}");
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
