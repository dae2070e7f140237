//! The private RabbitMQ node itself: what the other tests rely on when they stop, kill and share one.
//!
//! Promises: held against a real node. Never: touches the system's broker.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

mod support;

use lapin::options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use support::broker::{Broker, GATEWAY};

async fn channel(url: &str) -> Result<(Connection, Channel), lapin::Error> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    Ok((connection, channel))
}

async fn declare_quorum_queue(channel: &Channel, name: &str) {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(name.into(), options, arguments).await.expect("a quorum queue");
}

async fn publish_confirmed(channel: &Channel, queue: &str, user: &str, body: &[u8]) -> Result<bool, lapin::Error> {
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let properties = BasicProperties::default().with_delivery_mode(2).with_user_id(user.into());
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let confirmation = channel.basic_publish("".into(), queue.into(), options, body, properties).await?.await?;
    Ok(confirmation.is_ack())
}

#[tokio::test]
async fn a_confirmed_message_survives_the_kill_of_the_broker() {
    let broker = Broker::start();
    let vhost = broker.vhost();
    let (connection, sender) = channel(&vhost.gateway_url()).await.expect("connected");
    declare_quorum_queue(&sender, "kept").await;
    assert!(publish_confirmed(&sender, "kept", GATEWAY, b"once").await.expect("published"));

    broker.kill();
    assert!(channel(&vhost.gateway_url()).await.is_err(), "the node answers after -9");
    broker.restart();
    drop(connection);

    let (_connection, reader) = channel(&vhost.gateway_url()).await.expect("connected again on the same port");
    let message = reader.basic_get("kept".into(), BasicGetOptions { no_ack: true }).await.expect("read");
    assert_eq!(message.expect("the message is still there").data, b"once");
}

#[tokio::test]
async fn the_broker_refuses_a_sender_who_states_another_name() {
    let vhost = Broker::shared().vhost();
    let (_gateway, owner) = channel(&vhost.gateway_url()).await.expect("connected");
    declare_quorum_queue(&owner, "mezhved.out.school-17").await;
    let (_school, school) = channel(&vhost.participant("school-17")).await.expect("connected as the school");
    let refusal = publish_confirmed(&school, "mezhved.out.school-17", "school-18", b"forged").await;
    assert!(refusal.is_err(), "the broker took a message under another name");
}

#[tokio::test]
async fn a_participant_reads_its_own_queue_and_no_other() {
    let vhost = Broker::shared().vhost();
    let (_gateway, owner) = channel(&vhost.gateway_url()).await.expect("connected");
    declare_quorum_queue(&owner, "mezhved.out.school-17").await;
    declare_quorum_queue(&owner, "mezhved.out.school-18").await;
    let (_school, school) = channel(&vhost.participant("school-17")).await.expect("connected as the school");
    let own = school.basic_get("mezhved.out.school-17".into(), BasicGetOptions::default()).await;
    assert!(own.expect("may read its own queue").is_none());
    let other = school.basic_get("mezhved.out.school-18".into(), BasicGetOptions::default()).await;
    assert!(other.is_err(), "a school read the queue of another");
}
