//! Migrations: forward only, each in one transaction with its number.
//!
//! Promises: two processes that open the same old file migrate it once. Never: goes back, or touches a newer file.

use crate::store::sqlite::OpenError;
use rusqlite::{Connection, TransactionBehavior};

/// In order; the number of a migration is its place, from 1, and stands in `user_version`.
const MIGRATIONS: [&str; 9] = [
    include_str!("migrations/0001_records.sql"),
    include_str!("migrations/0002_counters.sql"),
    include_str!("migrations/0003_undeliverable.sql"),
    include_str!("migrations/0004_duties.sql"),
    include_str!("migrations/0005_cases.sql"),
    include_str!("migrations/0006_notices.sql"),
    include_str!("migrations/0007_scans.sql"),
    include_str!("migrations/0008_attachments.sql"),
    include_str!("migrations/0009_handlings_and_order.sql"),
];

/// Brings the database to the present version.
pub(super) fn to_present(connection: &mut Connection, application_id: i64) -> Result<(), OpenError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let done = usize::try_from(found).ok().filter(|done| *done <= MIGRATIONS.len());
    let Some(done) = done else { return Err(OpenError::Newer { found, known: MIGRATIONS.len() }) };
    if done == MIGRATIONS.len() {
        return Ok(());
    }
    for migration in &MIGRATIONS[done..] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", application_id)?;
    transaction.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
    transaction.commit()?;
    Ok(())
}
