//! Counters for metrics and the board: what one transaction adds to them.
//!
//! Promises: written in the transaction of the rows that they count, last and in the order of their names, so that two
//! transactions that count never wait for each other crosswise. Never: corrects a gap.

pub(super) use crate::store::counters::{ACCEPTED_ADDRESSEES, CONFLICTS, Counters, OBLIGATIONS_OPEN, QUARANTINED};

use crate::domain::delivery_stage::Stage;
use crate::gateway::ports::StoreError;
use sqlx::PgConnection;
use sqlx::postgres::PgBindIterExt;

/// The counter of the deliveries of a stage. Leased or not, one is owed: a first lease touches no counter, that of a retry
/// moves two.
pub(super) fn of_stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Queued | Stage::Sending => "delivery.owed",
        Stage::WaitingRetry => "delivery.waiting_retry",
        Stage::Delivered => "delivery.delivered",
        Stage::Registered => "delivery.registered",
        Stage::Rejected => "delivery.rejected",
        Stage::Undeliverable => "delivery.undeliverable",
    }
}

/// Writes the sums.
pub(super) async fn write(counters: &Counters, connection: &mut PgConnection) -> Result<(), StoreError> {
    // The rows are locked in the order of names before the first is written.
    const WRITE: &str = "WITH held AS (SELECT name FROM figure WHERE name = ANY($1) ORDER BY name FOR UPDATE)
         UPDATE figure SET value = value + new.by
         FROM unnest($1::text[], $2::bigint[]) AS new (name, by) JOIN held ON held.name = new.name
         WHERE figure.name = new.name";
    if counters.sums().next().is_none() {
        return Ok(());
    }
    let names = counters.sums().map(|(name, _)| name).bind_iter();
    sqlx::query(WRITE).bind(names).bind(counters.sums().map(|(_, by)| by).bind_iter()).execute(connection).await?;
    Ok(())
}
