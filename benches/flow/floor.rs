//! The floor: what cannot be left out of a durable gateway, and nothing else. It checks nothing and maps nothing.

use futures_util::StreamExt as _;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, PublisherConfirm};
use rusqlite::{Connection, params};
use std::path::Path;
use std::time::Duration;

const BATCH: usize = 256;
/// About as large as a receipt in XML.
const RECEIPT_BYTES: usize = 900;

/// What the floor sends for each message that it has taken.
#[derive(Clone, Copy)]
pub enum Sends {
    /// The same bytes to one queue.
    One,
    /// As the gateway does: the same bytes to one of so many queues, and a receipt to the sender's.
    LetterAndReceipt { queues: usize },
}

/// Consumes, writes each batch in one synced transaction, publishes it confirmed, acknowledges it.
pub async fn run(channel: &Channel, file: &Path, (messages, sends): (usize, Sends)) {
    let mut database = Connection::open(file).unwrap();
    database.pragma_update(None, "journal_mode", "wal").unwrap();
    database.pragma_update(None, "synchronous", "full").unwrap();
    database.execute("CREATE TABLE message (n INTEGER PRIMARY KEY, content BLOB NOT NULL)", []).unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    channel.basic_qos(512, BasicQosOptions::default()).await.unwrap();
    let options = BasicConsumeOptions::default();
    let mut consumer =
        channel.basic_consume("floor.in".into(), "floor".into(), options, FieldTable::default()).await.unwrap();
    let mut done = 0;
    while done < messages {
        let mut batch = vec![consumer.next().await.unwrap().unwrap()];
        while batch.len() < BATCH {
            match tokio::time::timeout(Duration::from_millis(1), consumer.next()).await {
                Ok(Some(delivery)) => batch.push(delivery.unwrap()),
                _ => break,
            }
        }
        let transaction = database.transaction().unwrap();
        {
            let mut insert = transaction.prepare_cached("INSERT INTO message (content) VALUES (?1)").unwrap();
            for delivery in &batch {
                insert.execute(params![delivery.data]).unwrap();
            }
        }
        transaction.commit().unwrap();
        let mut confirms = Vec::with_capacity(2 * batch.len());
        for (number, delivery) in (done..).zip(&batch) {
            match sends {
                Sends::One => confirms.push(publish(channel, &queue(0), &delivery.data).await),
                Sends::LetterAndReceipt { queues } => {
                    confirms.push(publish(channel, &queue(1 + number % queues), &delivery.data).await);
                    confirms.push(publish(channel, &queue(0), &delivery.data[..RECEIPT_BYTES]).await);
                }
            }
        }
        for confirm in confirms {
            assert!(confirm.await.unwrap().is_ack());
        }
        done += batch.len();
        let last = batch.last().unwrap().delivery_tag;
        channel.basic_ack(last, BasicAckOptions { multiple: true }).await.unwrap();
    }
}

/// The queues that the floor publishes to; the first takes the receipts.
pub fn queue(number: usize) -> String {
    format!("floor.out.{number}")
}

async fn publish(channel: &Channel, to: &str, content: &[u8]) -> PublisherConfirm {
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default().with_delivery_mode(2));
    channel.basic_publish("".into(), to.into(), options, content, properties).await.unwrap()
}
