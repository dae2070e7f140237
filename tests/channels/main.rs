//! The channels against real parts: a private RabbitMQ node, and real HTTP servers.
//!
//! Promises: what the channel is for is seen from the other side, by a client of its own. Never: a mocked broker.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

#[path = "../support/mod.rs"]
mod support;

#[path = "../stories/kit.rs"]
#[allow(dead_code, reason = "the stories use more of their kit")]
mod kit;

mod amqp_faults;
mod amqp_in;
mod amqp_out;
mod mail;
mod outbound;
mod peer;
mod push;
