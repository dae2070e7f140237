//! Opening the file: pragmas, whose file it is, migrations.
//!
//! Promises: a write connection syncs the log at every commit (`synchronous=FULL`), and there is no setting for it;
//! every pragma is read back. Never: opens a foreign file, or one that a newer version has written.

use crate::flaw::{self, Flaw};
use crate::store::sqlite::{OpenError, migrate};
use rusqlite::{Connection, OpenFlags};
use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

/// `mzhv`: what `file(1)` and we know our databases by.
const APPLICATION_ID: i64 = 0x6d7a_6876;
/// How long a write waits for another process (an import beside a serving gateway).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// More than there are statements in this module.
const STATEMENTS_MAX: usize = 128;

/// The connection that writes, on a database of the present version.
pub(super) fn writer(path: &Path) -> Result<Connection, OpenError> {
    create_private(path)?;
    let mut connection = connect(path)?;
    refuse_foreign(&connection, path)?;
    // Checkpoints cost two more syncs; at 16 MiB of log they are rare even under load.
    set(&connection, "journal_mode", "wal")?;
    set(&connection, "synchronous", if flaw::is(Flaw::NoFsync) { 0 } else { 2 })?;
    set(&connection, "fullfsync", 1)?;
    set(&connection, "foreign_keys", 1)?;
    set(&connection, "wal_autocheckpoint", 4096)?;
    set(&connection, "journal_size_limit", 64 << 20)?;
    set(&connection, "cache_size", -64 << 10)?;
    migrate::to_present(&mut connection, APPLICATION_ID)?;
    Ok(connection)
}

/// A connection that reads beside the writer.
pub(super) fn reader(path: &Path) -> Result<Connection, OpenError> {
    let connection = connect(path)?;
    set(&connection, "cache_size", -16 << 10)?;
    set(&connection, "query_only", 1)?;
    Ok(connection)
}

fn connect(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    set(&connection, "trusted_schema", 0)?;
    // A sort that spills would write personal data into a temporary file.
    set(&connection, "temp_store", 2)?;
    Ok(connection)
}

/// SQLite gives the log the rights of the database; nobody else may read either.
fn create_private(path: &Path) -> Result<(), OpenError> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|source| OpenError::Io { path: path.to_owned(), source })
}

fn refuse_foreign(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match application {
        APPLICATION_ID => Ok(()),
        0 if tables == 0 => Ok(()),
        _ => Err(OpenError::Foreign { path: path.to_owned() }),
    }
}

/// Sets a pragma and reads it back: SQLite answers an unknown or refused one with silence.
fn set(connection: &Connection, name: &'static str, value: impl Into<Setting>) -> Result<(), OpenError> {
    let Setting(wanted) = value.into();
    connection.pragma_update(None, name, &wanted as &dyn rusqlite::ToSql)?;
    let found: rusqlite::types::Value = connection.pragma_query_value(None, name, |row| row.get(0))?;
    if found == wanted { Ok(()) } else { Err(OpenError::Pragma { name }) }
}

/// The value of a pragma.
struct Setting(rusqlite::types::Value);

impl From<i64> for Setting {
    fn from(value: i64) -> Self {
        Self(value.into())
    }
}

impl From<&str> for Setting {
    fn from(value: &str) -> Self {
        Self(value.to_owned().into())
    }
}
