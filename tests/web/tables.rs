//! Journals, registers and case files as files, read by programs of other makes.
//!
//! Promises: workbooks are read by openpyxl. Never: a name that is not plainly artificial.

use crate::letters;
use crate::python;
use crate::site::{Site, code, json};
use mezhved::gateway::ports::accounts::UserRole;
use serde_json::{Value, json};
use std::ffi::OsStr;

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// A site with two requests of one case, one of which looks like a formula, and an answer.
async fn busy() -> (Site, String) {
    let site = Site::new().await;
    let (centre, school) = (site.key("centre").await, site.key("school-1").await);
    let first = letters::request("school-1", "=HYPERLINK(\"http://evil.example\")");
    json(site.post("/api/v1/messages", &centre, &first).await).await;
    let second = letters::request("school-2", "Запрос \u{202e}характеристики");
    json(site.post("/api/v1/messages", &centre, &second).await).await;
    let answered = site.post("/api/v1/messages", &school, &letters::reply(&first, "school-1")).await;
    assert_eq!(answered.status(), 202);
    (site, centre)
}

/// A workbook as openpyxl reads it.
async fn workbook(site: &Site, path: &str, key: &str) -> Value {
    let answer = site.client.get(site.url(path)).bearer_auth(key).header("accept", XLSX).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()), (200, XLSX));
    assert!(answer.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
    let file = std::env::temp_dir().join(format!("mezhved-{}.xlsx", uuid::Uuid::new_v4()));
    std::fs::write(&file, answer.bytes().await.unwrap()).unwrap();
    let read = python::run("workbook.py", &[file.as_os_str(), OsStr::new("")]);
    std::fs::remove_file(&file).unwrap();
    serde_json::from_str(&read).unwrap()
}

/// CSV of the same, without what guards formulas from spreadsheets.
async fn csv(site: &Site, path: &str, key: &str) -> Vec<Vec<String>> {
    let request = site.client.get(site.url(path)).bearer_auth(key).header("accept", "text/csv");
    let text = request.send().await.unwrap().text().await.unwrap();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let unguarded = |cell: &str| match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest.to_owned(),
        _ => cell.to_owned(),
    };
    reader.records().map(|line| line.unwrap().iter().map(unguarded).collect()).collect()
}

#[tokio::test]
async fn a_workbook_holds_the_cells_of_the_csv_as_strings_and_no_formula() {
    let (site, centre) = busy().await;
    let paths = ["/api/v1/journal", "/api/v1/registry?year=2026", "/api/v1/cases/%D0%A1%D0%9B-2026%2F014/file"];
    for (path, name) in paths.iter().zip(["journal", "registry", "case-file"]) {
        let book = workbook(&site, path, &centre).await;
        assert_eq!((&book["sheet"], &book["kinds"]), (&json!(name), &json!(["s"])), "{book}");
        let rows: Vec<Vec<String>> = serde_json::from_value::<Vec<Vec<Option<String>>>>(book["rows"].clone())
            .unwrap()
            .into_iter()
            .map(|row| row.into_iter().map(Option::unwrap_or_default).collect())
            .collect();
        assert_eq!(rows.len(), 4, "a head and three letters: {rows:?}");
        assert_eq!(rows, csv(&site, path, &centre).await, "{path}");
        let cells = rows.concat();
        assert!(cells.iter().any(|cell| cell == "=HYPERLINK(\"http://evil.example\")"), "{cells:?}");
        assert!(cells.iter().any(|cell| cell.contains("⟨U+202E⟩")), "what deceives the eye is written out: {cells:?}");
    }
}

#[tokio::test]
async fn the_register_of_a_year_has_every_number_once_by_direction_and_says_so() {
    let (site, centre) = busy().await;
    let both = site.get("/api/v1/registry?year=2026", &centre).await;
    let lines = both["lines"].as_array().unwrap();
    let short: Vec<_> = lines.iter().map(|line| (&line["direction"], &line["number"])).collect();
    let expected =
        [("incoming", "1/2026"), ("outgoing", "1/2026"), ("outgoing", "2/2026")].map(|(d, n)| (json!(d), json!(n)));
    assert_eq!(short, expected.iter().map(|(d, n)| (d, n)).collect::<Vec<_>>());
    assert_eq!((&both["gap_free"], &both["year"]), (&json!(true), &json!(2026)));
    assert_eq!(lines[0]["type_title"], "Характеристика с места учёбы");
    let outgoing = site.get("/api/v1/registry?year=2026&direction=outgoing", &centre).await;
    assert_eq!(outgoing["lines"].as_array().unwrap().len(), 2);
    let earlier = site.get("/api/v1/registry?year=2025", &centre).await;
    assert_eq!(earlier["lines"], json!([]));
    let foreign = site.client.get(site.url("/api/v1/registry?participant=school-2&year=2026")).bearer_auth(&centre);
    assert_eq!(code(foreign.send().await.unwrap()).await, (403, "not_your_journal".into()));
    site.person("anna", UserRole::Observer).await;
    let (cookie, _) = site.enter("anna").await;
    let page = site.page("/registry?year=2026", &cookie).await;
    for part in ["Электронный журнал", "номера без пропусков", "Образцовая школа № 1", "format=xlsx", "2/2026"]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[tokio::test]
async fn a_journal_is_read_in_pages_that_say_where_the_next_begins() {
    let (site, centre) = busy().await;
    let mut numbers = Vec::new();
    let mut path = "/api/v1/journal?limit=2".to_owned();
    loop {
        let page = site.get(&path, &centre).await;
        let lines = page["lines"].as_array().unwrap();
        assert!(lines.len() <= 2);
        numbers.extend(lines.iter().map(|line| format!("{} {}", line["direction"], line["number"])));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/journal?limit=2&after={next}");
    }
    assert_eq!(numbers, ["\"outgoing\" \"1/2026\"", "\"outgoing\" \"2/2026\"", "\"incoming\" \"1/2026\""]);
    let bad = site.client.get(site.url("/api/v1/journal?after=x")).bearer_auth(&centre).send().await.unwrap();
    assert_eq!(code(bad).await, (400, "bad_query".into()));
}

#[tokio::test]
async fn a_case_file_has_its_annexes_over_the_api_too() {
    let (site, centre) = busy().await;
    let path = "/api/v1/cases/%D0%A1%D0%9B-2026%2F014/file";
    let file = site.get(path, &centre).await;
    assert_eq!((&file["case"], &file["complete"]), (&json!("СЛ-2026/014"), &json!(true)));
    let letters = file["letters"].as_array().unwrap();
    assert_eq!(letters.len(), 3);
    assert_eq!(letters[2]["answers"], "1/2026");
    let stranger = site.key("commission").await;
    assert_eq!(site.get(path, &stranger).await["letters"], json!([]), "its own journal has none");
    let page = site.client.get(site.url(path)).bearer_auth(&centre).header("accept", "text/html").send().await.unwrap();
    assert_eq!(page.status(), 406);
}
