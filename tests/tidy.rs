//! The house rules as a test: who may import whom, what has one place, how long and how named things are.
//!
//! Promises: a failure names the file, the line, the rule and the remedy; each rule has a test of its own, beside it,
//! that shows it catching a fault. Never: a list of exceptions. A rule that does not fit is changed here, with its why.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/places.rs"]
mod places;
#[path = "tidy/shape.rs"]
mod shape;
#[path = "tidy/source.rs"]
mod source;

use source::{Fault, Source};

fn sources(folders: &[&str]) -> Vec<Source> {
    let files = source::files(&[".rs"]);
    let files = files.iter().filter(|(path, _)| folders.iter().any(|folder| path.starts_with(folder)));
    let sources: Vec<Source> = files.map(|(path, text)| Source::new(path, text)).collect();
    assert!(!sources.is_empty(), "no source files under {folders:?}: the rule would pass for want of work");
    sources
}

fn hold(faults: &[Fault]) {
    let list: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert!(list.is_empty(), "{} house rules are broken:\n{}", list.len(), list.join("\n"));
}

fn hold_each(folders: &[&str], rule: fn(&Source) -> Vec<Fault>) {
    hold(&sources(folders).iter().flat_map(rule).collect::<Vec<_>>());
}

const EVERYWHERE: &[&str] = &["src/", "tests/", "benches/"];

#[test]
fn every_room_imports_only_whom_it_may() {
    hold_each(&["src/"], layers::layers);
}

#[test]
fn no_rooms_import_each_other_in_a_circle() {
    hold(&layers::circles(&sources(&["src/"])));
}

#[test]
fn every_library_of_the_outside_world_has_one_place() {
    hold_each(&["src/"], places::libraries);
}

#[test]
fn the_pure_rooms_do_nothing() {
    hold_each(&["src/"], places::purity);
}

#[test]
fn only_the_clock_reads_the_time() {
    hold_each(&["src/"], places::time);
}

#[test]
fn files_and_functions_are_short() {
    hold_each(EVERYWHERE, shape::length);
}

#[test]
fn every_file_says_what_it_is_and_promises() {
    hold_each(EVERYWHERE, shape::opening);
}

#[test]
fn names_come_from_the_subject() {
    hold_each(EVERYWHERE, shape::names);
}

#[test]
fn every_exception_from_a_lint_has_its_reason() {
    hold_each(EVERYWHERE, shape::allowances);
}

#[test]
fn nothing_is_unwrapped_outside_tests() {
    hold_each(&["src/"], shape::unwraps);
}

#[test]
fn no_file_speaks_of_the_machine_it_was_written_on() {
    let endings = [
        "rs",
        "toml",
        "md",
        "json",
        "xml",
        "xsd",
        "html",
        "css",
        "js",
        "py",
        "sh",
        "yaml",
        "yml",
        "txt",
        "run",
        "Dockerfile",
        "justfile",
        "broker",
        ".dockerignore",
        ".gitignore",
        ".conf",
    ];
    let files = source::files(&endings);
    hold(&files.iter().flat_map(|(path, text)| shape::workplace(path, text)).collect::<Vec<_>>());
}
