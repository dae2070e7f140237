//! The evidence of an obligation: the file, the pages, who gets it, and what finds a changed byte.
//!
//! Promises: what is certified is true at that instant; each giving out is recorded. Never: the body of a message.

use crate::letters;
use crate::site::{Site, json};
use mezhved::cli::verify;
use mezhved::gateway::content::sha256_hex;
use mezhved::gateway::ports::accounts::UserRole;
use serde_json::{Value, json};

/// A site where the centre has asked school 1, with everything that an envelope can say.
struct Asked {
    site: Site,
    id: String,
    letter: Value,
    centre: String,
    school: String,
}

async fn asked() -> Asked {
    let site = Site::new().await;
    site.person("anna", UserRole::Coordinator).await;
    let (centre, school) = (site.key("centre").await, site.key("school-1").await);
    let mut letter = letters::request("school-1", "Запрос <b>характеристики</b>");
    letter["signatory"] = json!({"name": "Директорова Д. Д.", "post": "директор"});
    letter["attachments"] = json!([{
        "annex": 1, "name": "согласие.pdf", "media_type": "application/pdf", "size": 1234, "sha256": "a".repeat(64)
    }]);
    let receipt = json(site.post("/api/v1/messages", &centre, &letter).await).await;
    let id = receipt["obligations"][0]["id"].as_str().unwrap_or_else(|| panic!("{receipt}")).to_owned();
    Asked { site, id, letter, centre, school }
}

impl Asked {
    /// The school gives the request its own number.
    async fn registered(self) -> Self {
        let inbox = self.site.get("/api/v1/inbox", &self.school).await;
        let notice = json!({
            "accepted": true, "content_sha256": inbox["letters"][0]["content_sha256"], "number": "вх-7", "date": "2026-03-02"
        });
        let path = format!("/api/v1/inbox/{}/registration", self.letter["id"].as_str().unwrap());
        let answer = self.site.post(&path, &self.school, &notice).await;
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
        self
    }

    fn address(&self) -> String {
        format!("/api/v1/obligations/{}/evidence", self.id)
    }

    async fn file(&self, key: &str) -> String {
        let answer = self.site.client.get(self.site.url(&self.address())).bearer_auth(key).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/json");
        answer.text().await.unwrap()
    }

    async fn pack(&self) -> Value {
        serde_json::from_str(&self.file(&self.centre).await).unwrap()
    }
}

fn stages(letter: &Value) -> Vec<&str> {
    let stages = letter["deliveries"][0]["stages"].as_array().unwrap();
    stages.iter().map(|stage| stage["stage"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn evidence_tells_who_was_asked_for_what_and_how_the_request_arrived() {
    let asked = asked().await.registered().await;
    let pack = asked.pack().await;
    let request = &pack["request"];
    assert_eq!(request["stored_sha256"], sha256_hex(asked.letter.to_string().as_bytes()), "the bytes as they came");
    assert_eq!(request["stored_bytes"], asked.letter.to_string().len());
    assert_eq!((&request["registered_number"], &request["registered_on"]), (&json!("1/2026"), &json!("2026-03-02")));
    let said = &request["envelope"];
    assert_eq!((&said["outgoing_number"], &said["outgoing_date"]), (&json!("01-12/346"), &json!("2026-03-02")));
    assert_eq!(
        (&said["signatory"], &said["legal_basis"][0]),
        (&json!("Директорова Д. Д., директор"), &json!("120-ФЗ, ст. 9"))
    );
    assert_eq!((&said["purpose"], &said["annexes"][0]["name"]), (&asked.letter["summary"], &json!("согласие.pdf")));
    let delivered = &request["deliveries"][0];
    assert_eq!((&delivered["registration_number"], &delivered["state"]), (&json!("вх-7"), &json!("registered")));
    assert_eq!(delivered["content_sha256"].as_str().unwrap().len(), 64);
    assert_eq!(stages(request), ["queued", "registered"]);
    assert_eq!(pack["due"]["due_on"], "2026-03-10");
    assert!(pack["due"]["protocol"]["excluded"].to_string().contains("2026-03-09"), "the holiday is named");
    assert!(!pack.to_string().contains("Примеров"), "no body of a message");
    for absent in ["reminders", "interim", "extensions", "answers", "decisions"] {
        assert!(pack.get(absent).is_none(), "{absent}: nothing of the kind has happened");
    }
}

#[tokio::test]
async fn silence_is_certified_with_its_lateness_until_an_answer_comes() {
    let asked = asked().await.registered().await;
    let lines = asked.pack().await["certificate"]["lines"].to_string();
    assert!(lines.contains("не поступил") && lines.contains("ещё не истёк"), "{lines}");
    assert!(lines.contains("зарегистрирован адресатом: № вх-7 от 02.03.2026"), "{lines}");
    for day in ["2026-03-10T02:00:00Z", "2026-03-11T02:00:00Z", "2026-03-12T02:00:00Z"] {
        asked.site.go_to(day).await;
    }
    let pack = asked.pack().await;
    let lines = pack["certificate"]["lines"].to_string();
    assert!(lines.contains("по состоянию на 12.03.2026 10:00 (Asia/Irkutsk) не поступил"), "{lines}");
    assert!(lines.contains("Ответ на документ № 1/2026 от 02.03.2026 (исх. № 01-12/346 от 02.03.2026)"), "{lines}");
    assert!(lines.contains("Срок ответа истёк 10.03.2026 (вт), просрочка 2 рабочих дня."), "{lines}");
    assert_eq!(pack["reminders"][0]["type"], "control.reminder");
    let reply = letters::reply(&asked.letter, "school-1");
    assert_eq!(asked.site.post("/api/v1/messages", &asked.school, &reply).await.status(), 202);
    let pack = asked.pack().await;
    assert!(pack.get("certificate").is_none(), "{pack}");
    assert_eq!(pack["answers"][0]["letter"]["message"], reply["id"]);
    assert_eq!(pack["answers"][0]["letter"]["stored_sha256"], sha256_hex(reply.to_string().as_bytes()));
    assert_eq!(
        (&pack["obligation"]["state"], &pack["obligation"]["late_by_working_days"]),
        (&json!("fulfilled_late"), &json!(2))
    );
}

#[tokio::test]
async fn interim_reply_and_extension_stand_in_the_evidence_and_end_no_silence() {
    let asked = asked().await;
    let mut interim: Value =
        serde_json::from_str(include_str!("../../schemas/control.interim-reply/1/example.json")).unwrap();
    interim["created_at"] = asked.letter["created_at"].clone();
    interim["id"] = json!("5e4d0a10-7c3b-4f6e-9a51-00000000ffff");
    (interim["from"], interim["to"]) = (json!("school-1"), json!(["centre"]));
    (interim["exchange"], interim["in_reply_to"]) = (asked.letter["id"].clone(), asked.letter["id"].clone());
    assert_eq!(asked.site.post("/api/v1/messages", &asked.school, &interim).await.status(), 202);
    let path = format!("/api/v1/obligations/{}/extend", asked.id);
    let extended = asked.site.post(&path, &asked.centre, &json!({"due_on": "2026-03-17"})).await;
    assert_eq!(extended.status(), 200, "{}", extended.text().await.unwrap());
    let pack = asked.pack().await;
    assert_eq!(
        (&pack["interim"][0]["expected_on"], &pack["interim"][0]["letter"]["from"]["code"]),
        (&json!("2026-03-13"), &json!("school-1"))
    );
    assert_eq!(
        (&pack["extensions"][0]["due_on"], &pack["due"]["due_on"]),
        (&json!("2026-03-17"), &json!("2026-03-17"))
    );
    assert_eq!(pack["due"]["protocol"]["due_on"], "2026-03-10", "the frozen count stays");
    let lines = pack["certificate"]["lines"].to_string();
    assert!(lines.contains("Срок ответа 17.03.2026 (вт)") && lines.contains("Промежуточных ответов: 1"), "{lines}");
    let (cookie, _) = asked.site.enter("anna").await;
    let page = asked.site.page(&format!("/obligations/{}/evidence", asked.id), &cookie).await;
    for part in ["Промежуточные ответы", "Обещан к", "13.03.2026 (пт)", "Срок продлён", "17.03.2026 (вт)"]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[tokio::test]
async fn answer_that_was_sent_back_is_no_silence() {
    let asked = asked().await;
    let reply = letters::reply(&asked.letter, "school-1");
    assert_eq!(asked.site.post("/api/v1/messages", &asked.school, &reply).await.status(), 202);
    let path = format!("/api/v1/obligations/{}/return", asked.id);
    let returned = asked.site.post(&path, &asked.centre, &json!({"reason": "мало"})).await;
    assert_eq!(returned.status(), 200);
    let pack = asked.pack().await;
    assert_eq!(pack["obligation"]["state"], "running");
    assert!(pack.get("certificate").is_none(), "{pack}");
    assert_eq!((&pack["answers"][0]["fact"], &pack["decisions"][0]["fact"]), (&json!("answered"), &json!("returned")));
}

fn verified(file: &[u8]) -> (bool, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = verify::Args { file: "-".into() };
    let code = verify::run(&args, &mut &*file, (&mut out, &mut err)).unwrap();
    let said = String::from_utf8([out, err].concat()).unwrap();
    (format!("{code:?}") == format!("{:?}", std::process::ExitCode::SUCCESS), said)
}

#[tokio::test]
async fn verifying_a_file_says_what_was_checked_and_finds_any_changed_byte() {
    let asked = asked().await.registered().await;
    let file = asked.file(&asked.centre).await;
    let (is_whole, said) = verified(file.as_bytes());
    assert!(is_whole, "{said}");
    for part in [&*asked.id, "school-1 → centre", "due on 2026-03-10", "no electronic signature"] {
        assert!(said.contains(part) || said.replace('\n', " ").contains(part), "{part} in {said}");
    }
    let sum = file.rsplit("\"sha256\":\"").next().unwrap().strip_suffix("\"}").unwrap();
    let content = format!("{}}}", file.strip_suffix(&format!(",\"sha256\":\"{sum}\"}}")).unwrap());
    assert_eq!(sum, sha256_hex(content.as_bytes()), "anybody can count it");
    let moved = file.replace("2026-03-10", "2026-03-11");
    let (is_whole, said) = verified(moved.as_bytes());
    assert!(!is_whole && said.contains("it was altered"), "{said}");
    for place in (0..file.len()).step_by(97) {
        let mut changed = file.clone().into_bytes();
        changed[place] ^= 1;
        assert!(!verified(&changed).0, "byte {place}");
    }
}

#[tokio::test]
async fn only_parties_get_evidence_and_each_giving_out_is_recorded() {
    let asked = asked().await;
    let stranger = asked.site.key("school-2").await;
    let refused = asked.site.client.get(asked.site.url(&asked.address())).bearer_auth(&stranger).send().await.unwrap();
    assert_eq!(refused.status(), 404);
    assert_eq!(asked.site.client.get(asked.site.url(&asked.address())).send().await.unwrap().status(), 401);
    let (cookie, _) = asked.site.enter("anna").await;
    asked.site.page(&format!("/obligations/{}/evidence", asked.id), &cookie).await;
    asked.file(&asked.school).await;
    let disclosed = |seen: &Value| -> Vec<Value> {
        let entries = seen["entries"].as_array().unwrap().iter();
        entries.filter(|one| one["kind"] == "disclosure.evidence").map(|one| one["detail"].clone()).collect()
    };
    let exchange = format!("/api/v1/exchanges/{}", asked.letter["id"].as_str().unwrap());
    let request = asked.site.client.get(asked.site.url(&exchange)).header("cookie", &cookie);
    assert_eq!(disclosed(&json(request.send().await.unwrap()).await), ["anna", "school-1"], "and not the stranger");
    assert_eq!(disclosed(&asked.site.get(&exchange, &asked.school).await), ["school-1"], "its own alone");
    let shown = asked.site.get(&format!("/api/v1/obligations/{}", asked.id), &asked.centre).await;
    assert_ne!(shown["last_event"]["kind"], "disclosure.evidence", "reading is nothing that happened to it");
    assert!(!asked.pack().await["chronology"].to_string().contains("disclosure"));
}

#[tokio::test]
async fn pages_of_the_evidence_print_what_there_is_and_leave_out_what_is_not() {
    let asked = asked().await.registered().await;
    let (cookie, _) = asked.site.enter("anna").await;
    let link = format!("/obligations/{}/evidence", asked.id);
    assert!(asked.site.page(&format!("/obligations/{}", asked.id), &cookie).await.contains(&link));
    let page = asked.site.page(&link, &cookie).await;
    for part in [
        "Документы об обязательном ответе",
        "Запрос &#60;b&#62;характеристики&#60;/b&#62;",
        "Директорова Д. Д., директор",
        "№ вх-7 от 02.03.2026",
        "Расчёт срока",
        "Справка",
        "Хронология",
        "Электронных подписей: шлюз их не хранит",
        "№ 1: согласие.pdf (1234\u{a0}байта)",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let sum = sha256_hex(asked.letter.to_string().as_bytes());
    assert!(page.contains(&sum));
    for absent in ["Промежуточные ответы", "Продление срока", "Примеров"] {
        assert!(!page.contains(absent), "{absent} in {page}");
    }
}

#[tokio::test]
async fn evidence_of_one_body_says_nothing_of_the_others_that_were_asked() {
    let site = Site::new().await;
    let centre = site.key("centre").await;
    let mut letter = letters::request("school-1", "Запрос двум школам");
    letter["to"] = json!(["school-1", "school-2"]);
    let receipt = json(site.post("/api/v1/messages", &centre, &letter).await).await;
    let ids: Vec<&str> =
        receipt["obligations"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    for day in ["2026-03-10T02:00:00Z", "2026-03-11T02:00:00Z"] {
        site.go_to(day).await;
    }
    assert_eq!(ids.len(), 2, "{receipt}");
    for id in ids {
        let pack = site.get(&format!("/api/v1/obligations/{id}/evidence"), &centre).await;
        let own = pack["obligation"]["performer"]["code"].as_str().unwrap();
        let other = if own == "school-1" { "school-2" } else { "school-1" };
        let text = pack.to_string();
        assert!(text.contains(own) && !text.contains(other), "{text}");
        assert_eq!(pack["reminders"].as_array().map(Vec::len), Some(1), "{text}");
    }
}

#[tokio::test]
async fn reminder_about_one_task_is_no_evidence_of_another_task_of_the_same_body() {
    let site = Site::new().await;
    let centre = site.key("centre").await;
    let mut extract: Value =
        serde_json::from_str(include_str!("../../schemas/council.extract/1/example.json")).unwrap();
    (extract["from"], extract["to"]) = (json!("centre"), json!(["school-1"]));
    extract["created_at"] = json!("2026-03-02T10:15:00+08:00");
    for (place, due) in [(0, "2026-03-05"), (1, "2026-03-31")] {
        extract["body"]["tasks"][place]["body"] = json!("school-1");
        extract["body"]["tasks"][place]["due"] = json!(due);
    }
    let receipt = json(site.post("/api/v1/messages", &centre, &extract).await).await;
    for day in ["2026-03-05T02:00:00Z", "2026-03-06T02:00:00Z"] {
        site.go_to(day).await;
    }
    for opened in receipt["obligations"].as_array().unwrap_or_else(|| panic!("{receipt}")) {
        let path = format!("/api/v1/obligations/{}/evidence", opened["id"].as_str().unwrap());
        let pack = site.get(&path, &centre).await;
        let reminded = pack["reminders"].as_array().map_or(0, Vec::len);
        let is_first = pack["obligation"]["item"] == "1";
        assert_eq!(reminded > 0, is_first, "{pack}");
    }
}
