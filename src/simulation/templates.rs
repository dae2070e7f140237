//! Messages of invented bodies: the catalogue's own examples, with another envelope.
//!
//! Promises: every message passes the strict door. Never: holds real data.

use crate::catalogue::Catalogue;
use crate::domain::ids::{MessageId, TypeCode};
use crate::domain::message::Envelope;
use crate::domain::participant::Participant;
use anyhow::Context as _;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

/// Who writes, when, and under which id.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writing<'a> {
    pub from: &'a Participant,
    pub now: DateTime<Utc>,
    pub id: Uuid,
}

/// A message that begins an exchange.
pub(crate) fn opening(kind: &str, by: &Writing<'_>, to: &[&str]) -> anyhow::Result<Value> {
    let mut message = example(kind)?;
    set(&mut message, by, json!(to))?;
    Ok(message)
}

/// A message that answers another.
pub(crate) fn answering(kind: &str, by: &Writing<'_>, request: &Envelope) -> anyhow::Result<Value> {
    let mut message = example(kind)?;
    set(&mut message, by, json!([request.from]))?;
    message["exchange"] = json!(request.exchange_id());
    message["in_reply_to"] = json!(request.id);
    if let Some(case) = &request.case {
        message["case"] = json!(case);
    }
    Ok(message)
}

fn example(kind: &str) -> anyhow::Result<Value> {
    let code = TypeCode::new(kind)?;
    let entry = Catalogue::builtin().latest(&code).with_context(|| format!("the catalogue has no {kind}"))?;
    let text = entry.example_json.as_ref().with_context(|| format!("{kind} has no example"))?;
    Ok(serde_json::from_str(text)?)
}

fn set(message: &mut Value, by: &Writing<'_>, to: Value) -> anyhow::Result<()> {
    let fields = message.as_object_mut().context("an example is an object")?;
    for stale in ["registration", "reply_by", "exchange", "in_reply_to", "attachments", "signatory"] {
        fields.remove(stale);
    }
    fields.insert("id".into(), json!(MessageId(by.id)));
    fields.insert("from".into(), json!(by.from.code));
    fields.insert("to".into(), to);
    let created_at = by.from.zone.with_offset(by.now);
    fields.insert("created_at".into(), json!(created_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)));
    Ok(())
}
