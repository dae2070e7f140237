//! Attachments over HTTP: put and fetched by their digest, by whom they are for and by nobody else.
//!
//! Promises: every file is plainly artificial bytes. Never: looks into the store for what the door can tell.

use crate::letters;
use crate::site::{Site, code, json};
use chrono::TimeDelta;
use mezhved::gateway::attachments::AttachmentRules;
use mezhved::gateway::content::sha256_hex;
use mezhved::gateway::ports::accounts::UserRole;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

const GRACE: Duration = Duration::from_secs(60);
const PDF: &[u8] = b"%PDF-1.7\n% plainly artificial, and no page in it\n";

fn place(content: &[u8]) -> String {
    format!("/api/v1/attachments/{}", sha256_hex(content))
}

async fn put(site: &Site, key: &str, content: &[u8]) -> Response {
    put_at(site, (key, &place(content)), content).await
}

async fn put_at(site: &Site, (key, path): (&str, &str), content: &[u8]) -> Response {
    let request = site.client.put(site.url(path)).bearer_auth(key).header("content-type", "application/pdf");
    request.body(content.to_vec()).send().await.unwrap()
}

async fn get(site: &Site, key: &str, content: &[u8]) -> Response {
    site.client.get(site.url(&place(content))).bearer_auth(key).send().await.unwrap()
}

/// A request to a school that names a file.
fn naming(content: &[u8], to: &str) -> Value {
    let mut letter = letters::request(to, "Запрос с приложением");
    letter["attachments"] = json!([{
        "annex": 1, "name": "Приложение.pdf", "media_type": "application/pdf", "size": content.len(),
        "sha256": sha256_hex(content),
    }]);
    letter
}

async fn send(site: &Site, key: &str, letter: &Value) -> Value {
    let answer = site.post("/api/v1/messages", key, letter).await;
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    json(answer).await
}

/// Waits until nothing is left of what was begun.
async fn nothing_is_left(site: &Site) {
    let deadline = Instant::now() + GRACE;
    while !site.files().is_empty() {
        assert!(Instant::now() < deadline, "left: {:?}", site.files());
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_file_is_put_once_named_by_a_message_and_fetched_by_its_addressee() {
    let site = Site::new().await;
    let (centre, school) = (site.key("centre").await, site.key("school-1").await);
    let first = put(&site, &centre, PDF).await;
    assert_eq!((first.status(), first.headers()["location"].to_str().unwrap()), (StatusCode::CREATED, &*place(PDF)));
    let taken = json!({ "sha256": sha256_hex(PDF), "media_type": "application/pdf", "size": PDF.len() });
    assert_eq!(json(first).await, taken);
    assert_eq!(put(&site, &centre, PDF).await.status(), StatusCode::OK, "the same again");
    assert_eq!(get(&site, &school, PDF).await.status(), StatusCode::NOT_FOUND, "nobody has sent it to the school");
    let receipt = send(&site, &centre, &naming(PDF, "school-1")).await;
    assert!(receipt.get("attachments_awaited").is_none(), "{receipt}");
    let given = get(&site, &school, PDF).await;
    let header = |name: &str| given.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(
        (header("content-type"), header("x-content-type-options")),
        ("application/pdf".into(), "nosniff".into())
    );
    let name = format!("attachment; filename=\"attachment-{}.pdf\"", &sha256_hex(PDF)[..12]);
    assert_eq!(header("content-disposition"), name, "nothing of the child, and nothing of the sender's name");
    assert_eq!(header("content-length"), PDF.len().to_string());
    assert_eq!(given.bytes().await.unwrap(), PDF);
    let look = site.client.head(site.url(&place(PDF))).bearer_auth(&school).send().await.unwrap();
    assert_eq!((look.status(), look.headers()["content-length"].to_str().unwrap()), (StatusCode::OK, "49"));
    assert_eq!(site.files().len(), 1);
}

#[tokio::test]
async fn a_part_of_a_file_is_given_where_one_is_asked_for() {
    let site = Site::new().await;
    let centre = site.key("centre").await;
    put(&site, &centre, PDF).await;
    let part =
        |range: &'static str| site.client.get(site.url(&place(PDF))).bearer_auth(&centre).header("range", range).send();
    let given = part("bytes=1-3").await.unwrap();
    assert_eq!(
        (given.status(), given.headers()["content-range"].to_str().unwrap()),
        (StatusCode::PARTIAL_CONTENT, "bytes 1-3/49")
    );
    assert_eq!(given.bytes().await.unwrap(), b"PDF".as_slice());
    assert_eq!(part("bytes=-3").await.unwrap().bytes().await.unwrap(), PDF[PDF.len() - 3..]);
    assert_eq!(part("bytes=40-9999").await.unwrap().bytes().await.unwrap(), PDF[40..]);
    assert_eq!(code(part("bytes=49-").await.unwrap()).await, (416, "bad_range".into()));
}

#[tokio::test]
async fn a_third_participant_can_neither_read_a_file_nor_tell_that_it_is_there() {
    let site = Site::new().await;
    let (centre, third) = (site.key("centre").await, site.key("school-2").await);
    put(&site, &centre, PDF).await;
    send(&site, &centre, &naming(PDF, "school-1")).await;
    let other = b"%PDF-1.7 that nobody has put";
    let (here, nowhere) = (get(&site, &third, PDF).await, get(&site, &third, other).await);
    assert_eq!(here.headers().len(), nowhere.headers().len());
    assert_eq!((code(here).await, code(nowhere).await), ((404, "not_found".into()), (404, "not_found".into())));
    // To name the digest of what one has not got gives it neither to oneself nor to one's addressee.
    let commission = site.key("commission").await;
    for content in [PDF, other] {
        let mut answer = letters::reply(&json!({ "id": uuid::Uuid::new_v4() }), "school-2");
        answer["to"] = json!(["centre"]);
        answer["attachments"] = naming(content, "centre")["attachments"].clone();
        let receipt = site.post("/api/v1/messages", &third, &answer).await;
        let receipt = json(receipt).await;
        assert_eq!(receipt["attachments_awaited"], json!([sha256_hex(content)]), "{receipt}");
        assert_eq!(code(get(&site, &third, content).await).await, (404, "attachment_awaited".into()));
        assert_eq!(code(get(&site, &commission, content).await).await, (404, "not_found".into()));
    }
    // Who has the content learns nothing from putting it: it is new to him.
    assert_eq!(put(&site, &third, PDF).await.status(), StatusCode::CREATED);
    assert_eq!(get(&site, &third, PDF).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_message_that_comes_before_its_file_waits_for_nothing_and_the_file_is_there_when_it_is_put() {
    let site = Site::new().await;
    let (centre, school) = (site.key("centre").await, site.key("school-1").await);
    let letter = naming(PDF, "school-1");
    let receipt = send(&site, &centre, &letter).await;
    assert_eq!(receipt["attachments_awaited"], json!([sha256_hex(PDF)]), "{receipt}");
    assert_eq!(code(get(&site, &school, PDF).await).await, (404, "attachment_awaited".into()));
    // Of another's putting it, the addressee has nothing.
    put(&site, &site.key("school-2").await, PDF).await;
    assert_eq!(code(get(&site, &school, PDF).await).await, (404, "attachment_awaited".into()));
    assert_eq!(put(&site, &centre, PDF).await.status(), StatusCode::CREATED);
    assert_eq!(get(&site, &school, PDF).await.bytes().await.unwrap(), PDF);
    let again = send(&site, &centre, &letter).await;
    assert!(again.get("attachments_awaited").is_none(), "{again}");
}

#[tokio::test]
async fn what_a_message_says_of_a_file_must_be_what_was_put() {
    let site = Site::new().await;
    let centre = site.key("centre").await;
    put(&site, &centre, PDF).await;
    for (field, value) in [("size", json!(1)), ("media_type", json!("image/png"))] {
        let mut letter = naming(PDF, "school-1");
        letter["attachments"][0][field] = value;
        let refused = site.post("/api/v1/messages", &centre, &letter).await;
        assert_eq!(code(refused).await, (422, "attachment_differs".into()), "{field}");
    }
}

#[tokio::test]
async fn who_reads_a_file_stands_in_the_log_of_its_case() {
    let site = Site::new().await;
    let (centre, school) = (site.key("centre").await, site.key("school-1").await);
    put(&site, &centre, PDF).await;
    let letter = naming(PDF, "school-1");
    send(&site, &centre, &letter).await;
    let readers = async || {
        let log = site.get("/api/v1/cases/%D0%A1%D0%9B-2026%2F014/disclosures", &centre).await;
        let lines = log["disclosures"].as_array().unwrap().clone();
        let lines = lines.into_iter().filter(|line| line["kind"] == "message_read" && line["message"] == letter["id"]);
        lines.map(|line| line["to"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(readers().await.is_empty());
    get(&site, &site.key("school-2").await, PDF).await;
    assert!(readers().await.is_empty(), "who got nothing does not stand there");
    get(&site, &school, PDF).await;
    assert_eq!(readers().await, ["school-1"]);
    site.person("olga", UserRole::Coordinator).await;
    let (cookie, _) = site.enter("olga").await;
    let read = site.client.get(site.url(&place(PDF))).header("cookie", cookie).send().await.unwrap();
    assert_eq!(read.bytes().await.unwrap(), PDF);
    assert_eq!(readers().await, ["olga", "school-1"], "people of the centre read what it has put");
}

#[tokio::test]
async fn another_content_another_kind_and_too_much_leave_nothing() {
    let site = Site::new().await;
    let media_types = AttachmentRules::default().media_types;
    site.gateway.set_attachment_rules(AttachmentRules { bytes_max: 100, media_types });
    let centre = site.key("centre").await;
    let other = put_at(&site, (&centre, &place(b"%PDF-1.7 another")), PDF).await;
    assert_eq!(code(other).await, (422, "attachment_digest".into()));
    let large = [PDF, &[b'x'; 100]].concat();
    assert_eq!(code(put(&site, &centre, &large).await).await, (413, "limit_attachment_bytes".into()));
    let picture = b"GIF89a, whatever its sender says";
    assert_eq!(code(put(&site, &centre, picture).await).await, (415, "attachment_type".into()));
    let page = site.client.put(site.url(&place(PDF))).bearer_auth(&centre).header("content-type", "text/html");
    assert_eq!(code(page.body(PDF).send().await.unwrap()).await, (415, "attachment_type".into()));
    let nowhere = put_at(&site, (&centre, "/api/v1/attachments/..%2F..%2Fmezhved.db"), PDF).await;
    assert_eq!(code(nowhere).await, (404, "not_found".into()));
    nothing_is_left(&site).await;
    for content in [PDF, &large, picture] {
        assert_eq!(code(get(&site, &centre, content).await).await, (404, "not_found".into()));
    }
}

fn head(key: &str, more: &str) -> String {
    format!(
        "PUT {} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/pdf\r\n{more}\r\n\r\n",
        place(PDF)
    )
}

#[tokio::test]
async fn a_file_that_breaks_off_or_drips_leaves_nothing() {
    let site = Site::impatient().await;
    let key = site.key("centre").await;
    // More than what goes to the disk at once, so that something is there to be left.
    let much = vec![b'x'; 2 * 1024 * 1024];
    let mut broken = TcpStream::connect(site.address).await.unwrap();
    broken.write_all(head(&key, "Content-Length: 99000000").as_bytes()).await.unwrap();
    broken.write_all(&much).await.unwrap();
    let deadline = Instant::now() + GRACE;
    while site.files().is_empty() {
        assert!(Instant::now() < deadline, "nothing comes to the disk");
        sleep(Duration::from_millis(5)).await;
    }
    drop(broken);
    nothing_is_left(&site).await;
    let dripping = TcpStream::connect(site.address).await.unwrap();
    let (mut reading, mut writing) = dripping.into_split();
    writing.write_all(head(&key, "Content-Length: 99000000").as_bytes()).await.unwrap();
    let drip = tokio::spawn(async move {
        while writing.write_all(b"%").await.is_ok() {
            sleep(Duration::from_millis(300)).await;
        }
    });
    let mut answer = vec![0; 12];
    timeout(GRACE, reading.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer, b"HTTP/1.1 408");
    drip.abort();
    nothing_is_left(&site).await;
}

#[tokio::test]
async fn the_same_file_from_two_at_once_is_one_file_of_both() {
    let site = Site::new().await;
    let (centre, school) = (site.key("centre").await, site.key("school-1").await);
    let content = [PDF, &vec![b'x'; 3 * 1024 * 1024]].concat();
    let (one, other) = tokio::join!(put(&site, &centre, &content), put(&site, &school, &content));
    assert_eq!((one.status(), other.status()), (StatusCode::CREATED, StatusCode::CREATED));
    for key in [&centre, &school] {
        assert!(get(&site, key, &content).await.bytes().await.unwrap() == content);
    }
    assert_eq!(site.files().len(), 1, "{:?}", site.files());
}

#[tokio::test]
async fn a_file_that_was_changed_on_disk_is_not_given_whole_and_is_healed_by_putting_it_again() {
    let site = Site::new().await;
    let centre = site.key("centre").await;
    let large = [PDF, &vec![b'x'; 1024 * 1024]].concat();
    for content in [PDF, &large] {
        put(&site, &centre, content).await;
        let is_its = |file: &std::path::PathBuf| file.ends_with(sha256_hex(content));
        let file = site.files().into_iter().find(is_its).unwrap();
        std::fs::write(&file, content.to_ascii_uppercase()).unwrap();
        let given = get(&site, &centre, content).await;
        match content.len() > PDF.len() {
            true => assert!(given.bytes().await.is_err(), "the answer breaks off"),
            false => assert_eq!(code(given).await, (503, "attachment_lost".into())),
        }
        assert_eq!(put(&site, &centre, content).await.status(), StatusCode::OK);
        assert!(get(&site, &centre, content).await.bytes().await.unwrap() == content);
        let aside = site.files().iter().filter(|file| file.to_string_lossy().contains(&sha256_hex(content))).count();
        assert_eq!(aside, 2, "what was there is set aside, not overwritten");
        std::fs::remove_file(&file).unwrap();
        assert_eq!(code(get(&site, &centre, content).await).await, (503, "attachment_lost".into()));
    }
}

#[tokio::test]
async fn a_file_that_nobody_names_is_removed_after_its_days_and_one_that_is_named_never() {
    let site = Site::new().await;
    let (centre, school) = (site.key("centre").await, site.key("school-1").await);
    let (named, orphan) = (PDF, b"%PDF-1.7 that nobody names".as_slice());
    let early = b"%PDF-1.7 that was named before it came".as_slice();
    send(&site, &centre, &naming(early, "school-1")).await;
    for content in [named, orphan, early] {
        assert_eq!(put(&site, &centre, content).await.status(), StatusCode::CREATED);
    }
    send(&site, &centre, &naming(named, "school-1")).await;
    let week = TimeDelta::days(7);
    assert_eq!(site.gateway.remove_leftover_attachments(week).await.unwrap(), 0, "its week is not over");
    site.clock.set(crate::site::at("2026-03-10T02:15:00Z"));
    assert_eq!(site.gateway.remove_leftover_attachments(week).await.unwrap(), 1);
    assert_eq!(site.files().len(), 2);
    assert_eq!(code(get(&site, &centre, orphan).await).await, (404, "not_found".into()));
    for content in [named, early] {
        assert_eq!(get(&site, &school, content).await.bytes().await.unwrap(), content);
    }
    assert_eq!(put(&site, &centre, orphan).await.status(), StatusCode::CREATED, "as if it had never been there");
    assert_eq!(get(&site, &centre, orphan).await.bytes().await.unwrap(), orphan);
}

#[tokio::test]
async fn a_person_and_a_stranger_put_nothing() {
    let site = Site::new().await;
    site.person("olga", UserRole::Coordinator).await;
    let (cookie, csrf) = site.enter("olga").await;
    let request = site.client.put(site.url(&place(PDF))).header("cookie", cookie).header("x-csrf-token", csrf);
    let person = request.header("content-type", "application/pdf").body(PDF).send().await.unwrap();
    assert_eq!(code(person).await, (403, "participant_only".into()));
    assert_eq!(code(put(&site, "mz_nobody", PDF).await).await, (401, "unauthenticated".into()));
    assert!(site.files().is_empty());
}
