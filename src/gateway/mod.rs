//! The verbs: receive, act, sweep, dispatch, and what may be shown.
//!
//! Promises: load, decide, save, commit; a receipt only after the commit. Never: SQL, a broker, HTTP.

pub mod act;
pub mod arrival;
pub mod ports;
pub mod rejection;
pub mod show;
pub mod views;

use std::sync::Arc;

/// The gateway: cheap to clone, shared by every door and worker.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {}

impl Gateway {
    fn _inner(&self) -> &Inner {
        &self.0
    }
}
