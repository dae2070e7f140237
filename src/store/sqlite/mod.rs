//! The embedded store: SQLite in one file, one thread that writes, a few connections that read.
//!
//! Promises: what is confirmed is synced to disk (WAL, `synchronous=FULL`, no setting); a second gateway on the same
//! file is refused; a transaction of decisions sees nobody's changes but its own. Never: decides.

mod accounts;
mod alerts;
mod attachments;
mod by_hand;
mod cases;
mod counters;
mod disclosures;
mod endings;
mod events;
mod exchanges;
mod fault;
mod figures;
mod handlings;
mod journal;
mod load;
mod lock;
mod messages;
mod migrate;
mod notices;
mod obligations;
mod open;
mod outbox;
mod participants;
mod ports;
mod quarantine;
mod readers;
mod refs;
mod row;
mod rungs;
mod save;
mod search;
mod writer;

use crate::flaw::{self, Flaw};
use readers::Readers;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use writer::Writer;

/// The store on one SQLite file.
pub struct SqliteStore {
    writer: Writer,
    readers: Arc<Readers>,
}

impl SqliteStore {
    /// Opens or creates the file, beside a gateway that may be serving from it (commands).
    ///
    /// # Errors
    /// [`OpenError`]; nothing was changed in a file that is refused.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::with_lock(path, None)
    }

    /// Opens or creates the file for a gateway that serves: the only one on it until the store is dropped. Whoever held
    /// leases before is gone, so they end here, and what a crash left under way goes out at once.
    ///
    /// # Errors
    /// [`OpenError`]; [`OpenError::InUse`] when another gateway serves from it.
    pub fn open_exclusive(path: &Path) -> Result<Self, OpenError> {
        let lock = lock::Lock::take(path)?;
        Self::with_lock(path, Some(lock))
    }

    fn with_lock(path: &Path, lock: Option<lock::Lock>) -> Result<Self, OpenError> {
        let mut connection = open::writer(path)?;
        if lock.is_some() && !flaw::is(Flaw::LeaseNeverEnds) {
            outbox::end_leases(&mut connection)?;
            notices::end_leases(&connection)?;
        }
        let readers = Readers::open(path)?;
        let start = Writer::start(connection, lock);
        let writer = start.map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        Ok(Self { writer, readers })
    }
}

/// A connection that only reads, for who copies the file as it is.
pub(in crate::store) fn reading(path: &Path) -> Result<rusqlite::Connection, OpenError> {
    open::reader(path)
}

/// Why a store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("another gateway is serving from {path}; stop it, or give this one a database of its own")]
    InUse { path: PathBuf },
    #[error("the database was written by a newer mezhved (schema {found}, this one knows {known}); start that one")]
    Newer { found: i64, known: usize },
    #[error("{path} is a database of another program; choose another file")]
    Foreign { path: PathBuf },
    #[error("SQLite did not take the setting `{name}`; without it a receipt would not be safe on disk")]
    Pragma { name: &'static str },
    #[error("{path} cannot be opened: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("the database cannot be opened: {0}")]
    Store(#[from] crate::gateway::ports::StoreError),
    #[error("the database cannot be opened: {0}")]
    Sqlite(#[from] rusqlite::Error),
}
