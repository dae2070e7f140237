//! The side that is copied to: one transaction of an empty PostgreSQL database.
//!
//! Promises: until [`Target::commit`] nothing of it is there for anybody else, and nothing remains if that is not reached;
//! nobody else touches the database meanwhile. Never: touches a database that holds something.

use super::CopyFault;
use super::source::Chunk;
use super::tables::{self, Kind, Table};
use super::value::Digest;
use crate::gateway::ports::StoreError;
use crate::store::postgres;
use chrono::{DateTime, NaiveDate, Utc};
use futures_util::TryStreamExt as _;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgPool, Postgres, Row};
use tokio::sync::mpsc;
use uuid::Uuid;

/// An open transaction of a database that was empty.
pub(super) struct Target {
    pool: PgPool,
    connection: PoolConnection<Postgres>,
}

impl Target {
    /// Opens the database of that address, makes its tables if need be, and locks them.
    pub(super) async fn open(url: &str) -> Result<Self, CopyFault> {
        // The locks are those that keep everybody out; the limits of a session of a gateway are too short for a copy.
        const BEGIN: &str = "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";
        let pool = postgres::empty_pool(url).await?;
        let mut connection = pool.acquire().await?;
        sqlx::raw_sql(BEGIN).execute(&mut *connection).await?;
        let others = postgres::stores_open(&mut connection).await?;
        if others > 0 {
            return Err(CopyFault::TargetInUse { others });
        }
        let mut target = Self { pool, connection };
        target.lock().await?;
        target.refuse_rows().await?;
        // The counters of an empty database; those of the source come instead.
        target.run("DELETE FROM figure".to_owned()).await?;
        Ok(target)
    }

    async fn lock(&mut self) -> Result<(), CopyFault> {
        let names: Vec<&str> = tables::all().map(|table| table.name).collect();
        self.run(format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", names.join(", "))).await
    }

    async fn refuse_rows(&mut self) -> Result<(), CopyFault> {
        for table in tables::all() {
            let counted = if table.name == "figure" { " WHERE value <> 0" } else { "" };
            let sql = format!("SELECT EXISTS (SELECT 1 FROM {}{counted})", table.name);
            let found = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *self.connection).await?;
            if found {
                return Err(CopyFault::NotEmpty { table: table.name });
            }
        }
        Ok(())
    }

    /// Runs a statement made of names that stand in [`tables`].
    async fn run(&mut self, sql: String) -> Result<(), CopyFault> {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *self.connection).await?;
        Ok(())
    }

    /// Takes the rows of a table as they come; `told` hears how many each time.
    pub(super) async fn take(
        &mut self,
        table: &Table,
        rows: &mut mpsc::Receiver<Chunk>,
        mut told: impl FnMut(u64),
    ) -> Result<(), CopyFault> {
        let sql = format!("COPY {} ({}) FROM STDIN", table.name, table.names());
        let mut copy = self.connection.copy_in_raw(&sql).await?;
        while let Some(chunk) = rows.recv().await {
            copy.send(chunk.bytes).await?;
            told(chunk.rows);
        }
        copy.finish().await?;
        Ok(())
    }

    /// Counts and digests a table as it stands here; `told` hears of every so many rows.
    pub(super) async fn digest(
        &mut self,
        table: &Table,
        mut told: impl FnMut(u64),
    ) -> Result<(u64, String), CopyFault> {
        const TOLD_EVERY: u64 = 1000;
        let columns: Vec<String> = table.columns.iter().map(|(name, kind)| expression(name, *kind)).collect();
        let sql = format!("SELECT {} FROM {} ORDER BY {}", columns.join(", "), table.name, table.key);
        let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut *self.connection);
        let mut digest = Digest::default();
        while let Some(row) = rows.try_next().await? {
            for (place, (_, kind)) in table.columns.iter().enumerate() {
                digest.value(canonical(&row, place, *kind)?.as_deref());
            }
            digest.row();
            if digest.rows.is_multiple_of(TOLD_EVERY) {
                told(TOLD_EVERY);
            }
        }
        told(digest.rows % TOLD_EVERY);
        Ok(digest.end())
    }

    /// Lets the sequences go on after what was copied, and commits; then the planner is told what is there.
    pub(super) async fn commit(mut self) -> Result<(), CopyFault> {
        for table in tables::all() {
            let Some(column) = table.sequence else { continue };
            let name = table.name;
            let sql = format!(
                "SELECT setval(pg_get_serial_sequence('{name}', '{column}'), max({column})) FROM {name}
                 HAVING max({column}) IS NOT NULL"
            );
            self.run(sql).await?;
        }
        self.run("COMMIT".to_owned()).await.map_err(|fault| match fault {
            CopyFault::Store(unanswered) => CopyFault::Unknown(unanswered),
            other => other,
        })?;
        if let Err(fault) = self.run("SET statement_timeout = 0; ANALYZE".to_owned()).await {
            tracing::warn!(%fault, "everything is copied; the planner could not be told: run ANALYZE in the target");
        }
        self.end().await;
        Ok(())
    }

    /// Leaves the database empty.
    pub(super) async fn roll_back(mut self) {
        // A connection that is gone has rolled back already.
        let _ = self.run("ROLLBACK".to_owned()).await;
        self.end().await;
    }

    async fn end(self) {
        drop(self.connection);
        self.pool.close().await;
    }
}

/// How a column is asked for, so that it is read in one type.
fn expression(name: &str, kind: Kind) -> String {
    match kind {
        Kind::Int => format!("{name}::bigint"),
        Kind::Bool => format!("{name}::integer::bigint"),
        Kind::Text | Kind::Json => format!("{name}::text"),
        Kind::Id | Kind::Bytes | Kind::Instant | Kind::Date => name.to_owned(),
    }
}

/// The canonical text of a value.
fn canonical(row: &PgRow, place: usize, kind: Kind) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(match kind {
        Kind::Int | Kind::Bool => row.try_get::<Option<i64>, _>(place)?.map(|n| n.to_string().into_bytes()),
        Kind::Text | Kind::Json => row.try_get::<Option<String>, _>(place)?.map(String::into_bytes),
        Kind::Id => row.try_get::<Option<Uuid>, _>(place)?.map(|id| id.simple().to_string().into_bytes()),
        Kind::Bytes => row.try_get(place)?,
        Kind::Instant => {
            let at: Option<DateTime<Utc>> = row.try_get(place)?;
            at.map(|at| at.timestamp_micros().to_string().into_bytes())
        }
        Kind::Date => row.try_get::<Option<NaiveDate>, _>(place)?.map(|on| on.to_string().into_bytes()),
    })
}
