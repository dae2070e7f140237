//! A participant's own program over AMQP, as `mezhved load` plays it: it publishes as its own user and reads its queue.
//!
//! Promises: a message counts as sent when the broker has confirmed it; a letter is acknowledged after it was looked at.
//! Never: reconnects by itself; declares anything (the gateway owns the topology).

use crate::channel::amqp::link::{Loss, within};
use crate::channel::amqp::topology::{IN_EXCHANGE, out_queue, short};
use crate::channel::amqp::{AmqpAddress, AmqpConfig};
use crate::domain::ids::{MessageId, ParticipantCode, TypeCode};
use crate::domain::message::Format;
use futures_util::StreamExt as _;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};

/// Why a word with the broker failed; no address, no secret, no content.
#[derive(Debug, Clone, thiserror::Error)]
#[error(transparent)]
pub struct PeerFault(#[from] Loss);

impl From<lapin::Error> for PeerFault {
    fn from(error: lapin::Error) -> Self {
        Self(error.into())
    }
}

/// A message to be published.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    pub id: MessageId,
    pub type_code: &'a TypeCode,
    pub format: Format,
    pub content: &'a [u8],
}

/// One participant's connection.
pub struct PeerLink {
    // Kept, because the channels end with it.
    _connection: Connection,
    out: Channel,
    reading: Channel,
    config: AmqpConfig,
}

impl PeerLink {
    /// Connects as the participant's user.
    ///
    /// # Errors
    /// [`PeerFault`] when the broker is away or refuses the user.
    pub async fn connect(address: &AmqpAddress) -> Result<Self, PeerFault> {
        let config = AmqpConfig::new(address.clone());
        let limit = config.connect_timeout;
        let properties = ConnectionProperties::default().with_connection_name("mezhved load".into());
        let uri = address.uri(config.heartbeat_s, limit);
        let connection = within(limit, Connection::connect_uri(uri, properties)).await?;
        let out = within(limit, connection.create_channel()).await?;
        within(limit, out.confirm_select(ConfirmSelectOptions::default())).await?;
        let reading = within(limit, connection.create_channel()).await?;
        within(limit, reading.basic_qos(config.prefetch, BasicQosOptions::default())).await?;
        Ok(Self { _connection: connection, out, reading, config })
    }

    /// Publishes a message to the gateway; returns when the broker has confirmed it.
    ///
    /// # Errors
    /// [`PeerFault`]: whether the broker has it is not known.
    pub async fn publish(&self, message: Outgoing<'_>) -> Result<(), PeerFault> {
        let media_type = match message.format {
            Format::Json => "application/json",
            Format::Xml => "application/xml",
        };
        let properties = BasicProperties::default()
            .with_content_type(media_type.into())
            .with_message_id(short(&message.id.to_string()))
            .with_user_id(short(self.config.address.user()))
            .with_delivery_mode(2);
        let (exchange, key) = (short(IN_EXCHANGE), short(message.type_code.as_str()));
        let publishing =
            self.out.basic_publish(exchange, key, BasicPublishOptions::default(), message.content, properties);
        let confirmed = within(self.config.confirm_timeout, async { publishing.await?.await }).await?;
        if confirmed.is_ack() { Ok(()) } else { Err(Loss::Other("the broker did not take it").into()) }
    }

    /// Reads the participant's queue until the connection is lost; each letter is acknowledged after `look` is done
    /// with it.
    pub async fn read(&self, code: &ParticipantCode, look: impl FnMut(Vec<u8>) + Send) -> PeerFault {
        match self.read_all(code, look).await {
            Ok(()) => Loss::Other("the broker ended the consumer").into(),
            Err(fault) => fault,
        }
    }

    async fn read_all(&self, code: &ParticipantCode, mut look: impl FnMut(Vec<u8>) + Send) -> Result<(), PeerFault> {
        let (queue, options) = (short(&out_queue(code)), BasicConsumeOptions::default());
        let mut letters = self.reading.basic_consume(queue, short(""), options, FieldTable::default()).await?;
        while let Some(letter) = letters.next().await {
            let letter = letter?;
            look(letter.data);
            letter.acker.ack(BasicAckOptions::default()).await?;
        }
        Ok(())
    }
}
