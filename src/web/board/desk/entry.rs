//! A form of the desk as what the verb takes.
//!
//! Promises: the id of the message stands in the form, so that a form that is sent twice is registered once. Never: fills
//! in what the clerk did not state, but for the moment when the document has no date.

use crate::catalogue::Entry;
use crate::domain::ids::TypeCode;
use crate::domain::participant::WorkingHours;
use crate::domain::zone::Zone;
use crate::web::board::desk::fields::{Fields, moment};
use chrono::NaiveDate;
use serde_json::{Map, Value, json};

/// The type of a note of a call (S4 annex 7).
pub(super) const PHONE_MESSAGE: &str = "signal.phone-message";

/// The type of the message that is registered: what came by telephone is a telephone message.
pub(super) fn type_of(fields: &Fields) -> Option<TypeCode> {
    let code = if fields.get("/channel") == "phone" { PHONE_MESSAGE } else { fields.get("/type") };
    TypeCode::new(code).ok()
}

/// The JSON of a [`crate::gateway::desk::DeskEntry`].
pub(super) fn entry_of(fields: &Fields, of: &Entry, (centre, zone): (&str, Zone)) -> Value {
    let at = moment(fields.get("/at"), zone).unwrap_or_else(|| fields.get("/at").to_owned());
    let other = fields.get("/counterparty");
    let (from, to) = if fields.get("side") == "out" { (centre, other) } else { (other, centre) };
    let mut message = json!({
        "id": fields.get("/id"), "type": of.code, "version": of.version, "from": from, "to": [to],
        "created_at": created_at(fields, (&at, zone)),
    });
    if let Some(message) = message.as_object_mut() {
        envelope(fields, message);
        let mut body = fields.record(&of.body, ("/body", zone)).unwrap_or_else(|| json!({}));
        if let Some(body) = body.as_object_mut().filter(|_| of.carries.is_some()) {
            // One instant, stated once; what was spoken is the type that was chosen.
            body.insert("at".into(), at.clone().into());
            body.extend(fields.some("/type").map(|code| ("carries".to_owned(), Value::from(code))));
        }
        message.insert("body".into(), body);
    }
    let mut entry = json!({ "channel": fields.get("/channel"), "at": at, "message": message });
    if fields.get("side") == "out" {
        entry["handed"] = texts(fields, "/handed", &["way", "taken_by", "number", "date"]).into();
    }
    entry
}

/// Of the document's own date where it bears one: a paper is not younger than itself.
fn created_at(fields: &Fields, (at, zone): (&str, Zone)) -> String {
    let dated: Option<NaiveDate> = fields.get("/registration/date").parse().ok();
    let dated = dated.filter(|dated| !at.starts_with(&dated.to_string()));
    let opens = |on| zone.with_offset(zone.instant(on, WorkingHours::default().opens)).to_rfc3339();
    dated.map_or_else(|| at.to_owned(), opens)
}

fn envelope(fields: &Fields, message: &mut Map<String, Value>) {
    for name in ["case", "summary", "exchange", "in_reply_to"] {
        message.extend(fields.some(&format!("/{name}")).map(|value| (name.to_owned(), Value::from(value))));
    }
    let groups: [(&str, &[&str]); 4] = [
        ("registration", &["number", "date"]),
        ("support", &["level"]),
        ("consent", &["kind", "reference"]),
        ("no_consent_ground", &["code", "reason"]),
    ];
    for (name, parts) in groups {
        let group = texts(fields, &format!("/{name}"), parts);
        // Half a group is said to be wrong by the schema, at the field that is missing.
        if !group.is_empty() {
            message.insert(name.to_owned(), group.into());
        }
    }
}

fn texts(fields: &Fields, path: &str, parts: &[&str]) -> Map<String, Value> {
    let value = |part: &&str| Some(((*part).to_owned(), Value::from(fields.some(&format!("{path}/{part}"))?)));
    parts.iter().filter_map(value).collect()
}
