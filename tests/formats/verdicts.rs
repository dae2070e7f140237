//! One verdict for one message: ours, Python's `jsonschema` on the exported JSON Schema, libxml2 and Python's
//! `xmlschema` on the exported XSD, over thousands of messages, right ones and wrong ones.
//!
//! Promises: each disagreement that is allowed is named here, with its reason. Never: compares with our own code.

use crate::mutate::{self, Dice, Told};
use crate::print::{self, Json, Xml};
use crate::tree::Tree;
use crate::{Scratch, generate, python};
use mezhved::catalogue::Catalogue;
use mezhved::domain::message::Format;
use mezhved::format::{self, Gate};
use std::process::Command;

/// One message in one format with our verdict.
struct Case {
    format: Format,
    document: String,
    verdict: Result<(), format::Malformed>,
}

fn judge(document: String, format: Format) -> Case {
    let verdict = format::read(document.as_bytes(), format, Catalogue::builtin()).map(drop);
    if let Err(malformed) = &verdict {
        assert_eq!(malformed.gate(), Gate::Schema, "{malformed}\n{document}");
        assert!(malformed.faults.iter().all(|fault| fault.path.starts_with('/')), "{malformed}\n{document}");
    }
    Case { format, document, verdict }
}

/// Right messages and mutated ones of every type, each in the formats that can tell it.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut dice = Dice(7);
    for entry in Catalogue::builtin().entries() {
        for mut tree in generate::samples(entry, 20) {
            let told = if dice.below(8) == 0 { Told::Both } else { mutate::mutate(&mut tree, &mut dice) };
            let json = (told != Told::XmlOnly).then(|| judge(print::json(&tree, Json::Plain), Format::Json));
            let xml = (told != Told::JsonOnly).then(|| judge(print::xml(&tree, Xml::Plain), Format::Xml));
            if let (Some(json), Some(xml)) = (&json, &xml) {
                assert_alike(&tree, json, xml);
            }
            cases.extend(json.into_iter().chain(xml));
        }
    }
    cases
}

/// Both formats must judge a message alike, and, but for what only one of them knows, name the same faults.
fn assert_alike(tree: &Tree, json: &Case, xml: &Case) {
    // XML has no types of values: `true` is a good text, the text `1` a good number, an empty list an empty text, and
    // what stands in the wrong place is reported as such.
    if json.verdict.is_ok() != xml.verdict.is_ok() {
        let only_json_knows = json
            .verdict
            .as_ref()
            .is_err_and(|malformed| malformed.faults.iter().all(|fault| fault.code == "wrong_type"));
        assert!(only_json_knows, "{tree:?}\nJSON: {:?}\nXML: {:?}", json.verdict, xml.verdict);
    }
}

/// What an XSD cannot say: that the body's namespace goes with the type and version that the envelope states.
fn xsd_cannot_say(case: &Case) -> bool {
    case.format == Format::Xml
        && case.verdict.as_ref().is_err_and(|malformed| {
            malformed
                .faults
                .iter()
                .any(|fault| matches!(fault.code, "body_of_another_type" | "unknown_type" | "unknown_version"))
        })
}

#[test]
fn what_one_schema_refuses_the_others_refuse() {
    let scratch = Scratch::new("verdicts");
    for (name, text) in Catalogue::builtin().export().unwrap() {
        scratch.write(&name, text);
    }
    let cases = cases();
    let (good, bad) = (
        cases.iter().filter(|case| case.verdict.is_ok()).count(),
        cases.iter().filter(|case| case.verdict.is_err()).count(),
    );
    assert!(good > 300 && bad > 1000, "the mutations lean to one side: {good} good, {bad} bad");
    let mut lines = String::new();
    for case in cases.iter().filter(|case| !xsd_cannot_say(case)) {
        let format = if case.format == Format::Json { "json" } else { "xml" };
        lines.push_str(&serde_json::json!([format, case.document, case.verdict.is_ok()]).to_string());
        lines.push('\n');
    }
    let file = scratch.write("cases.jsonl", &lines);
    let said = python::run("verdicts.py", &[scratch.0.as_os_str(), file.as_os_str()]);
    assert!(said.contains(&format!("{} verdicts are the same", lines.lines().count())), "{said}");
}

#[test]
fn xmllint_takes_every_example_with_the_exported_schema_and_with_the_checked_in_one() {
    let scratch = Scratch::new("xmllint");
    for (name, text) in Catalogue::builtin().export().unwrap() {
        scratch.write(&name, text);
    }
    let mut examples = Vec::new();
    for entry in Catalogue::builtin().entries() {
        examples.push(scratch.write(&format!("{}.xml", entry.code), entry.example_xml.as_deref().unwrap()));
    }
    for schema in
        [scratch.0.join("message.xsd"), concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/envelope/1/message.xsd").into()]
    {
        let output = Command::new("xmllint")
            .args(["--noout", "--nonet", "--schema"])
            .arg(schema)
            .args(&examples)
            .output()
            .expect("xmllint is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn all_faults_of_a_message_are_reported_with_their_paths_the_same_in_both_formats() {
    let json = r#"{"id":"5E4D","type":"request.information","version":1,"from":"centre","to":["a","a"],"created_at":"2026-03-02T10:15:00",
        "colour":"magenta","body":{"persons":[{"name":"","birth_date":"2026-02-30"},{"relation":"uncle"}],"questions":["x","","y"]}}"#;
    let xml = r#"<message xmlns="urn:mezhved:message:1"><id>5E4D</id><type>request.information</type><version>1</version><from>centre</from>
        <to><item>a</item><item>a</item></to><created_at>2026-03-02T10:15:00</created_at><colour>magenta</colour>
        <body xmlns="urn:mezhved:request.information:1"><persons><item><name/><birth_date>2026-02-30</birth_date></item>
        <item><relation>uncle</relation></item></persons><questions><item>x</item><item/><item>y</item></questions></body></message>"#;
    for (document, format) in [(json, Format::Json), (xml, Format::Xml)] {
        let malformed = format::read(document.as_bytes(), format, Catalogue::builtin()).unwrap_err();
        assert_eq!(malformed.code, "schema_violation");
        let mut found: Vec<_> = malformed.faults.iter().map(|fault| (fault.path.as_str(), fault.code)).collect();
        found.sort_unstable();
        let expected = [
            ("/body/persons/0/birth_date", "bad_date"),
            ("/body/persons/0/name", "too_short"),
            ("/body/persons/1/name", "missing_field"),
            ("/body/persons/1/relation", "not_in_list"),
            ("/body/questions/1", "too_short"),
            ("/colour", "unknown_field"),
            ("/created_at", "bad_date_time"),
            ("/id", "bad_uuid"),
            ("/to", "duplicate_item"),
        ];
        assert_eq!(found, expected, "{format:?}");
        assert!(
            !malformed.to_string().contains("uncle") && !malformed.to_string().contains("magenta"),
            "a value is repeated"
        );
    }
}
