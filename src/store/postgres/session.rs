//! One transaction on one connection of the pool.
//!
//! Promises: a connection goes back to the pool only after its transaction has come to its end; any other way (a fault,
//! a wait given up, a task cancelled) closes it, and the server rolls back. Never: waits without an end.

use crate::gateway::ports::StoreError;
use crate::store::postgres::fault::unavailable;
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, SqlSafeStr};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// Several queries that see one state.
pub(super) const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// A write that gives out no numbers.
pub(super) const WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
/// A write that must outlive this gateway, and need not outlive the server: its commit waits for no disk.
pub(super) const WRITE_UNSYNCED: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL synchronous_commit TO off";

/// Longer than the server's own limits (open.rs): whatever takes so long has lost its server without knowing it.
const ANSWER_MAX: Duration = Duration::from_secs(40);

/// An open transaction.
pub(super) struct Session {
    connection: PoolConnection<Postgres>,
    open: bool,
}

impl Session {
    /// Begins with that text, which is one of the constants. A connection that broke while nobody used it is closed, and
    /// the next is taken: nothing was done on it yet.
    pub(super) async fn begin(pool: &PgPool, begin: &'static str) -> Result<Self, StoreError> {
        let mut left = pool.options().get_max_connections();
        loop {
            let connection = pool.acquire().await?;
            let mut session = Self { connection, open: true };
            let begun = async { Ok(sqlx::raw_sql(begin).execute(&mut *session.connection).await) };
            match within(begun).await? {
                Ok(_) => return Ok(session),
                Err(fault) if is_broken(&fault) && left > 0 => left -= 1,
                Err(fault) => return Err(fault.into()),
            }
        }
    }

    /// For the queries of the transaction.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Takes a further lock by that text, which is one of the constants.
    pub(super) async fn lock(&mut self, text: &'static str) -> Result<(), StoreError> {
        self.say(text).await
    }

    /// Commits; `Err` may mean that it is not known whether it did.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        self.end("COMMIT").await
    }

    /// Commits by that text, which ends with `COMMIT` (presence.rs).
    pub(super) async fn commit_with(self, text: Arc<str>) -> Result<(), StoreError> {
        self.end(AssertSqlSafe(text)).await
    }

    /// Rolls back. A server that does not answer does so by itself.
    pub(super) async fn roll_back(self) {
        let _ = self.end("ROLLBACK").await;
    }

    async fn end(mut self, with: impl SqlSafeStr) -> Result<(), StoreError> {
        self.say(with).await?;
        self.open = false;
        Ok(())
    }

    async fn say(&mut self, text: impl SqlSafeStr) -> Result<(), StoreError> {
        within(async { Ok(sqlx::raw_sql(text).execute(&mut *self.connection).await?) }).await?;
        Ok(())
    }
}

/// The connection is gone, or the server has ended it (57P01 to 57P03).
fn is_broken(fault: &sqlx::Error) -> bool {
    match fault {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(said) => said.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.open {
            self.connection.close_on_drop();
        }
    }
}

/// Gives up what takes longer than any answer may: the other end of the connection is gone.
pub(super) async fn within<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match tokio::time::timeout(ANSWER_MAX, work).await {
        Ok(result) => result,
        Err(_) => Err(unavailable("the database does not answer")),
    }
}
