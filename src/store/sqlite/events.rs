//! Events: the chronology of an exchange and the live stream.
//!
//! Promises: numbered in the order of commits, without a number used twice. Never: changes or deletes one.

use crate::domain::decision::{Event, EventKind};
use crate::domain::ids::{ExchangeId, MessageId, ObligationId};
use crate::gateway::ports::StoreError;
use crate::store::sqlite::counters::{CONFLICTS, Counters};
use crate::store::sqlite::figures;
use crate::store::sqlite::refs::Refs;
use crate::store::sqlite::row::{Record, int, micros};
use rusqlite::{Connection, Row, params};

/// Writes events, and the latest instant of all.
pub(super) fn save(
    connection: &Connection,
    events: &[Event],
    (refs, counters): (&mut Refs<'_>, &mut Counters),
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO event (at, kind, exchange, obligation, message, participant, detail, exchange_n, obligation_n)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for event in events {
        insert.execute(params![
            micros(event.at),
            event.kind.code(),
            event.exchange.as_ref().map(|id| id.0.as_bytes()),
            event.obligation.as_ref().map(|id| id.0.as_bytes()),
            event.message.as_ref().map(|id| id.0.as_bytes()),
            event.participant.as_ref().map(|code| code.as_str()),
            event.detail,
            event.exchange.map(|id| refs.exchange(id)).transpose()?.flatten(),
            event.obligation.map(|id| refs.obligation(id)).transpose()?.flatten(),
        ])?;
        counters.add(CONFLICTS, i64::from(event.kind == EventKind::MessageConflict));
    }
    match events.iter().map(|event| event.at).max() {
        Some(at) => figures::saw_instant(connection, at),
        None => Ok(()),
    }
}

/// Events after a number, with their numbers.
pub(super) fn after(connection: &Connection, seq: u64, limit: usize) -> Result<Vec<(u64, Event)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, at, kind, exchange, obligation, message, participant, detail
         FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    )?;
    let read = |row: &Row<'_>| Ok((Record::new(row, "event").integer("seq")?, read(row)?));
    statement.query_and_then([int(seq), int(limit)], read)?.collect()
}

/// The number of the last event; 0 before the first.
pub(super) fn last(connection: &Connection) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT coalesce(max(seq), 0) AS seq FROM event")?;
    let read = |row: &Row<'_>| Record::new(row, "event").integer("seq");
    statement.query_and_then([], read)?.next().unwrap_or(Ok(0))
}

/// The events of an exchange, oldest first.
pub(super) fn of_exchange(connection: &Connection, exchange: i64) -> Result<Vec<Event>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, at, kind, exchange, obligation, message, participant, detail
         FROM event WHERE exchange_n = ?1 ORDER BY seq",
    )?;
    statement.query_and_then([exchange], read)?.collect()
}

/// The latest thing that happened to an obligation; that somebody has read of it is none.
pub(super) fn latest_of_obligation(connection: &Connection, obligation: i64) -> Result<Option<Event>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, at, kind, exchange, obligation, message, participant, detail
         FROM event WHERE obligation_n = ?1 AND kind <> 'disclosure.evidence' ORDER BY seq DESC LIMIT 1",
    )?;
    statement.query_and_then([obligation], read)?.next().transpose()
}

fn read(row: &Row<'_>) -> Result<Event, StoreError> {
    let record = Record::new(row, "event");
    Ok(Event {
        at: record.instant("at")?,
        kind: record.one_of("kind")?,
        exchange: record.opt_uuid("exchange")?.map(ExchangeId),
        obligation: record.opt_uuid("obligation")?.map(ObligationId),
        message: record.opt_uuid("message")?.map(MessageId),
        participant: record.opt_participant("participant")?,
        detail: record.opt_string("detail")?,
    })
}
