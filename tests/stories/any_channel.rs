//! Any channel: what came or went on paper, by mail or by telephone opens and closes the same obligations.

use crate::kit::{CENTRE, SCHOOL, Story, code, coordinator, irkutsk, new_id, reply, request, system};
use bytes::Bytes;
use mezhved::domain::ids::MessageId;
use mezhved::gateway::act::Actor;
use mezhved::gateway::desk::{DeskEntry, NewScan};
use mezhved::gateway::evidence::pack::Pack;
use mezhved::gateway::ports::accounts::UserRole;
use mezhved::gateway::ports::reads::JournalFilter;
use mezhved::gateway::rejection::Rejection;
use mezhved::gateway::views::ObligationView;
use serde_json::{Value, json};

pub const PDF: &[u8] = b"%PDF-1.7\n% plainly artificial\n";

pub fn clerk() -> Actor {
    Actor::Person {
        login: "clerk".into(), name: "Дело Производителева".into(), role: UserRole::Clerk
    }
}

pub fn at(local: &str) -> String {
    format!("{}:00+08:00", local.replace(' ', "T"))
}

pub fn entry(channel: &str, when: &str, message: &Value) -> DeskEntry {
    serde_json::from_value(json!({ "channel": channel, "at": at(when), "message": message })).unwrap()
}

pub fn handed(when: &str, message: &Value) -> DeskEntry {
    let handed =
        json!({ "way": "hand", "taken_by": "Секретарёва С. С., секретарь", "number": "вх-15", "date": "2026-03-03" });
    let entry = json!({ "channel": "paper", "at": at(when), "handed": handed, "message": message });
    serde_json::from_value(entry).unwrap()
}

pub fn scan() -> Vec<NewScan> {
    vec![NewScan { name: "C:\\ответ школы.pdf".into(), content: Bytes::from_static(PDF) }]
}

fn call(carries: &str, in_reply_to: Option<MessageId>, (from, to): (&str, &str)) -> Value {
    let mut call = json!({
        "id": new_id(), "type": "signal.phone-message", "version": 1, "from": from, "to": [to],
        "created_at": at("2026-03-02 09:30"), "summary": "Телефонограмма",
        "body": {
            "caller": { "name": "Звонилова З. З." }, "taken_by": { "name": "Дело Производителева" },
            "text": "Сообщено по телефону.", "at": at("2026-03-02 09:30"), "confirm_in_writing": true, "carries": carries
        }
    });
    if let Some(root) = in_reply_to {
        call["in_reply_to"] = json!(root);
        call["exchange"] = json!(root);
    }
    call
}

async fn evidence(story: &Story, of: &ObligationView) -> Pack {
    story.gateway.evidence(of.id, &coordinator()).await.unwrap()
}

/// The numbers of the centre's register in one direction.
async fn numbers(story: &Story, direction: &str) -> Vec<String> {
    let all = JournalFilter { participant: code(CENTRE), case: None, from: None, to: None, in_house: true, limit: 100 };
    let lines = story.gateway.journal(all, &system(CENTRE)).await.unwrap();
    lines.into_iter().filter(|line| line.direction == direction).map(|line| line.number).collect()
}

fn field(rejection: &Rejection) -> (&'static str, &str) {
    (rejection.code, rejection.faults.first().map_or("", |fault| &fault.path))
}

#[tokio::test]
async fn paper_answer_of_friday_registered_on_monday_closes_the_obligation_in_time_with_its_scan() {
    let story = Story::at("2026-03-02 10:00").await;
    let id = new_id();
    let mut asked = request(id, &[SCHOOL], "2026-03-02 09:00");
    asked["body"]["requested_due"] = json!("2026-03-06");
    story.submit(&asked).await.unwrap();
    // The due day is Friday; the clerk comes to it on the next Tuesday (Monday is a day off after the 8th of March).
    story.set("2026-03-10 09:10");
    story.sweep().await;
    assert!(story.obligation().await.overdue, "nobody has told the gateway of the paper yet");
    let mut answer = reply(id, SCHOOL, "2026-03-05 12:00");
    answer["registration"] = json!({ "number": "14/исх", "date": "2026-03-05" });
    let accepted = story.gateway.register_by_hand(entry("paper", "2026-03-06 15:00", &answer), scan(), &clerk()).await;
    let accepted = accepted.unwrap();
    assert_eq!(accepted.accepted.received_at, irkutsk("2026-03-10 09:10"), "registered when it was registered");
    let closed = story.obligation().await;
    assert_eq!((closed.state, closed.late_by_working_days), ("fulfilled", 0));
    assert_eq!(closed.answered_at, Some(irkutsk("2026-03-06 15:00")), "answered when it came");
    assert_eq!(numbers(&story, "incoming").await, ["1/2026"]);
    let pack = evidence(&story, &closed).await;
    let letter = pack.answers[0].letter.as_ref().unwrap();
    let by_hand = letter.by_hand.as_ref().unwrap();
    assert_eq!((by_hand.channel.code(), by_hand.by_whom.as_str()), ("paper", "clerk"));
    assert_eq!((by_hand.at, by_hand.recorded_at), (irkutsk("2026-03-06 15:00"), irkutsk("2026-03-10 09:10")));
    let envelope = letter.envelope.as_ref().unwrap();
    assert_eq!(envelope.outgoing_number.as_deref(), Some("14/исх"), "the body's own number");
    assert_eq!(envelope.annexes[0].name, "ответ школы.pdf");
    let kept = story.gateway.scan(&envelope.annexes[0].sha256, &coordinator()).await.unwrap();
    assert_eq!((kept.media_type.as_str(), &kept.content[..]), ("application/pdf", PDF));
    let foreign = story.gateway.scan(&envelope.annexes[0].sha256, &system("commission-test")).await.unwrap_err();
    assert_eq!(foreign.code, "not_found");
}

#[tokio::test]
async fn the_term_of_a_paper_request_runs_from_the_day_on_which_it_came() {
    let story = Story::at("2026-03-16 09:00").await;
    let mut asked = request(new_id(), &[CENTRE], "2026-03-12 12:00");
    asked["from"] = json!(SCHOOL);
    story.gateway.register_by_hand(entry("mail", "2026-03-13 11:00", &asked), scan(), &clerk()).await.unwrap();
    let owed = story.obligation().await;
    assert_eq!((owed.performer.code.as_str(), owed.controller.code.as_str()), (CENTRE, SCHOOL));
    assert_eq!(owed.due_on.to_string(), "2026-03-20", "five working days after Friday the 13th");
    assert_eq!(owed.opened_at, irkutsk("2026-03-13 11:00"));
}

#[tokio::test]
async fn request_by_telephone_opens_an_obligation_and_an_answer_by_telephone_closes_one() {
    let story = Story::at("2026-03-02 10:00").await;
    let spoken = call("request.information", None, (SCHOOL, CENTRE));
    story.gateway.register_by_hand(entry("phone", "2026-03-02 09:30", &spoken), vec![], &clerk()).await.unwrap();
    let ours = story.obligation().await;
    assert_eq!((ours.performer.code.as_str(), ours.due_on.to_string().as_str()), (CENTRE, "2026-03-10"));
    let pack = evidence(&story, &ours).await;
    let by_hand = pack.request.unwrap().by_hand.unwrap();
    assert_eq!(by_hand.dictated_by.as_deref(), Some("Звонилова З. З."));
    assert_eq!(by_hand.taken_by.as_deref(), Some("Дело Производителева"));

    let id = new_id();
    story.submit(&request(id, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    story.set("2026-03-02 11:00");
    let mut answer = call("reply.information", Some(id), (SCHOOL, CENTRE));
    answer["body"]["at"] = json!(at("2026-03-02 10:40"));
    story.gateway.register_by_hand(entry("phone", "2026-03-02 10:40", &answer), vec![], &clerk()).await.unwrap();
    let all = story.obligations(SCHOOL).await;
    let theirs = all.iter().find(|one| one.performer.code.as_str() == SCHOOL).unwrap();
    assert_eq!(theirs.state, "fulfilled");
    let written = reply(id, SCHOOL, "2026-03-02 10:00");
    let refused = story.gateway.register_by_hand(entry("phone", "2026-03-02 10:40", &written), vec![], &clerk()).await;
    assert_eq!(field(&refused.unwrap_err()), ("channel_mismatch", "/channel"));
}

#[tokio::test]
async fn what_goes_out_on_paper_is_handled_manually_and_is_never_sent() {
    let story = Story::at("2026-03-03 10:00").await;
    let id = new_id();
    let asked = request(id, &[SCHOOL], "2026-03-02 09:00");
    let without = story.gateway.register_by_hand(entry("paper", "2026-03-02 16:00", &asked), vec![], &clerk()).await;
    assert_eq!(field(&without.unwrap_err()), ("handover_missing", "/handed"));
    story.gateway.register_by_hand(handed("2026-03-02 16:00", &asked), scan(), &clerk()).await.unwrap();
    assert!(story.inbox(SCHOOL).await.is_empty(), "it has it on paper");
    let owed = story.obligation().await;
    assert_eq!(owed.due_on.to_string(), "2026-03-10", "from the day on which it was handed over");
    let pack = evidence(&story, &owed).await;
    let way = &pack.request.unwrap().deliveries[0];
    assert_eq!(way.state, "handled_manually");
    let handover = way.handover.as_ref().unwrap();
    assert_eq!(handover.taken_by, "Секретарёва С. С., секретарь");
    assert_eq!((handover.at, handover.number.as_deref()), (irkutsk("2026-03-02 16:00"), Some("вх-15")));
    let figures = story.gateway.figures().await.unwrap();
    assert_eq!((figures.deliveries_owed, figures.deliveries_done, figures.accepted_addressees), (0, 1, 1));
}

#[tokio::test]
async fn our_answer_on_paper_closes_what_we_owe() {
    let story = Story::at("2026-03-03 10:00").await;
    let id = new_id();
    let mut asked = request(id, &[CENTRE], "2026-03-02 09:00");
    asked["from"] = json!(SCHOOL);
    story.gateway.register_by_hand(entry("paper", "2026-03-02 11:00", &asked), vec![], &clerk()).await.unwrap();
    let mut answer = reply(id, CENTRE, "2026-03-03 09:00");
    answer["to"] = json!([SCHOOL]);
    story.gateway.register_by_hand(handed("2026-03-03 09:30", &answer), vec![], &clerk()).await.unwrap();
    assert_eq!(story.obligation().await.state, "fulfilled");
    assert_eq!(numbers(&story, "outgoing").await, ["1/2026"]);
}

#[tokio::test]
async fn a_letter_that_waits_is_handed_over_by_people_and_leaves_the_inbox() {
    let story = Story::at("2026-03-02 10:00").await;
    let id = new_id();
    story.submit(&request(id, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    story.set("2026-03-02 12:00");
    let notice = json!({ "at": at("2026-03-02 11:30"), "handed": { "way": "post", "taken_by": "Секретарёва С. С." } });
    let notice: mezhved::gateway::desk::HandoverNotice = serde_json::from_value(notice).unwrap();
    let observer = Actor::Person { login: "o".into(), name: "О".into(), role: UserRole::Observer };
    let refused = story.gateway.hand_over((id, code(SCHOOL)), notice.clone(), &observer).await.unwrap_err();
    assert_eq!(refused.code, "observer");
    let shown = story.gateway.hand_over((id, code(SCHOOL)), notice.clone(), &clerk()).await.unwrap();
    assert_eq!(shown.state, "handled_manually");
    assert!(story.inbox(SCHOOL).await.is_empty());
    let again = story.gateway.hand_over((id, code(SCHOOL)), notice, &clerk()).await.unwrap_err();
    assert_eq!(again.code, "not_waiting");
}

#[tokio::test]
async fn a_scan_that_cannot_be_kept_refuses_the_registration_and_nothing_is_half_done() {
    let story = Story::at("2026-03-02 10:00").await;
    let id = new_id();
    story.submit(&request(id, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    let answer = reply(id, SCHOOL, "2026-03-02 09:30");
    story.set("2026-03-02 12:00");
    // A file stands where the folder of scans should: the disk does not take them.
    let scans = story.database().with_file_name("attachments");
    std::fs::write(&scans, b"in the way").unwrap();
    let refused = story.gateway.register_by_hand(entry("paper", "2026-03-02 11:00", &answer), scan(), &clerk()).await;
    assert_eq!(refused.unwrap_err().code, "unavailable");
    assert_eq!(story.obligation().await.state, "running");
    assert!(numbers(&story, "incoming").await.is_empty(), "no number was used");
    std::fs::remove_file(&scans).unwrap();
    // The same registration again, when the disk is mended.
    story.gateway.register_by_hand(entry("paper", "2026-03-02 11:00", &answer), scan(), &clerk()).await.unwrap();
    assert_eq!(numbers(&story, "incoming").await, ["1/2026"]);
    // A third time it is the original outcome.
    let again = story.gateway.register_by_hand(entry("paper", "2026-03-02 11:00", &answer), scan(), &clerk()).await;
    assert!(again.unwrap().duplicate);
}

#[tokio::test]
async fn an_annex_without_its_file_is_refused_and_one_whose_file_was_changed_is_not_given_out() {
    let story = Story::at("2026-03-02 12:00").await;
    let mut asked = request(new_id(), &[CENTRE], "2026-03-02 09:00");
    asked["from"] = json!(SCHOOL);
    let mut named = asked.clone();
    named["attachments"] = json!([{
        "annex": 1, "name": "скан.pdf", "media_type": "application/pdf", "size": 3, "sha256": "a".repeat(64)
    }]);
    let refused = story.gateway.register_by_hand(entry("paper", "2026-03-02 11:00", &named), vec![], &clerk()).await;
    assert_eq!(field(&refused.unwrap_err()), ("scan_missing", "/attachments/0/sha256"));
    assert!(numbers(&story, "incoming").await.is_empty());
    story.gateway.register_by_hand(entry("paper", "2026-03-02 11:00", &asked), scan(), &clerk()).await.unwrap();
    let sha256 = mezhved::gateway::content::sha256_hex(PDF);
    let place = story.database().with_file_name("attachments").join(&sha256[..2]).join(&sha256);
    std::fs::write(&place, b"%PDF-1.7 another").unwrap();
    assert_eq!(story.gateway.scan(&sha256, &coordinator()).await.unwrap_err().code, "scan_lost");
}

#[tokio::test]
async fn a_desk_believes_no_time_to_come_and_none_before_the_request_or_the_document_itself() {
    let story = Story::at("2026-03-02 10:00").await;
    let id = new_id();
    story.submit(&request(id, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    story.set("2026-03-04 10:00");
    let mut answer = reply(id, SCHOOL, "2026-03-02 09:30");
    answer["registration"] = json!({ "number": "14/исх", "date": "2026-03-03" });
    for when in ["2026-03-04 10:01", "2026-03-02 09:58", "2026-03-02 18:00", "2025-12-01 10:00"] {
        let refused = story.gateway.register_by_hand(entry("paper", when, &answer), vec![], &clerk()).await;
        assert_eq!(field(&refused.unwrap_err()), ("implausible_time", "/at"), "{when}");
    }
    story.gateway.register_by_hand(entry("paper", "2026-03-03 10:00", &answer), vec![], &clerk()).await.unwrap();
}

#[tokio::test]
async fn only_a_person_of_the_centre_registers_and_only_what_concerns_the_centre() {
    let story = Story::at("2026-03-02 12:00").await;
    let mut asked = request(new_id(), &[CENTRE], "2026-03-02 09:00");
    asked["from"] = json!(SCHOOL);
    let program = system(CENTRE);
    let by_system = story.gateway.register_by_hand(entry("paper", "2026-03-02 11:00", &asked), vec![], &program);
    assert_eq!(by_system.await.unwrap_err().code, "person_needed");
    let script = vec![NewScan { name: "скан.pdf".into(), content: Bytes::from_static(b"MZ\x90\0") }];
    let refused = story.gateway.register_by_hand(entry("paper", "2026-03-02 11:00", &asked), script, &clerk()).await;
    assert_eq!(field(&refused.unwrap_err()), ("scan_format", "/scan"), "by its content, whatever its name");
    let mut foreign = reply(new_id(), SCHOOL, "2026-03-02 09:00");
    foreign["type"] = json!("notice.youth-need");
    foreign["to"] = json!(["commission-test"]);
    let refused = story.gateway.register_by_hand(entry("paper", "2026-03-02 11:00", &foreign), vec![], &clerk()).await;
    assert!(refused.is_err());
    let decided = story.gateway.register_by_hand(entry("paper", "2026-03-02 11:00", &asked), vec![], &clerk()).await;
    let owed = decided.unwrap().accepted.obligations[0].id;
    let act = story.gateway.act(owed, mezhved::gateway::act::Action::Release, clerk()).await.unwrap_err();
    assert_eq!(act.code, "clerk", "a clerk registers and decides nothing");
}
