//! What a message opens: one obligation per body or order, each with its own due date and the protocol of it.

use crate::kit::{Story, TUESDAY, code, day, instant, kinds, message, released, request, stating, urgent};
use chrono::NaiveTime;
use mezhved::domain::decision::{Arrived, Refusal};
use mezhved::domain::obligation::Obligation;
use mezhved::domain::rule::{BodyFacts, Item, Release, Urgency};
use mezhved::domain::term::{ClosesAt, Remark, StartsOn, Term, Unit, Week};

fn item(key: &str, performer: Option<&str>, due: Option<&str>) -> Item {
    Item { key: key.to_owned(), performer: performer.map(code), due: due.map(day), ends_on: None }
}

fn ruling(to: &[&str], items: Vec<Item>) -> Arrived {
    let ruling = message("request", "ruling.commission", "commission", to);
    released(stating(ruling, BodyFacts { items, ..BodyFacts::default() }), Release::Controller)
}

fn stated(due: &str) -> Arrived {
    stating(request(&["school-1"]), BodyFacts { stated_due: Some(day(due)), ..BodyFacts::default() })
}

fn obligation<'s>(story: &'s Story, performer: &str) -> &'s Obligation {
    &story.duty(performer).obligation
}

#[test]
fn a_request_to_three_schools_opens_three_obligations_each_due_by_its_own_calendar() {
    let mut story = Story::at(TUESDAY);
    let decision = story.receive(request(&["school-1", "school-ta", "school-six"]));
    assert_eq!(story.exchange.duties.len(), 3);
    assert_eq!(story.due_on("school-1"), "2026-03-24");
    assert_eq!(story.due_on("school-ta"), "2026-03-25", "Friday 20.03 is Ураза-байрам in Татарстан");
    assert_eq!(story.due_on("school-six"), "2026-03-23", "Saturday 21.03 works");
    let opened: Vec<_> = decision.opened.iter().map(|one| (one.performer.as_str(), one.due_on.to_string())).collect();
    let expected = [("school-1", "2026-03-24"), ("school-ta", "2026-03-25"), ("school-six", "2026-03-23")];
    assert_eq!(opened, expected.map(|(who, on)| (who, on.to_owned())));
    let opens = ["obligation.opened"; 3];
    assert_eq!(kinds(&decision), [&["message.registered"], &opens[..]].concat());
}

#[test]
fn each_obligation_ends_at_midnight_of_its_own_zone() {
    let story = Story::of(request(&["school-1", "school-ta", "school-six"]), TUESDAY);
    assert_eq!(obligation(&story, "school-1").due_at(), instant("2026-03-25T00:00:00+08:00"));
    assert_eq!(obligation(&story, "school-ta").due_at(), instant("2026-03-26T00:00:00+03:00"));
    assert_eq!(obligation(&story, "school-six").due_at(), instant("2026-03-24T00:00:00+09:00"));
}

#[test]
fn each_obligation_keeps_the_protocol_of_its_own_calendar() {
    let story = Story::of(request(&["school-1", "school-ta", "school-six"]), TUESDAY);
    let due = &obligation(&story, "school-ta").due;
    let protocol = &due.protocol;
    assert_eq!((protocol.event.kind, protocol.event.local_on), (StartsOn::Registered, day("2026-03-17")));
    assert_eq!(protocol.calendar.region.as_deref(), Some("RU-TA"));
    let excluded: Vec<_> = protocol.excluded.iter().map(|off| off.date.to_string()).collect();
    assert_eq!(excluded, ["2026-03-20", "2026-03-21", "2026-03-22"]);
    assert!(protocol.excluded[0].why.contains("Ураза-байрам"), "{}", protocol.excluded[0].why);
    assert_eq!((protocol.due_on, protocol.due_at), (due.on, due.at));
    assert!(!due.rule_version.is_empty() && due.source.contains("5 рабочих дней"), "{}", due.source);
    let six = &obligation(&story, "school-six").due.protocol;
    assert_eq!((six.calendar.week, six.calendar.region.as_deref()), (Week::SixDay, Some("RU-SA")));
    assert_eq!(six.excluded.len(), 1, "only Sunday");
}

#[test]
fn the_new_year_holidays_are_not_counted() {
    let story = Story::of(request(&["school-1"]), "2025-12-26T12:00:00+08:00");
    assert_eq!(story.due_on("school-1"), "2026-01-14");
    let protocol = &obligation(&story, "school-1").due.protocol;
    assert_eq!(protocol.excluded.len(), 14, "27 and 28 December, 31 December to 11 January");
}

#[test]
fn a_day_begins_by_the_clock_of_the_body_that_owes() {
    // Half past eleven in the evening in Irkutsk is half past midnight of the next day in Yakutsk.
    let story = Story::of(request(&["school-1", "school-six"]), "2026-03-17T23:30:00+08:00");
    assert_eq!(story.due_on("school-1"), "2026-03-24");
    assert_eq!(story.due_on("school-six"), "2026-03-24");
    assert_eq!(obligation(&story, "school-six").due.protocol.event.local_on, day("2026-03-18"));
}

#[test]
fn what_comes_after_hours_is_due_on_the_strict_day_and_accused_after_the_lenient_one() {
    let story = Story::of(request(&["school-1"]), "2026-03-17T20:00:00+08:00");
    let obligation = obligation(&story, "school-1");
    assert_eq!(obligation.due_at(), instant("2026-03-25T00:00:00+08:00"));
    assert_eq!(obligation.lenient_at(), instant("2026-03-26T00:00:00+08:00"));
    let in_hours = Story::of(request(&["school-1"]), TUESDAY);
    let obligation = &in_hours.duty("school-1").obligation;
    assert_eq!(obligation.lenient_at(), obligation.due_at());
}

#[test]
fn the_level_of_support_chooses_the_term_where_the_entry_has_one() {
    let due = |arrived, urgency| Story::of(urgent(arrived, urgency), TUESDAY).due_on("school-1");
    let request = || request(&["school-1"]);
    assert_eq!(due(request(), Urgency::Normal), "2026-03-24");
    assert_eq!(due(request(), Urgency::Urgent), "2026-03-20");
    assert_eq!(due(request(), Urgency::Emergency), "2026-03-18");
    let mut without = request();
    without.rule.answer.as_mut().unwrap().term_emergency = None;
    assert_eq!(due(without.clone(), Urgency::Emergency), "2026-03-20", "the next milder term");
    without.rule.answer.as_mut().unwrap().term_urgent = None;
    assert_eq!(due(without, Urgency::Emergency), "2026-03-24");
}

#[test]
fn a_ruling_opens_one_obligation_for_each_order_and_body() {
    let orders = vec![
        item("1", Some("centre"), Some("2026-04-01")),
        item("2", Some("school-1"), Some("2026-04-10")),
        item("3", None, Some("2026-04-15")),
    ];
    let story = Story::of(ruling(&["centre", "school-1"], orders), TUESDAY);
    let owed = story.exchange.duties.iter().map(|duty| {
        let one = &duty.obligation;
        (one.item.as_deref().unwrap(), one.performer.as_str(), one.due_on().to_string())
    });
    let expected = [
        ("1", "centre", "2026-04-01"),
        ("2", "school-1", "2026-04-10"),
        ("3", "centre", "2026-04-15"),
        ("3", "school-1", "2026-04-15"),
    ];
    assert_eq!(owed.collect::<Vec<_>>(), expected.map(|(item, who, on)| (item, who, on.to_owned())));
    assert!(story.exchange.duties.iter().all(|duty| duty.obligation.controller == code("commission")));
}

#[test]
fn a_report_answers_the_orders_that_it_names_and_no_others() {
    let orders = vec![item("1", None, Some("2026-04-01")), item("2", None, Some("2026-04-10"))];
    let mut story = Story::of(ruling(&["school-1"], orders), TUESDAY);
    let report = message("report", "report.ruling-execution", "school-1", &["commission"]);
    story.receive(stating(report, BodyFacts { answered_items: vec!["2".into()], ..BodyFacts::default() }));
    let states: Vec<_> = story.exchange.duties.iter().map(|duty| duty.obligation.state().code()).collect();
    assert_eq!(states, ["running", "answered"]);
}

#[test]
fn an_order_that_states_no_date_is_refused_with_the_remedy() {
    let mut story = Story::at(TUESDAY);
    let refusal = story.try_receive(ruling(&["school-1"], vec![item("1", None, None)])).unwrap_err();
    assert_eq!(refusal.code(), "term_not_countable");
    assert!(refusal.to_string().contains("state the date"), "{refusal}");
    assert!(story.exchange.root.is_none() && story.exchange.duties.is_empty());
}

#[test]
fn an_order_to_a_body_that_the_ruling_is_not_sent_to_is_refused() {
    let mut story = Story::at(TUESDAY);
    let orders = vec![item("1", Some("police"), Some("2026-04-01"))];
    let refusal = story.try_receive(ruling(&["school-1"], orders)).unwrap_err();
    assert_eq!(refusal.code(), "item_without_addressee");
    assert!(refusal.to_string().contains("police") && story.exchange.duties.is_empty());
}

#[test]
fn two_orders_of_one_number_to_one_body_are_refused() {
    let orders = vec![item("1", None, Some("2026-04-01")), item("1", Some("school-1"), Some("2026-04-02"))];
    let refusal = Story::at(TUESDAY).try_receive(ruling(&["school-1"], orders)).unwrap_err();
    assert_eq!(refusal.code(), "item_twice");
}

#[test]
fn a_stated_date_is_taken_as_it_stands() {
    // A Sunday: the document says so, and nothing rolls it.
    let story = Story::of(stated("2026-03-22"), TUESDAY);
    let due = &obligation(&story, "school-1").due;
    assert_eq!((due.on, due.at), (day("2026-03-22"), instant("2026-03-23T00:00:00+08:00")));
    assert_eq!((due.protocol.rule.term.unit, due.source.as_str()), (Unit::FixedDates, "срок указан в самом документе"));
    assert_eq!(due.protocol.remarks, [Remark::DateStatedByDocument]);
}

#[test]
fn a_stated_date_before_the_message_itself_is_refused() {
    let mut story = Story::at(TUESDAY);
    assert_eq!(story.try_receive(stated("2026-03-16")).unwrap_err(), Refusal::StatedDueInThePast);
    assert!(story.exchange.root.is_none());
}

#[test]
fn a_stated_date_that_was_over_when_the_message_came_is_taken_and_nobody_accused_of_it_yet() {
    let mut story = Story::at(TUESDAY);
    story.receive(Arrived { created_at: instant("2026-03-10T10:00:00+08:00"), ..stated("2026-03-12") });
    let obligation = obligation(&story, "school-1");
    assert_eq!(obligation.due_on(), day("2026-03-12"));
    assert!(obligation.due.protocol.remarks.contains(&Remark::DueBeforeTermBegins));
    assert_eq!(obligation.lenient_at(), instant("2026-03-18T00:00:00+08:00"), "the day it came is the body's own");
    let climbed = story.climb("school-1", "2026-03-20T12:00:00+08:00");
    assert_eq!(climbed, ["Fri 20.03 08:30 prepared 3"], "no reminder of a day that was over before it could be read");
}

#[test]
fn a_date_that_the_sender_asserts_changes_nothing_and_is_said_to_differ() {
    let mut story = Story::at(TUESDAY);
    let decision = story.receive(Arrived { reply_by: Some(day("2026-03-19")), ..request(&["school-1"]) });
    assert!(decision.opened[0].reply_by_differs);
    assert_eq!(story.due_on("school-1"), "2026-03-24");
    let same = Arrived { reply_by: Some(day("2026-03-24")), ..request(&["school-1"]) };
    assert!(!Story::at(TUESDAY).receive(same).opened[0].reply_by_differs);
}

#[test]
fn a_term_from_knowledge_runs_from_the_day_that_the_body_states() {
    let mut known =
        stating(request(&["school-1"]), BodyFacts { known_on: Some(day("2026-03-11")), ..BodyFacts::default() });
    let answer = known.rule.answer.as_mut().unwrap();
    answer.term = Term { starts_on: StartsOn::Known, ..Term::new(Unit::WorkingDay, 7) };
    let story = Story::of(known.clone(), TUESDAY);
    assert_eq!(story.due_on("school-1"), "2026-03-20");
    known.facts.known_on = Some(day("2026-05-01"));
    assert_eq!(Story::of(known, TUESDAY).due_on("school-1"), "2026-03-26", "known after the receipt is at the receipt");
}

#[test]
fn a_term_that_closes_with_the_office_is_accused_of_after_the_whole_day() {
    let mut early = request(&["school-1"]);
    let term = &mut early.rule.answer.as_mut().unwrap().term;
    term.closes_at = ClosesAt::At(NaiveTime::from_hms_opt(17, 0, 0).unwrap());
    let story = Story::of(early, TUESDAY);
    let obligation = obligation(&story, "school-1");
    assert_eq!(obligation.due_at(), instant("2026-03-24T17:00:00+08:00"));
    assert_eq!(obligation.lenient_at(), instant("2026-03-25T00:00:00+08:00"));
}

#[test]
fn a_notice_without_a_mandatory_answer_opens_nothing() {
    let story = Story::of(message("request", "notice.family-change", "centre", &["police"]), TUESDAY);
    assert!(story.exchange.root.is_some() && story.exchange.duties.is_empty());
}

#[test]
fn a_message_that_begins_an_exchange_cannot_take_over_the_exchange_of_another() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let before = story.exchange.clone();
    let second = message("second", "request.information", "police", &["centre"]);
    assert_eq!(story.try_receive(second.clone()).unwrap_err(), Refusal::OpensNoExchange);
    assert_eq!(story.exchange, before);
    assert_eq!(Story::at(TUESDAY).try_receive(second).unwrap_err(), Refusal::OpensNoExchange);
}

#[test]
fn a_request_that_is_decided_twice_opens_its_obligations_once() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let before = story.exchange.clone();
    let again = story.go("2026-03-18T12:00:00+08:00").receive(request(&["school-1"]));
    assert!(again.opened.is_empty() && again.events.is_empty());
    assert_eq!(story.exchange, before);
}

#[test]
fn the_same_request_makes_the_same_obligation_ids_wherever_it_is_decided() {
    let ids = |at| {
        Story::of(request(&["school-1", "school-ta"]), at)
            .exchange
            .duties
            .iter()
            .map(|d| d.obligation.id)
            .collect::<Vec<_>>()
    };
    let ids_now = ids(TUESDAY);
    assert_eq!(ids_now, ids("2026-03-18T09:00:00+08:00"));
    assert_ne!(ids_now[0], ids_now[1]);
}
