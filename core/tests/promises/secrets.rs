//! Keys never come back: each form of a secret that a provider may repeat, in each place where a
//! provider's words appear.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::say::{HEAD, delta, event, piece, reply_bytes};
use super::world::{Act, Ask, World, call, client, stream};

/// Its characters are escaped in JSON and in URLs.
const KEY: &str = r#"sk-"canary"\a+/0123456789~"#;
/// The token of a configured header.
const TOKEN: &str = "gw-canary-token-0123456789";
/// The value of a configured query, whose characters are escaped in JSON and in URLs, too.
const CODE: &str = r#"code/"canary"&+\w 0123456789~"#;

/// The password of a proxy, which may answer in the provider's place.
const PASSWORD: &str = "proxy-canary-0123456789";

/// AWS's keys and their token, which a signed request is made with.
#[cfg(feature = "aws")]
const AWS: [&str; 3] =
    ["AKID-canary-0123456789A", "aws/secret+canary\\0123456789~", "aws/token+canary=0123456789=="];

/// A secret as a server may repeat it.
type Form = (&'static str, fn(&str) -> String);

const FORMS: [Form; 8] = [
    ("as it is", str::to_owned),
    ("in JSON", json_escaped),
    ("in JSON, each letter escaped", letters_escaped),
    ("in JSON in JSON", |secret| json_escaped(&json_escaped(secret))),
    ("in a URL", url_encoded),
    ("in a URL in a URL", |secret| url_encoded(&url_encoded(secret))),
    ("in base64", |secret| STANDARD.encode(secret)),
    ("in base64 of a header", |secret| STANDARD.encode(format!("Bearer {secret}, or none"))),
];

fn json_escaped(text: &str) -> String {
    let quoted = json!(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn letters_escaped(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
}

fn url_encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn settings() -> Value {
    let headers = json!({"x-gateway-token": format!("Bearer {TOKEN}")});
    let query = json!({"code": CODE, "api-version": "2025-01-01-preview"});
    json!({"providers": {"a": {
        "api_key": KEY, "headers": headers, "query": query,
        "proxy": format!("http://usr:{PASSWORD}@proxy.test:3128"),
    }}})
}

/// The same with AWS's keys instead of a key.
#[cfg(feature = "aws")]
fn signing() -> Value {
    let [id, secret, token] = AWS;
    let keys = json!({"access_key_id": id, "secret_access_key": secret, "session_token": token});
    json!({"providers": {"a": {
        "kind": "bedrock", "api_key": null, "region": "eu-west-1", "aws": keys,
    }}})
}

/// No part of a secret of eight characters is in the document, however it is escaped.
fn assert_clean(document: &[u8], form: &str, place: &str) {
    assert_clean_of(&[KEY, TOKEN, CODE, PASSWORD], document, form, place);
}

fn assert_clean_of(secrets: &[&str], document: &[u8], form: &str, place: &str) {
    let text = String::from_utf8(document.to_vec()).unwrap();
    assert!(text.contains("[key]"), "{place}, {form}: nothing was taken out: {text:.300}");
    for secret in secrets {
        for (_, form_of) in FORMS {
            let whole = form_of(secret);
            for at in 0..=whole.len() - 8 {
                // In the middle of base64 there may be other text, such as `Bearer `.
                let part = &whole[at..at + 8];
                let innocent = STANDARD.encode("Bearer ").contains(part)
                    || STANDARD.encode(", or none").contains(part);
                assert!(
                    innocent || !text.contains(part),
                    "{place}, {form}: {part} is left: {text:.300}"
                );
            }
        }
    }
}

/// What a server answers that repeats this text in one place.
type Place = (&'static str, fn(&str) -> Vec<u8>);

const ERRORS: [Place; 12] = [
    ("message", |echo| reply_bytes(401, "", &json!({"error": {"message": echo}}).to_string())),
    ("text", |echo| reply_bytes(500, "", &format!("refused: {echo}"))),
    ("code", |echo| {
        reply_bytes(400, "", &json!({"error": {"message": "m", "code": echo}}).to_string())
    }),
    ("type", |echo| {
        reply_bytes(400, "", &json!({"error": {"message": "m", "type": echo}}).to_string())
    }),
    ("param", |echo| {
        reply_bytes(400, "", &json!({"error": {"message": "m", "param": echo}}).to_string())
    }),
    ("object as message", |echo| {
        reply_bytes(400, "", &json!({"error": {"message": {"sent": echo}}}).to_string())
    }),
    ("name of a member", |echo| {
        let named: Value = [(echo.to_owned(), json!("is not known"))].into_iter().collect();
        reply_bytes(400, "", &json!({"error": {"message": "m", "names": named}}).to_string())
    }),
    ("request_id in the body", |echo| {
        reply_bytes(400, "", &json!({"error": {"message": "m"}, "request_id": echo}).to_string())
    }),
    ("request_id", |echo| reply_bytes(400, &format!("x-request-id: {echo}\r\n"), "{}")),
    ("ratelimit", |echo| reply_bytes(429, &format!("x-ratelimit-of: {echo}\r\n"), "{}")),
    ("beyond the cut of a message", |echo| {
        let message = format!("{}{echo}", "x".repeat(1_980));
        reply_bytes(400, "", &json!({"error": {"message": message}}).to_string())
    }),
    ("beyond the cut of an error", |echo| {
        reply_bytes(400, "", &format!("{}{echo}", "x".repeat((64 << 10) - 20)))
    }),
];

/// A client of a server that answers so.
fn answering(bytes: Vec<u8>) -> (liter_llm_core::Client, Arc<World>) {
    client(settings(), move |_: &Ask| vec![Act::Send(bytes.clone())])
}

#[tokio::test(start_paused = true)]
async fn m4_no_error_repeats_a_secret() {
    for secret in [KEY, TOKEN, CODE, PASSWORD] {
        for (form, form_of) in FORMS {
            for (place, reply) in ERRORS {
                let (client, _) = answering(reply(&form_of(secret)));
                let options = json!({"retry": false});
                let error = call(&client, "a/m", options).await.unwrap_err();
                assert_clean(&error.to_json(), form, place);
            }
        }
    }
}

#[cfg(feature = "aws")]
#[tokio::test(start_paused = true)]
async fn m4_no_error_repeats_a_key_that_signs() {
    for secret in AWS {
        for (form, form_of) in FORMS {
            for (place, reply) in ERRORS {
                let bytes = reply(&form_of(secret));
                let (client, _) = client(signing(), move |_: &Ask| vec![Act::Send(bytes.clone())]);
                let error = call(&client, "a/m", json!({"retry": false})).await.unwrap_err();
                assert_clean_of(&AWS, &error.to_json(), form, place);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn m4_no_error_of_a_stream_repeats_a_secret() {
    for (form, form_of) in FORMS {
        let echo = form_of(KEY);
        let failed = event(&json!({"error": {"message": echo, "code": echo}}).to_string());
        for (place, pieces) in [("first event", String::new()), ("later event", piece("one"))] {
            let (client, _) =
                answering([HEAD, &pieces, &failed, "0\r\n\r\n"].concat().into_bytes());
            let streamed = stream(&client, "a/m", json!({"retry": false})).await;
            assert_clean(&streamed.end().unwrap_err().to_json(), form, place);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn m4_nothing_beside_the_content_repeats_a_secret() {
    let whole = |finish: &str, usage: &str, field: &str, headers: &str| {
        let body = json!({
            "id": "x", "model": "m", "created": 1, "object": "chat.completion",
            "choices": [{"index": 0, "finish_reason": finish,
                         "message": {"role": "assistant", "content": "hello"}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "note": usage},
            "debug": {"seen": field},
        });
        reply_bytes(200, headers, &body.to_string())
    };
    for (form, form_of) in FORMS {
        let echo = &form_of(KEY);
        let header = |name: &str| format!("{name}: {echo}\r\n");
        for (place, bytes) in [
            ("warning and finish_reason_raw", whole(echo, "", "", "")),
            ("usage_raw", whole("stop", echo, "", "")),
            ("provider_fields", whole("stop", "", echo, "")),
            ("provider_request_id", whole("stop", "", "", &header("x-request-id"))),
            ("ratelimit", whole("stop", "", "", &header("x-ratelimit-remaining-requests"))),
        ] {
            let (client, _) = answering(bytes);
            let response = call(&client, "a/m", json!({})).await.unwrap();
            assert_eq!(response.text(), "hello");
            assert_clean(&response.to_json(), form, place);
        }
        let finish = delta(json!({}), json!(echo)) + &event("[DONE]") + "0\r\n\r\n";
        let (client, _) = answering([HEAD, &piece("hello"), &finish].concat().into_bytes());
        let response = stream(&client, "a/m", json!({})).await.end().unwrap();
        assert_clean(&response.to_json(), form, "a stream's finish_reason");
    }
}

/// The key that was sent is the one to remove, whatever its file holds by now.
#[tokio::test(start_paused = true)]
async fn m4_a_key_that_changed_meanwhile_is_removed_too() {
    let path = std::env::temp_dir().join(format!("liter-llm-{}-turned", std::process::id()));
    std::fs::write(&path, "sk-old-0123456789").unwrap();
    let turned = path.clone();
    let settings = json!({"providers": {"a": {"api_key": format!("file:{}", path.display())}}});
    let (client, _) = client(settings, move |_: &Ask| {
        std::fs::write(&turned, "sk-new-0123456789").unwrap();
        let body = json!({"error": {"message": "not valid: sk-old-0123456789"}});
        vec![Act::Send(reply_bytes(401, "", &body.to_string()))]
    });
    let error = call(&client, "a/m", json!({"retry": false})).await.unwrap_err();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(error.message, "not valid: [key]");
}

/// A long finish reason is not quoted, because a cut could leave half a key.
#[tokio::test(start_paused = true)]
async fn a_long_finish_reason_is_not_quoted() {
    let finish = delta(json!({}), json!("x".repeat(5_000))) + &event("[DONE]") + "0\r\n\r\n";
    let (client, _) = answering([HEAD, &piece("hello"), &finish].concat().into_bytes());
    let response = stream(&client, "a/m", json!({})).await.end().unwrap();
    let warning = &response.warnings[0];
    assert_eq!(warning.code, "unknown_finish_reason");
    assert!(warning.message.contains("5000 bytes") && warning.message.len() < 200, "{warning:?}");
}
