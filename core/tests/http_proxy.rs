//! Proxies that the environment names. It is the process's, so each check runs in a process of its
//! own: this binary, started again with `LITER_TEST_CHILD`.
#![allow(clippy::unwrap_used)]

mod common;

use std::process::Command;

use common::{Server, answer, assert_says, call, client, failure, ok};
use liter_llm_core::{Error, ErrorKind};
use liter_llm_simulator::{CA_PEM, Options, Simulator};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// Runs a child check in an environment and says what it printed, should it fail.
#[track_caller]
fn run(check: &str, environment: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"] {
        command.env_remove(name).env_remove(name.to_ascii_lowercase());
    }
    command.args(["--exact", check, "--nocapture"]).env("LITER_TEST_CHILD", check);
    let output = command.envs(environment.iter().copied()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

fn is_child(check: &str) -> bool {
    std::env::var("LITER_TEST_CHILD").is_ok_and(|name| name == check)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A proxy: tunnels, or answers itself. What it is asked for goes into the channel.
async fn proxy() -> (Server, mpsc::UnboundedReceiver<String>) {
    let (tell, asked) = mpsc::unbounded_channel();
    let server = Server::start(move |_, mut peer| {
        let tell = tell.clone();
        async move {
            while let Some(head) = peer.request().await {
                tell.send(head.clone()).unwrap();
                if let Some(rest) = head.strip_prefix("CONNECT ") {
                    let target = rest.split(' ').next().unwrap().replace("api.test", "127.0.0.1");
                    let mut upstream = TcpStream::connect(target).await.unwrap();
                    peer.send(b"HTTP/1.1 200 Connected\r\n\r\n").await;
                    let _ = tokio::io::copy_bidirectional(&mut peer.socket, &mut upstream).await;
                    return;
                }
                peer.send(&ok("", answer("by proxy").as_bytes())).await;
            }
        }
    })
    .await;
    (server, asked)
}

/// The parent's part: a proxy in this process, its address in the child's environment.
fn with_proxy(
    check: &str,
    credentials: &str,
    more: &[(&str, &str)],
    judge: impl FnOnce(Vec<String>),
) {
    let runtime = runtime();
    let (server, mut asked) = runtime.block_on(proxy());
    let url = server.url.replace("http://", &format!("http://{credentials}"));
    let mut environment = vec![("HTTP_PROXY", url.as_str()), ("HTTPS_PROXY", url.as_str())];
    environment.extend(more);
    run(check, &environment);
    let mut seen = Vec::new();
    while let Ok(head) = asked.try_recv() {
        seen.push(head);
    }
    judge(seen);
}

#[test]
fn plain_requests_go_through_in_absolute_form() {
    let check = "plain_requests_go_through_in_absolute_form";
    if is_child(check) {
        return runtime().block_on(async {
            let client = client("http://api.test:81/v1", json!({}));
            for _ in 0..2 {
                assert_eq!(call(&client).await.unwrap().text(), "by proxy");
            }
        });
    }
    with_proxy(check, "me:secret@", &[], |asked| {
        assert_eq!(asked.len(), 2);
        for head in asked {
            let line = head.lines().next().unwrap();
            assert_eq!(line, "POST http://api.test:81/v1/chat/completions HTTP/1.1");
            assert!(head.lines().any(|l| l == "host: api.test:81"), "{head}");
            // me:secret
            assert!(head.contains("proxy-authorization: Basic bWU6c2VjcmV0"), "{head}");
        }
    });
}

fn simulator() -> (Simulator, std::path::PathBuf) {
    let mut options = Options::default();
    options.tls_addr = Some(([127, 0, 0, 1], 0).into());
    let file = std::env::temp_dir().join(format!("liter-llm-proxy-{}.pem", std::process::id()));
    std::fs::write(&file, CA_PEM).unwrap();
    (Simulator::start(options).unwrap(), file)
}

#[test]
fn encrypted_requests_go_through_a_tunnel() {
    let check = "encrypted_requests_go_through_a_tunnel";
    if is_child(check) {
        return runtime().block_on(async {
            let (simulator, ca) = simulator();
            let url = simulator.tls_url().unwrap();
            for http in ["1.1", "auto"] {
                let client = client(&url, json!({"ca_file": ca, "http": http}));
                for _ in 0..2 {
                    call(&client).await.unwrap();
                }
            }
            assert_eq!(simulator.stats().connections_opened, 2);
            assert_eq!(simulator.stats().h2_connections, 1);
            std::fs::remove_file(ca).unwrap();
        });
    }
    with_proxy(check, "me:secret@", &[], |asked| {
        assert_eq!(asked.len(), 2);
        for head in asked {
            assert!(head.starts_with("CONNECT "), "{head}");
            assert!(head.contains("proxy-authorization: Basic bWU6c2VjcmV0"), "{head}");
            assert!(!head.contains("canary"), "{head}");
        }
    });
}

#[test]
fn exceptions_go_direct() {
    let check = "exceptions_go_direct";
    if is_child(check) {
        return runtime().block_on(async {
            let (simulator, ca) = simulator();
            call(&client(&format!("{}/v1", simulator.url()), json!({}))).await.unwrap();
            let url = simulator.tls_url().unwrap();
            call(&client(&url, json!({"ca_file": ca}))).await.unwrap();
            std::fs::remove_file(ca).unwrap();
        });
    }
    with_proxy(check, "", &[("NO_PROXY", "localhost,127.0.0.1")], |asked| {
        assert!(asked.is_empty(), "{asked:?}");
    });
}

#[test]
fn other_kinds_of_proxy_are_refused() {
    let check = "other_kinds_of_proxy_are_refused";
    if is_child(check) {
        return runtime().block_on(async {
            for url in ["http://api.test", "https://api.test"] {
                let error = failure(&client(url, json!({}))).await;
                assert_says(&error, ErrorKind::Unsupported, "only http:// is known");
            }
        });
    }
    for proxy in ["https://127.0.0.1:1", "socks5://127.0.0.1:1"] {
        run(check, &[("HTTP_PROXY", proxy), ("HTTPS_PROXY", proxy)]);
    }
}

#[test]
fn l3_a_proxy_has_a_port_that_is_one() {
    let check = "l3_a_proxy_has_a_port_that_is_one";
    if is_child(check) {
        return runtime().block_on(async {
            for url in ["http://api.test", "https://api.test"] {
                let error = failure(&client(url, json!({}))).await;
                assert_says(&error, ErrorKind::Connection, "has no port from 1 to 65535");
                assert!(!error.to_string().contains("hush"), "{error}");
            }
        });
    }
    for proxy in ["http://me:hush@127.0.0.1:99999", "http://me:hush@127.0.0.1:080"] {
        run(check, &[("HTTP_PROXY", proxy), ("HTTPS_PROXY", proxy)]);
    }
}

/// What a proxy does with every request: `None`, it ends the connection. The child gets the error of
/// both ways, through a tunnel and without one.
fn with_refusal(check: &str, reply: Option<&'static str>, judge: fn(Error, &str)) {
    if is_child(check) {
        return runtime().block_on(async {
            let name = std::env::var("LITER_TEST_PROXY").unwrap();
            for url in ["http://api.test", "https://api.test"] {
                let error = failure(&client(url, json!({}))).await;
                let document = String::from_utf8(error.to_json()).unwrap();
                assert!(!document.contains("hush"), "{document}");
                judge(error, &format!("the proxy {name}"));
            }
        });
    }
    let runtime = runtime();
    let server = runtime.block_on(Server::start(move |_, mut peer| async move {
        peer.request().await;
        if let Some(reply) = reply {
            peer.send(reply.as_bytes()).await;
        }
    }));
    let url = server.url.replace("http://", "http://me:hush@");
    let name = ("LITER_TEST_PROXY", server.url.as_str());
    run(check, &[("HTTP_PROXY", &url), ("HTTPS_PROXY", &url), name]);
    // Nothing is tried again.
    assert_eq!(server.accepted(), 2);
}

#[test]
fn a_proxy_that_wants_a_password_is_named() {
    let reply = "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-type: text/html\r\n\
                 content-length: 6\r\n\r\n<html>";
    with_refusal("a_proxy_that_wants_a_password_is_named", Some(reply), |error, proxy| {
        assert_says(&error, ErrorKind::Authentication, proxy);
        assert_says(&error, ErrorKind::Authentication, "407 Proxy Authentication Required");
        assert!(error.status == Some(407) && !error.kind().retryable(), "{error:?}");
    });
}

#[test]
fn a_proxy_whose_origin_is_dead_is_named_with_its_status() {
    let reply = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/html\r\n\
                 content-length: 6\r\n\r\n<html>";
    with_refusal(
        "a_proxy_whose_origin_is_dead_is_named_with_its_status",
        Some(reply),
        |error, proxy| {
            assert!(error.message.contains(proxy) && error.status == Some(503), "{error:?}");
            assert!(error.kind().retryable(), "{error:?}");
        },
    );
}

#[test]
fn a_proxy_that_hangs_up_is_named() {
    with_refusal("a_proxy_that_hangs_up_is_named", None, |error, proxy| {
        assert_says(&error, ErrorKind::Connection, proxy);
    });
}

#[test]
fn a_proxy_that_speaks_no_http_is_named() {
    with_refusal(
        "a_proxy_that_speaks_no_http_is_named",
        Some("SSH-2.0-x\r\n\r\n"),
        |error, proxy| {
            assert_says(&error, ErrorKind::BadResponse, proxy);
        },
    );
}

#[test]
fn a_refusal_of_a_tunnel_says_whose_it_is() {
    let check = "a_refusal_of_a_tunnel_says_whose_it_is";
    if is_child(check) {
        return runtime().block_on(async {
            let error = failure(&client("https://api.test", json!({}))).await;
            let kind = ErrorKind::Authentication;
            assert_says(&error, kind, "401 Unauthorized");
            assert_eq!(error.status, Some(401));
        });
    }
    let runtime = runtime();
    // Its body is cut, as tinyproxy's is.
    let reply = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 600\r\n\r\n<html>";
    let server = runtime.block_on(Server::closing(reply));
    run(check, &[("HTTPS_PROXY", &server.url)]);
}

#[test]
fn a_proxy_that_is_down_is_named() {
    let check = "a_proxy_that_is_down_is_named";
    if is_child(check) {
        return runtime().block_on(async {
            for url in ["http://api.test", "https://api.test"] {
                let error = failure(&client(url, json!({}))).await;
                let words = "cannot connect to the proxy http://127.0.0.1:1, on the way to";
                assert_says(&error, ErrorKind::Connection, words);
                assert!(!error.message.contains("hush"), "{error:?}");
            }
        });
    }
    let proxy = "http://me:hush@127.0.0.1:1";
    run(check, &[("HTTP_PROXY", proxy), ("HTTPS_PROXY", proxy)]);
}
