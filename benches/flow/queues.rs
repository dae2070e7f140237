//! The broker's queues, as everybody who is measured has them, and how many messages lie in them.

use crate::letters;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};

/// A channel whose connection lives as long as the program.
pub async fn channel(url: &str) -> Channel {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    std::mem::forget(connection);
    channel
}

/// Makes quorum queues.
pub async fn declare(channel: &Channel, names: impl IntoIterator<Item = String>) {
    for name in names {
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(name.into(), options, arguments).await.unwrap();
    }
}

/// How many messages lie in these queues together.
pub async fn lying(channel: &Channel, names: &[String]) -> usize {
    let mut sum = 0;
    for name in names {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let queue = channel.queue_declare(name.as_str().into(), options, FieldTable::default()).await.unwrap();
        sum += queue.message_count() as usize;
    }
    sum
}

/// Publishes that many requests, all confirmed.
pub async fn publish(url: &str, (exchange, key): (&str, &str), messages: usize) {
    let channel = channel(url).await;
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let mut confirms = Vec::with_capacity(1000);
    for number in 0..messages {
        let (id, content) = letters::request(number);
        let mut properties = BasicProperties::default()
            .with_content_type("application/xml".into())
            .with_message_id(id.to_string().into())
            .with_delivery_mode(2);
        if exchange == "mezhved.in" {
            properties = properties.with_user_id(letters::SENDER.into());
        }
        let options = BasicPublishOptions::default();
        let confirm = channel.basic_publish(exchange.into(), key.into(), options, &content, properties).await.unwrap();
        confirms.push(confirm);
        if confirms.len() == 1000 || number + 1 == messages {
            for confirm in confirms.drain(..) {
                assert!(confirm.await.unwrap().is_ack());
            }
        }
    }
}
