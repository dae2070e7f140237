//! kill -9 of the gateway at random moments, again and again.

use crate::load::{Dice, Scene, rounds};
use crate::support::broker::Broker;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Of four starts one is killed before it can be ready.
const STARTS: u64 = 4;
const STARTING_MS: u64 = 150;
const AT_WORK_MS: u64 = 500;

#[test]
fn two_hundred_kills_of_the_gateway_lose_nothing_and_double_nothing() {
    rounds().for_each(kill);
}

fn kill((kills, mut dice): (u64, Dice)) {
    let vhost = Broker::shared().vhost();
    let mut scene = Scene::new(&vhost, 20);
    let mut serving = scene.installed.serve_ready();
    scene.begin();
    let (begun, mut starts) = (Instant::now(), Vec::new());
    for _ in 0..kills {
        if dice.below(STARTS) == 0 {
            sleep(Duration::from_millis(dice.below(STARTING_MS)));
        } else {
            starts.push(serving.ready());
            scene.progress();
            sleep(Duration::from_millis(dice.below(AT_WORK_MS)));
        }
        serving.kill();
        serving = scene.installed.serve();
    }
    starts.push(serving.ready());
    starts.sort_unstable();
    let (middle, longest) = (starts[starts.len() / 2], starts[starts.len() - 1]);
    println!("{kills} kills in {:.0?}; start to ready: median {middle:.0?}, longest {longest:.0?}", begun.elapsed());
    scene.judge();
    let (ended, _) = serving.terminate();
    assert!(ended.success(), "{ended}");
}
