//! Who may import whom, read from the paths that begin at the crate, and that it never goes in a circle.
//!
//! Promises: a module that the table does not know is a fault. Never: looks into tests; they may join what they test.

use crate::source::{Fault, Rule, Source};
use std::collections::{BTreeMap, BTreeSet};

const EVERYTHING: &[&str] = &["*"];

/// Each room of the house and the rooms it may know (docs/ARCHITECTURE.md).
const TABLE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("limits", &[]),
    ("failpoint", &[]),
    ("flaw", &[]),
    ("clock", &["domain"]),
    ("retry", &["limits"]),
    ("catalogue", &["domain", "limits"]),
    ("format", &["domain", "catalogue", "limits"]),
    ("config", &["domain", "catalogue", "limits"]),
    ("telemetry", &["config", "limits"]),
    ("gateway", &["domain", "catalogue", "format", "limits", "clock", "failpoint", "flaw"]),
    ("store", ADAPTER),
    ("channel", ADAPTER),
    ("web", ADAPTER),
    (
        "worker",
        &[
            "domain",
            "gateway",
            "catalogue",
            "format",
            "channel",
            "limits",
            "config",
            "clock",
            "retry",
            "telemetry",
            "failpoint",
            "flaw",
        ],
    ),
    ("demo", EVERYTHING),
    ("cli", EVERYTHING),
    ("app", EVERYTHING),
    ("lib", EVERYTHING),
    ("main", EVERYTHING),
];

/// An adapter knows the ports and views of the gateway and plain types, never another adapter.
const ADAPTER: &[&str] = &[
    "domain",
    "gateway",
    "catalogue",
    "format",
    "limits",
    "config",
    "clock",
    "retry",
    "telemetry",
    "failpoint",
    "flaw",
];

/// One import of another room.
struct Import {
    from: String,
    to: String,
    /// The whole path after `crate::`.
    path: String,
    line: usize,
}

/// Imports that the table does not allow.
pub fn layers(source: &Source) -> Vec<Fault> {
    let from = room(&source.path);
    let Some((_, allowed)) = TABLE.iter().find(|(name, _)| *name == from) else {
        let rule = Rule("layers", "say in the table of tests/tidy/layers.rs whom it may import");
        return vec![source.fault(1, rule, format!("`{from}` is no room of the house"))];
    };
    imports(source).iter().filter_map(|import| refuse(source, import, allowed)).collect()
}

fn refuse(source: &Source, import: &Import, allowed: &[&str]) -> Option<Fault> {
    let Import { from, to, path, line } = import;
    let open = allowed == EVERYTHING || allowed.contains(&&**to);
    let remedy = match (open, &**from) {
        (true, "gateway") if to == "clock" && path != "clock::Clock" => "take the trait `Clock`, not a clock",
        (true, _) => return None,
        (false, "domain") => "give the domain what it needs as an argument",
        (false, "store" | "channel" | "web") => "speak through a port or a view of `gateway`; `app` joins adapters",
        (false, _) => "turn the dependency round: a trait or plain data in the lower room",
    };
    Some(source.fault(*line, Rule("layers", remedy), format!("`{from}` imports `crate::{path}`")))
}

/// Circles between rooms, each told once with the imports that close it.
pub fn circles(sources: &[Source]) -> Vec<Fault> {
    let imports: Vec<(&Source, Import)> =
        sources.iter().flat_map(|source| imports(source).into_iter().map(move |import| (source, import))).collect();
    let mut graph: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (_, import) in &imports {
        graph.entry(&import.from).or_default().insert(&import.to);
    }
    let mut faults: Vec<Fault> = Vec::new();
    for (source, import) in &imports {
        if import.from < import.to && reaches(&graph, &import.to, &import.from) {
            let what = format!("`{}` and `{}` import each other, directly or through others", import.from, import.to);
            if !faults.iter().any(|fault| fault.what == what) {
                let rule = Rule("circles", "move what both need into a lower room");
                faults.push(source.fault(import.line, rule, what));
            }
        }
    }
    faults
}

fn reaches(graph: &BTreeMap<&str, BTreeSet<&str>>, from: &str, to: &str) -> bool {
    let (mut open, mut seen) = (vec![from], BTreeSet::new());
    while let Some(room) = open.pop() {
        if room == to {
            return true;
        }
        if seen.insert(room) {
            open.extend(graph.get(room).into_iter().flatten());
        }
    }
    false
}

/// The top-level module that a file is part of.
fn room(path: &str) -> String {
    let inner = path.trim_start_matches("src/");
    inner.split('/').next().unwrap_or(inner).trim_end_matches(".rs").to_owned()
}

/// How many modules deep a file is: as many `super` lead to the crate.
fn depth(path: &str) -> usize {
    let inner = path.trim_start_matches("src/");
    if matches!(inner, "lib.rs" | "main.rs") {
        return 0;
    }
    inner.split('/').count() - usize::from(inner.ends_with("/mod.rs"))
}

fn imports(source: &Source) -> Vec<Import> {
    let from = room(&source.path);
    let mut found = Vec::new();
    for start in roots(source) {
        let line = source.line_of(start);
        let mut paths = Vec::new();
        if !source.is_test(line) {
            tree(&source.code[start..], "", &mut paths);
        }
        for path in paths {
            let to = path.split("::").next().unwrap_or_default().to_owned();
            if to != from && TABLE.iter().any(|(name, _)| *name == to) {
                found.push(Import { from: from.clone(), to, path, line });
            }
        }
    }
    found
}

/// Where a path that begins at the crate goes on after `crate::`, or after as many `super::` as lead there.
fn roots(source: &Source) -> Vec<usize> {
    let supers = "super::".repeat(depth(&source.path));
    let at_crate = source.places("crate::").map(|at| at + "crate::".len());
    let climbs = |at: &usize| {
        let (before, after) = source.code.split_at(*at);
        !supers.is_empty()
            && !before.ends_with("super::")
            && after.strip_prefix(&supers).is_some_and(|rest| !rest.starts_with("super::"))
    };
    let above = source.places("super::").filter(climbs).map(|at| at + supers.len());
    let mut roots: Vec<usize> = at_crate.chain(above).collect();
    roots.sort_unstable();
    roots
}

/// The paths of a use tree, or the one path of an expression; gives what follows.
fn tree<'a>(text: &'a str, before: &str, paths: &mut Vec<String>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start().trim_start_matches(',').trim_start();
            match rest.chars().next() {
                None => return rest,
                Some('}') => return &rest[1..],
                Some(letter) if letter == '{' || letter == '*' || letter == '_' || letter.is_alphabetic() => {
                    rest = tree(rest, before, paths);
                    // `as name` renames; the path is told already.
                    rest = &rest[rest.find([',', '}']).unwrap_or(rest.len())..];
                }
                Some(letter) => rest = &rest[letter.len_utf8()..],
            }
        }
    }
    let end =
        text.find(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '*')).unwrap_or(text.len());
    let path = if before.is_empty() { text[..end].to_owned() } else { format!("{before}::{}", &text[..end]) };
    match text[end..].strip_prefix("::") {
        Some(rest)
            if rest.starts_with(|letter: char| {
                letter == '{' || letter == '*' || letter == '_' || letter.is_alphabetic()
            }) =>
        {
            tree(rest, &path, paths)
        }
        _ => {
            paths.push(path);
            &text[end..]
        }
    }
}

#[cfg(test)]
fn faults(path: &str, text: &str) -> Vec<String> {
    layers(&Source::new(path, text)).into_iter().map(|fault| fault.what).collect()
}

#[test]
fn the_domain_may_import_nobody() {
    assert_eq!(faults("src/domain/a.rs", "use crate::store::Row;"), ["`domain` imports `crate::store::Row`"]);
    assert_eq!(
        faults("src/domain/a.rs", "fn f() { super::super::web::page() }"),
        ["`domain` imports `crate::web::page`"]
    );
    assert!(faults("src/domain/a.rs", "use crate::domain::ids::X; use super::b;").is_empty());
}

#[test]
fn the_catalogue_may_not_know_the_formats_but_they_may_know_it() {
    assert_eq!(faults("src/catalogue/a.rs", "use crate::format::xml;").len(), 1);
    assert!(
        faults("src/format/a.rs", "use crate::{catalogue::Plan, domain::{ids::X, message as m}, limits};").is_empty()
    );
}

#[test]
fn adapters_never_import_each_other() {
    let text = "use crate::{\n    gateway::Port,\n    store::{self, Row},\n};\nfn f() { crate::channel::amqp::open() }";
    let found = faults("src/web/a.rs", text);
    let expected = [
        "`web` imports `crate::store::self`",
        "`web` imports `crate::store::Row`",
        "`web` imports `crate::channel::amqp::open`",
    ];
    assert_eq!(found, expected);
}

#[test]
fn the_gateway_takes_the_trait_of_the_clock_only() {
    assert_eq!(faults("src/gateway/a.rs", "use crate::clock::{Clock, SystemClock};").len(), 1);
}

#[test]
fn a_room_that_nobody_planned_is_a_fault() {
    assert_eq!(faults("src/shed.rs", ""), ["`shed` is no room of the house"]);
}

#[test]
fn tests_inside_a_file_may_import_what_they_join() {
    assert!(faults("src/domain/a.rs", "#[cfg(test)]\nmod tests {\n    use crate::clock::Fixed;\n}").is_empty());
}

#[test]
fn a_circle_is_found_through_a_third_room() {
    let sources = [
        Source::new("src/app.rs", "use crate::cli::run;"),
        Source::new("src/cli/mod.rs", "use crate::demo::run;"),
        Source::new("src/demo/mod.rs", "use crate::app::App;"),
    ];
    assert!(!circles(&sources).is_empty());
    assert!(circles(&sources[..2]).is_empty());
}
