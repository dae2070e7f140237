//! The facts of a rung's state, as both stores keep them in columns.
//!
//! Promises: a state has just its own facts. Never: reads or writes.

use crate::domain::escalation::RungState;
use chrono::{DateTime, Utc};

/// When, who, why.
pub(super) fn facts(state: &RungState) -> (Option<DateTime<Utc>>, Option<&str>, Option<&str>) {
    match state {
        RungState::Planned => (None, None, None),
        RungState::Fired { at }
        | RungState::Skipped { at }
        | RungState::Prepared { at }
        | RungState::Cancelled { at } => (Some(*at), None, None),
        RungState::Approved { at, by } => (Some(*at), Some(by), None),
        RungState::Declined { at, by, reason } => (Some(*at), Some(by), Some(reason)),
    }
}
