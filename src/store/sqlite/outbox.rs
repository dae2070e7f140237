//! The outbox: deliveries owed, under way, and done.
//!
//! Promises: a row under a live lease is nobody else's; what is proven (delivered, registered, refused) is never taken
//! back by a later attempt. Never: delivers anything.

mod claim;
mod settle;
mod standing;
mod view;

pub(super) use claim::{claim, end_leases};
pub(super) use settle::{prove, settle};
pub(super) use view::{inbox, inbox_letter, of_exchange, one, undeliverable};

use crate::domain::delivery_stage::Stage;
use crate::domain::ids::{MessageId, ParticipantCode};
use crate::gateway::ports::decisions::{OutboxRow, RouteKind, StoredMessage, Taking};
use crate::gateway::ports::{Changes, StoreError};
use crate::store::sqlite::counters::{ACCEPTED_ADDRESSEES, Counters, of_stage};
use crate::store::sqlite::messages::format_code;
use crate::store::sqlite::refs::Refs;
use crate::store::sqlite::row::{Record, micros};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};
use standing::{Finder, Standing};
use std::collections::HashMap;

/// Queues deliveries. A row that exists is sent again, under a new number so that no inbox cursor has passed it, unless
/// it is still on its way. What no accepted message owes (receipts, what was forwarded) is counted as owed here. Gives
/// what it has leased.
pub(super) fn queue(
    connection: &Connection,
    changes: &Changes,
    (refs, counters): (&mut Refs<'_>, &mut Counters),
) -> Result<Vec<(MessageId, ParticipantCode)>, StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO outbox (message, recipient, route, exchange, exchange_n, state, queued_at, ready_at, format,
                             content)
         VALUES (?1, ?2, coalesce((SELECT route FROM participant WHERE code = ?2), ?3), ?4, ?5, ?9, ?6, ?10, ?7, ?8)
         ON CONFLICT (message, recipient) DO NOTHING",
    )?;
    let saved: HashMap<MessageId, &StoredMessage> = changes.messages.iter().map(|one| (one.id, one)).collect();
    let mut leased = Vec::new();
    for row in &changes.outbox {
        let exchange_n = row.exchange.map(|id| refs.exchange(id)).transpose()?.flatten();
        let lease_until = lease_until(connection, (row, exchange_n), changes.taking.as_ref())?;
        let stage = if lease_until.is_some() { Stage::Sending } else { Stage::Queued };
        let new = insert.execute(params![
            row.message.0.as_bytes(),
            row.recipient.as_str(),
            row.route.code(),
            row.exchange.as_ref().map(|id| id.0.as_bytes()),
            exchange_n,
            micros(row.queued_at),
            row.content.as_ref().map(|(format, _)| format_code(*format)),
            row.content.as_ref().map(|(_, content)| &content[..]),
            stage.code(),
            micros(lease_until.unwrap_or(row.queued_at)),
        ])?;
        if new == 0 {
            queue_again(connection, row, counters)?;
            continue;
        }
        leased.extend(lease_until.map(|_| (row.message, row.recipient.clone())));
        counters.add(of_stage(stage), 1);
        if !is_owed(connection, row, saved.get(&row.message))? {
            counters.add(ACCEPTED_ADDRESSEES, 1);
        }
    }
    Ok(leased)
}

/// Until when a new row is leased at once: if that is wanted, it goes by the way that was thought, and no letter of its
/// exchange is on its way to the same recipient.
fn lease_until(
    connection: &Connection,
    (row, exchange_n): (&OutboxRow, Option<i64>),
    taking: Option<&Taking>,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let Some(taking) = taking.filter(|taking| taking.letters.contains(&(row.message, row.recipient.clone()))) else {
        return Ok(None);
    };
    let mut free = connection.prepare_cached(
        "SELECT coalesce((SELECT route FROM participant WHERE code = ?1), ?2) = ?2
             AND CASE WHEN ?3 IS NULL THEN ?4 ELSE NOT EXISTS (
                 SELECT 1 FROM outbox e WHERE e.exchange_n = ?3 AND e.recipient = ?1 AND e.ready_at IS NOT NULL) END",
    )?;
    let values = params![row.recipient.as_str(), row.route.code(), exchange_n, row.exchange.is_none()];
    let is_free: bool = free.query_row(values, |row| row.get(0))?;
    Ok(is_free.then_some(taking.lease_until))
}

fn queue_again(connection: &Connection, row: &OutboxRow, counters: &mut Counters) -> Result<(), StoreError> {
    let found = Finder::new(connection)?.find(row.message, &row.recipient)?;
    let Some(standing) = found.filter(|found| !found.stage.is_on_its_way()) else { return Ok(()) };
    let mut update = connection.prepare_cached(
        "UPDATE outbox SET seq = (SELECT max(seq) + 1 FROM outbox), state = 'queued', attempts = 0,
                           route = coalesce((SELECT p.route FROM participant p WHERE p.code = outbox.recipient), ?2),
                           queued_at = ?3, ready_at = ?3
         WHERE seq = ?1",
    )?;
    update.execute(params![standing.seq, row.route.code(), micros(row.queued_at)])?;
    standing.count(Stage::Queued, counters);
    Ok(())
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
                        AND delivered_at IS NULL
                        AND (ready_at IS NOT NULL OR state = 'undeliverable'))",
    )?;
    Ok(statement.query_row(params![message.0.as_bytes(), to.as_str()], |row| row.get(0))?)
}

/// Whether a delivery was given up.
pub(super) fn is_given_up(
    connection: &Connection,
    message: MessageId,
    to: &ParticipantCode,
) -> Result<bool, StoreError> {
    let found = Finder::new(connection)?.find(message, to)?;
    Ok(found.is_some_and(|standing| standing.stage.is_given_up()))
}

/// Whether a letter has neither arrived nor was refused.
pub(super) fn is_waiting(
    connection: &Connection,
    message: MessageId,
    to: &ParticipantCode,
) -> Result<bool, StoreError> {
    let found = Finder::new(connection)?.find(message, to)?;
    Ok(found.is_some_and(|one| one.stage.is_on_its_way() || one.stage.is_given_up()))
}

/// After an import: what waits goes by the way its recipient has now. What was being sent to somebody who now has an
/// inbox waits there; should the attempt under way succeed all the same, it is settled as delivered.
pub(super) fn reroute(connection: &Connection, counters: &mut Counters) -> Result<(), StoreError> {
    let mut changed = connection.prepare_cached(
        "SELECT o.seq, o.state, p.route FROM outbox o JOIN participant p ON p.code = o.recipient
         WHERE o.ready_at IS NOT NULL AND o.route <> p.route",
    )?;
    let read = |row: &Row<'_>| {
        let record = Record::new(row, "outbox");
        let standing = Standing { seq: record.integer("seq")?, stage: record.one_of("state")?, has_number: false };
        Ok::<(Standing, RouteKind), StoreError>((standing, record.one_of("route")?))
    };
    let rows = changed.query_and_then([], read)?.collect::<Result<Vec<_>, _>>()?;
    let mut update = connection.prepare_cached(
        "UPDATE outbox SET route = ?2, state = ?3, ready_at = CASE WHEN ?2 = 'inbox' THEN queued_at ELSE ready_at END
         WHERE seq = ?1",
    )?;
    for (standing, route) in rows {
        let to = if route == RouteKind::Inbox { Stage::Queued } else { standing.stage };
        update.execute(params![standing.seq, route.code(), to.code()])?;
        standing.count(to, counters);
    }
    Ok(())
}
