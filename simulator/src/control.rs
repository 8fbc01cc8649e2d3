//! `/_sim/…`: what runners ask the simulator about itself.

use crate::request::Request;
use crate::shared::{Shared, error_body};

/// Status, reason and JSON body.
pub(crate) fn answer(shared: &Shared, method: &str, target: &str) -> (u16, &'static str, String) {
    let done = || "{}".to_owned();
    let body = match (method, target) {
        ("GET", "/_sim/report") => json(&shared.registry.report()),
        ("GET", "/_sim/stats") => json(&shared.counters.snapshot()),
        ("POST", "/_sim/reset") => {
            shared.registry.reset();
            shared.turns.reset();
            done()
        }
        ("POST", "/_sim/stats/reset") => {
            shared.counters.reset();
            done()
        }
        _ => {
            let message = format!(
                "no {method} {target}: there are GET /_sim/report, POST /_sim/reset, GET /_sim/stats and POST /_sim/stats/reset"
            );
            return (404, "Not Found", error_body("not_found", &message));
        }
    };
    (200, "OK", body)
}

/// The request itself, as it came. `/_sim/echo` and all paths below it return this to any method.
pub(crate) fn echo(request: &Request<'_>) -> String {
    let text = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
    let headers: Vec<_> =
        request.headers.iter().map(|header| [header.name.to_owned(), text(header.value)]).collect();
    let hex: String = request.body.iter().map(|byte| format!("{byte:02x}")).collect();
    let echo = serde_json::json!({
        "method": request.method, "target": request.target, "headers": headers, "body_hex": hex,
    });
    json(&echo)
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
