//! Deliveries whose handling has been begun and has not ended.
//!
//! Promises: a gateway's death leaves the row, and another goes on counting. That of the server may cost the last
//! moment's: to wait for its disk would only widen the moment in which a death is counted that the delivery did not cause.
//! Never: what was delivered.

use crate::gateway::ports::StoreError;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// One more beginning; how many there are without an end.
pub(super) async fn begin(
    connection: &mut PgConnection,
    (delivery, at): ([u8; 32], DateTime<Utc>),
) -> Result<u32, StoreError> {
    const BEGIN: &str = "INSERT INTO handling (delivery, begun, begun_at) VALUES ($1, 1, $2)
         ON CONFLICT (delivery) DO UPDATE SET begun = handling.begun + 1, begun_at = excluded.begun_at RETURNING begun";
    let begun: i64 = sqlx::query_scalar(BEGIN).bind(&delivery[..]).bind(at).fetch_one(connection).await?;
    Ok(u32::try_from(begun).unwrap_or(u32::MAX))
}

/// It has ended.
pub(super) async fn end(connection: &mut PgConnection, delivery: [u8; 32]) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM handling WHERE delivery = $1").bind(&delivery[..]).execute(connection).await?;
    Ok(())
}
