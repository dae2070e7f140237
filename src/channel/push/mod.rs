//! HTTPS push: a participant's endpoint gets its letters as signed webhooks (Standard Webhooks).
//!
//! Promises: `Ok` only after the endpoint has answered 2xx, whole, within 15 s and 64 KiB; an address inside the house is
//! refused when it is saved and again when it is connected to. Never: follows a redirect; uses a proxy; lets the client
//! library out of this folder; retries by itself.

mod alerts;
mod answer;
mod guard;
mod network;
mod outlet;
mod signature;

pub use guard::{Policy, UrlFault, check_url};
pub use network::Network;
pub use outlet::{PushConfig, PushFault, PushOutlet, Secrets};
