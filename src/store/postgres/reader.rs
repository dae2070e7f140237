//! A connection that reads with one query, which sees one state by itself.
//!
//! Promises: a connection whose answer did not come whole (a fault, a caller that went away) is closed, so that a server
//! that is gone keeps no place of the pool. Never: writes, but for the single statements of accounts.

use crate::gateway::ports::StoreError;
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};

/// A connection of the pool for one query.
pub(super) struct Reader {
    connection: PoolConnection<Postgres>,
    whole: bool,
}

impl Reader {
    /// The next free connection.
    pub(super) async fn of(pool: &PgPool) -> Result<Self, StoreError> {
        Ok(Self { connection: pool.acquire().await?, whole: true })
    }

    /// For the query.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.whole = false;
        &mut self.connection
    }

    /// What was asked, when it has come.
    pub(super) fn answered<T>(mut self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        self.whole = !matches!(answer, Err(StoreError::Unavailable(_)));
        answer
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if !self.whole {
            self.connection.close_on_drop();
        }
    }
}
