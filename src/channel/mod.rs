//! Channels: how messages come and go.
//!
//! Promises: a channel knows transport and nothing of the subject; what it hands in names who brought it. Never: one
//! channel imports another; a client library shows outside its own folder.

pub mod amqp;
pub mod push;
