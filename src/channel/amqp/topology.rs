//! The exchanges and queues on the broker, declared anew over each connection.
//!
//! Promises: every queue is a quorum queue with a delivery limit of its own and with dead letters that the broker hands
//! over at least once; declaring is idempotent. Never: deletes or changes what is there with other arguments; it says
//! what to do instead.

use crate::domain::ids::ParticipantCode;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, ErrorKind, ExchangeKind};

/// Where participants publish (topic).
pub const IN_EXCHANGE: &str = "mezhved.in";
/// Where the gateway consumes.
pub const INBOUND_QUEUE: &str = "mezhved.inbound";
/// Where the gateway publishes; the routing key is the participant (direct).
pub const OUT_EXCHANGE: &str = "mezhved.out";
/// What could not be kept by the gateway, or was rejected by a participant (exchange and queue).
pub const DEAD_QUEUE: &str = "mezhved.dead";

/// Redeliveries of one message before it goes to [`DEAD_QUEUE`]. The broker cannot tell a message that breaks the gateway
/// from one whose delivery broke off with the network: the gateway counts the former itself and keeps it (invariant 11),
/// and the latter must not be lost sight of. What is left is what no client can read: it ends each connection.
pub(super) const INBOUND_DELIVERY_LIMIT: i64 = 20;
/// A participant's own program may fail more often over its own queue.
const OUT_DELIVERY_LIMIT: i64 = 20;
/// Nothing leaves the last queue by itself, however often a person looks at it.
const DEAD_DELIVERY_LIMIT: i64 = 1_000_000;

/// The queue of a participant.
#[must_use]
pub fn out_queue(participant: &ParticipantCode) -> String {
    format!("{OUT_EXCHANGE}.{participant}")
}

/// Why the topology does not stand.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum TopologyFault {
    #[error(
        "`{name}` exists with other arguments ({detail}); let it run empty, delete it (rabbitmqctl delete_queue {name}), \
         and the gateway declares it anew"
    )]
    OtherArguments { name: String, detail: String },
    #[error("`{name}`: {error}")]
    Failed { name: String, error: lapin::Error },
}

impl TopologyFault {
    /// Something that was declared is gone.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Failed { error, .. } if is_soft(error, AMQPSoftError::NOTFOUND))
    }
}

fn is_soft(error: &lapin::Error, kind: AMQPSoftError) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(said) if *said.kind() == AMQPErrorKind::Soft(kind))
}

/// What both directions need: the queue of dead letters.
pub(super) async fn declare_dead(channel: &Channel) -> Result<(), TopologyFault> {
    declare_exchange(channel, DEAD_QUEUE, ExchangeKind::Fanout).await?;
    declare_queue(channel, DEAD_QUEUE, quorum(DEAD_DELIVERY_LIMIT)).await?;
    bind(channel, DEAD_QUEUE, (DEAD_QUEUE, "")).await
}

/// The way in.
pub(super) async fn declare_inbound(channel: &Channel) -> Result<(), TopologyFault> {
    declare_dead(channel).await?;
    declare_exchange(channel, IN_EXCHANGE, ExchangeKind::Topic).await?;
    declare_queue(channel, INBOUND_QUEUE, with_dead_letters(quorum(INBOUND_DELIVERY_LIMIT))).await?;
    bind(channel, INBOUND_QUEUE, (IN_EXCHANGE, "#")).await
}

/// The way out, without the participants' queues.
pub(super) async fn declare_outbound(channel: &Channel) -> Result<(), TopologyFault> {
    declare_dead(channel).await?;
    declare_exchange(channel, OUT_EXCHANGE, ExchangeKind::Direct).await
}

/// The queue of one participant.
pub(super) async fn declare_participant(channel: &Channel, participant: &ParticipantCode) -> Result<(), TopologyFault> {
    let queue = out_queue(participant);
    declare_queue(channel, &queue, with_dead_letters(quorum(OUT_DELIVERY_LIMIT))).await?;
    bind(channel, &queue, (OUT_EXCHANGE, participant.as_str())).await
}

fn quorum(delivery_limit: i64) -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(delivery_limit));
    arguments
}

// At-least-once dead-lettering works only together with this way of overflowing.
fn with_dead_letters(mut arguments: FieldTable) -> FieldTable {
    arguments.insert("x-dead-letter-exchange".into(), AMQPValue::LongString(DEAD_QUEUE.into()));
    arguments.insert("x-dead-letter-strategy".into(), AMQPValue::LongString("at-least-once".into()));
    arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    arguments
}

async fn declare_exchange(channel: &Channel, name: &str, kind: ExchangeKind) -> Result<(), TopologyFault> {
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    let declared = channel.exchange_declare(short(name), kind, options, FieldTable::default()).await;
    declared.map_err(|error| fault(name, error))
}

async fn declare_queue(channel: &Channel, name: &str, arguments: FieldTable) -> Result<(), TopologyFault> {
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(short(name), options, arguments).await.map(drop).map_err(|error| fault(name, error))
}

async fn bind(channel: &Channel, queue: &str, to: (&str, &str)) -> Result<(), TopologyFault> {
    let (exchange, key) = (short(to.0), short(to.1));
    let bound =
        channel.queue_bind(short(queue), exchange, key, QueueBindOptions::default(), FieldTable::default()).await;
    bound.map_err(|error| fault(queue, error))
}

fn fault(name: &str, error: lapin::Error) -> TopologyFault {
    let name = name.to_owned();
    if is_soft(&error, AMQPSoftError::PRECONDITIONFAILED) {
        TopologyFault::OtherArguments { name, detail: error.to_string() }
    } else {
        TopologyFault::Failed { name, error }
    }
}

/// Our own names are all short; a longer text is cut rather than let the client panic.
pub(super) fn short(text: &str) -> ShortString {
    ShortString::try_new(text).unwrap_or_else(|_| text.chars().take(60).collect::<String>().into())
}
