//! What comes together is taken together. A batch in which one message cannot be written is taken apart, also when the
//! store goes away meanwhile.
//!
//! Promises: who holds which lock is asked of the server. Never: what the gateway itself says of it.

use crate::peer::{Peer, request};
use crate::support::broker::Broker;
use crate::support::gateway::{Installation, until};
use crate::support::postgres::{Database, Postgres};
use sqlx::{Connection as _, PgConnection};
use std::collections::BTreeSet;

const PARTICIPANTS: &str = include_str!("participants.toml");
const CENTRE: &str = "centre-vymysel";
const SCHOOL: &str = "school-test-17";
/// The decision lock, as postgres/lock.rs has it.
const DECISION: i64 = 7_888_732_554_992_513_902;

/// In the queue while the gateway is down.
const WAITING: u32 = 300;

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_the_queue_is_taken_many_to_a_transaction() {
    let vhost = Broker::shared().vhost();
    let installed = Installation::new(PARTICIPANTS, &vhost.gateway_url());
    installed.serve_ready().stand_down();
    let school = Peer::connect(&vhost.participant(SCHOOL)).await;
    for _ in 0..WAITING {
        school.send(&request(SCHOOL, CENTRE)).await;
    }
    let serving = installed.serve_ready();
    until("all are taken", || serving.figure("mezhved_obligations_open") == Some(WAITING.into()));
    let [jobs, batches] =
        ["sum", "count"].map(|of| serving.figure(&format!("mezhved_commit_batch_jobs_{of}")).unwrap());
    println!("{jobs} jobs in {batches} transactions");
    assert!(jobs >= WAITING.into() && jobs / batches > 5.0, "{jobs} jobs in {batches} transactions");
}

/// Bytes of a message that is large; blanks between its fields are as good as any.
const LARGE: usize = 2 * 1024 * 1024;
/// As many of them as one transaction takes in, and one claim leases.
const TOGETHER: f64 = 16.0;

#[tokio::test(flavor = "multi_thread")]
async fn of_large_messages_no_more_are_taken_or_sent_together_than_memory_and_the_database_bear() {
    let (vhost, database) = (Broker::shared().vhost(), Postgres::shared().database());
    let installed = Installation::on_database(PARTICIPANTS, &vhost.gateway_url(), &database.url());
    installed.serve_ready().stand_down();
    let school = Peer::connect(&vhost.participant(SCHOOL)).await;
    let messages: Vec<_> = (0..100).map(|_| request(SCHOOL, CENTRE)).collect();
    for message in &messages {
        let padded = message.to_string().replacen('{', &format!("{{{}", " ".repeat(LARGE)), 1);
        school.publish(school.properties(message["id"].as_str().unwrap()), padded.as_bytes()).await;
    }
    let serving = installed.serve_ready();
    let mut receipted = BTreeSet::new();
    for _ in &messages {
        receipted.insert(school.letter().await["in_reply_to"].to_string());
    }
    assert_eq!(receipted, messages.iter().map(|message| message["id"].to_string()).collect());
    let largest = serving.figure("mezhved_commit_batch_jobs{quantile=\"1\"}").unwrap();
    let at_once =
        |kind: &str| database.sql(&format!("SELECT max(n) FROM (SELECT count(*) AS n FROM {kind}) AS counted"));
    let together = at_once("message GROUP BY xmin");
    println!("{largest} jobs at most, {together} messages in one transaction, {} MiB at most", serving.peak_mib());
    assert!(largest <= TOGETHER && together.parse::<f64>().unwrap() <= TOGETHER, "{largest} jobs, {together} messages");
    until("all letters are written down as given out", || {
        database.sql("SELECT count(*) FROM outbox WHERE ready_at IS NOT NULL AND route <> 'inbox'") == "0"
    });
}

/// Somebody who wants the decision lock, and keeps it when he has it.
async fn wants(database: &Database<'_>) -> tokio::task::JoinHandle<PgConnection> {
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    tokio::spawn(async move {
        sqlx::query("SELECT pg_advisory_lock($1)").bind(DECISION).execute(&mut connection).await.unwrap();
        connection
    })
}

/// So many wait for the decision lock. They get it in the order in which they came.
fn wait(database: &Database<'_>, count: usize) {
    let low = DECISION & 0xffff_ffff;
    let waiting = format!(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = {low}
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    );
    until("those who wait for the decision lock", || database.sql(&waiting) == count.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_goes_away_while_a_batch_is_taken_apart_sends_no_message_to_the_dead_letters() {
    let (vhost, database) = (Broker::shared().vhost(), Postgres::shared().database());
    let installed = Installation::on_database(PARTICIPANTS, &vhost.gateway_url(), &database.url());
    let serving = installed.serve_ready();
    let in_hand = |count: f64| until("deliveries in hand", || serving.figure("mezhved_amqp_in_flight") == Some(count));
    let school = Peer::connect(&vhost.participant(SCHOOL)).await;
    // The first is taken alone; with them the flow becomes wider.
    for _ in 0..3 {
        let message = request(SCHOOL, CENTRE);
        school.send(&message).await;
        school.receipt(&message).await;
    }
    let messages: Vec<_> = (0..4).map(|_| request(SCHOOL, CENTRE)).collect();
    let [before, first, second, unfit] = &messages[..] else { unreachable!() };
    database.sql(&format!(
        "CREATE TRIGGER unfit BEFORE INSERT ON message FOR EACH ROW WHEN (new.id = '{}') EXECUTE FUNCTION record_stays()",
        unfit["id"].as_str().unwrap()
    ));
    let held = wants(&database).await.await.unwrap();
    school.send(before).await;
    wait(&database, 1);
    for message in [first, second, unfit] {
        school.send(message).await;
    }
    in_hand(4.0);
    let between = wants(&database).await;
    wait(&database, 2);
    held.close().await.unwrap();
    let between = between.await.unwrap();
    // Behind him wait the batch, and what became of the letters of the first; behind them somebody who keeps the lock for
    // longer than the server lets one wait.
    wait(&database, 2);
    let after = wants(&database).await;
    wait(&database, 3);
    between.close().await.unwrap();
    let after = after.await.unwrap();
    in_hand(0.0);
    database.sql("DROP TRIGGER unfit ON message");
    after.close().await.unwrap();
    let mut receipted = BTreeSet::new();
    for _ in &messages {
        receipted.insert(school.letter().await["in_reply_to"].to_string());
    }
    assert_eq!(receipted, messages.iter().map(|message| message["id"].to_string()).collect());
    assert!(Peer::connect(&vhost.gateway_url()).await.take("mezhved.dead").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_store_alone_does_not_take_delays_nobody_and_is_taken_when_it_does() {
    let (vhost, database) = (Broker::shared().vhost(), Postgres::shared().database());
    let installed = Installation::on_database(PARTICIPANTS, &vhost.gateway_url(), &database.url());
    installed.serve_ready().stand_down();
    let school = Peer::connect(&vhost.participant(SCHOOL)).await;
    let messages: Vec<_> = (0..20).map(|_| request(SCHOOL, CENTRE)).collect();
    let (unfit, others) = messages.split_first().unwrap();
    database.damage("INSERT ON message", &format!("new.id = '{}'", unfit["id"].as_str().unwrap()));
    // The queue begins with it.
    for message in &messages {
        school.send(message).await;
    }
    let serving = installed.serve_ready();
    let mut receipted = BTreeSet::new();
    for _ in others {
        receipted.insert(school.letter().await["in_reply_to"].to_string());
    }
    assert_eq!(receipted, others.iter().map(|message| message["id"].to_string()).collect());
    assert_eq!(serving.figure("mezhved_amqp_aside"), Some(1.0));
    database.sql("DROP TRIGGER damage ON message");
    school.receipt(unfit).await;
    until("nobody stands beside", || serving.figure("mezhved_amqp_aside") == Some(0.0));
    assert!(Peer::connect(&vhost.gateway_url()).await.take("mezhved.dead").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_could_not_be_written_at_first_is_told_and_counted_once() {
    let (vhost, database) = (Broker::shared().vhost(), Postgres::shared().database());
    let installed = Installation::on_database(PARTICIPANTS, &vhost.gateway_url(), &database.url());
    let serving = installed.serve_ready();
    let school = Peer::connect(&vhost.participant(SCHOOL)).await;
    database.damage("INSERT ON quarantine", "true");
    let id = uuid::Uuid::new_v4().to_string();
    school.publish(school.properties(&id), b"{").await;
    until("it is tried beside the others", || serving.figure("mezhved_amqp_aside") == Some(1.0));
    let tries = || installed.log().matches("the store does not take this job").count();
    until("it is tried again", || tries() >= 3);
    database.sql("DROP TRIGGER damage ON quarantine");
    school.refusal("not_well_formed", Some(&id)).await;
    until("nobody stands beside", || serving.figure("mezhved_amqp_aside") == Some(0.0));
    assert_eq!(serving.figure("mezhved_messages_refused_total{code=\"not_well_formed\"}"), Some(1.0));
    assert_eq!(database.sql("SELECT count(*) FROM quarantine"), "1");
}
