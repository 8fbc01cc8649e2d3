//! AWS's credentials over real sockets: fakes of Bedrock, of AWS's token service and of metadata
//! servers. Each signature is computed again from what arrived.
#![cfg(feature = "aws")]
#![allow(clippy::unwrap_used)]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use liter_llm_core::config::Environment;
use liter_llm_core::{Client, Config, Error, ErrorKind, Response};
use ring::{digest, hmac};
use serde_json::{Value, json};

const ANSWER: &str = r#"{"output":{"message":{"role":"assistant","content":[{"text":"Hi"}]}},
    "stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2}}"#;

/// A request as it arrived.
#[derive(Clone, Debug)]
struct Ask {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Ask {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }

    /// The id of the key that signed it, once the signature was checked with this secret.
    fn signed_with(&self, secret: &str) -> String {
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
struct Fake {
    url: String,
    asked: Arc<Mutex<Vec<Ask>>>,
}

/// Status, further header lines, body.
type Said = (u16, String, String);

impl Fake {
    fn new(answer: impl Fn(usize, &Ask) -> Said + Send + Sync + 'static) -> Fake {
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

    fn saying(answer: &str) -> Fake {
        let answer = answer.to_owned();
        Fake::new(move |_, _| (200, String::new(), answer.clone()))
    }

    fn asked(&self) -> Vec<Ask> {
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
fn client(entry: Value, environment: Value) -> Client {
    let mut variables = json!({"HOME": "/nowhere", "AWS_EC2_METADATA_DISABLED": "true"});
    variables.as_object_mut().unwrap().extend(environment.as_object().unwrap().clone());
    let environment = Environment::parse(variables.to_string().as_bytes()).unwrap();
    let mut own = json!({"region": "eu-central-1"});
    own.as_object_mut().unwrap().extend(entry.as_object().unwrap().clone());
    let config = json!({"providers": {"bedrock": own}, "retry": false}).to_string();
    Client::new(Config::parse_in(config.as_bytes(), &environment).unwrap())
}

async fn call(client: &Client) -> Result<Response, Error> {
    let request = br#"{"model":"eu.amazon.nova-lite-v1:0","prompt":"q"}"#;
    let options = br#"{"provider":"bedrock"}"#;
    tokio::time::timeout(Duration::from_secs(30), client.call(request, options)).await.unwrap()
}

async fn failure(client: &Client) -> Error {
    call(client).await.unwrap_err()
}

/// A file that is removed at the end.
struct File(PathBuf);

impl File {
    fn new(name: &str, content: &str) -> File {
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
fn in_seconds(seconds: i64) -> String {
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

fn assumed(id: &str, seconds: i64) -> String {
    let expires = in_seconds(seconds);
    format!(
        "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
         <AccessKeyId>{id}</AccessKeyId><SecretAccessKey>secret-of-sts</SecretAccessKey>\
         <SessionToken>token/of+sts=</SessionToken><Expiration>{expires}</Expiration>\
         </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
    )
}

#[tokio::test]
async fn keys_of_the_environment_sign_what_arrives() {
    let bedrock = Fake::saying(ANSWER);
    let entry =
        json!({"base_url": format!("{}/front", bedrock.url), "query": {"b": "x/y", "a": ""}});
    let keys = json!({"AWS_ACCESS_KEY_ID": "AKID1", "AWS_SECRET_ACCESS_KEY": "secret-1",
        "AWS_SESSION_TOKEN": "token-1"});
    assert_eq!(call(&client(entry, keys)).await.unwrap().text, "Hi");
    let [ask] = &bedrock.asked()[..] else { panic!() };
    assert_eq!(ask.signed_with("secret-1"), "AKID1");
    let path = "/front/model/eu.amazon.nova-lite-v1%3A0/converse?";
    assert!(ask.target.starts_with(path), "{}", ask.target);
    assert_eq!(ask.header("x-amz-security-token"), "token-1");
    let scope = "/eu-central-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-";
    assert!(ask.header("authorization").contains(scope), "{ask:?}");
}

#[tokio::test]
async fn keys_of_the_entry_come_before_those_of_the_environment() {
    let bedrock = Fake::saying(ANSWER);
    let aws = json!({"access_key_id": "AKID2", "secret_access_key": "env:MINE"});
    let entry = json!({"base_url": bedrock.url, "aws": aws});
    let variables = json!({"AWS_ACCESS_KEY_ID": "AKID1", "AWS_SECRET_ACCESS_KEY": "secret-1",
        "MINE": "secret-2", "AWS_BEARER_TOKEN_BEDROCK": "bearer"});
    call(&client(entry, variables)).await.unwrap();
    assert_eq!(bedrock.asked()[0].signed_with("secret-2"), "AKID2");
}

#[tokio::test]
async fn a_bearer_key_comes_before_keys_that_sign() {
    let bedrock = Fake::saying(ANSWER);
    let variables = json!({"AWS_ACCESS_KEY_ID": "AKID1", "AWS_SECRET_ACCESS_KEY": "secret-1",
        "AWS_BEARER_TOKEN_BEDROCK": "bearer"});
    call(&client(json!({"base_url": bedrock.url}), variables)).await.unwrap();
    assert_eq!(bedrock.asked()[0].header("authorization"), "Bearer bearer");
}

#[tokio::test]
async fn keys_of_a_profile() {
    let file = File::new(
        "profiles",
        "[default]\naws_access_key_id = AKID3\naws_secret_access_key = secret-3\n\
         [work]\naws_access_key_id = AKID4\naws_secret_access_key = secret-4\n",
    );
    let bedrock = Fake::saying(ANSWER);
    let variables = json!({"AWS_SHARED_CREDENTIALS_FILE": file.0});
    call(&client(json!({"base_url": bedrock.url}), variables.clone())).await.unwrap();
    let work = json!({"base_url": bedrock.url, "aws": {"profile": "work"}});
    call(&client(work, variables.clone())).await.unwrap();
    let asked = bedrock.asked();
    assert_eq!(asked[0].signed_with("secret-3"), "AKID3");
    assert_eq!(asked[1].signed_with("secret-4"), "AKID4");
    let missing = json!({"base_url": bedrock.url, "aws": {"profile": "play"}});
    let error = failure(&client(missing, variables)).await;
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert!(error.message.contains("the profile play"), "{}", error.message);
    assert_eq!(bedrock.asked().len(), 2);
}

#[tokio::test]
async fn a_web_identity_is_asked_once_for_many_calls() {
    let token = File::new("token-flight", "web-token\n");
    let bedrock = Fake::saying(ANSWER);
    let sts = Fake::new(|n, _| (200, String::new(), assumed(&format!("ASIA{n}"), 3_600)));
    let variables = json!({"AWS_WEB_IDENTITY_TOKEN_FILE": token.0, "AWS_ROLE_ARN": "arn:aws:x/y",
        "AWS_ENDPOINT_URL_STS": sts.url});
    let client = client(json!({"base_url": bedrock.url}), variables);
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { call(&client).await.unwrap() })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(bedrock.asked().len(), 20);
    for ask in bedrock.asked() {
        assert_eq!(ask.signed_with("secret-of-sts"), "ASIA0");
        assert_eq!(ask.header("x-amz-security-token"), "token/of+sts=");
    }
    let [ask] = &sts.asked()[..] else { panic!("{} requests", sts.asked().len()) };
    assert_eq!(ask.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(
        ask.body,
        "Action=AssumeRoleWithWebIdentity&Version=2011%2D06%2D15&RoleArn=arn%3Aaws%3Ax%2Fy&\
         RoleSessionName=liter%2Dllm&WebIdentityToken=web%2Dtoken"
    );
}

#[tokio::test]
async fn keys_are_fetched_again_before_they_expire_and_used_on_if_that_fails() {
    let token = File::new("token-refresh", "web-token");
    let bedrock = Fake::saying(ANSWER);
    let sts = Fake::new(|n, _| match n {
        0 | 1 => (200, String::new(), assumed(&format!("ASIA{n}"), 60)),
        _ => (500, String::new(), String::new()),
    });
    let variables = json!({"AWS_WEB_IDENTITY_TOKEN_FILE": token.0, "AWS_ROLE_ARN": "r",
        "AWS_ENDPOINT_URL_STS": sts.url});
    let client = client(json!({"base_url": bedrock.url}), variables);
    for _ in 0..3 {
        call(&client).await.unwrap();
    }
    let ids: Vec<_> = bedrock.asked().iter().map(|a| a.signed_with("secret-of-sts")).collect();
    assert_eq!(ids, ["ASIA0", "ASIA1", "ASIA1"]);
    assert_eq!(sts.asked().len(), 3);
}

#[tokio::test]
async fn a_token_service_that_fails_is_named_and_nothing_is_sent() {
    let token = File::new("token-fails", "web-token-canary");
    let bedrock = Fake::saying(ANSWER);
    let refused = "<ErrorResponse><Error><Code>ExpiredTokenException</Code>\
                   <Message>web-token-canary is old</Message></Error></ErrorResponse>";
    for (status, body, words) in [
        (400, refused.to_owned(), "status 400 (ExpiredTokenException)"),
        (503, "<html>".to_owned(), "status 503 (no code)"),
        (200, "<html>".to_owned(), "no keys"),
        (200, assumed("ASIA", -10), "expired"),
        (200, "x".repeat(100 << 10), "64 KiB"),
        (301, String::new(), "redirect"),
    ] {
        let sts = Fake::new(move |_, _| (status, String::new(), body.clone()));
        let variables = json!({"AWS_WEB_IDENTITY_TOKEN_FILE": token.0, "AWS_ROLE_ARN": "r",
            "AWS_ENDPOINT_URL_STS": sts.url});
        let error = failure(&client(json!({"base_url": bedrock.url}), variables)).await;
        assert_eq!(error.kind(), ErrorKind::Authentication, "{error:?}");
        assert!(error.message.contains(words), "{words}: {}", error.message);
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
    let variables = json!({"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere/token", "AWS_ROLE_ARN": "r"});
    let error = failure(&client(json!({"base_url": bedrock.url}), variables)).await;
    assert!(error.message.contains("/nowhere/token"), "{}", error.message);
    assert!(bedrock.asked().is_empty());
}

fn document(id: &str) -> String {
    json!({"AccessKeyId": id, "SecretAccessKey": "secret-of-server", "Token": "t",
        "Expiration": in_seconds(3_600)})
    .to_string()
}

#[tokio::test]
async fn keys_of_a_container() {
    let bedrock = Fake::saying(ANSWER);
    let server = Fake::new(|_, ask| match ask.header("authorization") {
        "container-token" => (200, String::new(), document("ASIAC")),
        _ => (403, String::new(), String::new()),
    });
    let file = File::new("container", "container-token\n");
    let url = format!("{}/v2/credentials?x=1", server.url);
    let variables = json!({"AWS_CONTAINER_CREDENTIALS_FULL_URI": url,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": file.0});
    call(&client(json!({"base_url": bedrock.url}), variables)).await.unwrap();
    assert_eq!(bedrock.asked()[0].signed_with("secret-of-server"), "ASIAC");
    assert_eq!(server.asked()[0].target, "/v2/credentials?x=1");
    let variables = json!({"AWS_CONTAINER_CREDENTIALS_FULL_URI": url});
    let error = failure(&client(json!({"base_url": bedrock.url}), variables)).await;
    assert!(error.message.contains("status 403"), "{}", error.message);
    // A token of this machine does not go to another one in the open.
    let variables = json!({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://evil.example/x"});
    let error = failure(&client(json!({"base_url": bedrock.url}), variables)).await;
    assert!(error.message.contains("must be https"), "{}", error.message);
    assert_eq!(bedrock.asked().len(), 1);
}

#[tokio::test]
async fn keys_of_a_machine() {
    let bedrock = Fake::saying(ANSWER);
    let roles = "/latest/meta-data/iam/security-credentials/";
    let server = Fake::new(move |_, ask| {
        let said = |body: &str| (200, String::new(), body.to_owned());
        match (ask.method.as_str(), ask.target.strip_prefix(roles)) {
            ("PUT", None) if ask.target == "/latest/api/token" => said("machine-token"),
            _ if ask.header("x-aws-ec2-metadata-token") != "machine-token" => {
                (401, String::new(), String::new())
            }
            ("GET", Some("")) => said("my-role\n"),
            ("GET", Some("my-role")) => said(&document("ASIAM")),
            _ => (404, String::new(), String::new()),
        }
    });
    let variables = |url: &str| json!({"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": url});
    let entry = json!({"base_url": bedrock.url});
    call(&client(entry.clone(), variables(&server.url))).await.unwrap();
    assert_eq!(bedrock.asked()[0].signed_with("secret-of-server"), "ASIAM");
    assert_eq!(server.asked()[0].header("x-aws-ec2-metadata-token-ttl-seconds"), "21600");
    // No server at all, and one without a role: there are no credentials.
    let none = Fake::new(|_, ask| match ask.method.as_str() {
        "PUT" => (200, String::new(), "t".to_owned()),
        _ => (404, String::new(), String::new()),
    });
    for url in [none.url.as_str(), "http://127.0.0.1:1"] {
        let error = failure(&client(entry.clone(), variables(url))).await;
        assert_eq!(error.kind(), ErrorKind::Authentication);
        assert!(error.message.contains("AWS_ACCESS_KEY_ID"), "{}", error.message);
        assert!(error.message.contains("metadata server"), "{}", error.message);
    }
    assert_eq!(bedrock.asked().len(), 1);
}

const KEYS: [&str; 3] =
    ["AKID-canary-0123456789", "secret-canary-0123456789", "token-canary-012345"];

fn canaries() -> Value {
    json!({"AWS_ACCESS_KEY_ID": KEYS[0], "AWS_SECRET_ACCESS_KEY": KEYS[1],
        "AWS_SESSION_TOKEN": KEYS[2]})
}

#[tokio::test]
async fn a_wrong_clock_is_mended_once() {
    let date = |seconds: i64| {
        let now = SystemTime::now() + Duration::from_secs(seconds as u64);
        format!("date: {}\r\n", httpdate::fmt_http_date(now))
    };
    let refusal = move |seconds| {
        let class = "x-amzn-errortype: InvalidSignatureException:http://x/\r\n";
        let body = r#"{"message":"Signature not yet current"}"#;
        (403, date(seconds) + class, body.to_owned())
    };
    let bedrock = Fake::new(move |n, _| match n {
        0 => refusal(3_600),
        _ => (200, date(3_600), ANSWER.to_owned()),
    });
    let one = client(json!({"base_url": bedrock.url}), canaries());
    for _ in 0..2 {
        call(&one).await.unwrap();
    }
    let asked = bedrock.asked();
    let hours: Vec<_> = asked.iter().map(|ask| ask.header("x-amz-date")[..11].to_owned()).collect();
    // The hour differs after the refusal, and stays so for the next call.
    assert_eq!(asked.len(), 3);
    assert!(hours[0] != hours[1] && hours[1] == hours[2], "{hours:?}");
    assert!(asked.iter().all(|ask| ask.signed_with(KEYS[1]) == KEYS[0]));
    // A key that is simply wrong is not tried again, nor one that is refused at the mended time.
    for (seconds, requests) in [(0, 1), (3_600, 2)] {
        let bedrock = Fake::new(move |_, _| refusal(seconds));
        let error = failure(&client(json!({"base_url": bedrock.url}), canaries())).await;
        assert_eq!(error.kind(), ErrorKind::Authentication);
        assert_eq!(bedrock.asked().len(), requests, "{seconds}");
    }
}

#[tokio::test]
async fn what_an_answer_repeats_of_the_signature_is_not_shown() {
    let bedrock = Fake::new(|_, ask| {
        let headers = ask.headers.iter().map(|(name, value)| format!("{name}: {value}; "));
        let message = headers.collect::<String>() + KEYS[1];
        (403, String::new(), json!({ "message": message, "signature": message }).to_string())
    });
    let error = failure(&client(json!({"base_url": bedrock.url}), canaries())).await;
    let shown = format!("{error:?}") + &String::from_utf8(error.to_json()).unwrap();
    assert!(shown.contains("[key]"), "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
    let ask = &bedrock.asked()[0];
    let signature = ask.header("authorization").rsplit('=').next().unwrap();
    assert!(signature.len() == 64 && !shown.contains(signature), "{shown}");
}

#[tokio::test]
async fn settings_that_contradict_each_other() {
    for (entry, param) in [
        (json!({"api_key": "k", "aws": {"profile": "x"}}), "providers.bedrock.aws"),
        (json!({"aws": {}}), "providers.bedrock.aws"),
        (json!({"aws": {"access_key_id": "a"}}), "providers.bedrock.aws"),
        (
            json!({"aws": {"access_key_id": "a", "secret_access_key": "b", "profile": "c"}}),
            "providers.bedrock.aws",
        ),
        (json!({"aws": {"key": "a"}}), "providers.bedrock.aws.key"),
    ] {
        let mut own = json!({"region": "eu-west-1"});
        own.as_object_mut().unwrap().extend(entry.as_object().unwrap().clone());
        let config = json!({"providers": {"bedrock": own}}).to_string();
        let environment = Environment::parse(br#"{"HOME":"/nowhere"}"#).unwrap();
        let error = Config::parse_in(config.as_bytes(), &environment).unwrap_err();
        assert_eq!(error.param.as_deref(), Some(param), "{}", error.message);
    }
    let other = br#"{"providers":{"openai":{"aws":{"profile":"x"}}}}"#;
    let error = Config::parse_in(other, &Environment::parse(b"{}").unwrap()).unwrap_err();
    assert_eq!(error.param.as_deref(), Some("providers.openai.aws"));
}
