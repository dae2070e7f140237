//! Registers and journal: numbers without gaps, two sides, one line a message.

use crate::kit::{CENTRE, SCHOOL, Story, code, new_id, reply, request, system};
use mezhved::gateway::ports::reads::JournalFilter;
use serde_json::json;
use std::collections::BTreeSet;

fn journal_of(participant: &str) -> JournalFilter {
    JournalFilter { participant: code(participant), case: None, from: None, to: None, in_house: true, limit: 1000 }
}

#[tokio::test]
async fn numbers_have_no_gaps_though_messages_are_refused_and_come_at_once() {
    let story = Story::at("2026-03-02 10:00").await;
    let mut waiting = Vec::new();
    for place in 0..300 {
        let mut message = request(new_id(), &[SCHOOL], "2026-03-02 09:00");
        if place % 3 == 0 {
            message["body"]["requested_due"] = json!("2020-01-01");
        }
        let gateway = story.gateway.clone();
        let arrival = mezhved::gateway::arrival::Arrival {
            sender: code(CENTRE),
            format: mezhved::domain::message::Format::Json,
            content: serde_json::to_vec(&message).unwrap().into(),
            channel: mezhved::gateway::arrival::ChannelKind::Http,
            transport_id: None,
        };
        waiting.push(tokio::spawn(async move { gateway.submit(arrival).await }));
    }
    let mut numbers = BTreeSet::new();
    for one in waiting {
        if let Ok(submitted) = one.await.unwrap() {
            let number: u32 = submitted.accepted.number.strip_suffix("/2026").unwrap().parse().unwrap();
            assert!(numbers.insert(number), "{number} was given twice");
        }
    }
    assert_eq!(numbers, (1..=200).collect::<BTreeSet<u32>>());
}

#[tokio::test]
async fn the_journal_has_both_sides_with_date_annex_and_summary() {
    let story = Story::at("2026-03-02 10:00").await;
    let id = new_id();
    story.submit(&request(id, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    story.set("2026-03-04 10:00");
    story.submit(&reply(id, SCHOOL, "2026-03-04 09:00")).await.unwrap();
    let lines = story.gateway.journal(journal_of(CENTRE), &system(CENTRE)).await.unwrap();
    let short: Vec<(&str, &str, String, &str)> = lines
        .iter()
        .map(|line| (line.direction, line.number.as_str(), line.date.to_string(), line.summary.as_str()))
        .collect();
    assert_eq!(
        short,
        [
            ("outgoing", "1/2026", "2026-03-02".into(), "Запрос сведений о занятости"),
            ("incoming", "1/2026", "2026-03-04".into(), "Ответ на запрос сведений"),
        ]
    );
    let refused = story.gateway.journal(journal_of(CENTRE), &system(SCHOOL)).await.unwrap_err();
    assert_eq!(refused.code, "not_your_journal");
}

#[tokio::test]
async fn a_new_year_in_irkutsk_begins_a_new_register() {
    // 31.12.2025 23:59 and 01.01.2026 00:01 in Irkutsk are both 31.12.2025 in UTC.
    let story = Story::at("2025-12-31 23:59").await;
    let old = story.submit(&request(new_id(), &[SCHOOL], "2025-12-31 23:50")).await.unwrap();
    story.set("2026-01-01 00:01");
    let new = story.submit(&request(new_id(), &[SCHOOL], "2026-01-01 00:00")).await.unwrap();
    assert_eq!((old.accepted.number.as_str(), new.accepted.number.as_str()), ("1/2025", "1/2026"));
}

#[tokio::test]
async fn a_school_without_numbers_of_its_own_registers_under_the_gateways() {
    let story = Story::at("2026-03-02 10:00").await;
    let id = new_id();
    story.submit(&request(new_id(), &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    story.submit(&request(id, &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    let letter = story.inbox(SCHOOL).await.into_iter().find(|letter| letter.id == id).unwrap();
    let mut notice = mezhved::gateway::act::RegistrationNotice {
        accepted: true,
        content_sha256: Some("0".repeat(64)),
        number: None,
        date: None,
        reason: None,
    };
    let wrong = story.gateway.register_delivery(id, &code(SCHOOL), notice.clone()).await.unwrap_err();
    assert_eq!(wrong.code, "digest_mismatch", "a registration proves which content was registered");
    notice.content_sha256 = Some(letter.content_sha256);
    let registered = story.gateway.register_delivery(id, &code(SCHOOL), notice).await.unwrap();
    assert_eq!(registered.registration_number.as_deref(), Some("2/2026"));
}
