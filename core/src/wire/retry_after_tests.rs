use proptest::prelude::*;

use super::*;
use crate::codec::parse_foreign_text;

/// The `Date` of the table's answers: a Thursday, 1 786 619 775 seconds after 1970.
const DATE: (&str, &str) = ("date", "Thu, 13 Aug 2026 11:16:15 GMT");
const SINCE_1970: u64 = 1_786_619_775;

type Headers<'a> = &'a [(&'a str, &'a str)];

fn map(headers: Headers<'_>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name: ::http::HeaderName = name.parse().unwrap();
        map.append(name, value.parse().unwrap());
    }
    map
}

fn ms(status: u16, headers: Headers<'_>, details: &str) -> Option<u64> {
    let details = parse_foreign_text(details).ok();
    wait(status, &map(headers), details.as_ref().and_then(retry_info)).map(millis)
}

/// Fails with a list of all rows that are wrong.
fn check(rows: &[(u16, Headers<'_>, &str, Option<u64>)]) {
    let wrong: Vec<String> = rows
        .iter()
        .map(|(status, headers, details, wanted)| (ms(*status, headers, details), *wanted, headers))
        .filter(|(found, wanted, _)| found != wanted)
        .map(|(found, wanted, headers)| format!("{headers:?}: {found:?}, not {wanted:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const AFTER: &str = "retry-after";
const AFTER_MS: &str = "retry-after-ms";
const X_AFTER_MS: &str = "x-ms-retry-after-ms";

#[test]
fn retry_after() {
    check(&[
        (429, &[(AFTER, "2")], "", Some(2_000)),
        (429, &[(AFTER, " 2 ")], "", Some(2_000)),
        (429, &[(AFTER, "0")], "", Some(0)),
        (429, &[(AFTER, "-3")], "", Some(0)),
        (429, &[(AFTER, "1.5")], "", Some(1_500)),
        (429, &[(AFTER, ".25")], "", Some(250)),
        // The wait is a lower bound, so no fraction of a millisecond is cut off.
        (429, &[(AFTER, "0.0001")], "", Some(1)),
        (429, &[(AFTER, "73189")], "", Some(73_189_000)),
        // A wait too long for any number is long, not none.
        (429, &[(AFTER, "99999999999999999999")], "", Some(millis(LONGEST))),
        (429, &[(AFTER, "1e999")], "", Some(millis(LONGEST))),
        (429, &[(AFTER, "soon")], "", None),
        (429, &[(AFTER, "inf")], "", None),
        (429, &[(AFTER, "NaN")], "", None),
        (429, &[(AFTER, "")], "", None),
        (429, &[], "", None),
        // The three forms of a date, compared with the answer's own date.
        (429, &[DATE, (AFTER, "Thu, 13 Aug 2026 11:16:45 GMT")], "", Some(30_000)),
        (429, &[DATE, (AFTER, "Thursday, 13-Aug-26 11:16:45 GMT")], "", Some(30_000)),
        (429, &[DATE, (AFTER, "Thu Aug 13 11:16:45 2026")], "", Some(30_000)),
        (429, &[DATE, (AFTER, "Thu, 13 Aug 2026 11:16:00 GMT")], "", Some(0)),
        (429, &[DATE, (AFTER, "Thu, 01 Jan 1970 00:00:00 GMT")], "", Some(0)),
        (429, &[DATE, (AFTER, "Fri, 31 Dec 9999 23:59:59 GMT")], "", Some(millis(LONGEST))),
        (429, &[DATE, (AFTER, "Thu, 13 Aug 2026 25:61:00 GMT")], "", None),
        (429, &[(AFTER, "Thu, 13 Aug 2026 11:16:45 GMT")], "", None),
        (429, &[("date", "now"), (AFTER, "Thu, 13 Aug 2026 11:16:45 GMT")], "", None),
    ]);
}

#[test]
fn milliseconds_come_first() {
    check(&[
        (429, &[(AFTER_MS, "660")], "", Some(660)),
        (429, &[(AFTER_MS, "660.5")], "", Some(661)),
        (429, &[(AFTER_MS, "20000"), (AFTER, "19")], "", Some(20_000)),
        (429, &[(X_AFTER_MS, "150"), (AFTER, "1")], "", Some(150)),
        (429, &[(AFTER_MS, "100"), (X_AFTER_MS, "150")], "", Some(100)),
        (429, &[(AFTER_MS, "0"), (X_AFTER_MS, "150")], "", Some(150)),
        (429, &[(AFTER_MS, "0"), (AFTER, "1")], "", Some(1_000)),
        (429, &[(AFTER_MS, "-20"), (AFTER, "1")], "", Some(1_000)),
        (429, &[(AFTER_MS, "later"), (AFTER, "1")], "", Some(1_000)),
        (429, &[(AFTER_MS, "0")], "", Some(0)),
        (429, &[(AFTER_MS, "0"), (AFTER, "soon")], "", Some(0)),
    ]);
}

#[test]
fn the_status_says_what_counts() {
    let spent: Headers<'_> =
        &[("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "4s")];
    let after: Headers<'_> = &[(AFTER, "1")];
    check(&[
        // Anthropic and Together send it with answers.
        (200, after, "", None),
        (204, &[(AFTER_MS, "10")], "", None),
        (302, after, "", None),
        // The wait is reported under any status. Whether to wait is decided elsewhere.
        (400, after, "", Some(1_000)),
        (409, after, "", Some(1_000)),
        (500, after, "", Some(1_000)),
        (502, after, "", Some(1_000)),
        (408, spent, "", Some(4_000)),
        (429, spent, "", Some(4_000)),
        (503, spent, "", Some(4_000)),
        (529, spent, "", Some(4_000)),
        (413, spent, "", None),
        (500, spent, "", None),
    ]);
}

#[test]
fn resets_count_where_the_limit_is_used_up() {
    const LEFT: &str = "x-ratelimit-remaining-requests";
    const RESET: &str = "x-ratelimit-reset-requests";
    const TOKENS_LEFT: &str = "x-ratelimit-remaining-tokens";
    const TOKENS_RESET: &str = "x-ratelimit-reset-tokens";
    const CLAUDE_LEFT: &str = "anthropic-ratelimit-tokens-remaining";
    const CLAUDE_RESET: &str = "anthropic-ratelimit-tokens-reset";
    check(&[
        (429, &[(LEFT, "0"), (RESET, "6m0s")], "", Some(360_000)),
        (429, &[(LEFT, "0"), (RESET, "17.399999999s")], "", Some(17_400)),
        (429, &[(LEFT, "0"), (RESET, "12ms")], "", Some(12)),
        (429, &[(LEFT, "0"), (RESET, "1h2m3.5s")], "", Some(3_723_500)),
        (429, &[(LEFT, "0"), (RESET, "-4s")], "", Some(0)),
        (429, &[(LEFT, "0"), (RESET, "4 s")], "", None),
        (429, &[(LEFT, "0"), (RESET, "4d")], "", None),
        (429, &[(LEFT, "0")], "", None),
        (429, &[(LEFT, "-1"), (RESET, "3")], "", Some(3_000)),
        (429, &[(LEFT, "none"), (RESET, "3")], "", None),
        // The latest reset of the used-up limits counts, not those of other limits.
        (
            429,
            &[(LEFT, "9"), (RESET, "21m36s"), (TOKENS_LEFT, "0"), (TOKENS_RESET, "115ms")],
            "",
            Some(115),
        ),
        (
            429,
            &[(LEFT, "0"), (RESET, "2s"), (TOKENS_LEFT, "0"), (TOKENS_RESET, "7s")],
            "",
            Some(7_000),
        ),
        (
            429,
            &[(LEFT, "199"), (RESET, "300ms"), (TOKENS_LEFT, "399999"), (TOKENS_RESET, "0s")],
            "",
            None,
        ),
        // An explicit wait counts more than one derived from a reset.
        (429, &[(LEFT, "0"), (RESET, "7s"), (AFTER, "2")], "", Some(2_000)),
        // Seconds and milliseconds since 1970.
        (
            429,
            &[DATE, ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1786619780")],
            "",
            Some(5_000),
        ),
        (
            429,
            &[DATE, ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1786619780250")],
            "",
            Some(5_250),
        ),
        (
            429,
            &[DATE, ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1786619770000")],
            "",
            Some(0),
        ),
        (429, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1786619780")], "", None),
        // RFC 3339.
        (
            429,
            &[DATE, (CLAUDE_LEFT, "0"), (CLAUDE_RESET, "2026-08-13T11:16:52Z")],
            "",
            Some(37_000),
        ),
        (
            429,
            &[DATE, (CLAUDE_LEFT, "0"), (CLAUDE_RESET, "2026-08-13T11:16:52.25Z")],
            "",
            Some(37_250),
        ),
        (
            429,
            &[DATE, (CLAUDE_LEFT, "0"), (CLAUDE_RESET, "2026-08-13T13:16:52+02:00")],
            "",
            Some(37_000),
        ),
        (429, &[DATE, (CLAUDE_LEFT, "0"), (CLAUDE_RESET, "2026-08-13T11:16:02Z")], "", Some(0)),
        (429, &[DATE, (CLAUDE_LEFT, "0"), (CLAUDE_RESET, "1970-01-01T00:00:00Z")], "", None),
        (429, &[(CLAUDE_LEFT, "0"), (CLAUDE_RESET, "2026-08-13T11:16:52Z")], "", None),
        (429, &[DATE, (CLAUDE_LEFT, "0"), (CLAUDE_RESET, "2026-13-13T11:16:52Z")], "", None),
        (429, &[DATE, (CLAUDE_LEFT, "9000"), (CLAUDE_RESET, "2026-08-13T11:16:52Z")], "", None),
        // Mistral's limit by size, and the IETF's draft.
        (
            429,
            &[("ratelimitbysize-remaining", "0"), ("ratelimitbysize-reset", "43")],
            "",
            Some(43_000),
        ),
        (429, &[("ratelimit", "\"api\";r=0;t=70")], "", Some(70_000)),
        (429, &[("ratelimit", "\"api\";r=499;t=70, \"day\"; r=0; t=90")], "", Some(90_000)),
        (429, &[("ratelimit", "\"api\";r=499;t=70")], "", None),
        (429, &[("ratelimit", "limit=100")], "", None),
    ]);
}

#[test]
fn googles_body_says_it_where_no_header_does() {
    const INFO: &str = r#"[{"@type": "type.googleapis.com/google.rpc.Help", "links": []},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.4s"}]"#;
    let info = |delay: &str| INFO.replace("34.4s", delay);
    let spent: Headers<'_> = &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "2")];
    check(&[
        (429, &[], INFO, Some(34_400)),
        (503, &[], &info("0s"), Some(0)),
        (429, &[], &info("-5s"), Some(0)),
        (429, &[], &info("0.000000001s"), Some(1)),
        (429, &[], &info("in a while"), None),
        (429, &[], r#"[{"@type": "google.rpc.ErrorInfo", "retryDelay": "1s"}]"#, None),
        (429, &[], r#"[{"@type": 1, "retryDelay": 2}, "RetryInfo"]"#, None),
        (429, &[], r#"{"retryDelay": "1s"}"#, None),
        (429, &[(AFTER, "3")], INFO, Some(3_000)),
        (429, &[(AFTER, "soon")], INFO, Some(34_400)),
        (429, spent, INFO, Some(34_400)),
        (200, &[], INFO, None),
    ]);
}

#[test]
fn a_limits_rest_and_reset_can_be_read_of_any_answer() {
    let headers = map(&[
        ("x-ratelimit-limit-tokens", "100"),
        ("x-ratelimit-remaining-tokens", "80"),
        ("x-ratelimit-reset-tokens", "6ms"),
        ("anthropic-ratelimit-requests-remaining", "4"),
    ]);
    let found: Vec<(&str, f64)> = remaining(&headers).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.contains(&("x-ratelimit-remaining-tokens", 80.0)));
    assert!(found.contains(&("anthropic-ratelimit-requests-remaining", 4.0)));
    let reset = |name| reset_of(&headers, name, None);
    assert_eq!(reset("x-ratelimit-remaining-tokens"), Some(Duration::from_millis(6)));
    assert_eq!(reset("anthropic-ratelimit-requests-remaining"), None);
}

#[test]
fn the_calendar_is_that_of_http() {
    for text in ["1971-01-01T00:00:00Z", "2000-02-29T23:59:59Z", "2026-08-13T11:16:15Z"] {
        let found = rfc3339(text).unwrap();
        let date = httpdate::fmt_http_date(found);
        assert_eq!(found, httpdate::parse_http_date(&date).unwrap());
        let (year, time) = (&text[..4], &text[11..19]);
        assert!(date.contains(year) && date.contains(time), "{text} is no {date}");
    }
    let here = SystemTime::UNIX_EPOCH + Duration::from_secs(SINCE_1970);
    assert_eq!(rfc3339("2026-08-13T11:16:15Z"), Some(here));
    for bad in [
        "2026-08-13",
        "2026-08-13T11:16:15",
        "2026-08-13T24:16:15Z",
        "2026-08-32T11:16:15Z",
        "2026-08-13T11:16:15.Z5",
        "2026-08-13T11:16:15+2:00x",
        "2026-08-13T11:16:15+99:00",
        "+026-08-13T11:16:15Z",
        "2026/08/13T11:16:15Z",
        "2026-08-13T11:16:1éZ",
    ] {
        assert_eq!(rfc3339(bad), None, "{bad}");
    }
}

proptest! {
    /// Whatever is in a header, no wait is longer than the longest, and nothing panics.
    #[test]
    fn nothing_that_a_provider_sends_is_too_much(
        value in prop_oneof![
            "[ -~]{0,30}",
            "[0-9.eE+-]{1,12}",
            "([0-9.]{1,5}(h|m|s|ms|us|ns)){1,3}",
            "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{0,12})?(Z|[+-][0-9]{2}:[0-9]{2})",
            "\"a\";[rt]=[0-9]{0,3};[rt]=[0-9.-]{0,5}",
        ],
        name in prop_oneof![
            Just(AFTER), Just(AFTER_MS), Just("x-ratelimit-reset"), Just("ratelimit"), Just("date"),
        ],
    ) {
        let headers = map(&[("x-ratelimit-remaining", "0"), (name, &value), DATE]);
        prop_assert!(wait(429, &headers, None).is_none_or(|wait| wait <= LONGEST));
        let at = answered_at(&headers);
        prop_assert!(time_until(&value, || at).is_none_or(|wait| wait <= LONGEST));
    }
}
