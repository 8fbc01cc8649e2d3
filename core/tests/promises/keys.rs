//! Keys in files: read on threads that may wait, kept, and read again when they change.

use std::path::PathBuf;
use std::time::Duration;

use liter_llm_core::ErrorKind;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::say::{answer, refuse};
use super::world::{Ask, World, call, client, secs};

/// A file of this process and test, removed at the end.
struct KeyFile(PathBuf);

impl KeyFile {
    fn new(name: &str) -> Self {
        KeyFile(std::env::temp_dir().join(format!("liter-llm-{}-{name}", std::process::id())))
    }

    fn holding(name: &str, key: &str) -> Self {
        let file = Self::new(name);
        file.write(key);
        file
    }

    /// As a mounted secret changes: another file takes its place.
    fn write(&self, key: &str) {
        let fresh = self.0.with_extension("fresh");
        std::fs::write(&fresh, key).unwrap();
        std::fs::rename(&fresh, &self.0).unwrap();
    }

    fn settings(&self) -> serde_json::Value {
        json!({"providers": {"a": {"api_key": format!("file:{}", self.0.display())}}})
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The key of the last request.
fn key(world: &World) -> String {
    let head = world.asked("a").pop().unwrap().head;
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("authorization: "));
    line.unwrap().rsplit(' ').next().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_key_file_that_changes_is_read_again() {
    let file = KeyFile::holding("rotated", "sk-first-0123456789\n");
    let (client, world) = client(file.settings(), answer);
    call(&client, "a/m", json!({})).await.unwrap();
    assert_eq!(key(&world), "sk-first-0123456789");
    // Kept for a second: the file is not even looked at.
    std::fs::remove_file(&file.0).unwrap();
    call(&client, "a/m", json!({})).await.unwrap();
    assert_eq!(key(&world), "sk-first-0123456789");
    file.write("sk-second-0123456789");
    sleep(secs(1)).await;
    call(&client, "a/m", json!({})).await.unwrap();
    assert_eq!(key(&world), "sk-second-0123456789");
    // A file that has gone is an error that names it.
    std::fs::remove_file(&file.0).unwrap();
    sleep(secs(1)).await;
    let error = call(&client, "a/m", json!({})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert!(error.message.contains("liter-llm-") && !error.message.contains("sk-"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_refused_is_read_again_at_once() {
    let file = KeyFile::holding("refused", "sk-first-0123456789");
    let (client, world) = client(file.settings(), |ask: &Ask| {
        if ask.head.contains("sk-second") {
            answer(ask)
        } else {
            refuse(401, "", "invalid_api_key")
        }
    });
    call(&client, "a/m", json!({})).await.unwrap_err();
    file.write("sk-second-0123456789");
    call(&client, "a/m", json!({})).await.unwrap();
    assert_eq!(key(&world), "sk-second-0123456789");
}

/// A reference to what is no small file is an error at once: nobody waits for a pipe's writer, and
/// nothing without an end is read.
#[tokio::test]
async fn m5_only_small_files_are_keys() {
    let (pipe, large) = (KeyFile::new("pipe"), KeyFile::holding("large", &"k".repeat(65 << 10)));
    assert!(std::process::Command::new("mkfifo").arg(&pipe.0).status().unwrap().success());
    let folder = std::env::temp_dir();
    for path in [&pipe.0, &large.0, &folder, &PathBuf::from("/dev/zero")] {
        let key = format!("file:{}", path.display());
        let (client, world) = client(json!({"providers": {"a": {"api_key": key}}}), answer);
        let begun = Instant::now();
        let error = call(&client, "a/m", json!({"timeout_ms": 60_000})).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Authentication, "{}", path.display());
        assert!(error.message.contains(&path.display().to_string()), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(30), "{}", path.display());
        assert_eq!(world.count("a"), 0);
    }
}
