//! `mezhved catalogue`: the table, one type in full, JSON, pages.

use crate::Scratch;
use mezhved::catalogue::Catalogue;
use mezhved::cli::catalogue::{Args, run};
use serde_json::Value;

fn said(code: Option<&str>, json: bool) -> anyhow::Result<String> {
    let mut out = Vec::new();
    run(&Args { code: code.map(str::to_owned), json, pages: None, catalogue: None }, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn the_table_has_a_line_for_each_type_with_its_parties_answer_and_term() {
    let table = said(None, false).unwrap();
    assert_eq!(table.lines().count(), Catalogue::builtin().entries().count() + 1);
    let line = |code: &str| table.lines().find(|line| line.split_whitespace().next() == Some(code)).unwrap();
    let record = line("request.police-record");
    for word in ["центр помощи семье и детям → орган внутренних дел", "  да  ", "5 рабочих дней", "reply.police-record"]
    {
        assert!(record.contains(word), "{record}");
    }
    assert!(line("plan.approved").contains("5 рабочих дней после даты в поле measures[].to"));
    assert!(line("ruling.deregistration").trim_end().ends_with('–'));
}

#[test]
fn one_type_is_shown_as_its_page_and_an_unknown_one_is_refused_with_the_remedy() {
    let page = said(Some("request.health"), false).unwrap();
    assert!(page.contains("# Запрос сведений медицинской организации") && page.contains("no_consent_ground"), "{page}");
    let refused = said(Some("request.nothing"), false).unwrap_err();
    assert!(refused.to_string().contains("mezhved catalogue"), "{refused}");
}

#[test]
fn the_json_tells_who_may_send_and_what_the_data_is() {
    let list: Value = serde_json::from_str(&said(None, true).unwrap()).unwrap();
    assert_eq!(list["types"].as_array().unwrap().len(), Catalogue::builtin().entries().count());
    let health: Value = serde_json::from_str(&said(Some("request.health"), true).unwrap()).unwrap();
    assert_eq!((&health["needs_consent"], &health["special_category"]), (&true.into(), &true.into()));
    assert_eq!(health["parties"][0]["to"][0], "health_facility");
    let demand: Value = serde_json::from_str(&said(Some("supervision.demand"), true).unwrap()).unwrap();
    assert_eq!(demand["term"]["cases"]["inspection"]["n"], 2);
    let extract: Value = serde_json::from_str(&said(Some("council.extract"), true).unwrap()).unwrap();
    assert_eq!(extract["answer"]["each"]["items"], "tasks");
}

#[test]
fn the_pages_are_written_one_for_each_type_and_an_index_that_links_them() {
    let scratch = Scratch::new("pages");
    let folder = scratch.0.join("pages");
    run(&Args { code: None, json: false, pages: Some(folder.clone()), catalogue: None }, &mut Vec::new()).unwrap();
    let index = std::fs::read_to_string(folder.join("README.md")).unwrap();
    for entry in Catalogue::builtin().entries() {
        let page = std::fs::read_to_string(folder.join(format!("{}.md", entry.code))).unwrap();
        assert!(page.contains(entry.example_json.as_deref().unwrap().trim_end()), "{}", entry.code);
        assert!(page.contains(entry.example_xml.as_deref().unwrap().trim_end()), "{}", entry.code);
        assert!(page.contains(&entry.source.replace('|', "\\|")), "{}", entry.code);
        let all = entry.body.fields.iter().all(|field| page.contains(&format!("| `{}` |", field.name)));
        assert!(all, "{}: a field is missing", entry.code);
        assert!(index.contains(&format!("({}.md)", entry.code)), "{}", entry.code);
    }
}
