//! Channels: how messages come and go.
//!
//! Promises: a channel knows transport and nothing of the subject; what it hands in names who brought it. Never: one
//! channel imports another; a client library shows outside its own folder.

pub mod amqp;
pub mod mail;
pub mod push;

use crate::domain::message::Format;

/// The plainest media type of a format: every partner's tool knows it.
fn content_type(format: Format) -> &'static str {
    match format {
        Format::Json => "application/json",
        Format::Xml => "application/xml",
    }
}
