//! The framing of streams, and headers.

use http::{HeaderMap, HeaderName, HeaderValue};
use liter_llm_core::wire::{SseParser, headers};

use crate::linear;

const MANY: usize = 8_000;

#[test]
fn fields_of_events() {
    let shapes: [(&str, &str, &str); 8] = [
        ("comments", ": x\n", ""),
        ("names", "event: x\n", "data: x\n\n"),
        ("ids", "id: x\n", "data: x\n\n"),
        ("unknown fields", "x: y\n", "data: x\n\n"),
        ("lines of data", "data: x\n", "\n"),
        ("lines of data and comments", "data\n:\n", "\n"),
        ("empty lines", "\r\n", ""),
        ("events", "data: x\n\n", ""),
    ];
    for (kind, unit, end) in shapes {
        for size in [7, 100_000] {
            let make = |n: usize| "data: first\nevent: x\n".to_owned() + &unit.repeat(n) + end;
            linear(&format!("sse, {kind}, reads of {size}"), MANY, make, |text: &String| {
                let mut parser = SseParser::default();
                for part in text.as_bytes().chunks(size) {
                    parser.push(part);
                    while let Some(event) = parser.next_event().unwrap() {
                        std::hint::black_box(event);
                    }
                }
            });
        }
    }
    let make = |n: usize| "data: ".to_owned() + &"x".repeat(20 * n);
    linear("sse, a line without an end", MANY, make, |text: &String| {
        let mut parser = SseParser::default();
        for part in text.as_bytes().chunks(100) {
            parser.push(part);
            assert!(parser.next_event().unwrap().is_none());
        }
    });
}

#[test]
fn headers_of_answers() {
    let make = |n: usize| {
        let header = |i| {
            let name = HeaderName::try_from(format!("x-ratelimit-{i}")).unwrap();
            (name, HeaderValue::from_static("1"))
        };
        (0..n).map(header).collect::<HeaderMap>()
    };
    linear("headers, limits", 2_000, make, |map| {
        std::hint::black_box(headers::rate_limits(map));
    });
}
