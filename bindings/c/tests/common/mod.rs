//! Compiles C programs against the library of the current profile and runs them beside a simulator.
//!
//! `LITER_LLM_C_LIBRARY` (a file, with further linker arguments behind it) and `LITER_LLM_C_FLAGS`
//! put another library and further compiler flags in place: `scripts/sanitize.py` does.

#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "clippy knows only test functions themselves as tests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use liter_llm_simulator::{CA_PEM, Case, Options, Simulator};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// A program that runs longer is killed and has failed.
const PATIENCE: Duration = Duration::from_secs(600);

pub(crate) fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Tests lie in target/<profile>/deps, the library one above.
fn profile_dir() -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    exe.parent().and_then(Path::parent).unwrap().to_owned()
}

/// The shared library of this profile. Cargo does not build it for an integration test, as no test can
/// link to it: without this, tests would run against whatever was built last.
pub(crate) fn library() -> PathBuf {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package", "liter-llm-c", "--target-dir"]);
        cargo.arg(profile_dir().parent().unwrap()).current_dir(here());
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        // What cargo told this test about its package would make it build ring anew.
        let told = |name: &str| {
            name.starts_with("CARGO_PKG") || name.starts_with("CARGO_MANIFEST") || name == "OUT_DIR"
        };
        for (name, _) in std::env::vars().filter(|(name, _)| told(name)) {
            cargo.env_remove(name);
        }
        assert!(cargo.status().unwrap().success(), "cargo build failed");
    });
    profile_dir().join("libliter_llm.so")
}

fn words(variable: &str) -> Vec<String> {
    let text = std::env::var(variable).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

/// Compiles `source`, warning-free, into a program; `extra` are further arguments. Once for each
/// test binary: a program that runs cannot be written to.
pub(crate) fn compile(source: &Path, extra: &[&str]) -> PathBuf {
    static DONE: Mutex<BTreeMap<PathBuf, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    done.entry(source.to_owned()).or_insert_with(|| compile_now(source, extra)).clone()
}

fn compile_now(source: &Path, extra: &[&str]) -> PathBuf {
    let folder = profile_dir().join("c");
    std::fs::create_dir_all(&folder).unwrap();
    let sanitized = if std::env::var_os("LITER_LLM_C_LIBRARY").is_some() { "-custom" } else { "" };
    let stem = source.file_stem().and_then(|stem| stem.to_str()).unwrap();
    let program = folder.join(format!("{stem}{sanitized}"));
    let object = program.with_extension("o");
    let mut compiler = Command::new("cc");
    compiler
        .args(["-g", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-pthread", "-c"])
        .args(extra)
        .args(words("LITER_LLM_C_FLAGS"))
        .arg("-I")
        .arg(here().join("../../include"))
        .arg("-o")
        .args([&object, source]);
    cc(compiler);
    // A step of its own: with the sanitizer's flags gcc would add a second runtime.
    let mut linker = Command::new("cc");
    linker.arg("-pthread").arg("-o").args([&program, &object]);
    if sanitized.is_empty() {
        linker.arg(self::library()).arg(format!("-Wl,-rpath,{}", profile_dir().display()));
    } else {
        linker.args(words("LITER_LLM_C_LIBRARY"));
    }
    cc(linker);
    program
}

fn cc(mut command: Command) {
    let output = command.output().expect("a C compiler named cc");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}:\n{text}");
}

/// A simulator for C programs.
pub(crate) struct Bench {
    pub(crate) simulator: Simulator,
    ca: PathBuf,
    _runtime: Runtime,
}

impl Bench {
    pub(crate) fn start() -> Bench {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let mut options = Options::default();
        options.tls_addr = Some(any);
        options.tls_wrong_addr = Some(any);
        options.cases = cases();
        let simulator = {
            let _inside = runtime.enter();
            Simulator::start(options).unwrap()
        };
        let ca =
            profile_dir().join(format!("ca-{}.pem", simulator.url().rsplit(':').next().unwrap()));
        std::fs::write(&ca, CA_PEM).unwrap();
        Bench { simulator, ca, _runtime: runtime }
    }

    /// Runs a program to its end.
    pub(crate) fn run(&self, program: &Path, args: &[&str], env: &[(&str, &str)]) -> Output {
        let mut child = Command::new(program)
            .args(args)
            .env_remove("OPENAI_API_KEY")
            .env("SIM_URL", self.simulator.url())
            .env("SIM_TLS_URL", self.simulator.tls_url().unwrap())
            .env("SIM_TLS_WRONG_URL", self.simulator.tls_wrong_url().unwrap())
            .env("SIM_CA", &self.ca)
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let pid = child.id();
        let (done, wait) = std::sync::mpsc::channel::<()>();
        let watch = std::thread::spawn(move || {
            let start = Instant::now();
            let late =
                wait.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout);
            if late {
                // SIGABRT leaves a message and, where enabled, a core.
                let _ = Command::new("kill").args(["-ABRT", &pid.to_string()]).status();
            }
            (late, start.elapsed())
        });
        // Both pipes are read, so that a program that says much is not blocked.
        let mut errors = child.stderr.take().unwrap();
        let reader = std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = std::io::Read::read_to_end(&mut errors, &mut text);
            text
        });
        let mut output = child.wait_with_output().unwrap();
        output.stderr = reader.join().unwrap();
        drop(done);
        let (late, took) = watch.join().unwrap();
        assert!(!late, "{} still ran after {took:?}", program.display());
        output
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.ca);
    }
}

/// The output of a program that must have ended well.
pub(crate) fn ok(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{}\nstdout:\n{out}\nstderr:\n{err}", output.status);
    out
}

/// Answers that free mode does not give.
fn cases() -> Vec<Case> {
    let answer = |content: Value| {
        json!({
            "id": "x", "object": "chat.completion", "created": 1, "model": "sim",
            "choices": [{
                "index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": content},
            }],
        })
    };
    let html = "<!doctype html><title>Sign in</title><h1>Please sign in</h1>";
    let list = [
        ("html", json!({"headers": {"content-type": "text/html"}, "body": html})),
        (
            "bomb",
            json!({"gzip": {"zeros": 48 << 20}, "headers": {"content-type": "application/json"}}),
        ),
        ("endless_headers", json!({"endless": "headers"})),
        ("endless_body", json!({"endless": "body"})),
        ("never", json!({"never": true})),
        ("not_http", json!({"raw": "SSH-2.0-OpenSSH_9.2\r\n"})),
        ("nul", json!({"body": answer(json!("a\u{0}b"))})),
        ("umlauts", json!({"body": answer(json!("aäöü€😀"))})),
        ("empty", json!({"body": ""})),
        ("cut", json!({"sse": [answer(json!("x"))], "cut_at": 20, "cut": "close"})),
        (
            "rate",
            json!({
                "status": 429, "headers": {"retry-after": "7"},
                "body": {"error": {"message": "slow down", "type": "rate_limit_error", "code": "rate_limit_exceeded"}},
            }),
        ),
    ];
    let case = |(name, reply): (&str, Value)| {
        Case::from_value(&format!("c/{name}"), &json!({"exchanges": [{"reply": reply}]})).unwrap()
    };
    list.into_iter().map(case).collect()
}
