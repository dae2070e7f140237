//! The network between the gateway and its broker fails at exactly the frame where it hurts, and in every other way.
//!
//! Promises: the participants reach the broker directly, so that their ledgers know nothing of the weather. Never: cuts
//! anywhere but between the gateway and the broker.

use crate::load::Scene;
use crate::support::broker::Broker;
use crate::support::gateway::until;
use crate::support::postgres::Postgres;
use crate::support::proxy::{Proxy, Side, amqp, postgres};
use sqlx::{Connection as _, PgConnection};

const CUTS: usize = 6;

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
    for _ in 0..CUTS {
        scene.progress();
        proxy.reset();
    }
    proxy.drip();
    for _ in 0..CUTS {
        scene.progress();
    }
    proxy.clear();
    for dark in [&[Side::Client][..], &[Side::Server], &[Side::Client, Side::Server]] {
        scene.progress();
        proxy.darken(dark);
        until("the gateway notices the darkness", || !serving.is_ready());
        println!("dark: {dark:?}");
        proxy.clear();
        serving.ready();
    }
    scene.judge();
    let (ended, _) = serving.terminate();
    assert!(ended.success(), "{ended}");
}
