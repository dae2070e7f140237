//! Reading: the sources without their test modules, the documents, and the tables and code blocks in them.
//!
//! Promises: paths are relative to the top of the project. Never: understands Markdown beyond rows and fences.

use regex::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The documents that are held to the program.
pub const DOCUMENTS: [&str; 7] = [
    "README.md",
    "CHANGELOG.md",
    "docs/ARCHITECTURE.md",
    "docs/ERRORS.md",
    "docs/INTEGRATION.md",
    "docs/OPERATIONS.md",
    "docs/SCALE.md",
];

pub fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn read(path: &str) -> String {
    fs::read_to_string(top().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern")
}

/// Every file below a folder with that ending.
pub fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(&top().join(folder), ending, &mut found);
    assert!(!found.is_empty(), "no {ending} below {folder}");
    found
}

fn collect(folder: &Path, ending: &str, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            let name = path.strip_prefix(top()).unwrap().to_string_lossy().into_owned();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The program's own text: what stands before the tests of a file.
pub fn sources() -> Vec<(String, String)> {
    let before = |text: String| text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
    files("src", ".rs").into_iter().map(|(path, text)| (path, before(text))).collect()
}

/// The first group of every hit.
pub fn all(text: &str, shape: &str) -> BTreeSet<String> {
    pattern(shape).captures_iter(text).map(|hit| hit[1].to_owned()).collect()
}

/// The cells of every row of a table whose first cell is one word of that shape in backticks.
pub fn rows(text: &str, shape: &str) -> Vec<Vec<String>> {
    let first = pattern(&format!("^`({shape})`$"));
    let cells = |line: &str| line.split(" | ").map(|cell| cell.trim_matches(['|', ' ']).to_owned()).collect();
    let table = text.lines().filter(|line| line.starts_with("| "));
    table.map(cells).filter(|row: &Vec<String>| first.is_match(&row[0])).collect()
}

/// The first cells of such rows, bare.
pub fn named(text: &str, shape: &str) -> BTreeSet<String> {
    rows(text, shape).into_iter().map(|row| row[0].trim_matches('`').to_owned()).collect()
}

/// What stands under a heading of the second order, up to the next one.
pub fn section<'t>(text: &'t str, title: &str) -> &'t str {
    let under = text.split(&format!("\n## {title}\n")).nth(1).unwrap_or_else(|| panic!("no section «{title}»"));
    under.split("\n## ").next().unwrap_or(under)
}

/// The lines inside the fences of shell.
pub fn shell(text: &str) -> Vec<String> {
    let blocks = pattern(r"(?ms)^```sh\n(.*?)^```");
    let joined = |block: &str| block.replace("\\\n", " ");
    blocks.captures_iter(text).flat_map(|hit| joined(&hit[1]).lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// What only one side has.
pub fn same(what: &str, documented: &BTreeSet<String>, existing: &BTreeSet<String>) {
    let missing: Vec<_> = existing.difference(documented).collect();
    let invented: Vec<_> = documented.difference(existing).collect();
    assert!(missing.is_empty(), "{what}: not documented: {missing:?}");
    assert!(invented.is_empty(), "{what}: documented and not there: {invented:?}");
}
