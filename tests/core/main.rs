//! The pure core: what follows from a message, a decision of a person, and the passing of time.
//!
//! Promises: every rule of the obligations, the ladder and the letters has an example here, with the built-in
//! catalogue, calendars and ladders. Never: a store, a clock, a thread.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

mod adopting;
mod alerts;
mod answering;
mod bodies;
mod calendar_end;
mod cases;
mod climbing;
mod controlling;
mod ending;
mod kit;
mod ladder_times;
mod letters;
mod opening;
mod orders;
mod outages;
mod parties;
mod pausing;
mod redirecting;
mod returning;
