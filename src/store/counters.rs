//! What one transaction adds to the counters for metrics and the board; each store writes it in its own way.
//!
//! Promises: the names are those of the tables' rows, in both stores. Never: writes, or corrects a gap.

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

    /// The sums that are not nothing, in the order of names.
    pub(super) fn sums(&self) -> impl Iterator<Item = (&'static str, i64)> {
        self.0.iter().map(|(name, by)| (*name, *by)).filter(|(_, by)| *by != 0)
    }
}
