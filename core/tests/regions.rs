//! `options.region`: a call chooses the host of a provider whose entry says no region, and is never
//! asked in another one. What reaches a server is in `bindings/conformance/cases/regions`.
#![allow(clippy::unwrap_used)]

mod common;

use std::io;
use std::sync::{Arc, Mutex};

use common::within;
use liter_llm_core::config::Environment;
use liter_llm_core::http::{Connecting, Network};
use liter_llm_core::{Client, Config, ErrorKind};
use serde_json::{Value, json};

/// A network that opens nothing, and remembers which hosts were to be reached.
#[derive(Default)]
struct Hosts(Mutex<Vec<String>>);

impl Network for Hosts {
    fn connect<'a>(&'a self, host: &'a str, _port: u16) -> Connecting<'a> {
        self.0.lock().unwrap().push(host.to_owned());
        Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) })
    }
}

struct World {
    hosts: Arc<Hosts>,
    client: Client,
}

impl World {
    fn new(providers: Value) -> World {
        let environment =
            json!({"OPENAI_API_KEY": "k", "MISTRAL_API_KEY": "k", "GROQ_API_KEY": "k"});
        let environment = Environment::parse(environment.to_string().as_bytes()).unwrap();
        let config = json!({"providers": providers, "retry": false}).to_string();
        let config = Config::parse_in(config.as_bytes(), &environment).unwrap();
        let hosts = Arc::<Hosts>::default();
        let client = Client::with_network(config, Vec::new(), Arc::clone(&hosts) as _, 1);
        World { hosts, client }
    }

    /// The hosts that a call tries to reach, and how it fails.
    async fn ask(&self, model: &str, options: Value) -> (Vec<String>, ErrorKind, String) {
        let request = json!({"model": model, "prompt": "q", "options": options}).to_string();
        let error = within(self.client.call(request.as_bytes(), b"")).await.unwrap_err();
        let hosts = std::mem::take(&mut *self.hosts.0.lock().unwrap());
        (hosts, error.kind(), error.message.clone())
    }
}

#[tokio::test]
async fn a_call_chooses_the_host_of_its_region() {
    let world = World::new(json!({}));
    for (model, options, host) in [
        ("openai/m", json!({}), "api.openai.com"),
        ("openai/m", json!({"region": "eu"}), "eu.api.openai.com"),
        ("openai/m", json!({"region": "us"}), "us.api.openai.com"),
        ("mistral/m", json!({"region": "eu"}), "api.eu.mistral.ai"),
        ("openai/m", json!({}), "api.openai.com"),
    ] {
        let (hosts, kind, _) = world.ask(model, options).await;
        assert_eq!((hosts, kind), (vec![host.to_owned()], ErrorKind::Connection), "{model}");
    }
}

#[tokio::test]
async fn fallbacks_move_too_and_those_without_the_region_are_not_asked() {
    let world = World::new(json!({}));
    let options = json!({"region": "eu", "fallback": ["groq/m", "mistral/m"]});
    let (hosts, ..) = world.ask("openai/m", options).await;
    assert_eq!(hosts, ["eu.api.openai.com", "api.eu.mistral.ai"]);
}

/// Neither the default host nor that of another region stands in for a region that is not there.
#[tokio::test]
async fn what_has_no_such_host_is_an_error() {
    for (providers, model, region) in [
        (json!({}), "openai/m", "fr"),
        (json!({}), "groq/m", "eu"),
        (json!({"openai": {"region": "us"}}), "openai/m", "eu"),
        (json!({"openai": {"base_url": "https://proxy.example/v1"}}), "openai/m", "eu"),
        (json!({"openai": {"base_url": "https://api.openai.com/v1"}}), "openai/m", "eu"),
    ] {
        let world = World::new(providers);
        let (hosts, kind, message) = world.ask(model, json!({ "region": region })).await;
        assert_eq!((hosts.len(), kind), (0, ErrorKind::Unsupported), "{message}");
    }
}

#[tokio::test]
async fn regions_are_targets_of_their_own() {
    let world = World::new(json!({}));
    for options in [json!({}), json!({"region": "eu"}), json!({"region": "eu"})] {
        world.ask("openai/m", options).await;
    }
    let metrics: Value = serde_json::from_slice(&world.client.metrics_json()).unwrap();
    let attempts = |name: &str| {
        let mut targets = metrics["targets"].as_array().unwrap().iter();
        targets.find(|target| target["target"] == name).unwrap()["attempts"].as_u64()
    };
    assert_eq!((attempts("openai/m"), attempts("openai/m@eu")), (Some(1), Some(2)));
    let text = String::from_utf8(world.client.metrics_prometheus()).unwrap();
    assert_eq!(text.matches("liter_llm_target_attempts_total{target=\"openai/m@eu\"}").count(), 1);
}

/// A network on which nothing ever opens. It counts who tries.
struct Silent(tokio::sync::Semaphore);

impl Network for Silent {
    fn connect<'a>(&'a self, _host: &'a str, _port: u16) -> Connecting<'a> {
        self.0.add_permits(1);
        Box::pin(std::future::pending())
    }
}

/// Two callers that want different regions share no call, although they ask the same: neither waits
/// until the other has failed.
#[tokio::test(start_paused = true)]
async fn a_shared_call_stays_in_its_region() {
    let environment = json!({"OPENAI_API_KEY": "k"}).to_string();
    let environment = Environment::parse(environment.as_bytes()).unwrap();
    let config = json!({"cache": {}, "retry": false}).to_string();
    let config = Config::parse_in(config.as_bytes(), &environment).unwrap();
    let silent = Arc::new(Silent(tokio::sync::Semaphore::new(0)));
    let client = Client::with_network(config, Vec::new(), Arc::clone(&silent) as _, 1);
    let ask = |region: &str| {
        let options = json!({ "region": region });
        let request = json!({"model": "openai/m", "prompt": "q", "temperature": 0});
        let (request, options) = (request.to_string(), options.to_string());
        let client = &client;
        async move { client.call(request.as_bytes(), options.as_bytes()).await }
    };
    let began = tokio::time::Instant::now();
    let both = async { tokio::join!(ask("eu"), ask("us")) };
    tokio::select! {
        answers = both => panic!("an answer without a server: {answers:?}"),
        tried = silent.0.acquire_many(2) => drop(tried.unwrap()),
    }
    assert!(began.elapsed().is_zero(), "{:?}", began.elapsed());
}
