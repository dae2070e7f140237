//! The network between the gateway and its broker, or its database, fails at exactly the frame where it hurts, and in every
//! other way.
//!
//! Promises: the participants reach the broker directly, so that their ledgers know nothing of the weather. Never: cuts
//! anywhere but at the gateway.

use crate::load::Scene;
use crate::support::broker::Broker;
use crate::support::gateway::{Serving, until};
use crate::support::postgres::Postgres;
use crate::support::proxy::{Proxy, Side, amqp, postgres};
use sqlx::{Connection as _, PgConnection};

const CUTS: usize = 6;
/// Messages that are sent while everything comes by drops.
const ASKED: usize = 60;

#[test]
fn the_proxy_cuts_before_a_commit_is_sent_or_before_its_answer_gets_back() {
    let node = Postgres::shared();
    let database = node.database();
    let proxy = Proxy::before(node.port(), postgres::cutter);
    let url = proxy.url(&database.url());
    database.sql("CREATE TABLE kept (n int); GRANT ALL ON kept TO PUBLIC");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let places = [(Side::Client, "Query COMMIT", "0"), (Side::Server, "CommandComplete COMMIT", "1")];
    for (side, name, kept) in places {
        runtime.block_on(async {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            for text in ["BEGIN", "INSERT INTO kept VALUES (1)"] {
                sqlx::raw_sql(text).execute(&mut connection).await.unwrap();
            }
            proxy.cut_at(side, name);
            sqlx::raw_sql("COMMIT").execute(&mut connection).await.expect_err("the answer never came");
        });
        assert!(!proxy.is_to_cut());
        until("the server has noticed", || database.sql("SELECT count(*) FROM kept") == kept);
    }
}

#[test]
fn a_network_that_fails_between_publish_and_confirm_and_before_acknowledgements_loses_and_doubles_nothing() {
    let broker = Broker::shared();
    let vhost = broker.vhost();
    let proxy = Proxy::before(broker.port(), amqp::cutter);
    let url = proxy.url(&vhost.gateway_url());
    let mut scene = Scene::behind(&url, &vhost, 10);
    let mut serving = scene.installed.serve_ready();
    scene.begin();
    let cut = |scene: &mut Scene, (side, name): (Side, &str)| {
        for _ in 0..CUTS {
            scene.progress();
            proxy.cut_at(side, name);
            until(&format!("a {name}"), || !proxy.is_to_cut());
        }
        println!("{CUTS} cuts at {name} of the {side:?}");
    };
    // The broker has the letter, and we do not know it.
    cut(&mut scene, (Side::Server, "basic.ack"));
    // The message is on disk, and the broker does not know it.
    cut(&mut scene, (Side::Client, "basic.ack"));
    // A letter that was announced and never followed; a delivery that never came.
    cut(&mut scene, (Side::Client, "header"));
    cut(&mut scene, (Side::Server, "body"));
    weather(&mut scene, (&proxy, &mut serving), |scene| (0..CUTS).for_each(|_| scene.progress()));
    scene.judge();
    let (ended, _) = serving.terminate();
    assert!(ended.success(), "{ended}");
}

#[test]
fn a_network_to_the_database_that_drips_resets_and_goes_dark_loses_and_doubles_nothing() {
    let (vhost, database) = (Broker::shared().vhost(), Postgres::shared().database());
    let proxy = Proxy::before(Postgres::shared().port(), postgres::cutter);
    let mut scene = Scene::on_database(&proxy.url(&database.url()), &vhost, 10);
    let mut serving = scene.installed.serve_ready();
    scene.begin();
    // By drops a decision takes longer than any may: it is enough that none is lost or done twice.
    weather(&mut scene, (&proxy, &mut serving), |scene| scene.asked(ASKED));
    scene.judge();
    assert_eq!(database.orphans(), "0");
    let (ended, _) = serving.terminate();
    assert!(ended.success(), "{ended}");
}

/// Connections are reset, then everything comes by drops while `drips` lasts, then nothing comes through: from one side,
/// the other, both.
fn weather(scene: &mut Scene, (proxy, serving): (&Proxy, &mut Serving), drips: impl Fn(&mut Scene)) {
    for _ in 0..CUTS {
        scene.progress();
        proxy.reset();
    }
    proxy.drip();
    drips(scene);
    proxy.clear();
    for dark in [&[Side::Client][..], &[Side::Server], &[Side::Client, Side::Server]] {
        scene.progress();
        proxy.darken(dark);
        until("the gateway notices the darkness", || !serving.is_ready());
        println!("dark: {dark:?}");
        proxy.clear();
        serving.ready();
    }
}
