//! The subject itself: messages, exchanges, obligations, terms, escalation.
//!
//! Promises: pure functions over plain data; the instant, the calendar and the policy are arguments.
//! Never: I/O, async, a clock read, SQL, HTTP, a broker.

pub mod alert;
pub mod calendar;
pub mod case;
pub mod decide;
pub mod decision;
pub mod delivery;
pub mod delivery_stage;
pub mod ending;
pub mod escalation;
pub mod exchange;
pub mod ids;
pub mod message;
pub mod notice;
pub mod obligation;
pub mod participant;
pub mod rule;
pub mod term;
pub mod zone;
