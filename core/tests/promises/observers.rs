//! What observers hear: a begin and an end of every call and of every attempt, in order, whatever
//! becomes of them, and never a text.

use std::sync::{Arc, Mutex};

use liter_llm_core::observe::{AttemptEnd, AttemptFacts, CallFacts, CallOutcome, Observer};
use liter_llm_core::{Client, Outcome};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::say::{HEAD, answer, piece, refuse};
use super::world::{Act, Ask, World, call, ms, observed, request, secs, stream};

/// Writes down what it hears, with the number of the call.
#[derive(Default)]
struct Recorder {
    heard: Mutex<Vec<(u64, String)>>,
    /// Everything that it was shown.
    shown: Mutex<String>,
}

impl Recorder {
    fn hear(&self, call: &CallFacts, said: String, shown: String) {
        self.heard.lock().unwrap().push((call.number, said));
        *self.shown.lock().unwrap() += &format!("{call:?} {shown}\n");
    }
}

impl Observer for Recorder {
    fn call_began(&self, call: &CallFacts) {
        let provider = call.provider.as_deref().unwrap_or("-");
        let stream = if call.stream { " stream" } else { "" };
        self.hear(call, format!("began {} {provider}{stream}", call.operation), String::new());
    }

    fn attempt_began(&self, call: &CallFacts, attempt: &AttemptFacts<'_>) {
        let (number, hedge) = (attempt.number, if attempt.hedge { " hedge" } else { "" });
        let said =
            format!("  {number} to {}/{}{hedge}", attempt.target.provider, attempt.target.model);
        self.hear(call, said, format!("{:?}", attempt.target));
    }

    fn attempt_ended(&self, call: &CallFacts, attempt: &AttemptFacts<'_>, end: &AttemptEnd) {
        let how = end.failed.map_or("answered", |kind| kind.name());
        let status = end.status.map(|status| format!(" {status}")).unwrap_or_default();
        self.hear(call, format!("  {} {how}{status}", attempt.number), format!("{end:?}"));
    }

    fn first_content(&self, call: &CallFacts, attempt: &AttemptFacts<'_>, at: Instant) {
        assert!(at >= attempt.began);
        self.hear(call, format!("  {} shows", attempt.number), String::new());
    }

    fn call_ended(&self, call: &CallFacts, outcomes: &[CallOutcome<'_>]) {
        let how = |outcome: &CallOutcome<'_>| {
            let kind = outcome.failed.map_or("answered", |failed| failed.kind.name());
            format!("{} {kind}", outcome.provider.unwrap_or("-"))
        };
        let how: Vec<_> = outcomes.iter().map(how).collect();
        self.hear(call, format!("ended {}", how.join(", ")), format!("{outcomes:?}"));
    }
}

fn recorded(
    config: Value,
    play: impl Fn(&Ask) -> Vec<Act> + Send + Sync + 'static,
) -> (Client, Arc<World>, Arc<Recorder>) {
    let recorder = Arc::<Recorder>::default();
    let (client, world) = observed(vec![Arc::clone(&recorder) as _], config, play);
    (client, world, recorder)
}

/// What was heard since the last time, and nothing of it of another call.
fn heard(recorder: &Recorder) -> Vec<String> {
    let heard = std::mem::take(&mut *recorder.heard.lock().unwrap());
    assert!(heard.iter().all(|(number, _)| *number == heard[0].0), "{heard:?}");
    heard.into_iter().map(|(_, said)| said).collect()
}

#[tokio::test(start_paused = true)]
async fn a_whole_call_and_a_stream() {
    let (client, _, recorder) = recorded(json!({}), answer);
    call(&client, "a/m", json!({})).await.unwrap();
    let whole = ["began chat a", "  0 to a/m", "  0 shows", "  0 answered 200", "ended a answered"];
    assert_eq!(heard(&recorder), whole);
    stream(&client, "a/m", json!({})).await.end().unwrap();
    let streamed =
        ["began chat a stream", "  0 to a/m", "  0 shows", "  0 answered 200", "ended a answered"];
    assert_eq!(heard(&recorder), streamed);
}

#[tokio::test(start_paused = true)]
async fn retries_and_fallbacks() {
    let play = |ask: &Ask| match (ask.host.as_str(), ask.number) {
        ("a", 0) => refuse(503, "", "busy"),
        ("a", _) => refuse(401, "", "invalid_api_key"),
        _ => answer(ask),
    };
    let (client, _, recorder) = recorded(json!({}), play);
    call(&client, "a/m", json!({})).await.unwrap_err();
    let retried = [
        "began chat a",
        "  0 to a/m",
        "  0 unavailable 503",
        "  1 to a/m",
        "  1 authentication 401",
        "ended a authentication",
    ];
    assert_eq!(heard(&recorder), retried);
    call(&client, "a/n", json!({"fallback": ["b/m"]})).await.unwrap();
    let heard = heard(&recorder);
    assert_eq!(heard.first().map(String::as_str), Some("began chat a"));
    assert_eq!(heard.last().map(String::as_str), Some("ended b answered"));
}

#[tokio::test(start_paused = true)]
async fn a_hedges_loser_is_cancelled() {
    // One call in twenty may be hedged.
    let slow = |ask: &Ask| match ask.number {
        20 => [vec![Act::Wait(secs(9))], answer(ask)].into_iter().flatten().collect(),
        _ => answer(ask),
    };
    let (client, _, recorder) = recorded(json!({}), slow);
    for _ in 0..20 {
        call(&client, "a/m", json!({})).await.unwrap();
        heard(&recorder);
    }
    call(&client, "a/m", json!({"hedge": {"after_ms": 100}})).await.unwrap();
    let mut heard = heard(&recorder);
    assert_eq!(heard.pop().unwrap(), "ended a answered");
    assert_eq!(heard[1..3], ["  0 to a/m", "  1 to a/m hedge"]);
    heard.sort();
    assert!(heard.contains(&"  0 cancelled".to_owned()), "{heard:?}");
    assert!(heard.contains(&"  1 answered 200".to_owned()), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_ends_too() {
    let (client, _, recorder) = recorded(json!({}), |_| vec![Act::Hang]);
    tokio::select! {
        _ = call(&client, "a/m", json!({})) => panic!("answered"),
        () = sleep(ms(5)) => {}
    }
    let mut heard_whole = heard(&recorder);
    heard_whole.sort();
    let given_up = ["  0 cancelled", "  0 to a/m", "began chat a", "ended a cancelled"];
    assert_eq!(heard_whole, given_up);

    let play = |_: &Ask| vec![Act::Send([HEAD, &piece("one")].concat().into_bytes()), Act::Hang];
    let (client, _, recorder) = recorded(json!({}), play);
    let mut stream = client.stream(&request("a/m"), b"").await.unwrap();
    stream.next().await.unwrap();
    drop(stream);
    let mut heard = heard(&recorder);
    assert_eq!(heard[..3], ["began chat a stream", "  0 to a/m", "  0 shows"]);
    heard.sort();
    assert_eq!(heard[0], "  0 cancelled 200");
    assert_eq!(heard.last().unwrap(), "ended a cancelled");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_read() {
    let (client, _, recorder) = recorded(json!({}), answer);
    client.call(b"{", b"").await.unwrap_err();
    assert_eq!(heard(&recorder), ["began  -", "ended - invalid_request"]);
    client.call(&request("a/m"), b"[]").await.unwrap_err();
    assert_eq!(heard(&recorder), ["began  -", "ended - invalid_request"]);
    call(&client, "nobody/m", json!({})).await.unwrap_err();
    assert_eq!(heard(&recorder), ["began  -", "ended - not_found"]);
}

#[tokio::test(start_paused = true)]
async fn a_fan_out_and_a_passthrough_are_one_call_each() {
    let play = |ask: &Ask| match ask.host.as_str() {
        "b" => refuse(400, "", "bad"),
        _ => answer(ask),
    };
    let (client, _, recorder) = recorded(json!({}), play);
    let options = json!({"fanout": {"targets": ["a/m", "b/m"], "first": 2}});
    let request_ = request("ignored");
    let outcome = client.answer(&request_, options.to_string().as_bytes()).await.unwrap();
    assert!(matches!(outcome, Outcome::Many(_)));
    let heard_all = std::mem::take(&mut *recorder.heard.lock().unwrap());
    let of_calls = |word| heard_all.iter().filter(|(_, said)| said.starts_with(word)).count();
    assert_eq!((of_calls("began"), of_calls("ended")), (1, 1));
    assert_eq!(heard_all.last().unwrap().1, "ended a answered, b invalid_request");

    let http = json!({"op": "http", "method": "GET", "url": "http://a.test/v1/models"});
    client.answer(http.to_string().as_bytes(), b"").await.unwrap();
    assert_eq!(heard(&recorder), ["began http a", "ended a answered"]);
}

/// Neither a prompt nor an answer nor a key is shown to an observer.
#[tokio::test(start_paused = true)]
async fn no_text_and_no_key_is_shown() {
    let play = |ask: &Ask| match ask.number {
        0 => refuse(429, "", "sk-canary-a-0123456789"),
        _ => answer(ask),
    };
    let (client, _, recorder) = recorded(json!({}), play);
    call(&client, "a/m", json!({"retry": false})).await.unwrap_err();
    call(&client, "a/m", json!({})).await.unwrap();
    stream(&client, "a/m", json!({})).await.end().unwrap();
    let shown = recorder.shown.lock().unwrap();
    for text in ["sky blue", "two three", "canary"] {
        assert!(!shown.contains(text), "{text} in {shown}");
    }
}
