//! A small load generator, to show how fast the simulator's free mode is.
//!
//! `sim-load http://127.0.0.1:PORT [--connections 64] [--seconds 5] [--threads 1] [--path /v1/chat/completions]`
//!
//! Raw sockets, keep-alive, one request in flight on each connection. An answer is read by its `content-length`, so
//! only unary answers can be asked for. Blocking reads would need a thread a connection; tokio keeps it to `--threads`.

#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const BODY: &str = r#"{"model":"gpt-5-mini","max_tokens":100,"messages":[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":"What is the capital of France?"}],"temperature":0.2}"#;

struct Arguments {
    host: String,
    path: String,
    connections: usize,
    seconds: u64,
    threads: usize,
}

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)).and_then(|arguments| run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("sim-load: {message}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let url = words.next().ok_or(
        "usage: sim-load http://HOST:PORT [--connections N] [--seconds N] [--threads N] [--path P]",
    )?;
    let host = url
        .strip_prefix("http://")
        .ok_or("the URL must start with http://")?
        .trim_end_matches('/')
        .to_owned();
    let path = "/v1/chat/completions".to_owned();
    let mut arguments = Arguments { host, path, connections: 64, seconds: 5, threads: 1 };
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} wants a value"))?;
        let number = || {
            value
                .parse::<usize>()
                .ok()
                .filter(|n| *n > 0)
                .ok_or_else(|| format!("{word}: a number"))
        };
        match word.as_str() {
            "--connections" => arguments.connections = number()?,
            "--seconds" => arguments.seconds = number()? as u64,
            "--threads" => arguments.threads = number()?,
            "--path" => arguments.path = value,
            _ => return Err(format!("unknown option {word}")),
        }
    }
    Ok(arguments)
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(arguments.threads)
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer sk-test\r\nx-api-key: sk-test\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{BODY}",
        arguments.path,
        arguments.host,
        BODY.len()
    );
    let (requests, elapsed) = runtime
        .block_on(async {
            let start = Instant::now();
            let end = start + Duration::from_secs(arguments.seconds);
            let connections: Vec<_> = (0..arguments.connections)
                .map(|_| tokio::spawn(ask(arguments.host.clone(), request.clone(), end)))
                .collect();
            let mut requests = 0;
            for connection in connections {
                requests += connection.await.map_err(io::Error::other)??;
            }
            io::Result::Ok((requests, start.elapsed()))
        })
        .map_err(|error| error.to_string())?;
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = requests as f64 / elapsed.as_secs_f64();
    println!(
        "{requests} requests in {:.2} s over {} connections: {rate:.0} requests/s",
        elapsed.as_secs_f64(),
        arguments.connections
    );
    Ok(())
}

async fn ask(host: String, request: String, end: Instant) -> io::Result<u64> {
    let mut socket = TcpStream::connect(host).await?;
    socket.set_nodelay(true)?;
    let mut buffer = vec![0; 64 << 10];
    let mut requests = 0;
    while Instant::now() < end {
        socket.write_all(request.as_bytes()).await?;
        let mut have = 0;
        loop {
            let count = socket.read(&mut buffer[have..]).await?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            have += count;
            if complete(&buffer[..have])? {
                break;
            }
        }
        requests += 1;
    }
    Ok(requests)
}

fn complete(answer: &[u8]) -> io::Result<bool> {
    let Some(head) = memchr::memmem::find(answer, b"\r\n\r\n") else {
        return Ok(false);
    };
    if !answer.starts_with(b"HTTP/1.1 200 ") {
        return Err(io::Error::other(String::from_utf8_lossy(answer).into_owned()));
    }
    const NAME: &[u8] = b"content-length: ";
    let at = memchr::memmem::find(&answer[..head], NAME)
        .ok_or_else(|| io::Error::other("no content-length"))?;
    let digits = answer[at + NAME.len()..].iter().take_while(|byte| byte.is_ascii_digit());
    let length = digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
    Ok(answer.len() >= head + 4 + length)
}
