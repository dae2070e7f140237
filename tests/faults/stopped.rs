//! SIGTERM under load: an orderly stop, and what it leaves for the next start.

use crate::load::{Dice, Scene, seed};
use crate::support::broker::Broker;
use std::thread::sleep;
use std::time::Duration;

const STOPS: u64 = 5;
const AT_WORK_MS: u64 = 500;
/// What the operator is promised.
const DRAIN: Duration = Duration::from_secs(10);

#[test]
fn a_stop_under_load_ends_within_ten_seconds_and_loses_nothing() {
    let mut dice = Dice(seed());
    let vhost = Broker::shared().vhost();
    let mut scene = Scene::new(&vhost, 40);
    let mut serving = scene.installed.serve_ready();
    let mut stops = Vec::new();
    scene.begin();
    for _ in 0..STOPS {
        scene.progress();
        sleep(Duration::from_millis(dice.below(AT_WORK_MS)));
        let (ended, took) = serving.terminate();
        println!("SIGTERM: {ended} after {took:.0?}");
        assert!(ended.success(), "{ended}");
        stops.push(took);
        serving = scene.installed.serve_ready();
    }
    scene.judge();
    // The middle one, because the machine may have been somebody else's during one of them.
    stops.sort();
    assert!(stops[stops.len() / 2] < DRAIN, "the stops took {stops:?}");
    let (ended, _) = serving.terminate();
    assert!(ended.success(), "{ended}");
}
