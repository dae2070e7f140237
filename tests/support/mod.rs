//! What the integration tests stand on: real parts, started by the tests themselves.
//!
//! Promises: each part is private to the test or to the run, and ends with it.
//! Never: imitates a part that a user would have real.
#![allow(dead_code, reason = "each test program uses only some of the parts")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

pub mod broker;
pub mod gateway;
pub mod postgres;
pub mod proxy;
pub mod python;
