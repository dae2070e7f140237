//! The gateway dies at every named step of its journey, under load.
//!
//! Promises: the names are read from the source, so that no step is left out; a step that the load never comes to fails
//! the test. Never: part of the binary that is shipped.

use crate::load::{Dice, Scene, seed};
use crate::support::broker::Broker;
use crate::support::gateway::{binary, breakable};
use crate::support::postgres::Postgres;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::time::Instant;

const SIGABRT: i32 = 6;
/// The gateway dies at one of its first passings, and each point at another.
const PASSINGS: u64 = 12;
const VARIABLE: &str = "MEZHVED_FAILPOINT";

#[test]
fn a_crash_at_every_named_step_loses_nothing_and_doubles_nothing() {
    let vhost = Broker::shared().vhost();
    crash_everywhere(Scene::breakable(None, &vhost, 8));
}

#[test]
fn a_crash_at_every_named_step_on_a_database_loses_nothing_and_doubles_nothing() {
    let (vhost, database) = (Broker::shared().vhost(), Postgres::shared().database());
    crash_everywhere(Scene::breakable(Some(&database.url()), &vhost, 8));
    assert_eq!(database.orphans(), "0");
}

fn crash_everywhere(mut scene: Scene) {
    let (mut dice, begun) = (Dice(seed()), Instant::now());
    let mut serving = scene.installed.serve_ready();
    scene.begin();
    let points = chosen();
    for point in &points {
        scene.progress();
        serving.kill();
        let nth = 1 + dice.below(PASSINGS);
        scene.installed.set_variable(VARIABLE, &format!("{point}:{nth}"));
        let ended = scene.installed.serve().ended();
        let signal = ended.and_then(|ended| ended.signal());
        assert_eq!(signal, Some(SIGABRT), "the gateway never came to `{point}` for the {nth}th time: {ended:?}");
        println!("{point}: died at passing {nth}");
        scene.installed.unset_variable(VARIABLE);
        serving = scene.installed.serve_ready();
    }
    println!("{} crashes in {:.0?}", points.len(), begun.elapsed());
    scene.judge();
    let (ended, _) = serving.terminate();
    assert!(ended.success(), "{ended}");
}

#[test]
fn a_default_build_has_neither_fail_points_nor_flaws() {
    let has = |program: &Path, word: &str| fs::read(program).unwrap().windows(word.len()).any(|w| w == word.as_bytes());
    for word in [VARIABLE, "MEZHVED_FLAW"] {
        assert!(!has(&binary(), word), "{word} is in a default build");
        assert!(has(&breakable("mezhved-breakable"), word), "{word} is nowhere: the search would find nothing");
    }
}

/// All of them, each once; or those of `MEZHVED_POINTS`, for a closer look.
fn chosen() -> Vec<String> {
    let named = std::env::var("MEZHVED_POINTS").ok();
    named.map_or_else(|| points().into_iter().collect(), |text| text.split(',').map(str::to_owned).collect())
}

/// Every name that the source reaches.
fn points() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    gather(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 10, "{found:?}");
    found
}

fn gather(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, found);
        } else {
            let text = fs::read_to_string(&path).unwrap_or_default();
            let named = text.split("failpoint::reach(\"").skip(1).filter_map(|rest| rest.split('"').next());
            found.extend(named.map(str::to_owned));
        }
    }
}
