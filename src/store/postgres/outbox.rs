//! The outbox: deliveries owed, under way, and done.
//!
//! Promises: a row under a live lease is nobody else's; what is proven (delivered, registered, refused) is never taken
//! back by a later attempt. A batch locks its rows in the order of their keys, decides in memory, and writes each row
//! that changed once. Never: delivers anything.

mod claim;
mod delivery;
mod queue;
mod reroute;
mod rows;

pub(super) use claim::{WAITS, claim, end_leases, letter};
pub(super) use delivery::Key;
pub(super) use queue::{queue_and_prove, settle};
pub(super) use reroute::reroute;
pub(super) use rows::{Standing, standings};
