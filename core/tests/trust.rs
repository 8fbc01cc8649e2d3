//! Roots and proxies that an environment names. It is handed over, so nothing here changes the
//! process's own.
#![allow(clippy::unwrap_used)]

mod common;

use common::{assert_says, call, failure};
use liter_llm_core::{Client, Config, Environment, ErrorKind};
use liter_llm_simulator::{CA_PEM, Options, Simulator};
use serde_json::{Value, json};

fn client_in(base_url: &str, environment: &Value) -> Client {
    let entry = json!({"kind": "openai", "base_url": base_url, "api_key": "sk-canary-123"});
    let config = json!({"providers": {"p": entry}, "retry": false}).to_string();
    let environment = Environment::parse(environment.to_string().as_bytes()).unwrap();
    Client::new(Config::parse_in(config.as_bytes(), &environment).unwrap())
}

/// A simulator with TLS, and a folder with its root in a file.
fn simulator() -> (Simulator, std::path::PathBuf) {
    let mut options = Options::default();
    options.tls_addr = Some(([127, 0, 0, 1], 0).into());
    let simulator = Simulator::start(options).unwrap();
    let port = simulator.url().rsplit(':').next().unwrap().to_owned();
    let folder = std::env::temp_dir().join(format!("liter-llm-trust-{port}"));
    std::fs::create_dir_all(folder.join("empty")).unwrap();
    std::fs::create_dir_all(folder.join("roots")).unwrap();
    std::fs::write(folder.join("roots/ca.pem"), CA_PEM).unwrap();
    std::fs::write(folder.join("none.pem"), "no certificate").unwrap();
    (simulator, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn roots_are_those_that_the_environment_names() {
    let (simulator, folder) = simulator();
    let url = simulator.tls_url().unwrap();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    for named in [
        json!({"SSL_CERT_FILE": path("roots/ca.pem")}),
        json!({"SSL_CERT_DIR": path("roots")}),
        json!({"SSL_CERT_DIR": format!("{}:{}", path("empty"), path("roots"))}),
    ] {
        call(&client_in(&url, &named)).await.unwrap();
    }
    // The machine's roots do not know the simulator's.
    let error = failure(&client_in(&url, &json!({}))).await;
    assert_says(&error, ErrorKind::Connection, "certificate");
    std::fs::remove_dir_all(folder).unwrap();
}

/// Whoever names roots wants no others: nothing found is an error, and never somebody else's roots.
#[tokio::test(flavor = "multi_thread")]
async fn no_root_where_one_is_named_is_an_error() {
    let (simulator, folder) = simulator();
    let url = simulator.tls_url().unwrap();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    for (name, value) in [
        ("SSL_CERT_FILE", path("gone.pem")),
        ("SSL_CERT_FILE", path("none.pem")),
        ("SSL_CERT_FILE", String::new()),
        ("SSL_CERT_DIR", path("empty")),
        ("SSL_CERT_DIR", String::new()),
    ] {
        let error = failure(&client_in(&url, &json!({name: value}))).await;
        assert_says(&error, ErrorKind::InvalidRequest, name);
        assert_says(&error, ErrorKind::InvalidRequest, "mend or unset it");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// A client of a CGI script could be told its proxy by a header (`Proxy: …` becomes `HTTP_PROXY`).
#[tokio::test(flavor = "multi_thread")]
async fn a_cgi_script_has_no_proxy() {
    let (simulator, folder) = simulator();
    std::fs::remove_dir_all(folder).unwrap();
    let url = format!("{}/v1", simulator.url());
    let nowhere = "http://127.0.0.1:1";
    let error = failure(&client_in(&url, &json!({"http_proxy": nowhere}))).await;
    assert_eq!(error.kind(), ErrorKind::Connection);
    let cgi = json!({"HTTP_PROXY": nowhere, "http_proxy": nowhere, "REQUEST_METHOD": "GET"});
    call(&client_in(&url, &cgi)).await.unwrap();
    let except = json!({"HTTP_PROXY": nowhere, "NO_PROXY": "127.0.0.1"});
    call(&client_in(&url, &except)).await.unwrap();
}

/// Only the configuration reads the environment: a read anywhere else could run beside a host's
/// `setenv`.
#[test]
fn nothing_else_reads_the_environment() {
    fn look(folder: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.to_str().unwrap();
            if path.is_dir() && !name.ends_with("/tests") {
                look(&path, found);
            } else if name.ends_with(".rs") && !name.ends_with("/config/environment.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let reads = ["env::var", "env::vars", "Matcher::from_", "openssl_probe", "getenv("];
                found.extend(
                    reads
                        .iter()
                        .filter(|read| text.contains(**read))
                        .map(|read| format!("{name}: {read}")),
                );
            }
        }
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["src", "../bindings/c/src"] {
        look(&root.join(folder), &mut found);
    }
    assert!(found.is_empty(), "{found:#?}");
}
