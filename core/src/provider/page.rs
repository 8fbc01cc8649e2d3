//! A page of HTML in the place of an answer. It comes from a proxy or gateway, or from a web server
//! that knows no such path.

use ::http::{HeaderMap, StatusCode};
use memchr::memmem;

use crate::wire::headers;

/// What to do about a page.
const ADVICE: &str = "check base_url and any proxy on the way";

/// Most characters that a message repeats of a title, or of a server's name.
const MOST: usize = 120;

/// Most bytes of a page in which its title is looked for.
const MOST_HEAD: usize = 16 << 10;

/// Whether a body is a page.
pub(super) fn is_page(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

/// The message of a page under an error status: `HTTP 413 Request Entity Too Large, as a page of
/// HTML (nginx/1.22.1): …`.
pub(super) fn under_error(status: u16, headers: &HeaderMap, body: &[u8]) -> String {
    let number = status.to_string();
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let reason = reason.map(|reason| format!(" {reason}")).unwrap_or_default();
    let what = match title(body) {
        // Most servers repeat status and reason as the title.
        Some(title) if title.starts_with(&number) => title,
        Some(title) => format!("{number}{reason}, titled \"{title}\""),
        None => format!("{number}{reason}"),
    };
    format!("HTTP {what}, as a page of HTML{}: {ADVICE}", of_server(headers))
}

/// The message of a page under a status that means success.
pub(super) fn under_success(headers: &HeaderMap, body: &[u8]) -> String {
    let title = title(body).map(|title| format!(", titled \"{title}\"")).unwrap_or_default();
    format!("the answer is a page of HTML{}{title}: {ADVICE}", of_server(headers))
}

/// ` (nginx/1.22.1)`, or nothing.
fn of_server(headers: &HeaderMap) -> String {
    let name = headers::text(headers, "server").and_then(tidy);
    name.map(|name| format!(" ({name})")).unwrap_or_default()
}

/// The text of `<title>`.
fn title(body: &[u8]) -> Option<String> {
    let head = body[..body.len().min(MOST_HEAD)].to_ascii_lowercase();
    let from = memmem::find(&head, b"<title")?;
    let from = from + memchr::memchr(b'>', &head[from..])? + 1;
    let to = from + memmem::find(&head[from..], b"</title")?;
    let text = String::from_utf8_lossy(&body[from..to]);
    let entities =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " ")];
    let text = entities.iter().fold(text.into_owned(), |text, (name, letter)| {
        if text.contains(name) { text.replace(name, letter) } else { text }
    });
    tidy(&text.replace("&amp;", "&"))
}

/// A text in one line, and not too long.
fn tidy(text: &str) -> Option<String> {
    let words: Vec<&str> =
        text.split(|letter: char| letter.is_whitespace() || letter.is_control()).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let line: String = words.join(" ").chars().take(MOST).collect();
    (!line.is_empty()).then_some(line)
}
