//! kill -9 of the broker under load, and its restart on the same data.

use crate::load::{Dice, Scene, number, seed};
use crate::support::broker::Broker;
use std::thread::sleep;
use std::time::Duration;

const AT_WORK_MS: u64 = 2000;
const DOWN_MS: u64 = 1000;

#[test]
fn kills_of_the_broker_lose_nothing_and_double_nothing() {
    let (kills, mut dice) = (number("MEZHVED_BROKER_KILLS", 4), Dice(seed()));
    let broker = Broker::start();
    let vhost = broker.vhost();
    let mut scene = Scene::new(&vhost, 20);
    let mut serving = scene.installed.serve_ready();
    scene.begin();
    for _ in 0..kills {
        scene.progress();
        sleep(Duration::from_millis(dice.below(AT_WORK_MS)));
        broker.kill();
        sleep(Duration::from_millis(dice.below(DOWN_MS)));
        broker.restart();
        serving.ready();
    }
    println!("{kills} kills of the broker");
    scene.judge();
    let (ended, _) = serving.terminate();
    assert!(ended.success(), "{ended}");
}
