//! The shape of files: how long, how they open, what they are called, and what may not stand in them.
//!
//! Promises: a rule about code never trips over a comment or a literal. Never: judges what a file says, only that.

use crate::source::{Fault, Rule, Source, block_end, pattern};
use regex::Regex;
use std::sync::LazyLock;

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;
/// A file below this promises nothing worth writing down.
const PROMISING_LINES: usize = 15;
/// `mod.rs` of a folder is often but a list.
const LIST_LINES: usize = 40;

/// Parts of names that say nothing of the subject.
const VAGUE: &[&str] = &["Manager", "Helper", "Util", "Common", "util", "helper", "common", "misc", "macro_rules"];
const VAGUE_FILES: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc", "manager", "managers"];

static VAGUE_NAME: LazyLock<Regex> = LazyLock::new(|| {
    let types = r"\b(?:struct|enum|trait|type|union)\s+\w*(?:Manager|Helper|Util|Common)\w*";
    let functions = r"\bfn\s+(?:\w*_)?(?:utils?|helpers?)(?:_\w*)?\b";
    pattern(&format!(r"{types}|{functions}|\bmod\s+(?:utils?|helpers?|common|misc)\b|\bmacro_rules!"))
});

static UNWRAP: LazyLock<Regex> = LazyLock::new(|| pattern(r"\.unwrap\(\)|\btodo!|\bunimplemented!|\bdbg!"));

/// Written in halves, so that this file passes its own rule.
const WORKPLACE: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!(".lib", "rary"),
    concat!("fa", "rm-"),
    concat!("shared/", "design"),
    concat!("shared/", "domain"),
    concat!("shared/", "seeds"),
    concat!("shared/", "tools"),
];

pub fn length(source: &Source) -> Vec<Fault> {
    let lines = source.text.lines().count();
    let mut faults = Vec::new();
    if lines > FILE_LINES_MAX {
        let what = format!("a file of {lines} lines, at most {FILE_LINES_MAX}");
        faults.push(source.fault(lines, Rule("length", "part it by subject"), what));
    }
    for start in source.places("fn ") {
        let (Some(_), end) = block_end(&source.code, start) else { continue };
        let (first, last) = (source.line_of(start), source.line_of(end));
        if last - first >= FUNCTION_LINES_MAX {
            let rest = &source.code[start + 3..];
            let name = &rest[..rest.find(['(', '<']).unwrap_or(rest.len())];
            let what = format!("`{name}` has {} lines, at most {FUNCTION_LINES_MAX}", last - first + 1);
            faults.push(source.fault(first, Rule("length", "part it: aim at 20"), what));
        }
    }
    faults
}

pub fn opening(source: &Source) -> Vec<Fault> {
    let head: Vec<&str> = source.text.lines().take_while(|line| line.starts_with("//!")).collect();
    let lines = source.text.lines().count();
    let list = source.path.ends_with("/mod.rs") && lines <= LIST_LINES;
    let top = matches!(&*source.path, "src/lib.rs" | "src/main.rs") || !source.path.starts_with("src/");
    let wanted: &[&str] = if lines < PROMISING_LINES || list || top { &[] } else { &["Promises:", "Never:"] };
    let rule = Rule("opening", "open with `//!`: what it is, what it promises, what it never does");
    if head.is_empty() {
        return vec![source.fault(1, rule, "no `//!` on the first line".to_owned())];
    }
    let missing = wanted.iter().filter(|word| !head.iter().any(|line| line.contains(*word)));
    missing.map(|word| source.fault(1, rule, format!("the opening has no `{word}`"))).collect()
}

pub fn names(source: &Source) -> Vec<Fault> {
    let rule = Rule("names", "name it by its subject; a function or a generic serves instead of a macro");
    let found = source.seek_everywhere(VAGUE, &VAGUE_NAME);
    let mut faults: Vec<Fault> = found.map(|(line, what)| source.fault(line, rule, format!("`{what}`"))).collect();
    let mut parts = source.path.split('/').map(|part| part.trim_end_matches(".rs"));
    if parts.any(|part| VAGUE_FILES.contains(&part)) {
        faults.push(source.fault(1, rule, "the file's name says nothing".to_owned()));
    }
    faults
}

pub fn allowances(source: &Source) -> Vec<Fault> {
    let rule = Rule("allowances", "write `#[expect(…, reason = \"…\")]`, or mend the cause");
    let mut faults = Vec::new();
    for attribute in ["#[allow(", "#![allow(", "#[expect(", "#![expect("] {
        for (start, _) in source.code.match_indices(attribute) {
            let rest = &source.code[start..];
            if !rest[..rest.find(")]").unwrap_or(rest.len())].contains("reason") {
                let what = format!("`{attribute}…)]` without a reason");
                faults.push(source.fault(source.line_of(start), rule, what));
            }
        }
    }
    faults
}

pub fn unwraps(source: &Source) -> Vec<Fault> {
    let rule = Rule("unwraps", "give an error, or show by the types that it cannot happen");
    let found = source.seek(&[".unwrap()", "todo!", "unimplemented!", "dbg!"], &UNWRAP);
    found.map(|(line, what)| source.fault(line, rule, format!("`{what}` outside tests"))).collect()
}

/// Paths and words of the machine that a text was written on, in any kind of file.
pub fn workplace(path: &str, text: &str) -> Vec<Fault> {
    let rule = Rule("workplace", "cite the law or the source by name; a path is the reader's own");
    let mut faults = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for word in WORKPLACE.iter().filter(|word| stands_alone(line, word)) {
            faults.push(Fault { path: path.to_owned(), line: index + 1, rule, what: format!("`{word}`") });
        }
    }
    faults
}

/// Whether the word is there and is not the tail of a longer one.
fn stands_alone(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| !line[..at].ends_with(|letter: char| letter.is_alphanumeric()))
}

#[cfg(test)]
fn whats(rule: fn(&Source) -> Vec<Fault>, path: &str, text: &str) -> Vec<String> {
    rule(&Source::new(path, text)).into_iter().map(|fault| format!("{}: {}", fault.line, fault.what)).collect()
}

#[test]
fn a_file_and_a_function_that_are_too_long_are_found() {
    let long = format!("fn a() {{}}\nfn b(x: [u8; 2]) {{\n{}}}\n", "    f();\n".repeat(69));
    assert_eq!(whats(length, "src/a.rs", &long), ["2: `b` has 71 lines, at most 70"]);
    let fits = format!("fn b() {{\n{}}}\nfn c();\n{}", "    f();\n".repeat(68), "// x\n".repeat(80));
    assert!(whats(length, "src/a.rs", &fits).is_empty());
    assert_eq!(whats(length, "src/a.rs", &"// x\n".repeat(401)), ["401: a file of 401 lines, at most 400"]);
}

#[test]
fn a_file_that_does_not_say_what_it_promises_is_found() {
    let body = "fn f() {}\n".repeat(15);
    assert_eq!(whats(opening, "src/a.rs", &body), ["1: no `//!` on the first line"]);
    assert_eq!(
        whats(opening, "src/a.rs", &format!("//! A.\n//! Promises: b.\n{body}")),
        ["1: the opening has no `Never:`"]
    );
    assert!(whats(opening, "src/a.rs", &format!("//! A. Promises: b. Never: c.\n{body}")).is_empty());
    assert!(whats(opening, "src/a/mod.rs", &format!("//! A.\n{body}")).is_empty());
}

#[test]
fn a_name_that_says_nothing_is_found() {
    assert_eq!(whats(names, "src/a.rs", "pub struct QueueManager;\nmod utils;").len(), 2);
    assert_eq!(whats(names, "src/a.rs", "macro_rules! m {}\nfn parse_helper() {}").len(), 2);
    assert_eq!(whats(names, "src/web/helpers.rs", ""), ["1: the file's name says nothing"]);
    assert!(whats(names, "src/a.rs", "// a Manager\nstruct Management; fn utility() {}").is_empty());
}

#[test]
fn an_allowance_without_a_reason_is_found() {
    assert_eq!(whats(allowances, "src/a.rs", "#[allow(dead_code)]"), ["1: `#[allow(…)]` without a reason"]);
    assert_eq!(whats(allowances, "src/a.rs", "\n#![allow(\n    dead_code,\n)]").len(), 1);
    assert!(whats(allowances, "src/a.rs", "#[expect(dead_code, reason = \"x (y)\")]").is_empty());
}

#[test]
fn an_unwrap_outside_tests_is_found() {
    let text = "fn f() { g().unwrap(); }\n#[cfg(test)]\nmod tests {\n    fn t() { g().unwrap(); }\n}";
    assert_eq!(whats(unwraps, "src/a.rs", text), ["1: `.unwrap()` outside tests"]);
    assert!(whats(unwraps, "src/a.rs", "g().unwrap_or(1); // .unwrap()").is_empty());
}

#[test]
fn a_word_of_the_workplace_is_found_in_any_text() {
    assert_eq!(workplace("docs/a.md", concat!("one\nsee /wo", "rk/x")).len(), 1);
    assert!(workplace("docs/a.md", concat!("a phar", "m-acy, a net/wo", "rk/x, a sha", "red/thing")).is_empty());
}
