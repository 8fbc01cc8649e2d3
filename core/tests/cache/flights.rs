//! Callers that ask the same at once share one call.

use std::time::Duration;

use liter_llm_core::error::ErrorKind;
use liter_llm_core::{Client, Step};
use serde_json::json;
use tokio::time::sleep;

use super::say::{HEAD, answer, end, piece, refuse};
use super::world::{Act, Ask, metrics};
use super::{ask, cached, question, read, tier};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The same answer, after a second.
fn slowly(ask: &Ask) -> Vec<Act> {
    let mut acts = vec![Act::Wait(ms(1_000))];
    acts.extend(answer(ask));
    acts
}

/// A stream of three pieces, a second before each.
fn dripping(ask: &Ask) -> Vec<Act> {
    if ask.body["stream"] != true {
        return slowly(ask);
    }
    let mut acts = vec![Act::Send(HEAD.as_bytes().to_vec())];
    for text in ["one ", "two ", "three"] {
        acts.extend([Act::Wait(ms(1_000)), Act::Send(piece(text).into_bytes())]);
    }
    acts.push(Act::Send(end().into_bytes()));
    acts
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_of_one_question_are_one_request() {
    let (client, world) = cached(&json!({}), dripping);
    let mut callers = tokio::task::JoinSet::new();
    for i in 0..1_000 {
        let client = client.clone();
        callers.spawn(async move {
            match i % 2 {
                0 => ask(&client, &question(), &json!({})).await.unwrap(),
                _ => read(&client, &question(), &json!({})).await.unwrap().1,
            }
        });
    }
    let answers = callers.join_all().await;
    assert_eq!(world.count("a"), 1);
    let joined = answers.iter().filter(|answer| tier(answer) == "flight").count();
    assert_eq!(joined, 999);
    assert!(answers.iter().all(|answer| answer.text() == "one two three"));
    let without = |answer: &&liter_llm_core::Response| answer.liter.attempts.is_empty();
    assert_eq!(answers.iter().filter(without).count(), 999);
    assert_eq!(metrics(&client)["cache"]["joined"], 999);
    assert_eq!(client.in_flight(), 0);
}

/// Readers of a shared stream get its pieces when they come, each at its own pace.
#[tokio::test(start_paused = true)]
async fn a_slow_reader_slows_nobody() {
    let (client, world) = cached(&json!({}), dripping);
    let bytes = question().to_string();
    let mut slow = client.stream(bytes.as_bytes(), b"").await.unwrap();
    let start = tokio::time::Instant::now();
    let (text, quick) = read(&client, &question(), &json!({})).await.unwrap();
    assert_eq!((text.as_str(), tier(&quick)), ("one two three", "flight"));
    assert_eq!(start.elapsed(), ms(2_000));
    sleep(ms(60_000)).await;
    let mut text = String::new();
    let response = loop {
        match slow.next().await.unwrap() {
            Step::Chunks(chunks) => {
                let deltas = chunks.iter().flat_map(|chunk| &chunk.choices);
                text.extend(deltas.filter_map(|choice| choice.delta.content.clone()));
            }
            Step::Restarted(_) => panic!("nothing broke"),
            Step::Done(response) => break response,
        }
    };
    assert_eq!((text.as_str(), tier(&response)), ("one two three", "none"));
    assert_eq!(world.count("a"), 1);
}

async fn cancelled(client: &Client, after: Duration, stream: bool) {
    let _ = tokio::time::timeout(after, async {
        match stream {
            true => drop(read(client, &question(), &json!({})).await),
            false => drop(ask(client, &question(), &json!({})).await),
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_cancels_only_leaves() {
    for stream in [false, true] {
        let (client, world) = cached(&json!({}), dripping);
        let first = cancelled(&client, ms(500), stream);
        let second = async {
            sleep(ms(100)).await;
            ask(&client, &question(), &json!({})).await.unwrap()
        };
        let ((), second) = tokio::join!(first, second);
        assert_eq!((second.text(), tier(&second)), ("one two three", "flight"));
        assert_eq!((world.count("a"), world.left("a").len()), (1, 0), "stream: {stream}");
    }
}

/// Nobody is left, so the request is cancelled, and the next caller sends another one.
#[tokio::test(start_paused = true)]
async fn the_request_ends_with_its_last_caller() {
    for stream in [false, true] {
        let (client, world) = cached(&json!({}), dripping);
        tokio::join!(cancelled(&client, ms(300), stream), cancelled(&client, ms(500), false));
        sleep(ms(10)).await;
        assert_eq!(world.left("a").len(), 1);
        assert!((ms(500)..ms(510)).contains(&world.left("a")[0]));
        assert_eq!(client.in_flight(), 0);
        ask(&client, &question(), &json!({})).await.unwrap();
        assert_eq!(world.count("a"), 2);
    }
}

/// After a failure one of those that wait asks again. A second failure is everybody's.
#[tokio::test(start_paused = true)]
async fn a_failure_costs_one_more_request_at_most() {
    for (failures, answered) in [(1, 99), (2, 0)] {
        let (client, world) = cached(&json!({}), move |ask| {
            let mut acts = vec![Act::Wait(ms(1_000))];
            acts.extend(if ask.number < failures { refuse(503, "", "down") } else { answer(ask) });
            acts
        });
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let client = client.clone();
            callers.spawn(async move { ask(&client, &question(), &json!({})).await });
        }
        let answers = callers.join_all().await;
        assert_eq!(world.count("a"), 2);
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), answered);
        let kinds = answers.iter().filter_map(|answer| answer.as_ref().err());
        assert!(kinds.map(|error| error.kind()).all(|kind| kind == ErrorKind::Unavailable));
    }
}

/// A failure that is about the request is everybody's at once.
#[tokio::test(start_paused = true)]
async fn a_wrong_request_is_wrong_for_everybody() {
    let (client, world) = cached(&json!({}), |_| {
        let mut acts = vec![Act::Wait(ms(1_000))];
        acts.extend(refuse(400, "", "bad"));
        acts
    });
    let mut callers = tokio::task::JoinSet::new();
    for i in 0..100 {
        let client = client.clone();
        callers.spawn(async move {
            match i % 2 {
                0 => ask(&client, &question(), &json!({})).await.map(drop),
                _ => read(&client, &question(), &json!({})).await.map(drop),
            }
        });
    }
    for outcome in callers.join_all().await {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::InvalidRequest);
    }
    assert_eq!(world.count("a"), 1);
}

/// The first caller's time is not the others'.
#[tokio::test(start_paused = true)]
async fn each_caller_keeps_its_own_deadline() {
    let (client, world) = cached(&json!({}), slowly);
    let (short, long) = (json!({"timeout_ms": 400}), json!({"timeout_ms": 5_000}));
    let start = tokio::time::Instant::now();
    let timed = |options: serde_json::Value| {
        let client = client.clone();
        async move { (ask(&client, &question(), &options).await, start.elapsed()) }
    };
    let (first, second, third) =
        tokio::join!(timed(short.clone()), timed(long), timed(json!({"timeout_ms": 900})));
    assert_eq!(first.0.unwrap_err().kind(), ErrorKind::Timeout);
    assert!(first.1 <= ms(410), "{:?}", first.1);
    assert_eq!(second.0.unwrap().text(), "one two three");
    assert_eq!(third.0.unwrap_err().kind(), ErrorKind::Timeout);
    assert!(third.1 <= ms(910), "{:?}", third.1);
    assert_eq!(world.count("a"), 2);
}

/// A stream that broke after its first content is broken for those that have seen it, and whoever
/// wants it anew gets it anew.
#[tokio::test(start_paused = true)]
async fn a_broken_stream_breaks_for_its_readers() {
    let (client, world) = cached(&json!({}), |ask| match ask.number {
        0 => {
            let start = [HEAD, &piece("one ")].concat();
            vec![Act::Send(start.into_bytes()), Act::Wait(ms(1_000)), Act::Close]
        }
        _ => answer(ask),
    });
    let (anew, nothing, request) = (json!({"on_break": "restart"}), json!({}), question());
    let late = async {
        sleep(ms(500)).await;
        tokio::join!(read(&client, &request, &nothing), read(&client, &request, &anew))
    };
    let (first, (plain, anew)) = tokio::join!(read(&client, &request, &nothing), late);
    for broken in [first, plain] {
        let error = broken.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StreamBroken);
        assert_eq!(error.partial.as_ref().unwrap().text, "one ");
    }
    assert_eq!(anew.unwrap().0, "one two three");
    assert_eq!(world.count("a"), 2);
}

/// Two tenants do not share a call.
#[tokio::test(start_paused = true)]
async fn tenants_do_not_share_a_call() {
    let (client, world) = cached(&json!({}), slowly);
    let (request, one, two) = (question(), json!({"tenant": "1"}), json!({"tenant": "2"}));
    let (one, two) = tokio::join!(ask(&client, &request, &one), ask(&client, &request, &two));
    assert_eq!((tier(&one.unwrap()), tier(&two.unwrap())), ("none", "none"));
    assert_eq!(world.count("a"), 2);
}

/// Closing the client ends those that wait, and what they wait for.
#[tokio::test(start_paused = true)]
async fn closing_ends_a_shared_call() {
    let (client, world) = cached(&json!({}), |_| vec![Act::Hang]);
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let client = client.clone();
        callers.spawn(async move { ask(&client, &question(), &json!({})).await });
    }
    sleep(ms(100)).await;
    client.close(ms(200)).await;
    for outcome in callers.join_all().await {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Cancelled);
    }
    sleep(ms(10)).await;
    assert_eq!((client.in_flight(), world.left("a").len()), (0, 1));
}
