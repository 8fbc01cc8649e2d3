//! `include/liter_llm.h` is what `bindings/c` says, and the built library exports just that.
//!
//! `UPDATE=1 cargo test -p liter-llm-c --test header` (`make header`) rewrites the header.

#![allow(clippy::unwrap_used, reason = "clippy knows only test functions themselves as tests")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn generate() -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(here.join("cbindgen.toml")).unwrap();
    let mut builder = cbindgen::Builder::new().with_config(config);
    // In the order in which a reader needs them.
    for file in ["status", "process", "invoke", "document", "client", "queue_abi", "work"] {
        builder = builder.with_src(here.join(format!("src/{file}.rs")));
    }
    let mut text = Vec::new();
    builder.generate().unwrap().write(&mut text);
    String::from_utf8(text).unwrap()
}

/// The functions that the header declares.
fn declared(header: &str) -> Vec<String> {
    let mut names: Vec<String> = header
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '('))
        .filter_map(|word| word.strip_prefix("liter_llm_").and_then(|rest| rest.split_once('(')))
        .map(|(name, _)| format!("liter_llm_{name}"))
        .collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn the_header_is_up_to_date() {
    let path = root().join("include/liter_llm.h");
    let fresh = generate();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == fresh, "include/liter_llm.h is out of date: run `make header`");
}

/// Beside the header's functions the library exports nothing: it is a guest in someone's process.
#[test]
fn the_library_exports_what_the_header_declares() {
    let library = common::library();
    let output = Command::new("nm").args(["-D", "--defined-only"]).arg(&library).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut exported: Vec<&str> = text.lines().filter_map(|line| line.split(' ').nth(2)).collect();
    exported.sort_unstable();
    let header = std::fs::read_to_string(root().join("include/liter_llm.h")).unwrap();
    let declared = declared(&header);
    assert_eq!(declared.len(), 25, "the ABI has 25 functions: a further one needs an ADR");
    assert_eq!(exported, declared);
}
