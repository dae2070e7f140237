//! The quarantine: what could not be accepted or delivered, kept for a person.
//!
//! Promises: kept as it came. Never: shows content in a list.

use crate::domain::ids::MessageId;
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::QuarantineRow;
use crate::gateway::ports::reads::QuarantineView;
use crate::store::sqlite::counters::{Counters, QUARANTINED};
use crate::store::sqlite::row::{Record, int, micros};
use rusqlite::{Connection, Row, params};

/// Writes quarantined things.
pub(super) fn save(connection: &Connection, rows: &[QuarantineRow], counters: &mut Counters) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO quarantine (at, source, participant, message, code, reason, content_type, content)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for row in rows {
        insert.execute(params![
            micros(row.at),
            row.source,
            row.participant.as_ref().map(|code| code.as_str()),
            row.message.as_ref().map(|id| id.0.as_bytes()),
            row.code,
            row.reason,
            row.content_type,
            &row.content[..],
        ])?;
        counters.add(QUARANTINED, 1);
    }
    Ok(())
}

/// Quarantined things before a number (the newest without one), the newest first, without content.
pub(super) fn before(
    connection: &Connection,
    seq: Option<u64>,
    limit: usize,
) -> Result<Vec<QuarantineView>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, at, source, participant, message, code, reason
         FROM quarantine WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2",
    )?;
    let read = |row: &Row<'_>| {
        let record = Record::new(row, "quarantine");
        Ok(QuarantineView {
            seq: record.integer("seq")?,
            at: record.instant("at")?,
            source: record.string("source")?,
            participant: record.opt_participant("participant")?,
            message: record.opt_uuid("message")?.map(MessageId),
            code: record.string("code")?,
            reason: record.string("reason")?,
        })
    };
    statement.query_and_then([seq.map_or(i64::MAX, int), int(limit)], read)?.collect()
}
