//! Signatures and keys that the provider refuses.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use liter_llm_core::ErrorKind;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::fake::{ANSWER, Fake, File, KEYS, assumed, call, canaries, client, failure};

#[tokio::test]
async fn a_wrong_clock_is_mended_once() {
    let date = |seconds: i64| {
        let now = SystemTime::now() + Duration::from_secs(seconds as u64);
        format!("date: {}\r\n", httpdate::fmt_http_date(now))
    };
    let refusal = move |seconds| {
        let class = "x-amzn-errortype: InvalidSignatureException:http://x/\r\n";
        let body = r#"{"message":"Signature not yet current"}"#;
        (403, date(seconds) + class, body.to_owned())
    };
    let bedrock = Fake::new(move |n, _| match n {
        0 => refusal(3_600),
        _ => (200, date(3_600), ANSWER.to_owned()),
    });
    let one = client(json!({"base_url": bedrock.url}), canaries());
    for _ in 0..2 {
        // It was our fault, so nothing is held against the provider or its key.
        assert!(call(&one).await.unwrap().warnings.is_empty());
    }
    let asked = bedrock.asked();
    let hours: Vec<_> = asked.iter().map(|ask| ask.header("x-amz-date")[..11].to_owned()).collect();
    // The hour differs after the refusal, and stays so for the next call.
    assert_eq!(asked.len(), 3);
    assert!(hours[0] != hours[1] && hours[1] == hours[2], "{hours:?}");
    assert!(asked.iter().all(|ask| ask.signed_with(KEYS[1]) == KEYS[0]));
    // A key that is simply wrong is not tried again, nor one that is refused at the mended time.
    for (seconds, requests) in [(0, 1), (3_600, 2)] {
        let bedrock = Fake::new(move |_, _| refusal(seconds));
        let error = failure(&client(json!({"base_url": bedrock.url}), canaries())).await;
        assert_eq!(error.kind(), ErrorKind::Authentication);
        assert_eq!(bedrock.asked().len(), requests, "{seconds}");
    }
}

#[tokio::test]
async fn what_an_answer_repeats_of_the_signature_is_not_shown() {
    let bedrock = Fake::new(|_, ask| {
        let headers = ask.headers.iter().map(|(name, value)| format!("{name}: {value}; "));
        let message = headers.collect::<String>() + KEYS[1];
        (403, String::new(), json!({ "message": message, "signature": message }).to_string())
    });
    let error = failure(&client(json!({"base_url": bedrock.url}), canaries())).await;
    let shown = format!("{error:?}") + &String::from_utf8(error.to_json()).unwrap();
    assert!(shown.contains("[key]"), "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
    let ask = &bedrock.asked()[0];
    let signature = ask.header("authorization").rsplit('=').next().unwrap();
    assert!(signature.len() == 64 && !shown.contains(signature), "{shown}");
}

/// Keys that end early, as their source gives them: `secret` signs them.
async fn ended(variables: Value, secret: &str) -> (Vec<String>, Result<String, ErrorKind>) {
    let secret = secret.to_owned();
    let bedrock = Fake::new(|_, ask| match ask.header("authorization").contains("NEXT") {
        true => (200, String::new(), ANSWER.to_owned()),
        false => {
            let class = "x-amzn-errortype: ExpiredTokenException:http://x/\r\n".to_owned();
            (403, class, r#"{"message":"The security token is expired"}"#.to_owned())
        }
    });
    let client = client(json!({"base_url": bedrock.url}), variables);
    let outcome = call(&client).await;
    let ids = bedrock.asked().iter().map(|ask| ask.signed_with(&secret)).collect();
    (ids, outcome.map(|answer| answer.text().to_owned()).map_err(|error| error.kind()))
}

#[tokio::test]
async fn keys_that_have_ended_are_fetched_again_and_the_call_goes_once_more() {
    let token = File::new("token-ended", "web-token");
    for (next, outcome) in [("NEXT", Ok("Hi".to_owned())), ("LAST", Err(ErrorKind::Authentication))]
    {
        let sts = Fake::new(move |n, _| {
            (200, String::new(), assumed(if n == 0 { "FIRST" } else { next }, 3_600))
        });
        let variables = json!({"AWS_WEB_IDENTITY_TOKEN_FILE": token.0, "AWS_ROLE_ARN": "r",
            "AWS_ENDPOINT_URL_STS": sts.url});
        let (ids, came) = ended(variables, "secret-of-sts").await;
        assert_eq!(ids, ["FIRST", next]);
        assert_eq!(came, outcome);
        assert_eq!(sts.asked().len(), 2);
    }
    // Keys that cannot change are not tried again.
    let fixed = json!({"AWS_ACCESS_KEY_ID": "FIXED", "AWS_SECRET_ACCESS_KEY": "s"});
    let (ids, came) = ended(fixed, "s").await;
    assert_eq!((ids.as_slice(), came), (&["FIXED".to_owned()][..], Err(ErrorKind::Authentication)));
}

/// The place under a limit is waited for before the request is signed: what was learned of the clock
/// meanwhile counts.
#[tokio::test]
async fn a_request_is_signed_after_it_has_waited() {
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (wait, asked) = (Mutex::new(wait), Arc::new(Notify::new()));
    let tells = Arc::clone(&asked);
    let bedrock = Fake::new(move |n, _| {
        let then = SystemTime::now() + Duration::from_secs(3_600);
        let date = format!("date: {}\r\n", httpdate::fmt_http_date(then));
        if n > 0 {
            return (200, date, ANSWER.to_owned());
        }
        tells.notify_one();
        let _ = wait.lock().unwrap().recv();
        let class = "x-amzn-errortype: RequestTimeTooSkewed:http://x/\r\n";
        (403, date + class, r#"{"message":"m"}"#.to_owned())
    });
    let entry = json!({"base_url": bedrock.url, "limits": {"max_in_flight": 1}});
    let client = client(entry, canaries());
    let spawned = || {
        let client = client.clone();
        tokio::spawn(async move { call(&client).await.unwrap() })
    };
    let first = spawned();
    asked.notified().await;
    let second = spawned();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bedrock.asked().len(), 1);
    drop(go);
    first.await.unwrap();
    second.await.unwrap();
    let asked = bedrock.asked();
    let hours: Vec<_> = asked.iter().map(|ask| &ask.header("x-amz-date")[..11]).collect();
    assert_eq!(asked.len(), 3);
    assert!(hours[0] != hours[1] && hours[1] == hours[2], "{hours:?}");
}
