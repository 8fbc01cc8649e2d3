//! Each row of the table of faults in `docs/redis.md`, while 64 questions are asked all the time:
//! none waits longer than its timer, and none waits at all once the circuit is open.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use liter_llm_core::redis::{Fault, Lookup, Redis, Report};
use tokio::task::JoinSet;

use crate::fleet::until;
use crate::proxy::{Proxy, Way};
use crate::server::{Server, TIMEOUT, hasty, needs_redis, redis, until_up};

/// What a question may take beyond its timer on a busy machine.
const SLACK: Duration = Duration::from_millis(500);

/// Questions of 64 tasks, one after the other in each.
struct Load {
    tasks: JoinSet<()>,
    stop: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
    answered: Arc<AtomicU64>,
    late: Arc<AtomicU64>,
    longest: Arc<AtomicU64>,
    stall: Arc<AtomicU64>,
}

impl Load {
    fn on(redis: &Redis) -> Load {
        let mut load = Load {
            tasks: JoinSet::new(),
            stop: Arc::default(),
            asked: Arc::default(),
            answered: Arc::default(),
            late: Arc::default(),
            longest: Arc::default(),
            stall: Arc::default(),
        };
        load.watch();
        for task in 0..64 {
            let (redis, stop) = (redis.clone(), Arc::clone(&load.stop));
            let (asked, answered) = (Arc::clone(&load.asked), Arc::clone(&load.answered));
            let (late, longest) = (Arc::clone(&load.late), Arc::clone(&load.longest));
            load.tasks.spawn(async move {
                for number in 0_u64.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let key = format!("{{{task}-{number}}}");
                    let began = Instant::now();
                    let found =
                        redis.get_or_lock(format!("c{key}").as_bytes(), key.as_bytes(), b"o").await;
                    let took = began.elapsed();
                    asked.fetch_add(1, Ordering::Relaxed);
                    longest.fetch_max(took.as_micros() as u64, Ordering::Relaxed);
                    match found {
                        Ok(Lookup::Owner) => answered.fetch_add(1, Ordering::Relaxed),
                        Ok(other) => panic!("{other:?}"),
                        Err(Fault::Late) => late.fetch_add(1, Ordering::Relaxed),
                        Err(_) => 0,
                    };
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            });
        }
        load
    }

    /// Notes how late this machine wakes a task that only sleeps.
    fn watch(&mut self) {
        let (stop, stall) = (Arc::clone(&self.stop), Arc::clone(&self.stall));
        self.tasks.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let began = Instant::now();
                tokio::time::sleep(Duration::from_millis(5)).await;
                stall.fetch_max(began.elapsed().as_micros() as u64, Ordering::Relaxed);
            }
        });
    }

    /// Lets it run until so many more questions were answered.
    async fn answered(&self, more: u64) {
        let wanted = self.answered.load(Ordering::Relaxed) + more;
        let end = Instant::now() + Duration::from_secs(60);
        while self.answered.load(Ordering::Relaxed) < wanted {
            assert!(Instant::now() < end, "Redis does not come back");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until questions go on without Redis, and sees that nobody waits from then on.
    async fn goes_on(&self, redis: &Redis) {
        until(|| !redis.is_up()).await;
        // Those that were under way have ended when each task has asked many times more.
        self.asks(64 * 20).await;
        let late = self.late.load(Ordering::Relaxed);
        self.asks(64 * 20).await;
        let more = self.late.load(Ordering::Relaxed) - late;
        assert_eq!(more, 0, "nobody waits while the circuit is open");
    }

    /// Lets it run until so many more questions were asked.
    async fn asks(&self, more: u64) {
        let wanted = self.asked.load(Ordering::Relaxed) + more;
        until(|| self.asked.load(Ordering::Relaxed) >= wanted).await;
    }

    /// Ends it. No question took longer than its timer, but for what the machine itself was late.
    async fn end(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        let [longest, stall] = [&self.longest, &self.stall]
            .map(|time| Duration::from_micros(time.load(Ordering::Relaxed)));
        assert!(longest <= TIMEOUT + SLACK + 3 * stall, "{longest:?}, and {stall:?} late");
    }
}

/// A server that is frozen: the calls under way wait once, and then nobody does.
async fn frozen(redis: &Redis, freeze: impl FnOnce(), thaw: impl FnOnce()) {
    until_up(redis).await;
    let load = Load::on(redis);
    load.answered(200).await;
    freeze();
    load.goes_on(redis).await;
    assert!(load.late.load(Ordering::Relaxed) > 0, "somebody has waited");
    thaw();
    load.answered(200).await;
    assert!(redis.is_up());
    load.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_costs_the_timer_once() {
    needs_redis!();
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.address()).await;
    let (redis, around) = hasty(proxy.address.clone());
    frozen(&redis, || proxy.set(Way::Silent), || proxy.set(Way::On)).await;
    let reports = around.reports.lock().unwrap().clone();
    let name = format!("{}: no answer came in time", proxy.address);
    assert_eq!(reports, [Report::Away(name), Report::Back], "one record a minute");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_costs_the_timer_once() {
    needs_redis!();
    let server = Server::start(&[]);
    let (redis, _) = hasty(server.address());
    frozen(&redis, || server.signal("STOP"), || server.signal("CONT")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_server_is_left_alone_until_it_is_quick() {
    needs_redis!();
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.address()).await;
    let (redis, _) = hasty(proxy.address.clone());
    frozen(&redis, || proxy.set(Way::Slow(TIMEOUT * 3)), || proxy.set(Way::On)).await;
    // Late answers went nowhere: each question still gets its own.
    for i in 0..50 {
        let (key, value) = (format!("k{{{i}}}"), format!("value {i}"));
        let time = Duration::from_secs(9);
        redis.put(key.as_bytes(), b"l", b"o", value.as_bytes(), time).await.unwrap();
        let found = redis.get_or_lock(key.as_bytes(), b"l", b"o").await;
        assert!(matches!(&found, Ok(Lookup::Hit(own, _)) if *own == value.as_bytes()), "{found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_server_that_is_not_there() {
    needs_redis!();
    let mut server = Server::start(&[]);
    let (redis, around) = hasty(server.address());
    until_up(&redis).await;
    let load = Load::on(&redis);
    load.answered(200).await;
    server.kill();
    load.goes_on(&redis).await;
    server.restart();
    load.answered(200).await;
    load.end().await;
    let reports = around.reports.lock().unwrap().clone();
    assert!(matches!(&reports[..], [Report::Away(_), Report::Back]), "{reports:?}");
    assert!(redis.connections() >= 2, "the server may have lost what it had");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_cut_is_made_again() {
    needs_redis!();
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.address()).await;
    let (redis, _) = hasty(proxy.address.clone());
    until_up(&redis).await;
    let load = Load::on(&redis);
    for _ in 0..3 {
        load.answered(100).await;
        server.cli(&["client", "kill", "type", "normal"]);
    }
    load.answered(100).await;
    load.end().await;
    assert!(proxy.connections() <= 12, "{} connections", proxy.connections());
}

/// What a server says that cannot answer for now: nobody waits, and it is asked again later.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_is_asked_again_later() {
    needs_redis!();
    let server = Server::start(&[]);
    for said in [
        "-LOADING Redis is loading the dataset in memory\r\n",
        "-CLUSTERDOWN The cluster is down\r\n",
        "-NOPERM this user has no permissions\r\n",
        "-MASTERDOWN Link with MASTER is down\r\n",
        "-BUSY Redis is busy running a script\r\n",
    ] {
        let proxy = Proxy::before(server.address()).await;
        let (redis, around) = hasty(proxy.address.clone());
        until_up(&redis).await;
        proxy.set(Way::Says(said.as_bytes().to_vec()));
        let word = said[1..].split(' ').next().unwrap().to_owned();
        assert_eq!(redis.count(b"k").await, Err(Fault::Refused(word.clone())));
        // A machine that stalls for a second sees it asked again, and refuse again. Nobody waits.
        let mut away = 0;
        for _ in 0..100 {
            let fault = redis.count(b"k").await.unwrap_err();
            assert!(fault == Fault::Away || fault == Fault::Refused(word.clone()), "{said}");
            away += u32::from(fault == Fault::Away);
        }
        assert!(away >= 90, "{away}: {said}");
        let reports = around.reports.lock().unwrap().clone();
        assert_eq!(reports[0], Report::Away(format!("{}: {word}", proxy.address)));
        proxy.set(Way::On);
        until_up(&redis).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_no_answer_and_ends_its_connection() {
    needs_redis!();
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.address()).await;
    for said in ["HTTP/1.1 400 Bad Request\r\n\r\n", "$5\r\nab", "\0\0\0\0"] {
        let (redis, _) = hasty(proxy.address.clone());
        until_up(&redis).await;
        proxy.set(Way::Says(said.as_bytes().to_vec()));
        assert!(redis.count(b"k").await.is_err(), "{said:?}");
        proxy.set(Way::On);
        until_up(&redis).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_still_answers_what_it_has() {
    needs_redis!();
    let server = Server::start(&["--maxmemory-policy", "noeviction"]);
    let (redis, _) = redis(server.address());
    let time = Duration::from_secs(60);
    redis.put(b"c{k}", b"l{k}", b"o", b"v", time).await.unwrap();
    server.cli(&["config", "set", "maxmemory", "1"]);
    assert_eq!(redis.put(b"c{j}", b"l{j}", b"o", b"v", time).await, Err(Fault::Full));
    assert_eq!(redis.count(b"k").await, Ok(0));
    assert!(redis.is_up(), "it is no reason to ask less");
    server.cli(&["config", "set", "maxmemory", "0"]);
    redis.put(b"c{j}", b"l{j}", b"o", b"v", time).await.unwrap();
    server.cli(&["flushall"]);
    assert_eq!(redis.get_or_lock(b"c{k}", b"l{k}", b"o").await, Ok(Lookup::Owner));
}

/// A primary that became a replica: its name is looked up again, as another one has it now.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_left_for_the_primary() {
    needs_redis!();
    let (server, other) = (Server::start(&[]), Server::start(&[]));
    let (redis, _) = redis(server.address());
    until_up(&redis).await;
    let connections = redis.connections();
    server.cli(&["replicaof", "127.0.0.1", &other.port.to_string()]);
    let stored = redis.put(b"c", b"l", b"o", b"v", TIMEOUT).await;
    assert_eq!(stored, Err(Fault::Refused("READONLY".to_owned())));
    assert_eq!(redis.count(b"k").await, Err(Fault::Away));
    server.cli(&["replicaof", "no", "one"]);
    until_up(&redis).await;
    assert!(redis.connections() > connections, "a new connection, after a new look-up");
    redis.put(b"c", b"l", b"o", b"v", Duration::from_secs(9)).await.unwrap();
}

/// The home of the connections may end, as the library's threads do; the next one takes over.
#[test]
fn connections_move_to_another_runtime() {
    needs_redis!();
    let server = Server::start(&[]);
    let (redis, _) = redis(server.address());
    for _ in 0..3 {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        redis.move_to(runtime.handle());
        runtime.block_on(until_up(&redis));
        // A call on its caller's thread has another runtime, and drives no connection.
        let lane = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        lane.block_on(async { assert_eq!(redis.count(b"k").await, Ok(0)) });
    }
}
