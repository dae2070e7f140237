//! The outbound worker on a real gateway with a real store, against a real broker and real endpoints.

use crate::kit::{SCHOOL, Story, code, new_id, request};
use crate::peer::{Peer, Running, config, until};
use crate::push::{Receiver, endpoint, hostile, outlet as push_outlet};
use crate::support::broker::Broker;
use chrono::TimeDelta;
use mezhved::channel::amqp::AmqpOutlet;
use mezhved::clock::Clock;
use mezhved::domain::decision::EventKind;
use mezhved::domain::ids::{MessageId, ParticipantCode};
use mezhved::domain::participant::Route;
use mezhved::gateway::ports::reads::DeliveryRow;
use mezhved::worker::outbound::{self, Way};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const NOW: &str = "2026-03-02 10:00";
const OTHER: &str = "school-test-18";

struct Worker {
    stop: CancellationToken,
    task: JoinHandle<()>,
    clock: JoinHandle<()>,
}

/// Runs the worker, and lets the story's clock run with the machine's.
fn work(story: &Story, way: Way) -> Worker {
    let stop = CancellationToken::new();
    let (token, gateway) = (stop.clone(), Arc::new(story.gateway.clone()));
    let task = tokio::spawn(async move { outbound::run(gateway, way, &token).await });
    let clock = story.clock.clone();
    let clock = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(10)).await;
            clock.set(clock.now() + TimeDelta::milliseconds(10));
        }
    });
    Worker { stop, task, clock }
}

impl Worker {
    async fn stopped(self) {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(60), self.task).await.expect("ended in 60 s").expect("no panic");
        self.clock.abort();
    }
}

async fn route(story: &Story, routes: &[(&str, Route)]) {
    let mut all = story.store.participants().await.expect("participants");
    for (of, route) in routes {
        all.iter_mut().find(|one| one.code.as_str() == *of).expect("known").route = route.clone();
    }
    story.store.import_participants(all).await.expect("imported");
    story.gateway.refresh_directory().await.expect("read");
}

fn pushed(url: &str) -> Route {
    Route::Push { url: url.to_owned() }
}

async fn ask(story: &Story, whom: &str) -> MessageId {
    let id = new_id();
    story.submit(&request(id, &[whom], "2026-03-02 09:00")).await.expect("accepted");
    id
}

async fn delivery(story: &Story, id: MessageId, to: &str) -> DeliveryRow {
    story.store.delivery(id, &code(to)).await.expect("read").expect("there")
}

async fn until_state(story: &Story, id: MessageId, state: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let now = delivery(story, id, SCHOOL).await;
        if now.state == state {
            return;
        }
        assert!(Instant::now() < deadline, "not `{state}` within 60 s but {now:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn count(story: &Story, kind: EventKind, to: &ParticipantCode) -> usize {
    let events = story.store.events_after(0, 100_000).await.expect("read");
    events.iter().filter(|(_, event)| event.kind == kind && event.participant.as_ref() == Some(to)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_goes_out_at_once_in_the_recipients_format_and_is_marked_with_what_went_out() {
    let story = Story::at(NOW).await;
    let mut receiver = Receiver::start(None);
    route(&story, &[(SCHOOL, pushed(&format!("http://127.0.0.1:{}/200", receiver.port)))]).await;
    let worker = work(&story, Way::push(Arc::new(push_outlet())));
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut quickest = Duration::MAX;
    let (mut id, mut got) = (new_id(), serde_json::Value::Null);
    for _ in 0..5 {
        let begun = Instant::now();
        id = ask(&story, SCHOOL).await;
        got = receiver.next();
        quickest = quickest.min(begun.elapsed());
        assert_eq!(got["id"], id.to_string());
        until_state(&story, id, "delivered").await;
    }
    println!("from the door to the endpoint: {quickest:?}");
    // A worker that nobody wakes looks once a second, so that every one of the five would have waited for it.
    assert!(quickest < Duration::from_millis(900), "the commit did not wake the worker");
    let row = delivery(&story, id, SCHOOL).await;
    let body = got["body"].as_str().expect("text");
    assert_eq!(row.content_sha256, Some(mezhved::gateway::content::sha256_hex(body.as_bytes())));
    assert_eq!(row.attempts, 1);
    assert_eq!(count(&story, EventKind::Delivered, &code(SCHOOL)).await, 5);
    worker.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_always_fails_is_tried_eight_times_and_then_a_person_sees_it() {
    let story = Story::at(NOW).await;
    let receiver = Receiver::start(None);
    route(&story, &[(SCHOOL, pushed(&format!("http://127.0.0.1:{}/503", receiver.port)))]).await;
    let worker = work(&story, Way::push(Arc::new(push_outlet())));
    let id = ask(&story, SCHOOL).await;
    for (failures, wait_s) in (1..).zip([5, 300, 1_800, 7_200, 18_000, 36_000, 36_000]) {
        let row = loop {
            let row = delivery(&story, id, SCHOOL).await;
            if row.attempts == failures && row.state == "waiting_retry" {
                break row;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        let wait = (row.next_at.expect("a time") - story.clock.now()).num_seconds();
        assert!((wait_s * 9 / 10 - 2..=wait_s * 11 / 10).contains(&wait), "{failures}: {wait}");
        assert_eq!(row.error.as_deref(), Some("the endpoint answered 503"));
        story.clock.set(row.next_at.expect("a time"));
    }
    until_state(&story, id, "undeliverable").await;
    assert_eq!(delivery(&story, id, SCHOOL).await.attempts, 8);
    assert_eq!(count(&story, EventKind::Undeliverable, &code(SCHOOL)).await, 1);
    worker.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_never_answers_delays_nobody_else() {
    let story = Story::at(NOW).await;
    let (silent, _) = hostile(|stream, _| async move {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
    })
    .await;
    let mut receiver = Receiver::start(None);
    let quick = format!("http://127.0.0.1:{}/200", receiver.port);
    route(&story, &[(SCHOOL, pushed(&endpoint(silent))), (OTHER, pushed(&quick))]).await;
    for _ in 0..1_000 {
        ask(&story, SCHOOL).await;
    }
    let mut worker = None;
    let begun = Instant::now();
    for _ in 0..20 {
        ask(&story, OTHER).await;
        worker.get_or_insert_with(|| work(&story, Way::push(Arc::new(push_outlet()))));
    }
    for _ in 0..20 {
        receiver.next();
    }
    println!("20 letters passed 1,000 that nobody takes in {:?}", begun.elapsed());
    // An attempt at the silent endpoint lasts 15 s: whoever waits for the 1,000 waits for more than the test may last.
    let after = story.gateway.figures().await.expect("figures");
    assert!(after.deliveries_owed >= 1_000, "{after:?}");
    if let Some(worker) = worker {
        worker.stopped().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_broker_is_away_no_attempt_is_counted_and_all_goes_out_when_it_is_back() {
    let broker = Broker::start();
    let vhost = broker.vhost();
    let story = Story::at(NOW).await;
    route(&story, &[(SCHOOL, Route::Amqp)]).await;
    let outlet = Arc::new(AmqpOutlet::new(config(&vhost), Clock::system()));
    let mut connection = Running::outlet(&outlet);
    connection.up().await;
    let worker = work(&story, Way::amqp(outlet));
    let first = ask(&story, SCHOOL).await;
    until_state(&story, first, "delivered").await;
    broker.kill();
    connection.down().await;
    let mut ids = Vec::new();
    for _ in 0..50 {
        ids.push(ask(&story, SCHOOL).await);
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    for id in &ids {
        assert_eq!(delivery(&story, *id, SCHOOL).await.attempts, 0);
    }
    broker.restart();
    let back = Instant::now();
    for id in &ids {
        until_state(&story, *id, "delivered").await;
        assert_eq!(delivery(&story, *id, SCHOOL).await.attempts, 1);
    }
    println!("50 letters went out within {:?} of the broker's return", back.elapsed());
    let peer = Peer::connect(&vhost.participant(SCHOOL)).await;
    assert_eq!(peer.read(&format!("mezhved.out.{SCHOOL}"), 51).await.len(), 51);
    worker.stopped().await;
    connection.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_waits_for_letters_on_their_way_and_gives_back_those_not_begun() {
    let story = Story::at(NOW).await;
    let (slow, _) = hostile(|mut stream, _| async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await;
    })
    .await;
    route(&story, &[(SCHOOL, pushed(&endpoint(slow)))]).await;
    for _ in 0..10 {
        ask(&story, SCHOOL).await;
    }
    let worker = work(&story, Way::push(Arc::new(push_outlet())));
    let begun = Instant::now();
    until("sending", || begun.elapsed() > Duration::from_millis(500)).await;
    worker.stopped().await;
    let figures = story.gateway.figures().await.expect("figures");
    assert_eq!((figures.deliveries_done, figures.deliveries_owed), (4, 6), "{figures:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rate_from_the_outbox_to_confirmed_delivery_is_printed() {
    const LETTERS: usize = 3_000;
    let vhost = Broker::shared().vhost();
    let story = Story::at(NOW).await;
    route(&story, &[(SCHOOL, Route::Amqp)]).await;
    let mut asks = tokio::task::JoinSet::new();
    let story = Arc::new(story);
    for _ in 0..LETTERS / 100 {
        let story = Arc::clone(&story);
        asks.spawn(async move {
            for _ in 0..100 {
                ask(&story, SCHOOL).await;
            }
        });
    }
    asks.join_all().await;
    let outlet = Arc::new(AmqpOutlet::new(config(&vhost), Clock::system()));
    let mut connection = Running::outlet(&outlet);
    connection.up().await;
    let begun = Instant::now();
    let worker = work(&story, Way::amqp(outlet));
    loop {
        if story.gateway.figures().await.expect("figures").deliveries_done == LETTERS as u64 {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(240));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("outbox to confirmed delivery: {:.0} letters a second", LETTERS as f64 / begun.elapsed().as_secs_f64());
    worker.stopped().await;
    connection.stopped().await;
}
