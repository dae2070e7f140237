//! What breaks the gateway each time is told apart from what only the network breaks off.
//!
//! Promises: the first is kept in the quarantine after five attempts to read it, or fourteen to handle it, with a refusal
//! to its sender; the second is taken, though its delivery broke off eight times; neither is found among the dead letters.
//! Never: stops a healthy message.

use crate::peer::{Peer, request};
use crate::support::broker::{Broker, Vhost};
use crate::support::gateway::{Installation, breakable, until};
use crate::support::postgres::Postgres;
use crate::support::proxy::{Proxy, Side, amqp};
use serde_json::Value;
use std::os::unix::process::ExitStatusExt as _;

const PARTICIPANTS: &str = include_str!("participants.toml");
const CENTRE: &str = "centre-vymysel";
const SCHOOL: &str = "school-test-17";
const VARIABLE: &str = "MEZHVED_FAILPOINT";
const SIGABRT: i32 = 6;
/// How often a scene is tried in which several must come together.
const TRIES: usize = 10;
/// Reliability: invariant 11.
const ATTEMPTS: usize = 5;
/// Where it is not what was read (gateway/suspicion.rs).
const HANDLINGS: usize = 14;
/// More than any attempts that are counted.
const CUTS: usize = 8;

/// A message in the queue, and a gateway that has died over it each of so many times, always at that place.
struct Scene {
    vhost: Vhost<'static>,
    installed: Installation,
    school: Peer,
    message: Value,
}

impl Scene {
    async fn died_at(place: &str, attempts: usize) -> Self {
        let (vhost, binary) = (Broker::shared().vhost(), breakable("mezhved-breakable"));
        Self::died((Installation::of(binary, PARTICIPANTS, &vhost.gateway_url()), vhost), (place, attempts)).await
    }

    async fn died((mut installed, vhost): (Installation, Vhost<'static>), (place, attempts): (&str, usize)) -> Self {
        installed.serve_ready().stand_down();
        let school = Peer::connect(&vhost.participant(SCHOOL)).await;
        let message = request(SCHOOL, CENTRE);
        school.send(&message).await;
        die(&mut installed, (place, attempts));
        Self { vhost, installed, school, message }
    }
}

/// A gateway that is begun so many times, and dies each time at that place.
fn die(installed: &mut Installation, (place, attempts): (&str, usize)) {
    installed.set_variable(VARIABLE, &format!("{place}:1"));
    for attempt in 1..=attempts {
        let signal = installed.serve().ended().and_then(|ended| ended.signal());
        assert_eq!(signal, Some(SIGABRT), "attempt {attempt}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_ends_the_gateway_each_time_is_kept_after_five_attempts_and_its_sender_is_told() {
    // Whatever is read from its content ends the process.
    let Scene { vhost, mut installed, school, message: poison } = Scene::died_at("after-decode", ATTEMPTS).await;
    let serving = installed.serve_ready();
    school.refusal("handling_broke_off", poison["id"].as_str()).await;
    assert_eq!(serving.figure("mezhved_quarantine"), Some(1.0));
    serving.kill();
    installed.unset_variable(VARIABLE);
    let _serving = installed.serve_ready();
    let healthy = request(SCHOOL, CENTRE);
    school.send(&healthy).await;
    school.receipt(&healthy).await;
    assert!(Peer::connect(&vhost.gateway_url()).await.take("mezhved.dead").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_ends_the_gateway_after_it_was_accepted_stays_accepted_and_is_never_refused() {
    let Scene { vhost: _vhost, mut installed, school, message } = Scene::died_at("after-commit", HANDLINGS).await;
    installed.unset_variable(VARIABLE);
    let serving = installed.serve_ready();
    school.receipt(&message).await;
    let next = request(SCHOOL, CENTRE);
    school.send(&next).await;
    // The receipt of a repeat is the first one once more, never another word.
    loop {
        let letter = school.letter().await;
        assert_eq!(letter["type"], "receipt.delivery", "{letter:#}");
        if letter["in_reply_to"] == next["id"] {
            break;
        }
        assert_eq!(letter["in_reply_to"], message["id"]);
    }
    assert_eq!(serving.figure("mezhved_quarantine"), Some(0.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_the_gateway_under_the_id_of_an_accepted_message_is_refused_and_not_passed_over() {
    let vhost = Broker::shared().vhost();
    let mut installed = Installation::of(breakable("mezhved-breakable"), PARTICIPANTS, &vhost.gateway_url());
    let serving = installed.serve_ready();
    let school = Peer::connect(&vhost.participant(SCHOOL)).await;
    let mut message = request(SCHOOL, CENTRE);
    school.send(&message).await;
    school.receipt(&message).await;
    serving.stand_down();
    message["summary"] = "Другое содержание".into();
    school.send(&message).await;
    die(&mut installed, ("after-decode", ATTEMPTS));
    installed.unset_variable(VARIABLE);
    let serving = installed.serve_ready();
    school.refusal("handling_broke_off", message["id"].as_str()).await;
    assert_eq!(serving.figure("mezhved_quarantine"), Some(1.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_over_which_the_gateway_dies_by_chance_as_it_waits_for_its_store_is_taken() {
    let Scene { vhost, mut installed, school, message } = Scene::died_at("before-begin", HANDLINGS - 1).await;
    installed.unset_variable(VARIABLE);
    let serving = installed.serve_ready();
    school.receipt(&message).await;
    assert_eq!(serving.figure("mezhved_quarantine"), Some(0.0));
    assert!(Peer::connect(&vhost.gateway_url()).await.take("mezhved.dead").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_never_comes_to_its_end_is_kept_before_the_broker_gives_it_up_and_its_sender_is_told() {
    // Counted across gateways, by a database that does not wait for its disk.
    let (vhost, database) = (Broker::shared().vhost(), Postgres::shared().database());
    let binary = breakable("mezhved-breakable");
    let installed = Installation::of_on_database(binary, PARTICIPANTS, (&vhost.gateway_url(), &database.url()));
    let scene = Scene::died((installed, vhost), ("before-begin", HANDLINGS)).await;
    let Scene { vhost, mut installed, school, message } = scene;
    installed.unset_variable(VARIABLE);
    let serving = installed.serve_ready();
    school.refusal("handling_broke_off", message["id"].as_str()).await;
    assert_eq!(serving.figure("mezhved_quarantine"), Some(1.0));
    assert!(Peer::connect(&vhost.gateway_url()).await.take("mezhved.dead").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_that_panics_ends_nothing_but_itself() {
    let vhost = Broker::shared().vhost();
    let mut installed = Installation::of(breakable("mezhved-breakable"), PARTICIPANTS, &vhost.gateway_url());
    installed.set_variable(VARIABLE, "after-load:2:panic");
    let (serving, key) = (installed.serve_ready(), installed.key(SCHOOL));
    let messages: Vec<String> = (0..3).map(|_| request(SCHOOL, CENTRE).to_string()).collect();
    let sent = |message: &String| serving.try_post("/api/v1/messages", &key, message).expect("the gateway is gone").0;
    let statuses: Vec<u16> = messages.iter().map(sent).collect();
    assert_eq!(statuses, [202, 503, 202]);
    assert_eq!(sent(&messages[1]), 202, "it was not taken, and can be");
    assert_eq!(serving.figure("mezhved_obligations_open"), Some(3.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_over_a_batch_blames_none_of_it() {
    for _ in 0..TRIES {
        if panics_over_several_and_blames_none().await {
            return;
        }
    }
    panic!("no batch of several has panicked in {TRIES} tries");
}

/// Whether several came together to the decision that panicked: how many do is the broker's and the scheduler's affair.
async fn panics_over_several_and_blames_none() -> bool {
    let vhost = Broker::shared().vhost();
    let mut installed = Installation::of(breakable("mezhved-breakable"), PARTICIPANTS, &vhost.gateway_url());
    installed.serve_ready().stand_down();
    let school = Peer::connect(&vhost.participant(SCHOOL)).await;
    for _ in 0..60 {
        school.send(&request(SCHOOL, CENTRE)).await;
    }
    // One is taken alone at first, and then many together.
    installed.set_variable(VARIABLE, "after-load:3:panic");
    let serving = installed.serve_ready();
    let told = |word: &str| installed.log().contains(word);
    until("a decision has panicked", || told("its jobs are tried one by one") || told("even alone"));
    if told("even alone") {
        return false;
    }
    for _ in 0..60 {
        assert_eq!(school.letter().await["type"], "receipt.delivery");
    }
    assert_eq!(serving.figure("mezhved_obligations_open"), Some(60.0));
    assert!(Peer::connect(&vhost.gateway_url()).await.take("mezhved.dead").await.is_none());
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn a_property_that_a_store_cannot_write_stops_nobody() {
    let (node, vhost) = (Postgres::shared(), Broker::shared().vhost());
    let database = node.database();
    let installed = Installation::on_database(PARTICIPANTS, &vhost.gateway_url(), &database.url());
    let serving = installed.serve_ready();
    let school = Peer::connect(&vhost.participant(SCHOOL)).await;
    let message = request(SCHOOL, CENTRE);
    let properties = school.properties(message["id"].as_str().unwrap());
    let spoilt = properties.with_content_type("application/json\0".into()).with_correlation_id("\0".into());
    school.publish(spoilt, message.to_string().as_bytes()).await;
    school.refusal("unsupported_content_type", message["id"].as_str()).await;
    let healthy = request(SCHOOL, CENTRE);
    school.send(&healthy).await;
    school.receipt(&healthy).await;
    assert_eq!(serving.figure("mezhved_quarantine"), Some(1.0));
}

#[test]
fn a_message_whose_delivery_breaks_off_more_often_than_any_attempts_are_counted_is_taken_all_the_same() {
    let broker = Broker::shared();
    let vhost = broker.vhost();
    let proxy = Proxy::before(broker.port(), amqp::cutter);
    let installed = Installation::new(PARTICIPANTS, &proxy.url(&vhost.gateway_url()));
    let _serving = installed.serve_ready();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let school = runtime.block_on(Peer::connect(&vhost.participant(SCHOOL)));
    let message = request(SCHOOL, CENTRE);
    proxy.cut_at(Side::Server, "body");
    runtime.block_on(school.send(&message));
    for _ in 1..CUTS {
        until("its delivery has broken off", || !proxy.is_to_cut());
        proxy.cut_at(Side::Server, "body");
    }
    until("its last delivery has broken off", || !proxy.is_to_cut());
    runtime.block_on(async {
        school.receipt(&message).await;
        assert!(Peer::connect(&vhost.gateway_url()).await.take("mezhved.dead").await.is_none());
    });
}
