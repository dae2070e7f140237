//! Stories: what people and programs live through with the gateway, over the real store and a clock that stands still.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

mod any_channel;
mod calendar;
mod cases;
mod cases_ended;
mod catalogue;
mod clarifying;
mod consents;
mod desk;
mod duties;
mod editions;
mod escalation;
mod exchange;
mod house_duties;
mod kit;
mod notices;
mod papers;
mod passing;
mod registers;
mod sources;
mod types_added;
mod wall;
mod year;
