//! What breaks the gateway each time is told apart from what only the network breaks off.
//!
//! Promises: the first is kept in the quarantine after five attempts, with a refusal to its sender; the second is taken,
//! however often its delivery broke off; neither is found among the dead letters. Never: stops a healthy message.

use crate::peer::{Peer, request};
use crate::support::broker::Broker;
use crate::support::gateway::{Installation, breakable, until};
use crate::support::proxy::{Proxy, Side, amqp};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;

const PARTICIPANTS: &str = include_str!("participants.toml");
const CENTRE: &str = "centre-vymysel";
const SCHOOL: &str = "school-test-17";
const SIGABRT: i32 = 6;
/// Reliability: invariant 11.
const ATTEMPTS: usize = 5;
/// More than any attempts that are counted.
const CUTS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_ends_the_gateway_each_time_is_kept_after_five_attempts_and_its_sender_is_told() {
    let vhost = Broker::shared().vhost();
    let mut installed = Installation::of(breakable("mezhved-breakable"), PARTICIPANTS, &vhost.gateway_url());
    installed.serve_ready().kill();
    let school = Peer::connect(&vhost.participant(SCHOOL)).await;
    let poison = request(SCHOOL, CENTRE);
    school.send(&poison).await;
    // Whatever is read from its content ends the process.
    installed.set_variable("MEZHVED_FAILPOINT", "after-decode:1");
    for attempt in 1..=ATTEMPTS {
        let signal = installed.serve().ended().and_then(|ended| ended.signal());
        assert_eq!(signal, Some(SIGABRT), "attempt {attempt}");
    }
    let serving = installed.serve_ready();
    school.refusal("handling_broke_off", poison["id"].as_str()).await;
    assert_eq!(serving.figure("mezhved_quarantine"), Some(1.0));
    serving.kill();
    installed.unset_variable("MEZHVED_FAILPOINT");
    let _serving = installed.serve_ready();
    let healthy = request(SCHOOL, CENTRE);
    school.send(&healthy).await;
    school.receipt(&healthy).await;
    assert!(Peer::connect(&vhost.gateway_url()).await.take("mezhved.dead").await.is_none());
}

#[test]
fn a_message_whose_delivery_breaks_off_more_often_than_any_attempts_are_counted_is_taken_all_the_same() {
    let broker = Broker::shared();
    let vhost = broker.vhost();
    let proxy = Proxy::new(SocketAddr::from(([127, 0, 0, 1], broker.port())), amqp::cutter);
    let url = vhost.gateway_url().replace(&format!(":{}/", broker.port()), &format!(":{}/", proxy.port()));
    let installed = Installation::new(PARTICIPANTS, &url);
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
