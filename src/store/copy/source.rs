//! The side that is copied from: one snapshot of a SQLite file.
//!
//! Promises: one state of the whole file, whatever commands do beside. Never: writes.

use super::CopyFault;
use super::tables::{Kind, Table};
use super::value::{Digest, copy_field};
use crate::gateway::ports::StoreError;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use std::borrow::Cow;
use std::path::Path;
use tokio::sync::mpsc;
use uuid::Uuid;

/// Rows travel in pieces of about this size.
const CHUNK_BYTES: usize = 256 * 1024;

/// A state of the file, held until it is dropped.
pub(super) struct Source(Connection);

/// Some rows as COPY reads them.
pub(super) struct Chunk {
    pub(super) bytes: Vec<u8>,
    pub(super) rows: u64,
}

impl Source {
    /// The present state.
    pub(super) fn open(path: &Path) -> Result<Self, CopyFault> {
        let connection = crate::store::sqlite::reading(path)?;
        let source = Self(connection);
        source.0.execute_batch("BEGIN").map_err(StoreError::from)?;
        Ok(source)
    }

    /// How many rows a table has.
    pub(super) fn count(&self, table: &Table) -> Result<u64, CopyFault> {
        let sql = format!("SELECT count(*) FROM {}", table.source.unwrap_or(table.name));
        let count: i64 = self.0.query_row(&sql, [], |row| row.get(0)).map_err(StoreError::from)?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Sends the rows of a table in the order of its key; gives their count and digest. Ends early when nobody receives
    /// any more.
    pub(super) fn send(&self, table: &'static Table, to: &mpsc::Sender<Chunk>) -> Result<(u64, String), CopyFault> {
        let from = table.source.unwrap_or(table.name);
        let sql = format!("SELECT {} FROM {from} ORDER BY {}", table.names(), table.key);
        let mut statement = self.0.prepare(&sql).map_err(StoreError::from)?;
        let mut rows = statement.query([]).map_err(StoreError::from)?;
        let mut digest = Digest::default();
        let mut chunk = Chunk { bytes: Vec::with_capacity(CHUNK_BYTES + 4096), rows: 0 };
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            write_row(&mut chunk.bytes, (table, row), &mut digest)?;
            chunk.rows += 1;
            if chunk.bytes.len() >= CHUNK_BYTES {
                let full =
                    std::mem::replace(&mut chunk, Chunk { bytes: Vec::with_capacity(CHUNK_BYTES + 4096), rows: 0 });
                to.blocking_send(full).map_err(|_| CopyFault::Interrupted)?;
            }
        }
        if chunk.rows > 0 {
            to.blocking_send(chunk).map_err(|_| CopyFault::Interrupted)?;
        }
        Ok(digest.end())
    }
}

fn write_row(
    into: &mut Vec<u8>,
    (table, row): (&'static Table, &rusqlite::Row<'_>),
    digest: &mut Digest,
) -> Result<(), CopyFault> {
    for (place, (column, kind)) in table.columns.iter().enumerate() {
        let unreadable = || CopyFault::Unreadable { table: table.name, column, row: digest_row(row) };
        let value = row.get_ref(place).map_err(StoreError::from)?;
        let canonical = canonical(*kind, value).ok_or_else(unreadable)?;
        digest.value(canonical.as_deref());
        if place > 0 {
            into.push(b'\t');
        }
        copy_field(into, *kind, canonical.as_deref()).ok_or_else(unreadable)?;
    }
    into.push(b'\n');
    digest.row();
    Ok(())
}

/// The number of the row, where it has one.
fn digest_row(row: &rusqlite::Row<'_>) -> String {
    match row.get_ref(0) {
        Ok(ValueRef::Integer(n)) => n.to_string(),
        _ => String::new(),
    }
}

/// The canonical text of a value; `None` when it is none of its kind. PostgreSQL keeps no text with a zero character.
fn canonical(kind: Kind, value: ValueRef<'_>) -> Option<Option<Cow<'_, [u8]>>> {
    let canonical = match (kind, value) {
        (_, ValueRef::Null) => return Some(None),
        (Kind::Int | Kind::Bool | Kind::Instant, ValueRef::Integer(n)) => n.to_string().into_bytes().into(),
        (Kind::Text | Kind::Json | Kind::Date, ValueRef::Text(text)) if !text.contains(&0) => text.into(),
        (Kind::Id, ValueRef::Blob(id)) => Uuid::from_slice(id).ok()?.simple().to_string().into_bytes().into(),
        (Kind::Bytes, ValueRef::Blob(bytes)) => bytes.into(),
        _ => return None,
    };
    Some(Some(canonical))
}
