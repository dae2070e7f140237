//! `mezhved convert` and `mezhved schemas export`, as programs.
//!
//! Promises: exit codes and both kinds of output. Never: anything but what a user of the shell sees.

use crate::Scratch;
use mezhved::catalogue::Catalogue;
use serde_json::Value;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

fn mezhved(arguments: &[&str], input: &[u8]) -> Output {
    let program = env!("CARGO_BIN_EXE_mezhved");
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that does not read its input closes the pipe; that is no fault of the test.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn example() -> (&'static str, &'static str) {
    let entry = Catalogue::builtin().entries().find(|entry| entry.code.as_str() == "signal.referral").unwrap();
    (entry.example_json.as_deref().unwrap(), entry.example_xml.as_deref().unwrap())
}

#[test]
fn a_document_is_printed_in_the_other_format_from_standard_input_and_from_a_file() {
    let (json, xml) = example();
    let from_xml = mezhved(&["convert"], xml.as_bytes());
    assert!(from_xml.status.success(), "{}", text(&from_xml.stderr));
    assert_eq!(
        serde_json::from_slice::<Value>(&from_xml.stdout).unwrap(),
        serde_json::from_str::<Value>(json).unwrap()
    );
    let from_json = mezhved(&["convert", "-"], json.as_bytes());
    assert!(text(&from_json.stdout).starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<message xmlns="));
    assert_eq!(mezhved(&["convert"], &from_json.stdout).stdout, from_xml.stdout);
    let scratch = Scratch::new("convert");
    let file = scratch.write("a.json", json);
    assert_eq!(mezhved(&["convert", file.to_str().unwrap()], b"").stdout, from_json.stdout);
    assert_eq!(mezhved(&["convert", "--to", "json", file.to_str().unwrap()], b"").stdout, from_xml.stdout);
}

#[test]
fn a_refusal_goes_to_standard_error_with_place_and_remedy_and_the_exit_code_tells() {
    let refused = mezhved(&["convert"], b"<message>\n  <x></message>");
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stdout.is_empty());
    assert!(text(&refused.stderr).starts_with("-:2:6: refused: not_well_formed\n"), "{}", text(&refused.stderr));
    let missing = mezhved(&["convert", "/nowhere/at-all.xml"], b"");
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("at-all.xml: cannot be read"));
}

#[test]
fn json_lines_have_one_line_for_each_file() {
    let (json, xml) = example();
    let scratch = Scratch::new("lines");
    let files = [
        ("good.xml", xml),
        ("good.json", json),
        ("cut.xml", &xml[..200]),
        ("dtd.xml", "<!DOCTYPE a><a/>"),
        ("other.xml", "<a/>"),
        ("bare.json", "{\"id\":1}"),
    ];
    let paths: Vec<String> =
        files.iter().map(|(name, text)| scratch.write(name, text).to_str().unwrap().to_owned()).collect();
    let mut arguments = vec!["convert", "--json-lines"];
    arguments.extend(paths.iter().map(String::as_str));
    arguments.push("/nowhere/at-all.xml");
    let output = mezhved(&arguments, b"");
    assert_eq!(output.status.code(), Some(2));
    let lines: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let codes: Vec<_> = lines.iter().map(|line| line["code"].as_str().unwrap_or("ok")).collect();
    assert_eq!(
        codes,
        ["ok", "ok", "not_well_formed", "dtd_forbidden", "not_a_message", "schema_violation", "unreadable"]
    );
    assert!(
        lines.iter().zip(&paths).all(|(line, path)| line["file"] == **path && line["ok"] == (line["code"].is_null()))
    );
    assert_eq!(lines[0]["message"], serde_json::from_str::<Value>(json).unwrap());
    assert!(lines[1]["message"].as_str().unwrap().starts_with("<?xml"));
    assert!(lines[2]["line"].is_u64() && lines[2]["column"].is_u64());
    assert!(
        lines[5]["faults"]
            .as_array()
            .unwrap()
            .iter()
            .any(|fault| fault["path"] == "/type" && fault["code"] == "missing_field")
    );
}

#[test]
fn schemas_export_writes_files_for_other_programs() {
    let scratch = Scratch::new("export");
    let folder = scratch.0.join("deep/er");
    let output = mezhved(&["schemas", "export", folder.to_str().unwrap()], b"");
    assert!(output.status.success(), "{}", text(&output.stderr));
    for (name, content) in Catalogue::builtin().export().unwrap() {
        assert_eq!(std::fs::read_to_string(folder.join(name)).unwrap(), content);
    }
    let refused = mezhved(&["schemas", "export", "/proc/nowhere"], b"");
    assert!(!refused.status.success() && text(&refused.stderr).contains("/proc/nowhere"));
}
