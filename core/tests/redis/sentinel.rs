//! The primary that a sentinel names, before and after it has changed.

use std::time::Duration;

use liter_llm_core::redis::Mode;

use crate::server::{Server, free_port, needs_redis, next, of, settings, until_up};

#[tokio::test(flavor = "multi_thread")]
async fn the_primary_that_the_sentinels_name_is_asked() {
    needs_redis!();
    let mut primary = Server::start(&[]);
    let port = primary.port.to_string();
    let replica = Server::start(&["--replicaof", &format!("127.0.0.1 {port}")]);
    let file = std::env::temp_dir().join(format!("liter-llm-sentinel-{}.conf", std::process::id()));
    std::fs::write(
        &file,
        format!(
            "sentinel monitor main 127.0.0.1 {port} 1\nsentinel down-after-milliseconds main 500\n\
         sentinel failover-timeout main 4000\n"
        ),
    )
    .unwrap();
    let watcher = Server::start(&[file.to_str().unwrap(), "--sentinel"]);
    // The first of the sentinels is not there.
    let gone = liter_llm_core::redis::Address { host: "127.0.0.1".to_owned(), port: free_port() };
    let mode = Mode::Sentinel { master: "main".to_owned() };
    let (redis, _) = of(settings(vec![gone, watcher.address()], mode));
    until_up(&redis).await;
    while !watcher.cli(&["sentinel", "replicas", "main"]).contains(&replica.port.to_string())
        || !primary.cli(&["info", "replication"]).contains("state=online")
    {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(next(&redis, b"k").await, Ok(1));
    assert_eq!(primary.cli(&["get", "k"]), "1");
    tokio::time::sleep(Duration::from_millis(200)).await;
    primary.kill();
    let mut counted = next(&redis, b"k").await;
    for _ in 0..600 {
        if counted.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        counted = next(&redis, b"k").await;
    }
    assert_eq!(counted, Ok(2), "the replica has what the primary had");
    assert_eq!(replica.cli(&["get", "k"]), "2");
    let _ = std::fs::remove_file(file);
}
