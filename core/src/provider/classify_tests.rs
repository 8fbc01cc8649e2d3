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
    with_target(|target| {
        failed(&Reply { status, headers: &map, body: body.as_bytes(), received: None }, target)
    })
}

/// Google's text for every used-up quota, of a minute or of a day.
const GOOGLE: &str = "You exceeded your current quota, please check your plan and billing \
    details. For more information on this error, head to: \
    https://ai.google.dev/gemini-api/docs/rate-limits.";

fn exhausted(details: &str) -> String {
    let inner = format!(r#""code": 429, "message": "{GOOGLE}", "status": "RESOURCE_EXHAUSTED""#);
    format!(r#"{{"error": {{{inner}, "details": [{details}]}}}}"#)
}

fn quota(id: &str) -> String {
    let metric = "generativelanguage.googleapis.com/generate_content_free_tier_requests";
    let violation = format!(r#"{{"quotaMetric": "{metric}", "quotaId": "{id}"}}"#);
    let kind = "type.googleapis.com/google.rpc.QuotaFailure";
    format!(r#"{{"@type": "{kind}", "violations": [{violation}]}}"#)
}

/// What another provider's router makes of an error body.
fn routed(body: &str) -> String {
    let raw = body.replace('\n', " ").replace('"', "\\\"");
    format!(
        r#"{{"error": {{"message": "Provider returned error", "code": 429,
        "metadata": {{"raw": "{raw}", "provider_name": "Google AI Studio"}}}}}}"#
    )
}

#[test]
fn google_says_in_the_body_how_long_to_wait() {
    let body = exhausted(RETRY_INFO);
    let error = of(429, &[], &body);
    assert_eq!((error.kind, error.retryable), (ErrorKind::RateLimit, true));
    assert_eq!(error.retry_after_ms, Some(34_400));
    // OpenAI's form of it has the error in a list, or it comes from behind a router.
    assert_eq!(of(429, &[], &format!("[{body}]")).retry_after_ms, Some(34_400));
    let error = of(429, &[], &routed(&body));
    assert_eq!((error.kind, error.retry_after_ms), (ErrorKind::RateLimit, Some(34_400)));
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
fn details_count_before_codes_and_words() {
    let info = |reason: &str, limit: &str| {
        format!(
            r#"{{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "{reason}",
            "domain": "googleapis.com", "metadata": {{"quota_limit": "{limit}"}}}}"#
        )
    };
    let minute = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier";
    let day = "GenerateRequestsPerDayPerProjectPerModel-FreeTier";
    let limited = "RATE_LIMIT_EXCEEDED";
    for (details, kind) in [
        (quota(minute), ErrorKind::RateLimit),
        (quota(day), ErrorKind::Quota),
        (info(limited, minute), ErrorKind::RateLimit),
        (info(limited, "GenerateContentRequestsPerDay"), ErrorKind::Quota),
        (info(limited, ""), ErrorKind::RateLimit),
        (info("BILLING_DISABLED", ""), ErrorKind::Quota),
        (RETRY_INFO.to_owned(), ErrorKind::RateLimit),
        // Without any of these the words count, as before: nothing says that waiting helps.
        (r#"{"@type": "type.googleapis.com/google.rpc.Help"}"#.to_owned(), ErrorKind::Quota),
    ] {
        let body = exhausted(&details);
        for body in [body.clone(), format!("[{body}]"), routed(&body)] {
            assert_eq!(of(429, &[], &body).kind, kind, "{body}");
        }
        let value = parse_foreign(body.as_bytes()).unwrap();
        assert_eq!(with_target(|target| in_body(&value, target)).kind, kind, "{body}");
    }
    let key = r#"{"error": {"code": 400, "message": "API key expired. Please renew the API key.",
        "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID",
        "@type": "type.googleapis.com/google.rpc.ErrorInfo", "domain": "googleapis.com"}]}}"#;
    assert_eq!(of(400, &[], key).kind, ErrorKind::Authentication);
}

#[test]
fn the_words_of_a_limit() {
    let openai = |text: &str, kind: &str, code: &str| {
        format!(r#"{{"error": {{"message": "{text}", "type": "{kind}", "code": "{code}"}}}}"#)
    };
    let bare = |text: &str| format!(r#"{{"error": {{"message": "{text}", "code": 429}}}}"#);
    let lite = format!(
        "litellm.RateLimitError: geminiException - {GOOGLE} \
         quotaId: GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
    );
    let per_min = "Rate limit reached for gpt-4o in organization org-1 on requests per min (RPM): \
                   Limit 3, Used 3, Requested 1. Please try again in 20s. Visit \
                   https://platform.openai.com/account/rate-limits to learn more.";
    let empty = "You exceeded your current quota, please check your plan and billing details. For \
                 more information on this error, read the docs: \
                 https://platform.openai.com/docs/guides/error-codes/api-errors.";
    let large = "Request too large for gpt-4.1-nano in organization org-1 on tokens per min (TPM): \
                 Limit 400000, Requested 2500013. The input or output tokens must be reduced in \
                 order to run successfully.";
    let vertex = "Quota exceeded for aiplatform.googleapis.com/\
                  generate_content_requests_per_minute_per_project_per_base_model with base model: \
                  gemini-pro. Please submit a quota increase request.";
    let free_day = "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free \
                    model requests per day";
    for (body, kind, wait) in [
        (openai(per_min, "requests", "rate_limit_exceeded"), ErrorKind::RateLimit, Some(20_000)),
        (openai(empty, "insufficient_quota", "insufficient_quota"), ErrorKind::Quota, None),
        (bare(empty), ErrorKind::Quota, None),
        (openai(large, "tokens", "rate_limit_exceeded"), ErrorKind::ContextLength, None),
        (bare(&lite), ErrorKind::RateLimit, None),
        (bare(&format!("{GOOGLE} Please retry in 34.07s.")), ErrorKind::RateLimit, Some(34_070)),
        (bare(vertex), ErrorKind::RateLimit, None),
        (bare(free_day), ErrorKind::Quota, None),
        (bare("Rate limit exceeded: free-models-per-min. "), ErrorKind::RateLimit, None),
    ] {
        let error = of(429, &[], &body);
        assert_eq!((error.kind, error.retry_after_ms), (kind, wait), "{body}");
        assert_eq!(error.retryable, kind == ErrorKind::RateLimit, "{body}");
    }
}

#[test]
fn a_page_keeps_its_status_and_title() {
    const NGINX: &str = "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n\
        <body>\r\n<center><h1>413 Request Entity Too Large</h1></center>\r\n\
        <hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n";
    const TINYPROXY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<!DOCTYPE html>\n<html>\n\
        <head><title>401 Unauthorized</title></head><body><h1>Unauthorized</h1></body></html>";
    let error = of(413, &[("server", "nginx/1.22.1")], NGINX);
    assert_eq!((error.kind, error.retryable), (ErrorKind::InvalidRequest, false));
    assert_eq!(
        error.message,
        "HTTP 413 Request Entity Too Large, as a page of HTML (nginx/1.22.1): check base_url and \
         any proxy on the way"
    );
    assert_eq!(error.provider_error, None);
    let error = of(401, &[], TINYPROXY);
    assert_eq!(error.kind, ErrorKind::Authentication);
    assert!(error.message.starts_with("HTTP 401 Unauthorized, as a page"), "{}", error.message);
    let error = of(502, &[], "<html><head><title>x.org &amp; co |\n 502: Bad gateway</title>");
    assert!(
        error.message.starts_with("HTTP 502 Bad Gateway, titled \"x.org & co | 502: Bad gateway\""),
        "{}",
        error.message
    );
    let error = of(503, &[], "<html>no title");
    assert!(error.message.starts_with("HTTP 503 Service Unavailable, as a page"));
    // A body that no JSON is may be a proxy's, too. A provider's own 413 is about the context.
    assert_eq!(of(413, &[], "Payload Too Large").kind, ErrorKind::InvalidRequest);
    assert_eq!(of(413, &[], "").kind, ErrorKind::InvalidRequest);
    let own = r#"{"type":"error","error":{"type":"request_too_large",
        "message":"Request exceeds the maximum size"}}"#;
    assert_eq!(of(413, &[], own).kind, ErrorKind::ContextLength);
}

#[test]
fn a_gateways_words_are_understood() {
    let llama = "request (15018 tokens) exceeds the available context size (4096 tokens), try \
                 increasing it";
    let lite = format!(
        "litellm.BadRequestError: OpenAIException - {llama}. Received Model Group=m\n\
         Available Model Group Fallbacks=None"
    );
    let word = "litellm.ContextWindowExceededError: litellm.BadRequestError: too much";
    for text in [llama, &lite, word] {
        let text = text.replace('\n', "\\n");
        let body = format!(
            r#"{{"error": {{"message": "{text}", "type": "invalid_request_error",
            "param": null, "code": "400"}}}}"#
        );
        assert_eq!(of(400, &[], &body).kind, ErrorKind::ContextLength, "{text}");
    }
    let image = r#"{"error": {"code": 500, "message": "image input is not supported - hint: if this
        is unexpected, you may need to provide the mmproj", "type": "server_error"}}"#
        .replace('\n', " ");
    let error = of(500, &[], &image);
    assert_eq!((error.kind, error.retryable), (ErrorKind::Unsupported, false));
}

#[test]
fn x_should_retry_is_obeyed_but_for_what_no_repetition_mends() {
    let retryable = |status, word| of(status, &[("x-should-retry", word)], "{}").retryable;
    assert!(!retryable(503, "false") && retryable(503, "true"));
    assert!(retryable(401, "true") && !retryable(401, "perhaps"));
    assert!(!retryable(503, " False") && retryable(400, "TRUE") && retryable(503, ""));
    assert!(!retryable(402, "true") && !retryable(413, "true"));
}
