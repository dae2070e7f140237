//! From a SQLite file into an empty PostgreSQL database, with proof that both hold the same.
//!
//! Promises: one snapshot of the file, which no gateway serves meanwhile; one transaction of the database, which is
//! committed only after every table has been read back and has the same count and digest on both sides, so that an
//! interruption leaves the database empty. Never: changes a record.

mod source;
mod tables;
mod target;
mod value;

use crate::gateway::ports::StoreError;
use crate::store::{postgres, sqlite};
use source::Source;
use std::path::{Path, PathBuf};
use tables::Table;
use target::Target;
use tokio::sync::mpsc;

/// Pieces that may be under way between the two databases.
const CHUNKS_UNDER_WAY: usize = 8;

/// How far it has come: rows of both passes, the copy and the check.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    pub table: &'static str,
    pub checking: bool,
    pub done: u64,
    pub total: u64,
}

/// One table on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    pub table: &'static str,
    /// Rows, and the SHA-256 of all their values in the order of the key.
    pub source: (u64, String),
    pub target: (u64, String),
}

impl Compared {
    /// Whether both sides hold the same.
    #[must_use]
    pub fn equal(&self) -> bool {
        self.source == self.target
    }
}

/// Why nothing was copied; the database is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum CopyFault {
    #[error("{path} is not there; name the SQLite file in `store.path`, or with --from")]
    NoSource { path: PathBuf },
    #[error("the source: {0}")]
    Source(#[from] sqlite::OpenError),
    #[error("the target: {0}")]
    Target(#[from] postgres::OpenError),
    #[error("the target is in use by {others} gateways or commands; stop them first")]
    TargetInUse { others: i64 },
    #[error("the target is not empty (table {table}); give the copy a database of its own")]
    NotEmpty { table: &'static str },
    #[error("the source: {table}.{column} of row {row} cannot be read")]
    Unreadable { table: &'static str, column: &'static str, row: String },
    #[error("the copy was interrupted; the target is empty as before")]
    Interrupted,
    #[error("whether the copy was committed is not known ({0}); it was if the target's table `message` has rows")]
    Unknown(#[source] StoreError),
    #[error("the copy failed, and the target is empty as before: {0}")]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for CopyFault {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Every column that is copied, with its table.
pub fn columns() -> impl Iterator<Item = (&'static str, &'static str)> {
    tables::all().flat_map(|table| table.columns.iter().map(|(column, _)| (table.name, *column)))
}

/// Copies, compares, and commits if all tables are equal. What it gives says, table by table, whether they are; if one
/// is not, nothing was committed.
///
/// # Errors
/// [`CopyFault`]; then, too, nothing was committed.
pub async fn run(
    from: &Path,
    to: &str,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Vec<Compared>, CopyFault> {
    if !from.exists() {
        return Err(CopyFault::NoSource { path: from.to_owned() });
    }
    // Held to the end: no gateway begins to serve from the file. It also ends the leases of one that crashed.
    let lock = sqlite::SqliteStore::open_exclusive(from)?;
    let source = Source::open(from)?;
    let mut target = Target::open(to).await?;
    let compared = match fill(source, &mut target, progress).await {
        Ok(compared) => compared,
        Err(fault) => {
            target.roll_back().await;
            return Err(fault);
        }
    };
    if compared.iter().all(Compared::equal) {
        target.commit().await?;
    } else {
        target.roll_back().await;
    }
    drop(lock);
    Ok(compared)
}

async fn fill(
    mut source: Source,
    target: &mut Target,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Vec<Compared>, CopyFault> {
    let mut at = Progress { table: "", checking: false, done: 0, total: 0 };
    for table in tables::all() {
        at.total += 2 * source.count(table)?;
    }
    let mut sent = Vec::new();
    for table in tables::all() {
        at.table = table.name;
        let (back, read) = one(source, (table, target), |rows| {
            at.done += rows;
            progress(at);
        })
        .await?;
        source = back;
        sent.push((table, read));
    }
    at.checking = true;
    let mut compared = Vec::new();
    for (table, source) in sent {
        at.table = table.name;
        let there = target.digest(table, |rows| {
            at.done += rows;
            progress(at);
        });
        compared.push(Compared { table: table.name, source, target: there.await? });
    }
    Ok(compared)
}

/// Copies one table: a thread reads and digests while the other side writes.
async fn one(
    source: Source,
    (table, target): (&'static Table, &mut Target),
    told: impl FnMut(u64),
) -> Result<(Source, (u64, String)), CopyFault> {
    let (sender, mut receiver) = mpsc::channel(CHUNKS_UNDER_WAY);
    let reading = tokio::task::spawn_blocking(move || {
        let read = source.send(table, &sender);
        (source, read)
    });
    let taken = target.take(table, &mut receiver, told).await;
    // If the other side has failed, the reader must not wait for it.
    drop(receiver);
    let (source, read) = reading.await.map_err(|_| CopyFault::Interrupted)?;
    taken?;
    Ok((source, read?))
}
