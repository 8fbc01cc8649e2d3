//! Real servers on free ports, each with a folder of its own. They end with the test.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use liter_llm_core::redis::{
    Address, Fault, Io, Later, Mode, Redis, Report, Script, Settings, Surroundings,
};
use secrecy::SecretString;
use tokio::net::TcpStream;

/// Whether there is a `redis-server`. In CI there has to be one.
pub(crate) fn is_there() -> bool {
    let found = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status();
    let there = found.is_ok_and(|status| status.success());
    assert!(there || std::env::var_os("CI").is_none(), "CI needs redis-server: make setup-system");
    if !there {
        eprintln!("no redis-server on this machine: the tests with it are left out");
    }
    there
}

/// Leaves a test where there is no server.
macro_rules! needs_redis {
    () => {
        if !crate::server::is_there() {
            return;
        }
    };
}
pub(crate) use needs_redis;

/// A server of Redis.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    pub(crate) folder: PathBuf,
    arguments: Vec<String>,
}

/// A port that was free just now.
pub(crate) fn free_port() -> u16 {
    loop {
        // A node of a cluster uses the port ten thousand above, too.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if port < 50_000 && TcpListener::bind(("127.0.0.1", port + 10_000)).is_ok() {
            return port;
        }
    }
}

impl Server {
    pub(crate) fn start(arguments: &[&str]) -> Server {
        Self::on(free_port(), arguments)
    }

    pub(crate) fn on(port: u16, arguments: &[&str]) -> Server {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("liter-llm-redis-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let child = run(port, &folder, &arguments);
        let server = Server { child, port, folder, arguments };
        server.wait();
        server
    }

    pub(crate) fn address(&self) -> Address {
        Address { host: "127.0.0.1".to_owned(), port: self.port }
    }

    fn wait(&self) {
        let end = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < end, "redis-server does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn cli(&self, words: &[&str]) -> String {
        cli(self.port, words)
    }

    /// Sends a signal: `STOP`, `CONT`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again at the same port, without what it had.
    pub(crate) fn restart(&mut self) {
        self.kill();
        self.child = run(self.port, &self.folder, &self.arguments);
        self.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn run(port: u16, folder: &Path, arguments: &[String]) -> Child {
    let mut command = Command::new("redis-server");
    let port = port.to_string();
    let place = ["--port", &port, "--bind", "127.0.0.1", "--dir"];
    match arguments {
        // The file of a sentinel stands first, as it is written to.
        [file, rest @ ..] if file.ends_with(".conf") => {
            command.arg(file).args(rest).args(place).arg(folder);
        }
        _ => {
            command.args(place).arg(folder);
            command.args(["--save", "", "--appendonly", "no"]).args(arguments);
        }
    }
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

pub(crate) fn cli(port: u16, words: &[&str]) -> String {
    let port = port.to_string();
    let output = Command::new("redis-cli").args(["-p", &port]).args(words).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// What the room is handed here: plain TCP, a password that a test may change, and the reports.
#[derive(Default)]
pub(crate) struct Around {
    pub(crate) password: Mutex<Option<String>>,
    pub(crate) reports: Mutex<Vec<Report>>,
}

impl Surroundings for Around {
    fn connect<'a>(&'a self, to: &'a Address) -> Later<'a, Result<Box<dyn Io>, String>> {
        Box::pin(async move {
            let socket = TcpStream::connect((to.host.as_str(), to.port)).await;
            let socket = socket.map_err(|error| error.kind().to_string())?;
            socket.set_nodelay(true).map_err(|error| error.to_string())?;
            Ok(Box::new(socket) as Box<dyn Io>)
        })
    }

    fn password(&self, _: bool) -> Later<'_, Result<Option<SecretString>, String>> {
        let password = self.password.lock().unwrap().clone();
        Box::pin(async move { Ok(password.map(SecretString::from)) })
    }

    fn report(&self, report: &Report) {
        self.reports.lock().unwrap().push(report.clone());
    }
}

/// The longest that a question waits where a fault is timed.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(300);

/// The longest that it waits elsewhere. The machine is busy, and the first question has to connect.
const LONG: Duration = Duration::from_secs(5);

pub(crate) fn settings(addresses: Vec<Address>, mode: Mode) -> Settings {
    Settings {
        mode,
        addresses,
        tls: false,
        username: None,
        database: 0,
        timeout: LONG,
        namespace: "test".to_owned(),
    }
}

pub(crate) fn redis(address: Address) -> (Redis, Arc<Around>) {
    of(settings(vec![address], Mode::Single))
}

/// The client of a server whose faults are timed.
pub(crate) fn hasty(address: Address) -> (Redis, Arc<Around>) {
    of(Settings { timeout: TIMEOUT, ..settings(vec![address], Mode::Single) })
}

pub(crate) fn of(settings: Settings) -> (Redis, Arc<Around>) {
    let around = Arc::new(Around::default());
    (Redis::new(settings, Arc::clone(&around) as _), around)
}

/// Counts the number at a key up.
pub(crate) async fn next(redis: &Redis, key: &[u8]) -> Result<i64, Fault> {
    static INCR: LazyLock<Script> =
        LazyLock::new(|| Script::new("return {redis.call('INCR', KEYS[1])}"));
    let none: [&[u8]; 0] = [];
    Ok(redis.numbers(&INCR, &[key], &none, redis.timeout()).await?[0])
}

/// Asks until it is answered.
pub(crate) async fn until_up(redis: &Redis) {
    let end = Instant::now() + Duration::from_secs(20);
    while redis.count(b"probe").await.is_err() {
        assert!(Instant::now() < end, "Redis does not come back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
