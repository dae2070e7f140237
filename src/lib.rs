//! **mezhved** («межвед»): the gateway through which a social centre and the bodies of the child-welfare
//! prevention system exchange requests and replies.
//!
//! The domain decides, the store remembers, the workers act. Nothing leaves the process before it has been written
//! down, and nothing is written down that the domain did not decide. `docs/ARCHITECTURE.md` tells the whole story;
//! `tests/tidy.rs` holds who may import whom.

pub mod app;
pub mod catalogue;
pub mod channel;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod failpoint;
pub mod flaw;
pub mod format;
pub mod gateway;
pub mod limits;
pub mod retry;
pub mod store;
pub mod telemetry;
pub mod web;
pub mod worker;
