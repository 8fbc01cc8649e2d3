//! What the tests share: a simulator with cases, and requests over raw sockets.

#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "clippy knows only test functions themselves as tests")]

use std::io;

use liter_llm_simulator::{Case, Options, Simulator};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A simulator with the given (id, case document) pairs.
pub(crate) fn start(cases: &[(&str, Value)]) -> Simulator {
    let mut options = Options::default();
    options.cases = cases.iter().map(|(id, case)| Case::from_value(id, case).unwrap()).collect();
    Simulator::start(options).unwrap()
}

/// A simulator with one case `t/case` of one exchange that expects nothing in particular.
pub(crate) fn start_reply(reply: Value) -> Simulator {
    start(&[("t/case", json!({"exchanges": [{"reply": reply}]}))])
}

pub(crate) async fn connect(simulator: &Simulator) -> TcpStream {
    let address = simulator.url().strip_prefix("http://").unwrap().to_owned();
    TcpStream::connect(address).await.unwrap()
}

/// A POST; `headers` are whole lines.
pub(crate) fn post(target: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST {target} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

pub(crate) fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").into_bytes()
}

/// Sends the bytes on a new connection and reads until it ends, however it ends.
pub(crate) async fn ask(simulator: &Simulator, request: &[u8]) -> (Vec<u8>, io::Result<()>) {
    let mut socket = connect(simulator).await;
    socket.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    let end = socket.read_to_end(&mut answer).await.map(drop);
    (answer, end)
}

/// The same, for an answer that must end in good order.
pub(crate) async fn ask_whole(simulator: &Simulator, request: &[u8]) -> Vec<u8> {
    let (answer, end) = ask(simulator, request).await;
    end.unwrap();
    answer
}

/// The answer of a simulator that has the one case `t/case`.
pub(crate) async fn answer(simulator: &Simulator) -> String {
    let answer = ask_whole(simulator, &get("/case/run/t~case/")).await;
    String::from_utf8(answer).unwrap()
}

pub(crate) fn body(answer: &[u8]) -> &[u8] {
    let at = memchr::memmem::find(answer, b"\r\n\r\n").expect("a complete head");
    &answer[at + 4..]
}

/// The content of a chunked body, and the sizes of its chunks. Panics if the framing is not complete.
pub(crate) fn dechunk(mut bytes: &[u8]) -> (Vec<u8>, Vec<usize>) {
    let (mut content, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let line = memchr::memmem::find(bytes, b"\r\n").expect("a chunk size line");
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..line]).unwrap(), 16).unwrap();
        bytes = &bytes[line + 2..];
        content.extend_from_slice(&bytes[..size]);
        assert_eq!(&bytes[size..size + 2], b"\r\n");
        bytes = &bytes[size + 2..];
        if size == 0 {
            assert!(bytes.is_empty());
            return (content, sizes);
        }
        sizes.push(size);
    }
}

/// Reads one answer with a content-length, and leaves what follows it in the socket or in `buffer`.
pub(crate) async fn read_answer(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> String {
    loop {
        if let Some(head) = memchr::memmem::find(buffer, b"\r\n\r\n") {
            let text = String::from_utf8(buffer[..head].to_vec()).unwrap();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
            let end = head + 4 + length.expect("a length").parse::<usize>().unwrap();
            if buffer.len() >= end {
                let rest = buffer.split_off(end);
                return String::from_utf8(std::mem::replace(buffer, rest)).unwrap();
            }
        }
        assert!(socket.read_buf(buffer).await.unwrap() > 0, "the connection ended");
    }
}
