//! The program as scripts use it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_liter-llm-simulator"))
}

#[test]
fn says_where_it_listens_and_ends_with_stdin() {
    let ready = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ready");
    let mut child = program()
        .args(["--threads", "1", "--tls-addr", "127.0.0.1:0", "--tls-wrong-addr", "127.0.0.1:0"])
        .args(["--exit-with-stdin", "--parent-pid-watch", "--ready-file"])
        .arg(&ready)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program");
    let stdout = child.stdout.take().expect("a pipe");
    let mut lines = BufReader::new(stdout).lines().map(|line| line.expect("a line"));
    let said: Vec<String> = lines.by_ref().take(3).collect();
    assert!(said[0].starts_with("listening on http://127.0.0.1:"), "{said:?}");
    assert!(said[1].starts_with("tls on https://localhost:"), "{said:?}");
    assert!(said[2].starts_with("tls-wrong on https://localhost:"), "{said:?}");
    assert_eq!(std::fs::read_to_string(&ready).expect("the ready file"), said.join("\n") + "\n");
    drop(child.stdin.take());
    assert!(child.wait().expect("its end").success());
}

#[test]
fn mistakes_are_said() {
    let missing = program().args(["--cases", "/nowhere/at/all"]).output().expect("the program");
    let stderr = String::from_utf8_lossy(&missing.stderr);
    assert!(!missing.status.success() && stderr.contains("/nowhere/at/all: "), "{stderr}");
    let unknown = program().arg("--adr").output().expect("the program");
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("unknown option --adr"));
}
