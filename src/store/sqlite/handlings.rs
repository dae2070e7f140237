//! Deliveries whose handling has been begun and has not ended.
//!
//! Promises: a crash leaves the row. Never: what was delivered.

use crate::gateway::ports::StoreError;
use crate::store::sqlite::row::micros;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

/// One more beginning of each; how many there are of it without an end, since those that are forgotten.
pub(super) fn begin(
    connection: &Connection,
    keys: [[u8; 32]; 2],
    (at, forgotten): (DateTime<Utc>, DateTime<Utc>),
) -> Result<[u32; 2], StoreError> {
    const BEGIN: &str = "INSERT INTO handling (delivery, begun, begun_at) VALUES (?1, 1, ?2)
         ON CONFLICT (delivery) DO UPDATE SET begun = begun + 1, begun_at = excluded.begun_at RETURNING begun";
    connection.prepare_cached("DELETE FROM handling WHERE begun_at < ?1")?.execute([micros(forgotten)])?;
    let mut statement = connection.prepare_cached(BEGIN)?;
    let mut counts = [0; 2];
    for (count, key) in counts.iter_mut().zip(keys) {
        *count = statement.query_row(params![key, micros(at)], |row| row.get(0))?;
    }
    Ok(counts)
}

/// It has ended.
pub(super) fn end(connection: &Connection, delivery: [u8; 32]) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM handling WHERE delivery = ?1")?.execute([delivery])?;
    Ok(())
}
