//! TLS with the test certificates, HTTP/1.1 and HTTP/2 over it.

mod common;

use std::sync::Arc;

use bytes::Bytes;
use liter_llm_simulator::{CA_PEM, Case, Options, Simulator};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const ASK: &str = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;

fn start() -> Simulator {
    let anywhere = Some(([127, 0, 0, 1], 0).into());
    let mut options = Options::default();
    options.tls_addr = anywhere;
    options.tls_wrong_addr = anywhere;
    let case = r#"{"exchanges":[{"reply":{"body":"abc","cut_at":1,"cut":"close"}}]}"#;
    options.cases = vec![Case::parse("a", case).expect("a case")];
    Simulator::start(options).expect("a simulator")
}

async fn connect(url: &str, name: &str, alpn: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let port = url.rsplit(':').next().and_then(|port| port.parse::<u16>().ok()).expect("a port");
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(CA_PEM.as_bytes()).expect("PEM"))
        .expect("a certificate");
    let mut config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    let socket = TcpStream::connect(("127.0.0.1", port)).await?;
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, socket).await
}

#[tokio::test]
async fn names_are_right_and_wrong() {
    let simulator = start();
    let good = simulator.tls_url().expect("TLS");
    let wrong = simulator.tls_wrong_url().expect("TLS");
    connect(&good, "localhost", "http/1.1").await.expect("trusted");
    connect(&good, "127.0.0.1", "http/1.1").await.expect("trusted");
    connect(&wrong, "wrong.example", "http/1.1").await.expect("trusted");
    let error = connect(&wrong, "localhost", "http/1.1").await.expect_err("another name");
    assert!(error.to_string().contains("not valid for name"), "{error}");
}

#[tokio::test]
async fn a_cut_has_no_close_notify() {
    let simulator = start();
    let mut socket =
        connect(&simulator.tls_url().expect("TLS"), "localhost", "http/1.1").await.expect("TLS");
    socket.write_all(&common::get("/case/r/a/")).await.expect("sent");
    let mut answer = Vec::new();
    let end = socket.read_to_end(&mut answer).await;
    assert!(answer.ends_with(b"\r\n\r\na"));
    assert_eq!(end.expect_err("a truncation").kind(), std::io::ErrorKind::UnexpectedEof);

    let mut socket =
        connect(&simulator.tls_url().expect("TLS"), "localhost", "http/1.1").await.expect("TLS");
    socket.write_all(&common::get("/_sim/stats")).await.expect("sent");
    socket.read_to_end(&mut answer).await.expect("an orderly end");
}

#[tokio::test]
async fn http2_streams() {
    let simulator = start();
    let socket = connect(&simulator.tls_url().expect("TLS"), "localhost", "h2").await.expect("TLS");
    let (mut client, connection) = h2::client::handshake(socket).await.expect("HTTP/2");
    let connection = tokio::spawn(connection);
    let mut get = async |target: &str, pace: &str| {
        let request = http::Request::post(format!("https://localhost{pace}{target}"))
            .header("x-api-key", "k")
            .header("authorization", "Bearer k")
            .body(())
            .expect("a request");
        let (response, mut stream) = client.send_request(request, false).expect("sent");
        stream.send_data(Bytes::from(ASK), true).expect("sent");
        let response = response.await.expect("an answer");
        let status = response.status().as_u16();
        let mut incoming = response.into_body();
        let mut content = Vec::new();
        while let Some(data) = incoming.data().await {
            let data = data.expect("data");
            incoming.flow_control().release_capacity(data.len()).expect("capacity");
            content.extend_from_slice(&data);
        }
        (status, String::from_utf8(content).expect("UTF-8"))
    };
    for pace in ["", "/sim,chunks=5,interval_ms=1", "/sim,bytes=300000"] {
        let (status, content) = get("/v1/chat/completions", pace).await;
        assert_eq!(status, 200);
        assert!(content.starts_with("data: {") && content.ends_with("data: [DONE]\n\n"));
    }
    assert_eq!(get("/case/r/a/", "").await.0, 599);
    assert_eq!(get("/v1/chat/completions", "/sim,fault=server_error").await.0, 599);
    assert_eq!(simulator.stats().h2_connections, 1);

    // A stream that is reset is noticed, and the connection lives on.
    let request = http::Request::post("https://localhost/sim,delay_ms=60000/v2/chat");
    let request = request.header("authorization", "k").body(()).expect("a request");
    let (response, mut stream) = client.send_request(request, false).expect("sent");
    stream.send_data(Bytes::from(ASK), true).expect("sent");
    while simulator.stats().requests_open == 0 {
        tokio::task::yield_now().await;
    }
    stream.send_reset(h2::Reason::CANCEL);
    drop(response);
    while simulator.stats().streams_aborted == 0 {
        tokio::task::yield_now().await;
    }
    assert!(!connection.is_finished());
}
