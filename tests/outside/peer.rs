//! A participant's own AMQP client for hostile tests: it may send anything, and reads what it is told.
//!
//! Promises: each wait has a deadline. Never: links anything of the gateway.

use lapin::message::BasicGetMessage;
use lapin::options::{BasicAckOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(60);

/// A connection of one user.
pub struct Peer {
    _connection: Connection,
    channel: Channel,
    user: String,
}

impl Peer {
    pub async fn connect(url: &str) -> Self {
        let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("connected");
        let channel = connection.create_channel().await.expect("a channel");
        channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
        let user = connection.status().username();
        Self { _connection: connection, channel, user }
    }

    /// What a well-behaved participant states about a message in JSON.
    pub fn properties(&self, id: &str) -> BasicProperties {
        BasicProperties::default()
            .with_delivery_mode(2)
            .with_content_type("application/json".into())
            .with_message_id(id.into())
            .with_user_id(ShortString::from(self.user.as_str()))
    }

    /// Sends a message as it should be sent.
    pub async fn send(&self, message: &Value) {
        let id = message["id"].as_str().unwrap();
        self.publish(self.properties(id), message.to_string().as_bytes()).await;
    }

    /// Sends anything; the broker itself must take it.
    pub async fn publish(&self, properties: BasicProperties, content: &[u8]) {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let sent = self.channel.basic_publish("mezhved.in".into(), "any".into(), options, content, properties).await;
        let confirmed = sent.expect("sent").await.expect("an answer of the broker");
        assert!(matches!(confirmed, Confirmation::Ack(None)), "the broker did not take it: {confirmed:?}");
    }

    /// The next message of a queue, acknowledged; none if none waits.
    pub async fn take(&self, queue: &str) -> Option<BasicGetMessage> {
        let got = self.channel.basic_get(queue.into(), BasicGetOptions::default()).await.expect("may read");
        if let Some(message) = &got {
            message.acker.ack(BasicAckOptions::default()).await.expect("acknowledged");
        }
        got
    }

    /// The next message of a queue.
    pub async fn next(&self, queue: &str) -> BasicGetMessage {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(message) = self.take(queue).await {
                return message;
            }
            assert!(Instant::now() < deadline, "nothing in {queue} within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The next letter of the own queue, as JSON.
    pub async fn letter(&self) -> Value {
        let message = self.next(&format!("mezhved.out.{}", self.user)).await;
        serde_json::from_slice(&message.data).expect("a letter in JSON")
    }

    /// The next letter, which must be a refusal with that code and of that message.
    pub async fn refusal(&self, code: &str, of: Option<&str>) -> Value {
        let letter = self.letter().await;
        assert_eq!(letter["type"], "receipt.refusal", "{letter:#}");
        assert_eq!(letter["body"]["code"], code, "{letter:#}");
        assert_eq!(letter["in_reply_to"].as_str(), of, "{letter:#}");
        assert!(letter["body"]["comment"].as_str().is_some_and(|words| !words.is_empty()), "{letter:#}");
        letter
    }

    /// The next letter, which must be the receipt of that message: its id and the registration number.
    pub async fn receipt(&self, of: &Value) -> (String, String) {
        let letter = self.letter().await;
        assert_eq!((&letter["type"], &letter["in_reply_to"]), (&json!("receipt.delivery"), &of["id"]), "{letter:#}");
        let number = letter["body"]["registration"]["number"].as_str().unwrap();
        (letter["id"].as_str().unwrap().to_owned(), number.to_owned())
    }
}

/// A request that is right in every way.
pub fn request(from: &str, to: &str) -> Value {
    json!({
        "id": Uuid::new_v4(), "type": "request.information", "version": 1, "from": from, "to": [to],
        "created_at": "2026-03-02T09:00:00+08:00", "summary": "Запрос сведений",
        "body": {
            "persons": [{"name": "Примеров Пример Примерович", "relation": "child"}],
            "questions": ["Посещает ли ребёнок занятия?"]
        }
    })
}
