//! The checked-in documents: examples of every type in both formats, and the XSDs derived from the schemas.
//!
//! Promises: a change of a schema shows as a change of its XSD. `MEZHVED_BLESS=1` writes the XSDs anew.
//! Never: writes otherwise.

use mezhved::catalogue::{Catalogue, xsd};
use mezhved::domain::message::Format;
use mezhved::format;
use std::fs;
use std::path::Path;

#[test]
fn the_two_examples_of_every_type_are_the_same_message() {
    let catalogue = Catalogue::builtin();
    for entry in catalogue.entries() {
        let read = |document: Option<&str>, format| {
            format::read(document.unwrap().as_bytes(), format, catalogue)
                .unwrap_or_else(|error| panic!("{}: {error}", entry.code))
        };
        let (json, xml) =
            (read(entry.example_json.as_deref(), Format::Json), read(entry.example_xml.as_deref(), Format::Xml));
        assert!(json == xml, "{}", entry.code);
        assert_eq!(json.envelope.type_code, entry.code);
    }
}

#[test]
fn the_checked_in_xsds_are_the_derived_ones() {
    let catalogue = Catalogue::builtin();
    for entry in catalogue.entries() {
        compare(&format!("schemas/{}/{}/body.xsd", entry.code, entry.version), &xsd::of_body(entry));
    }
    let message = xsd::of_message(catalogue, |entry| format!("../../{}/{}/body.xsd", entry.code, entry.version));
    compare("schemas/envelope/1/message.xsd", &message);
}

fn compare(path: &str, derived: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("MEZHVED_BLESS").is_some() {
        fs::write(&path, derived).unwrap();
    }
    let checked_in = fs::read_to_string(&path).unwrap_or_default();
    assert!(checked_in == derived, "{} is not what its schema says; MEZHVED_BLESS=1 writes it anew", path.display());
}

#[test]
fn a_canonical_document_is_the_same_to_the_byte_for_ever() {
    let catalogue = Catalogue::builtin();
    let code = mezhved::domain::ids::TypeCode::new("control.release").unwrap();
    let entry = catalogue.entry(&code, 1).unwrap();
    let message = format::read(entry.example_xml.as_deref().unwrap().as_bytes(), Format::Xml, catalogue).unwrap();
    let text = |format| String::from_utf8(format::write(&message, format, catalogue).unwrap()).unwrap();
    assert_eq!(text(Format::Json), include_str!("golden/control.release.json").trim_end());
    assert_eq!(text(Format::Xml), include_str!("golden/control.release.xml").trim_end());
    let digest: String =
        format::digest(&message, catalogue).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, include_str!("golden/control.release.sha256").trim_end());
}

#[test]
fn the_media_types_of_the_surface_are_recognised_and_no_others() {
    for (content_type, format) in [
        ("application/json", Some(Format::Json)),
        ("application/vnd.mezhved.message+json", Some(Format::Json)),
        ("Application/JSON; charset=UTF-8", Some(Format::Json)),
        ("application/xml", Some(Format::Xml)),
        ("text/xml;charset=\"utf-8\"", Some(Format::Xml)),
        ("application/vnd.mezhved.message+xml", Some(Format::Xml)),
        ("text/xml; charset=windows-1251", None),
        ("application/json; charset=utf-16", None),
        ("text/plain", None),
        ("", None),
        ("application/jsonx", None),
        ("text/json", None),
    ] {
        assert_eq!(format::recognise(content_type), format, "{content_type}");
    }
}
