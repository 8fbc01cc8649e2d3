//! What calls ask and answer, for observers, where `LITER_LLM_LOG_BODIES=1` asks for it. Keys never
//! are in it.

use super::Call;
use crate::auth::Secrets;
use crate::codec::parse_object;
use crate::operation::Answer;
use crate::services::Services;

/// Shows the request document of a call, without its options, which say how it is sent.
pub(super) fn request(services: &Services, call: &Call, document: &[u8]) {
    if !services.config.log_bodies {
        return;
    }
    let Ok(mut document) = parse_object(document, "request") else { return };
    document.shift_remove("options");
    let own = &services.credentials[call.targets[0].provider];
    let key = own.known();
    show(services, call, &call.secrets(services, 0, key.as_ref()), "request", &document.to_json());
}

/// Shows the answer of a call.
pub(super) fn answer(services: &Services, call: &Call, secrets: &Secrets<'_>, answer: &Answer) {
    if services.config.log_bodies {
        show(services, call, secrets, "answer", &answer.to_json());
    }
}

fn show(
    services: &Services,
    call: &Call,
    secrets: &Secrets<'_>,
    what: &'static str,
    document: &[u8],
) {
    let text = String::from_utf8_lossy(document);
    let clean = secrets.redact(&text);
    let text = clean.as_deref().unwrap_or(&text);
    services.observers.iter().for_each(|observer| observer.content(call.facts(), what, text));
}
