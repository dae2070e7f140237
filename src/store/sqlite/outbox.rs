//! The outbox: deliveries owed, under way, and done.
//!
//! Promises: a row under a live lease is nobody else's; what is proven (delivered, registered, refused) is never taken
//! back by a later attempt. Never: delivers anything.

mod claim;
mod settle;
mod view;

pub(super) use claim::{claim, end_leases};
pub(super) use settle::{prove, settle};
pub(super) use view::{inbox, inbox_letter, of_exchange, one};

use crate::domain::ids::{MessageId, ParticipantCode};
use crate::gateway::ports::decisions::{OutboxRow, StoredMessage};
use crate::gateway::ports::{Changes, StoreError};
use crate::store::sqlite::messages::format_code;
use crate::store::sqlite::refs::Refs;
use crate::store::sqlite::row::{Record, micros};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::HashMap;

/// Queues deliveries. A row that exists is sent again, under a new number so that no inbox cursor has passed it, unless
/// it is still on its way. Gives how many new rows no accepted message owes: receipts, and what was forwarded.
pub(super) fn queue(connection: &Connection, changes: &Changes, refs: &mut Refs<'_>) -> Result<i64, StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO outbox (message, recipient, route, exchange, exchange_n, state, queued_at, ready_at, format,
                             content)
         VALUES (?1, ?2, ?3, ?4, ?5, 'queued', ?6, ?6, ?7, ?8)
         ON CONFLICT (message, recipient) DO NOTHING",
    )?;
    let mut again = connection.prepare_cached(
        "UPDATE outbox SET seq = (SELECT max(seq) + 1 FROM outbox), state = 'queued', attempts = 0, route = ?3,
                           queued_at = ?4, ready_at = ?4
         WHERE message = ?1 AND recipient = ?2 AND state NOT IN ('queued', 'sending', 'waiting_retry')",
    )?;
    let saved: HashMap<MessageId, &StoredMessage> = changes.messages.iter().map(|one| (one.id, one)).collect();
    let mut beyond = 0;
    for row in &changes.outbox {
        let (message, recipient, queued_at) = (row.message.0.as_bytes(), row.recipient.as_str(), micros(row.queued_at));
        let exchange = row.exchange.as_ref().map(|id| id.0.as_bytes());
        let exchange_n = row.exchange.map(|id| refs.exchange(id)).transpose()?.flatten();
        let format = row.content.as_ref().map(|(format, _)| format_code(*format));
        let content = row.content.as_ref().map(|(_, content)| &content[..]);
        let route = row.route.code();
        let values = params![message, recipient, route, exchange, exchange_n, queued_at, format, content];
        let new = insert.execute(values)?;
        if new == 0 {
            again.execute(params![message, recipient, route, queued_at])?;
        } else if !is_owed(connection, row, saved.get(&row.message))? {
            beyond += 1;
        }
    }
    Ok(beyond)
}

/// Whether an accepted message names this recipient. A row without content whose message is not on record could never
/// be delivered, and is refused.
fn is_owed(connection: &Connection, row: &OutboxRow, saved: Option<&&StoredMessage>) -> Result<bool, StoreError> {
    if row.content.is_some() {
        return Ok(false);
    }
    if let Some(message) = saved {
        return Ok(message.recipients.contains(&row.recipient));
    }
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM json_each(m.recipients) r WHERE r.value = ?2) FROM message m WHERE m.id = ?1",
    )?;
    let values = params![row.message.0.as_bytes(), row.recipient.as_str()];
    let owed: Option<bool> = statement.query_row(values, |row| row.get(0)).optional()?;
    owed.ok_or_else(|| StoreError::Rejected("a delivery names a message that is not on record".into()))
}

/// Whether a message has not reached a recipient over AMQP or push; what waits in an inbox has reached it.
pub(super) fn is_under_way(
    connection: &Connection,
    message: MessageId,
    to: &ParticipantCode,
) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM outbox WHERE message = ?1 AND recipient = ?2 AND route <> 'inbox'
                        AND delivered_at IS NULL AND state NOT IN ('delivered', 'registered', 'rejected'))",
    )?;
    Ok(statement.query_row(params![message.0.as_bytes(), to.as_str()], |row| row.get(0))?)
}

/// After an import: what waits goes by the way its recipient has now. What was being sent to somebody who now has an
/// inbox waits there; should the attempt under way succeed all the same, it is settled as delivered.
pub(super) fn reroute(connection: &Connection) -> Result<(), StoreError> {
    let mut changed = connection.prepare_cached(
        "SELECT o.seq, p.route FROM outbox o JOIN participant p ON p.code = o.recipient
         WHERE o.ready_at IS NOT NULL AND o.route <> p.route",
    )?;
    let read = |row: &Row<'_>| {
        let record = Record::new(row, "outbox");
        Ok::<(i64, String), StoreError>((record.integer("seq")?, record.string("route")?))
    };
    let rows = changed.query_and_then([], read)?.collect::<Result<Vec<_>, _>>()?;
    let mut update = connection.prepare_cached(
        "UPDATE outbox SET route = ?2,
             state = CASE WHEN ?2 = 'inbox' THEN 'queued' ELSE state END,
             ready_at = CASE WHEN ?2 = 'inbox' THEN queued_at ELSE ready_at END
         WHERE seq = ?1",
    )?;
    for (seq, route) in rows {
        update.execute(params![seq, route])?;
    }
    Ok(())
}
