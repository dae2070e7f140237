//! Receipts: what the gateway itself tells a sender over the queue.
//!
//! Promises: written in the same transaction as what it says; the id follows from the message, so that a repeat gets
//! the very same receipt. Never: says «registered» for somebody else (only a recipient's number makes that).

use crate::domain::decision::Arrived;
use crate::domain::ids::{ExchangeId, MessageId, ParticipantCode, TypeCode};
use crate::domain::message::{Body, Envelope, Format, Message, Node, Timestamp};
use crate::format;
use crate::gateway::Inner;
use crate::gateway::ports::decisions::{Accepted, OutboxRow, RouteKind};
use crate::gateway::rejection::{Rejection, RejectionKind};
use crate::gateway::working_set::{WorkingSet, route_kind};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use uuid::Uuid;

/// Queues the receipt of an accepted message: its registration, its obligations and their due dates.
pub(super) fn accepted(arrived: &Arrived, outcome: &Accepted, work: &mut WorkingSet<'_>) -> Result<(), Rejection> {
    let mut body = vec![
        field("accepted", Node::Boolean(true)),
        field("time", time(work.inner, &arrived.from, outcome.received_at)),
    ];
    if outcome.parked {
        body.push(field("comment", text("the message it answers has not come yet; it waits for it")));
    }
    let registration = vec![field("number", text(&outcome.number)), field("date", text(outcome.date))];
    body.push(field("registration", Node::Record(registration)));
    let obligations: Vec<Node> = outcome.obligations.iter().map(obligation).collect();
    if !obligations.is_empty() {
        body.push(field("obligations", Node::List(obligations)));
    }
    let of = Receipt {
        code: "receipt.delivery",
        id: Uuid::new_v5(&arrived.message.0, b"receipt"),
        to: arrived.from.clone(),
        answers: Some((arrived.message, outcome.exchange)),
        at: outcome.received_at,
        body,
    };
    let (row, message) = of.into_row(work.inner, work.ctx.now)?;
    work.keep_read(&message, 0);
    work.changes.outbox.push(row);
    Ok(())
}

fn obligation(opened: &crate::domain::decision::Opened) -> Node {
    Node::Record(vec![
        field("id", text(opened.id)),
        field("performer", text(&opened.performer)),
        field("due_on", text(opened.due_on)),
        field("reply_by_differs", Node::Boolean(opened.reply_by_differs)),
    ])
}

/// The refusal of what could not be taken, to the sender that the broker has authenticated. The same bytes may be
/// refused again for another reason (a property was mended, a participant imported): that is another refusal.
pub(super) fn refusal(
    inner: &Inner,
    to: &ParticipantCode,
    (message, rejection): (Option<MessageId>, &Rejection),
    content_sha256: &str,
) -> Result<OutboxRow, Rejection> {
    let now = inner.now();
    let mut body = vec![field("code", text(rejection.code)), field("comment", text(place(rejection)))];
    let faults: Vec<Node> = rejection.faults.iter().map(fault).collect();
    if !faults.is_empty() {
        body.push(field("faults", Node::List(faults)));
    }
    let places = rejection.faults.iter().map(|fault| format!("{} {} {}", fault.path, fault.code, fault.message));
    let said: Vec<String> = [rejection.code.to_owned(), place(rejection)].into_iter().chain(places).collect();
    let name = format!("refusal-{content_sha256}-{}", said.join("\n"));
    let of = Receipt {
        code: "receipt.refusal",
        id: Uuid::new_v5(&message.map_or(Uuid::nil(), |id| id.0), name.as_bytes()),
        to: to.clone(),
        answers: message.map(|id| (id, ExchangeId::from(id))),
        at: now,
        body,
    };
    of.into_row(inner, now).map(|(row, _)| row)
}

/// The words of a rejection with the place in the document.
fn place(rejection: &Rejection) -> String {
    match (rejection.line, rejection.column) {
        (Some(line), Some(column)) => format!("{} (line {line}, column {column})", rejection.message),
        _ => rejection.message.clone(),
    }
}

fn fault(fault: &crate::gateway::rejection::FaultView) -> Node {
    let path: String = fault.path.chars().take(500).collect();
    let message: String = fault.message.chars().take(2000).collect();
    Node::Record(vec![field("path", text(path)), field("code", text(fault.code)), field("message", text(message))])
}

struct Receipt {
    code: &'static str,
    id: Uuid,
    to: ParticipantCode,
    answers: Option<(MessageId, ExchangeId)>,
    at: DateTime<Utc>,
    body: Vec<(Arc<str>, Node)>,
}

impl Receipt {
    fn into_row(self, inner: &Inner, now: DateTime<Utc>) -> Result<(OutboxRow, Arc<Message>), Rejection> {
        let recipient = inner.participant(&self.to);
        let zoned = recipient.as_ref().map_or_else(|| self.at.fixed_offset(), |body| body.zone.with_offset(self.at));
        let envelope = Envelope {
            id: MessageId(self.id),
            exchange: self.answers.map(|(_, exchange)| exchange),
            in_reply_to: self.answers.map(|(message, _)| message),
            type_code: TypeCode::new(self.code).map_err(|_| fault_of_ours())?,
            version: 1,
            from: ParticipantCode::gateway(),
            to: vec![self.to.clone()],
            created_at: Timestamp::from(zoned),
            case: None,
            support: None,
            legal_basis: Vec::new(),
            consent: None,
            no_consent_ground: None,
            registration: None,
            signatory: None,
            executor: None,
            reply_by: None,
            summary: None,
            attachments: Vec::new(),
            test: None,
        };
        let message = Message { envelope, body: Body::new(Node::Record(self.body)) };
        let content = format::write(&message, Format::Json, &inner.catalogue).map_err(|_| fault_of_ours())?;
        let row = OutboxRow {
            message: MessageId(self.id),
            recipient: self.to,
            route: recipient.as_ref().map_or(RouteKind::Inbox, |body| route_kind(body)),
            exchange: self.answers.map(|(_, exchange)| exchange),
            content: Some((Format::Json, Bytes::from(content))),
            queued_at: now,
        };
        Ok((row, Arc::new(message)))
    }
}

fn fault_of_ours() -> Rejection {
    tracing::error!("a receipt does not fit its schema");
    Rejection::new(RejectionKind::Unavailable, "internal", "a receipt of the gateway's own could not be written")
}

fn time(inner: &Inner, of: &ParticipantCode, at: DateTime<Utc>) -> Node {
    let zoned = inner.participant(of).map_or_else(|| at.fixed_offset(), |body| body.zone.with_offset(at));
    text(Timestamp::from(zoned).as_str())
}

fn field(name: &str, node: Node) -> (Arc<str>, Node) {
    (Arc::from(name), node)
}

fn text(value: impl std::fmt::Display) -> Node {
    Node::Text(value.to_string())
}
