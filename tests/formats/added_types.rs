//! Adding a type is adding a folder: it is read, written, validated and exported like those that are compiled in.
//!
//! Promises: a region may change a term by a folder with an entry alone. Never: a schema changed under an old version.

use crate::Scratch;
use mezhved::catalogue::{Catalogue, Role};
use mezhved::domain::ids::TypeCode;
use mezhved::domain::message::Format;
use mezhved::format;
use std::process::Command;

const ENTRY: &str = r#"
code = "request.library-card"
version = 3
title_ru = "Запрос читательского билета"
title_en = "Request for a library card"
role = "request"
source = "a test"
version_from = 2026-01-01
[[parties]]
from = ["social_centre"]
to = ["culture_sport"]
[answer]
mandatory = true
types = ["reply.information"]
[term]
unit = "calendar_day"
n = 10
roll = "next_working"
"#;

const SCHEMA: &str = r##"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object", "additionalProperties": false, "required": ["reader"],
  "properties": {
    "reader": { "$ref": "#/$defs/reader" },
    "books": { "type": "array", "minItems": 1, "maxItems": 5, "uniqueItems": true, "items": { "$ref": "../../common.schema.json#/$defs/line", "maxLength": 10 } },
    "shelf": { "type": "array", "maxItems": 2, "items": { "type": "array", "maxItems": 2, "items": { "type": "integer", "minimum": -5, "maximum": 5 } } }
  },
  "$defs": {
    "reader": { "type": "object", "additionalProperties": false, "properties": {
      "child": { "$ref": "../../common.schema.json#/$defs/child" },
      "card": { "$ref": "../../common.schema.json#/$defs/line", "pattern": "^[А-Я]{2}-[0-9]{1,6}$", "maxLength": 9 } } }
  }
}"##;

const MESSAGE: &str = r#"{"id":"5e4d0a10-7c3b-4f6e-9a51-000000000777","type":"request.library-card","version":3,"from":"centre","to":["library"],
  "created_at":"2026-03-02T10:15:00Z","body":{"reader":{"card":"ЯЩ-17"},"books":["Азбука"," "],"shelf":[[],[-5,5]]}}"#;

fn added() -> (Scratch, Catalogue) {
    let scratch = Scratch::new(&format!("types-{:?}", std::thread::current().id()).replace(['(', ')'], ""));
    scratch.write("types/request.library-card/3/entry.toml", ENTRY);
    scratch.write("types/request.library-card/3/body.schema.json", SCHEMA);
    let catalogue = Catalogue::load(&scratch.0.join("types")).unwrap_or_else(|error| panic!("{error}"));
    (scratch, catalogue)
}

#[test]
fn a_type_added_as_a_folder_is_read_and_written_in_both_formats() {
    let (_scratch, catalogue) = added();
    let entry = catalogue.entry(&TypeCode::new("request.library-card").unwrap(), 3).unwrap();
    assert_eq!((entry.role, entry.demands_answer()), (Role::Request, true));
    let message = format::read(MESSAGE.as_bytes(), Format::Json, &catalogue).unwrap();
    let xml = format::write(&message, Format::Xml, &catalogue).unwrap();
    assert!(format::read(&xml, Format::Xml, &catalogue).unwrap() == message);
    let refused =
        format::read(MESSAGE.replace("ЯЩ", "яЩ").replace("\" \"", "\"Азбука\"").as_bytes(), Format::Json, &catalogue)
            .unwrap_err();
    let faults: Vec<_> = refused.faults.iter().map(|fault| (fault.path.as_str(), fault.code)).collect();
    assert_eq!(faults, [("/body/reader/card", "bad_pattern"), ("/body/books", "duplicate_item")]);
    assert_eq!(format::read(MESSAGE.as_bytes(), Format::Json, Catalogue::builtin()).unwrap_err().code, "unknown_type");
}

#[test]
fn an_added_type_is_exported_and_xmllint_judges_by_it() {
    let (scratch, catalogue) = added();
    for (name, text) in catalogue.export().unwrap() {
        scratch.write(&format!("out/{name}"), text);
    }
    let message = format::read(MESSAGE.as_bytes(), Format::Json, &catalogue).unwrap();
    let xml = String::from_utf8(format::write(&message, Format::Xml, &catalogue).unwrap()).unwrap();
    for (document, good) in [
        (xml.clone(), true),
        (xml.replace("ЯЩ", "яЩ"), false),
        (xml.replace(">-5<", ">-6<"), false),
        (xml.replace("> <", ">Азбука<"), false),
    ] {
        let file = scratch.write("message.xml", &document);
        let schema = scratch.0.join("out/message.xsd");
        let output = Command::new("xmllint")
            .args(["--noout", "--nonet", "--schema"])
            .args([schema, file])
            .output()
            .expect("xmllint is installed");
        assert_eq!(output.status.success(), good, "{document}\n{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(format::read(document.as_bytes(), Format::Xml, &catalogue).is_ok(), good);
    }
}

#[test]
fn a_region_changes_a_term_by_an_entry_alone_but_no_schema_under_an_old_version() {
    let scratch = Scratch::new("region");
    let entry = include_str!("../../schemas/request.school-characteristics/1/entry.toml");
    scratch.write("request.school-characteristics/1/entry.toml", entry.replacen("n = 5", "n = 7", 1));
    let catalogue = Catalogue::load(&scratch.0).unwrap();
    let code = TypeCode::new("request.school-characteristics").unwrap();
    assert_eq!(catalogue.entry(&code, 1).unwrap().term.as_ref().unwrap().n, 7);
    assert_eq!(catalogue.entry(&code, 1).unwrap().body.fields.len(), 4);
    let schema = include_str!("../../schemas/request.school-characteristics/1/body.schema.json");
    scratch.write(
        "request.school-characteristics/1/body.schema.json",
        schema.replace("\"maxItems\": 5", "\"maxItems\": 4"),
    );
    let error = Catalogue::load(&scratch.0).unwrap_err();
    assert!(error.to_string().contains("raise the version"), "{error}");
}
