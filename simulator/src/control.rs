//! `/_sim/…`: what runners ask the simulator about itself.

use crate::connection::{Shared, error_body};

/// Status, reason and JSON body.
pub(crate) fn answer(shared: &Shared, method: &str, target: &str) -> (u16, &'static str, String) {
    let done = || "{}".to_owned();
    let body = match (method, target) {
        ("GET", "/_sim/report") => json(&shared.registry.report()),
        ("GET", "/_sim/stats") => json(&shared.counters.snapshot()),
        ("POST", "/_sim/reset") => {
            shared.registry.reset();
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

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
