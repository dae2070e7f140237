//! Counters for metrics and the board: what one transaction adds to them.
//!
//! Promises: written in the transaction of the rows that they count, once, however many rows there are. Triggers on
//! inserts and updates would do the same and make SQLite journal every row twice, so only deletions, which the store
//! itself never makes, are followed by triggers. Never: corrects a gap.

use crate::gateway::ports::StoreError;
use rusqlite::{Connection, params};
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
    pub(super) fn write(&self, connection: &Connection) -> Result<(), StoreError> {
        let mut update = connection.prepare_cached("UPDATE figure SET value = value + ?2 WHERE name = ?1")?;
        for (name, by) in self.0.iter().filter(|(_, by)| **by != 0) {
            update.execute(params![name, by])?;
        }
        Ok(())
    }
}
