//! Rows of the outbox: found, locked, written back.
//!
//! Promises: rows are locked in the order of their keys. Never: decides what becomes of one.

use super::delivery::{Delivery, Key};
use crate::domain::delivery_stage::Stage;
use crate::domain::ids::{ExchangeId, MessageId};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::RouteKind;
use crate::store::postgres::row::Record;
use sqlx::PgConnection;
use sqlx::postgres::{PgBindIterExt, PgRow};
use std::collections::{HashMap, HashSet};

/// Where a delivery stands, as decisions ask for it.
pub(in crate::store::postgres) struct Standing {
    pub(in crate::store::postgres) stage: Stage,
    route: RouteKind,
    delivered: bool,
}

impl Standing {
    /// It has not reached its recipient over AMQP or push; what waits in an inbox has reached it.
    pub(in crate::store::postgres) fn is_under_way(&self) -> bool {
        self.route != RouteKind::Inbox && !self.delivered && self.is_waiting()
    }

    /// It has neither arrived nor was refused.
    pub(in crate::store::postgres) fn is_waiting(&self) -> bool {
        self.stage.is_on_its_way() || self.is_given_up()
    }

    /// It was given up.
    pub(in crate::store::postgres) fn is_given_up(&self) -> bool {
        self.stage.is_given_up()
    }
}

/// Where these deliveries stand; those that there are.
pub(in crate::store::postgres) async fn standings(
    connection: &mut PgConnection,
    keys: &HashSet<Key>,
) -> Result<HashMap<Key, Standing>, StoreError> {
    const FIND: &str = "SELECT o.message, o.recipient, o.state, o.route, o.delivered_at IS NOT NULL AS delivered
         FROM unnest($1::uuid[], $2::text[]) AS key (message, recipient)
         JOIN outbox o ON o.message = key.message AND o.recipient = key.recipient";
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let query = sqlx::query(FIND)
        .bind(keys.iter().map(|(message, _)| message.0).bind_iter())
        .bind(keys.iter().map(|(_, recipient)| recipient.as_str()).bind_iter());
    let read = |row: &PgRow| {
        let record = Record::new(row, "outbox");
        let (stage, route) = (record.one_of("state")?, record.one_of("route")?);
        Ok((key(&record)?, Standing { stage, route, delivered: record.boolean("delivered")? }))
    };
    query.fetch_all(connection).await?.iter().map(read).collect()
}

fn key(record: &Record<'_>) -> Result<Key, StoreError> {
    Ok((MessageId(record.uuid("message")?), record.participant("recipient")?))
}

/// Locks these rows until the end of the transaction; those that there are. A claim that has one of them is waited for.
pub(super) async fn lock(
    connection: &mut PgConnection,
    keys: &HashSet<Key>,
) -> Result<HashMap<Key, Delivery>, StoreError> {
    const LOCK: &str = "SELECT o.seq, o.message, o.recipient, o.state, o.route, o.attempts, o.queued_at, o.ready_at,
             o.holder, o.delivered_at, o.content_sha256, o.number, o.registered_on, o.error, o.exchange, o.exchange_n
         FROM unnest($1::uuid[], $2::text[]) AS key (message, recipient)
         JOIN outbox o ON o.message = key.message AND o.recipient = key.recipient
         ORDER BY o.message, o.recipient FOR UPDATE OF o";
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let query = sqlx::query(LOCK)
        .bind(keys.iter().map(|(message, _)| message.0).bind_iter())
        .bind(keys.iter().map(|(_, recipient)| recipient.as_str()).bind_iter());
    query.fetch_all(connection).await?.iter().map(read).collect()
}

fn read(row: &PgRow) -> Result<(Key, Delivery), StoreError> {
    let record = Record::new(row, "outbox");
    let stage = record.one_of("state")?;
    let holder = record.opt_integer("holder")?.map(|_| record.integer("holder")).transpose()?;
    let exchange = record.opt_uuid("exchange")?.map(ExchangeId).zip(record.opt_integer("exchange_n")?);
    let delivery = Delivery {
        exchange,
        seq: record.integer("seq")?,
        was: stage,
        stage,
        route: record.one_of("route")?,
        attempts: record.integer("attempts")?,
        queued_at: record.instant("queued_at")?,
        ready_at: record.opt_instant("ready_at")?,
        holder,
        delivered_at: record.opt_instant("delivered_at")?,
        content_sha256: record.opt_string("content_sha256")?,
        number: record.opt_string("number")?,
        registered_on: record.opt_date("registered_on")?,
        error: record.opt_string("error")?,
        changed: false,
        is_new: false,
        queued_again: false,
    };
    Ok((key(&record)?, delivery))
}

/// Writes what changed back to the rows.
pub(super) async fn write(connection: &mut PgConnection, rows: &[&Delivery]) -> Result<(), StoreError> {
    const WRITE: &str = "UPDATE outbox SET state = new.state, route = new.route, attempts = new.attempts,
             queued_at = new.queued_at, ready_at = new.ready_at, holder = new.holder,
             delivered_at = new.delivered_at, content_sha256 = new.content_sha256, number = new.number,
             registered_on = new.registered_on, error = new.error
         FROM unnest($1::bigint[], $2::text[], $3::text[], $4::integer[], $5::timestamptz[], $6::timestamptz[],
             $7::integer[], $8::timestamptz[], $9::text[], $10::text[], $11::date[], $12::text[])
             AS new (seq, state, route, attempts, queued_at, ready_at, holder, delivered_at, content_sha256, number,
                 registered_on, error)
         WHERE outbox.seq = new.seq";
    // A new number, so that whoever reads the inbox by cursor comes to it again; and the way that its recipient has now.
    const RENUMBER: &str = "UPDATE outbox SET seq = DEFAULT,
             route = coalesce((SELECT p.route FROM participant p WHERE p.code = outbox.recipient), outbox.route)
         WHERE seq = ANY($1)";
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(WRITE)
        .bind(rows.iter().map(|row| row.seq).bind_iter())
        .bind(rows.iter().map(|row| row.stage.code()).bind_iter())
        .bind(rows.iter().map(|row| row.route.code()).bind_iter())
        .bind(rows.iter().map(|row| i32::try_from(row.attempts).unwrap_or(i32::MAX)).bind_iter())
        .bind(rows.iter().map(|row| row.queued_at).bind_iter())
        .bind(rows.iter().map(|row| row.ready_at).bind_iter())
        .bind(rows.iter().map(|row| row.holder).bind_iter())
        .bind(rows.iter().map(|row| row.delivered_at).bind_iter())
        .bind(rows.iter().map(|row| row.content_sha256.as_deref()).bind_iter())
        .bind(rows.iter().map(|row| row.number.as_deref()).bind_iter())
        .bind(rows.iter().map(|row| row.registered_on).bind_iter())
        .bind(rows.iter().map(|row| row.error.as_deref()).bind_iter())
        .execute(&mut *connection)
        .await?;
    let again: Vec<i64> = rows.iter().filter(|row| row.queued_again).map(|row| row.seq).collect();
    if !again.is_empty() {
        sqlx::query(RENUMBER).bind(again).execute(connection).await?;
    }
    Ok(())
}
