//! A cluster of three primaries.

use std::time::{Duration, Instant};

use liter_llm_core::redis::{Fault, Mode, Script};

use crate::proxy::{Proxy, Way};
use crate::server::{Server, TIMEOUT, needs_redis, next, of, settings};

/// Three primaries, each with a third of the slots.
fn cluster() -> Vec<Server> {
    let arguments = [
        "--cluster-enabled",
        "yes",
        "--cluster-node-timeout",
        "2000",
        "--cluster-require-full-coverage",
        "no",
    ];
    let servers: Vec<Server> = (0..3).map(|_| Server::start(&arguments)).collect();
    let places: Vec<String> = servers.iter().map(|server| server.address().to_string()).collect();
    let mut words = vec!["--cluster", "create"];
    words.extend(places.iter().map(String::as_str));
    words.extend(["--cluster-replicas", "0", "--cluster-yes"]);
    let said = servers[0].cli(&words);
    assert!(said.contains("All 16384 slots covered"), "{said}");
    let end = Instant::now() + Duration::from_secs(20);
    for server in &servers {
        while !server.cli(&["cluster", "info"]).contains("cluster_state:ok") {
            assert!(Instant::now() < end, "the cluster does not begin");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    servers
}

fn client(servers: &[Server], seeds: usize) -> liter_llm_core::redis::Redis {
    let seeds = servers[..seeds].iter().map(Server::address).collect();
    of(settings(seeds, Mode::Cluster)).0
}

async fn until_up(redis: &liter_llm_core::redis::Redis, key: &[u8]) {
    let end = Instant::now() + Duration::from_secs(20);
    while redis.count(key).await.is_err() {
        assert!(Instant::now() < end, "the cluster does not answer");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_key_is_at_the_primary_of_its_slot() {
    needs_redis!();
    let servers = cluster();
    let redis = client(&servers, 1);
    until_up(&redis, b"k").await;
    for i in 0..300 {
        let (entry, lock) = (format!("ll:c:{{{i}}}"), format!("ll:l:{{{i}}}"));
        redis
            .put(entry.as_bytes(), lock.as_bytes(), b"o", b"v", Duration::from_secs(60))
            .await
            .unwrap();
    }
    let sizes: Vec<u32> =
        servers.iter().map(|server| server.cli(&["dbsize"]).parse().unwrap()).collect();
    assert!(sizes.iter().sum::<u32>() == 300 && sizes.iter().all(|size| *size > 50), "{sizes:?}");
    assert_eq!(redis.purge(b"ll:c:", Duration::from_secs(20)).await, Ok(300));
    // Keys of two slots in one script are our mistake, and no reason to wait.
    let script = Script::new("return {1}");
    let two = redis.numbers(&script, &["a", "b"], &[""; 0], redis.timeout()).await;
    assert!(matches!(two, Err(Fault::Refused(_))), "{two:?}");
}

/// A slot that moves: `ASK` while it does, `MOVED` from then on.
#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_moves_is_followed() {
    needs_redis!();
    let servers = cluster();
    let redis = client(&servers, 3);
    until_up(&redis, b"k").await;
    // The slot of "{k}" is 7629, of the second primary.
    let slot = servers[0].cli(&["cluster", "keyslot", "{k}"]);
    let owner = servers.iter().position(|server| server.cli(&["get", "{k}"]).is_empty()).unwrap();
    let to = (owner + 1) % 3;
    let id = |i: usize| servers[i].cli(&["cluster", "myid"]);
    assert_eq!(next(&redis, b"{k}").await, Ok(1));
    servers[to].cli(&["cluster", "setslot", &slot, "importing", &id(owner)]);
    servers[owner].cli(&["cluster", "setslot", &slot, "migrating", &id(to)]);
    let port = servers[to].port.to_string();
    let moved = servers[owner].cli(&["migrate", "127.0.0.1", &port, "{k}", "0", "5000"]);
    assert_eq!(moved, "OK");
    assert_eq!(next(&redis, b"{k}").await, Ok(2), "ASK");
    for server in [to, owner] {
        servers[server].cli(&["cluster", "setslot", &slot, "node", &id(to)]);
    }
    assert_eq!(next(&redis, b"{k}").await, Ok(3), "MOVED");
    assert_eq!(servers[to].cli(&["get", "{k}"]), "3");
}

/// One primary that is frozen holds up nobody whose key is elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_primary_holds_up_its_own_slots_alone() {
    needs_redis!();
    let servers = cluster();
    let mut own = settings(servers.iter().map(Server::address).collect(), Mode::Cluster);
    own.timeout = TIMEOUT;
    let (redis, _) = of(own);
    let keys: Vec<String> = (0..60).map(|i| format!("{{{i}}}")).collect();
    for key in &keys {
        until_up(&redis, key.as_bytes()).await;
    }
    servers[0].signal("STOP");
    for _ in 0..4 {
        for key in &keys {
            let _ = redis.count(key.as_bytes()).await;
        }
    }
    let (mut well, mut late) = (0, 0);
    for key in &keys {
        match redis.count(key.as_bytes()).await {
            Ok(_) => well += 1,
            Err(Fault::Late) => late += 1,
            Err(_) => {}
        }
    }
    servers[0].signal("CONT");
    assert!(well >= 20, "{well} of 60 are elsewhere");
    assert_eq!(late, 0, "nobody waits for the frozen one any more");
    for key in &keys {
        until_up(&redis, key.as_bytes()).await;
    }
}

fn add_slots(server: &Server) {
    let slots: Vec<String> = (0..16_384).map(|slot| slot.to_string()).collect();
    let mut words = vec!["cluster", "addslots"];
    words.extend(slots.iter().map(String::as_str));
    assert_eq!(server.cli(&words), "OK");
}

/// A server that is a cluster by itself.
pub(crate) fn alone() -> Server {
    let server = Server::start(&["--cluster-enabled", "yes"]);
    add_slots(&server);
    let end = Instant::now() + Duration::from_secs(60);
    while !server.cli(&["cluster", "info"]).contains("cluster_state:ok") {
        assert!(Instant::now() < end, "the cluster does not begin");
        std::thread::sleep(Duration::from_millis(50));
    }
    server
}

/// A seed that has joined nothing knows no slot, and the next one is asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_seed_that_has_joined_nothing_is_passed_over() {
    needs_redis!();
    let lonely = Server::start(&["--cluster-enabled", "yes"]);
    let server = alone();
    let (redis, _) = of(settings(vec![lonely.address(), server.address()], Mode::Cluster));
    until_up(&redis, b"k").await;
    // Nor is it the end when it is the only seed: it is asked again once it has joined.
    let (redis, _) = of(settings(vec![lonely.address()], Mode::Cluster));
    assert_eq!(redis.count(b"k").await, Err(Fault::Away));
    add_slots(&lonely);
    until_up(&redis, b"k").await;
}

/// Seeds that are silent cost a few questions their timer, and no more.
#[tokio::test(flavor = "multi_thread")]
async fn silent_seeds_hold_up_few() {
    needs_redis!();
    let server = Server::start(&[]);
    let mut seeds = Vec::new();
    for _ in 0..3 {
        let proxy = Proxy::before(server.address()).await;
        proxy.set(Way::Silent);
        seeds.push(proxy);
    }
    let addresses = seeds.iter().map(|seed| seed.address.clone()).collect();
    let mut own = settings(addresses, Mode::Cluster);
    own.timeout = Duration::from_millis(20);
    let (redis, _) = of(own);
    let mut late = 0;
    for _ in 0..100 {
        late += u32::from(redis.count(b"k").await == Err(Fault::Late));
    }
    assert!(late <= 3, "{late} have waited");
}
