//! The W3C trace context that a call sends on: `traceparent` and `tracestate`.

use ::http::{HeaderName, HeaderValue};

use super::options::Options;
use super::response::Warning;

/// The most members of a `tracestate`.
const MOST_MEMBERS: usize = 32;
/// The longest of both, in bytes.
const LONGEST: usize = 8 << 10;

/// The headers of a trace context.
pub(crate) type TraceHeaders = Vec<(HeaderName, HeaderValue)>;

impl Options {
    /// The headers of the trace context. What is malformed of it is left out, and is the warning.
    pub(crate) fn trace_headers(&self) -> (TraceHeaders, Option<Warning>) {
        let (parent, state) = (self.traceparent.as_deref(), self.tracestate.as_deref());
        if parent.is_none() && state.is_none() {
            return (Vec::new(), None);
        }
        let (headers, wrong) = trace_headers(parent, state);
        let warning = wrong.map(|member| Warning {
            code: "trace_context",
            message: format!("options.{member} is malformed and was not sent"),
            param: Some(format!("options.{member}")),
        });
        (headers, warning)
    }
}

/// The headers of these options, and the option that is malformed, if one is. It is left out.
fn trace_headers(
    parent: Option<&str>,
    state: Option<&str>,
) -> (TraceHeaders, Option<&'static str>) {
    let mut headers = Vec::new();
    let Some(parent) = parent.map(read_parent) else {
        // A state without a parent says nothing.
        return (headers, state.map(|_| "tracestate"));
    };
    let Some(parent) = parent.and_then(|parent| HeaderValue::try_from(parent).ok()) else {
        return (headers, Some("traceparent"));
    };
    headers.push((HeaderName::from_static("traceparent"), parent));
    let Some(state) = state.filter(|state| !state.trim().is_empty()) else {
        return (headers, None);
    };
    match HeaderValue::try_from(state).ok().filter(|_| is_state(state)) {
        Some(state) => {
            headers.push((HeaderName::from_static("tracestate"), state));
            (headers, None)
        }
        None => (headers, Some("tracestate")),
    }
}

/// A `traceparent` in version 00, which is what we know of a later one.
fn read_parent(text: &str) -> Option<String> {
    let fields = text.get(..55).filter(|_| text.len() <= LONGEST)?;
    let rest = text.get(55..)?;
    let mut parts = fields.split('-');
    let [version, trace, span, flags] = std::array::from_fn(|_| parts.next().unwrap_or_default());
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_id = |text, length| is_hex(text, length) && text.bytes().any(|byte| byte != b'0');
    let fits = is_hex(version, 2)
        && version != "ff"
        && is_id(trace, 32)
        && is_id(span, 16)
        && is_hex(flags, 2)
        && parts.next().is_none();
    let ends = rest.is_empty() || version != "00" && rest.starts_with('-');
    (fits && ends).then(|| format!("00-{trace}-{span}-{flags}"))
}

/// Whether a text is a `tracestate`.
fn is_state(text: &str) -> bool {
    let members = || text.split(',').map(|member| member.trim_matches([' ', '\t']));
    text.len() <= LONGEST
        && members().filter(|member| !member.is_empty()).count() <= MOST_MEMBERS
        && members().all(|member| member.is_empty() || is_member(member))
}

fn is_member(text: &str) -> bool {
    let Some((key, value)) = text.split_once('=') else { return false };
    let in_key = |byte: u8| {
        byte.is_ascii_lowercase()
            || byte.is_ascii_digit()
            || matches!(byte, b'_' | b'-' | b'*' | b'/' | b'@')
    };
    let in_value = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b',' | b'=');
    (1..=256).contains(&key.len())
        && key.bytes().all(in_key)
        && (1..=256).contains(&value.len())
        && value.bytes().all(in_value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn parent(text: &str) -> Option<String> {
        let (headers, wrong) = trace_headers(Some(text), None);
        assert_eq!(headers.is_empty(), wrong == Some("traceparent"), "{text}");
        headers.first().map(|(_, value)| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_parent_of_the_known_version_goes_on_as_it_is() {
        assert_eq!(parent(GOOD).as_deref(), Some(GOOD));
        let later = format!("cc{}-what-comes-later", &GOOD[2..]);
        assert_eq!(parent(&later).as_deref(), Some(GOOD));
        let zeros = "0".repeat(32);
        for wrong in [
            "",
            "00",
            &GOOD[..54],
            &format!("{GOOD}-more"),
            &format!("cc{}more", &GOOD[2..]),
            &format!("ff{}", &GOOD[2..]),
            &GOOD.replace(TRACE, &zeros),
            &GOOD.replace("00f067aa0ba902b7", &zeros[..16]),
            &GOOD.to_uppercase(),
            &GOOD.replace('-', "_"),
            &GOOD.replace("-01", "-0\n"),
            &GOOD.replace("4bf", "4\u{e9}"),
            &format!("cc{}-{}", &GOOD[2..], "x".repeat(LONGEST)),
        ] {
            assert_eq!(parent(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_state_goes_on_with_its_parent_only() {
        let state = |text: &str| trace_headers(Some(GOOD), Some(text));
        let many = |count: usize| vec!["a=b"; count].join(",");
        for good in ["congo=t61rcWkgMzE,rojo=00f067aa0ba902b7", "a@b=1 , ,c=2", &many(32)] {
            let (headers, wrong) = state(good);
            assert_eq!((headers[1].1.to_str().unwrap(), wrong), (good, None));
        }
        let long = format!("a={}", "b".repeat(257));
        for bad in ["a", "=b", "a=", "A=b", "a=b=c", "a=\u{e9}", "a=b\nc", &long, &many(600)] {
            let (headers, wrong) = state(bad);
            assert_eq!((headers.len(), wrong), (1, Some("tracestate")), "{bad}");
        }
        let (headers, wrong) = trace_headers(None, Some("a=b"));
        assert_eq!((headers.len(), wrong), (0, Some("tracestate")));
        let (headers, wrong) = trace_headers(Some(GOOD), Some(""));
        assert_eq!((headers.len(), wrong), (1, None));
    }
}
