//! The ends of cases, and the exchanges that hold duties of a case.
//!
//! Promises: found by the number of the case, whatever came first. Never: judges which duty an end ends.

use crate::domain::ending::Ending;
use crate::gateway::ports::StoreError;
use crate::store::sqlite::fault::unwritable;
use crate::store::sqlite::row::Record;
use rusqlite::{Connection, Row, params};

/// Writes ends as they were told.
pub(super) fn save(connection: &Connection, endings: &[Ending]) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached("INSERT INTO case_ending (case_no, record) VALUES (?1, ?2)")?;
    for ending in endings {
        statement.execute(params![ending.case, serde_json::to_string(ending).map_err(unwritable)?])?;
    }
    Ok(())
}

/// The ends of the cases of that number, in the order in which they were told.
pub(super) fn of_case(connection: &Connection, case: &str) -> Result<Vec<Ending>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT n, record FROM case_ending WHERE case_no = ?1 ORDER BY n")?;
    let read = |row: &Row<'_>| Record::new(row, "case_ending").json("record");
    statement.query_and_then([case], read)?.collect()
}

/// The rows of the exchanges that hold duties of the cases of that number that are not closed.
pub(super) fn exchanges_with_duties(connection: &Connection, case: &str) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT exchange FROM obligation
         WHERE case_no = ?1 AND closed_at IS NULL AND json_extract(record, '$.recurs') IS NOT NULL",
    )?;
    let rows = statement.query_map([case], |row| row.get(0))?;
    rows.map(|row| row.map_err(StoreError::from)).collect()
}
