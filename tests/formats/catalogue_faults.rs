//! Faulty folders of the catalogue: each is refused with its file, its place and what to do.
//!
//! Promises: no keyword is ignored. Never: a type loaded in part.

use crate::Scratch;
use mezhved::catalogue::{Catalogue, CatalogueError};

const ENTRY: &str = "code = \"a.b\"\nversion = 1\ntitle_ru = \"А\"\ntitle_en = \"A\"\nrole = \"notice\"\nsource = \"a test\"\nversion_from = 2026-01-01\n[[parties]]\nfrom = [\"any\"]\nto = [\"any\"]\n";

fn load(entry: &str, schema: &str) -> Result<Catalogue, CatalogueError> {
    let scratch = Scratch::new(&format!("faults-{:?}", std::thread::current().id()).replace(['(', ')'], ""));
    scratch.write("a.b/1/entry.toml", entry);
    scratch.write("a.b/1/body.schema.json", schema);
    Catalogue::load(&scratch.0)
}

fn with_property(property: &str) -> String {
    format!(
        r#"{{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","additionalProperties":false,"properties":{{"x":{property}}}}}"#
    )
}

#[test]
fn a_schema_outside_the_dialect_is_refused_with_its_place() {
    let line = "\"$ref\":\"../../common.schema.json#/$defs/line\"";
    for (property, place) in [
        ("{}".to_owned(), "/properties/x"),
        ("{\"type\":\"number\"}".to_owned(), "/properties/x"),
        ("{\"type\":[\"string\",\"null\"]}".to_owned(), "/properties/x"),
        ("{\"type\":\"string\",\"maxLength\":5}".to_owned(), "/properties/x"),
        (format!("{{{line}}}"), "/properties/x"),
        (format!("{{{line},\"maxLength\":5,\"default\":\"a\"}}"), "/properties/x/default"),
        (format!("{{{line},\"maxLength\":5,\"pattern\":\"^\\\\d+$\"}}"), "/properties/x/pattern"),
        (format!("{{{line},\"maxLength\":5000000}}"), "/properties/x/maxLength"),
        ("{\"type\":\"integer\"}".to_owned(), "/properties/x"),
        ("{\"type\":\"integer\",\"minimum\":0,\"maximum\":1.5}".to_owned(), "/properties/x"),
        ("{\"type\":\"integer\",\"minimum\":0,\"maximum\":9,\"multipleOf\":2}".to_owned(), "/properties/x/multipleOf"),
        ("{\"type\":\"array\",\"items\":{\"type\":\"boolean\"}}".to_owned(), "/properties/x"),
        ("{\"type\":\"array\",\"maxItems\":3}".to_owned(), "/properties/x"),
        (
            "{\"type\":\"array\",\"maxItems\":3,\"uniqueItems\":true,\"items\":{\"type\":\"boolean\"}}".to_owned(),
            "/properties/x",
        ),
        ("{\"type\":\"object\",\"properties\":{}}".to_owned(), "/properties/x"),
        (
            "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"y\"],\"properties\":{}}".to_owned(),
            "/properties/x/required",
        ),
        (
            "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"Y\":{\"type\":\"boolean\"}}}"
                .to_owned(),
            "/properties/x/properties/Y",
        ),
        ("{\"anyOf\":[{\"type\":\"boolean\"}]}".to_owned(), "/properties/x"),
        ("{\"$ref\":\"http://example.org/x\"}".to_owned(), "/properties/x"),
        ("{\"$ref\":\"../../common.schema.json#/$defs/nothing\"}".to_owned(), "/properties/x"),
        ("{\"$ref\":\"../../common.schema.json#/$defs/date\",\"pattern\":\"^a$\"}".to_owned(), "/properties/x"),
        ("{\"$ref\":\"../../common.schema.json#/$defs/child\",\"maxLength\":5}".to_owned(), "/properties/x"),
        ("{\"type\":\"string\",\"enum\":[]}".to_owned(), "/properties/x"),
        ("{\"type\":\"string\",\"enum\":[\"A b\"]}".to_owned(), "/properties/x"),
        ("{\"type\":\"string\",\"enum\":[1]}".to_owned(), "/properties/x"),
    ] {
        let error = load(ENTRY, &with_property(&property)).unwrap_err();
        assert_eq!(
            (error.file.as_str(), error.place.as_str()),
            ("a.b/1/body.schema.json", place),
            "{property}: {error}"
        );
        assert!(!error.remedy.is_empty());
    }
    assert!(load(ENTRY, &with_property("{\"type\":\"boolean\",\"title\":\"Да\"}")).is_ok());
}

#[test]
fn a_definition_that_contains_itself_or_hides_a_shared_one_is_refused() {
    let schema = r##"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","additionalProperties":false,
        "properties":{"x":{"$ref":"#/$defs/NAME"}},"$defs":{"NAME":{"type":"object","additionalProperties":false,"properties":{"y":{"$ref":"#/$defs/NAME"}}}}}"##;
    assert!(load(ENTRY, &schema.replace("NAME", "loop")).unwrap_err().remedy.contains("itself"));
    assert!(load(ENTRY, &schema.replace("NAME", "line")).unwrap_err().remedy.contains("shared"));
}

#[test]
fn a_schema_that_is_no_json_or_no_object_is_refused() {
    let good = with_property("{\"type\":\"boolean\"}");
    for schema in [
        "",
        "{",
        "[]",
        "{\"type\":\"object\"}",
        &good.replace("2020-12", "2019-09"),
        &good.replacen("\"type\"", "\"type\":\"object\",\"type\"", 1),
    ] {
        assert!(load(ENTRY, schema).is_err(), "{schema}");
    }
}

#[test]
fn a_faulty_entry_is_refused_with_its_key() {
    let schema = with_property("{\"type\":\"boolean\"}");
    for (from, to, word) in [
        ("role = \"notice\"", "role = \"letter\"", "role"),
        ("role = \"notice\"", "role = \"control\"", "action"),
        ("role = \"notice\"", "role = \"notice\"\naction = \"reminder\"", "action"),
        ("role = \"notice\"", "role = \"notice\"\ncolour = \"red\"", "colour"),
        ("version = 1", "version = 2", "folder"),
        ("code = \"a.b\"", "code = \"a.c\"", "folder"),
        ("2026-01-01", "2026-01-01T00:00:00Z", "date"),
        ("[[parties]]", "[facts]\naccepted = \"y\"\n[[parties]]", "`y`"),
        ("[[parties]]", "[facts]\nnew_due = \"x\"\n[[parties]]", "date"),
        ("[[parties]]", "[answer]\nmandatory = true\ntypes = [\"reply.nothing\"]\n[[parties]]", "reply.nothing"),
        ("[[parties]]", "[answer]\nmandatory = true\ntypes = [\"reply.information\"]\n[[parties]]", "[term]"),
        ("\"any\"", "\"alien\"", "alien"),
        ("source", "special_category = true\nsource", "law"),
        ("role = \"notice\"", "role = \"receipt\"\nneeds_consent = true", "needs_consent"),
        ("source", "carries = \"x\"\nsource", "`x`"),
        ("[[parties]]", "[facts]\nanswered_item = \"x\"\n[[parties]]", "`x`"),
    ] {
        let error = load(&ENTRY.replacen(from, to, 1), &schema).unwrap_err();
        assert!(error.file == "a.b/1/entry.toml" && error.to_string().contains(word), "{to}: {error}");
    }
    assert!(load(&ENTRY.replace("[[parties]]", "[facts]\naccepted = \"x\"\n[[parties]]"), &schema).is_ok());
}

#[test]
fn a_faulty_edition_is_refused_with_its_file() {
    let schema = with_property("{\"type\":\"boolean\"}");
    let (later, first) = (ENTRY.replace("2026-01-01", "2027-01-01"), "a.b/1/entry.toml");
    for (name, text, word) in [
        ("entry.2027-01-02.toml", later.clone(), "entry.2027-01-01.toml"),
        ("entry.new.toml", later.clone(), "entry.2027-01-01.toml"),
        ("entry.2026-01-01.toml", ENTRY.to_owned(), "after 2026-01-01"),
        ("entry.2027-01-01.toml", later.replace("a.b", "a.c"), "folder"),
        ("entry.2027-01-01.toml", later.replace("role", "colour = 1\nrole"), "colour"),
        ("entry.2027-01-01.toml", format!("{later}[facts]\naccepted = \"y\"\n"), "`y`"),
        ("entry.2027-01-01.toml", format!("{later}[answer]\nmandatory = true\ntypes = [\"no.type\"]\n"), "no.type"),
    ] {
        let scratch = Scratch::new(&format!("editions-{word}").replace(['`', ' ', '.'], ""));
        scratch.write(first, ENTRY);
        scratch.write("a.b/1/body.schema.json", &schema);
        scratch.write(&format!("a.b/1/{name}"), &text);
        let error = Catalogue::load(&scratch.0).unwrap_err();
        assert!(error.file == format!("a.b/1/{name}") && error.to_string().contains(word), "{name}: {error}");
    }
    let scratch = Scratch::new("edition-alone");
    scratch.write("a.b/1/entry.2027-01-01.toml", &later);
    assert!(Catalogue::load(&scratch.0).unwrap_err().to_string().contains("first"));
}

const TYPED: &str = r##"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","additionalProperties":false,
    "properties":{"on":{"$ref":"../../common.schema.json#/$defs/date"},"kind":{"type":"string","enum":["one","two"]},
    "meeting":{"type":"object","additionalProperties":false,"properties":{"at":{"$ref":"../../common.schema.json#/$defs/date_time"}}},
    "measures":{"type":"array","maxItems":3,"items":{"type":"object","additionalProperties":false,"properties":{
        "no":{"$ref":"../../common.schema.json#/$defs/item_key"},"to":{"$ref":"../../common.schema.json#/$defs/date"}}}}}}"##;

/// An entry with a mandatory answer and this term.
fn with_term(each: &str, term: &str) -> String {
    format!(
        "{ENTRY}[answer]\nmandatory = true\ntypes = [\"reply.information\"]\n{each}[term]\nunit = \"working_day\"\nn = 5\n{term}"
    )
}

#[test]
fn a_term_that_cannot_be_followed_is_refused_with_its_key() {
    let each = "[answer.each]\nitems = \"measures\"\nkey = \"no\"\nends = \"to\"\n";
    let case = "[term.cases.two]\nunit = \"hour\"\nn = 48\n";
    for (each, term, place) in [
        ("", "stated_in = \"kind\"", "term.stated_in"),
        ("", "stated_in = \"meeting\"", "term.stated_in"),
        ("", "stated_in = \"on.at\"", "term.stated_in"),
        ("", "days_before = 1", "term.days_before"),
        ("", case, "term.cases"),
        ("", &format!("chosen_by = \"on\"\n{case}"), "term.chosen_by"),
        ("", &format!("chosen_by = \"kind\"\n{}", case.replace("two", "three")), "term.cases"),
        ("", &format!("chosen_by = \"kind\"\n{case}stated_in = \"on\""), "term.cases"),
        ("", "starts_on = \"whenever\"", "term"),
        ("", "[term.urgent]\nunit = \"working_day\"\nn = 0", "term"),
        (each, "", "answer.each.ends"),
        (&each.replace("\"to\"", "\"no\""), "starts_on = \"period_end\"", "facts"),
    ] {
        let error = load(&with_term(each, term), TYPED).unwrap_err();
        assert_eq!((error.file.as_str(), error.place.as_str()), ("a.b/1/entry.toml", place), "{term}: {error}");
    }
    for (each, term) in [
        ("", "stated_in = \"on\""),
        ("", "stated_in = \"meeting.at\"\ndays_before = 1"),
        ("", &format!("chosen_by = \"kind\"\n{case}")),
        (each, "starts_on = \"period_end\""),
    ] {
        assert!(load(&with_term(each, term), TYPED).is_ok(), "{term}: {:?}", load(&with_term(each, term), TYPED).err());
    }
}

#[test]
fn a_duty_that_cannot_be_followed_is_refused() {
    let base = "[[duties]]\nanswer = \"report.measure\"\nowes = \"sender\"\nto = \"itself\"\n";
    let ends = "ends = [\"notice.case-closed\"]\n";
    let schema = with_property("{\"type\":\"boolean\"}");
    for rule in [
        ends.to_owned(),
        format!("rhythm = \"month\"\napart = \"month\"\n{ends}"),
        "rhythm = \"month\"\n".to_owned(),
        format!("apart = \"month\"\nrhythm_in = \"x\"\n{ends}"),
        format!("rhythm = \"month\"\nnamed_in = \"x\"\n{ends}"),
        format!("{ends}[duties.term]\nunit = \"working_day\"\nn = 7\n"),
        "[duties.term]\nunit = \"working_day\"\nn = 0\n".to_owned(),
    ] {
        let refused = load(&format!("{ENTRY}{base}{rule}"), &schema).err().unwrap_or_else(|| panic!("taken: {rule}"));
        assert!(matches!(refused.place.as_str(), "duties" | "facts"), "{rule}: {refused}");
    }
    load(&format!("{ENTRY}{base}rhythm = \"month\"\n{ends}"), &schema).unwrap();
    load(&format!("{ENTRY}{base}[duties.term]\nunit = \"working_day\"\nn = 7\n"), &schema).unwrap();
}

#[test]
fn a_rule_about_cases_that_the_schema_cannot_follow_is_refused() {
    let text = "{\"$ref\":\"../../common.schema.json#/$defs/line\",\"maxLength\":5}";
    let levels = "{\"type\":\"string\",\"enum\":[\"basic\",\"crisis\"]}";
    let colours = "{\"type\":\"string\",\"enum\":[\"red\",\"green\"]}";
    for (rule, property, said) in [
        ("on_in = [\"x\"]\ncloses = true", text, "`x` must be a date"),
        ("level_in = \"x\"", colours, "must name an \"enum\" of levels"),
        ("level_in = \"y\"", levels, "`y` must be an \"enum\""),
        ("track_in = \"x\"", levels, "must name an \"enum\" of tracks"),
        ("opens = true\ncloses = true", text, "opens a case or closes it"),
        ("reason_in = \"x\"", colours, "does nothing"),
        ("closes = true\nwhen = { field = \"x\", is = \"blue\" }", colours, "is never `blue`"),
        ("closes = true\nwhen = { field = \"x\", is = \"perhaps\" }", "{\"type\":\"boolean\"}", "is never `perhaps`"),
    ] {
        let error = load(&format!("{ENTRY}[[case]]\n{rule}\n"), &with_property(property)).unwrap_err();
        assert_eq!((error.file.as_str(), error.place.as_str()), ("a.b/1/entry.toml", "case"), "{rule}: {error}");
        assert!(error.remedy.contains(said), "{rule}: {error}");
    }
    load(&format!("{ENTRY}[[case]]\nlevel_in = \"x\"\n"), &with_property(levels)).unwrap();
}
