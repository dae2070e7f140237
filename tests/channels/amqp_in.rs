//! The way in over AMQP.

use crate::peer::{Peer, Recorder, Running, config, depth, until};
use crate::support::broker::Broker;
use lapin::BasicProperties;
use lapin::options::BasicNackOptions;
use lapin::types::{AMQPValue, FieldTable};
use mezhved::channel::amqp::{DEAD_QUEUE, INBOUND_QUEUE};
use mezhved::gateway::ports::inbound::{Disposition, Inbound, InboundDelivery};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_participant_publishes_reaches_the_gateway_with_its_properties_and_in_order() {
    let broker = Broker::shared();
    let vhost = broker.vhost();
    let recorder = Recorder::answering(|_| Disposition::Ack);
    let mut intake = Running::intake(config(&vhost), recorder.clone());
    intake.up().await;
    let school = Peer::connect(&vhost.participant("school-17")).await;
    let ids: Vec<String> = (0..300).map(|n| format!("m-{n}")).collect();
    for id in &ids {
        school
            .publish(school.properties(id).with_correlation_id("x-1".into()), id.as_bytes())
            .await
            .expect("published");
    }
    until("all taken", || recorder.count() == ids.len()).await;
    assert_eq!(recorder.ids(), ids, "begun in the order of the queue");
    let first = recorder.seen.lock().expect("whole")[0].clone();
    assert_eq!(first.user_id.as_deref(), Some("school-17"));
    assert_eq!(first.content_type.as_deref(), Some("application/json"));
    assert_eq!(first.correlation_id.as_deref(), Some("x-1"));
    assert_eq!(&first.content[..], b"m-0");
    assert_eq!(first.handed_out_before, 0);
    until("all acknowledged", || depth(broker, &vhost, INBOUND_QUEUE) == 0).await;
    intake.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_broker_itself_refuses_a_message_under_another_name() {
    let broker = Broker::shared();
    let vhost = broker.vhost();
    let recorder = Recorder::answering(|_| Disposition::Ack);
    let mut intake = Running::intake(config(&vhost), recorder.clone());
    intake.up().await;
    let school = Peer::connect(&vhost.participant("school-17")).await;
    let forged = school.properties("m-1").with_user_id("school-18".into());
    school.publish(forged, b"forged").await.expect_err("the broker took a forged sender");
    assert_eq!(recorder.count(), 0);
    intake.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_without_names_is_handed_in_as_such_for_the_quarantine() {
    let broker = Broker::shared();
    let vhost = broker.vhost();
    let recorder = Recorder::answering(|_| Disposition::Ack);
    let mut intake = Running::intake(config(&vhost), recorder.clone());
    intake.up().await;
    let school = Peer::connect(&vhost.participant("school-17")).await;
    assert!(school.publish(BasicProperties::default(), b"whose?").await.expect("published"));
    until("handed in", || recorder.count() == 1).await;
    let seen = recorder.seen.lock().expect("whole")[0].clone();
    assert_eq!((seen.user_id, seen.message_id, seen.content_type), (None, None, None));
    intake.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn oversize_and_overheaded_deliveries_go_to_the_dead_letters_whole_and_unread() {
    let broker = Broker::shared();
    let vhost = broker.vhost();
    let recorder = Recorder::answering(|_| Disposition::Ack);
    let mut intake = Running::intake(config(&vhost), recorder.clone());
    intake.up().await;
    let school = Peer::connect(&vhost.participant("school-17")).await;
    let large = vec![b'x'; 300 * 1024];
    school.send("large", &large).await;
    let mut headers = FieldTable::default();
    for n in 0..1_000 {
        headers.insert(format!("h-{n}").into(), AMQPValue::Boolean(true));
    }
    school.publish(school.properties("heads").with_headers(headers), b"many").await.expect("published");
    school.send("fine", b"fine").await;
    let operator = Peer::connect(&vhost.gateway_url()).await;
    let dead = operator.read(DEAD_QUEUE, 2).await;
    let mut sizes: Vec<usize> = dead.iter().map(|letter| letter.data.len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [4, large.len()]);
    until("the healthy one taken", || recorder.ids() == ["fine"]).await;
    intake.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_makes_the_gateway_panic_is_isolated() {
    let broker = Broker::shared();
    let vhost = broker.vhost();
    let recorder = Recorder::answering(|delivery| {
        assert!(delivery.message_id.as_deref() != Some("poison"), "poison");
        Disposition::Ack
    });
    let mut intake = Running::intake(config(&vhost), recorder.clone());
    intake.up().await;
    let school = Peer::connect(&vhost.participant("school-17")).await;
    for id in ["a", "poison", "b"] {
        school.send(id, b"{}").await;
    }
    let operator = Peer::connect(&vhost.gateway_url()).await;
    let dead = operator.read(DEAD_QUEUE, 1).await;
    assert_eq!(dead[0].properties.message_id().as_ref().map(|id| id.as_str()), Some("poison"));
    until("the others taken once", || recorder.ids() == ["a", "poison", "b"]).await;
    intake.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_gateway_takes_nothing_deliveries_wait_and_no_attempt_is_hot() {
    let broker = Broker::shared();
    let vhost = broker.vhost();
    let open = Arc::new(AtomicBool::new(false));
    let recorder = Recorder::answering({
        let open = Arc::clone(&open);
        move |_| if open.load(Ordering::SeqCst) { Disposition::Ack } else { Disposition::RetryLater }
    });
    let mut intake = Running::intake(config(&vhost), recorder.clone());
    intake.up().await;
    let school = Peer::connect(&vhost.participant("school-17")).await;
    for n in 0..50 {
        school.send(&format!("m-{n}"), b"{}").await;
    }
    let begun = Instant::now();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let calls = recorder.count();
    println!("closed for {:?}: {calls} calls for 50 deliveries", begun.elapsed());
    assert!(calls < 80, "{calls} calls in 3 s");
    assert_eq!(depth(broker, &vhost, INBOUND_QUEUE), 50);
    open.store(true, Ordering::SeqCst);
    until("all acknowledged", || depth(broker, &vhost, INBOUND_QUEUE) == 0).await;
    let mut ids = recorder.ids();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 50);
    assert_eq!(depth(broker, &vhost, DEAD_QUEUE), 0, "waiting must not look like poison");
    intake.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_that_alone_are_not_taken_delay_nobody_and_are_given_up_only_if_others_were_taken() {
    let broker = Broker::shared();
    let vhost = broker.vhost();
    let recorder = Recorder::answering(|delivery| match delivery.message_id.as_deref() {
        Some(id) if id.starts_with("unfit") => Disposition::RetryAlone,
        _ => Disposition::Ack,
    });
    let mut config = config(&vhost);
    config.hold_max = Duration::from_millis(300);
    // The queue begins with them, when one is taken at a time: it must be there, and nobody at it yet.
    let mut first = Running::intake(config.clone(), recorder.clone());
    first.up().await;
    first.stopped().await;
    let school = Peer::connect(&vhost.participant("school-17")).await;
    for n in 0..20 {
        school.send(&format!("unfit-{n}"), b"{}").await;
    }
    let mut intake = Running::intake(config, recorder.clone());
    intake.up().await;
    until("each tried again and again", || recorder.count() >= 20 * 6).await;
    assert_eq!(depth(broker, &vhost, DEAD_QUEUE), 0, "nothing else was taken: the store may be away for all");
    assert_eq!(depth(broker, &vhost, INBOUND_QUEUE), 20);
    school.send("healthy", b"{}").await;
    until("the healthy one taken", || recorder.ids().contains(&"healthy".into())).await;
    let tried = recorder.count();
    until("each tried once more", || recorder.count() >= tried + 30).await;
    assert_eq!(depth(broker, &vhost, DEAD_QUEUE), 0, "one other is too few: there may be room for small ones only");
    for n in 0..200 {
        school.send(&format!("healthy-{n}"), b"{}").await;
    }
    until("the others given up", || depth(broker, &vhost, DEAD_QUEUE) == 20).await;
    until("nothing left", || depth(broker, &vhost, INBOUND_QUEUE) == 0).await;
    let before = recorder.count();
    school.send("next", b"{}").await;
    until("the next taken", || recorder.ids().contains(&"next".into())).await;
    assert_eq!(recorder.count(), before + 1, "what was given up is tried no more");
    intake.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspicious_delivery_that_alone_is_not_taken_delays_nobody_either() {
    let broker = Broker::shared();
    let vhost = broker.vhost();
    let recorder = Recorder::answering(|delivery| match delivery.message_id.as_deref() {
        Some("unfit") => Disposition::RetryAlone,
        _ => Disposition::Ack,
    });
    let mut intake = Running::intake(config(&vhost), recorder.clone());
    intake.up().await;
    let school = Peer::connect(&vhost.participant("school-17")).await;
    let gateway = Peer::connect(&vhost.gateway_url()).await;
    intake.stopped().await;
    school.send("unfit", b"{}").await;
    // Handed out and given back, until it is suspicious.
    for _ in 0..3 {
        let got =
            gateway.channel.basic_get(INBOUND_QUEUE.into(), Default::default()).await.expect("read").expect("there");
        got.acker.nack(BasicNackOptions { multiple: false, requeue: true }).await.expect("given back");
    }
    school.send("healthy-0", b"{}").await;
    let mut intake = Running::intake(config(&vhost), recorder.clone());
    intake.up().await;
    until("tried", || recorder.ids().contains(&"unfit".into())).await;
    assert!(recorder.seen.lock().expect("whole")[0].is_suspicious());
    for n in 1..20 {
        school.send(&format!("healthy-{n}"), b"{}").await;
    }
    until("the healthy ones taken", || recorder.ids().iter().filter(|id| id.starts_with("healthy")).count() == 20)
        .await;
    until("only it is left", || depth(broker, &vhost, INBOUND_QUEUE) == 1).await;
    assert_eq!(depth(broker, &vhost, DEAD_QUEUE), 0);
    intake.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_long_silence_of_the_gateway_deliveries_go_back_once_and_are_taken_when_it_is_back() {
    let broker = Broker::shared();
    let vhost = broker.vhost();
    let open = Arc::new(AtomicBool::new(false));
    let recorder = Recorder::answering({
        let open = Arc::clone(&open);
        move |_| if open.load(Ordering::SeqCst) { Disposition::Ack } else { Disposition::RetryLater }
    });
    let mut config = config(&vhost);
    config.hold_max = Duration::from_millis(300);
    let mut intake = Running::intake(config, recorder.clone());
    intake.up().await;
    let school = Peer::connect(&vhost.participant("school-17")).await;
    for n in 0..20 {
        school.send(&format!("m-{n}"), b"{}").await;
    }
    intake.down().await;
    // Many times the hold: if each cost the deliveries a return, their limit would be reached.
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(depth(broker, &vhost, INBOUND_QUEUE), 20);
    open.store(true, Ordering::SeqCst);
    intake.up().await;
    until("all acknowledged", || depth(broker, &vhost, INBOUND_QUEUE) == 0).await;
    assert_eq!(depth(broker, &vhost, DEAD_QUEUE), 0, "waiting must not look like poison");
    let mut ids = recorder.ids();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
    intake.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_ends_what_is_in_flight_and_acknowledges_it() {
    let broker = Broker::shared();
    let vhost = broker.vhost();
    let recorder = Recorder::slow(Duration::from_millis(400));
    let mut intake = Running::intake(config(&vhost), recorder.clone());
    intake.up().await;
    let school = Peer::connect(&vhost.participant("school-17")).await;
    for n in 0..40 {
        school.send(&format!("m-{n}"), b"{}").await;
    }
    until("in flight", || recorder.count() > 0).await;
    intake.stopped().await;
    let taken = recorder.count();
    assert!(taken > 0);
    let rest = 40 - taken as u64;
    until("what was taken is acknowledged, the rest is there", || depth(broker, &vhost, INBOUND_QUEUE) == rest).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_acknowledged_before_it_is_taken() {
    let broker = Broker::shared();
    let vhost = broker.vhost();
    // One is taken, and no other ever.
    let gate = Gate::letting(1);
    let mut first = Running::intake(config(&vhost), Arc::clone(&gate) as Arc<dyn Inbound>);
    first.up().await;
    let school = Peer::connect(&vhost.participant("school-17")).await;
    for n in 0..11 {
        school.send(&format!("m-{n}"), b"{}").await;
    }
    until("in the hands of the first", || gate.begun() == 11).await;
    first.task.abort();
    let recorder = Recorder::answering(|_| Disposition::Ack);
    let mut second = Running::intake(config(&vhost), recorder.clone());
    second.up().await;
    until("all again", || recorder.count() == 10).await;
    assert!(recorder.seen.lock().expect("whole").iter().all(|delivery| delivery.handed_out_before > 0));
    second.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rate_of_deliveries_taken_is_printed() {
    const DELIVERIES: usize = 20_000;
    let broker = Broker::shared();
    let vhost = broker.vhost();
    let recorder = Recorder::answering(|_| Disposition::Ack);
    let mut intake = Running::intake(config(&vhost), recorder.clone());
    intake.up().await;
    intake.stopped().await;
    let school = Peer::connect(&vhost.participant("school-17")).await;
    let body = vec![b'x'; 1024];
    for batch in 0..DELIVERIES / 500 {
        let sent = (0..500).map(|n| school.publish(school.properties(&format!("m-{batch}-{n}")), &body));
        assert!(futures_util::future::join_all(sent).await.into_iter().all(|sent| sent.is_ok()));
    }
    let begun = Instant::now();
    let intake = Running::intake(config(&vhost), recorder.clone());
    until("all acknowledged", || recorder.count() == DELIVERIES && depth(broker, &vhost, INBOUND_QUEUE) == 0).await;
    println!("{:.0} deliveries of 1 KB a second", DELIVERIES as f64 / begun.elapsed().as_secs_f64());
    intake.stopped().await;
}

/// Answers only as often as it is let.
struct Gate {
    begun: AtomicUsize,
    open: tokio::sync::Semaphore,
}

impl Gate {
    fn letting(through: usize) -> Arc<Self> {
        Arc::new(Self { begun: AtomicUsize::new(0), open: tokio::sync::Semaphore::new(through) })
    }

    fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }
}

#[async_trait::async_trait]
impl Inbound for Gate {
    async fn take(&self, _: InboundDelivery) -> Disposition {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.open.acquire().await.expect("open").forget();
        Disposition::Ack
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_hand_grows_with_what_was_taken_so_that_a_crash_costs_few_an_attempt() {
    const WAITING: usize = 600;
    let broker = Broker::shared();
    let vhost = broker.vhost();
    let gate = Gate::letting(0);
    let mut intake = Running::intake(config(&vhost), Arc::clone(&gate) as Arc<dyn Inbound>);
    intake.up().await;
    let school = Peer::connect(&vhost.participant("school-17")).await;
    for n in 0..WAITING {
        school.send(&format!("m-{n}"), b"{}").await;
    }
    let begun = || gate.begun();
    let mut let_through = 0;
    for (more, most) in [(0, 1), (1, 18), (16, 17 + 16 + 256), (256, WAITING)] {
        gate.open.add_permits(more);
        let_through += more;
        until("the width is used", || begun() > let_through).await;
        // What must not come has a moment to come in.
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(begun() <= most, "{} in hand after {let_through} were taken", begun() - let_through);
    }
    gate.open.add_permits(WAITING);
    until("all acknowledged", || depth(broker, &vhost, INBOUND_QUEUE) == 0).await;
    assert_eq!(begun(), WAITING, "each was handed in once");
    intake.stopped().await;
}
