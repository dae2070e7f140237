//! The letter of a rung on paper, and notices that were given up, as people and systems get them.
//!
//! Promises: the draft is marked and stays with who writes it. Never: a child's name on a page.

use crate::letters;
use crate::site::{Site, json};
use chrono::TimeDelta;
use mezhved::domain::ids::ParticipantCode;
use mezhved::domain::notice::Medium;
use mezhved::domain::participant::Participant;
use mezhved::gateway::notices::Posting;
use mezhved::gateway::ports::accounts::{Accounts, UserRole};
use mezhved::gateway::ports::notices::{NoticeAttempt, NoticeClaim, NoticeResult};
use reqwest::header::ACCEPT;

async fn read(site: &Site, path: &str, (key, accept): (&str, &str)) -> (u16, String) {
    let answer = site.client.get(site.url(path)).bearer_auth(key).header(ACCEPT, accept).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn a_prepared_letter_is_printed_as_a_draft_and_a_sent_one_with_its_number() {
    let site = Site::new().await;
    site.person("anna", UserRole::Coordinator).await;
    let (centre, school) = (site.key("centre").await, site.key("school-1").await);
    let receipt = json(site.post("/api/v1/messages", &centre, &letters::request("school-1", "Запрос")).await).await;
    let id = receipt["obligations"][0]["id"].as_str().unwrap().to_owned();
    site.go_to("2026-03-13T02:00:00Z").await;
    let (cookie, csrf) = site.enter("anna").await;
    let path = format!("/obligations/{id}/rungs/3/letter");
    let board = site.page("/?bucket=prepared", &cookie).await;
    assert!(board.contains(&format!("href=\"{path}\"")), "{board}");
    let draft = site.page(&path, &cookie).await;
    for part in ["ПРОЕКТ", "Повторный запрос", "(исх.", "01-12/346", "3 рабочих дня", "Приложение:"]
    {
        assert!(draft.contains(part), "{part} in {draft}");
    }
    assert!(!draft.contains("Примеров"), "{draft}");
    let api = format!("/api/v1{path}");
    assert_eq!(read(&site, &api, (&school, "text/html")).await.0, 404, "a draft is not for whom it accuses");
    let (status, page) = read(&site, &api, (&centre, "text/html")).await;
    assert!(status == 200 && page.contains("ПРОЕКТ") && page.contains("<!doctype html>"), "{page}");
    let decision = [("csrf", &*csrf), ("next", "/"), ("decision", "send")];
    assert_eq!(site.post_form(&format!("/obligations/{id}/rungs/3"), &cookie, &decision).await.status(), 303);
    let (status, page) = read(&site, &api, (&school, "text/html")).await;
    assert!(status == 200 && !page.contains("ПРОЕКТ") && page.contains("13.03.2026"), "{page}");
    let parts: serde_json::Value =
        serde_json::from_str(&read(&site, &api, (&school, "application/json")).await.1).unwrap();
    assert!(parts["draft"] == false && parts["number"].as_str().unwrap().ends_with("от 13.03.2026"), "{parts}");
    assert_eq!(read(&site, &api, (&school, "text/csv")).await.0, 406);
    assert!(site.page(&format!("/obligations/{id}"), &cookie).await.contains(&format!("href=\"{path}\"")));
}

#[tokio::test]
async fn a_mail_that_was_given_up_stands_in_the_quarantine_and_goes_out_again_when_a_person_says_so() {
    let site = Site::new().await;
    site.gateway.set_posting(Posting { mail: true, board_url: String::new() });
    site.person("anna", UserRole::Coordinator).await;
    let school = site.gateway.participant(&ParticipantCode::new("school-1").unwrap()).unwrap();
    let mut school: Participant = (*school).clone();
    school.mail.executor = Some("zavuch@shkola1.example".into());
    site.store.import_participants(vec![school]).await.unwrap();
    site.gateway.refresh_directory().await.unwrap();
    let key = site.key("centre").await;
    let mut urgent = letters::request("school-1", "Запрос");
    urgent["support"] = serde_json::json!({"track": "difficult_situation", "level": "crisis"});
    json(site.post("/api/v1/messages", &key, &urgent).await).await;
    for day in 3..=12 {
        site.go_to(&format!("2026-03-{day:02}T02:00:00Z")).await;
    }
    let now = site.gateway.now();
    let claim = NoticeClaim { medium: Medium::Mail, now, lease_until: now + TimeDelta::minutes(1), limit: 10 };
    let leased = site.gateway.claim_notices(claim).await.unwrap().remove(0);
    let result = NoticeResult::Undeliverable { error: "550 no <such> user".into() };
    site.gateway.settle_notices(vec![NoticeAttempt { id: leased.id, at: now, result }], Vec::new()).await.unwrap();
    let (cookie, csrf) = site.enter("anna").await;
    let page = site.page("/quarantine", &cookie).await;
    assert!(page.contains("550 no &#60;such&#62; user") && page.contains("mail, executor"), "{page}");
    let path = format!("/quarantine/notices/{}", leased.id);
    assert_eq!(site.post_form(&path, &cookie, &[("csrf", "forged")]).await.status(), 403);
    assert_eq!(site.post_form(&path, &cookie, &[("csrf", &csrf)]).await.status(), 303);
    assert_eq!(site.gateway.claim_notices(claim).await.unwrap()[0].id, leased.id);
    assert_eq!(site.post_form(&path, &cookie, &[("csrf", &csrf)]).await.status(), 404);
}
