//! Terms and calendars: worked examples, properties, the protocol, and `mezhved due`.
//!
//! Promises: every rule of ГК ст. 191–194 that the product leans on has an example here. Never: reads the clock.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

mod calendars;
mod computing;
mod coverage;
mod due;
mod properties;
mod provisional;
mod regions;
mod support;
mod vectors;
mod words;
mod zones;
