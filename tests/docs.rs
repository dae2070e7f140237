//! The documents against the program: codes, figures, keys, types, addresses, events, commands, paths and tests.
//!
//! Promises: what is documented exists, and what exists is documented; a failure names what is missing on which side.
//! Never: judges the words.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

#[path = "docs/codes.rs"]
mod codes;
#[path = "docs/pages.rs"]
mod pages;

use clap::CommandFactory;
use mezhved::catalogue::Catalogue;
use pages::{DOCUMENTS, all, files, named, pattern, read, rows, same, section, shell, sources, top};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn every_stable_code_is_documented_and_no_other() {
    let defined: BTreeSet<String> = codes::defined().into_keys().collect();
    same("docs/ERRORS.md", &named(&read("docs/ERRORS.md"), "[a-z0-9_]+"), &defined);
}

#[test]
fn the_status_of_a_code_is_the_one_that_the_doors_give() {
    let document = read("docs/ERRORS.md");
    let documented = rows(&document, "[a-z0-9_]+");
    for (code, statuses) in codes::defined() {
        // A table of RabbitMQ's has no column of statuses: the words have it, where there is one.
        let own = documented.iter().filter(|row| row[0].trim_matches('`') == code);
        let text: String = own.map(|row| row[1..].join(" ")).collect();
        let only_over_amqp = text.is_empty() || !pattern(r"\b[45]\d\d\b").is_match(&text);
        let missing: Vec<u16> = statuses.into_iter().filter(|status| !text.contains(&status.to_string())).collect();
        assert!(missing.is_empty() || only_over_amqp, "docs/ERRORS.md: `{code}` is also answered with {missing:?}");
    }
}

#[test]
fn every_figure_is_documented_and_no_other() {
    let figures = sources().into_iter().filter(|(_, text)| text.contains("metrics::"));
    let figures: String = figures.map(|(_, text)| text).collect();
    let recorded = all(&figures, r#"metrics::(?:counter|gauge|histogram)!\(\s*"(mezhved_[a-z_]+)""#);
    let described = all(&read("src/telemetry.rs"), r#"\s(?:counter|gauge|histogram)!\(\s*"(mezhved_[a-z_]+)""#);
    same("src/telemetry.rs, what figures mean", &described, &recorded);
    same("docs/OPERATIONS.md", &named(&read("docs/OPERATIONS.md"), "mezhved_[a-z_]+"), &recorded);
}

#[test]
fn every_key_is_documented_with_its_default() {
    let defaults: toml::Table = read("config/mezhved.toml").parse().unwrap();
    let mut keys = Vec::new();
    for (section, values) in &defaults {
        for (key, value) in values.as_table().expect("a section") {
            keys.push((format!("{section}.{key}"), shown(value)));
        }
    }
    let documented = rows(section(&read("docs/OPERATIONS.md"), "Configuration"), r"[a-z]+\.[a-z_]+");
    let existing: BTreeSet<String> = keys.iter().map(|(key, _)| key.clone()).collect();
    same("docs/OPERATIONS.md", &documented.iter().map(|row| row[0].trim_matches('`').to_owned()).collect(), &existing);
    for (key, default) in keys {
        let row = documented.iter().find(|row| row[0].trim_matches('`') == key).unwrap();
        assert_eq!(row[1], default, "docs/OPERATIONS.md: the default of `{key}`");
    }
}

fn shown(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) if text.is_empty() => "–".to_owned(),
        toml::Value::Array(items) if items.is_empty() => "–".to_owned(),
        toml::Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    }
}

#[test]
fn the_pages_of_the_catalogue_are_those_that_the_program_makes() {
    let pages: BTreeMap<String, String> = Catalogue::builtin().pages().into_iter().collect();
    let written: BTreeMap<String, String> = files("docs/catalogue", ".md").into_iter().collect();
    let names = pages.keys().map(|name| format!("docs/catalogue/{name}")).collect();
    same("docs/catalogue", &written.keys().cloned().collect(), &names);
    for (name, page) in pages {
        let same = written[&format!("docs/catalogue/{name}")] == page;
        assert!(same, "docs/catalogue/{name} is old; `cargo run -- catalogue --pages docs/catalogue` writes it anew");
    }
    assert!(read("docs/INTEGRATION.md").contains("(catalogue/README.md)"));
}

#[test]
fn every_link_between_the_pages_leads_somewhere() {
    for (path, page) in files("docs/catalogue", ".md") {
        for link in all(&page, r"\]\(([A-Za-z0-9_./-]+)\)") {
            assert!(top().join("docs/catalogue").join(&link).exists(), "{path}: the link to {link} leads nowhere");
        }
    }
}

#[test]
fn the_table_of_the_ladder_is_the_policy() {
    let ladders: toml::Table = read("config/ladders.toml").parse().unwrap();
    let document = read("docs/ARCHITECTURE.md");
    let table = section(&document, "The ladder");
    let rungs = ladders["outward"]["rungs"].as_array().unwrap();
    for rung in rungs {
        let offsets = ["normal", "urgent", "emergency"].map(|urgency| offset(&rung[urgency]));
        let begins = format!("| {} | {} | ", rung["no"], offsets.join(" | "));
        let decides = rung.get("needs_decision").is_some_and(|needs| needs.as_bool() == Some(true));
        let ends = if decides { "| a person |" } else { "| – |" };
        let found = table.lines().any(|line| line.starts_with(&begins) && line.ends_with(ends));
        assert!(found, "docs/ARCHITECTURE.md has no row `{begins}… {ends}`");
    }
    assert_eq!(pattern(r"(?m)^\| \d").find_iter(table).count(), rungs.len());
}

fn offset(of: &toml::Value) -> String {
    let (unit, count) = of.as_table().unwrap().iter().next().unwrap();
    let count = count.as_integer().unwrap();
    let sign = if count < 0 { "−" } else { "+" };
    match (unit.as_str(), count) {
        ("working_days", 0) => "0".to_owned(),
        ("working_days", _) => format!("{sign}{} wd", count.abs()),
        ("hours", _) => format!("{sign}{} h", count.abs()),
        ("percent_of_term", 50) => "half of the term".to_owned(),
        _ => panic!("say here how `{unit}` {count} is written"),
    }
}

#[test]
fn the_examples_of_the_document_are_those_of_the_catalogue() {
    let document = read("docs/INTEGRATION.md");
    for example in ["schemas/reply.information/1/example.json", "schemas/reply.information/1/example.xml"] {
        assert!(document.contains(read(example).trim_end()), "docs/INTEGRATION.md does not show {example} as it is");
    }
    let envelope: serde_json::Value = serde_json::from_str(&read("schemas/envelope/1/envelope.schema.json")).unwrap();
    let mut fields: BTreeSet<String> = envelope["properties"].as_object().unwrap().keys().cloned().collect();
    fields.insert("body".to_owned());
    same("docs/INTEGRATION.md, the envelope", &named(section(&document, "The envelope"), "[a-z_]+"), &fields);
}

#[test]
fn every_address_of_the_api_is_documented_and_no_other() {
    let routes = read("src/web/api/mod.rs");
    let route = pattern(r#"\.route\("([^"]+)", (get|post|put)\("#);
    let existing: BTreeSet<String> =
        route.captures_iter(&routes).map(|hit| format!("{} {}", hit[2].to_uppercase(), &hit[1])).collect();
    let outside = all(&read("src/web/routes.rs"), r#"\.route\("(/(?:health/[a-z]+|metrics|schemas/\{file\}))""#);
    let document = read("docs/INTEGRATION.md");
    let documented = all(&document, r"(?m)^\| `((?:GET|POST|PUT) [^`?]+)");
    same("docs/INTEGRATION.md", &documented, &existing);
    let both = document + &read("docs/OPERATIONS.md");
    assert!(outside.len() == 4 && outside.iter().all(|path| both.contains(path.as_str())), "{outside:?}");
}

#[test]
fn every_kind_of_event_is_documented_and_no_other() {
    let (declared, words) = ("src/domain/decision.rs", "src/gateway/view/words.rs");
    let elsewhere = sources().into_iter().filter(|(path, _)| path != declared && path != words);
    let word = |text: &str| text.split(|one: char| !one.is_alphanumeric()).next().unwrap_or_default().to_owned();
    let happens = elsewhere.flat_map(|(_, text)| text.split("EventKind::").skip(1).map(word).collect::<Vec<_>>());
    let happens: BTreeSet<String> = happens.collect();
    // A kind that is declared and never happens is not part of the surface.
    let kind = pattern(r#"#\[serde\(rename = "([a-z]+\.[a-z_]+)"\)\]\s+(\w+),"#);
    let declared = read(declared);
    let kinds: BTreeSet<String> =
        kind.captures_iter(&declared).filter(|hit| happens.contains(&hit[2])).map(|hit| hit[1].to_owned()).collect();
    let document = read("docs/INTEGRATION.md");
    same("docs/INTEGRATION.md, the events", &named(section(&document, "Events"), r"[a-z]+\.[a-z_]+"), &kinds);
}

#[test]
fn every_command_that_is_shown_exists() {
    let call = pattern(r"(?:^|\$\(|\| |&& |[A-Z_]+=\S+ )(?:\S*/)?mezhved ([^|)>;&#]*)");
    let mut seen = 0;
    for document in DOCUMENTS {
        for line in shell(&read(document)) {
            let line = line.replace("cargo run --release -- ", "mezhved ");
            for hit in call.captures_iter(&line) {
                check_call(document, &hit[1]);
                seen += 1;
            }
        }
    }
    assert!(seen > 10, "only {seen} calls were found");
}

fn check_call(document: &str, words: &str) {
    let root = mezhved::cli::Cli::command();
    let mut command = &root;
    let mut words_left = words.split_whitespace();
    while let Some(word) = words_left.next() {
        if let Some(flag) = word.strip_prefix("--") {
            let mut arguments = [command, &root].into_iter().flat_map(clap::Command::get_arguments);
            let argument = arguments.find(|argument| argument.get_long() == Some(flag));
            let argument = argument.unwrap_or_else(|| panic!("{document}: `mezhved {words}`: no flag --{flag}"));
            if argument.get_action().takes_values() {
                words_left.next();
            }
        } else if command.has_subcommands() {
            command =
                command.find_subcommand(word).unwrap_or_else(|| panic!("{document}: `mezhved {words}`: `{word}`?"));
        }
    }
}

#[test]
fn every_measurement_can_be_taken_and_every_filter_finds_a_test() {
    let tests: String = files("tests", ".rs").into_iter().map(|(_, text)| text).collect();
    let benches = read("Cargo.toml");
    for document in DOCUMENTS {
        let text = read(document);
        for bench in all(&text, r"cargo bench --bench (\w+)") {
            assert!(benches.contains(&format!("\nname = \"{bench}\"\nharness")), "{document}: no benchmark `{bench}`");
        }
        for filter in all(&text, r"`tests/run (\w+)`") {
            assert!(tests.contains(&format!("fn {filter}")), "{document}: no test begins with `{filter}`");
        }
    }
}

#[test]
fn every_command_is_documented() {
    let operations = read("docs/OPERATIONS.md");
    for command in mezhved::cli::Cli::command().get_subcommands() {
        assert!(operations.contains(&format!("`mezhved {}", command.get_name())), "docs/OPERATIONS.md: {command}");
    }
}

#[test]
fn every_path_that_is_named_exists() {
    for document in DOCUMENTS {
        let text = read(document);
        let named = all(&text, r"`((?:src|tests|config|schemas|docs|benches|\.ci)/[A-Za-z0-9_./-]+)`");
        let linked = all(&text, r"\]\(([A-Za-z0-9_./-]+)(?:#[a-z0-9_-]+)?\)");
        let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
        for path in named {
            assert!(top().join(&path).exists(), "{document}: there is no `{path}`");
        }
        for path in linked {
            assert!(top().join(folder).join(&path).exists(), "{document}: the link to {path} leads nowhere");
        }
    }
}

#[test]
fn every_test_that_holds_an_invariant_exists() {
    let tests: String = files("tests", ".rs").into_iter().chain(files("src", ".rs")).map(|(_, text)| text).collect();
    let named = all(&read("docs/ARCHITECTURE.md"), r"`([a-z0-9]+(?:_[a-z0-9]+){4,})`");
    assert!(named.len() > 20, "the invariants of docs/ARCHITECTURE.md name their tests: {}", named.len());
    let gone: Vec<_> = named.iter().filter(|name| !tests.contains(&format!("fn {name}("))).collect();
    assert!(gone.is_empty(), "docs/ARCHITECTURE.md names tests that are not there: {gone:?}");
}

#[test]
fn the_readme_is_read_in_two_minutes() {
    let lines = read("README.md").lines().count();
    assert!(lines <= 200, "README.md has {lines} lines, at most 200");
}
