//! Things that have one place: a library of the outside world, the reading of the time, what a pure room may not do.
//!
//! Promises: each rule names the places where the thing belongs. Never: looks into tests, which may use anything.

use crate::source::{Fault, Rule, Source, is_word, pattern};
use regex::Regex;
use std::sync::LazyLock;

/// Libraries, the only folders or files that may name them, and what others do instead.
const LIBRARIES: &[(&[&str], &[&str], &str)] = &[
    (&["rusqlite", "sqlx", "object_store"], &["src/store/"], "speak to the store through its port"),
    (&["lapin"], &["src/channel/amqp/", "src/channel/amqp.rs"], "speak to the broker through the port of `channel`"),
    (
        &["axum", "hyper", "hyper_util", "tower", "tower_http", "askama"],
        &["src/web/"],
        "HTTP and pages belong to `web`",
    ),
    (&["lettre"], &["src/channel/mail/"], "mail goes out through the port of `channel`"),
    (&["reqwest"], &["src/channel/", "src/cli/", "src/demo"], "HTTP calls belong to `channel`"),
    (&["backoff"], &["src/retry.rs"], "use the policies of `retry`"),
];

/// What a pure room may not name: no I/O, no async, no environment.
const IMPURE: &[(&[&str], &[&str])] = &[
    (&["async ", "tokio::"], &["src/domain/", "src/catalogue/", "src/format/"]),
    (&["std::fs", "std::net", "std::env", "std::process", "std::thread"], &["src/domain/", "src/format/"]),
    (&["std::io", "print!", "println!", "eprintln!", "tracing::"], &["src/domain/"]),
];

const CLOCK_WORDS: &[&str] = &["now", "SystemTime", "Instant"];
static CLOCKS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?:tokio::time::)?\b(?:(?:Utc|Local|Instant)::now\b|SystemTime\b|std::time::Instant\b)")
});

/// The rooms that may measure a timeout with tokio's own clock, which tests can stop and which tells no date.
const TIMEOUTS: &[&str] = &["src/channel/", "src/store/postgres/", "src/web/", "src/worker/"];

pub fn libraries(source: &Source) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (names, places, remedy) in LIBRARIES.iter().filter(|(_, places, _)| !source.is_under(places)) {
        for name in *names {
            for line in namings(source, name) {
                let what = format!("`{name}` outside {}", places.join(", "));
                faults.push(source.fault(line, Rule("places", remedy), what));
            }
        }
    }
    faults
}

/// The lines outside tests where a path begins with this crate, or where it is imported under its own name.
fn namings(source: &Source, name: &str) -> Vec<usize> {
    let begins = |at: &usize| {
        let (before, after) = (source.code[..*at].trim_end(), &source.code[*at + name.len()..]);
        let path = after.starts_with("::") && !before.ends_with("::");
        path || before.ends_with("use") && !after.starts_with(is_word)
    };
    let lines = source.places(name).filter(begins).map(|at| source.line_of(at));
    lines.filter(|line| !source.is_test(*line)).collect()
}

pub fn purity(source: &Source) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (words, rooms) in IMPURE.iter().filter(|(_, rooms)| source.is_under(rooms)) {
        for word in *words {
            let lines = source.places(word).map(|at| source.line_of(at)).filter(|line| !source.is_test(*line));
            let what = format!("`{word}` in a pure room ({})", rooms.join(", "));
            let rule = Rule("purity", "let an adapter do it, and pass plain data");
            faults.extend(lines.map(|line| source.fault(line, rule, what.clone())));
        }
    }
    faults
}

pub fn time(source: &Source) -> Vec<Fault> {
    if source.path == "src/clock.rs" {
        return Vec::new();
    }
    let timeouts = source.is_under(TIMEOUTS);
    let tokio = timeouts && imports_tokio_instant(source);
    let wrong = |found: &str| !(tokio && found == "Instant::now" || timeouts && found == "tokio::time::Instant::now");
    let rule = Rule("time", "take a `Clock` or the instant as an argument");
    let found = source.seek(CLOCK_WORDS, &CLOCKS).filter(|(_, found)| wrong(found));
    found.map(|(line, found)| source.fault(line, rule, format!("`{found}` outside src/clock.rs"))).collect()
}

static TOKIO_INSTANT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"use\s+tokio::(?:time::|\{[^;]*\btime::)(?:\{[^}]*)?\bInstant\b"));

fn imports_tokio_instant(source: &Source) -> bool {
    source.code.contains("tokio::") && source.code.contains("Instant") && TOKIO_INSTANT.is_match(&source.code)
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
        ["1: `async ` in a pure room (src/domain/, src/catalogue/, src/format/)"]
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
