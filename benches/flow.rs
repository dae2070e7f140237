//! From the queue to the confirmed delivery: the whole gateway with SQLite beside a floor that only consumes, writes the
//! same bytes in one transaction per batch, and publishes confirmed, on the same broker in the same run. One floor sends
//! each message to one queue; the other sends what the gateway sends: a letter to one of 200 queues, and a receipt.
//!
//! `cargo bench --bench flow [-- MESSAGES]`. Promises: a real private RabbitMQ node, quorum queues, persistent messages,
//! full fsync on both sides. Never: judges; it prints.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement may fail loudly and prints what it found"
)]

#[path = "flow/floor.rs"]
mod floor;
#[path = "flow/letters.rs"]
mod letters;
#[path = "../tests/support/mod.rs"]
mod support;

use floor::Sends;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use mezhved::app::{self, Running};
use mezhved::clock::Clock;
use mezhved::config::Config;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Rounds of gateway and floor in turn; the median is what counts on a noisy machine.
const ROUNDS: usize = 3;

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let messages: usize = numbers.next().unwrap_or(10_000);
    let broker = support::broker::Broker::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let same = Sends::LetterAndReceipt { queues: letters::SCHOOLS };
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let [our, bare, like] = runtime.block_on(async {
            let our = gateway(&broker.vhost(), messages).await;
            let bare = floor(&broker.vhost(), messages, Sends::One).await;
            [our, bare, floor(&broker.vhost(), messages, same).await]
        });
        println!("round {round}: gateway {our:.0} messages/s, floor {bare:.0}, floor that sends the same {like:.0}");
        rounds.push([our, bare, like]);
    }
    let median = |of: fn(&[f64; 3]) -> f64| {
        let mut all: Vec<f64> = rounds.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    println!(
        "queue to confirmed delivery, {messages} messages, each a letter to one of 200 and a receipt to its sender"
    );
    println!("gateway                    {:>7.0}/s", median(|[our, ..]| *our));
    println!(
        "floor, one queue           {:>7.0}/s   ratio {:.2}",
        median(|[_, bare, _]| *bare),
        median(|[our, bare, _]| our / bare)
    );
    println!(
        "floor that sends the same  {:>7.0}/s   ratio {:.2}",
        median(|[.., like]| *like),
        median(|[our, _, like]| our / like)
    );
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("mezhved-flow-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The queue is filled first, with the gateway down; the time is from its start to the last confirmed delivery.
async fn gateway(vhost: &support::broker::Vhost<'_>, messages: usize) -> f64 {
    let folder = folder("gateway");
    vhost.participant(letters::SENDER);
    let running = start(&folder, &vhost.gateway_url()).await;
    running.store.import_participants(letters::participants()).await.unwrap();
    wait(|| async { running.gateway.unready_reasons().await.is_empty() }).await;
    running.stop().await;
    publish(&vhost.url(letters::SENDER), ("mezhved.in", "request.information"), messages).await;
    let begun = Instant::now();
    let running = start(&folder, &vhost.gateway_url()).await;
    wait(|| async { running.gateway.figures().await.unwrap().deliveries_done >= messages as u64 }).await;
    let took = begun.elapsed();
    running.stop().await;
    std::fs::remove_dir_all(&folder).unwrap();
    messages as f64 / took.as_secs_f64()
}

async fn start(folder: &std::path::Path, url: &str) -> Running {
    let path = folder.join("bench.toml");
    let store = folder.join("mezhved.db");
    let text =
        format!("[http]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"{}\"\n[amqp]\nurl = \"{url}\"\n", store.display());
    std::fs::write(&path, text).unwrap();
    let config = Config::load(Some(&path)).unwrap();
    // A gateway that has just stopped gives its lock back a moment later.
    for _ in 0..100 {
        if let Ok(running) = app::start(&config, Clock::system()).await {
            return running;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    app::start(&config, Clock::system()).await.unwrap()
}

async fn floor(vhost: &support::broker::Vhost<'_>, messages: usize, sends: Sends) -> f64 {
    let folder = folder("floor");
    let url = vhost.gateway_url();
    let channel = channel(&url).await;
    let queues = match sends {
        Sends::One => 1,
        Sends::LetterAndReceipt { queues } => 1 + queues,
    };
    for queue in (0..queues).map(floor::queue).chain(["floor.in".to_owned()]) {
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(queue.into(), options, arguments).await.unwrap();
    }
    publish(&url, ("", "floor.in"), messages).await;
    let begun = Instant::now();
    floor::run(&channel, &folder.join("floor.db"), (messages, sends)).await;
    let took = begun.elapsed();
    std::fs::remove_dir_all(&folder).unwrap();
    messages as f64 / took.as_secs_f64()
}

async fn channel(url: &str) -> Channel {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    // The connection lives as long as the program.
    std::mem::forget(connection);
    channel
}

/// Publishes that many requests, all confirmed.
async fn publish(url: &str, (exchange, key): (&str, &str), messages: usize) {
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
        if confirms.len() == 1000 {
            for confirm in confirms.drain(..) {
                assert!(confirm.await.unwrap().is_ack());
            }
        }
    }
    for confirm in confirms {
        assert!(confirm.await.unwrap().is_ack());
    }
}

async fn wait<F: Future<Output = bool>>(mut so: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(300);
    while !so().await {
        assert!(Instant::now() < deadline, "it takes more than five minutes");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
