//! Things that have one place: a library of the outside world, the reading of the time, what a pure room may not do.
//!
//! Promises: each rule names the places where the thing belongs. Never: looks into tests, which may use anything.

use crate::source::{Fault, Rule, Source};
use regex::Regex;

/// Libraries, and the only folders or files that may name them.
const LIBRARIES: &[(&str, &[&str], &str)] = &[
    ("rusqlite|sqlx", &["src/store/"], "speak to the store through its port"),
    ("lapin", &["src/channel/amqp/", "src/channel/amqp.rs"], "speak to the broker through the port of `channel`"),
    ("axum|hyper|hyper_util|tower|tower_http|askama", &["src/web/"], "HTTP and pages belong to `web`"),
    ("reqwest", &["src/channel/", "src/cli/", "src/demo"], "HTTP calls belong to `channel`"),
    ("backoff", &["src/retry.rs"], "use the policies of `retry`"),
];

/// What a pure room may not name: no I/O, no async, no environment.
const IMPURE: &[(&str, &[&str])] = &[
    (r"\basync\s+(fn|move)\b|\.await\b|\btokio::", &["src/domain/", "src/catalogue/", "src/format/"]),
    (r"\bstd::(fs|net|env|process|thread)\b", &["src/domain/", "src/format/"]),
    (r"\bstd::io\b|\be?print(ln)?!|\btracing::", &["src/domain/"]),
];

const CLOCKS: &str = r"\bUtc::now\b|\bLocal::now\b|\bInstant::now\b|\bSystemTime\b|\bstd::time::Instant\b";

/// The rooms that may measure a timeout with tokio's own clock, which tests can stop and which tells no date.
const TIMEOUTS: &[&str] = &["src/channel/", "src/web/", "src/worker/"];

pub fn libraries(source: &Source) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (names, places, remedy) in LIBRARIES {
        if source.is_under(places) {
            continue;
        }
        let named = pattern(&format!(r"(?:^|[^:\w])(?P<name>{names})::|\buse\s+(?P<used>{names})\b"));
        for (line, text) in source.lines() {
            if let Some(found) = named.captures(text) {
                let name = found.name("name").or(found.name("used")).map_or("", |name| name.as_str());
                faults.push(source.fault(
                    line,
                    Rule("places", remedy),
                    format!("`{name}` outside {}", places.join(", ")),
                ));
            }
        }
    }
    faults
}

pub fn purity(source: &Source) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (wrong, rooms) in IMPURE.iter().filter(|(_, rooms)| source.is_under(rooms)) {
        let wrong = pattern(wrong);
        for (line, text) in source.lines() {
            if let Some(found) = wrong.find(text) {
                let what = format!("`{}` in a pure room ({})", found.as_str(), rooms.join(", "));
                faults.push(source.fault(line, Rule("purity", "let an adapter do it, and pass plain data"), what));
            }
        }
    }
    faults
}

pub fn time(source: &Source) -> Vec<Fault> {
    if source.path == "src/clock.rs" {
        return Vec::new();
    }
    let clocks = pattern(CLOCKS);
    let tokio = source.is_under(TIMEOUTS) && imports_tokio_instant(source);
    let wrong = |text: &str| {
        let found = clocks.find_iter(text).find(|found| !(tokio && found.as_str() == "Instant::now"))?;
        let of_tokio = text[..found.start()].ends_with("tokio::time::") && source.is_under(TIMEOUTS);
        (!of_tokio).then(|| found.as_str().to_owned())
    };
    let fault = |(line, text)| {
        let what = format!("`{}` outside src/clock.rs", wrong(text)?);
        Some(source.fault(line, Rule("time", "take a `Clock` or the instant as an argument"), what))
    };
    source.lines().filter_map(fault).collect()
}

fn imports_tokio_instant(source: &Source) -> bool {
    pattern(r"use\s+tokio::(?:time::|\{[^;]*\btime::)(?:\{[^}]*)?\bInstant\b").is_match(&source.code)
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern")
}

#[cfg(test)]
fn whats(faults: Vec<Fault>) -> Vec<String> {
    faults.into_iter().map(|fault| format!("{}: {}", fault.line, fault.what)).collect()
}

#[test]
fn a_library_outside_its_place_is_found() {
    let found = |path, text| whats(libraries(&Source::new(path, text)));
    assert_eq!(found("src/gateway/a.rs", "\nuse rusqlite::Row;"), ["2: `rusqlite` outside src/store/"]);
    assert_eq!(found("src/worker/a.rs", "fn f(c: &lapin::Channel) {}").len(), 1);
    assert_eq!(found("src/channel/push.rs", "use lapin::Channel;").len(), 1);
    assert_eq!(found("src/store/a.rs", "use axum::Router; fn f() { backoff::retry() }").len(), 2);
    assert!(found("src/store/a.rs", "use rusqlite::Row; use crate::tower::X; // lapin::").is_empty());
    assert!(found("src/channel/amqp/a.rs", "use lapin::Channel;").is_empty());
}

#[test]
fn a_pure_room_that_does_something_is_found() {
    let found = |path, text| whats(purity(&Source::new(path, text)));
    assert_eq!(
        found("src/domain/a.rs", "async fn f() {}"),
        ["1: `async fn` in a pure room (src/domain/, src/catalogue/, src/format/)"]
    );
    assert_eq!(found("src/domain/a.rs", "use std::fs::File;\nfn f() { tracing::info!() }").len(), 2);
    assert_eq!(found("src/format/a.rs", "use std::env;").len(), 1);
    assert!(found("src/catalogue/a.rs", "use std::fs::read_dir;").is_empty());
    assert!(found("src/store/a.rs", "async fn f() { tokio::spawn(g()).await }").is_empty());
}

#[test]
fn a_reading_of_the_time_outside_the_clock_is_found() {
    let found = |path, text| whats(time(&Source::new(path, text)));
    assert_eq!(found("src/gateway/a.rs", "let now = Utc::now();"), ["1: `Utc::now` outside src/clock.rs"]);
    assert_eq!(found("src/store/a.rs", "use std::time::{Duration, SystemTime};").len(), 1);
    assert_eq!(found("src/worker/a.rs", "use std::time::Instant; let t = Instant::now();").len(), 1);
    assert_eq!(found("src/store/a.rs", "use tokio::time::Instant; let t = Instant::now();").len(), 1);
    assert!(found("src/clock.rs", "let now = Utc::now();").is_empty());
    assert!(found("src/worker/a.rs", "use tokio::time::{self, Instant};\nlet t = Instant::now();").is_empty());
    assert!(found("src/channel/a.rs", "let t = tokio::time::Instant::now();").is_empty());
}
