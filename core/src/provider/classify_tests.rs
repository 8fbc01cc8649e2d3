use super::*;
use crate::codec::parse_foreign;
use crate::config::Config;

const RETRY_INFO: &str =
    r#"{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.4s"}"#;

fn with_target<T>(run: impl FnOnce(&Target) -> T) -> T {
    let config = Config::parse(b"{}").unwrap();
    let provider = &config.providers[config.index("openai").unwrap()];
    run(&provider.target("m"))
}

fn of(status: u16, headers: &[(&'static str, &str)], body: &str) -> Error {
    let mut map = ::http::HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    with_target(|target| failed(&Reply { status, headers: &map, body: body.as_bytes() }, target))
}

fn exhausted(details: &str) -> String {
    let inner = r#""code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED""#;
    format!(r#"{{"error": {{{inner}, "details": [{details}]}}}}"#)
}

fn quota(id: &str) -> String {
    format!(r#"{{"@type": "g/google.rpc.QuotaFailure", "violations": [{{"quotaId": "{id}"}}]}}"#)
}

#[test]
fn google_says_in_the_body_how_long_to_wait() {
    let body = exhausted(RETRY_INFO);
    let error = of(429, &[], &body);
    assert_eq!((error.kind, error.retryable), (ErrorKind::RateLimit, true));
    assert_eq!(error.retry_after_ms, Some(34_400));
    // OpenAI's form of it has the error in a list, or it comes from behind a router.
    assert_eq!(of(429, &[], &format!("[{body}]")).retry_after_ms, Some(34_400));
    let raw = body.replace('"', "\\\"");
    let routed = format!(r#"{{"error": {{"message": "r", "metadata": {{"raw": "{raw}"}}}}}}"#);
    assert_eq!(of(429, &[], &routed).retry_after_ms, Some(34_400));
    // A header comes first.
    assert_eq!(of(429, &[("retry-after", "2")], &body).retry_after_ms, Some(2_000));
    // In the middle of a stream there are no headers.
    let value = parse_foreign(body.as_bytes()).unwrap();
    assert_eq!(with_target(|target| in_body(&value, target)).retry_after_ms, Some(34_400));
}

#[test]
fn a_quota_of_a_day_is_not_waited_for() {
    let minute = quota("GenerateContentInputTokensPerModelPerMinute-FreeTier");
    let day = quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier");
    let error = of(429, &[], &exhausted(&format!("{minute}, {RETRY_INFO}")));
    assert_eq!((error.kind, error.retry_after_ms), (ErrorKind::RateLimit, Some(34_400)));
    for details in [format!("{day}, {RETRY_INFO}"), format!("{RETRY_INFO}, {minute}, {day}")] {
        let error = of(429, &[("x-should-retry", "true")], &exhausted(&details));
        assert_eq!((error.kind, error.retryable), (ErrorKind::Quota, false), "{details}");
        assert_eq!(error.retry_after_ms, None, "{details}");
    }
}

#[test]
fn x_should_retry_is_obeyed_but_for_what_no_repetition_mends() {
    let retryable = |status, word| of(status, &[("x-should-retry", word)], "{}").retryable;
    assert!(!retryable(503, "false") && retryable(503, "true"));
    assert!(retryable(401, "true") && !retryable(401, "perhaps"));
    assert!(!retryable(402, "true") && !retryable(413, "true"));
}
