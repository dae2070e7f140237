//! Order-free: whatever order messages come in, the exchange ends in the same state.
//!
//! Two readings are held. Real: each message bears the instant at which it came, so the orders differ in instants, and
//! everything else is the same. Replayed: each message bears an instant of its own, and only the order of processing
//! differs. A message that is refused has no effect and is told so; its sender sends it again, which the tests do after
//! every message that was taken.

use crate::kit::{
    Story, extension, instant, message, minutes, redirection, reply, request, said, stating, watched_request,
};
use mezhved::domain::decide::Command;
use mezhved::domain::decision::Arrived;
use mezhved::domain::ids::TypeCode;
use mezhved::domain::rule::BodyFacts;
use proptest::prelude::*;
use proptest::sample::subsequence;

const MORNING: &str = "2026-03-17T10:00:00+08:00";

/// What must not depend on the order.
fn ending(story: &Story) -> Vec<String> {
    let mut ending: Vec<String> = story
        .exchange
        .duties
        .iter()
        .map(|duty| {
            let one = &duty.obligation;
            let mut facts: Vec<String> = one.facts.iter().map(said).collect();
            facts.sort();
            let rungs: Vec<_> = duty.rungs.rows.iter().map(|row| (row.no, row.planned_at, row.state.code())).collect();
            let (who, state, due) = (&one.performer, one.state().code(), one.due_on());
            format!(
                "{who}: {state}, due {due}, {rungs:?}, alert {:?}, {facts:#?}",
                duty.alert.as_ref().map(|a| a.code())
            )
        })
        .collect();
    ending.sort();
    ending
}

/// Receives the messages at ten-minute intervals; what is refused is sent again after each one that was taken.
fn told_in(order: &[Arrived]) -> Story {
    let mut story = Story::at(MORNING);
    let mut refused: Vec<Arrived> = Vec::new();
    for arrived in order {
        story.now += minutes(10);
        if story.try_receive(arrived.clone()).is_err() {
            refused.push(arrived.clone());
            continue;
        }
        while let Some(place) = refused.iter().position(|one| story.try_receive(one.clone()).is_ok()) {
            refused.remove(place);
        }
    }
    story
}

/// The same, each message with the instant that it has in the list, processed in another order.
fn replayed_in(messages: &[Arrived], order: &[usize]) -> Story {
    let mut story = Story::at("2026-03-17T16:00:00+08:00");
    let mut waiting: Vec<usize> = Vec::new();
    for &next in order {
        waiting.push(next);
        while let Some(taken) = waiting.iter().position(|&place| is_taken(&mut story, messages, place)) {
            waiting.remove(taken);
        }
    }
    story
}

fn is_taken(story: &mut Story, messages: &[Arrived], place: usize) -> bool {
    let at = instant(MORNING) + minutes(10 * i64::try_from(place).unwrap());
    let created_on = crate::kit::day("2026-03-17");
    let arrived = Arrived { received_at: at, created_at: at, created_on, ..messages[place].clone() };
    story.decide(&Command::Receive(Box::new(arrived))).is_ok()
}

fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(count - 1);
    shorter
        .iter()
        .flat_map(|order| {
            (0..count).map(|place| {
                let mut longer = order.clone();
                longer.insert(place, count - 1);
                longer
            })
        })
        .collect()
}

fn every_order_ends_alike(messages: &[Arrived]) {
    let expected = ending(&told_in(messages));
    let orders = permutations(messages.len());
    for order in &orders {
        let told: Vec<Arrived> = order.iter().map(|&place| messages[place].clone()).collect();
        let story = told_in(&told);
        assert_eq!(ending(&story), expected, "told in the order {order:?}");
        assert!(story.exchange.parked.is_empty(), "left waiting in the order {order:?}");
    }
    println!("{} orders of {} messages", orders.len(), messages.len());
}

fn interim() -> Arrived {
    message("interim", "control.interim-reply", "school-1", &["centre"])
}

fn refusal() -> Arrived {
    message("refusal", "control.reasoned-refusal", "school-1", &["centre"])
}

fn withdrawal() -> Arrived {
    message("withdrawal", "control.withdrawal", "centre", &["school-1"])
}

fn question() -> Arrived {
    message("question", "control.clarification-request", "school-1", &["centre"])
}

/// Names the question, so that it is about that one in whatever order they come.
fn clarification() -> Arrived {
    let named = crate::kit::id("question");
    Arrived { in_reply_to: Some(named), ..message("clarification", "control.clarification", "centre", &["school-1"]) }
}

fn release() -> Arrived {
    message("release", "control.release", "centre", &["school-1"])
}

fn denial() -> Arrived {
    let denial = message("denial", "control.extension-decision", "centre", &["school-1"]);
    stating(denial, BodyFacts { granted: Some(false), ..BodyFacts::default() })
}

/// Sends back the answer named `reply`.
fn sent_back() -> Arrived {
    let named = crate::kit::id("reply");
    Arrived { in_reply_to: Some(named), ..message("return", "control.return", "centre", &["school-1"]) }
}

fn six(request: Arrived) -> [Arrived; 6] {
    let (reply, again) = (reply("reply", "school-1"), reply("reply", "school-1"));
    [request, interim(), reply, again, withdrawal(), extension("2026-04-03", "school-1")]
}

#[test]
fn every_order_of_request_interim_reply_repeat_withdrawal_and_extension_ends_alike() {
    every_order_ends_alike(&six(request(&["school-1"])));
    every_order_ends_alike(&six(watched_request(&["school-1"])));
}

#[test]
fn every_order_of_processing_ends_alike_when_the_messages_keep_their_instants() {
    for request in [request(&["school-1"]), watched_request(&["school-1"])] {
        let messages = six(request);
        let exact = |story: &Story| {
            let mut facts = story.duty("school-1").obligation.facts.clone();
            facts.sort_by_key(|fact| (fact.at(), said(fact)));
            // The same message twice: the one that is processed first is the one that is kept.
            let at = |fact: &mezhved::domain::obligation::Fact| (said(fact), fact.at());
            let facts: Vec<_> = facts.iter().map(at).filter(|(words, _)| !words.contains("answered")).collect();
            (ending(story), facts)
        };
        let expected = exact(&replayed_in(&messages, &[0, 1, 2, 3, 4, 5]));
        for order in permutations(6) {
            assert_eq!(exact(&replayed_in(&messages, &order)), expected, "processed in the order {order:?}");
        }
    }
}

#[test]
fn every_order_after_the_ladder_has_begun_ends_alike() {
    for until in ["2026-03-25T12:00:00+08:00", "2026-03-27T12:00:00+08:00"] {
        let mut late = Story::of(request(&["school-1"]), MORNING);
        late.climb("school-1", until);
        let messages = &six(request(&["school-1"]))[1..];
        let told = |order: &[usize]| {
            let mut story = late.clone();
            for &place in order {
                story.now += minutes(10);
                story.receive(messages[place].clone());
            }
            assert_eq!((story.alert("school-1").code(), story.state("school-1")), ("resolved", "fulfilled"));
            ending(&story)
        };
        let expected = told(&[0, 1, 2, 3, 4]);
        for order in permutations(5) {
            assert_eq!(told(&order), expected, "told in the order {order:?}");
        }
    }
}

#[test]
fn every_order_of_request_refusal_and_release_ends_alike() {
    every_order_ends_alike(&[request(&["school-1"]), refusal(), release()]);
    every_order_ends_alike(&[watched_request(&["school-1"]), refusal(), release(), interim()]);
}

#[test]
fn every_order_of_request_redirection_and_reply_of_the_new_body_ends_alike() {
    let redirection = || redirection("redirection", "school-1", "guardianship");
    let told = [request(&["school-1"]), redirection(), reply("answer", "guardianship")];
    every_order_ends_alike(&told);
    assert_eq!(told_in(&told).state("guardianship"), "fulfilled");
    every_order_ends_alike(&[
        request(&["school-1"]),
        redirection(),
        reply("answer", "guardianship"),
        extension("2026-04-03", "school-1"),
        withdrawal(),
    ]);
}

#[test]
fn every_order_of_two_redirections_in_a_chain_ends_alike() {
    every_order_ends_alike(&[
        request(&["school-1"]),
        redirection("redirection", "school-1", "guardianship"),
        redirection("further", "guardianship", "police"),
        reply("answer", "police"),
    ]);
}

#[test]
fn every_order_of_an_answer_and_the_return_that_names_it_ends_alike() {
    let told = [request(&["school-1"]), reply("reply", "school-1"), sent_back(), reply("second", "school-1")];
    every_order_ends_alike(&told);
    assert_eq!(told_in(&told).state("school-1"), "fulfilled");
}

#[test]
fn every_order_of_a_question_its_answer_an_extension_and_a_reply_ends_alike() {
    let extension = || extension("2026-04-03", "school-1");
    let told = [request(&["school-1"]), question(), clarification(), extension(), reply("reply", "school-1")];
    every_order_ends_alike(&told);
    every_order_ends_alike(&told[..4]);
    every_order_ends_alike(&[request(&["school-1"]), question(), extension(), interim(), withdrawal()]);
    let standing = [request(&["school-1"]), question(), extension(), interim()];
    every_order_ends_alike(&standing);
    assert_eq!(told_in(&standing).state("school-1"), "suspended");
}

#[test]
fn every_order_of_a_question_and_a_redirection_ends_alike() {
    let redirection = || redirection("redirection", "school-1", "guardianship");
    let standing = [request(&["school-1"]), question(), redirection()];
    every_order_ends_alike(&standing);
    assert_eq!(told_in(&standing).state("guardianship"), "suspended", "what was asked was asked for whoever answers");
    every_order_ends_alike(&[request(&["school-1"]), question(), clarification(), redirection(), interim()]);
}

#[test]
fn every_order_of_processing_a_plan_its_report_and_its_end_ends_alike() {
    let owed = TypeCode::new("report.plan-progress").unwrap();
    let plan = message("request", "plan.approved", "centre", &["school-1"]);
    let plan = stating(plan, BodyFacts { duties: vec![owed], ..BodyFacts::default() });
    let report = message("report", "report.plan-progress", "school-1", &["centre"]);
    let report = stating(report, BodyFacts { answered_items: vec!["2026-1".to_owned()], ..BodyFacts::default() });
    let end = Arrived { rule: report.rule.clone(), ..message("end", "notice.case-closed", "centre", &["school-1"]) };
    let told = [plan.clone(), report.clone(), end.clone()];
    let expected = ending(&replayed_in(&told, &[0, 1, 2]));
    assert_eq!(expected.len(), 3, "the plan itself, the half-year, and the next one, begun before the end");
    for order in permutations(3) {
        assert_eq!(ending(&replayed_in(&told, &order)), expected, "processed in the order {order:?}");
    }
    // Where the end was told before the report, a period that was opened before the end was known is withdrawn.
    let told = [plan, end, report];
    let standing = |order: &[usize]| {
        let mut rows = ending(&replayed_in(&told, order));
        rows.retain(|row| !row.starts_with("school-1: withdrawn"));
        rows
    };
    assert_eq!(standing(&[0, 1, 2]).len(), 2, "the plan itself and the half-year");
    for order in permutations(3) {
        assert_eq!(standing(&order), standing(&[0, 1, 2]), "processed in the order {order:?}");
    }
}

#[test]
fn every_order_of_two_schools_answering_ends_alike() {
    every_order_ends_alike(&[
        request(&["school-1", "school-ta"]),
        reply("reply", "school-1"),
        reply("other reply", "school-ta"),
        withdrawal(),
        Arrived { facts: BodyFacts { no_data: true, ..BodyFacts::default() }, ..reply("nil", "school-ta") },
    ]);
}

/// Everything that does not depend on instants by its meaning (a release or a return does: it is about what came
/// before it).
fn pool() -> Vec<Arrived> {
    vec![
        interim(),
        reply("reply", "school-1"),
        reply("second", "school-1"),
        reply("reply", "school-1"),
        refusal(),
        withdrawal(),
        denial(),
        extension("2026-04-03", "school-1"),
        Arrived { message: crate::kit::id("extension 2"), ..extension("2026-04-10", "school-1") },
        redirection("redirection", "school-1", "guardianship"),
        redirection("further", "guardianship", "police"),
        reply("answer", "guardianship"),
        reply("answer 2", "police"),
        reply("other", "school-ta"),
        release(),
        question(),
        clarification(),
    ]
}

/// With each message's own instant also that of what is about the things before it, and no message twice.
fn replayable() -> Vec<Arrived> {
    let mut pool = pool();
    pool.remove(3);
    pool.insert(3, sent_back());
    let all_back = message("return 2", "control.return", "centre", &["school-1"]);
    pool.insert(9, Arrived { in_reply_to: Some(crate::kit::id("request")), ..all_back });
    // One that names no question answers those that had come before it; of two questions the first stops the clock.
    let loose = message("loose", "control.clarification", "centre", &["school-1"]);
    pool.push(Arrived { in_reply_to: Some(crate::kit::id("request")), ..loose });
    pool.push(Arrived { message: crate::kit::id("question 2"), ..question() });
    pool.push(Arrived { message: crate::kit::id("release 2"), ..release() });
    pool
}

fn tale() -> impl Strategy<Value = (Vec<Arrived>, Vec<Arrived>, bool)> {
    (subsequence(pool(), 5..=17), any::<bool>()).prop_flat_map(|(mut told, watched)| {
        let request: fn(&[&str]) -> Arrived = if watched { watched_request } else { request };
        told.insert(0, request(&["school-1", "school-ta"]));
        (Just(told.clone()), Just(told).prop_shuffle(), Just(watched))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_longer_tales_end_alike_in_any_order((told, shuffled, _) in tale()) {
        let names = |order: &[Arrived]| order.iter().map(|one| one.type_code.to_string()).collect::<Vec<_>>();
        prop_assert_eq!(ending(&told_in(&told)), ending(&told_in(&shuffled)), "{:?}", names(&shuffled));
    }
    #[test]
    fn random_longer_tales_end_alike_in_any_order_of_processing(
        (told, order) in (subsequence(replayable(), 5..=16), any::<bool>()).prop_flat_map(|(mut told, watched)| {
            let request: fn(&[&str]) -> Arrived = if watched { watched_request } else { request };
            told.insert(0, request(&["school-1", "school-ta"]));
            let order: Vec<usize> = (0..told.len()).collect();
            (Just(told), Just(order).prop_shuffle())
        }),
    ) {
        let in_order: Vec<usize> = (0..told.len()).collect();
        let exact = |story: &Story| {
            let mut facts: Vec<_> = story.exchange.duties.iter().flat_map(|duty| &duty.obligation.facts).collect();
            facts.sort_by_key(|fact| (fact.at(), said(fact)));
            let facts: Vec<String> = facts.into_iter().map(|fact| format!("{fact:?}")).collect();
            let mut closed: Vec<_> = story.exchange.duties.iter().map(|duty| duty.obligation.closed_at()).collect();
            closed.sort();
            (ending(story), facts, closed)
        };
        prop_assert_eq!(exact(&replayed_in(&told, &in_order)), exact(&replayed_in(&told, &order)), "{:?}", order);
    }
}
