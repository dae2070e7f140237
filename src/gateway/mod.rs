//! The verbs: receive, act, sweep, dispatch, and what may be shown.
//!
//! Promises: load, decide, save, commit; a receipt only after the commit. Never: SQL, a broker, HTTP.

pub mod ports;
pub mod views;
