//! The floor: what cannot be left out of a durable gateway, and nothing else. It checks nothing and maps nothing.

use crate::support::broker::Vhost;
use crate::support::postgres::Database;
use crate::{letters, queues};
use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, PublisherConfirm};
use mezhved::clock::Clock;
use rusqlite::params;
use sqlx::{Connection as _, PgConnection};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use uuid::Uuid;

const BATCH: usize = 256;
/// About as large as a receipt in XML.
const RECEIPT_BYTES: usize = 900;
const IN_QUEUE: &str = "floor.in";

/// What the floor sends for each message that it has taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sends {
    /// The same bytes to one queue.
    One,
    /// As the gateway does: the same bytes to one of so many queues, and a receipt to the sender's.
    LetterAndReceipt { queues: usize },
}

/// One table in one database: id, sender, content, the instant of receipt.
enum Table {
    Sqlite { connection: rusqlite::Connection, folder: PathBuf },
    Postgres(PgConnection),
}

impl Table {
    async fn open(database: Option<&Database<'_>>) -> Self {
        if let Some(database) = database {
            let mut connection = PgConnection::connect(&database.url()).await.unwrap();
            let text = "CREATE TABLE floor (id uuid PRIMARY KEY, sender text NOT NULL, content bytea NOT NULL, \
                        received_at timestamptz NOT NULL)";
            sqlx::query(text).execute(&mut connection).await.unwrap();
            return Self::Postgres(connection);
        }
        let folder = std::env::temp_dir().join(format!("mezhved-floor-{}-{}", std::process::id(), Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        let connection = rusqlite::Connection::open(folder.join("floor.db")).unwrap();
        connection.pragma_update(None, "journal_mode", "wal").unwrap();
        connection.pragma_update(None, "synchronous", "full").unwrap();
        let text = "CREATE TABLE floor (id blob PRIMARY KEY, sender text, content blob, received_at text)";
        connection.execute(text, []).unwrap();
        Self::Sqlite { connection, folder }
    }

    /// One statement where the database has one for many rows; one transaction.
    async fn write(&mut self, batch: &[Delivery], now: DateTime<Utc>) {
        let id = |delivery: &Delivery| -> Uuid {
            delivery.properties.message_id().as_ref().unwrap().as_str().parse().unwrap()
        };
        match self {
            Self::Postgres(connection) => {
                let ids: Vec<Uuid> = batch.iter().map(id).collect();
                let senders = vec![letters::SENDER; batch.len()];
                let contents: Vec<&[u8]> = batch.iter().map(|delivery| delivery.data.as_slice()).collect();
                let insert =
                    "INSERT INTO floor SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::bytea[], $4::timestamptz[])";
                let query = sqlx::query(insert).bind(ids).bind(senders).bind(contents).bind(vec![now; batch.len()]);
                query.execute(connection).await.unwrap();
            }
            Self::Sqlite { connection, .. } => {
                let transaction = connection.transaction().unwrap();
                {
                    let mut insert = transaction.prepare_cached("INSERT INTO floor VALUES (?1, ?2, ?3, ?4)").unwrap();
                    for delivery in batch {
                        let id = id(delivery);
                        insert
                            .execute(params![id.as_bytes(), letters::SENDER, delivery.data, now.to_rfc3339()])
                            .unwrap();
                    }
                }
                transaction.commit().unwrap();
            }
        }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        if let Self::Sqlite { folder, .. } = self {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// Messages a second, from the first delivery to the last acknowledgement.
pub async fn rate(vhost: &Vhost<'_>, database: Option<&Database<'_>>, (messages, sends): (usize, Sends)) -> f64 {
    let url = vhost.gateway_url();
    let channel = queues::channel(&url).await;
    let out = match sends {
        Sends::One => 1,
        Sends::LetterAndReceipt { queues } => 1 + queues,
    };
    queues::declare(&channel, (0..out).map(queue).chain([IN_QUEUE.to_owned()])).await;
    let mut table = Table::open(database).await;
    queues::publish(&url, ("", IN_QUEUE), messages).await;
    let begun = Instant::now();
    run(&channel, &mut table, (messages, sends)).await;
    messages as f64 / begun.elapsed().as_secs_f64()
}

/// Consumes, writes each batch in one synced transaction, publishes it confirmed, acknowledges it.
async fn run(channel: &Channel, table: &mut Table, (messages, sends): (usize, Sends)) {
    let clock = Clock::system();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    channel.basic_qos(512, BasicQosOptions::default()).await.unwrap();
    let options = BasicConsumeOptions::default();
    let mut consumer =
        channel.basic_consume(IN_QUEUE.into(), "floor".into(), options, FieldTable::default()).await.unwrap();
    let mut done = 0;
    while done < messages {
        let mut batch = vec![consumer.next().await.unwrap().unwrap()];
        while batch.len() < BATCH {
            match tokio::time::timeout(Duration::from_millis(1), consumer.next()).await {
                Ok(Some(delivery)) => batch.push(delivery.unwrap()),
                _ => break,
            }
        }
        table.write(&batch, clock.now()).await;
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
fn queue(number: usize) -> String {
    format!("floor.out.{number}")
}

async fn publish(channel: &Channel, to: &str, content: &[u8]) -> PublisherConfirm {
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default().with_delivery_mode(2));
    channel.basic_publish("".into(), to.into(), options, content, properties).await.unwrap()
}
