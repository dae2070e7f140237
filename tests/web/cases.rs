//! The cases over the API and on pages, as a person of the centre and the systems of bodies meet them.
//!
//! Promises: reads the HTML and JSON that callers would get. Never: another centre's case.

use crate::letters;
use crate::site::{Site, code, json};
use mezhved::domain::case::CaseKey;
use mezhved::domain::case::disclosure::{Disclosure, DisclosureKind, Ground};
use mezhved::domain::ids::ParticipantCode;
use mezhved::gateway::ports::accounts::UserRole;
use mezhved::gateway::ports::{Changes, Decisions, Keys};
use serde_json::json;

const CASE: &str = "%D0%A1%D0%9B-2026%2F014";

async fn fetch(site: &Site, path: &str, key: &str) -> reqwest::Response {
    site.client.get(site.url(path)).bearer_auth(key).send().await.unwrap()
}

/// A log of that many lines more.
async fn disclosed(site: &Site, lines: usize) {
    let line = Disclosure {
        case: CaseKey { centre: ParticipantCode::new("centre").unwrap(), number: "СЛ-2026/014".into() },
        at: site.clock.now(),
        kind: DisclosureKind::RecordRead,
        what: "record".into(),
        message: None,
        exchange: None,
        by: "gateway".into(),
        to: "anna".into(),
        ground: Ground::Keeper,
    };
    let (unit, _) = site.store.begin(Keys::default()).await.unwrap();
    unit.commit(Changes { disclosures: vec![line; lines], ..Changes::default() }).await.unwrap();
}

#[tokio::test]
async fn the_log_of_disclosures_as_a_file_is_whole() {
    let site = Site::new().await;
    let centre = site.key("centre").await;
    json(site.post("/api/v1/messages", &centre, &letters::request("school-1", "Запрос")).await).await;
    disclosed(&site, 10_050).await;
    let lines = async |query: &str| {
        let path = format!("/api/v1/cases/{CASE}/disclosures?{query}");
        fetch(&site, &path, &centre).await.text().await.unwrap().lines().count()
    };
    // The head, the message, and this reading.
    assert_eq!(lines("format=csv").await, 10_050 + 3);
    assert_eq!(lines("format=excel&limit=10020").await, 10_020 + 1);
    let page = site.get(&format!("/api/v1/cases/{CASE}/disclosures"), &centre).await;
    assert_eq!(page["disclosures"].as_array().unwrap().len(), 10_000, "a page");
}

#[tokio::test]
async fn a_person_places_a_family_changes_its_level_and_reads_the_form_of_its_levels() {
    let site = Site::new().await;
    site.person("anna", UserRole::Coordinator).await;
    let (cookie, csrf) = site.enter("anna").await;
    let open = [
        ("csrf", &*csrf),
        ("action", "open"),
        ("number", "СЛ-2026/014"),
        ("on", "2026-02-24"),
        ("reason", "<b>заявление</b>"),
    ];
    let opened = site.post_form("/board/cases/new", &cookie, &open).await;
    assert_eq!(opened.status(), 303);
    let page = opened.headers()["location"].to_str().unwrap().to_owned();
    assert!(page.starts_with(&format!("/board/cases/{CASE}?centre=centre")), "{page}");
    let act = format!("/board/cases/{CASE}");
    for fields in [
        [("action", "level"), ("level", "basic"), ("on", "2026-02-24")],
        [("action", "level"), ("level", "crisis"), ("on", "2026-03-02")],
        [("action", "stage"), ("stage", "in_depth_assessment"), ("on", "")],
        [("action", "join"), ("body", "school-1"), ("role", "lead")],
    ] {
        let fields = [&[("csrf", &*csrf)], fields.as_slice()].concat();
        assert_eq!(site.post_form(&act, &cookie, &fields).await.status(), 303, "{fields:?}");
    }
    let html = site.page(&page, &cookie).await;
    for part in [
        "<th scope=\"col\">Уровень сопровождения</th><th scope=\"col\">Дата постановки</th><th scope=\"col\">Дата перевода</th><th scope=\"col\">Дата снятия</th>",
        "<td>Базовый (профилактический)</td><td>24.02.2026</td><td>02.03.2026</td><td>—</td>",
        "<td>Кризисный</td><td>02.03.2026</td><td>—</td><td>—</td>",
        "Глубинная оценка",
        "<td>Образцовая школа № 1</td><td>Ответственный субъект</td>",
        "&#60;b&#62;заявление",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
    let list = site.page("/board/cases", &cookie).await;
    assert!(list.contains("СЛ-2026/014") && list.contains("На сопровождении"), "{list}");
    let bad = site.post_form(&act, &cookie, &[("csrf", &csrf), ("action", "level"), ("level", "вверх")]).await;
    assert_eq!(bad.status(), 422);
    let forged = site.post_form(&act, &cookie, &[("csrf", "нет"), ("action", "close"), ("reason", "нет")]).await;
    assert_eq!(forged.status(), 403);
}

#[tokio::test]
async fn a_consent_is_registered_and_withdrawn_on_the_page_and_binds_the_centres_messages() {
    let site = Site::new().await;
    site.person("anna", UserRole::Coordinator).await;
    let centre = site.key("centre").await;
    json(site.post("/api/v1/messages", &centre, &letters::request("school-1", "Запрос")).await).await;
    let (cookie, csrf) = site.enter("anna").await;
    let act = format!("/board/cases/{CASE}");
    let register = [
        ("csrf", &*csrf),
        ("action", "register_consent"),
        ("kind", "processing"),
        ("reference", "согласие № 7"),
        ("bodies", "school-1, school-2"),
        ("data_education", "1"),
        ("from", "2026-02-01"),
        ("until", ""),
    ];
    assert_eq!(site.post_form(&act, &cookie, &register).await.status(), 303);
    let html = site.page(&act, &cookie).await;
    for part in ["Образцовая школа № 1, Примерная школа № 2", "Обучение", "с 01.02.2026 до отзыва", "Действует"]
    {
        assert!(html.contains(part), "{part} in {html}");
    }
    json(site.post("/api/v1/messages", &centre, &letters::request("school-2", "Запрос")).await).await;
    let withdraw = [("csrf", &*csrf), ("action", "withdraw_consent"), ("no", "1"), ("on", "2026-03-02")];
    assert_eq!(site.post_form(&act, &cookie, &withdraw).await.status(), 303);
    assert!(site.page(&act, &cookie).await.contains("отозвано 02.03.2026"));
    let refused = site.post("/api/v1/messages", &centre, &letters::request("school-1", "Ещё")).await;
    assert_eq!(code(refused).await, (422, "consent_not_in_force".to_owned()));
}

#[tokio::test]
async fn the_log_of_disclosures_is_a_page_json_and_a_file_and_names_who_read_the_case() {
    let site = Site::new().await;
    site.person("anna", UserRole::Observer).await;
    let centre = site.key("centre").await;
    json(site.post("/api/v1/messages", &centre, &letters::request("school-1", "Запрос")).await).await;
    let (cookie, _) = site.enter("anna").await;
    site.page(&format!("/board/cases/{CASE}"), &cookie).await;
    let page = site.page(&format!("/board/cases/{CASE}/disclosures"), &cookie).await;
    let parts = [
        "Прочитана запись о случае",
        "Сотрудник или система центра",
        "Сообщение направлено",
        "school-1",
        "Согласие (в реестре нет): согласие № 7",
    ];
    for part in parts {
        assert!(page.contains(part), "{part} in {page}");
    }
    let path = format!("/api/v1/cases/{CASE}/disclosures");
    let log = site.get(&path, &centre).await;
    let lines = log["disclosures"].as_array().unwrap();
    let first = lines.last().unwrap();
    assert_eq!(
        (&first["kind"], &first["to"], &first["ground"]["is"]),
        (&json!("message"), &json!("school-1"), &json!("consent"))
    );
    assert_eq!(lines[0]["to"], "centre", "this reading itself");
    let csv = fetch(&site, &format!("{path}?format=csv"), &centre).await;
    assert_eq!(csv.headers()["content-type"], "text/csv; charset=utf-8");
    let csv = csv.text().await.unwrap();
    assert!(csv.starts_with("seq,at,kind,what,by,to,ground,ground_words,message,exchange\r\n"), "{csv}");
    assert!(csv.contains(",message,request.school-characteristics,centre,school-1,consent,согласие № 7,"), "{csv}");
    assert!(csv.contains(",record_read,record,mezhved,anna,keeper,"), "{csv}");
}

#[tokio::test]
async fn a_body_sees_no_case_and_a_centre_decides_about_its_own_by_key() {
    let site = Site::new().await;
    let (centre, school) = (site.key("centre").await, site.key("school-1").await);
    json(site.post("/api/v1/messages", &centre, &letters::request("school-1", "Запрос")).await).await;
    let path = format!("/api/v1/cases/{CASE}");
    assert_eq!(code(fetch(&site, &path, &school).await).await, (404, "not_found".to_owned()));
    assert_eq!(code(fetch(&site, "/api/v1/cases", &school).await).await, (403, "keeps_no_cases".to_owned()));
    let close = json!({"action": "close", "reason": "Переезд"});
    assert_eq!(code(site.post(&path, &school, &close).await).await, (404, "not_found".to_owned()));
    let view = json(site.post(&path, &centre, &json!({"action": "open", "track": "dangerous_position"})).await).await;
    assert_eq!((&view["standing"], &view["track"]), (&json!("open"), &json!("dangerous_position")));
    let list = site.get("/api/v1/cases?standing=open", &centre).await;
    assert_eq!(list["cases"][0]["number"], "СЛ-2026/014");
    let view = json(site.post(&path, &centre, &close).await).await;
    assert_eq!((&view["standing"], &view["reason"]), (&json!("closed"), &json!("Переезд")));
    assert_eq!(code(site.post(&path, &centre, &close).await).await, (409, "case_closed".to_owned()));
    let bad = site.post("/api/v1/cases/%20", &centre, &json!({"action": "open"})).await;
    assert_eq!(code(bad).await, (422, "bad_case_number".to_owned()));
    assert_eq!(code(fetch(&site, "/api/v1/cases?standing=any", &centre).await).await, (400, "bad_query".to_owned()));
}
