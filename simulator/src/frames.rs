//! The frames of AWS's event streams, as Bedrock sends them.

use std::collections::BTreeMap;

use flate2::Crc;
use serde_json::value::RawValue;

/// One frame. `kind` is its message type: `event` or `exception`.
#[must_use]
pub fn frame(kind: &str, name: &str, payload: &[u8]) -> Vec<u8> {
    let mut headers = Vec::new();
    let own_name = format!(":{kind}-type");
    for (name, value) in
        [(own_name.as_str(), name), (":content-type", "application/json"), (":message-type", kind)]
    {
        headers.push(name.len() as u8);
        headers.extend_from_slice(name.as_bytes());
        // The type of a text, and its length.
        headers.push(7);
        headers.extend_from_slice(&(value.len() as u16).to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    let mut out = Vec::new();
    let length = 12 + headers.len() + payload.len() + 4;
    out.extend_from_slice(&(length as u32).to_be_bytes());
    out.extend_from_slice(&(headers.len() as u32).to_be_bytes());
    out.extend_from_slice(&checksum(&out));
    out.extend_from_slice(&headers);
    out.extend_from_slice(payload);
    out.extend_from_slice(&checksum(&out));
    out
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum().to_be_bytes()
}

/// The frames of a reply: `{"event": "name", "data": …}` or `{"exception": "name", "data": …}` each.
pub(crate) fn frames(events: &[Box<RawValue>]) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    for (n, event) in events.iter().enumerate() {
        out.extend(one(event).map_err(|error| format!("[{n}]: {error}"))?);
    }
    Ok(out)
}

fn one(event: &RawValue) -> Result<Vec<u8>, String> {
    let members: BTreeMap<String, &RawValue> =
        serde_json::from_str(event.get()).map_err(|error| error.to_string())?;
    let wrong = || "expected {\"event\": name, \"data\": …} or {\"exception\": …}".to_owned();
    let data = members.get("data").filter(|_| members.len() == 2).ok_or_else(wrong)?;
    let (kind, name) = ["event", "exception"]
        .into_iter()
        .find_map(|kind| Some((kind, members.get(kind)?)))
        .ok_or_else(wrong)?;
    let name: String = serde_json::from_str(name.get()).map_err(|error| error.to_string())?;
    let payload = crate::document::data(data)?;
    Ok(frame(kind, &name, payload.as_bytes()))
}
