//! The rows of the table of types, made from every `entry.toml`.
//!
//! Promises: a row says what its entry says, in the order of the columns of docs/INTEGRATION.md. Never: counts a term.

use crate::pages::files;
use std::collections::BTreeSet;
use toml::{Table, Value};

/// One row for each type.
pub fn rows() -> BTreeSet<String> {
    files("schemas", "entry.toml").iter().map(|(path, text)| row(&text.parse().expect(path))).collect()
}

fn row(entry: &Table) -> String {
    let text = |key: &str| entry[key].as_str().unwrap().to_owned();
    let parties: Vec<String> = entry["parties"].as_array().unwrap().iter().map(parties).collect();
    let cells = [
        format!("`{}`", text("code")),
        text("title_ru"),
        parties.join("; "),
        answer(entry),
        term(entry),
        text("source"),
    ];
    format!("| {} |", cells.join(" | "))
}

fn parties(of: &Value) -> String {
    let side = |key: &str| {
        let names: Vec<&str> = of[key].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        names.join(", ")
    };
    format!("{} → {}", side("from"), side("to"))
}

/// The answer that is mandatory, with who releases it where that is not the gateway.
fn answer(entry: &Table) -> String {
    let Some(answer) = entry.get("answer").filter(|answer| answer["mandatory"].as_bool() == Some(true)) else {
        return "–".to_owned();
    };
    let types: Vec<String> =
        answer["types"].as_array().unwrap().iter().map(|code| format!("`{}`", code.as_str().unwrap())).collect();
    let each = if answer.get("each").is_some() { ", one per order" } else { "" };
    let release = if answer.get("release").and_then(Value::as_str) != Some("automatic") {
        ", released by the controller"
    } else {
        ""
    };
    format!("{}{each}{release}", types.join(", "))
}

fn term(entry: &Table) -> String {
    let sent = entry.get("sent_within").map(|term| format!("to be sent: {}", length(term)));
    let Some(term) = entry.get("term") else {
        let each = entry.get("answer").and_then(|answer| answer.get("each"));
        let stated = each.map(|_| "the date of the order".to_owned());
        return stated.or(sent).unwrap_or_else(|| "–".to_owned());
    };
    let stated = if term.get("stated_in").is_some() { "stated, else " } else { "" };
    let mut words = vec![format!("{stated}{}", length(term))];
    for level in ["urgent", "emergency"] {
        words.extend(term.get(level).map(|term| format!("{level} {}", length(term))));
    }
    words.join("; ")
}

fn length(term: &Value) -> String {
    let unit = match term["unit"].as_str().unwrap() {
        "at_once" => return "at once".to_owned(),
        "working_day" => "wd",
        "calendar_day" => "cd",
        other => other,
    };
    format!("{} {unit}", term["n"])
}
