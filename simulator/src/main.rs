//! The command line: parse the arguments, load the cases, start, say where, wait for the end.

#![forbid(unsafe_code)]

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use liter_llm_simulator::{Options, Simulator, load_cases};
use tokio::io::AsyncReadExt as _;

const USAGE: &str = "\
usage: liter-llm-simulator [options]
  --addr ADDR            plain HTTP (default 127.0.0.1:0, a free port)
  --tls-addr ADDR        TLS with a certificate for localhost and 127.0.0.1 (CA: simulator/tls/ca.pem)
  --tls-wrong-addr ADDR  TLS with a certificate for wrong.example
  --no-h2                do not offer HTTP/2 over TLS
  --cases PATH           a folder of cases, or a .jsonl file; may be repeated
  --threads N            worker threads (default: one a core)
  --ready-file FILE      write the `listening on …` lines there too, once all is ready
  --exit-with-stdin      exit when standard input is closed
  --parent-pid-watch     exit when the parent process is gone
";

#[derive(Default)]
struct Arguments {
    options: Options,
    cases: Vec<PathBuf>,
    threads: Option<usize>,
    ready_file: Option<PathBuf>,
    exit_with_stdin: bool,
    parent_pid_watch: bool,
}

fn main() -> ExitCode {
    let arguments = match parse(std::env::args().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprint!("liter-llm-simulator: {message}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("liter-llm-simulator: {message}");
            ExitCode::FAILURE
        }
    }
}

/// `None` means that help was asked for.
fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Arguments>, String> {
    let mut arguments = Arguments::default();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
        match word.as_str() {
            "--addr" => arguments.options.addr = address(&value()?)?,
            "--tls-addr" => arguments.options.tls_addr = Some(address(&value()?)?),
            "--tls-wrong-addr" => arguments.options.tls_wrong_addr = Some(address(&value()?)?),
            "--no-h2" => arguments.options.h2 = false,
            "--cases" => arguments.cases.push(value()?.into()),
            "--threads" => {
                let threads = value()?.parse().ok().filter(|threads| *threads > 0);
                arguments.threads = Some(threads.ok_or("--threads wants a number of at least 1")?);
            }
            "--ready-file" => arguments.ready_file = Some(value()?.into()),
            "--exit-with-stdin" => arguments.exit_with_stdin = true,
            "--parent-pid-watch" => arguments.parent_pid_watch = true,
            "--help" | "-h" => return Ok(None),
            _ => return Err(format!("unknown option {word}")),
        }
    }
    Ok(Some(arguments))
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("{text:?} is not an address such as 127.0.0.1:8080"))
}

fn run(mut arguments: Arguments) -> Result<(), String> {
    for path in &arguments.cases {
        arguments.options.cases.extend(load_cases(path)?);
    }
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = arguments.threads {
        runtime.worker_threads(threads);
    }
    let runtime = runtime.enable_all().build().map_err(|error| error.to_string())?;
    let result = runtime.block_on(serve(arguments));
    // Standard input is read on a thread of its own. Only the end of the input can stop that
    // thread.
    runtime.shutdown_background();
    result
}

async fn serve(arguments: Arguments) -> Result<(), String> {
    let simulator = Simulator::start(arguments.options).map_err(|error| error.to_string())?;
    let mut lines = format!("listening on {}\n", simulator.url());
    if let Some(url) = simulator.tls_url() {
        lines += &format!("tls on {url}\n");
    }
    if let Some(url) = simulator.tls_wrong_url() {
        lines += &format!("tls-wrong on {url}\n");
    }
    if let Some(path) = &arguments.ready_file {
        // The file is renamed into place, so that a reader sees all of it or none.
        let part = path.with_extension("part");
        std::fs::write(&part, &lines)
            .and_then(|()| std::fs::rename(&part, path))
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let mut stdout = io::stdout();
    stdout
        .write_all(lines.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| format!("stdout: {error}"))?;

    tokio::select! {
        () = stdin_closed(), if arguments.exit_with_stdin => {}
        () = parent_gone(), if arguments.parent_pid_watch => {}
        () = std::future::pending() => {}
    }
    Ok(())
}

async fn stdin_closed() {
    let mut stdin = tokio::io::stdin();
    let mut ignored = [0; 256];
    while stdin.read(&mut ignored).await.is_ok_and(|count| count > 0) {}
}

/// Waits until the parent has gone. An orphan gets another parent.
async fn parent_gone() {
    #[cfg(unix)]
    {
        let parent = std::os::unix::process::parent_id();
        while std::os::unix::process::parent_id() == parent {
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
    #[cfg(not(unix))]
    std::future::pending::<()>().await;
}
