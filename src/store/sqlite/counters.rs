//! Counters for metrics and the board: what one transaction adds to them.
//!
//! Promises: written in the transaction of the rows that they count, once, however many rows there are. Triggers on
//! inserts and updates would do the same and make SQLite journal every row twice, so only deletions, which the store
//! itself never makes, are followed by triggers. Never: corrects a gap.

pub(super) use crate::store::counters::{ACCEPTED_ADDRESSEES, CONFLICTS, Counters, OBLIGATIONS_OPEN, QUARANTINED};

use crate::domain::delivery_stage::Stage;
use crate::gateway::ports::StoreError;
use rusqlite::{Connection, params};

/// The counter of the deliveries of a stage.
pub(super) fn of_stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Queued => "delivery.queued",
        Stage::Sending => "delivery.sending",
        Stage::WaitingRetry => "delivery.waiting_retry",
        Stage::Delivered => "delivery.delivered",
        Stage::Registered => "delivery.registered",
        Stage::Rejected => "delivery.rejected",
        Stage::Undeliverable => "delivery.undeliverable",
    }
}

/// Writes the sums.
pub(super) fn write(counters: &Counters, connection: &Connection) -> Result<(), StoreError> {
    let mut update = connection.prepare_cached("UPDATE figure SET value = value + ?2 WHERE name = ?1")?;
    for (name, by) in counters.sums() {
        update.execute(params![name, by])?;
    }
    Ok(())
}
