//! Migrations: forward only, each in one transaction with its number.
//!
//! Promises: gateways that open the same old database migrate it once. A migration adds, or takes off what no query
//! needs, so that an older version that is running goes on. Never: goes back, or touches a newer database or one of
//! another program; waits long for a table, because everybody else would wait behind it.

use crate::store::postgres::{OpenError, Session, fault, lock};
use sqlx::{PgConnection, PgPool, Row};
use std::time::Duration;

/// In order; the number of a migration is its place, from 1, and stands in `schema_version`.
const MIGRATIONS: [&str; 5] = [
    include_str!("migrations/0001_records.sql"),
    include_str!("migrations/0002_attachments.sql"),
    include_str!("migrations/0003_handlings.sql"),
    include_str!("migrations/0004_references_and_compression.sql"),
    include_str!("migrations/0005_one_index_less.sql"),
];

/// How often a migration is begun anew that others were in the way of (readers, a backup), a second apart.
const TRIES: usize = 5;

/// Brings the database to the present version.
pub(super) async fn to_present(pool: &PgPool) -> Result<(), OpenError> {
    for _ in 1..TRIES {
        match migrate(pool).await {
            Err(OpenError::Store(fault)) if fault::is_in_the_way(&fault) => {
                tracing::warn!(%fault, "the tables could not be brought to this version yet; it is tried again");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            done => return done,
        }
    }
    migrate(pool).await
}

async fn migrate(pool: &PgPool) -> Result<(), OpenError> {
    let mut session = Session::begin(pool, lock::BEGIN_MIGRATION).await?;
    let connection = session.connection();
    let found = version(connection).await?;
    let done = usize::try_from(found).ok().filter(|done| *done <= MIGRATIONS.len());
    let Some(done) = done else { return Err(OpenError::Newer { found, known: MIGRATIONS.len() }) };
    if done < MIGRATIONS.len() && done > 0 {
        // Whoever writes holds some tables and wants others; so the writers of older versions stand aside.
        sqlx::raw_sql(lock::STAND_ASIDE).execute(&mut *connection).await?;
    }
    for (number, migration) in (1i64..).zip(MIGRATIONS).skip(done) {
        sqlx::raw_sql(migration).execute(&mut *connection).await?;
        sqlx::query("INSERT INTO schema_version (program, version) VALUES ('mezhved', $1)")
            .bind(number)
            .execute(&mut *connection)
            .await?;
    }
    Ok(session.commit().await?)
}

/// The version of the database; an empty one gets the table that says it.
async fn version(connection: &mut PgConnection) -> Result<i64, OpenError> {
    const LOOK: &str = "SELECT (SELECT count(*) FROM pg_class
                    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm')) AS tables,
                (SELECT count(*) FROM information_schema.columns WHERE table_schema = current_schema()
                    AND table_name = 'schema_version' AND column_name = 'program') AS ours";
    let look = sqlx::query(LOOK).fetch_one(&mut *connection).await?;
    let (tables, ours): (i64, i64) = (look.try_get("tables")?, look.try_get("ours")?);
    if ours == 0 {
        if tables > 0 {
            return Err(OpenError::Foreign);
        }
        // The column `program` is what we know our databases by.
        const BEGIN: &str = "CREATE TABLE schema_version (
                program text NOT NULL CHECK (program = 'mezhved'), version bigint PRIMARY KEY,
                since timestamptz NOT NULL DEFAULT now())";
        sqlx::raw_sql(BEGIN).execute(&mut *connection).await?;
    }
    let version = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM schema_version").fetch_one(connection);
    Ok(version.await?)
}
