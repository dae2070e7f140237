//! Deliveries as shown: an inbox, and where each delivery stands.
//!
//! Promises: an inbox holds what its owner has not yet taken note of, oldest first. Never: changes a row.

use crate::domain::ids::{MessageId, ParticipantCode};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::Claimed;
use crate::gateway::ports::reads::{DeliveryRow, InboxItem, InboxPage};
use crate::store::sqlite::outbox::claim::letter;
use crate::store::sqlite::row::{Record, int};
use rusqlite::{Connection, Row, params};

/// A page of an inbox.
pub(in crate::store::sqlite) fn inbox(connection: &Connection, page: &InboxPage) -> Result<Vec<InboxItem>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT o.seq, o.message, o.recipient, o.attempts, o.queued_at, o.exchange,
                coalesce(o.format, m.format) AS format, coalesce(o.content, m.content) AS content
         FROM outbox o LEFT JOIN message m ON m.id = o.message
         WHERE o.recipient = ?1 AND o.route = 'inbox' AND o.state = 'queued' AND o.seq > ?2
         ORDER BY o.seq LIMIT ?3",
    )?;
    let read = |row: &Row<'_>| Ok(InboxItem { seq: Record::new(row, "outbox").integer("seq")?, letter: letter(row)? });
    statement.query_and_then(params![page.recipient.as_str(), int(page.after), int(page.limit)], read)?.collect()
}

/// What was given, or is to be given, to one recipient.
pub(in crate::store::sqlite) fn inbox_letter(
    connection: &Connection,
    message: MessageId,
    to: &ParticipantCode,
) -> Result<Option<Claimed>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT o.seq, o.message, o.recipient, o.attempts, o.queued_at, o.exchange,
                coalesce(o.format, m.format) AS format, coalesce(o.content, m.content) AS content
         FROM outbox o LEFT JOIN message m ON m.id = o.message WHERE o.message = ?1 AND o.recipient = ?2",
    )?;
    statement.query_and_then(params![message.0.as_bytes(), to.as_str()], letter)?.next().transpose()
}

/// One delivery.
pub(in crate::store::sqlite) fn one(
    connection: &Connection,
    message: MessageId,
    to: &ParticipantCode,
) -> Result<Option<DeliveryRow>, StoreError> {
    let mut statement = connection.prepare_cached(&delivery_where("message = ?1 AND recipient = ?2"))?;
    statement.query_and_then(params![message.0.as_bytes(), to.as_str()], delivery)?.next().transpose()
}

/// The deliveries that were given up, the latest first.
pub(in crate::store::sqlite) fn undeliverable(
    connection: &Connection,
    limit: usize,
) -> Result<Vec<DeliveryRow>, StoreError> {
    let mut statement =
        connection.prepare_cached(&delivery_where("state = 'undeliverable' ORDER BY seq DESC LIMIT ?1"))?;
    statement.query_and_then([int(limit)], delivery)?.collect()
}

/// The deliveries of an exchange, receipts included, oldest first.
pub(in crate::store::sqlite) fn of_exchange(
    connection: &Connection,
    exchange: i64,
) -> Result<Vec<DeliveryRow>, StoreError> {
    let mut statement = connection.prepare_cached(&delivery_where("exchange_n = ?1 ORDER BY seq"))?;
    statement.query_and_then([exchange], delivery)?.collect()
}

/// The query that [`delivery`] reads.
fn delivery_where(condition: &str) -> String {
    format!(
        "SELECT seq, message, recipient, attempts, queued_at, ready_at, delivered_at, content_sha256, number,
                registered_on, error,
                CASE WHEN state = 'delivered' AND EXISTS (
                    SELECT 1 FROM handover h WHERE h.message = outbox.message AND h.recipient = outbox.recipient
                ) THEN 'handled_manually' ELSE state END AS stage
         FROM outbox WHERE {condition}"
    )
}

fn delivery(row: &Row<'_>) -> Result<DeliveryRow, StoreError> {
    let record = Record::new(row, "outbox");
    let state = record.string("stage")?;
    let next_at = if state == "waiting_retry" { record.opt_instant("ready_at")? } else { None };
    Ok(DeliveryRow {
        message: MessageId(record.uuid("message")?),
        recipient: record.participant("recipient")?,
        state,
        attempts: record.integer("attempts")?,
        queued_at: record.instant("queued_at")?,
        next_at,
        delivered_at: record.opt_instant("delivered_at")?,
        content_sha256: record.opt_string("content_sha256")?,
        registration: record.opt_string("number")?.zip(record.opt_date("registered_on")?),
        error: record.opt_string("error")?,
    })
}
