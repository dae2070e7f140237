//! The log of disclosures: lines are added, and the database refuses everything else.
//!
//! Promises: a line that was written stays as it is. Never: what was disclosed itself.

use crate::domain::case::CaseKey;
use crate::domain::case::disclosure::Disclosure;
use crate::domain::ids::{ExchangeId, MessageId};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::cases::{DisclosureFilter, DisclosureRow};
use crate::store::sqlite::fault::unwritable;
use crate::store::sqlite::row::{Record, int, micros};
use rusqlite::{Connection, Row, params};

/// Writes lines.
pub(super) fn save(connection: &Connection, lines: &[Disclosure]) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO disclosure (centre, case_no, at, kind, what, message, exchange, by_whom, to_whom, ground)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    for line in lines {
        insert.execute(params![
            line.case.centre.as_str(),
            line.case.number,
            micros(line.at),
            line.kind.code(),
            line.what,
            line.message.as_ref().map(|id| id.0.as_bytes()),
            line.exchange.as_ref().map(|id| id.0.as_bytes()),
            line.by,
            line.to,
            serde_json::to_string(&line.ground).map_err(unwritable)?,
        ])?;
    }
    Ok(())
}

/// Lines of a case, the newest first.
pub(super) fn list(connection: &Connection, filter: &DisclosureFilter) -> Result<Vec<DisclosureRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, centre, case_no, at, kind, what, message, exchange, by_whom, to_whom, ground
         FROM disclosure WHERE centre = ?1 AND case_no = ?2 AND seq < ?3 ORDER BY seq DESC LIMIT ?4",
    )?;
    let read = |row: &Row<'_>| {
        let record = Record::new(row, "disclosure");
        Ok(DisclosureRow {
            seq: record.integer("seq")?,
            line: Disclosure {
                case: CaseKey { centre: record.participant("centre")?, number: record.string("case_no")? },
                at: record.instant("at")?,
                kind: record.one_of("kind")?,
                what: record.string("what")?,
                message: record.opt_uuid("message")?.map(MessageId),
                exchange: record.opt_uuid("exchange")?.map(ExchangeId),
                by: record.string("by_whom")?,
                to: record.string("to_whom")?,
                ground: record.json("ground")?,
            },
        })
    };
    let (case, before) = (&filter.case, filter.before.map_or(i64::MAX, int));
    statement.query_and_then(params![case.centre.as_str(), case.number, before, int(filter.limit)], read)?.collect()
}
