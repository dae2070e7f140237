//! The way out over AMQP.

use crate::peer::{Peer, Running, config, depth, letter, participant, until};
use crate::support::broker::Broker;
use lapin::options::QueueDeleteOptions;
use lapin::types::{AMQPValue, FieldTable};
use mezhved::channel::amqp::{AmqpOutlet, out_queue};
use mezhved::clock::Clock;
use mezhved::domain::ids::ParticipantCode;
use mezhved::gateway::ports::Outlet;
use mezhved::gateway::ports::outlet::DeliveryFault;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

const BY_AMQP: &str = r#"{"by":"amqp"}"#;

fn codes(codes: &[&str]) -> BTreeSet<ParticipantCode> {
    codes.iter().map(|code| ParticipantCode::new(code).expect("a code")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_reaches_the_queue_of_its_participant_with_its_properties() {
    let vhost = Broker::shared().vhost();
    let outlet = Arc::new(AmqpOutlet::new(config(&vhost), Clock::system()));
    outlet.serve(codes(&["school-17"]));
    let mut running = Running::outlet(&outlet);
    running.up().await;
    let school = participant("school-17", BY_AMQP);
    let sent = letter(&school, r#"{"a":1}"#);
    outlet.deliver(&sent).await.expect("confirmed");
    let peer = Peer::connect(&vhost.participant("school-17")).await;
    let got = &peer.read("mezhved.out.school-17", 1).await[0];
    assert_eq!(got.data, br#"{"a":1}"#);
    let text = |value: &Option<lapin::types::ShortString>| value.as_ref().map(ToString::to_string).unwrap_or_default();
    assert_eq!(text(got.properties.message_id()), sent.message.to_string());
    assert_eq!(text(got.properties.correlation_id()), sent.exchange.expect("set").to_string());
    assert_eq!(text(got.properties.content_type()), "application/json");
    assert_eq!(text(got.properties.kind()), "request.information");
    assert_eq!(text(got.properties.user_id()), "mezhved");
    assert_eq!(*got.properties.delivery_mode(), Some(2));
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_comes_with_the_directory_or_was_deleted_is_declared_when_it_is_needed() {
    let broker = Broker::shared();
    let vhost = broker.vhost();
    let outlet = Arc::new(AmqpOutlet::new(config(&vhost), Clock::system()));
    let mut running = Running::outlet(&outlet);
    running.up().await;
    outlet.serve(codes(&["late-1"]));
    let operator = Peer::connect(&vhost.gateway_url()).await;
    let late = participant("late-1", BY_AMQP);
    let lookup = format!(
        "element(1, rabbit_amqqueue:lookup(rabbit_misc:r(<<\"{}\">>, queue, <<\"mezhved.out.late-1\">>))).\n",
        vhost.name()
    );
    until("declared", || broker.eval(&lookup) == "ok").await;
    outlet.deliver(&letter(&late, "1")).await.expect("confirmed");
    operator.channel.queue_delete("mezhved.out.late-1".into(), QueueDeleteOptions::default()).await.expect("deleted");
    let fault = outlet.deliver(&letter(&late, "2")).await.expect_err("there is no queue");
    assert!(matches!(&fault, DeliveryFault::Later { reason, .. } if reason.contains("NO_ROUTE")), "{fault:?}");
    outlet.deliver(&letter(&late, "3")).await.expect("declared again");
    assert_eq!(operator.read(&out_queue(&late.code), 1).await[0].data, b"3");
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn returns_belong_to_their_own_letters_when_many_are_under_way() {
    const LETTERS: usize = 400;
    let vhost = Broker::shared().vhost();
    let mut config = config(&vhost);
    config.letters_max = LETTERS;
    let outlet = Arc::new(AmqpOutlet::new(config, Clock::system()));
    let mut running = Running::outlet(&outlet);
    running.up().await;
    // A return comes along with confirmations of its own channel only: so many share every channel with it.
    let here: Vec<_> = (0..16).map(|n| participant(&format!("here-{n}"), BY_AMQP)).collect();
    let gone = participant("gone", BY_AMQP);
    for one in &here {
        outlet.deliver(&letter(one, "first")).await.expect("confirmed");
    }
    outlet.deliver(&letter(&gone, "first")).await.expect("confirmed");
    let operator = Peer::connect(&vhost.gateway_url()).await;
    for _ in 0..8 {
        let mut confirmed_to_gone = 0;
        operator
            .channel
            .queue_delete(out_queue(&gone.code).into(), QueueDeleteOptions::default())
            .await
            .expect("deleted");
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..LETTERS {
            let (outlet, to) = (Arc::clone(&outlet), if n % 2 == 0 { &here[n / 2 % here.len()] } else { &gone });
            let letter = letter(to, "x");
            tasks.spawn(async move { (n % 2 == 0, outlet.deliver(&letter).await) });
        }
        for (to_here, outcome) in tasks.join_all().await {
            assert!(!to_here || outcome.is_ok(), "a letter got the return of another: {outcome:?}");
            confirmed_to_gone += usize::from(!to_here && outcome.is_ok());
        }
        // Each round begins with the queue standing, so that it can be deleted.
        while outlet.deliver(&letter(&gone, "marker")).await.is_err() {}
        let read = operator.read(&out_queue(&gone.code), confirmed_to_gone + 1).await;
        assert_eq!(read.len(), confirmed_to_gone + 1, "what was confirmed is there");
    }
    running.stopped().await;
}

/// A policy of the broker's: a queue of that name holds so many letters and refuses more.
fn limit(broker: &Broker, vhost: &str, queue: &str, letters: usize) {
    let json = format!("{{\\\"max-length\\\": {letters}}}");
    let set = format!(
        "rabbit_policy:parse_set(<<\"{vhost}\">>, <<\"{queue}\">>, <<\"^{queue}$\">>, <<\"{json}\">>, <<\"0\">>, \
         <<\"queues\">>, <<\"test\">>).\n"
    );
    assert_eq!(broker.eval(&set), "ok");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_that_the_broker_refuses_is_never_delivered_while_others_are_returned() {
    const FULL_AFTER: usize = 3;
    let broker = Broker::shared();
    let vhost = broker.vhost();
    let outlet = Arc::new(AmqpOutlet::new(config(&vhost), Clock::system()));
    let mut running = Running::outlet(&outlet);
    running.up().await;
    limit(broker, vhost.name(), "mezhved.out.full", FULL_AFTER);
    let full = participant("full", BY_AMQP);
    // Recipients are spread over the lanes; some of these share the lane of the full one.
    let gone: Vec<_> = (0..8).map(|n| participant(&format!("gone-{n}"), BY_AMQP)).collect();
    let operator = Peer::connect(&vhost.gateway_url()).await;
    let mut confirmed = 0;
    for _ in 0..4 {
        for one in &gone {
            while outlet.deliver(&letter(one, "marker")).await.is_err() {}
            operator
                .channel
                .queue_delete(out_queue(&one.code).into(), QueueDeleteOptions::default())
                .await
                .expect("deleted");
        }
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..160 {
            let (outlet, to) = (Arc::clone(&outlet), if n % 2 == 0 { &full } else { &gone[n / 2 % gone.len()] });
            let letter = letter(to, "x");
            tasks.spawn(async move { (n % 2 == 0, outlet.deliver(&letter).await) });
        }
        confirmed +=
            tasks.join_all().await.into_iter().filter(|(to_full, outcome)| *to_full && outcome.is_ok()).count();
    }
    assert!(confirmed >= FULL_AFTER, "it holds that many: {confirmed}");
    let read = operator.read(&out_queue(&full.code), confirmed).await;
    assert_eq!(read.len(), confirmed, "what was confirmed is there");
    assert_eq!(depth(broker, &vhost, "mezhved.out.full"), 0, "and nothing else is");
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_that_breaks_its_channel_takes_no_other_with_it() {
    let vhost = Broker::shared().vhost();
    let outlet = Arc::new(AmqpOutlet::new(config(&vhost), Clock::system()));
    let mut running = Running::outlet(&outlet);
    running.up().await;
    let school = participant("school-17", BY_AMQP);
    outlet.deliver(&letter(&school, "first")).await.expect("confirmed");
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..60 {
        let (outlet, school) = (Arc::clone(&outlet), Arc::clone(&school));
        tasks.spawn(async move {
            let mut letter = letter(&school, "x");
            if n == 20 {
                // Larger than the broker takes: it closes the channel.
                letter.content = bytes::Bytes::from(vec![b'x'; 140 * 1024 * 1024]);
            }
            (n == 20, outlet.deliver(&letter).await)
        });
    }
    for (breaks, outcome) in tasks.join_all().await {
        assert_eq!(outcome.is_err(), breaks, "{outcome:?}");
    }
    let operator = Peer::connect(&vhost.gateway_url()).await;
    assert_eq!(operator.read("mezhved.out.school-17", 60).await.len(), 60);
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_with_other_arguments_is_a_fault_with_a_remedy_and_hinders_no_other_letter() {
    let vhost = Broker::shared().vhost();
    let operator = Peer::connect(&vhost.gateway_url()).await;
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(10));
    let durable = lapin::options::QueueDeclareOptions { durable: true, ..Default::default() };
    operator.channel.queue_declare("mezhved.out.odd".into(), durable, arguments).await.expect("declared");
    let outlet = Arc::new(AmqpOutlet::new(config(&vhost), Clock::system()));
    outlet.serve(codes(&["odd", "even"]));
    let mut running = Running::outlet(&outlet);
    running.up().await;
    let fault = outlet.deliver(&letter(&participant("odd", BY_AMQP), "x")).await.expect_err("refused");
    assert!(
        matches!(&fault, DeliveryFault::Later { reason, .. } if reason.contains("rabbitmqctl delete_queue mezhved.out.odd")),
        "{fault:?}"
    );
    outlet.deliver(&letter(&participant("even", BY_AMQP), "x")).await.expect("confirmed");
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_participant_that_rejects_a_letter_sends_it_to_the_dead_letters_not_into_nothing() {
    let broker = Broker::shared();
    let vhost = broker.vhost();
    let outlet = Arc::new(AmqpOutlet::new(config(&vhost), Clock::system()));
    let mut running = Running::outlet(&outlet);
    running.up().await;
    outlet.deliver(&letter(&participant("school-17", BY_AMQP), "x")).await.expect("confirmed");
    let peer = Peer::connect(&vhost.participant("school-17")).await;
    let got =
        peer.channel.basic_get("mezhved.out.school-17".into(), Default::default()).await.expect("read").expect("there");
    got.acker.reject(lapin::options::BasicRejectOptions { requeue: false }).await.expect("rejected");
    until("dead-lettered", || depth(broker, &vhost, "mezhved.dead") == 1).await;
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_broker_every_letter_is_told_at_once() {
    let vhost = Broker::shared().vhost();
    let mut config = config(&vhost);
    config.address = mezhved::channel::amqp::AmqpAddress::parse("amqp://u:hush@127.0.0.1:1/x").expect("an address");
    config.confirm_timeout = Duration::from_secs(3_600);
    let outlet = Arc::new(AmqpOutlet::new(config, Clock::system()));
    let running = Running::outlet(&outlet);
    until("tried", || format!("{:?}", running.state.borrow().clone()).contains("refused")).await;
    let (school, patience) = (letter(&participant("school-17", BY_AMQP), "x"), Duration::from_secs(60));
    let told = tokio::time::timeout(patience, outlet.deliver(&school)).await.expect("it does not wait for a broker");
    let fault = told.expect_err("no broker");
    assert!(matches!(fault, DeliveryFault::ChannelDown { .. }));
    assert!(!format!("{:?}", running.state.borrow().clone()).contains("hush"));
    running.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rate_of_confirmed_letters_is_printed() {
    const LETTERS: usize = 20_000;
    let broker = Broker::shared();
    let vhost = broker.vhost();
    let outlet = Arc::new(AmqpOutlet::new(config(&vhost), Clock::system()));
    let mut running = Running::outlet(&outlet);
    running.up().await;
    let school = participant("school-17", BY_AMQP);
    let content = bytes::Bytes::from(vec![b'x'; 1024]);
    for in_flight in [64_usize, 128, 256, 512] {
        let begun = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..in_flight {
            let (outlet, school, content) = (Arc::clone(&outlet), Arc::clone(&school), content.clone());
            tasks.spawn(async move {
                for _ in 0..LETTERS / in_flight {
                    outlet.deliver(&letter(&school, content.clone())).await.expect("confirmed");
                }
            });
        }
        tasks.join_all().await;
        let sent = LETTERS / in_flight * in_flight;
        let rate = sent as f64 / begun.elapsed().as_secs_f64();
        println!("{in_flight} in flight: {rate:.0} confirmed letters of 1 KB a second");
    }
    running.stopped().await;
}
