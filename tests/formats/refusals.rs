//! Hostile documents and the code that each must get.
//!
//! Promises: the code, the place, and no word of the document in the answer. Never: a file opened, a connection made.

use crate::not_well_formed::NOT_WELL_FORMED;
use mezhved::catalogue::Catalogue;
use mezhved::domain::message::Format;
use mezhved::format::{self, Malformed};
use std::time::{Duration, Instant};

fn refusal(document: &[u8], format: Format) -> Malformed {
    match format::read(document, format, Catalogue::builtin()) {
        Err(malformed) => malformed,
        Ok(_) => panic!("taken as a message: {}", String::from_utf8_lossy(&document[..document.len().min(300)])),
    }
}

fn xml(document: impl AsRef<[u8]>) -> Malformed {
    refusal(document.as_ref(), Format::Xml)
}

fn json(document: impl AsRef<[u8]>) -> Malformed {
    refusal(document.as_ref(), Format::Json)
}

fn example(code: &str, format: Format) -> &'static str {
    let entry = Catalogue::builtin().entries().find(|entry| entry.code.as_str() == code).unwrap();
    match format {
        Format::Json => entry.example_json.as_deref().unwrap(),
        Format::Xml => entry.example_xml.as_deref().unwrap(),
    }
}

#[test]
fn a_document_type_declaration_is_forbidden_and_nothing_of_it_is_read() {
    for document in [
        "<!DOCTYPE a><a/>",
        "<?xml version=\"1.0\"?>\n<!-- x --><!DOCTYPE message SYSTEM \"file:///etc/passwd\"><message/>",
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"http://127.0.0.1:1/\">]><a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><a>&b;</a>",
        "<!DOCTYPE a [<!ENTITY % p SYSTEM \"file:///dev/zero\"> %p;]><a/>",
        "<!DOCTYPE",
        "<!DOCTYPE a [",
        "<a><!DOCTYPE a></a>",
        "<a/><!DOCTYPE a>",
    ] {
        let malformed = xml(document);
        assert_eq!(malformed.code, "dtd_forbidden", "{document}");
        assert!(malformed.line.is_some() && malformed.column.is_some());
    }
    // XInclude is an element like any other: unknown.
    let included = "<message xmlns=\"urn:mezhved:message:1\"><xi:include xmlns:xi=\"http://www.w3.org/2001/XInclude\" href=\"/etc/passwd\"/></message>";
    assert!(xml(included).faults.iter().any(|fault| fault.code == "unknown_field"));
}

#[test]
fn xml_that_is_not_strictly_well_formed_is_refused_with_line_and_column() {
    for document in NOT_WELL_FORMED {
        let malformed = xml(document);
        assert_eq!(malformed.code, "not_well_formed", "{document:?}");
        assert!(
            malformed.line.is_some_and(|line| line > 0) && malformed.column.is_some_and(|column| column > 0),
            "{document:?}"
        );
    }
    let malformed = xml("<?xml version=\"1.0\"?>\n<a>\r\n  <б>я</в>\n</a>");
    assert_eq!((malformed.line, malformed.column), (Some(3), Some(7)));
    for illegal in [&b"<a>\xED\xA0\x80</a>"[..], b"<a>\xF4\x90\x80\x80</a>", b"<a>\xF7\xBF\xBF\xBF</a>"] {
        assert_eq!(xml(illegal).code, "not_well_formed");
    }
}

#[test]
fn xml_that_is_well_formed_but_no_message_gets_another_code() {
    for document in [
        "<a/>",
        "<message/>",
        "<message xmlns='urn:mezhved:message:2'/>",
        "\u{FEFF}<?xml version=\"1.0\"?><a xmlns:b=\"u\" b:c=\"d\">e<!-- f --></a>\n<?g?>",
        "<имя/>",
        "<a>&#x10FFFF;&#0000000000065;</a>",
    ] {
        assert_eq!(xml(document).code, "not_a_message", "{document}");
    }
    let head = "<message xmlns='urn:mezhved:message:1'><id>5e4d0a10-7c3b-4f6e-9a51-000000000001</id><type>TYPE</type><version>VERSION</version><from>a</from><to><item>b</item></to><created_at>2026-03-02T10:15:00Z</created_at>";
    let with = |code: &str, version: &str, body: &str| {
        xml(head.replace("TYPE", code).replace("VERSION", version) + body + "</message>")
    };
    assert_eq!(with("no.such-type", "1", "<body xmlns='urn:mezhved:no.such-type:1'/>").code, "unknown_type");
    assert_eq!(with("control.release", "2", "<body xmlns='urn:mezhved:control.release:2'/>").code, "unknown_version");
    assert_eq!(
        with("control.release", "1", "<body xmlns='urn:mezhved:control.return:1'/>").code,
        "body_of_another_type"
    );
    assert_eq!(with("control.release", "1", "<body/>").code, "body_of_another_type");
    assert_eq!(with("control.release", "1", "").faults[0].path, "/body");
}

#[test]
fn every_attribute_of_a_message_is_a_fault_but_the_schema_location_of_its_root() {
    let good = example("control.release", Format::Xml);
    let located = good.replace("<message ", "<message xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"urn:mezhved:message:1 message.xsd\" ");
    assert!(format::read(located.as_bytes(), Format::Xml, Catalogue::builtin()).is_ok());
    for attribute in [
        "a=\"1\"",
        "xml:lang=\"ru\"",
        "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\"",
        "xmlns:x=\"http://www.w3.org/2001/XMLSchema-instance\" x:type=\"y\"",
    ] {
        let malformed = xml(good.replace("<ground>", &format!("<ground {attribute}>")));
        assert_eq!(malformed.faults[0].code, "unknown_attribute", "{attribute}");
        assert!(malformed.faults[0].path.starts_with("/body/ground/@"), "{}", malformed.faults[0].path);
    }
}

#[test]
fn limits_have_codes_of_their_own_and_are_found_quickly() {
    let start = Instant::now();
    let deep = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
    assert_eq!(xml(deep(64)).code, "not_a_message");
    assert_eq!(xml(deep(65)).code, "too_deep");
    assert_eq!(json("[".repeat(64) + &"]".repeat(64)).code, "not_a_message");
    assert_eq!(json("[".repeat(65)).code, "too_deep");
    assert_eq!(json("{\"a\":".repeat(100_000)).code, "too_deep");
    let attributes: String = (0..300_000).map(|number| format!(" a{number}=''")).collect();
    assert_eq!(xml(format!("<a{attributes}/>")).code, "limit_attributes");
    assert_eq!(xml(format!("<a b='{}'/>", "x".repeat(1_000_000))).code, "limit_attribute_bytes");
    assert_eq!(xml(format!("<a>{}</a>", "x".repeat(2_000_000))).code, "limit_text_bytes");
    assert_eq!(json(format!("{{\"id\":\"{}\"}}", "x".repeat(2_000_000))).code, "limit_text_bytes");
    assert_eq!(xml(format!("<a{}/>", "b".repeat(2000))).code, "limit_name_bytes");
    assert_eq!(json(format!("{{\"{}\":1}}", "b".repeat(2000))).code, "limit_name_bytes");
    assert_eq!(xml(format!("<a>{}</a>", "<b/>".repeat(200_000))).code, "limit_elements");
    assert_eq!(json(format!("[{}1]", "1,".repeat(200_000))).code, "limit_elements");
    let spaces: String = (0..200).map(|number| format!(" xmlns:a{number}='u{number}'")).collect();
    assert_eq!(xml(format!("<a{spaces}><b{spaces}/></a>")).code, "limit_namespaces");
    assert_eq!(xml(vec![b' '; 4 * 1024 * 1024 + 1]).code, "limit_document_bytes");
    assert_eq!(json(vec![b' '; 4 * 1024 * 1024 + 1]).code, "limit_document_bytes");
    // A debug build on a busy machine; what is quadratic takes minutes.
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn a_flood_of_faults_is_reported_up_to_a_hundred() {
    let many = example("control.release", Format::Xml).replace("<by>", &("<x/>".repeat(5000) + "<by>"));
    let malformed = xml(many);
    assert_eq!((malformed.code, malformed.faults.len()), ("schema_violation", 100));
    let many: String = (0..5000).map(|number| format!("\"x{number}\":null,")).collect();
    assert_eq!(json(example("control.release", Format::Json).replacen('{', &format!("{{{many}"), 1)).faults.len(), 100);
}

#[test]
fn another_encoding_or_a_false_one_is_refused() {
    let utf16: Vec<u8> = "<a/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [&[0xFF, 0xFE][..], &utf16].concat();
    for document in [
        &utf16[..],
        &marked,
        b"<?xml version=\"1.0\" encoding=\"windows-1251\"?><a/>",
        b"<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>",
        b"<?xml version='1.0' encoding='us-ascii'?><a/>",
        b"<?xml version=\"1.0\" encoding=\"UTF-8\"?><a>\xCF\xF0\xE8\xE2\xE5\xF2</a>",
        b"<a>\xC0\x80</a>",
        b"<a>\xD0</a>",
        b"<\xCF/>",
    ] {
        assert_eq!(xml(document).code, "bad_encoding", "{:?}", String::from_utf8_lossy(document));
    }
    for document in [&b"{\"id\":\"\xCF\xF0\"}"[..], b"\xFF\xFE{\0}\0", b"{\0}\0", b"\0{\0}"] {
        assert_eq!(json(document).code, "bad_encoding");
    }
    assert_eq!(xml(b"<?xml version='1.0' encoding='utf-8'?><a/>").code, "not_a_message");
}

#[test]
fn json_that_is_not_strictly_well_formed_is_refused_with_line_and_column() {
    for document in [
        "",
        " ",
        "{",
        "[",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\"}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":1 \"b\":2}",
        "[1 2]",
        "{}{}",
        "{} x",
        "null x",
        "// c\n{}",
        "/**/{}",
        "\u{FEFF}{}",
        "NaN",
        "Infinity",
        "-",
        "+1",
        "01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x1",
        "1_0",
        "tru",
        "truee",
        "nul",
        "\"",
        "\"a",
        "\"\u{0}\"",
        "\"\n\"",
        "\"\u{1F}\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12G4\"",
        "\"\\uD800\"",
        "\"\\uDC00\"",
        "\"\\uD800\\u0041\"",
        "\"\\uDC00\\uD800\"",
        "\"\\ud83d\"",
        "{\"\\ud800\":1}",
        "]",
        "}",
        "[}",
        "{]",
        "\u{A0}{}",
        "\u{0}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}",
        "{\"id\":\"x\",\"i\\u0064\":\"y\"}",
        "[{\"a\":{\"b\":1,\"b\":1}}]",
        "{\"body\":1,\"body\":2}",
        "{\"id\":1,\"x\":[{\"y\":1,\"y\":2}]}",
    ] {
        let malformed = json(document);
        assert_eq!(malformed.code, "not_well_formed", "{document:?}");
        assert!(malformed.line.is_some() && malformed.column.is_some(), "{document:?}");
    }
    let malformed = json("{\"id\": \"x\",\n  \"тип\": tru }");
    assert_eq!((malformed.line, malformed.column), (Some(2), Some(10)));
    let twice = example("control.release", Format::Json).replace("\"ground\"", "\"by\": \"x\", \"ground\"");
    let malformed = json(twice);
    assert_eq!((malformed.code, malformed.faults[0].path.as_str()), ("not_well_formed", "/body/by"));
}

#[test]
fn json_values_that_do_not_fit_are_refused_with_their_path() {
    let good = example("control.reminder", Format::Json);
    for (value, code) in [
        ("99999999999999999999999999", "out_of_range"),
        ("1e400", "out_of_range"),
        ("-1", "out_of_range"),
        ("0.5", "wrong_type"),
        ("1e-1", "wrong_type"),
        ("null", "wrong_type"),
        ("\"0\"", "wrong_type"),
        ("[0]", "wrong_type"),
        ("{}", "wrong_type"),
        ("true", "wrong_type"),
    ] {
        let malformed = json(good.replace("\"number\": 0", &format!("\"number\": {value}")));
        let faults: Vec<_> = malformed.faults.iter().map(|fault| (fault.path.as_str(), fault.code)).collect();
        assert_eq!(faults, [("/body/number", code)], "{value}");
    }
    for value in ["0.0", "0e5", "-0", "1E+2", "10e-1"] {
        let document = good.replace("\"number\": 0", &format!("\"number\": {value}"));
        assert!(format::read(document.as_bytes(), Format::Json, Catalogue::builtin()).is_ok(), "{value}");
    }
    for forbidden in ["\\u0000", "\\u0001", "\\uFFFE", "\\u007f", "\\u0085"] {
        let malformed =
            json(example("control.release", Format::Json).replace("\"by\": \"", &format!("\"by\": \"{forbidden}")));
        assert_eq!(malformed.faults[0].code, "forbidden_character", "{forbidden}");
    }
    for document in ["null", "1", "\"text\"", "[]", "{}", "{\"a\":1}"] {
        assert_eq!(json(document).code, "not_a_message", "{document}");
    }
}

#[test]
fn no_refusal_repeats_what_the_document_holds() {
    let secret = "Тайнов";
    for (place, format) in [("<by>", Format::Xml), ("\"by\": \"", Format::Json)] {
        let good = example("control.release", format);
        let long = good.replace(place, &format!("{place}{}", secret.repeat(100)));
        let cut = &long[..long.find(secret).unwrap() + 40];
        for document in [long.as_str(), cut, &long.replace("by", secret), &good.replace("complete_answer", secret)] {
            let malformed = refusal(document.as_bytes(), format);
            assert!(
                !malformed.to_string().contains(secret) && !format!("{malformed:?}").contains(secret),
                "{malformed}"
            );
        }
    }
}
