//! The API as a participant's system uses it.
//!
//! Promises: the whole road: submit, pull, register, answer, read back. Never: looks into the store.

use crate::letters;
use crate::site::{Site, at, code, json};
use mezhved::gateway::ports::Accounts;
use mezhved::gateway::ports::accounts::StoredKey;
use mezhved::web::secrets::Token;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn message_is_registered_and_its_answer_owed() {
    let site = Site::new().await;
    let key = site.key("centre").await;
    let letter = letters::request("school-1", "Запрос характеристики");
    let answer = site.post("/api/v1/messages", &key, &letter).await;
    assert_eq!(answer.status(), 202);
    let receipt = json(answer).await;
    assert_eq!((&receipt["id"], &receipt["exchange"]), (&letter["id"], &letter["id"]));
    assert_eq!(receipt["obligations"][0]["performer"], "school-1");
    // Five working days after Monday the 2nd; the 9th is a day off (8 March is a Sunday).
    assert_eq!(receipt["obligations"][0]["due_on"], "2026-03-10");
    assert!(receipt["registration"]["number"].is_string() && receipt["parked"] == false);
    let again = site.post("/api/v1/messages", &key, &letter).await;
    assert_eq!(again.status(), 200);
    assert_eq!(json(again).await, receipt);
}

#[tokio::test]
async fn other_content_under_the_same_id_is_a_conflict() {
    let site = Site::new().await;
    let key = site.key("centre").await;
    let mut letter = letters::request("school-1", "Первое");
    site.post("/api/v1/messages", &key, &letter).await;
    letter["summary"] = json!("Второе");
    let answer = site.post("/api/v1/messages", &key, &letter).await;
    assert_eq!(code(answer).await, (409, "id_conflict".to_owned()));
}

#[tokio::test]
async fn all_faults_are_told_at_once_with_their_paths() {
    let site = Site::new().await;
    let key = site.key("centre").await;
    let mut letter = letters::request("school-1", "Запрос");
    letter["body"]["child"].as_object_mut().unwrap().remove("name");
    letter["body"]["questions"] = json!(["nonsense"]);
    let answer = site.post("/api/v1/messages", &key, &letter).await;
    assert_eq!(answer.status(), 422);
    let problem = json(answer).await;
    let paths: Vec<&str> =
        problem["faults"].as_array().unwrap().iter().map(|fault| fault["path"].as_str().unwrap()).collect();
    assert!(paths.len() >= 2 && paths.iter().any(|path| path.contains("questions")), "{problem}");
}

#[tokio::test]
async fn malformed_document_is_told_with_line_and_column() {
    let site = Site::new().await;
    let key = site.key("centre").await;
    let request = site.client.post(site.url("/api/v1/messages")).bearer_auth(&key);
    let answer = request.header("content-type", "application/xml").body("<a>\n<b></a>").send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let problem = json(answer).await;
    assert_eq!((problem["code"].as_str(), problem["line"].as_u64()), (Some("not_well_formed"), Some(2)), "{problem}");
}

#[tokio::test]
async fn whole_exchange_goes_over_http() {
    let site = Site::new().await;
    let (centre, school) = (site.key("centre").await, site.key("school-1").await);
    let letter = letters::request("school-1", "Запрос характеристики");
    let receipt = json(site.post("/api/v1/messages", &centre, &letter).await).await;
    let inbox = site.get("/api/v1/inbox", &school).await;
    let item = inbox["letters"].as_array().unwrap().iter().find(|item| item["id"] == letter["id"]).unwrap();
    let path = format!("/api/v1/inbox/{}/registration", letter["id"].as_str().unwrap());
    let notice = json!({"accepted": true, "content_sha256": item["content_sha256"], "number": "вх-55"});
    let delivery = json(site.post(&path, &school, &notice).await).await;
    assert_eq!(delivery["state"], "registered", "{delivery}");
    let reply = letters::reply(&letter, "school-1");
    assert_eq!(site.post("/api/v1/messages", &school, &reply).await.status(), 202);
    let obligation = format!("/api/v1/obligations/{}", receipt["obligations"][0]["id"].as_str().unwrap());
    assert_eq!(site.get(&obligation, &centre).await["state"], "fulfilled");
    let withdrawn = site.post(&format!("{obligation}/withdraw"), &centre, &json!({"reason": "уже не нужно"})).await;
    assert_eq!(code(withdrawn).await.0, 409);
    // A complete answer is released by itself; the controller may still send it back.
    let foreign = site.post(&format!("{obligation}/return"), &school, &json!({"reason": "пусть"})).await;
    assert_eq!(code(foreign).await.0, 403);
    let returned =
        site.post(&format!("{obligation}/return"), &centre, &json!({"reason": "нет сведений о пропусках"})).await;
    assert_eq!(json(returned).await["state"], "running");
    let extended = site.post(&format!("{obligation}/extend"), &centre, &json!({"due_on": "2026-03-16"})).await;
    assert_eq!(json(extended).await["due_on"], "2026-03-16");
    let explanation = site.get(&format!("{obligation}/explanation"), &school).await;
    assert!(!explanation["lines"].as_array().unwrap().is_empty());
    let chronology = site.get(&format!("/api/v1/exchanges/{}", letter["id"].as_str().unwrap()), &centre).await;
    assert!(chronology["entries"].as_array().unwrap().len() >= 3, "{chronology}");
}

#[tokio::test]
async fn message_is_read_in_the_format_that_is_asked_for_and_by_its_parties_only() {
    let site = Site::new().await;
    let (centre, other) = (site.key("centre").await, site.key("school-2").await);
    let letter = letters::request("school-1", "Запрос");
    site.post("/api/v1/messages", &centre, &letter).await;
    let path = format!("/api/v1/messages/{}", letter["id"].as_str().unwrap());
    let read =
        |key: &str, accept: &str| site.client.get(site.url(&path)).bearer_auth(key).header("accept", accept).send();
    let xml = read(&centre, "application/xml").await.unwrap();
    assert_eq!(xml.headers()["content-type"], "application/xml; charset=utf-8");
    assert!(xml.text().await.unwrap().contains("urn:mezhved:message:1"));
    assert_eq!(json(read(&centre, "application/json").await.unwrap()).await["id"], letter["id"]);
    assert_eq!(code(read(&centre, "text/csv").await.unwrap()).await, (406, "not_acceptable".to_owned()));
    assert_eq!(code(read(&other, "application/json").await.unwrap()).await, (404, "not_found".to_owned()));
}

#[tokio::test]
async fn obligations_are_filtered_and_paged() {
    let site = Site::new().await;
    let (centre, school) = (site.key("centre").await, site.key("school-2").await);
    for no in 0..5 {
        let to = if no == 0 { "school-2" } else { "school-1" };
        site.post("/api/v1/messages", &centre, &letters::request(to, "Запрос")).await;
    }
    let count = async |path: &str, key: &str| site.get(path, key).await["obligations"].as_array().unwrap().len();
    assert_eq!(count("/api/v1/obligations?direction=incoming", &centre).await, 5);
    assert_eq!(count("/api/v1/obligations?direction=outgoing", &centre).await, 0);
    assert_eq!(count("/api/v1/obligations?direction=outgoing", &school).await, 1);
    assert_eq!(count("/api/v1/obligations?participant=school-1&state=running&open=true", &centre).await, 4);
    assert_eq!(count("/api/v1/obligations?overdue=true", &centre).await, 0);
    assert_eq!(count("/api/v1/obligations?due_before=2026-03-01", &centre).await, 0);
    let (mut seen, mut path) = (Vec::new(), "/api/v1/obligations?limit=2".to_owned());
    loop {
        let page = site.get(&path, &centre).await;
        seen.extend(page["obligations"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/obligations?limit=2&after={next}");
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5);
    site.go_to("2026-03-12T02:00:00Z").await;
    assert_eq!(count("/api/v1/obligations?overdue=true", &centre).await, 5);
    assert_eq!(site.get("/api/v1/alerts", &centre).await["alerts"].as_array().unwrap().len(), 5);
    for wrong in ["?nonsense=1", "?direction=sideways", "?after=x", "?due_before=x", "?participant=А"] {
        let request = site.client.get(site.url(&format!("/api/v1/obligations{wrong}"))).bearer_auth(&centre);
        assert_eq!(code(request.send().await.unwrap()).await, (400, "bad_query".to_owned()), "{wrong}");
    }
}

#[tokio::test]
async fn inbox_is_pulled_page_by_page_by_letters_and_by_bytes() {
    let site = Site::new().await;
    let (centre, school) = (site.key("centre").await, site.key("school-1").await);
    for _ in 0..23 {
        let mut letter = letters::request("school-1", "Запрос");
        letter["body"]["comment"] = json!("длинное пояснение ".repeat(60));
        assert_eq!(site.post("/api/v1/messages", &centre, &letter).await.status(), 202);
    }
    let (mut after, mut sizes) = (0, Vec::new());
    loop {
        let page = site.get(&format!("/api/v1/inbox?limit=12&after={after}"), &school).await;
        sizes.push(page["letters"].as_array().unwrap().len());
        let Some(next) = page["next"].as_u64() else { break };
        after = next;
    }
    assert_eq!(sizes, [12, 11]);
}

#[tokio::test]
async fn keys_open_only_while_they_live() {
    let site = Site::new().await;
    let status = async |key: &str| {
        site.client.get(site.url("/api/v1/inbox")).bearer_auth(key).send().await.unwrap().status().as_u16()
    };
    let token = Token::random().unwrap();
    let (participant, now) = ("school-1".to_owned().try_into().unwrap(), at("2026-03-02T02:15:00Z"));
    let expires_at = Some(at("2026-03-03T00:00:00Z"));
    site.store.add_key(StoredKey { sha256: token.sha256(), participant, created_at: now, expires_at }).await.unwrap();
    assert_eq!(status(&token.as_key()).await, 200);
    site.people_clock.set(at("2026-03-04T00:00:00Z"));
    assert_eq!(status(&token.as_key()).await, 401);
    let key = site.key("school-2").await;
    assert_eq!(status(&key).await, 200);
    site.store.revoke_keys(&"school-2".to_owned().try_into().unwrap(), now).await.unwrap();
    assert_eq!(status(&key).await, 401);
    assert_eq!(status("nonsense").await, 401);
    let none = site.client.get(site.url("/api/v1/inbox")).send().await.unwrap();
    assert_eq!(none.headers()["www-authenticate"], "Bearer realm=\"mezhved\"");
    assert_eq!(code(none).await, (401, "unauthenticated".to_owned()));
}

#[tokio::test]
async fn wrong_addresses_and_methods_are_problems() {
    let site = Site::new().await;
    let answer = site.client.get(site.url("/api/v1/nothing")).send().await.unwrap();
    assert_eq!(code(answer).await, (404, "unknown_route".to_owned()));
    let answer = site.client.delete(site.url("/api/v1/messages")).send().await.unwrap();
    assert!(answer.headers()["allow"].to_str().unwrap().contains("POST"));
    assert_eq!(code(answer).await, (405, "wrong_method".to_owned()));
    let key = site.key("centre").await;
    let answer = site.client.get(site.url("/api/v1/obligations/not-an-id")).bearer_auth(&key).send().await.unwrap();
    assert_eq!(code(answer).await, (404, "not_found".to_owned()));
}

#[tokio::test]
async fn a_calendar_that_ends_soon_is_a_warning_and_the_gateway_stays_ready() {
    let site = Site::new().await;
    site.clock.set(at("2027-12-01T02:15:00Z"));
    site.gateway.sweep_once().await.unwrap();
    let ready = site.client.get(site.url("/health/ready")).send().await.unwrap();
    assert_eq!(ready.status(), 200);
    let warnings = json(ready).await["warnings"].clone();
    let expected = "calendar: published until 2027-12-31, 30 days left; install the next year's";
    assert_eq!(warnings, serde_json::json!([expected]));
}

#[tokio::test]
async fn every_answer_bears_the_security_headers() {
    let site = Site::new().await;
    for path in ["/login", "/nothing", "/health/live", "/api/v1/inbox", "/metrics", "/assets/mezhved.css"] {
        let answer = site.client.get(site.url(path)).send().await.unwrap();
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(answer.headers()["referrer-policy"], "no-referrer", "{path}");
        let is_asset = path.starts_with("/assets/");
        assert_eq!(answer.headers()["cache-control"] == "no-store", !is_asset, "{path}");
    }
}

#[tokio::test]
async fn health_names_the_reason_and_metrics_show_no_gap() {
    let site = Site::new().await;
    let answer = site.client.get(site.url("/health/ready")).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(json(answer).await["reasons"][0].as_str().unwrap().contains("sweep"));
    site.gateway.sweep_once().await.unwrap();
    let ready = site.client.get(site.url("/health/ready")).send().await.unwrap();
    assert_eq!(ready.status(), 200);
    assert_eq!(json(ready).await, serde_json::json!({"status": "ready", "warnings": []}));
    let key = site.key("centre").await;
    site.post("/api/v1/messages", &key, &letters::request("school-1", "Запрос")).await;
    let text = site.client.get(site.url("/metrics")).send().await.unwrap().text().await.unwrap();
    // Other tests of this program share the figures of the process: the names are what counts here.
    for name in [
        "mezhved_conservation_gap",
        "mezhved_sweep_age_seconds",
        "mezhved_obligations_open",
        "mezhved_quarantine",
        "mezhved_calendar_days_left",
    ] {
        assert!(text.contains(&format!("\n{name} ")), "{name} in {text}");
    }
    assert!(text.contains("mezhved_http_requests_total{method=\"POST\",route=\"/api/v1/messages\",status=\"202\"}"));
}

#[tokio::test]
async fn events_are_streamed_live_and_resumed() {
    let site = Site::new().await;
    let (centre, school) = (site.key("centre").await, site.key("school-1").await);
    let mut live = site.client.get(site.url("/api/v1/events")).bearer_auth(&centre).send().await.unwrap();
    assert_eq!(live.headers()["content-type"], "text/event-stream; charset=utf-8");
    let letter = letters::request("school-1", "Запрос");
    site.post("/api/v1/messages", &centre, &letter).await;
    let text = read_until(&mut live, "mezhved.message.registered").await;
    let line = text.lines().find(|line| line.starts_with("data: ") && line.contains("message.registered")).unwrap();
    let event: serde_json::Value = serde_json::from_str(&line[6..]).unwrap();
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["subject"], letter["id"]);
    assert!(!text.contains("Примеров"), "{text}");
    // From the beginning again, for one that was away; another participant sees only its own.
    let request = site.client.get(site.url("/api/v1/events")).bearer_auth(&centre).header("last-event-id", "0");
    let resumed = read_until(&mut request.send().await.unwrap(), "mezhved.message.registered").await;
    assert!(resumed.contains(&format!("id: {}", event["id"].as_str().unwrap())));
    let request = site.client.get(site.url("/api/v1/events?after=0")).bearer_auth(&school);
    let own = read_until(&mut request.send().await.unwrap(), "mezhved.obligation.opened").await;
    assert!(own.lines().filter(|line| line.contains("\"participant\"")).all(|line| line.contains("school-1")), "{own}");
}

async fn read_until(answer: &mut reqwest::Response, word: &str) -> String {
    let mut text = String::new();
    let reading = async {
        while !text.contains(word) {
            text.push_str(std::str::from_utf8(&answer.chunk().await.unwrap().expect("the stream ended")).unwrap());
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reading).await.expect(word);
    text
}

#[tokio::test]
async fn journal_comes_as_json_csv_and_page_and_only_to_its_owner() {
    let site = Site::new().await;
    let (centre, school) = (site.key("centre").await, site.key("school-1").await);
    site.post("/api/v1/messages", &centre, &letters::request("school-1", "=HYPERLINK(\"http://evil.example\")")).await;
    let journal = site.get("/api/v1/journal", &centre).await;
    assert_eq!(journal["lines"][0]["direction"], "outgoing");
    assert_eq!(site.get("/api/v1/journal", &school).await["lines"][0]["direction"], "incoming");
    let request = site.client.get(site.url("/api/v1/journal")).bearer_auth(&centre).header("accept", "text/csv");
    let csv = request.send().await.unwrap().text().await.unwrap();
    assert!(csv.starts_with("direction,number,date,") && csv.contains("\"'=HYPERLINK(\"\"http"), "{csv}");
    let request = site.client.get(site.url("/api/v1/journal?format=html")).bearer_auth(&centre);
    let page = request.send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Взаимодействие с субъектами системы профилактики"));
    assert!(page.contains("Исходящая информация и запросы") && page.contains("№ приложения"));
    let request = site.client.get(site.url("/api/v1/journal?participant=school-2")).bearer_auth(&centre);
    assert_eq!(code(request.send().await.unwrap()).await.0, 403);
}

#[tokio::test]
async fn catalogue_tells_who_may_send_what_and_which_answer_it_demands() {
    let site = Site::new().await;
    let key = site.key("school-1").await;
    let list = site.get("/api/v1/catalogue", &key).await;
    let types = list["types"].as_array().unwrap();
    assert!(types.iter().any(|one| one["type"] == "ruling.commission" && one["role"] == "ruling"), "{list}");
    let one = site.get("/api/v1/catalogue/request.school-characteristics", &key).await;
    assert_eq!(one["answer"]["types"][0], "reply.school-characteristics");
    assert_eq!(one["parties"][0]["from"][0], "social_centre");
    assert!(one["schema"]["properties"].is_object());
    let answer = site.client.get(site.url("/api/v1/catalogue/no.such")).bearer_auth(&key).send().await.unwrap();
    assert_eq!(code(answer).await, (404, "not_found".to_owned()));
}

#[tokio::test]
async fn directory_shows_whom_to_call_and_not_where_pushes_go() {
    let site = Site::new().await;
    let key = site.key("school-2").await;
    let list = site.get("/api/v1/participants", &key).await;
    let codes: Vec<&str> =
        list["participants"].as_array().unwrap().iter().filter_map(|one| one["code"].as_str()).collect();
    assert_eq!(codes, ["centre", "commission", "education", "prosecutor", "school-1", "school-2"]);
    assert_eq!(list["participants"][0]["executor"]["phone"], "+7 (3955) 00-00-01");
    assert!(list["participants"][0]["route"].is_null());
}
