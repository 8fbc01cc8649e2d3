//! Google's credentials over real sockets: fakes of Vertex, of Google's token endpoint, of its
//! services that exchange and impersonate, and of a metadata server. Assertions are verified.
#![cfg(all(feature = "google", unix))]
#![allow(clippy::unwrap_used)]

mod common;

use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::fake::{Ask, Fake, Folder};
use common::{assert_says, until, within};
use liter_llm_core::config::Environment;
use liter_llm_core::{Client, Config, Error, ErrorKind, Response};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

const ANSWER: &str = r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Hi"}]},
    "finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1}}"#;

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The key of a service account, made for this run.
fn key() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| {
        let arguments = ["genpkey", "-quiet", "-algorithm", "RSA"];
        let made = Command::new("openssl").args(arguments).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        String::from_utf8(made.stdout).unwrap()
    })
}

/// The claims of an assertion whose signature was checked, and the header before them.
fn verified(assertion: &str) -> (Value, Value) {
    let (text, signature) = assertion.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let der = PrivatePkcs8KeyDer::from_pem_slice(key().as_bytes()).unwrap();
    let pair = ring::rsa::KeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public());
    public.verify(&RSA_PKCS1_2048_8192_SHA256, text.as_bytes(), &signature).unwrap();
    let read = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let (header, claims) = text.split_once('.').unwrap();
    (read(header), read(claims))
}

fn client(vertex: &Fake, google: Value, variables: Value) -> Client {
    let mut entry = json!({"base_url": format!("{}/v1/google", vertex.url)});
    if !google.is_null() {
        entry["google"] = google;
    }
    let config = json!({"providers": {"vertex": entry}, "retry": false}).to_string();
    // No metadata server of a real machine.
    let mut all = json!({"GCE_METADATA_HOST": "127.0.0.1:1", "HOME": "/nowhere"});
    all.as_object_mut().unwrap().extend(variables.as_object().unwrap().clone());
    let environment = Environment::parse(all.to_string().as_bytes()).unwrap();
    Client::new(Config::parse_in(config.as_bytes(), &environment).unwrap())
}

async fn call(client: &Client) -> Result<Response, Error> {
    let request = br#"{"model":"gemini-2.5-flash","prompt":"q"}"#;
    let asking = client.call(request, br#"{"provider":"vertex"}"#);
    tokio::time::timeout(Duration::from_secs(40), asking).await.unwrap()
}

fn service_account(token_url: &str) -> Value {
    json!({"type": "service_account", "client_email": "me@x.example", "private_key_id": "id-1",
        "private_key": key(), "token_uri": token_url, "project_id": "p"})
}

fn user(token_url: &str) -> Value {
    json!({"type": "authorized_user", "client_id": "client", "client_secret": "secret-canary",
        "refresh_token": "refresh-canary", "token_uri": token_url, "quota_project_id": "payer"})
}

fn token(text: &str, seconds: f64) -> String {
    json!({"access_token": text, "expires_in": seconds, "token_type": "Bearer"}).to_string()
}

fn bearers(vertex: &Fake) -> Vec<String> {
    let bearer = |ask: Ask| ask.header("authorization").to_owned();
    vertex.asked().into_iter().map(bearer).collect()
}

#[tokio::test]
async fn a_service_account_signs_its_assertion() {
    let (vertex, folder) = (Fake::saying(ANSWER), Folder::new());
    let endpoint = Fake::saying(&token("token-1", 3_600.0));
    let url = format!("{}/token", endpoint.url);
    let path = folder.file("account.json", &service_account(&url).to_string());
    let file = format!("file:{}", path.display());
    let document = service_account(&url).to_string();
    for (google, variables) in [
        (Value::Null, json!({"GOOGLE_APPLICATION_CREDENTIALS": path})),
        (json!({}), json!({"GOOGLE_APPLICATION_CREDENTIALS": path})),
        (json!({"credentials": path}), json!({"GOOGLE_APPLICATION_CREDENTIALS": "/nowhere/else"})),
        (json!({"credentials": file}), json!({})),
        (json!({"credentials": "env:MINE"}), json!({"MINE": document})),
        (json!({"credentials": document}), json!({})),
    ] {
        assert_eq!(call(&client(&vertex, google, variables)).await.unwrap().text(), "Hi");
        assert_eq!(bearers(&vertex).last().unwrap(), "Bearer token-1");
        let ask = endpoint.asked().pop().unwrap();
        assert_eq!((ask.method.as_str(), ask.target.as_str()), ("POST", "/token"));
        assert_eq!(ask.header("content-type"), "application/x-www-form-urlencoded");
        assert_eq!(ask.form("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
        let (header, claims) = verified(&ask.form("assertion"));
        assert_eq!(header, json!({"alg": "RS256", "typ": "JWT", "kid": "id-1"}));
        assert_eq!(
            [&claims["iss"], &claims["aud"], &claims["scope"]],
            ["me@x.example", &url, SCOPE]
        );
        let time = |name: &str| claims[name].as_u64().unwrap();
        assert_eq!(time("exp") - time("iat"), 3_600);
        assert!(claims.get("sub").is_none());
    }
    assert_eq!(endpoint.count(), 6);
}

#[tokio::test]
async fn a_user_refreshes_and_the_project_pays() {
    let (vertex, folder) = (Fake::saying(ANSWER), Folder::new());
    let endpoint = Fake::saying(&token("token-1", 3_600.0));
    let name = "application_default_credentials.json";
    let user = user(&format!("{}/token", endpoint.url)).to_string();
    folder.file(name, &user);
    std::fs::create_dir_all(folder.path().join(".config/gcloud")).unwrap();
    folder.file(&format!(".config/gcloud/{name}"), &user);
    for (variable, project) in [("CLOUDSDK_CONFIG", "payer"), ("HOME", "other")] {
        let mut variables = json!({variable: folder.path()});
        if project == "other" {
            variables["GOOGLE_CLOUD_QUOTA_PROJECT"] = json!("other");
        }
        call(&client(&vertex, Value::Null, variables)).await.unwrap();
        let ask = vertex.asked().pop().unwrap();
        assert_eq!(ask.header("authorization"), "Bearer token-1");
        assert_eq!(ask.header("x-goog-user-project"), project);
        let body = "grant_type=refresh%5Ftoken&client_id=client&client_secret=secret%2Dcanary&\
                    refresh_token=refresh%2Dcanary";
        assert_eq!(endpoint.asked().pop().unwrap().body, body);
    }
}

#[tokio::test]
async fn a_metadata_server_gives_the_token_of_its_machine() {
    let vertex = Fake::saying(ANSWER);
    let server = Fake::new(|_, ask| match ask.header("metadata-flavor") {
        "Google" => (200, token("token-m", 3_600.0)),
        _ => (403, String::new()),
    });
    let host = server.url.trim_start_matches("http://");
    call(&client(&vertex, Value::Null, json!({"GCE_METADATA_HOST": host}))).await.unwrap();
    assert_eq!(bearers(&vertex), ["Bearer token-m"]);
    let target = "/computeMetadata/v1/instance/service-accounts/default/token?scopes=";
    assert!(server.asked()[0].target.starts_with(target), "{:?}", server.asked());
}

#[tokio::test]
async fn federated_tokens_are_exchanged() {
    let (vertex, folder) = (Fake::saying(ANSWER), Folder::new());
    let text = folder.file("subject", "subject-canary\n");
    let object = folder.file("subject.json", r#"{"id_token":"subject-canary"}"#);
    let other = Fake::new(|_, ask| match ask.header("metadata") {
        "True" => (200, r#"{"id_token":"subject-canary"}"#.to_owned()),
        _ => (403, String::new()),
    });
    let json_format = json!({"type": "json", "subject_token_field_name": "id_token"});
    for (source, impersonates) in [
        (json!({"file": text}), false),
        (json!({"file": object, "format": json_format}), true),
        (
            json!({"url": format!("{}/id?x=1", other.url), "headers": {"Metadata": "True"},
                "format": json_format}),
            false,
        ),
    ] {
        let google = Fake::new(|_, ask| match ask.target.as_str() {
            "/sts" => (200, token("token-sts", 3_600.0)),
            _ => {
                let end = "2999-01-01T00:00:00Z";
                let issued = json!({"accessToken": "token-other", "expireTime": end});
                (200, issued.to_string())
            }
        });
        let mut document = json!({"type": "external_account", "audience": "//iam/aud",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": format!("{}/sts", google.url), "credential_source": source});
        if impersonates {
            let url = format!("{}/v1/a:generateAccessToken", google.url);
            document["service_account_impersonation_url"] = json!(url);
            document["service_account_impersonation"] = json!({"token_lifetime_seconds": 600});
        } else {
            document["client_id"] = json!("client");
            document["client_secret"] = json!("secret-canary");
        }
        let credentials = json!({"credentials": document.to_string()});
        call(&client(&vertex, credentials, json!({}))).await.unwrap();
        let asked = google.asked();
        let sts = &asked[0];
        let grant = "urn:ietf:params:oauth:grant-type:token-exchange";
        assert_eq!(
            (sts.form("grant_type"), sts.form("audience")),
            (grant.into(), "//iam/aud".into())
        );
        assert_eq!(
            (sts.form("subject_token"), sts.form("scope")),
            ("subject-canary".into(), SCOPE.into())
        );
        let expected = if impersonates { "Bearer token-other" } else { "Bearer token-sts" };
        assert_eq!(bearers(&vertex).last().unwrap(), expected);
        if impersonates {
            assert_eq!(asked[1].header("authorization"), "Bearer token-sts");
            let body: Value = serde_json::from_str(&asked[1].body).unwrap();
            assert_eq!(body, json!({"delegates": [], "scope": [SCOPE], "lifetime": "600s"}));
        } else {
            assert_eq!(sts.header("authorization"), "Basic Y2xpZW50OnNlY3JldC1jYW5hcnk=");
        }
    }
    assert_eq!(other.asked()[0].target, "/id?x=1");
}

#[tokio::test]
async fn an_account_that_is_impersonated() {
    let vertex = Fake::saying(ANSWER);
    let google = Fake::new(|_, ask| match ask.target.as_str() {
        "/token" => (200, token("token-1", 3_600.0)),
        _ => {
            let end = "2999-01-01T00:00:00Z";
            (200, json!({"accessToken": "token-2", "expireTime": end}).to_string())
        }
    });
    let document = json!({"type": "impersonated_service_account", "delegates": ["d"],
        "service_account_impersonation_url": format!("{}/v1/b:generateAccessToken", google.url),
        "source_credentials": user(&format!("{}/token", google.url))});
    let credentials = json!({"credentials": document.to_string()});
    call(&client(&vertex, credentials, json!({}))).await.unwrap();
    assert_eq!(bearers(&vertex), ["Bearer token-2"]);
    assert!(google.asked()[1].body.contains(r#""delegates":["d"]"#));
}

/// A token endpoint with the credentials of a user of it.
fn of_user(endpoint: &Fake) -> Value {
    json!({"credentials": user(&format!("{}/token", endpoint.url)).to_string()})
}

#[tokio::test]
async fn a_token_is_asked_for_once_by_many_calls_also_if_the_first_is_cancelled() {
    let vertex = Fake::saying(ANSWER);
    let endpoint = Fake::new(|_, _| {
        std::thread::sleep(Duration::from_millis(300));
        (200, token("token-1", 3_600.0))
    });
    let client = client(&vertex, of_user(&endpoint), json!({}));
    let first = client.clone();
    let first = tokio::spawn(async move { call(&first).await });
    until(|| endpoint.count() == 1).await;
    first.abort();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { call(&client).await.unwrap() })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!((endpoint.count(), vertex.count()), (1, 20));
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end_and_used_on_if_that_fails() {
    let vertex = Fake::saying(ANSWER);
    let endpoint = Fake::new(|n, _| match n {
        // Due after 6.4 s.
        0 => (200, token("token-0", 8.0)),
        1 => (500, String::new()),
        _ => (200, token(&format!("token-{n}"), 3_600.0)),
    });
    let client = client(&vertex, of_user(&endpoint), json!({}));
    // No call fails or waits while the first token is valid, which the second request did not renew.
    let mut at_second = None;
    within(async {
        while bearers(&vertex).last().is_none_or(|last| last == "Bearer token-0") {
            call(&client).await.unwrap();
            at_second = at_second.or_else(|| (endpoint.count() == 2).then(|| vertex.count()));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert_eq!(bearers(&vertex).last().unwrap(), "Bearer token-2");
    assert_eq!(endpoint.count(), 3);
    // Many calls went on with the first one.
    assert!(vertex.count() > at_second.unwrap() + 5, "{at_second:?} of {}", vertex.count());
}

#[tokio::test]
async fn a_refused_token_is_asked_for_again_once() {
    let refusal = || {
        let error =
            json!({"error": {"code": 401, "message": "no token-0", "status": "UNAUTHENTICATED"}});
        (401, error.to_string())
    };
    let vertex = Fake::new(move |_, ask| match ask.header("authorization") {
        "Bearer token-1" => (200, ANSWER.to_owned()),
        _ => refusal(),
    });
    let endpoint = Fake::new(|n, _| (200, token(&format!("token-{n}"), 3_600.0)));
    call(&client(&vertex, of_user(&endpoint), json!({}))).await.unwrap();
    assert_eq!(bearers(&vertex), ["Bearer token-0", "Bearer token-1"]);
    let strict = Fake::new(move |_, _| refusal());
    let again = AtomicUsize::new(0);
    let client = client(&strict, of_user(&endpoint), json!({}));
    for _ in 0..3 {
        let error = call(&client).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Authentication);
        again.fetch_add(1, Ordering::Relaxed);
    }
    // Not for each call: what is refused for another reason stays refused.
    assert_eq!((strict.count(), endpoint.count()), (4, 4));
}

#[tokio::test]
async fn a_token_endpoint_that_fails_is_named_and_nothing_is_sent() {
    let vertex = Fake::saying(ANSWER);
    let refused = json!({"error": "invalid_grant", "error_description": "refresh-canary is old"});
    let odd = json!({"error": "secret-canary or refresh-canary, and more of it"});
    for (status, body, words) in [
        (400, refused.to_string(), "status 400 (invalid_grant)"),
        (400, odd.to_string(), "status 400 (no code)"),
        (503, "<html>secret-canary".to_owned(), "status 503 (no code)"),
        (200, "<html>".to_owned(), "not a JSON object"),
        (200, "{}".to_owned(), "no access_token"),
        (200, token("token-canary", 0.0), "expired"),
        (200, token("token-canary", -5.0), "expired"),
        (200, "x".repeat(100 << 10), "64 KiB"),
        (301, String::new(), "redirect"),
    ] {
        let endpoint = Fake::new(move |_, _| (status, body.clone()));
        let error = call(&client(&vertex, of_user(&endpoint), json!({}))).await.unwrap_err();
        assert_says(&error, ErrorKind::Authentication, words);
        assert_eq!(error.provider.as_deref(), Some("vertex"));
    }
    let gone = json!({"credentials": user("http://127.0.0.1:1/token").to_string()});
    let error = call(&client(&vertex, gone, json!({}))).await.unwrap_err();
    assert_says(&error, ErrorKind::Authentication, "127.0.0.1:1");
    // Slower than the call may be.
    let slow = Fake::new(|_, _| {
        std::thread::sleep(Duration::from_secs(60));
        (200, String::new())
    });
    let client = client(&vertex, of_user(&slow), json!({}));
    let options = br#"{"provider":"vertex","timeout_ms":300}"#;
    let asking = client.call(br#"{"model":"m","prompt":"q"}"#, options);
    assert_eq!(within(asking).await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(vertex.count(), 0);
}

#[tokio::test]
async fn credentials_that_are_none_are_named_and_not_repeated() {
    let (vertex, folder) = (Fake::saying(ANSWER), Folder::new());
    let open = "http://token.example/token";
    let without_key = {
        let mut account = service_account(open);
        account["private_key"] =
            json!("-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----");
        account["token_uri"] = json!("https://token.example");
        account
    };
    let external = |name: &str, value: Value| {
        let mut document = json!({"type": "external_account", "audience": "a",
            "subject_token_type": "t", "token_url": "https://sts.example",
            "credential_source": {"file": "/nowhere/subject"}});
        document[name] = value;
        document
    };
    let impersonation = "service_account_impersonation_url";
    for (document, words) in [
        (json!([]), "not a JSON object"),
        (json!({"type": "gdch_service_account"}), "gdch_service_account is not supported"),
        (json!({"type": "secret canary"}), "unknown is not supported"),
        (json!({"client_id": "canary"}), "no type"),
        (json!({"type": "service_account", "client_email": "canary"}), "no private_key"),
        (without_key, "private key"),
        (service_account(open), "token_uri must be https"),
        (user("http://u:canary@token.example"), "token_uri is not a usable URL"),
        (external("token_url", json!(open)), "token_url must be https"),
        (external(impersonation, json!(open)), "service_account_impersonation_url must be https"),
        (
            external("credential_source", json!({"url": open})),
            "credential_source.url must be https",
        ),
        (
            external("credential_source", json!({"executable": {"command": "canary"}})),
            "not supported",
        ),
        (external("audience", json!("canary")), "/nowhere/subject"),
    ] {
        let credentials = json!({"credentials": document.to_string()});
        let text = document.to_string();
        let credentials = if text.starts_with('{') {
            credentials
        } else {
            json!({"credentials": folder.file("none", &text)})
        };
        let error = call(&client(&vertex, credentials, json!({}))).await.unwrap_err();
        assert_says(&error, ErrorKind::Authentication, words);
    }
    assert_eq!(vertex.count(), 0);
}

#[tokio::test]
async fn no_pipe_device_or_folder_holds_a_call_up() {
    let (vertex, folder) = (Fake::saying(ANSWER), Folder::new());
    for path in folder.no_files() {
        let name = path.display().to_string();
        let google = json!({"credentials": path});
        let error = call(&client(&vertex, google, json!({}))).await.unwrap_err();
        assert_says(&error, ErrorKind::Authentication, &format!("cannot read {name}"));
        let subject = json!({"type": "external_account", "audience": "a", "subject_token_type": "t",
            "token_url": "https://sts.example", "credential_source": {"file": path}});
        let google = json!({"credentials": subject.to_string()});
        let error = call(&client(&vertex, google, json!({}))).await.unwrap_err();
        assert_says(&error, ErrorKind::Authentication, &format!("cannot read {name}"));
    }
    assert_eq!(vertex.count(), 0);
}

#[tokio::test]
async fn without_credentials_the_error_says_what_to_do() {
    let vertex = Fake::saying(ANSWER);
    let error = call(&client(&vertex, Value::Null, json!({}))).await.unwrap_err();
    assert_says(&error, ErrorKind::Authentication, "metadata server");
    // A header of the entry's own is a credential, too.
    let config = json!({"providers": {"vertex": {"base_url": vertex.url,
        "headers": {"authorization": "Bearer mine"}}}, "retry": false});
    let environment = Environment::parse(br#"{"HOME":"/nowhere"}"#).unwrap();
    let config = Config::parse_in(config.to_string().as_bytes(), &environment).unwrap();
    call(&Client::new(config)).await.unwrap();
    assert_eq!(bearers(&vertex), ["Bearer mine"]);
}

#[test]
fn settings_that_contradict_each_other() {
    for (entry, param) in [
        (json!({"vertex": {"api_key": "k", "google": {}}}), "providers.vertex.google"),
        (json!({"vertex": {"google": {"key": "a"}}}), "providers.vertex.google.key"),
        (json!({"vertex": {"google": {"credentials": 1}}}), "providers.vertex.google.credentials"),
        (json!({"openai": {"google": {}}}), "providers.openai.google"),
    ] {
        let mut entry = entry;
        if let Some(vertex) = entry.get_mut("vertex") {
            vertex["base_url"] = json!("https://v.example");
        }
        let config = json!({"providers": entry}).to_string();
        let error = Config::parse_in(config.as_bytes(), &Environment::parse(b"{}").unwrap());
        let error = error.unwrap_err();
        assert_eq!(error.param.as_deref(), Some(param), "{}", error.message);
    }
}
