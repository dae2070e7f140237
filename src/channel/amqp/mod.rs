//! AMQP 0-9-1 with RabbitMQ: the queue that messages come from, and the queue of each participant.
//!
//! Promises: a delivery is acknowledged only after the gateway has taken it; a letter counts as delivered only when the
//! broker has confirmed it to a queue. Never: lets a type of the client library out of this folder; trusts its automatic
//! recovery (each connection is rebuilt whole by its own [`link`]); publishes and consumes on one connection, because
//! a broker under a resource alarm stops reading from connections that publish.

pub(crate) mod acknowledging;
mod address;
mod admission;
mod intake;
mod lane;
mod lanes;
mod link;
mod outlet;
mod peer;
mod topology;

pub use address::{AmqpAddress, BadAddress};
pub use intake::Intake;
pub use link::LinkState;
pub use outlet::AmqpOutlet;
pub use peer::{Outgoing, PeerFault, PeerLink};
pub use topology::{DEAD_QUEUE, IN_EXCHANGE, INBOUND_QUEUE, OUT_EXCHANGE, out_queue};

use std::time::Duration;

/// A directive for the log filter without which the client library writes out, at level `warn`, the whole content of
/// every message that the broker returns: personal data. The telemetry must install it, whatever else is configured.
pub const LOG_DIRECTIVE: &str = "lapin=off";

/// How to reach the broker, and how much to take from it at once.
#[derive(Debug, Clone)]
pub struct AmqpConfig {
    pub address: AmqpAddress,
    /// Deliveries taken and not yet acknowledged.
    pub prefetch: u16,
    pub heartbeat_s: u16,
    /// Connecting, the handshake and the topology, each.
    pub connect_timeout: Duration,
    /// Publishing one letter until its confirmation.
    pub confirm_timeout: Duration,
    /// Letters on their way at once.
    pub letters_max: usize,
    /// The largest content that is handed in, in bytes; a larger one goes to `mezhved.dead` whole. The broker's own
    /// `max_message_size` should be as small, because a delivery must be received before it can be refused.
    pub content_bytes_max: usize,
    /// How long deliveries are held when the gateway takes nothing, before they are given back to the broker.
    pub hold_max: Duration,
    /// How long the work in flight may take to end after a stop.
    pub drain_timeout: Duration,
}

impl AmqpConfig {
    /// The defaults for a broker.
    #[must_use]
    pub fn new(address: AmqpAddress) -> Self {
        Self {
            address,
            prefetch: 512,
            heartbeat_s: 10,
            connect_timeout: Duration::from_secs(10),
            confirm_timeout: Duration::from_secs(10),
            letters_max: 512,
            content_bytes_max: 4 * 1024 * 1024,
            hold_max: Duration::from_secs(300),
            drain_timeout: Duration::from_secs(8),
        }
    }
}
