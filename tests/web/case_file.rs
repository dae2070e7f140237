//! Item 5 of a personal file: requests that went out and answers that came in, of one case, with annexes.
//!
//! Promises: reads the HTML that a browser would get. Never: another case's letters.

use crate::letters;
use crate::site::{Site, json};
use mezhved::gateway::ports::accounts::UserRole;
use serde_json::json;

const CASE: &str = "/cases/%D0%A1%D0%9B-2026%2F014/file";

#[tokio::test]
async fn requests_and_answers_of_a_case_are_printed_in_order_with_their_annexes() {
    let site = Site::new().await;
    site.person("anna", UserRole::Coordinator).await;
    let (centre, school) = (site.key("centre").await, site.key("school-1").await);
    let mut letter = letters::request("school-1", "Запрос <b>характеристики</b>");
    letter["attachments"] = json!([{
        "annex": 3, "name": "согласие.pdf", "media_type": "application/pdf", "size": 1234, "sha256": "a".repeat(64)
    }]);
    json(site.post("/api/v1/messages", &centre, &letter).await).await;
    let mut other = letters::request("school-2", "О другом деле");
    other["case"] = json!("СЛ-2026/015");
    json(site.post("/api/v1/messages", &centre, &other).await).await;
    let mut reply = letters::reply(&letter, "school-1");
    reply.as_object_mut().unwrap().remove("case");
    reply["summary"] = json!("Характеристика выслана");
    assert_eq!(site.post("/api/v1/messages", &school, &reply).await.status(), 202);
    let (cookie, _) = site.enter("anna").await;
    let page = site.page(CASE, &cookie).await;
    let places = [
        "Запрос &#60;b&#62;характеристики",
        "№ 3: согласие.pdf (1234\u{a0}байта)",
        "входящий ответ",
        "на № 1/2026",
        "Характеристика выслана",
    ]
    .map(|part| page.find(part).unwrap_or_else(|| panic!("{part} in {page}")));
    assert!(places.is_sorted(), "{page}");
    assert!(!page.contains("О другом деле"), "{page}");
}

#[tokio::test]
async fn case_without_letters_says_so_and_the_obligation_and_the_journal_lead_to_its_file() {
    let site = Site::new().await;
    site.person("anna", UserRole::Observer).await;
    let centre = site.key("centre").await;
    let receipt = json(site.post("/api/v1/messages", &centre, &letters::request("school-1", "Запрос")).await).await;
    let id = receipt["obligations"][0]["id"].as_str().unwrap();
    let (cookie, _) = site.enter("anna").await;
    assert!(site.page(&format!("/obligations/{id}"), &cookie).await.contains(CASE));
    assert!(site.page("/journal?case=%D0%A1%D0%9B-2026%2F014", &cookie).await.contains(CASE));
    let page = site.page("/cases/%D0%A1%D0%9B-1/file", &cookie).await;
    assert!(page.contains("По этому делу запросов и ответов нет."), "{page}");
    let stranger = site.client.get(site.url(CASE)).header("accept", "text/html").send().await.unwrap();
    assert_eq!(stranger.status(), 303, "to the login");
}
