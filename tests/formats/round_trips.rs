//! Nothing is lost between the formats: whatever a schema allows comes back as it went.

use crate::print::{self, Json, SPELLINGS};
use crate::tree::Tree;
use crate::{Scratch, generate, python};
use mezhved::catalogue::Catalogue;
use mezhved::domain::message::{Format, Message};
use mezhved::format;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

fn read(document: &str, format: Format) -> Message {
    format::read(document.as_bytes(), format, Catalogue::builtin())
        .unwrap_or_else(|malformed| panic!("{malformed}\n{document}"))
}

fn write(message: &Message, format: Format) -> String {
    String::from_utf8(format::write(message, format, Catalogue::builtin()).unwrap()).unwrap()
}

/// For every type of the catalogue, `check` on random messages that its schema allows.
fn for_all_messages(cases: u32, check: impl Fn(&Tree) -> Result<(), TestCaseError>) {
    for entry in Catalogue::builtin().entries() {
        let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
        let mut runner = TestRunner::new_with_rng(
            config,
            proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
        );
        runner
            .run(&generate::message(entry), |tree| check(&tree))
            .unwrap_or_else(|error| panic!("{}: {error}", entry.code));
    }
}

#[test]
fn json_to_xml_to_json_gives_the_same_message_for_every_value_a_schema_allows() {
    for_all_messages(16, |tree| {
        let json = print::json(tree, Json::Plain);
        let message = read(&json, Format::Json);
        let xml = write(&message, Format::Xml);
        let back = read(&xml, Format::Xml);
        prop_assert!(back == message);
        let returned: serde_json::Value = serde_json::from_str(&write(&back, Format::Json)).unwrap();
        prop_assert_eq!(returned, serde_json::from_str::<serde_json::Value>(&json).unwrap());
        Ok(())
    });
}

#[test]
fn every_spelling_of_a_document_is_the_same_message_with_the_same_digest() {
    for_all_messages(6, |tree| {
        let message = read(&print::json(tree, Json::Plain), Format::Json);
        let digest = format::digest(&message, Catalogue::builtin()).unwrap();
        let odd = read(&print::json(tree, Json::Odd), Format::Json);
        prop_assert!(odd == message);
        for spelling in SPELLINGS {
            let other = read(&print::xml(tree, spelling), Format::Xml);
            prop_assert!(other == message, "{spelling:?}");
            prop_assert_eq!(format::digest(&other, Catalogue::builtin()).unwrap(), digest);
        }
        Ok(())
    });
}

#[test]
fn xml_to_json_to_xml_is_canonically_equal_by_another_programs_c14n() {
    let mut pairs = String::new();
    for entry in Catalogue::builtin().entries() {
        for tree in generate::samples(entry, 6) {
            for spelling in SPELLINGS {
                let xml = print::xml(&tree, spelling);
                let json = write(&read(&xml, Format::Xml), Format::Json);
                let back = write(&read(&json, Format::Json), Format::Xml);
                pairs.push_str(&serde_json::to_string(&[xml, back]).unwrap());
                pairs.push('\n');
            }
        }
    }
    let scratch = Scratch::new("c14n");
    let file = scratch.write("pairs.jsonl", pairs);
    let said = python::run("canonical.py", &[file.as_os_str()]);
    assert!(said.contains(&format!("{} pairs are equal", Catalogue::builtin().entries().count() * 6 * 4)), "{said}");
}

#[test]
fn a_message_of_our_own_making_is_written_in_the_schemas_order_and_checked() {
    use mezhved::domain::message::{Body, Node};
    let text = |text: &str| Node::Text(text.into());
    let mut message = read(
        Catalogue::builtin()
            .entries()
            .find(|entry| entry.code.as_str() == "control.release")
            .unwrap()
            .example_json
            .as_deref()
            .unwrap(),
        Format::Json,
    );
    message.body =
        Body::new(Node::Record(vec![("by".into(), text("Пробная А. А.")), ("ground".into(), text("other"))]));
    assert!(write(&message, Format::Json).ends_with(r#""body":{"ground":"other","by":"Пробная А. А."}}"#));
    format::check(&message, Catalogue::builtin()).unwrap();
    message.body = Body::new(Node::Record(vec![("ground".into(), text("no such ground")), ("by".into(), text(""))]));
    let malformed = format::check(&message, Catalogue::builtin()).unwrap_err();
    let found: Vec<_> = malformed.faults.iter().map(|fault| (fault.path.as_str(), fault.code)).collect();
    assert_eq!(found, [("/body/ground", "not_in_list"), ("/body/by", "too_short")]);
    for wrong in
        [vec![], vec![("by".into(), text("\u{0}")), ("ground".into(), text("other"))], vec![("what".into(), text("x"))]]
    {
        message.body = Body::new(Node::Record(wrong));
        assert!(format::write(&message, Format::Xml, Catalogue::builtin()).is_err());
    }
}
