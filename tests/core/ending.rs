//! The end of the duties of a case: which it ends, and that the order in which it is told makes no difference.

use crate::kit::{Story, code, id, instant, message, stating};
use mezhved::domain::decide::Command;
use mezhved::domain::decision::Arrived;
use mezhved::domain::ending::{CASE_CLOSED, Ending, Told};
use mezhved::domain::ids::TypeCode;
use mezhved::domain::obligation::Fact;
use mezhved::domain::rule::BodyFacts;

const CASE: &str = "СЛ-2026/17";

/// A plan of the centre for a school, received on 18 March and made the day before.
fn plan() -> Story {
    let mut story = Story::at("2026-03-18T10:00:00+08:00");
    let duties = vec![TypeCode::new("report.plan-progress").unwrap()];
    let plan = message("request", "plan.approved", "centre", &["school-1"]);
    let plan = stating(plan, BodyFacts { duties, ..BodyFacts::default() });
    story.receive(Arrived { created_at: instant("2026-03-17T10:00:00+08:00"), ..plan });
    story
}

fn ending(type_code: &str, from: &str, at: &str) -> Ending {
    Ending {
        case: CASE.to_owned(),
        told: Some(Told { message: id("end"), type_code: TypeCode::new(type_code).unwrap(), from: code(from) }),
        closes: false,
        centres: vec![code("centre")],
        by: from.to_owned(),
        made_at: instant(at),
        at: instant(at),
    }
}

fn end(story: &mut Story, ending: &Ending) {
    story.now = story.now.max(ending.at);
    story.decide(&Command::EndDuties(Box::new(ending.clone()))).unwrap();
}

/// Period and state of the duties.
fn states(story: &Story) -> Vec<String> {
    let duties = story.exchange.duties.iter().map(|duty| &duty.obligation).filter(|one| one.recurs.is_some());
    duties.map(|one| format!("{} {}", one.item.as_deref().unwrap_or_default(), one.state().code())).collect()
}

#[test]
fn an_end_ends_what_is_of_its_case_its_centre_and_its_type_and_was_begun_before() {
    let closed = || ending("notice.case-closed", "centre", "2026-05-15T10:00:00+08:00");
    let told = |change: fn(&mut Told)| {
        let mut ending = closed();
        change(ending.told.as_mut().unwrap());
        ending
    };
    for (why, ending, state) in [
        ("the case is closed", closed(), "withdrawn"),
        ("a person says so", Ending { told: None, ..closed() }, "withdrawn"),
        (
            "it closes the case",
            Ending { closes: true, ..told(|told| told.type_code = TypeCode::new("ruling.x").unwrap()) },
            "withdrawn",
        ),
        (
            "who closes the case is no party",
            Ending { closes: true, ..told(|told| told.from = code("police")) },
            "withdrawn",
        ),
        ("it closes another centre's", Ending { closes: true, centres: vec![code("police")], ..closed() }, "running"),
        ("another case", Ending { case: "СЛ-2026/18".to_owned(), ..closed() }, "running"),
        ("another centre's", Ending { centres: vec![code("police")], ..closed() }, "running"),
        ("nobody's", Ending { centres: Vec::new(), ..closed() }, "running"),
        ("another type", told(|told| told.type_code = TypeCode::new("reply.information").unwrap()), "running"),
        ("a stranger says so", told(|told| told.from = code("police")), "running"),
        ("made before the plan", Ending { made_at: instant("2026-03-16T10:00:00+08:00"), ..closed() }, "running"),
    ] {
        let mut story = plan();
        end(&mut story, &ending);
        assert_eq!(states(&story), [format!("2026-1 {state}")], "{why}");
    }
}

#[test]
fn what_was_overdue_when_the_case_ended_stays_owed_and_a_renewal_after_it_is_none() {
    for (at, expected) in [
        ("2026-06-30T23:59:59+08:00", vec!["2026-1 withdrawn"]),
        ("2026-07-01T00:00:01+08:00", vec!["2026-1 running", "2026-2 withdrawn"]),
    ] {
        let mut story = plan();
        end(&mut story, &ending("notice.case-closed", "centre", at));
        let one = story.exchange.duties.iter().find(|duty| duty.obligation.recurs.is_some()).unwrap();
        let fact = one.obligation.facts.last().unwrap();
        assert!(matches!(fact, Fact::Ended { reason, .. } if reason == CASE_CLOSED), "{fact:?}");
        assert_eq!(states(&story), expected, "{at}");
        let renewing: Vec<_> =
            story.exchange.duties.iter().filter_map(|duty| duty.obligation.recurs.as_ref()?.renews_at).collect();
        assert!(renewing.is_empty(), "nothing is to come after the end: {renewing:?}");
    }
}

#[test]
fn every_order_of_two_ends_and_a_report_ends_alike() {
    let report = || {
        let report = message("report", "report.plan-progress", "school-1", &["centre"]);
        stating(report, BodyFacts { answered_items: vec!["2026-1".to_owned()], ..BodyFacts::default() })
    };
    let ends = || {
        let closed = ending("notice.case-closed", "centre", "2026-05-15T10:00:00+08:00");
        (closed.clone(), Ending { told: None, by: "koordinator".into(), ..closed })
    };
    let told = |order: [usize; 3]| {
        let mut story = plan();
        story.go("2026-05-15T10:00:00+08:00");
        for step in order {
            match step {
                0 => end(&mut story, &ends().0),
                1 => end(&mut story, &ends().1),
                _ => {
                    story.receive(report());
                }
            }
        }
        states(&story)
    };
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0]] {
        assert_eq!(told(order), ["2026-1 answered"], "{order:?}");
    }
    // The next period was begun before the end was known; it is withdrawn with it.
    for order in [[2, 0, 1], [2, 1, 0]] {
        assert_eq!(told(order)[0], "2026-1 answered", "{order:?}");
        assert!(told(order)[1..].iter().all(|row| row == "2026-2 withdrawn"), "{order:?}");
    }
}
