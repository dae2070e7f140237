//! The store of a region: PostgreSQL, for any number of gateways at once.
//!
//! Promises: what is confirmed is synced to disk (`synchronous_commit = on`; a server that does not sync is refused); a
//! transaction of decisions sees nobody's changes but its own (lock.rs); a gateway that dies gives back its leases in
//! seconds. Never: decides; shows the address of the database, which may hold a password.

mod accounts;
mod alerts;
mod attachments;
mod by_hand;
mod cases;
mod counters;
mod endings;
mod events;
mod exchanges;
mod fault;
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
mod presence;
mod reader;
mod refs;
mod row;
mod rungs;
mod save;
mod session;
mod telling;
mod unit;
mod views;

use crate::gateway::ports::StoreError;
use presence::Presence;
use session::Session;
use sqlx::{PgConnection, PgPool};

/// The store in one PostgreSQL database.
pub struct PostgresStore {
    /// Who looks.
    pool: PgPool,
    /// Who decides, claims and settles: however many look at once, none of them stands in front.
    deciding: PgPool,
    presence: Presence,
}

/// What may be chosen of a store; nothing of it weakens a promise.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// Connections of this gateway for decisions and reads together, two at least; a quarter of them, four at most, is
    /// for decisions alone. One more listens.
    pub connections_max: u32,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { connections_max: 16 }
    }
}

impl PostgresStore {
    /// Opens the database of that address (`postgres://…`), beside any number of other gateways; an empty one gets its
    /// tables.
    ///
    /// # Errors
    /// [`OpenError`]; nothing was changed in a database that is refused.
    pub async fn open(url: &str, options: PostgresOptions) -> Result<Self, OpenError> {
        let (pool, deciding) = open::pools(url, &options).await?;
        open::refuse_unsafe(&pool).await?;
        migrate::to_present(&pool).await?;
        let presence = Presence::begin(open::connect_options(url)?, pool.clone()).await?;
        Ok(Self { pool, deciding, presence })
    }

    /// One state of the whole database, to be read with several queries.
    async fn snapshot(&self) -> Result<Session, StoreError> {
        Session::begin(&self.pool, session::SNAPSHOT).await
    }
}

/// How many gateways and commands have the database of this connection open.
pub(in crate::store) async fn stores_open(connection: &mut PgConnection) -> Result<i64, StoreError> {
    presence::stores_open(connection).await
}

/// The database of that address with its tables made, and nobody serving from it yet; for who fills it.
pub(in crate::store) async fn empty_pool(url: &str) -> Result<PgPool, OpenError> {
    let pool = open::pool(open::connect_options(url)?, 2).await?;
    open::refuse_unsafe(&pool).await?;
    migrate::to_present(&pool).await?;
    Ok(pool)
}

/// Why a store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the address of the database cannot be read; it looks like postgres://user@host:5432/name")]
    Address,
    #[error("the database was written by a newer mezhved (schema {found}, this one knows {known}); start that one")]
    Newer { found: i64, known: usize },
    #[error("the database is of another program; give the gateway an empty one of its own")]
    Foreign,
    #[error("the server runs with {name} = {found}; a receipt would not be safe on disk: set it to {wanted}")]
    Unsafe { name: &'static str, found: String, wanted: &'static str },
    #[error("the server is PostgreSQL {found}; 14 is the oldest that will do")]
    TooOld { found: String },
    #[error("the database keeps its text as {found}; create it with the encoding UTF8")]
    Encoding { found: String },
    #[error("the server is a standby that takes no writes; name its primary")]
    Standby,
    #[error("the database cannot be opened: {0}")]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for OpenError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}
