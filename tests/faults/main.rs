//! What breaks while participants are at work: the gateway killed, the broker killed, a stop in the middle.
//!
//! Promises: the participants run in a process of their own, in another language, and keep their own ledgers on disk;
//! a separate checker joins these with what the API answers. Never: takes the gateway's tables as proof.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

mod broker_killed;
mod disk_full;
mod fail_points;
mod flaws;
mod gateway_killed;
mod load;
mod network;
mod replicas;
mod stopped;
#[path = "../support/mod.rs"]
mod support;
mod synced;
