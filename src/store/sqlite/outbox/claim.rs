//! Leasing deliveries to the worker that sends them.
//!
//! Promises: a letter is not leased while an earlier one of the same exchange to the same recipient is on its way or waits
//! for its time; costs the same however many are done. Never: leases a row of an inbox.

use super::standing::Standing;
use crate::domain::delivery::waits_until_max;
use crate::domain::delivery_stage::Stage;
use crate::domain::ids::{ExchangeId, MessageId};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::{Claim, Claimed};
use crate::limits::CLAIM_BYTES_MAX;
use crate::store::sqlite::counters::{self, Counters, of_stage};
use crate::store::sqlite::row::{Record, int, micros};
use bytes::Bytes;
use rusqlite::{Connection, Row, params};

/// Leases what is ready: queued, due for another attempt, left by a worker that died, or put off by a clock that ran
/// ahead and is right again.
pub(in crate::store::sqlite) fn claim(
    connection: &Connection,
    claim: &Claim,
    counters: &mut Counters,
) -> Result<Vec<Claimed>, StoreError> {
    // A clock that ran ahead has put them off; the search in the index finds none on any other day.
    let mut bring_back = connection.prepare_cached(
        "UPDATE outbox SET ready_at = ?2
         WHERE route = ?1 AND route <> 'inbox' AND ready_at IS NOT NULL AND ready_at > ?3",
    )?;
    let latest = micros(waits_until_max(claim.now));
    bring_back.execute(params![claim.route.code(), micros(claim.now), latest])?;
    let mut ready = connection.prepare_cached(
        "SELECT o.seq, o.state, o.message, o.recipient, o.attempts, o.queued_at, o.exchange,
                coalesce(o.format, m.format) AS format, coalesce(o.content, m.content) AS content
         FROM outbox o LEFT JOIN message m ON m.id = o.message
         WHERE o.route = ?1 AND o.route <> 'inbox' AND o.ready_at <= ?2
             AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.exchange_n = o.exchange_n AND e.recipient = o.recipient
                 AND e.seq < o.seq AND e.ready_at IS NOT NULL AND e.route <> 'inbox')
         ORDER BY o.ready_at, o.seq LIMIT ?3",
    )?;
    let read = |row: &Row<'_>| {
        let record = Record::new(row, "outbox");
        let standing = Standing { seq: record.integer("seq")?, stage: record.one_of("state")?, has_number: false };
        Ok::<_, StoreError>((standing, letter(row)))
    };
    let values = params![claim.route.code(), micros(claim.now), int(claim.limit)];
    let (mut found, mut bytes) = (Vec::new(), 0);
    for row in ready.query_and_then(values, read)? {
        let (standing, letter): (Standing, Result<Claimed, StoreError>) = row?;
        bytes += letter.as_ref().map_or(0, |letter| letter.content.len());
        found.push((standing, letter));
        if bytes >= CLAIM_BYTES_MAX {
            break;
        }
    }

    let mut lease = connection.prepare_cached("UPDATE outbox SET state = 'sending', ready_at = ?2 WHERE seq = ?1")?;
    let mut stop = connection
        .prepare_cached("UPDATE outbox SET state = 'undeliverable', ready_at = NULL, error = ?2 WHERE seq = ?1")?;
    let mut leased = Vec::with_capacity(found.len());
    for (standing, letter) in found {
        match letter {
            Ok(letter) => {
                lease.execute(params![standing.seq, micros(claim.lease_until)])?;
                standing.count(Stage::Sending, counters);
                leased.push(letter);
            }
            // One unreadable row must not hold up all others: a person sees it.
            Err(error) => {
                stop.execute(params![standing.seq, error.to_string()])?;
                standing.count(Stage::Undeliverable, counters);
            }
        }
    }
    Ok(leased)
}

/// Ends every lease: only for who knows that nobody else is sending.
pub(in crate::store::sqlite) fn end_leases(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction()?;
    let ended = transaction.execute(
        "UPDATE outbox SET state = 'queued', ready_at = queued_at WHERE ready_at IS NOT NULL AND state = 'sending'",
        [],
    )?;
    let ended = i64::try_from(ended).unwrap_or(i64::MAX);
    let mut counters = Counters::default();
    counters.add(of_stage(Stage::Sending), -ended);
    counters.add(of_stage(Stage::Queued), ended);
    counters::write(&counters, &transaction)?;
    Ok(transaction.commit()?)
}

/// A row of the outbox with what it delivers.
pub(super) fn letter(row: &Row<'_>) -> Result<Claimed, StoreError> {
    let record = Record::new(row, "outbox");
    Ok(Claimed {
        message: MessageId(record.uuid("message")?),
        recipient: record.participant("recipient")?,
        exchange: record.opt_uuid("exchange")?.map(ExchangeId),
        format: record.one_of("format")?,
        content: Bytes::copy_from_slice(record.blob("content")?),
        attempts: record.integer("attempts")?,
        queued_at: record.instant("queued_at")?,
        read: None,
    })
}
