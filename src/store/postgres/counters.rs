//! Counters for metrics and the board: what one transaction adds to them.
//!
//! Promises: written in the transaction of the rows that they count, last and in the order of their names, so that two
//! transactions that count never wait for each other crosswise. Never: corrects a gap.

use crate::gateway::ports::StoreError;
use sqlx::PgConnection;
use sqlx::postgres::PgBindIterExt;
use std::collections::BTreeMap;

/// Addressees of accepted messages, and what is owed beyond them.
pub(super) const ACCEPTED_ADDRESSEES: &str = "accepted_addressees";
/// Obligations that are running.
pub(super) const OBLIGATIONS_OPEN: &str = "obligations_open";
/// Things in the quarantine.
pub(super) const QUARANTINED: &str = "quarantined";
/// Events of two messages with one id.
pub(super) const CONFLICTS: &str = "conflicts";

/// What is to be added to the counters.
#[derive(Default)]
pub(super) struct Counters(BTreeMap<&'static str, i64>);

impl Counters {
    /// Adds to one.
    pub(super) fn add(&mut self, name: &'static str, by: i64) {
        *self.0.entry(name).or_default() += by;
    }

    /// Something has left one state for another.
    pub(super) fn moved(&mut self, from: &'static str, to: &'static str) {
        self.add(from, -1);
        self.add(to, 1);
    }

    /// Writes the sums.
    pub(super) async fn write(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        // The rows are locked in the order of names before the first is written.
        const WRITE: &str = "WITH held AS (SELECT name FROM figure WHERE name = ANY($1) ORDER BY name FOR UPDATE)
             UPDATE figure SET value = value + new.by
             FROM unnest($1::text[], $2::bigint[]) AS new (name, by) JOIN held ON held.name = new.name
             WHERE figure.name = new.name";
        let moved = || self.0.iter().filter(|(_, by)| **by != 0);
        if moved().next().is_none() {
            return Ok(());
        }
        let names = moved().map(|(name, _)| *name).bind_iter();
        sqlx::query(WRITE).bind(names).bind(moved().map(|(_, by)| *by).bind_iter()).execute(connection).await?;
        Ok(())
    }
}
