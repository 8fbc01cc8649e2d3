//! Entra ID's credentials over real sockets: fakes of Azure OpenAI, of Entra's token endpoint and of
//! the servers of managed identities. Assertions are verified.
#![cfg(all(feature = "azure", unix))]
#![allow(clippy::unwrap_used)]

mod common;

use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::fake::{Ask, Fake, Folder};
use common::{answer, assert_says, until, within};
use liter_llm_core::config::Environment;
use liter_llm_core::{Client, Config, Error, ErrorKind, Response};
use ring::signature::{RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};

const SCOPE: &str = "https://cognitiveservices.azure.com/.default";

fn config(azure: &str, more: Value, variables: Value) -> Result<Config, Error> {
    let mut entry = json!({"base_url": format!("{azure}/openai/v1")});
    entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let config = json!({"providers": {"azure": entry}, "retry": false}).to_string();
    // No metadata server of a real machine.
    let mut all = json!({"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1"});
    all.as_object_mut().unwrap().extend(variables.as_object().unwrap().clone());
    let environment = Environment::parse(all.to_string().as_bytes()).unwrap();
    Config::parse_in(config.as_bytes(), &environment)
}

fn client(azure: &Fake, more: Value, variables: Value) -> Client {
    Client::new(config(&azure.url, more, variables).unwrap())
}

async fn call(client: &Client) -> Result<Response, Error> {
    let request = br#"{"model":"deployment","prompt":"q"}"#;
    let asking = client.call(request, br#"{"provider":"azure"}"#);
    tokio::time::timeout(Duration::from_secs(40), asking).await.unwrap()
}

fn token(text: &str, seconds: f64) -> String {
    json!({"access_token": text, "expires_in": seconds, "token_type": "Bearer"}).to_string()
}

fn azure() -> Fake {
    Fake::saying(&answer("Hi"))
}

fn bearers(azure: &Fake) -> Vec<String> {
    let bearer = |ask: Ask| {
        assert_eq!(ask.header("api-key"), "");
        ask.header("authorization").to_owned()
    };
    azure.asked().into_iter().map(bearer).collect()
}

/// The members and the variables of an application.
fn app(entra: &Fake) -> Value {
    json!({"AZURE_TENANT_ID": "tenant.example", "AZURE_CLIENT_ID": "client-1",
        "AZURE_AUTHORITY_HOST": format!("{}/", entra.url)})
}

fn with(mut object: Value, name: &str, value: impl Into<Value>) -> Value {
    object[name] = value.into();
    object
}

#[tokio::test]
async fn an_application_has_a_secret() {
    let (azure, entra) = (azure(), Fake::saying(&token("token-1", 3_600.0)));
    let own = json!({"tenant_id": "tenant.example", "client_id": "client-1",
        "client_secret": "env:MINE", "authority_host": entra.url});
    for (more, variables) in [
        (json!({}), with(app(&entra), "AZURE_CLIENT_SECRET", "secret-1")),
        (json!({"entra": {}}), with(app(&entra), "AZURE_CLIENT_SECRET", "secret-1")),
        (json!({"entra": own}), json!({"MINE": "secret-1", "AZURE_OPENAI_API_KEY": "key"})),
    ] {
        assert_eq!(call(&client(&azure, more, variables)).await.unwrap().text(), "Hi");
        assert_eq!(bearers(&azure).last().unwrap(), "Bearer token-1");
        let ask = entra.asked().pop().unwrap();
        assert_eq!(ask.target, "/tenant.example/oauth2/v2.0/token");
        assert_eq!(
            ask.body,
            "grant_type=client%5Fcredentials&client_id=client%2D1&\
             scope=https%3A%2F%2Fcognitiveservices%2Eazure%2Ecom%2F%2Edefault&\
             client_secret=secret%2D1"
        );
    }
    let scope = json!({"entra": {"scope": "https://ai.azure.com/.default"}});
    let variables = with(app(&entra), "AZURE_CLIENT_SECRET", "secret-1");
    call(&client(&azure, scope, variables)).await.unwrap();
    assert_eq!(entra.asked().pop().unwrap().form("scope"), "https://ai.azure.com/.default");
}

#[tokio::test]
async fn a_key_comes_before_an_identity() {
    let (azure, entra) = (azure(), Fake::saying(&token("token-1", 3_600.0)));
    let variables = with(app(&entra), "AZURE_CLIENT_SECRET", "secret-1");
    let variables = with(variables, "AZURE_OPENAI_API_KEY", "key-1");
    call(&client(&azure, json!({}), variables)).await.unwrap();
    assert_eq!(azure.asked()[0].header("api-key"), "key-1");
    assert_eq!((azure.asked()[0].header("authorization"), entra.count()), ("", 0));
}

#[tokio::test]
async fn an_application_signs_with_its_certificate() {
    let (azure, entra, folder) = (azure(), Fake::saying(&token("token-1", 3_600.0)), Folder::new());
    let (key, certificate) = (folder.path().join("key"), folder.path().join("certificate"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let read = |path| std::fs::read_to_string(path).unwrap();
    let both = folder.file("both.pem", &(read(&key) + &read(&certificate)));
    let own = json!({"entra": {"client_certificate_path": both}});
    let variables = with(app(&entra), "AZURE_CLIENT_CERTIFICATE_PATH", both.to_str().unwrap());
    for (more, variables) in [(json!({}), variables), (own, app(&entra))] {
        call(&client(&azure, more, variables)).await.unwrap();
        let ask = entra.asked().pop().unwrap();
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        assert_eq!(ask.form("client_assertion_type"), kind);
        let assertion = ask.form("client_assertion");
        let (text, signature) = assertion.rsplit_once('.').unwrap();
        let der = PrivatePkcs8KeyDer::from_pem_file(&key).unwrap();
        let pair = ring::rsa::KeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
        let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public());
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        public.verify(&RSA_PSS_2048_8192_SHA256, text.as_bytes(), &signature).unwrap();
        let parts: Vec<Value> = text
            .split('.')
            .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
            .collect();
        let [header, claims] = &parts[..] else { panic!() };
        let der = CertificateDer::from_pem_file(&certificate).unwrap();
        let thumbprint = ring::digest::digest(&ring::digest::SHA256, &der);
        let thumbprint = URL_SAFE_NO_PAD.encode(thumbprint);
        assert_eq!(header, &json!({"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint}));
        let audience = format!("{}/tenant.example/oauth2/v2.0/token", entra.url);
        assert_eq!(
            [&claims["aud"], &claims["iss"], &claims["sub"]],
            [&audience, "client-1", "client-1"]
        );
        assert!(claims["jti"].as_str().unwrap().len() >= 16);
    }
    for (name, content, words) in [
        ("key", read(&key), "no certificate"),
        ("certificate", read(&certificate), "no private key"),
        ("text", "canary".to_owned(), "no certificate"),
    ] {
        let path = folder.file(&format!("{name}-alone"), &content);
        let more = json!({"entra": {"client_certificate_path": path}});
        let error = call(&client(&azure, more, app(&entra))).await.unwrap_err();
        assert_says(&error, ErrorKind::Authentication, words);
    }
}

#[tokio::test]
async fn a_workload_has_a_federated_token() {
    let (azure, entra, folder) = (azure(), Fake::saying(&token("token-1", 3_600.0)), Folder::new());
    let path = folder.file("federated", "federated-1\n");
    let own = json!({"entra": {"federated_token_file": path}});
    let variables = with(app(&entra), "AZURE_FEDERATED_TOKEN_FILE", path.to_str().unwrap());
    for (more, variables) in [(json!({}), variables), (own, app(&entra))] {
        call(&client(&azure, more, variables)).await.unwrap();
        let ask = entra.asked().pop().unwrap();
        assert_eq!(
            (ask.form("client_assertion"), ask.form("scope")),
            ("federated-1".into(), SCOPE.into())
        );
    }
    assert_eq!(bearers(&azure), ["Bearer token-1", "Bearer token-1"]);
}

#[tokio::test]
async fn a_managed_identity_of_a_machine_or_of_app_service() {
    let azure = azure();
    // Numbers are texts there.
    let issued = json!({"access_token": "token-m", "expires_in": "3599", "expires_on": "32503680000",
        "resource": "x", "token_type": "Bearer"});
    let resource = "&resource=https%3A%2F%2Fcognitiveservices%2Eazure%2Ecom";
    let answer = issued.to_string();
    let machine = Fake::new(move |_, ask| match ask.header("metadata") {
        "true" => (200, answer.clone()),
        _ => (400, String::new()),
    });
    let variables = json!({"AZURE_POD_IDENTITY_AUTHORITY_HOST": machine.url});
    for (entra, end) in [(json!({}), ""), (json!({"client_id": "id 1"}), "&client_id=id%201")] {
        call(&client(&azure, json!({ "entra": entra }), variables.clone())).await.unwrap();
        let target = machine.asked().pop().unwrap().target;
        let path = "/metadata/identity/oauth2/token?api-version=2018-02-01";
        assert_eq!(target, format!("{path}{resource}{end}"));
    }
    let on = json!({"access_token": "token-a", "expires_on": "32503680000"}).to_string();
    let service = Fake::new(move |_, ask| match ask.header("x-identity-header") {
        "header-1" => (200, on.clone()),
        _ => (403, String::new()),
    });
    let endpoint = format!("{}/msi/token", service.url);
    let variables = json!({"IDENTITY_ENDPOINT": endpoint, "IDENTITY_HEADER": "header-1"});
    call(&client(&azure, json!({}), variables)).await.unwrap();
    assert_eq!(service.asked()[0].target, format!("/msi/token?api-version=2019-08-01{resource}"));
    assert_eq!(bearers(&azure), ["Bearer token-m", "Bearer token-m", "Bearer token-a"]);
    // What the endpoint wants to see goes to no other machine in the open.
    let variables =
        json!({"IDENTITY_ENDPOINT": "http://evil.example", "IDENTITY_HEADER": "canary"});
    let error = call(&client(&azure, json!({}), variables)).await.unwrap_err();
    assert_says(&error, ErrorKind::Authentication, "IDENTITY_ENDPOINT must be https");
    let error = call(&client(&azure, json!({"entra": {}}), json!({}))).await.unwrap_err();
    assert_says(&error, ErrorKind::Authentication, "the metadata server");
}

#[tokio::test]
async fn a_token_is_asked_for_once_by_many_calls_also_if_the_first_is_cancelled() {
    let azure = azure();
    let entra = Fake::new(|_, _| {
        std::thread::sleep(Duration::from_millis(300));
        (200, token("token-1", 3_600.0))
    });
    let variables = with(app(&entra), "AZURE_CLIENT_SECRET", "secret-1");
    let client = client(&azure, json!({}), variables);
    let first = client.clone();
    let first = tokio::spawn(async move { call(&first).await });
    until(|| entra.count() == 1).await;
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
    assert_eq!((entra.count(), azure.count()), (1, 20));
}

#[tokio::test]
async fn a_token_is_asked_for_again_when_it_ends() {
    let azure = azure();
    let entra =
        Fake::new(|n, _| (200, token(&format!("token-{n}"), if n == 0 { 1.0 } else { 3_600.0 })));
    let variables = with(app(&entra), "AZURE_CLIENT_SECRET", "secret-1");
    let client = client(&azure, json!({}), variables);
    within(async {
        while bearers(&azure).last().is_none_or(|last| last == "Bearer token-0") {
            call(&client).await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert_eq!(entra.count(), 2);
}

#[tokio::test]
async fn a_refused_token_is_asked_for_again_once() {
    let azure = Fake::new(|_, ask| match ask.header("authorization") {
        "Bearer token-1" => (200, answer("Hi")),
        _ => (401, json!({"error": {"code": "401", "message": "no token-0"}}).to_string()),
    });
    let entra = Fake::new(|n, _| (200, token(&format!("token-{n}"), 3_600.0)));
    let variables = with(app(&entra), "AZURE_CLIENT_SECRET", "secret-1");
    call(&client(&azure, json!({}), variables)).await.unwrap();
    assert_eq!(bearers(&azure), ["Bearer token-0", "Bearer token-1"]);
}

#[tokio::test]
async fn an_entra_that_fails_is_named_and_nothing_is_sent() {
    let azure = azure();
    let refused = json!({"error": "invalid_client",
        "error_description": "AADSTS7000215: Invalid client secret-canary"});
    for (status, body, words) in [
        (401, refused.to_string(), "status 401 (invalid_client, AADSTS7000215)"),
        (503, "<html>secret-canary".to_owned(), "status 503 (no code)"),
        (200, "{}".to_owned(), "no access_token"),
        (200, token("token-canary", 0.0), "expired"),
        (200, "x".repeat(100 << 10), "64 KiB"),
        (302, String::new(), "redirect"),
    ] {
        let entra = Fake::new(move |_, _| (status, body.clone()));
        let variables = with(app(&entra), "AZURE_CLIENT_SECRET", "secret-canary");
        let error = call(&client(&azure, json!({}), variables)).await.unwrap_err();
        assert_says(&error, ErrorKind::Authentication, words);
    }
    assert_eq!(azure.count(), 0);
}

#[tokio::test]
async fn no_pipe_device_or_folder_holds_a_call_up() {
    let (azure, entra, folder) = (azure(), Fake::saying(""), Folder::new());
    for path in folder.no_files() {
        for member in ["client_certificate_path", "federated_token_file"] {
            let more = json!({"entra": {member: path}});
            let error = call(&client(&azure, more, app(&entra))).await.unwrap_err();
            let words = format!("cannot read {}", path.display());
            assert_says(&error, ErrorKind::Authentication, &words);
        }
    }
    assert_eq!((azure.count(), entra.count()), (0, 0));
}

#[tokio::test]
async fn what_an_answer_repeats_of_a_token_is_not_shown() {
    let azure = Fake::new(|_, ask| {
        let message = format!("sent: {}", ask.header("authorization"));
        (403, json!({"error": {"message": message, "code": "x"}}).to_string())
    });
    let entra = Fake::saying(&token("token-canary-0123456789", 3_600.0));
    let variables = with(app(&entra), "AZURE_CLIENT_SECRET", "secret-canary-0123456789");
    let one = config(&azure.url, json!({}), variables.clone()).unwrap();
    assert!(!format!("{one:?}").contains("canary"));
    let error = call(&Client::new(one)).await.unwrap_err();
    let shown = format!("{error:?}") + &String::from_utf8(error.to_json()).unwrap();
    assert!(shown.contains("[key]") && !shown.contains("canary"), "{shown}");
}

#[test]
fn settings_that_contradict_each_other() {
    let two = json!({"client_secret": "a", "federated_token_file": "b"});
    let open = json!({"client_secret": "a", "tenant_id": "t", "client_id": "c",
        "authority_host": "http://login.example"});
    let path = json!({"client_secret": "a", "tenant_id": "t/../x", "client_id": "c"});
    for (more, param) in [
        (json!({"api_key": "k", "entra": {}}), "providers.azure.entra"),
        (json!({"entra": {"key": "a"}}), "providers.azure.entra.key"),
        (json!({ "entra": two }), "providers.azure.entra"),
        (json!({"entra": {"client_secret": "a"}}), "providers.azure.entra"),
        (json!({ "entra": open }), "providers.azure.entra"),
        (json!({ "entra": path }), "providers.azure.entra"),
    ] {
        let error = config("https://azure.example", more, json!({})).unwrap_err();
        assert_eq!(error.param.as_deref(), Some(param), "{}", error.message);
    }
    let other = br#"{"providers":{"openai":{"entra":{}}}}"#;
    let error = Config::parse_in(other, &Environment::parse(b"{}").unwrap()).unwrap_err();
    assert_eq!(error.param.as_deref(), Some("providers.openai.entra"));
}
