//! Several gateways on one database and one broker: killed in turn, their database killed, the answer to a commit cut off.
//!
//! Promises: the participants' ledgers judge, as everywhere here. Never: kills a node that other tests use.

use crate::load::{CENTRE, Dice, INBOX, Scene, request, rounds, seed};
use crate::support::broker::Broker;
use crate::support::gateway::until;
use crate::support::postgres::Postgres;
use crate::support::proxy::{Proxy, Side, postgres};
use std::thread::sleep;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Of four starts one is killed before it can be ready.
const STARTS: u64 = 4;
const STARTING_MS: u64 = 150;
const AT_WORK_MS: u64 = 500;
/// Of the database in one test.
const DATABASE_KILLS: usize = 5;
const CUTS: usize = 6;
/// How long a leased letter is a gateway's (worker/outbound.rs).
const LEASE: Duration = Duration::from_secs(60);
/// What a migration of tables in use begins with (postgres/lock.rs).
const STAND_ASIDE: &str = "SET LOCAL lock_timeout = '5s'; SELECT pg_advisory_xact_lock(7888732555127846002); \
     SELECT pg_advisory_xact_lock(7888732554992513902); SELECT pg_advisory_xact_lock(7888732554976321901); \
     SET LOCAL lock_timeout = '2s'";
const SCHOOL: &str = "school-test-17";

#[test]
fn two_hundred_kills_of_two_gateways_on_one_database_lose_nothing_and_double_nothing() {
    rounds().for_each(kill_in_turn);
}

fn kill_in_turn((kills, mut dice): (u64, Dice)) {
    let (vhost, database) = (Broker::shared().vhost(), Postgres::shared().database());
    let mut scene = Scene::on_database(&database.url(), &vhost, 20);
    let (mut first, mut second) = (scene.installed.serve_ready(), scene.installed.serve_beside());
    scene.begin();
    for kill in 0..kills {
        let is_first = kill % 2 == 0;
        let serving = if is_first { &mut first } else { &mut second };
        if dice.below(STARTS) == 0 {
            sleep(Duration::from_millis(dice.below(STARTING_MS)));
        } else {
            serving.ready();
            scene.progress();
            sleep(Duration::from_millis(dice.below(AT_WORK_MS)));
        }
        if is_first {
            first.kill();
            first = scene.installed.serve();
        } else {
            second.kill();
            second = scene.installed.serve_beside();
        }
    }
    println!("{kills} kills of two gateways on one database");
    first.ready();
    second.ready();
    scene.judge();
    assert_eq!(database.orphans(), "0");
    for serving in [first, second] {
        let (ended, _) = serving.terminate();
        assert!(ended.success(), "{ended}");
    }
}

#[test]
fn a_database_that_is_killed_under_load_loses_nothing_and_doubles_nothing() {
    let (broker, node) = (Broker::shared(), Postgres::start());
    let (vhost, database) = (broker.vhost(), node.database());
    let mut dice = Dice(seed());
    let mut scene = Scene::on_database(&database.url(), &vhost, 10);
    let (mut first, mut second) = (scene.installed.serve_ready(), scene.installed.serve_beside());
    second.ready();
    scene.begin();
    for _ in 0..DATABASE_KILLS {
        scene.progress();
        sleep(Duration::from_millis(dice.below(AT_WORK_MS)));
        node.kill();
        until("the gateways say that they have no store", || !first.is_ready() && !second.is_ready());
        node.restart();
        first.ready();
        second.ready();
    }
    println!("{DATABASE_KILLS} kills of the database");
    scene.judge();
    assert_eq!(database.orphans(), "0");
}

#[test]
fn a_commit_whose_answer_never_comes_is_neither_lost_nor_done_twice() {
    let (broker, node) = (Broker::shared(), Postgres::shared());
    let (vhost, database) = (broker.vhost(), node.database());
    let proxy = Proxy::before(node.port(), postgres::cutter);
    let mut scene = Scene::on_database(&proxy.url(&database.url()), &vhost, 10);
    let mut serving = scene.installed.serve_ready();
    scene.begin();
    for _ in 0..CUTS {
        scene.progress();
        proxy.cut_at(Side::Server, "CommandComplete COMMIT");
        until("the answer to a commit", || !proxy.is_to_cut());
    }
    println!("{CUTS} commits whose answer never came");
    serving.ready();
    scene.judge();
    assert_eq!(database.orphans(), "0");
}

#[test]
fn a_letter_whose_commit_had_no_answer_goes_out_long_before_its_lease_is_over() {
    let (vhost, database) = (Broker::shared().vhost(), Postgres::shared().database());
    let proxy = Proxy::before(Postgres::shared().port(), postgres::cutter);
    let scene = Scene::on_database(&proxy.url(&database.url()), &vhost, 1);
    let serving = scene.installed.serve_ready();
    let delivered = || database.sql("SELECT count(*) FROM outbox WHERE state = 'delivered' AND attempts = 1");
    let key = scene.installed.key(CENTRE);
    let ask = || serving.post("/api/v1/messages", &key, &request(Uuid::new_v4(), SCHOOL).to_string());
    assert_eq!(ask().0, 202);
    until("the first letter", || delivered() == "1");
    proxy.cut_at(Side::Server, "CommandComplete COMMIT");
    // It is decided once more, and found on record.
    let (status, answer) = ask();
    assert!(!proxy.is_to_cut() && status == 200, "{status}: {answer}");
    let begun = Instant::now();
    assert_eq!(database.sql("SELECT count(*) FROM outbox WHERE route = 'amqp'"), "2", "it was not committed");
    until("the letter that was committed without an answer", || delivered() == "2");
    assert!(begun.elapsed() < LEASE / 2, "it waited for {:?}", begun.elapsed());
}

#[test]
fn a_letter_of_a_gateway_that_died_with_it_goes_out_in_seconds_by_another() {
    let (vhost, database) = (Broker::shared().vhost(), Postgres::shared().database());
    let mut scene = Scene::breakable(Some(&database.url()), &vhost, 1);
    // It dies with the first letter that it has leased in its hands.
    scene.installed.set_variable("MEZHVED_FAILPOINT", "after-claim:1");
    let mut first = scene.installed.serve_ready();
    scene.installed.unset_variable("MEZHVED_FAILPOINT");
    let mut second = scene.installed.serve_beside();
    second.ready();
    // Whether its answer still comes does not matter: the letter is committed, and leased by it.
    let asked = request(Uuid::new_v4(), SCHOOL).to_string();
    let _ = first.try_post("/api/v1/messages", &scene.installed.key(CENTRE), &asked);
    assert!(first.ended().is_some(), "it never came to a lease");
    let died = Instant::now();
    assert_eq!(database.sql("SELECT count(*) FROM outbox WHERE state = 'sending'"), "1", "nothing was leased");
    let delivered = || database.sql("SELECT count(*) FROM outbox WHERE state = 'delivered'") == "1";
    until("the letter, by the other", delivered);
    assert!(died.elapsed() < LEASE / 4, "it came after {:?}", died.elapsed());
}

#[test]
fn gateways_work_on_while_a_newer_version_adds_to_the_tables_and_an_older_one_does_not_start_after_it() {
    let (vhost, database) = (Broker::shared().vhost(), Postgres::shared().database());
    let mut scene = Scene::on_database(&database.url(), &vhost, 20);
    let (mut first, mut second) = (scene.installed.serve_ready(), scene.installed.serve_beside());
    second.ready();
    scene.begin();
    scene.progress();
    // What a later version would do, in the manner of a migration (lock.rs): it only adds.
    let version = database.sql("SELECT max(version) + 1 FROM schema_version");
    database.sql(&format!(
        "BEGIN; {STAND_ASIDE}; {}; INSERT INTO schema_version (program, version) VALUES ('mezhved', {version}); COMMIT",
        ["message", "obligation", "outbox", "event", "exchange", "journal"]
            .map(|table| format!("ALTER TABLE {table} ADD COLUMN later text"))
            .join("; ")
    ));
    for _ in 0..CUTS {
        scene.progress();
    }
    first.ready();
    second.ready();
    scene.judge();
    assert_eq!(database.orphans(), "0");
    let (ended, _) = first.terminate();
    assert!(ended.success(), "{ended}");
    let refused = scene.installed.serve().ended();
    assert!(refused.is_some_and(|ended| !ended.success()), "{refused:?}");
    assert!(scene.installed.log().contains("newer"), "{}", scene.installed.log());
}

#[test]
fn what_one_gateway_takes_is_told_by_the_live_stream_of_the_other() {
    let (vhost, database) = (Broker::shared().vhost(), Postgres::shared().database());
    let scene = Scene::on_database(&database.url(), &vhost, 1);
    let (first, mut second) = (scene.installed.serve_ready(), scene.installed.serve_beside());
    second.ready();
    let mut events = second.events(&scene.installed.key(CENTRE));
    let id = Uuid::new_v4();
    let (status, answer) =
        first.post("/api/v1/messages", &scene.installed.key(CENTRE), &request(id, INBOX).to_string());
    assert_eq!(status, 202, "{answer}");
    // By the beat the stream would look by itself: word of the commit comes before it.
    let told = events.find(|line| line.contains(&id.to_string()) || line.contains(": beat"));
    assert!(told.as_ref().is_some_and(|line| line.contains(&id.to_string())), "{told:?}");
}
