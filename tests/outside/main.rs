//! The gateway from outside: the real binary, a real broker, and clients that know only what is published.
//!
//! Promises: each test has its own store and virtual host. Never: links the gateway's own code into a client.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

mod batches;
mod bucket;
mod files;
mod hostile;
mod loading;
mod peer;
mod poison;
mod story;
#[path = "../support/mod.rs"]
mod support;
