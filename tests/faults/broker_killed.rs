//! kill -9 of the broker under load and its orderly end, by turns, and its restart on the same data.

use crate::load::{Dice, Scene, number, seed};
use crate::support::broker::Broker;
use crate::support::gateway::Serving;
use crate::support::postgres::Postgres;
use std::thread::sleep;
use std::time::Duration;

const AT_WORK_MS: u64 = 2000;
const DOWN_MS: u64 = 1000;

#[test]
fn kills_of_the_broker_lose_nothing_and_double_nothing() {
    let broker = Broker::start();
    let vhost = broker.vhost();
    let scene = Scene::new(&vhost, 20);
    let serving = scene.installed.serve_ready();
    end_the_broker(&broker, (scene, vec![serving]));
}

#[test]
fn kills_of_the_broker_of_two_gateways_on_one_database_lose_nothing_and_double_nothing() {
    let (broker, database) = (Broker::start(), Postgres::shared().database());
    let vhost = broker.vhost();
    let scene = Scene::on_database(&database.url(), &vhost, 20);
    let serving = vec![scene.installed.serve_ready(), scene.installed.serve_beside()];
    end_the_broker(&broker, (scene, serving));
    assert_eq!(database.orphans(), "0");
}

fn end_the_broker(broker: &Broker, (mut scene, mut serving): (Scene, Vec<Serving>)) {
    let (ends, mut dice) = (number("MEZHVED_BROKER_KILLS", 4), Dice(seed()));
    serving.iter_mut().for_each(|one| _ = one.ready());
    scene.begin();
    for end in 0..ends {
        scene.progress();
        sleep(Duration::from_millis(dice.below(AT_WORK_MS)));
        if end % 2 == 0 {
            broker.kill()
        } else {
            broker.stop()
        }
        sleep(Duration::from_millis(dice.below(DOWN_MS)));
        broker.restart();
        serving.iter_mut().for_each(|one| _ = one.ready());
    }
    println!("{ends} ends of the broker, every other one orderly");
    scene.judge();
    for one in serving {
        let (ended, _) = one.terminate();
        assert!(ended.success(), "{ended}");
    }
}
