//! Users, passwords that change, databases, names, and TLS.

use std::process::Command;
use std::time::Duration;

use liter_llm_core::limit::fleet::rules::{Rule, Verdict, take};
use liter_llm_core::redis::{Fault, Mode, Report};

use crate::server::{Server, needs_redis, next, of, settings, until_up};

#[tokio::test(flavor = "multi_thread")]
async fn user_database_and_name_are_said_to_the_server() {
    needs_redis!();
    let server = Server::start(&[]);
    let rights = ["acl", "setuser", "liter", "on", ">one", "~ll:*", "+@all", "-@dangerous"];
    server.cli(&rights);
    let mut own = settings(vec![server.address()], Mode::Single);
    (own.username, own.database) = (Some("liter".to_owned()), 3);
    let (redis, around) = of(own);
    *around.password.lock().unwrap() = Some("one".to_owned());
    assert_eq!(next(&redis, b"ll:k").await, Ok(1));
    assert_eq!(server.cli(&["-n", "3", "get", "ll:k"]), "1");
    let clients = server.cli(&["client", "list"]);
    assert!(
        clients.lines().any(|line| line.contains("name=liter-llm ")
            && line.contains(" db=3 ")
            && line.contains(" user=liter ")),
        "{clients}"
    );
    let beyond = next(&redis, b"foreign").await;
    assert_eq!(beyond, Err(Fault::Refused("NOPERM".to_owned())));
    until_up_at(&redis, b"ll:k").await;
}

async fn until_up_at(redis: &liter_llm_core::redis::Redis, key: &[u8]) {
    for _ in 0..500 {
        if redis.count(key).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("Redis does not come back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_read_again_at_each_connect() {
    needs_redis!();
    let server = Server::start(&["--requirepass", "old"]);
    let (redis, around) = of(settings(vec![server.address()], Mode::Single));
    *around.password.lock().unwrap() = Some("wrong-canary".to_owned());
    assert!(redis.count(b"k").await.is_err());
    let reports = around.reports.lock().unwrap().clone();
    let away = format!("{}: ", server.address());
    assert!(
        matches!(&reports[..], [Report::Away(why)] if why.starts_with(&away)
        && (why.ends_with("WRONGPASS") || why.ends_with("AUTH"))),
        "{reports:?}"
    );
    *around.password.lock().unwrap() = Some("old".to_owned());
    until_up(&redis).await;
    server.cli(&["-a", "old", "config", "set", "requirepass", "new"]);
    *around.password.lock().unwrap() = Some("new".to_owned());
    server.cli(&["-a", "new", "client", "kill", "type", "normal"]);
    until_up(&redis).await;
}

/// Through the configuration: TLS with a root of one's own, a user, and a password in a file.
#[tokio::test(flavor = "multi_thread")]
async fn tls_trusts_what_the_configuration_names() {
    needs_redis!();
    let folder = std::env::temp_dir().join(format!("liter-llm-redis-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let config = "[req]\ndistinguished_name = dn\nx509_extensions = own\nprompt = no\n[dn]\n\
                  CN = redis\n[own]\nsubjectAltName = DNS:localhost\nbasicConstraints = CA:FALSE\n";
    std::fs::write(folder.join("openssl.cnf"), config).unwrap();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-days", "2", "-config", &path("openssl.cnf")])
        .args(["-keyout", &path("key.pem"), "-out", &path("cert.pem")])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    std::fs::write(folder.join("password"), "s3cret\n").unwrap();
    let port = crate::server::free_port();
    let server = Server::start(&[
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &path("cert.pem"),
        "--tls-key-file",
        &path("key.pem"),
        "--tls-ca-cert-file",
        &path("cert.pem"),
        "--tls-auth-clients",
        "no",
        "--requirepass",
        "s3cret",
    ]);
    let ask = |redis: serde_json::Value| {
        let mut config = serde_json::json!({"redis": {
            "url": format!("rediss://localhost:{port}"),
            "password": format!("file:{}", path("password")),
            "timeout_ms": 2_000,
        }});
        config["redis"].as_object_mut().unwrap().extend(redis.as_object().unwrap().clone());
        let config = liter_llm_core::Config::parse(config.to_string().as_bytes()).unwrap();
        liter_llm_core::Client::new(config)
    };
    let up = |client: &liter_llm_core::Client| {
        let text = String::from_utf8(client.metrics_prometheus()).unwrap();
        text.contains("liter_llm_redis_up 1")
    };
    let client = ask(serde_json::json!({"ca_file": path("cert.pem")}));
    assert!(!up(&client));
    assert_eq!(next(client.redis().unwrap(), b"k").await, Ok(1));
    assert!(up(&client));
    // The machine's roots do not know this one.
    let client = ask(serde_json::json!({}));
    assert!(next(client.redis().unwrap(), b"k").await.is_err());
    assert!(!up(&client));
    drop(server);
    std::fs::remove_dir_all(folder).unwrap();
}

/// The rights of `docs/redis.md`, for the user whom a test's server gets.
fn documented(server: &Server) {
    let docs = include_str!("../../../docs/redis.md");
    let line = docs.lines().find(|line| line.starts_with("ACL SETUSER ")).unwrap();
    let said = server.cli(&line.split(' ').collect::<Vec<_>>());
    assert_eq!(said, "OK", "{line}");
}

/// What the documentation says that a user needs is enough, of one server and of a cluster.
#[tokio::test(flavor = "multi_thread")]
async fn the_documented_rights_are_enough() {
    needs_redis!();
    for (mode, server) in
        [(Mode::Single, Server::start(&[])), (Mode::Cluster, crate::cluster::alone())]
    {
        documented(&server);
        let mut own = settings(vec![server.address()], mode);
        own.username = Some("liter".to_owned());
        let (redis, around) = of(own);
        *around.password.lock().unwrap() = Some("password".to_owned());
        let (entry, lock) = (b"ll:prod:c:t:{k}", b"ll:prod:l:{k}");
        for _ in 0..500 {
            if redis.count(b"ll:prod:n").await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        redis.take_lock(lock, b"o").await.unwrap();
        redis.put(entry, lock, b"o", b"v", Duration::from_secs(60)).await.unwrap();
        redis.next_epoch(b"ll:prod:e:t", Duration::from_secs(60)).await.unwrap();
        let purged = redis.purge(b"ll:prod:c:t:", Duration::from_secs(20)).await;
        assert_eq!(purged, Ok(1), "{:?}", around.reports.lock().unwrap());
        let place = Rule::InFlight { key: "{ll:prod}:p:c".to_owned(), most: 1 };
        assert!(matches!(take(&redis, "1", &[place]).await, Ok(Verdict::Granted(_))));
        // What sentinel mode asks a primary, and a slot that moves.
        for words in [&["role"][..], &["asking"]] {
            let mut all = vec!["--user", "liter", "--pass", "password", "--no-auth-warning"];
            all.extend(words);
            let said = server.cli(&all);
            assert!(!said.contains("NOPERM"), "{words:?}: {said}");
        }
    }
}
