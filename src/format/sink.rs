//! The order in which a message is written, the same for both formats.
//!
//! Promises: fields in the schema's order, so that the same message always gives the same bytes. Never: writes a body
//! that does not fit its type's plan.

use crate::catalogue::plan::{Plan, RecordPlan};
use crate::catalogue::{Catalogue, Entry};
use crate::domain::ids::ParticipantCode;
use crate::domain::message::{Attachment, Envelope, LegalBasis, Level, Message, Node, Support, Track};
use std::fmt::Display;

/// Where a format writes. A name is absent in lists.
pub(super) trait Sink {
    fn open_record(&mut self, name: Option<&str>);
    fn close_record(&mut self, name: Option<&str>);
    fn open_list(&mut self, name: Option<&str>);
    fn close_list(&mut self, name: Option<&str>);
    fn open_body(&mut self, entry: &Entry);
    fn text(&mut self, name: Option<&str>, text: &str) -> Result<(), Unwritable>;
    /// A number or boolean.
    fn literal(&mut self, name: Option<&str>, value: &dyn Display);
}

/// A message of our own making that does not fit the schema of its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the message cannot be written: {reason}{}{field}", if field.is_empty() { "" } else { ": " })]
pub struct Unwritable {
    pub reason: &'static str,
    /// The field's name in the schema.
    pub field: String,
}

impl Unwritable {
    pub(super) fn new(reason: &'static str, field: &str) -> Self {
        Self { reason, field: field.to_owned() }
    }

    #[cold]
    pub(super) fn character(name: Option<&str>) -> Self {
        Self::new("a text holds a character that XML cannot carry", name.unwrap_or("item"))
    }
}

/// Writes the inside of a message: the envelope, then the body.
pub(super) fn write_message(message: &Message, catalogue: &Catalogue, sink: &mut impl Sink) -> Result<(), Unwritable> {
    let envelope = &message.envelope;
    let entry = catalogue
        .entry(&envelope.type_code, envelope.version)
        .ok_or_else(|| Unwritable::new("the catalogue has no such type and version", envelope.type_code.as_str()))?;
    write_head(envelope, sink)?;
    write_context(envelope, sink)?;
    write_people(envelope, sink)?;
    write_tail(envelope, sink)?;
    sink.open_body(entry);
    write_fields(&entry.body, message.body.expose(), sink)?;
    sink.close_record(Some("body"));
    Ok(())
}

fn write_head(envelope: &Envelope, sink: &mut impl Sink) -> Result<(), Unwritable> {
    let mut id = uuid::Uuid::encode_buffer();
    sink.text(Some("id"), envelope.id.0.hyphenated().encode_lower(&mut id))?;
    if let Some(exchange) = envelope.exchange {
        sink.text(Some("exchange"), exchange.0.hyphenated().encode_lower(&mut id))?;
    }
    if let Some(message) = envelope.in_reply_to {
        sink.text(Some("in_reply_to"), message.0.hyphenated().encode_lower(&mut id))?;
    }
    sink.text(Some("type"), envelope.type_code.as_str())?;
    sink.literal(Some("version"), &envelope.version);
    sink.text(Some("from"), envelope.from.as_str())?;
    sink.open_list(Some("to"));
    envelope.to.iter().map(ParticipantCode::as_str).try_for_each(|code| sink.text(None, code))?;
    sink.close_list(Some("to"));
    sink.text(Some("created_at"), envelope.created_at.as_str())
}

fn write_context(envelope: &Envelope, sink: &mut impl Sink) -> Result<(), Unwritable> {
    optional(sink, "case", envelope.case.as_deref())?;
    if let Some(Support { track, level }) = envelope.support {
        sink.open_record(Some("support"));
        optional(sink, "track", track.map(Track::code))?;
        optional(sink, "level", level.map(Level::code))?;
        sink.close_record(Some("support"));
    }
    if !envelope.legal_basis.is_empty() {
        sink.open_list(Some("legal_basis"));
        for LegalBasis { act, article } in &envelope.legal_basis {
            sink.open_record(None);
            sink.text(Some("act"), act)?;
            optional(sink, "article", article.as_deref())?;
            sink.close_record(None);
        }
        sink.close_list(Some("legal_basis"));
    }
    if let Some(consent) = &envelope.consent {
        pair(sink, "consent", [("kind", &consent.kind), ("reference", &consent.reference)])?;
    }
    if let Some(ground) = &envelope.no_consent_ground {
        pair(sink, "no_consent_ground", [("code", &ground.code), ("reason", &ground.reason)])?;
    }
    Ok(())
}

fn write_people(envelope: &Envelope, sink: &mut impl Sink) -> Result<(), Unwritable> {
    if let Some(registration) = &envelope.registration {
        pair(sink, "registration", [("number", &registration.number), ("date", &registration.date.to_string())])?;
    }
    if let Some(signatory) = &envelope.signatory {
        sink.open_record(Some("signatory"));
        sink.text(Some("name"), &signatory.name)?;
        optional(sink, "post", signatory.post.as_deref())?;
        sink.close_record(Some("signatory"));
    }
    if let Some(executor) = &envelope.executor {
        sink.open_record(Some("executor"));
        sink.text(Some("name"), &executor.name)?;
        optional(sink, "phone", executor.phone.as_deref())?;
        optional(sink, "email", executor.email.as_deref())?;
        sink.close_record(Some("executor"));
    }
    Ok(())
}

fn write_tail(envelope: &Envelope, sink: &mut impl Sink) -> Result<(), Unwritable> {
    if let Some(date) = envelope.reply_by {
        sink.text(Some("reply_by"), &date.to_string())?;
    }
    optional(sink, "summary", envelope.summary.as_deref())?;
    if !envelope.attachments.is_empty() {
        sink.open_list(Some("attachments"));
        for Attachment { annex, name, media_type, size_bytes, sha256 } in &envelope.attachments {
            sink.open_record(None);
            sink.literal(Some("annex"), annex);
            sink.text(Some("name"), name)?;
            sink.text(Some("media_type"), media_type)?;
            sink.literal(Some("size"), size_bytes);
            sink.text(Some("sha256"), sha256)?;
            sink.close_record(None);
        }
        sink.close_list(Some("attachments"));
    }
    if let Some(test) = envelope.test {
        sink.literal(Some("test"), &test);
    }
    Ok(())
}

fn optional(sink: &mut impl Sink, name: &str, text: Option<&str>) -> Result<(), Unwritable> {
    text.map_or(Ok(()), |text| sink.text(Some(name), text))
}

fn pair(sink: &mut impl Sink, name: &str, fields: [(&str, &String); 2]) -> Result<(), Unwritable> {
    sink.open_record(Some(name));
    for (field, text) in fields {
        sink.text(Some(field), text)?;
    }
    sink.close_record(Some(name));
    Ok(())
}

/// Writes the fields of a record in the plan's order, whatever order they were made in.
fn write_fields(plan: &RecordPlan, node: &Node, sink: &mut impl Sink) -> Result<(), Unwritable> {
    let Node::Record(fields) = node else { return Err(Unwritable::new("an object is expected here", "")) };
    let mut next = fields.as_slice();
    let mut written = 0;
    for (place, field) in plan.fields.iter().enumerate() {
        let value = match next {
            [(name, value), rest @ ..] if *name == field.name => {
                next = rest;
                Some(value)
            }
            _ => node.field(&field.name),
        };
        match value {
            Some(value) => {
                write_value(&field.plan, value, Some(&field.name), sink)?;
                written += 1;
            }
            None if plan.is_required(place) => return Err(Unwritable::new("a required field is missing", &field.name)),
            None => {}
        }
    }
    if written == fields.len() {
        Ok(())
    } else {
        Err(Unwritable::new("a field is not in the schema, or there twice", ""))
    }
}

fn write_value(plan: &Plan, node: &Node, name: Option<&str>, sink: &mut impl Sink) -> Result<(), Unwritable> {
    match (plan, node) {
        (Plan::Text(_), Node::Text(text)) => sink.text(name, text)?,
        (Plan::Integer(_), Node::Integer(value)) => sink.literal(name, value),
        (Plan::Boolean, Node::Boolean(value)) => sink.literal(name, value),
        (Plan::List(plan), Node::List(items)) => {
            sink.open_list(name);
            items.iter().try_for_each(|item| write_value(&plan.item, item, None, sink))?;
            sink.close_list(name);
        }
        (Plan::Record(plan), Node::Record(_)) => {
            sink.open_record(name);
            write_fields(plan, node, sink)?;
            sink.close_record(name);
        }
        _ => return Err(Unwritable::new("a value is of another type than the schema says", name.unwrap_or("item"))),
    }
    Ok(())
}
