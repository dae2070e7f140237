//! Hostile inputs over AMQP: each gets its code, a person sees it in the quarantine, and nobody else feels it.
//!
//! Promises: every case is sent to the real binary over a real broker. Never: leaves out to say that healthy traffic
//! goes on.

use crate::peer::{Peer, request};
use crate::support::broker::{Broker, Rights, Vhost};
use crate::support::gateway::{Installation, Serving, until};
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use serde_json::{Value, json};

const PARTICIPANTS: &str = include_str!("participants.toml");
const CENTRE: &str = "centre-vymysel";
const SCHOOL: &str = "school-test-17";
const OTHER: &str = "school-test-18";

/// A gateway at work, with a school at its broker.
struct Scene {
    vhost: Vhost<'static>,
    installed: Installation,
    serving: Serving,
    school: Peer,
}

impl Scene {
    async fn new() -> Self {
        // The school's colleagues read JSON here too, so that one reader of letters is enough.
        let participants = PARTICIPANTS.replace("format = \"xml\"", "format = \"json\"");
        let vhost = Broker::shared().vhost();
        let installed = Installation::new(&participants, &vhost.gateway_url());
        let serving = installed.serve_ready();
        let school = Peer::connect(&vhost.participant(SCHOOL)).await;
        Self { vhost, installed, serving, school }
    }

    async fn peer(&self, code: &str) -> Peer {
        Peer::connect(&self.vhost.participant(code)).await
    }

    /// Waits until so many things wait for a person, and says so if there are more.
    fn quarantined(&self, count: u32) {
        until(&format!("{count} in the quarantine"), || self.figure("mezhved_quarantine") >= f64::from(count));
        assert_eq!(self.figure("mezhved_quarantine"), f64::from(count));
    }

    fn refused(&self, code: &str) -> f64 {
        self.figure(&format!("mezhved_messages_refused_total{{code=\"{code}\"}}"))
    }

    fn figure(&self, name: &str) -> f64 {
        self.serving.figure(name).unwrap_or(0.0)
    }

    /// What is right still goes its way; every letter before it must have been read.
    async fn healthy_traffic_goes_on(&self) {
        let message = request(SCHOOL, CENTRE);
        self.school.send(&message).await;
        self.school.receipt(&message).await;
        assert_eq!(self.figure("mezhved_conservation_gap"), 0.0);
        assert!(!self.installed.log().contains("Примеров"), "the log names a person");
    }
}

fn id(message: &Value) -> &str {
    message["id"].as_str().unwrap()
}

#[tokio::test]
async fn delivery_without_its_properties_is_refused_with_the_code_of_what_is_missing() {
    let scene = Scene::new().await;
    let message = request(SCHOOL, CENTRE);
    let (content, right) = (message.to_string(), scene.school.properties(id(&message)));
    let of = Some(id(&message));
    let other_id = "5e4d0a10-7c3b-4f6e-9a51-00000000ffff";
    let nameless = scene.school.properties("").with_message_id(ShortString::default());
    let wrong: [(BasicProperties, &str, Option<&str>); 5] = [
        (nameless, "message_id_missing", None),
        (right.clone().with_content_type("text/plain".into()), "unsupported_content_type", of),
        (right.clone().with_content_type("application/json; charset=utf-16".into()), "unsupported_content_type", of),
        (right.clone().with_content_encoding("gzip".into()), "encoding_unsupported", of),
        (right.clone().with_message_id(other_id.into()), "message_id_mismatch", Some(other_id)),
    ];
    for (count, (properties, code, of)) in wrong.into_iter().enumerate() {
        scene.school.publish(properties, content.as_bytes()).await;
        scene.school.refusal(code, of).await;
        scene.quarantined(u32::try_from(count).unwrap() + 1);
    }
    // None of these has used up the id.
    scene.school.send(&message).await;
    assert!(scene.school.receipt(&message).await.1.starts_with("1/"));
    scene.healthy_traffic_goes_on().await;
}

#[tokio::test]
async fn delivery_of_nobody_known_goes_to_the_quarantine_and_nobody_is_told() {
    let scene = Scene::new().await;
    let message = request(SCHOOL, CENTRE);
    let anonymous =
        BasicProperties::default().with_content_type("application/json".into()).with_message_id(id(&message).into());
    scene.school.publish(anonymous, message.to_string().as_bytes()).await;
    scene.quarantined(1);
    assert_eq!(scene.refused("sender_missing"), 1.0);
    let rights = Rights { configure: "^$", write: r"^mezhved\.in$", read: "^$" };
    let stranger = Peer::connect(&scene.vhost.user("stranger", &rights)).await;
    stranger.send(&message).await;
    scene.quarantined(2);
    assert_eq!(scene.refused("unknown_participant"), 1.0);
    // The next letter of the school is the receipt of this one: nothing was sent to it before.
    scene.healthy_traffic_goes_on().await;
}

#[tokio::test]
async fn message_in_anothers_name_is_refused_to_who_sent_it() {
    let scene = Scene::new().await;
    let forged = request(OTHER, CENTRE);
    scene.school.publish(scene.school.properties(id(&forged)), forged.to_string().as_bytes()).await;
    scene.school.refusal("sender_mismatch", Some(id(&forged))).await;
    scene.quarantined(1);
    assert!(scene.installed.log().contains("security: a message in another participant's name"));
    // The other one hears nothing of it, and its id is still free.
    let other = scene.peer(OTHER).await;
    other.send(&forged).await;
    assert!(other.receipt(&forged).await.1.starts_with("1/"));
    scene.healthy_traffic_goes_on().await;
}

#[tokio::test]
async fn document_that_is_not_well_formed_is_refused_with_line_and_column() {
    let scene = Scene::new().await;
    let message = request(SCHOOL, CENTRE);
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<message xmlns=\"urn:mezhved:message:1\">\n";
    let (json, xml_type) = ("application/json", "application/xml");
    let bomb = "<?xml version=\"1.0\"?>\n<!DOCTYPE m [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>\n<m>&a;</m>";
    let wrong: [(&str, String, &str, &str); 6] = [
        (xml_type, format!("{xml}  <id>1</idd>\n</message>"), "not_well_formed", "(line 3, column "),
        (xml_type, format!("{xml}  <id>1</id>\n"), "not_well_formed", "(line 4, column 1)"),
        (xml_type, format!("{xml}</message>\n<message/>"), "not_well_formed", "(line 4, column "),
        (xml_type, bomb.to_owned(), "dtd_forbidden", "(line 2, column "),
        (json, "{\n \"id\": 1, \"id\": 2}".to_owned(), "not_well_formed", "(line 2, column "),
        (json, "[".repeat(100), "too_deep", "(line 1, column "),
    ];
    for (count, (content_type, content, code, place)) in wrong.iter().enumerate() {
        let properties = scene.school.properties(id(&message)).with_content_type((*content_type).into());
        scene.school.publish(properties, content.as_bytes()).await;
        let refusal = scene.school.refusal(code, Some(id(&message))).await;
        let comment = refusal["body"]["comment"].as_str().unwrap();
        assert!(comment.contains(place), "{content}: {comment}");
        scene.quarantined(u32::try_from(count).unwrap() + 1);
    }
    scene.healthy_traffic_goes_on().await;
}

#[tokio::test]
async fn faults_against_the_schema_are_all_listed_with_their_paths() {
    let scene = Scene::new().await;
    let mut message = request(SCHOOL, CENTRE);
    message["created_at"] = json!("2026-13-02T09:00:00+08:00");
    message["colour"] = json!("red");
    message["body"]["persons"][0]["relation"] = json!("neighbour");
    message["body"]["questions"] = json!([]);
    scene.school.send(&message).await;
    let refusal = scene.school.refusal("schema_violation", Some(id(&message))).await;
    let faults = refusal["body"]["faults"].as_array().unwrap();
    let mut listed: Vec<(&str, &str)> =
        faults.iter().map(|one| (one["path"].as_str().unwrap(), one["code"].as_str().unwrap())).collect();
    listed.sort_unstable();
    let expected = [
        ("/body/persons/0/relation", "not_in_list"),
        ("/body/questions", "too_few_items"),
        ("/colour", "unknown_field"),
        ("/created_at", "bad_date_time"),
    ];
    assert_eq!(listed, expected);
    scene.quarantined(1);
    scene.healthy_traffic_goes_on().await;
}

#[tokio::test]
async fn same_id_with_other_content_is_a_conflict_and_the_first_stands() {
    let scene = Scene::new().await;
    let first = request(SCHOOL, CENTRE);
    scene.school.send(&first).await;
    let (_, number) = scene.school.receipt(&first).await;
    let mut second = first.clone();
    second["summary"] = json!("Другое содержание под тем же именем");
    scene.school.send(&second).await;
    scene.school.refusal("id_conflict", Some(id(&first))).await;
    scene.quarantined(1);
    assert_eq!(scene.figure("mezhved_message_conflicts"), 1.0);
    scene.school.send(&first).await;
    assert_eq!(scene.school.receipt(&first).await.1, number, "the first stands");
    // Another body cannot take the id either, and learns nothing of whose it is.
    let mut taken = request(OTHER, CENTRE);
    taken["id"] = first["id"].clone();
    let other = scene.peer(OTHER).await;
    other.send(&taken).await;
    other.refusal("id_taken", Some(id(&first))).await;
    scene.healthy_traffic_goes_on().await;
}

#[tokio::test]
async fn reply_of_a_body_that_owes_nothing_is_refused_and_closes_nothing() {
    let scene = Scene::new().await;
    let (centre, other) = (scene.peer(CENTRE).await, scene.peer(OTHER).await);
    let asked = request(CENTRE, SCHOOL);
    centre.send(&asked).await;
    centre.receipt(&asked).await;
    assert_eq!(scene.school.letter().await["id"], asked["id"]);
    let answer = |from: &str| {
        json!({
            "id": uuid::Uuid::new_v4(), "type": "reply.information", "version": 1, "from": from, "to": [CENTRE],
            "exchange": asked["id"], "in_reply_to": asked["id"], "created_at": "2026-03-02T10:00:00+08:00",
            "body": { "answers": [{"answer": "Посещает."}], "no_data": false }
        })
    };
    let foreign = answer(OTHER);
    other.send(&foreign).await;
    other.refusal("not_your_obligation", Some(id(&foreign))).await;
    scene.quarantined(1);
    assert_eq!(scene.figure("mezhved_obligations_open"), 1.0);
    assert!(scene.installed.log().contains("security: a reply from a party that owes nothing here"));
    let own = answer(SCHOOL);
    scene.school.send(&own).await;
    scene.school.receipt(&own).await;
    assert_eq!(centre.letter().await["id"], own["id"], "the first answer that the centre gets is the school's");
    until("no open obligation", || scene.figure("mezhved_obligations_open") == 0.0);
    scene.healthy_traffic_goes_on().await;
}

#[tokio::test]
async fn too_many_headers_and_too_large_a_message_go_to_the_dead_letters_whole() {
    let scene = Scene::new().await;
    let gateway = Peer::connect(&scene.vhost.gateway_url()).await;
    let message = request(SCHOOL, CENTRE);
    let mut headers = FieldTable::default();
    for n in 0..10_000 {
        headers.insert(format!("k{n}").into(), AMQPValue::Boolean(true));
    }
    let crowded = scene.school.properties(id(&message)).with_headers(headers);
    scene.school.publish(crowded, message.to_string().as_bytes()).await;
    let dead = gateway.next("mezhved.dead").await;
    assert_eq!(dead.data, message.to_string().as_bytes());
    let large = vec![b' '; 5 * 1024 * 1024];
    scene.school.publish(scene.school.properties(id(&message)), &large).await;
    let dead = gateway.next("mezhved.dead").await;
    assert_eq!((dead.data.len(), dead.data == large), (large.len(), true));
    assert_eq!(dead.properties.message_id().as_ref().map(ShortString::as_str), Some(id(&message)));
    for reason in ["too_many_headers", "too_large"] {
        let figure = format!("mezhved_amqp_dead_lettered_total{{reason=\"{reason}\"}}");
        assert_eq!(scene.figure(&figure), 1.0, "{reason}");
    }
    scene.healthy_traffic_goes_on().await;
    assert!(gateway.take("mezhved.dead").await.is_none());
}

#[tokio::test]
async fn same_message_a_thousand_times_has_one_effect_and_one_receipt_id() {
    let scene = Scene::new().await;
    let (centre, message) = (scene.peer(CENTRE).await, request(CENTRE, SCHOOL));
    for _ in 0..1000 {
        centre.send(&message).await;
    }
    until("999 repeats", || scene.figure("mezhved_messages_repeated_total") == 999.0);
    until("nothing on its way", || scene.figure("mezhved_outbox_waiting") == 0.0);
    let first = centre.receipt(&message).await;
    assert!(first.1.starts_with("1/"), "{first:?}");
    let mut receipts = 1;
    while let Some(again) = centre.take("mezhved.out.centre-vymysel").await {
        let again: Value = serde_json::from_slice(&again.data).unwrap();
        assert_eq!((again["id"].as_str(), again["type"].as_str()), (Some(&*first.0), Some("receipt.delivery")));
        receipts += 1;
    }
    println!("1000 times the same message: {receipts} receipts, all with one id");
    assert_eq!(scene.school.letter().await["id"], message["id"]);
    assert!(scene.school.take("mezhved.out.school-test-17").await.is_none(), "the letter went out twice");
    assert_eq!(scene.figure("mezhved_obligations_open"), 1.0);
    assert_eq!(scene.figure("mezhved_quarantine"), 0.0);
    scene.healthy_traffic_goes_on().await;
}

#[tokio::test]
async fn poison_does_not_hold_up_what_is_healthy() {
    let scene = Scene::new().await;
    let other = scene.peer(OTHER).await;
    let healthy: Vec<Value> = (0..100).map(|_| request(OTHER, CENTRE)).collect();
    for (count, message) in healthy.iter().enumerate() {
        let poison = [&b"\xff\xfe<"[..], b"<message", b"{\"id\":", b"<!DOCTYPE x><x/>"][count % 4];
        let kind = if count % 4 == 2 { "application/json" } else { "application/xml" };
        let properties = scene.school.properties(id(message)).with_content_type(kind.into());
        scene.school.publish(properties, poison).await;
        other.send(message).await;
    }
    // Letters travel side by side, so receipts come in any order.
    let mut receipted = Vec::new();
    for _ in &healthy {
        let receipt = other.letter().await;
        assert_eq!(receipt["type"], "receipt.delivery", "{receipt:#}");
        receipted.push(receipt["in_reply_to"].as_str().unwrap().to_owned());
    }
    receipted.sort_unstable();
    let mut sent: Vec<&str> = healthy.iter().map(id).collect();
    sent.sort_unstable();
    assert_eq!(receipted, sent);
    for _ in &healthy {
        assert_eq!(scene.school.letter().await["type"], "receipt.refusal");
    }
    scene.quarantined(100);
    scene.healthy_traffic_goes_on().await;
}
