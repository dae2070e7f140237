//! Deliveries whose handling has been begun and has not ended.
//!
//! Promises: a gateway's death leaves the row, and another goes on counting. That of the server may undo the last
//! moment's beginnings and ends: to wait for its disk would only widen the moment in which a death is counted that the
//! delivery did not cause.
//! Never: what was delivered.

use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::PROBE;
use crate::store::postgres::lock::BEGIN_PROBE;
use crate::store::postgres::session::{Session, within};
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};

/// One more beginning of each; how many there are of it without an end, since those that are forgotten.
pub(super) async fn begin(
    connection: &mut PgConnection,
    keys: [[u8; 32]; 2],
    (at, forgotten): (DateTime<Utc>, DateTime<Utc>),
) -> Result<[u32; 2], StoreError> {
    const BEGIN: &str = "INSERT INTO handling (delivery, begun, begun_at) VALUES ($1, 1, $2)
         ON CONFLICT (delivery) DO UPDATE SET begun = handling.begun + 1, begun_at = excluded.begun_at RETURNING begun";
    // Not those in whose way somebody else stands: the next will remove them.
    const FORGET: &str = "DELETE FROM handling WHERE delivery IN
             (SELECT delivery FROM handling WHERE begun_at < $1 FOR UPDATE SKIP LOCKED)";
    sqlx::query(FORGET).bind(forgotten).execute(&mut *connection).await?;
    let mut counts = [0; 2];
    for (count, key) in counts.iter_mut().zip(&keys) {
        let begun: i64 = sqlx::query_scalar(BEGIN).bind(&key[..]).bind(at).fetch_one(&mut *connection).await?;
        *count = u32::try_from(begun).unwrap_or(u32::MAX);
    }
    Ok(counts)
}

/// It has ended.
pub(super) async fn end(connection: &mut PgConnection, delivery: [u8; 32]) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM handling WHERE delivery = $1").bind(&delivery[..]).execute(connection).await?;
    Ok(())
}

/// A decision about nothing, which waits for the disk like any other.
pub(super) async fn probe(pool: &PgPool, at: DateTime<Utc>) -> Result<(), StoreError> {
    const COMES: &str = "INSERT INTO handling (delivery, begun, begun_at) VALUES ($1, 1, $2)
         ON CONFLICT (delivery) DO UPDATE SET begun_at = excluded.begun_at";
    let mut session = Session::begin(pool, BEGIN_PROBE).await?;
    let connection = session.connection();
    within(async {
        sqlx::query(COMES).bind(&PROBE[..]).bind(at).execute(&mut *connection).await?;
        end(connection, PROBE).await
    })
    .await?;
    session.commit().await
}
