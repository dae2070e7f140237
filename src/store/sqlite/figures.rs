//! Figures: the conservation rule, the queues, the board's buckets.
//!
//! Promises: a scrape reads counters and the ends of indexes; the tally reads ranges of one index. Never: corrects a
//! gap; it is shown.

use crate::gateway::ports::StoreError;
use crate::gateway::ports::reads::{Figures, Tally, TallyAt};
use crate::store::sqlite::counters::{ACCEPTED_ADDRESSEES, CONFLICTS, OBLIGATIONS_OPEN, QUARANTINED};
use crate::store::sqlite::row::{Record, micros};
use chrono::{DateTime, Utc};
use rusqlite::types::ToSql;
use rusqlite::{Connection, Row, params};
use std::collections::HashMap;

/// Remembers an instant, if it is the latest.
pub(super) fn saw_instant(connection: &Connection, at: DateTime<Utc>) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO figure (name, value) VALUES ('latest_instant_us', ?1)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE excluded.value > value",
    )?;
    statement.execute([micros(at)])?;
    Ok(())
}

/// Says that participants have changed.
pub(super) fn raise_generation(connection: &Connection) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO figure (name, value) VALUES ('participants_generation', 1)
         ON CONFLICT (name) DO UPDATE SET value = value + 1",
    )?;
    statement.execute([])?;
    Ok(())
}

/// The latest instant of any event.
pub(super) fn latest_instant(connection: &Connection) -> Result<Option<DateTime<Utc>>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT name, value FROM figure WHERE name = 'latest_instant_us'")?;
    statement.query_and_then([], |row| Record::new(row, "figure").instant("value"))?.next().transpose()
}

/// How often participants have been imported.
pub(super) fn generation(connection: &Connection) -> Result<u64, StoreError> {
    Ok(*all(connection)?.get("participants_generation").unwrap_or(&0))
}

/// Figures for metrics and health.
pub(super) fn figures(connection: &Connection) -> Result<Figures, StoreError> {
    let figure = all(connection)?;
    let of = |name: &str| figure.get(name).copied().unwrap_or(0);
    Ok(Figures {
        deliveries_owed: of("delivery.queued") + of("delivery.sending"),
        deliveries_waiting: of("delivery.waiting_retry"),
        deliveries_done: of("delivery.delivered") + of("delivery.registered"),
        deliveries_undeliverable: of("delivery.undeliverable"),
        deliveries_rejected: of("delivery.rejected"),
        accepted_addressees: of(ACCEPTED_ADDRESSEES),
        parked: number(
            connection,
            "SELECT coalesce(sum(parked_count), 0) AS n FROM exchange WHERE parked_count > 0",
            &[],
        )?,
        open: of(OBLIGATIONS_OPEN),
        quarantined: of(QUARANTINED),
        conflicts: of(CONFLICTS),
        oldest_waiting_at: oldest_waiting(connection)?,
    })
}

fn all(connection: &Connection) -> Result<HashMap<String, u64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT name, value FROM figure")?;
    let read = |row: &Row<'_>| {
        let record = Record::new(row, "figure");
        Ok((record.string("name")?, record.integer("value")?))
    };
    statement.query_and_then([], read)?.collect()
}

fn oldest_waiting(connection: &Connection) -> Result<Option<DateTime<Utc>>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT min(queued_at) AS queued_at FROM outbox WHERE ready_at IS NOT NULL")?;
    statement.query_and_then([], |row| Record::new(row, "outbox").opt_instant("queued_at"))?.next().unwrap_or(Ok(None))
}

/// One number of the only row of a query, named `n`.
fn number(connection: &Connection, sql: &str, values: &[&dyn ToSql]) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let read = |row: &Row<'_>| Record::new(row, "figure").integer("n");
    statement.query_and_then(values, read)?.next().unwrap_or(Ok(0))
}

/// The board's first line. A due instant is the end of its day, so that «today» includes its own end.
pub(super) fn tally(connection: &Connection, at: &TallyAt) -> Result<Tally, StoreError> {
    let soon_until = at.today_until.max(at.soon_until);
    let week_until = soon_until.max(at.week_until);
    let open = number(connection, "SELECT value AS n FROM figure WHERE name = ?1", &[&OBLIGATIONS_OPEN])?;
    let overdue = number(
        connection,
        "SELECT count(*) AS n FROM obligation WHERE state = 'running' AND due_at < ?1",
        &[&micros(at.now)],
    )?;
    let today = due_within(connection, (at.now, true), at.today_until)?;
    let soon = due_within(connection, (at.today_until, false), soon_until)?;
    let week = due_within(connection, (soon_until, false), week_until)?;
    Ok(Tally {
        overdue,
        overdue_bodies: bodies(connection, at.now, "")?,
        today,
        soon,
        week,
        later: open.saturating_sub(overdue + today + soon + week),
        silent_bodies: bodies(connection, at.now, "AND interim = 0")?,
        // The state stands in the text, because an index of some rows is used only where SQLite can see that it fits.
        prepared: number(connection, "SELECT count(*) AS n FROM rung WHERE state = 'prepared'", &[])?,
        next_due_at: next_due(connection, at.now)?,
    })
}

/// Open obligations due from (or after) one instant to another.
fn due_within(
    connection: &Connection,
    (from, inclusive): (DateTime<Utc>, bool),
    until: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let from = micros(from) + i64::from(!inclusive);
    let sql = "SELECT count(*) AS n FROM obligation WHERE state = 'running' AND due_at BETWEEN ?1 AND ?2";
    number(connection, sql, &[&from, &micros(until)])
}

/// Bodies with an overdue obligation. Walks from one performer to the next in the index, so that it costs by bodies
/// and not by obligations.
fn bodies(connection: &Connection, now: DateTime<Utc>, further: &'static str) -> Result<u64, StoreError> {
    let sql = format!(
        "WITH RECURSIVE body (code) AS (
             SELECT min(performer) FROM obligation
             UNION ALL
             SELECT (SELECT min(performer) FROM obligation WHERE performer > code) FROM body WHERE code IS NOT NULL)
         SELECT count(*) AS n FROM body WHERE EXISTS (
             SELECT 1 FROM obligation WHERE performer = code AND state = 'running' AND due_at < ?1 {further})"
    );
    number(connection, &sql, &[&micros(now)])
}

fn next_due(connection: &Connection, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT min(due_at) AS due_at FROM obligation WHERE state = 'running' AND due_at >= ?1")?;
    let read = |row: &Row<'_>| Record::new(row, "obligation").opt_instant("due_at");
    statement.query_and_then(params![micros(now)], read)?.next().unwrap_or(Ok(None))
}
