//! The clerk's desk: forms generated from the schema, scans, and who may register.
//!
//! Promises: reads the HTML that a browser would get, and sends what it would send. Never: a real name.

use crate::letters;
use crate::site::{Site, code, json};
use mezhved::gateway::content::sha256_hex;
use mezhved::gateway::ports::accounts::UserRole;
use reqwest::Response;
use serde_json::{Value, json};

const PDF: &[u8] = b"%PDF-1.7\n% plainly artificial\n";

/// A form as a browser sends it.
async fn send(site: &Site, (path, cookie): (&str, &str), fields: &[(&str, &str)], file: Option<&[u8]>) -> Response {
    post(site, (path, cookie, ""), fields, file).await
}

async fn post(
    site: &Site,
    (path, cookie, csrf): (&str, &str, &str),
    fields: &[(&str, &str)],
    file: Option<&[u8]>,
) -> Response {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").into_bytes());
    }
    // A browser sends an empty part where no file was chosen.
    let name = if file.is_some() { "ответ.pdf" } else { "" };
    let head = format!("--b\r\nContent-Disposition: form-data; name=\"/scan\"; filename=\"{name}\"\r\n\r\n");
    body.extend(head.into_bytes());
    body.extend(file.unwrap_or_default());
    body.extend(b"\r\n--b--\r\n");
    let request = site.client.post(site.url(path)).header("content-type", "multipart/form-data; boundary=b");
    let accept = if csrf.is_empty() { "text/html" } else { "application/json" };
    let request = request.header("cookie", cookie).header("accept", accept).header("x-csrf-token", csrf);
    request.body(body).send().await.unwrap()
}

/// The values of the hidden fields of a page.
fn hidden(page: &str, name: &str) -> String {
    let field = format!("type=\"hidden\" name=\"{name}\" value=\"");
    let value = page.split(&field).nth(1).unwrap_or_else(|| panic!("no {name} in {page}"));
    value.split('"').next().unwrap().to_owned()
}

/// The school's characteristics as a clerk types them off the paper.
const TYPED: [(&str, &str); 7] = [
    ("/at", "2026-03-02T10:15"),
    ("/registration/number", "14/исх"),
    ("/registration/date", "2026-03-02"),
    ("/summary", "Характеристика на бумаге"),
    ("/body/attendance/missed", "12"),
    ("/body/attendance/unexcused", "3"),
    ("/body/on_school_record", "false"),
];

/// What the form of that answer carries with it.
fn carried(page: &str) -> Vec<(&'static str, String)> {
    let names =
        ["csrf", "side", "/channel", "/counterparty", "/type", "/id", "/exchange", "/in_reply_to", "obligation"];
    names.map(|name| (name, hidden(page, name))).to_vec()
}

#[tokio::test]
async fn paper_answer_is_typed_into_a_form_of_its_schema_and_closes_the_obligation_with_its_scan() {
    let site = Site::new().await;
    site.person("klara", UserRole::Clerk).await;
    let centre = site.key("centre").await;
    let receipt = json(site.post("/api/v1/messages", &centre, &letters::request("school-1", "Запрос")).await).await;
    let id = receipt["obligations"][0]["id"].as_str().unwrap();
    let (cookie, _) = site.enter("klara").await;
    let obligation = site.page(&format!("/obligations/{id}"), &cookie).await;
    assert!(obligation.contains(&format!("/desk?obligation={id}&amp;/channel=paper")), "{obligation}");
    let page = site.page(&format!("/desk?obligation={id}&/channel=paper"), &cookie).await;
    for part in [
        "Характеристика с места учёбы",
        "Пропущено уроков",
        "name=\"/body/behaviour\"",
        "type=\"file\"",
        "Образцовая школа № 1",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let carried = carried(&page);
    let mut fields: Vec<(&str, &str)> = carried.iter().map(|(name, value)| (*name, value.as_str())).collect();
    fields.extend(TYPED);
    fields.extend([("/body/behaviour", "Спокойное."), ("/body/progress", "Хорошо.")]);

    // A field is missing: the fault stands at it, what was written stays, nothing is registered.
    let refused = send(&site, ("/desk", &cookie), &fields, Some(PDF)).await;
    assert_eq!(refused.status(), 422);
    let again = refused.text().await.unwrap();
    let field = again.split("name=\"/body/parents_contact\"").nth(1).unwrap();
    let field = field.split("</label>").next().unwrap();
    assert!(field.contains("aria-invalid") && field.contains("Заполните это поле."), "{field}");
    assert!(again.contains("value=\"14/исх\"") && again.contains(">Спокойное.</textarea>"), "{again}");
    assert_eq!(hidden(&again, "/id"), hidden(&page, "/id"), "the same form is the same message");

    fields.push(("/body/parents_contact", "Постоянная."));
    let taken = send(&site, ("/desk", &cookie), &fields, Some(PDF)).await;
    let place = taken.headers().get("location").map(|place| place.to_str().unwrap().to_owned());
    assert_eq!(place, Some(format!("/obligations/{id}?done=1")), "{}", taken.text().await.unwrap());
    let twice = send(&site, ("/desk", &cookie), &fields, Some(PDF)).await;
    assert_eq!(twice.status(), 303, "sent twice, registered once");
    let view = site.get(&format!("/api/v1/obligations/{id}"), &centre).await;
    assert_eq!(view["state"], "fulfilled");
    let lines = site.get("/api/v1/journal", &centre).await["lines"].clone();
    assert_eq!(lines.as_array().unwrap().len(), 2, "{lines}");
    assert_eq!((&lines[1]["channel"], &lines[1]["annexes"]), (&json!("paper"), &json!("1")));
    let evidence = site.page(&format!("/obligations/{id}/evidence"), &cookie).await;
    for part in ["klara (на бумаге)", "№ 14/исх", "ответ.pdf"] {
        assert!(evidence.contains(part), "{part} in {evidence}");
    }
    // The scan is saved, never shown.
    let address = format!("/api/v1/scans/{}", sha256_hex(PDF));
    let scan = site.client.get(site.url(&address)).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(scan.headers()["content-type"], "application/pdf");
    assert!(scan.headers()["content-disposition"].to_str().unwrap().starts_with("attachment; filename=\"scan-"));
    assert_eq!(scan.headers()["x-content-type-options"], "nosniff");
    assert_eq!(scan.bytes().await.unwrap(), PDF);
    let other = site.key("school-2").await;
    let foreign = site.client.get(site.url(&address)).bearer_auth(other).send().await.unwrap();
    assert_eq!(code(foreign).await, (404, "not_found".into()));
}

#[tokio::test]
async fn a_call_is_noted_in_a_form_of_its_own_and_opens_what_was_spoken() {
    let site = Site::new().await;
    site.person("klara", UserRole::Clerk).await;
    let (cookie, csrf) = site.enter("klara").await;
    let start = site.page("/desk?side=in&/channel=phone&/counterparty=school-1", &cookie).await;
    assert!(start.contains("Письменный запрос") && !start.contains("Постановление"), "what can be spoken: {start}");
    let form =
        site.page("/desk?side=in&/channel=phone&/counterparty=school-1&/type=request.information", &cookie).await;
    assert!(!form.contains("name=\"/body/carries\"") && form.contains("name=\"/body/caller/name\""), "{form}");
    let id = hidden(&form, "/id");
    let fields = [
        ("csrf", csrf.as_str()),
        ("side", "in"),
        ("/channel", "phone"),
        ("/counterparty", "school-1"),
        ("/type", "request.information"),
        ("/id", &id),
        ("/at", "2026-03-02T10:00"),
        ("/body/caller/name", "Завучева З. З."),
        ("/body/taken_by/name", "Контролёрова К. К."),
        ("/body/text", "Просим сообщить, посещает ли ребёнок кружок."),
        ("/body/confirm_in_writing", "true"),
    ];
    let taken = send(&site, ("/desk", &cookie), &fields, None).await;
    let place = taken.headers().get("location").map(|place| place.to_str().unwrap().to_owned());
    let place = place.unwrap_or_default();
    assert!(place.starts_with("/obligations/"), "{place}: {}", taken.text().await.unwrap());
    let page = site.page(&place, &cookie).await;
    assert!(page.contains("по телефону, поступило или вручено 02.03.2026 10:00"), "{page}");
}

#[tokio::test]
async fn what_goes_out_on_paper_asks_who_took_it() {
    let site = Site::new().await;
    site.person("klara", UserRole::Clerk).await;
    let (cookie, csrf) = site.enter("klara").await;
    let address = "/desk?side=out&/channel=paper&/counterparty=school-1&/type=request.information";
    let form = site.page(address, &cookie).await;
    let id = hidden(&form, "/id");
    let mut fields = vec![
        ("csrf", csrf.as_str()),
        ("side", "out"),
        ("/channel", "paper"),
        ("/counterparty", "school-1"),
        ("/type", "request.information"),
        ("/id", &id),
        ("/at", "2026-03-02T10:00"),
        ("/body/persons/0/name", "Примеров Пример"),
        // The second row was left empty, the third is filled: rows close up.
        ("/body/persons/2/name", "Примерова Проба"),
        ("/body/questions/0", "Посещает ли ребёнок занятия?"),
    ];
    let refused = send(&site, ("/desk", &cookie), &fields, None).await;
    assert_eq!(refused.status(), 422);
    let page = refused.text().await.unwrap();
    let field = page.split("name=\"/handed/way\"").nth(1).unwrap().split("</label>").next().unwrap();
    assert!(field.contains("class=\"fault\""), "{field}");
    fields.extend([("/handed/way", "hand"), ("/handed/taken_by", "Секретарёва С. С.")]);
    let taken = send(&site, ("/desk", &cookie), &fields, None).await;
    assert_eq!(taken.status(), 303, "{}", taken.text().await.unwrap());
    let school = site.key("school-1").await;
    let letter = site.get(&format!("/api/v1/messages/{id}"), &school).await;
    assert_eq!(letter["body"]["persons"].as_array().unwrap().len(), 2);
    let inbox = site.get("/api/v1/inbox", &school).await;
    assert_eq!(inbox["letters"], json!([]), "it has it on paper");
}

#[tokio::test]
async fn a_desk_is_for_people_who_may_and_a_clerk_decides_nothing() {
    let site = Site::new().await;
    site.person("klara", UserRole::Clerk).await;
    site.person("olga", UserRole::Observer).await;
    let centre = site.key("centre").await;
    let receipt = json(site.post("/api/v1/messages", &centre, &letters::request("school-1", "Запрос")).await).await;
    let id = receipt["obligations"][0]["id"].as_str().unwrap();
    let (observer, seal) = site.enter("olga").await;
    let fields = [("csrf", seal.as_str()), ("side", "in"), ("/channel", "paper"), ("/counterparty", "school-1")];
    assert_eq!(send(&site, ("/desk", &observer), &fields, None).await.status(), 403);
    let (cookie, csrf) = site.enter("klara").await;
    let decision = [("csrf", csrf.as_str()), ("next", "/"), ("action", "release")];
    assert_eq!(site.post_form(&format!("/obligations/{id}/decision"), &cookie, &decision).await.status(), 403);
    let page = site.page(&format!("/obligations/{id}"), &cookie).await;
    assert!(!page.contains("/decision\""), "no buttons that would be refused: {page}");
    assert_eq!(send(&site, ("/desk", &cookie), &[("csrf", "x")], None).await.status(), 403);
    let entry = entry(id, &receipt);
    let by_key = site.post("/api/v1/desk/messages", &centre, &entry).await;
    assert_eq!(code(by_key).await, (403, "person_needed".into()));
}

/// The answer to that receipt's request, as a program of the desk sends it.
fn entry(id: &str, receipt: &Value) -> Value {
    assert!(!id.is_empty());
    let mut message = letters::reply(receipt, "school-1");
    message["in_reply_to"] = receipt["id"].clone();
    message["registration"]["date"] = json!("2026-03-02");
    json!({ "channel": "mail", "at": "2026-03-02T10:15:00+08:00", "message": message })
}

#[tokio::test]
async fn a_program_of_the_desk_hands_in_an_entry_with_its_scan_and_what_is_too_large_or_no_scan_is_refused() {
    let site = Site::new().await;
    site.person("klara", UserRole::Clerk).await;
    let centre = site.key("centre").await;
    let receipt = json(site.post("/api/v1/messages", &centre, &letters::request("school-1", "Запрос")).await).await;
    let (cookie, csrf) = site.enter("klara").await;
    let entry = entry(receipt["id"].as_str().unwrap(), &receipt).to_string();
    let address = ("/api/v1/desk/messages", cookie.as_str(), csrf.as_str());
    let fields = [("entry", entry.as_str())];
    let script = post(&site, address, &fields, Some(b"#!/bin/sh\n")).await;
    assert_eq!(code(script).await, (422, "scan_format".into()));
    let mut large = PDF.to_vec();
    large.resize(20 * 1024 * 1024 + 1, b' ');
    assert_eq!(code(post(&site, address, &fields, Some(&large)).await).await, (413, "limit_scans".into()));
    let without_token = post(&site, (address.0, address.1, "x"), &fields, Some(PDF)).await;
    assert_eq!(code(without_token).await, (403, "csrf_missing".into()));
    let taken = post(&site, address, &fields, Some(PDF)).await;
    assert_eq!(taken.status(), 202);
    assert_eq!(post(&site, address, &fields, Some(PDF)).await.status(), 200, "the original outcome again");
    let journal = site.get("/api/v1/journal", &centre).await;
    assert_eq!(journal["lines"].as_array().unwrap().len(), 2);
}
