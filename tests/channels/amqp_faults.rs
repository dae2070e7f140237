//! The broker fails: killed, blocked, handing out what no client can read.

use crate::peer::{Peer, Recorder, Running, config, depth, letter, participant, until};
use crate::support::broker::Broker;
use lapin::options::BasicGetOptions;
use mezhved::channel::amqp::{AmqpOutlet, DEAD_QUEUE, INBOUND_QUEUE};
use mezhved::clock::Clock;
use mezhved::gateway::ports::Outlet;
use mezhved::gateway::ports::inbound::Disposition;
use mezhved::gateway::ports::outlet::DeliveryFault;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Sends until told to stop, and keeps a ledger of what the broker has confirmed.
async fn send_for_ever(url: String, confirmed: Arc<Mutex<BTreeSet<String>>>, enough: Arc<AtomicBool>) {
    let mut number = 0;
    while !enough.load(Ordering::SeqCst) {
        let Ok(peer) = Peer::try_connect(&url).await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        while !enough.load(Ordering::SeqCst) {
            number += 1;
            let id = format!("m-{number}");
            let sent = tokio::time::timeout(Duration::from_secs(5), peer.publish(peer.properties(&id), b"{}")).await;
            match sent {
                Ok(Ok(true)) => _ = confirmed.lock().expect("whole").insert(id),
                _ => break,
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_killed_under_load_loses_nothing_on_the_way_in_and_the_intake_is_back() {
    let broker = Broker::start();
    let vhost = broker.vhost();
    let recorder = Recorder::answering(|_| Disposition::Ack);
    let mut intake = Running::intake(config(&vhost), recorder.clone());
    intake.up().await;
    let (confirmed, enough) = (Arc::<Mutex<BTreeSet<String>>>::default(), Arc::<AtomicBool>::default());
    let url = vhost.participant("school-17");
    let sender = tokio::spawn(send_for_ever(url, Arc::clone(&confirmed), Arc::clone(&enough)));
    for kill in 0..2 {
        let before = recorder.count();
        until("traffic", || recorder.count() > before + 300).await;
        broker.kill();
        intake.down().await;
        let down = Instant::now();
        broker.restart();
        let restarted = Instant::now();
        intake.up().await;
        println!(
            "kill {kill}: the node was away {:?}, the intake back {:?} after it",
            restarted - down,
            restarted.elapsed()
        );
    }
    let before = recorder.count();
    until("traffic again", || recorder.count() > before + 300).await;
    enough.store(true, Ordering::SeqCst);
    sender.await.expect("no panic");
    let confirmed = confirmed.lock().expect("whole").clone();
    until("everything confirmed was taken", || {
        recorder.ids().into_iter().collect::<BTreeSet<_>>().is_superset(&confirmed)
    })
    .await;
    until("the queue is empty", || depth(&broker, &vhost, INBOUND_QUEUE) == 0).await;
    let taken = recorder.count();
    println!(
        "{} confirmed to the sender, {taken} taken, {} of them again",
        confirmed.len(),
        taken - confirmed.len().min(taken)
    );
    assert_eq!(depth(&broker, &vhost, DEAD_QUEUE), 0);
    intake.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_killed_under_load_keeps_every_letter_that_was_confirmed() {
    let broker = Broker::start();
    let vhost = broker.vhost();
    let outlet = Arc::new(AmqpOutlet::new(config(&vhost), Clock::system()));
    let mut running = Running::outlet(&outlet);
    running.up().await;
    let school = participant("school-17", r#"{"by":"amqp"}"#);
    let (confirmed, enough) = (Arc::<Mutex<BTreeSet<String>>>::default(), Arc::<AtomicBool>::default());
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let (outlet, school) = (Arc::clone(&outlet), Arc::clone(&school));
        let (confirmed, enough) = (Arc::clone(&confirmed), Arc::clone(&enough));
        workers.spawn(async move {
            let mut slowest = Duration::ZERO;
            while !enough.load(Ordering::SeqCst) {
                let letter = letter(&school, "{}");
                outlet.ready().await;
                let begun = Instant::now();
                let outcome = outlet.deliver(&letter).await;
                slowest = slowest.max(begun.elapsed());
                if outcome.is_ok() {
                    confirmed.lock().expect("whole").insert(letter.message.to_string());
                }
            }
            slowest
        });
    }
    for _ in 0..2 {
        let before = confirmed.lock().expect("whole").len();
        until("traffic", || confirmed.lock().expect("whole").len() > before + 1_000).await;
        broker.kill();
        running.down().await;
        broker.restart();
        running.up().await;
    }
    let before = confirmed.lock().expect("whole").len();
    until("traffic again", || confirmed.lock().expect("whole").len() > before + 1_000).await;
    enough.store(true, Ordering::SeqCst);
    let slowest = workers.join_all().await.into_iter().max();
    let confirmed = confirmed.lock().expect("whole").clone();
    let peer = Peer::connect(&vhost.participant("school-17")).await;
    let queue = "mezhved.out.school-17";
    let there = usize::try_from(depth(&broker, &vhost, queue)).expect("a count");
    let read = peer.read(queue, there).await;
    let ids: BTreeSet<String> =
        read.iter().filter_map(|got| got.properties.message_id().as_ref().map(ToString::to_string)).collect();
    println!("{} confirmed, {there} in the queue, slowest answer {slowest:?}", confirmed.len());
    assert!(ids.is_superset(&confirmed), "confirmed letters are gone");
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_under_a_resource_alarm_stops_letters_but_neither_deliveries_nor_the_lanes_for_good() {
    let broker = Broker::start();
    let vhost = broker.vhost();
    let mut config = config(&vhost);
    config.confirm_timeout = Duration::from_secs(1);
    let recorder = Recorder::answering(|_| Disposition::Ack);
    let mut intake = Running::intake(config.clone(), recorder.clone());
    let outlet = Arc::new(AmqpOutlet::new(config, Clock::system()));
    let mut running = Running::outlet(&outlet);
    intake.up().await;
    running.up().await;
    let school = participant("school-17", r#"{"by":"amqp"}"#);
    outlet.deliver(&letter(&school, "before")).await.expect("confirmed");

    broker.eval("vm_memory_monitor:set_vm_memory_high_watermark({absolute, 1000}).\n");
    until("the alarm", || broker.eval("rabbit_alarm:get_alarms().\n") != "[]").await;
    let during = letter(&school, "during");
    let told = tokio::time::timeout(Duration::from_secs(60), outlet.deliver(&during));
    let fault = told.await.expect("told within 60 s").expect_err("blocked");
    assert!(matches!(fault, DeliveryFault::ChannelDown { .. }), "{fault:?}");
    running.down().await;
    assert!(format!("{:?}", *running.state.borrow()).contains("alarm"));
    assert!(intake.state.borrow().is_up(), "the way in does not feel it");

    broker.eval("vm_memory_monitor:set_vm_memory_high_watermark(0.4).\n");
    running.up().await;
    outlet.deliver(&letter(&school, "after")).await.expect("confirmed again");
    running.stopped().await;
    intake.stopped().await;
}

/// Stops and continues the broker's process: for its peers a black hole, with the connection still open.
fn signal(pid: &str, signal: &str) {
    assert!(std::process::Command::new("kill").args([signal, pid]).status().expect("kill").success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_hangs_is_noticed_by_both_directions_and_no_letter_is_to_blame() {
    let broker = Broker::start();
    let vhost = broker.vhost();
    let mut config = config(&vhost);
    config.heartbeat_s = 2;
    config.confirm_timeout = Duration::from_secs(1);
    config.connect_timeout = Duration::from_secs(2);
    let recorder = Recorder::answering(|_| Disposition::Ack);
    let mut intake = Running::intake(config.clone(), recorder.clone());
    let outlet = Arc::new(AmqpOutlet::new(config, Clock::system()));
    let mut running = Running::outlet(&outlet);
    intake.up().await;
    running.up().await;
    let school = participant("school-17", r#"{"by":"amqp"}"#);
    outlet.deliver(&letter(&school, "before")).await.expect("confirmed");
    let pid = broker.eval("os:getpid().\n").replace('"', "");
    signal(&pid, "-STOP");
    let begun = Instant::now();
    let fault = outlet.deliver(&letter(&school, "during")).await.expect_err("nobody confirms");
    assert!(matches!(fault, DeliveryFault::ChannelDown { .. }), "{fault:?}");
    running.down().await;
    intake.down().await;
    println!("noticed by both within {:?} with a heartbeat of 2 s", begun.elapsed());
    signal(&pid, "-CONT");
    running.up().await;
    intake.up().await;
    outlet.deliver(&letter(&school, "after")).await.expect("confirmed");
    let sender = Peer::connect(&vhost.participant("school-17")).await;
    sender.send("after", b"{}").await;
    until("taken", || recorder.ids() == ["after"]).await;
    running.stopped().await;
    intake.stopped().await;
}

/// RabbitMQ checks no text of a property; a client that does is killed by such a message again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_no_client_can_read_ends_in_the_dead_letters_and_takes_no_other_with_it() {
    let broker = Broker::shared();
    let vhost = broker.vhost();
    let recorder = Recorder::slow(Duration::from_millis(50));
    let mut intake = Running::intake(config(&vhost), recorder.clone());
    intake.up().await;
    intake.stopped().await;
    let school = Peer::connect(&vhost.participant("school-17")).await;
    for n in 0..100 {
        school.send(&format!("m-{n}"), b"{}").await;
    }
    let poison = format!(
        r#"Properties = {{'P_basic', <<"application/json">>, undefined, [], 2, undefined, undefined, undefined, undefined,
             <<255, 254>>, undefined, undefined, undefined, undefined, undefined}},
           {{ok, _, _}} = {{ok, rabbit_basic:publish(rabbit_misc:r(<<"{}">>, exchange, <<"mezhved.in">>), <<"x">>,
             Properties, <<"poison">>), ok}}.
"#,
        vhost.name()
    );
    println!("{}", broker.eval(&poison));
    for n in 100..200 {
        school.send(&format!("m-{n}"), b"{}").await;
    }
    let again = Recorder::slow(Duration::from_millis(50));
    let mut intake = Running::intake(config(&vhost), again.clone());
    let begun = Instant::now();
    until("the poison is set apart", || depth(broker, &vhost, DEAD_QUEUE) >= 1).await;
    until("the others are taken", || depth(broker, &vhost, INBOUND_QUEUE) == 0).await;
    println!("the poison was set apart and the others taken in {:?}", begun.elapsed());
    let all: BTreeSet<String> = again.ids().into_iter().collect();
    assert_eq!(all.len(), 200, "an innocent delivery was lost to the poison");
    assert_eq!(depth(broker, &vhost, DEAD_QUEUE), 1, "innocent deliveries went with the poison");
    let operator = Peer::connect(&vhost.gateway_url()).await;
    let read = operator.channel.basic_get(DEAD_QUEUE.into(), BasicGetOptions::default());
    let read = tokio::time::timeout(Duration::from_secs(3), read).await;
    assert!(!matches!(read, Ok(Ok(_))), "readable after all");
    println!("{read:?}");
    intake.up().await;
    intake.stopped().await;
}
