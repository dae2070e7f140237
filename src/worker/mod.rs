//! Long-lived tasks: what moves messages and time without anybody asking.
//!
//! Promises: each does one thing in a loop with a pace, ends when it is told to, and has a `…_once` that does a round.
//! Never: decides (the verbs do).

pub mod janitor;
pub mod notices;
pub mod outbound;
pub mod sweeper;
