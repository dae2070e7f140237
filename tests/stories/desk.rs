//! The clerk's desk: what a clerk decides not, what is written down when a scan is read, which day counts.

use crate::any_channel::{PDF, at, clerk, entry, handed, scan};
use crate::cases::log;
use crate::duties::example;
use crate::editions::ten_days_from_july;
use crate::house_duties::{done, opened};
use crate::kit::{CENTRE, SCHOOL, Story, code, coordinator, irkutsk, new_id, reply, request, system};
use mezhved::gateway::content::sha256_hex;
use mezhved::gateway::desk::HandoverNotice;
use mezhved::gateway::ports::Objects;
use mezhved::gateway::ports::reads::JournalFilter;
use mezhved::store::objects::ObjectFolder;
use serde_json::{Value, json};
use std::time::Duration;

const OTHER: &str = "school-test-18";
const CASE: &str = "СЛ-2026/014";

fn journal_of(participant: &str) -> JournalFilter {
    JournalFilter { participant: code(participant), case: None, from: None, to: None, in_house: false, limit: 1000 }
}

/// A request of the school, as the clerk has it on paper.
fn asked(created_at: &str) -> Value {
    let mut asked = request(new_id(), &[CENTRE], created_at);
    asked["from"] = json!(SCHOOL);
    asked
}

/// What the log says of readings.
async fn readings(story: &Story) -> Vec<String> {
    let lines = log(story).await;
    let lines = lines.iter().filter(|one| one.kind != "message");
    lines.map(|one| format!("{} {} {}", one.kind, one.what, one.to)).collect()
}

fn notice(when: &str) -> HandoverNotice {
    let notice = json!({ "at": at(when), "handed": { "way": "hand", "taken_by": "Секретарёва С. С." } });
    serde_json::from_value(notice).unwrap()
}

#[tokio::test]
async fn a_clerk_registers_no_decision_of_the_centre_and_a_coordinator_does() {
    let story = Story::at("2026-03-02 10:00").await;
    let id = new_id();
    story.submit(&request(id, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    story.set("2026-03-03 10:00");
    let said = |kind: &str| {
        let mut said = example(kind, "2026-03-02 15:00");
        (said["from"], said["to"]) = (json!(CENTRE), json!([SCHOOL]));
        if kind.starts_with("control.") {
            (said["exchange"], said["in_reply_to"]) = (json!(id), json!(id));
        }
        said
    };
    for kind in ["control.release", "control.withdrawal", "control.extension-decision", "notice.case-closed"] {
        let decided = story.gateway.register_by_hand(handed("2026-03-02 16:00", &said(kind)), vec![], &clerk()).await;
        assert_eq!(decided.map_err(|refused| refused.code), Err("clerk"), "{kind}");
    }
    assert_eq!(story.obligation().await.state, "running");
    let entry = handed("2026-03-02 16:00", &said("control.withdrawal"));
    story.gateway.register_by_hand(entry, vec![], &coordinator()).await.unwrap();
    assert_eq!(story.obligation().await.state, "withdrawn");
}

#[tokio::test]
async fn a_scan_that_is_read_stands_in_the_log_of_the_case() {
    let story = Story::at("2026-03-02 12:00").await;
    let asked = asked("2026-03-02 09:00");
    story.gateway.register_by_hand(entry("paper", "2026-03-02 11:00", &asked), scan(), &clerk()).await.unwrap();
    story.gateway.scan(&sha256_hex(PDF), &coordinator()).await.unwrap();
    story.gateway.scan(&sha256_hex(PDF), &system(SCHOOL)).await.unwrap();
    let stranger = story.gateway.scan(&sha256_hex(PDF), &system(OTHER)).await.unwrap_err();
    assert_eq!(stranger.code, "not_found");
    let read = "message_read request.information";
    assert_eq!(readings(&story).await, [format!("{read} coordinator"), format!("{read} {SCHOOL}")]);
}

#[tokio::test]
async fn what_the_centre_reads_in_its_inbox_stands_in_the_log_of_the_case() {
    let story = Story::at("2026-03-02 10:00").await;
    let id = new_id();
    story.submit(&request(id, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    story.submit(&reply(id, SCHOOL, "2026-03-02 09:30")).await.unwrap();
    assert_eq!(story.inbox(CENTRE).await.len(), 1);
    assert_eq!(readings(&story).await, [format!("message_read reply.information {CENTRE}")]);
}

#[tokio::test]
async fn a_journal_that_is_read_by_a_case_stands_in_its_log_once_a_reading() {
    let story = Story::at("2026-03-02 10:00").await;
    story.submit(&request(new_id(), &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    let of_case = || JournalFilter { case: Some(CASE.to_owned()), ..journal_of(CENTRE) };
    story.gateway.journal(journal_of(CENTRE), &coordinator()).await.unwrap();
    story.gateway.journal(of_case(), &coordinator()).await.unwrap();
    story.gateway.whole_journal(of_case(), None, &system(CENTRE)).await.unwrap();
    story.gateway.journal_page(of_case(), (None, None), &coordinator()).await.unwrap();
    let read = |who: &str| format!("case_file journal {who}");
    assert_eq!(readings(&story).await, [read("coordinator"), read(CENTRE), read("coordinator")]);
}

#[tokio::test]
async fn a_letter_that_two_hand_over_at_once_is_handed_over_by_one() {
    let story = Story::at("2026-03-02 10:00").await;
    let id = new_id();
    story.submit(&request(id, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    story.set("2026-03-02 12:00");
    let hand_over = || async {
        let done = story.gateway.hand_over((id, code(SCHOOL)), notice("2026-03-02 11:30"), &clerk()).await;
        done.map(|shown| shown.state.clone()).map_err(|refused| refused.code)
    };
    let (one, other) = tokio::join!(hand_over(), hand_over());
    let mut both = [one, other];
    both.sort();
    assert_eq!(both, [Ok("handled_manually".into()), Err("not_waiting")]);
}

#[tokio::test]
async fn a_letter_counts_as_delivered_on_the_day_on_which_it_was_handed_over() {
    let story = Story::at("2026-03-10 10:00").await;
    let (on_paper, waiting) = (new_id(), new_id());
    let friday = Some(irkutsk("2026-03-06 16:00"));
    let asked = request(on_paper, &[SCHOOL], "2026-03-06 09:00");
    story.gateway.register_by_hand(handed("2026-03-06 16:00", &asked), vec![], &clerk()).await.unwrap();
    let row = story.store.delivery(on_paper, &code(SCHOOL)).await.unwrap().unwrap();
    assert_eq!(row.delivered_at, friday, "not the day on which it was registered");
    story.set("2026-03-06 10:00");
    story.submit(&request(waiting, &[OTHER], "2026-03-06 09:00")).await.unwrap();
    story.set("2026-03-10 10:00");
    let shown = story.gateway.hand_over((waiting, code(OTHER)), notice("2026-03-06 16:00"), &clerk()).await.unwrap();
    assert_eq!(shown.delivered_at, friday);
}

#[tokio::test]
async fn a_paper_is_ruled_by_the_edition_of_the_day_on_which_it_came() {
    let story = Story::with_catalogue("2026-07-02 10:00", ten_days_from_july()).await;
    let asked = asked("2026-06-29 09:00");
    story.gateway.register_by_hand(entry("paper", "2026-06-30 15:00", &asked), vec![], &clerk()).await.unwrap();
    let owed = story.obligation().await;
    assert_eq!(owed.due_on.to_string(), "2026-07-07", "five working days, as on 30 June");
    let told = story.gateway.explanation(owed.id, &coordinator()).await.unwrap().lines.join("\n");
    assert!(told.contains("раздел 6"), "{told}");
}

#[tokio::test]
async fn a_case_file_shows_no_scan_of_a_message_between_others() {
    let story = Story::at("2026-03-02 12:00").await;
    let ours = asked("2026-03-02 09:00");
    story.gateway.register_by_hand(entry("paper", "2026-03-02 11:00", &ours), scan(), &clerk()).await.unwrap();
    let mut theirs = asked("2026-03-02 09:00");
    theirs["from"] = json!(OTHER);
    let annex = json!({ "annex": 1, "name": "скан.pdf", "media_type": "application/pdf", "size": PDF.len(),
        "sha256": sha256_hex(PDF) });
    theirs["attachments"] = json!([annex]);
    story.submit(&theirs).await.unwrap();
    let kept = async |of: &str| {
        let letters = story.gateway.case_letters(CASE, &system(of)).await.unwrap();
        letters.iter().map(|one| one.scans.len()).collect::<Vec<_>>()
    };
    assert_eq!(kept(SCHOOL).await, [1]);
    assert_eq!(kept(OTHER).await, [0], "it named the digest; the file is of another's letter");
}

#[tokio::test]
async fn the_journal_of_section_6_has_no_act_of_the_house_and_the_register_has_every_number() {
    let (story, opened) = opened().await;
    story.set("2026-03-25 17:00");
    story.submit(&done("report.visit-act", &opened, "2026-03-25 17:00")).await.unwrap();
    story.submit(&request(new_id(), &[SCHOOL], "2026-03-25 16:00")).await.unwrap();
    let types = |lines: Vec<mezhved::gateway::views::JournalLine>| -> Vec<String> {
        lines.iter().map(|line| line.type_code.to_string()).collect()
    };
    let of_section_6 = story.gateway.journal(journal_of(CENTRE), &system(CENTRE)).await.unwrap();
    assert_eq!(types(of_section_6), ["request.information"], "what it wrote to itself went to no other body");
    let all = JournalFilter { in_house: true, ..journal_of(CENTRE) };
    let register = story.gateway.whole_journal(all, None, &system(CENTRE)).await.unwrap();
    assert_eq!(register.iter().map(|line| line.number.as_str()).collect::<Vec<_>>(), ["1/2026", "2/2026", "3/2026"]);
    assert_eq!(types(register)[1], "report.visit-act");
}

#[tokio::test]
async fn a_file_that_was_changed_is_set_aside_when_the_scan_comes_again() {
    let story = Story::at("2026-03-02 12:00").await;
    let first = asked("2026-03-02 09:00");
    story.gateway.register_by_hand(entry("paper", "2026-03-02 11:00", &first), scan(), &clerk()).await.unwrap();
    let folder = story.database().with_file_name("attachments").join(&sha256_hex(PDF)[..2]);
    std::fs::write(folder.join(sha256_hex(PDF)), b"%PDF-1.7 another").unwrap();
    let again = asked("2026-03-02 09:10");
    story.gateway.register_by_hand(entry("paper", "2026-03-02 11:00", &again), scan(), &clerk()).await.unwrap();
    assert_eq!(story.gateway.scan(&sha256_hex(PDF), &coordinator()).await.unwrap().content, PDF);
    let files = std::fs::read_dir(&folder).unwrap().map(|one| std::fs::read(one.unwrap().path()).unwrap());
    assert!(files.collect::<Vec<_>>().contains(&b"%PDF-1.7 another".to_vec()), "what was there is not overwritten");
}

#[tokio::test]
async fn what_a_killed_process_left_half_written_is_removed_and_no_scan_with_it() {
    let story = Story::at("2026-03-02 12:00").await;
    let asked = asked("2026-03-02 09:00");
    story.gateway.register_by_hand(entry("paper", "2026-03-02 11:00", &asked), scan(), &clerk()).await.unwrap();
    let folder = story.database().with_file_name("attachments");
    let left = folder.join(&sha256_hex(PDF)[..2]).join(format!("{}#1", sha256_hex(PDF)));
    std::fs::write(&left, b"%PDF-").unwrap();
    let files = ObjectFolder::new(folder);
    assert_eq!(files.remove_unfinished(Duration::from_secs(3600)).await.unwrap(), 0, "it may still be written");
    assert_eq!(files.remove_unfinished(Duration::ZERO).await.unwrap(), 1);
    assert!(!left.exists());
    assert_eq!(story.gateway.scan(&sha256_hex(PDF), &coordinator()).await.unwrap().content, PDF);
    let none = ObjectFolder::new(story.database().with_file_name("none"));
    assert_eq!(none.remove_unfinished(Duration::ZERO).await.unwrap(), 0);
}
