use super::record::{code, name, timestamp};

#[test]
fn times_are_those_of_rfc_3339() {
    assert_eq!(timestamp(0, 0), "1970-01-01T00:00:00.000Z");
    assert_eq!(timestamp(951_782_400, 7), "2000-02-29T00:00:00.007Z");
    assert_eq!(timestamp(1_764_374_399, 999), "2025-11-28T23:59:59.999Z");
    assert_eq!(timestamp(4_107_542_400, 0), "2100-03-01T00:00:00.000Z");
    assert_eq!(timestamp(1_735_689_599, 1), "2024-12-31T23:59:59.001Z");
}

#[test]
fn codes_are_no_texts() {
    assert_eq!(code("rate_limit_exceeded"), Some("rate_limit_exceeded"));
    assert_eq!(code("1113"), Some("1113"));
    assert_eq!(code("a\n{\"level\":\"info\"}"), Some("a"));
    assert_eq!(code("\u{e9}t\u{e9}"), None);
    assert_eq!(code(""), None);
    assert_eq!(code(&"x".repeat(1_000)).map(str::len), Some(64));
}

#[test]
fn names_are_short() {
    assert_eq!(name("gpt-4.1-mini"), "gpt-4.1-mini");
    assert_eq!(name(&"\u{e9}".repeat(1_000)).chars().count(), 257);
}
