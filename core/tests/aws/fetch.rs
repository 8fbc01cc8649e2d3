//! Keys that are fetched: once for all calls, again before they end, and told when that fails.

use std::sync::{Arc, Mutex};

use liter_llm_core::ErrorKind;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::fake::{ANSWER, Fake, File, assumed, call, client, failure};

/// The environment of a web identity.
fn identity(token: &File, sts: &Fake) -> Value {
    json!({"AWS_WEB_IDENTITY_TOKEN_FILE": token.0, "AWS_ROLE_ARN": "arn:aws:x/y",
        "AWS_ENDPOINT_URL_STS": sts.url})
}

#[tokio::test]
async fn a_web_identity_is_asked_once_for_many_calls() {
    let token = File::new("token-flight", "web-token\n");
    let bedrock = Fake::saying(ANSWER);
    let sts = Fake::new(|n, _| (200, String::new(), assumed(&format!("ASIA{n}"), 3_600)));
    let client = client(json!({"base_url": bedrock.url}), identity(&token, &sts));
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { call(&client).await.unwrap() })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(bedrock.asked().len(), 20);
    for ask in bedrock.asked() {
        assert_eq!(ask.signed_with("secret-of-sts"), "ASIA0");
        assert_eq!(ask.header("x-amz-security-token"), "token/of+sts=");
    }
    let [ask] = &sts.asked()[..] else { panic!("{} requests", sts.asked().len()) };
    assert_eq!(ask.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(
        ask.body,
        "Action=AssumeRoleWithWebIdentity&Version=2011%2D06%2D15&RoleArn=arn%3Aaws%3Ax%2Fy&\
         RoleSessionName=liter%2Dllm&WebIdentityToken=web%2Dtoken"
    );
}

#[tokio::test]
async fn keys_that_end_soon_are_used_on_and_fetched_again_by_one_flight() {
    let token = File::new("token-refresh", "web-token");
    let bedrock = Fake::saying(ANSWER);
    let told = Arc::new(Notify::new());
    let tells = Arc::clone(&told);
    let sts = Fake::new(move |n, _| {
        tells.notify_one();
        (200, String::new(), assumed(&format!("ASIA{n}"), if n == 0 { 3 } else { 3_600 }))
    });
    let client = client(json!({"base_url": bedrock.url}), identity(&token, &sts));
    // The first keys end soon. Nothing is fetched for a while after a fetch, so they are used on.
    for _ in 0..3 {
        call(&client).await.unwrap();
    }
    told.notified().await;
    assert_eq!(sts.asked().len(), 1);
    assert!(bedrock.asked().iter().all(|ask| ask.signed_with("secret-of-sts") == "ASIA0"));
}

/// Lets every task run until it waits for a socket.
async fn settled() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_fetch_that_fails_fails_once_for_all_that_wait() {
    let token = File::new("token-failure", "web-token");
    let bedrock = Fake::saying(ANSWER);
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let sts = Fake::new(move |_, _| {
        let _ = wait.lock().unwrap().recv();
        (503, String::new(), String::new())
    });
    let client = client(json!({"base_url": bedrock.url}), identity(&token, &sts));
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { failure(&client).await })
        })
        .collect();
    settled().await;
    drop(go);
    for call in calls {
        let error = call.await.unwrap();
        assert!(error.message.contains("status 503"), "{}", error.message);
    }
    assert_eq!(sts.asked().len(), 1);
}

#[tokio::test]
async fn a_call_that_is_cancelled_ends_the_fetch_for_nobody() {
    let token = File::new("token-cancel", "web-token");
    let bedrock = Fake::saying(ANSWER);
    let asked = Arc::new(Notify::new());
    let tells = Arc::clone(&asked);
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let sts = Fake::new(move |n, _| {
        tells.notify_one();
        let _ = wait.lock().unwrap().recv();
        (200, String::new(), assumed(&format!("ASIA{n}"), 3_600))
    });
    let client = client(json!({"base_url": bedrock.url}), identity(&token, &sts));
    let spawned = || {
        let client = client.clone();
        tokio::spawn(async move { call(&client).await })
    };
    let first = spawned();
    asked.notified().await;
    let second = spawned();
    settled().await;
    first.abort();
    settled().await;
    drop(go);
    assert_eq!(second.await.unwrap().unwrap().text(), "Hi");
    assert_eq!((sts.asked().len(), bedrock.asked().len()), (1, 1));
}

#[tokio::test]
async fn a_token_service_that_fails_is_named_and_nothing_is_sent() {
    let token = File::new("token-fails", "web-token-canary");
    let bedrock = Fake::saying(ANSWER);
    let refused = "<ErrorResponse><Error><Code>ExpiredTokenException</Code>\
                   <Message>web-token-canary is old</Message></Error></ErrorResponse>";
    let code = |code: &str| format!("<ErrorResponse><Error><Code>{code}</Code></Error>");
    for (status, body, words) in [
        // Only a short word is a code: what is not may be a part of the token.
        (400, code("web-token-canary"), "status 400 (no code)"),
        (400, code(&"canary".repeat(11)), "status 400 (no code)"),
        (400, code("Sender.Fault1"), "status 400 (Sender.Fault1)"),
        (400, refused.to_owned(), "status 400 (ExpiredTokenException)"),
        (503, "<html>".to_owned(), "status 503 (no code)"),
        (200, "<html>".to_owned(), "no keys"),
        (200, assumed("ASIA", -10), "expired"),
        (200, "x".repeat(100 << 10), "64 KiB"),
        (301, String::new(), "redirect"),
    ] {
        let sts = Fake::new(move |_, _| (status, String::new(), body.clone()));
        let error =
            failure(&client(json!({"base_url": bedrock.url}), identity(&token, &sts))).await;
        assert_eq!(error.kind(), ErrorKind::Authentication, "{error:?}");
        assert!(error.message.contains(words), "{words}: {}", error.message);
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
    let variables = json!({"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere/token", "AWS_ROLE_ARN": "r"});
    let error = failure(&client(json!({"base_url": bedrock.url}), variables)).await;
    assert!(error.message.contains("/nowhere/token"), "{}", error.message);
    // The token does not go to another machine in the open.
    let variables = json!({"AWS_WEB_IDENTITY_TOKEN_FILE": token.0, "AWS_ROLE_ARN": "r",
        "AWS_ENDPOINT_URL_STS": "http://sts.example"});
    let error = failure(&client(json!({"base_url": bedrock.url}), variables)).await;
    assert!(error.message.contains("AWS_ENDPOINT_URL_STS must be https"), "{}", error.message);
    assert!(bedrock.asked().is_empty());
}
