//! The simulator in the hands of CI: many seeds, the same twice, and the same with something broken.
//!
//! Promises: `MEZHVED_SIMULATOR_SEEDS` makes it long (2,000 with `MEZHVED_BIN`, 600 without). Never: a time that is
//! asserted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

use mezhved::simulation::chance::Fault;
use mezhved::simulation::flaw::Flaw;
use mezhved::simulation::trace::Trace;
use mezhved::simulation::{History, Outcome, Setting, run};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// Steps with faults in each history.
const STEPS: u32 = 24;
/// Seeds in which a defect must show.
const FLAWED_SEEDS: u64 = 200;

fn setting() -> &'static Setting {
    static SETTING: OnceLock<Setting> = OnceLock::new();
    SETTING.get_or_init(|| Setting::builtin().unwrap())
}

fn live(seed: u64, flaw: Option<Flaw>) -> Outcome {
    run(setting(), History { seed, steps: STEPS, flaw }, Trace::tail()).unwrap()
}

/// The release binary, where there is one: an unoptimised one is twenty times slower.
fn simulator() -> (Command, bool) {
    match std::env::var_os("MEZHVED_BIN") {
        Some(path) => (Command::new(path), true),
        None => (Command::new(env!("CARGO_BIN_EXE_mezhved")), false),
    }
}

#[test]
fn no_seed_breaks_an_invariant() {
    let (mut simulator, is_fast) = simulator();
    let seeds = std::env::var("MEZHVED_SIMULATOR_SEEDS").ok();
    let seeds = seeds.unwrap_or_else(|| if is_fast { "2000" } else { "600" }.to_owned());
    let out = simulator.args(["simulate", "--seeds", &seeds, "--steps", &STEPS.to_string()]).output().unwrap();
    let told = String::from_utf8_lossy(&out.stdout);
    println!("{told}");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let figure = |name: &str| {
        let line = told.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().last().unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(figure("seeds").to_string(), seeds);
    // Worlds in which nothing happened would hold every invariant.
    let busy = ["letters received", "obligations", "rungs", "gateway killed", "commit done", "confirmation lost"];
    for name in busy.into_iter().chain(["killed beside another", "leases taken over"]) {
        assert!(figure(name) > 100, "{name}: {}", figure(name));
    }
    for fault in Fault::ALL {
        assert!(figure(fault.name()) > 0, "{}", fault.name());
    }
    assert_eq!(figure("violations"), 0);
}

#[test]
fn the_command_fails_and_names_the_seed_when_the_gateway_is_broken() {
    // The gateway itself, in the build whose flaws can be switched on (tests/run makes it).
    let Some(folder) = std::env::var_os("MEZHVED_BREAKABLE") else {
        println!("skipped: no breakable build; tests/run makes it");
        return;
    };
    let mut simulator = Command::new(PathBuf::from(folder).join("mezhved-breakable"));
    simulator.args(["simulate", "--seeds", "60", "--steps", &STEPS.to_string()]).env("MEZHVED_FLAW", "NoDeduplication");
    let out = simulator.output().unwrap();
    let told = String::from_utf8_lossy(&out.stdout);
    assert_eq!(out.status.code(), Some(1), "{told}{}", String::from_utf8_lossy(&out.stderr));
    let again = told.lines().find(|line| line.starts_with("seed ")).unwrap();
    assert!(again.contains("mezhved simulate --seeds 1 --from "), "{again}");
    let violations = told.lines().find(|line| line.starts_with("violations")).unwrap();
    assert_ne!(violations.split_whitespace().last(), Some("0"), "{violations}");
}

#[test]
fn the_same_seed_is_the_same_history_line_by_line() {
    for seed in 1..=12 {
        let (one, other) = (live(seed, None), live(seed, None));
        assert_eq!(one.trace.digest(), other.trace.digest(), "seed {seed}");
    }
}

#[test]
fn another_process_lives_through_the_same_history() {
    let trace = || {
        let (mut simulator, _) = simulator();
        let args = ["simulate", "--seeds", "5", "--from", "5", "--steps", "24", "--trace"];
        let out = simulator.args(args).output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        // The last line is how long it took.
        let lines: Vec<String> = text.lines().filter(|line| !line.starts_with("time ")).map(str::to_owned).collect();
        lines
    };
    let (one, other) = (trace(), trace());
    assert!(one.len() > 1_000, "{}", one.len());
    let differs = one.iter().zip(&other).find(|(one, other)| one != other);
    assert_eq!(differs, None);
    assert_eq!(one.len(), other.len());
}

#[test]
fn each_deliberate_defect_is_found_within_a_few_hundred_seeds() {
    let (early, late) = Flaw::ALL.split_at(Flaw::ALL.len() / 2);
    let find = |flaws: &[Flaw]| flaws.iter().copied().filter(|flaw| !is_found(*flaw)).collect::<Vec<_>>();
    let missed = std::thread::scope(|scope| {
        let early = scope.spawn(|| find(early));
        let late = find(late);
        [early.join().unwrap(), late].concat()
    });
    assert!(missed.is_empty(), "{missed:?}");
}

/// Whether a defect shows, and in which seed it first does; where only one check can see it, that one.
fn is_found(flaw: Flaw) -> bool {
    let by = match flaw {
        Flaw::OutOfOrder => "order_holds: ",
        Flaw::LockKept => "no_limbo: nothing moves any more",
        Flaw::RefusalStands => "registered_is_registered: ",
        _ => "",
    };
    let found = |flaw, seed| live(seed, Some(flaw)).violations.into_iter().find(|what| what.starts_with(by));
    let first = (1..=FLAWED_SEEDS).find_map(|seed| Some((seed, found(flaw, seed)?)));
    match &first {
        Some((seed, what)) => println!("{:<20} seed {seed:<4} {what}", format!("{flaw:?}")),
        None => println!("{:<20} NOT FOUND", format!("{flaw:?}")),
    }
    first.is_some()
}
