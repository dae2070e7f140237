//! The page of what waits for a person: letters that were given up, messages that were not taken.
//!
//! Promises: a letter that a person sends again goes out under its own id. Never: a broker; the outbox is asked.

use crate::letters;
use crate::site::{Site, json};
use chrono::Duration;
use mezhved::domain::ids::ParticipantCode;
use mezhved::domain::participant::{Participant, Route};
use mezhved::gateway::Gateway;
use mezhved::gateway::ports::accounts::{Accounts, UserRole};
use mezhved::gateway::ports::decisions::{Attempt, AttemptResult, Claim, Claimed, RouteKind};

const GIVEN_UP: &str = "получатель не отвечает <7 попыток>";

async fn claim(gateway: &Gateway) -> Vec<Claimed> {
    let now = gateway.now();
    let claim = Claim { now, lease_until: now + Duration::minutes(1), limit: 10, route: RouteKind::Amqp };
    gateway.claim(claim).await.unwrap()
}

/// A site where the letter to school 1 was given up.
async fn given_up() -> (Site, Claimed) {
    let site = Site::new().await;
    let school = site.gateway.participant(&ParticipantCode::new("school-1").unwrap()).unwrap();
    site.store.import_participants(vec![Participant { route: Route::Amqp, ..(*school).clone() }]).await.unwrap();
    site.gateway.refresh_directory().await.unwrap();
    site.person("anna", UserRole::Coordinator).await;
    site.person("olga", UserRole::Observer).await;
    let key = site.key("centre").await;
    json(site.post("/api/v1/messages", &key, &letters::request("school-1", "Запрос")).await).await;
    let letter = claim(&site.gateway).await.remove(0);
    let attempt = Attempt {
        message: letter.message,
        recipient: letter.recipient.clone(),
        at: site.gateway.now(),
        result: AttemptResult::Undeliverable { error: GIVEN_UP.to_owned() },
    };
    site.gateway.settle(vec![attempt], Vec::new()).await.unwrap();
    (site, letter)
}

#[tokio::test]
async fn a_letter_that_was_given_up_is_shown_with_its_reason_and_goes_out_again_when_a_person_says_so() {
    let (site, letter) = given_up().await;
    assert!(claim(&site.gateway).await.is_empty(), "given up is given up");
    let (cookie, csrf) = site.enter("anna").await;
    let page = site.page("/quarantine", &cookie).await;
    for part in ["Образцовая школа №\u{a0}1", "tel:+73955000101", "&#60;7 попыток&#62;", "Отправить заново"]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
    let path = format!("/quarantine/{}/{}", letter.message, letter.recipient);
    let forged = site.post_form(&path, &cookie, &[("csrf", "forged")]).await;
    assert_eq!(forged.status(), 403);
    assert_eq!(site.post_form(&path, &cookie, &[("csrf", &csrf)]).await.status(), 303);
    let again = claim(&site.gateway).await.remove(0);
    assert_eq!((again.message, again.attempts), (letter.message, 0));
    assert_eq!(again.content, letter.content);
    let twice = site.post_form(&path, &cookie, &[("csrf", &csrf)]).await;
    assert_eq!(twice.status(), 409, "it is on its way now");
    assert!(!site.page("/quarantine", &cookie).await.contains("Образцовая школа"));
    let figures = site.gateway.figures().await.unwrap();
    assert_eq!((figures.accepted_addressees, figures.deliveries_owed), (1, 1), "counted once");
}

#[tokio::test]
async fn an_observer_sees_the_quarantine_and_sends_nothing() {
    let (site, letter) = given_up().await;
    let (cookie, csrf) = site.enter("olga").await;
    let page = site.page("/quarantine", &cookie).await;
    assert!(page.contains("Образцовая школа") && !page.contains("Отправить заново"));
    let path = format!("/quarantine/{}/{}", letter.message, letter.recipient);
    assert_eq!(site.post_form(&path, &cookie, &[("csrf", &csrf)]).await.status(), 403);
    assert!(claim(&site.gateway).await.is_empty());
}

#[tokio::test]
async fn a_message_that_was_not_taken_is_shown_with_its_code_and_never_with_its_content() {
    let site = Site::new().await;
    site.person("anna", UserRole::Coordinator).await;
    let key = site.key("centre").await;
    let mut letter = letters::request("school-1", "Запрос");
    json(site.post("/api/v1/messages", &key, &letter).await).await;
    letter["summary"] = "Подменённое содержание".into();
    assert_eq!(site.post("/api/v1/messages", &key, &letter).await.status(), 409);
    let (cookie, _) = site.enter("anna").await;
    let page = site.page("/quarantine", &cookie).await;
    assert!(page.contains("id_conflict") && page.contains(letter["id"].as_str().unwrap()), "{page}");
    assert!(!page.contains("Подменённое"));
    assert!(site.page("/quarantine?before=1", &cookie).await.matches("id_conflict").count() == 0);
}
