//! The СОП track of the Angarsk order (S4), from the commission's ruling to the removal from the register.

use super::{
    COMMISSION, answering, following, goes, journal, letter, of_the_case, opened_by, passes, record, released, spells,
    stages,
};
use crate::kit::{CENTRE, SCHOOL, Story};
use mezhved::domain::case::history::Standing;
use mezhved::domain::message::Track;
use mezhved::gateway::ports::decisions::Direction;
use serde_json::{Value, json};

/// «Ответственный субъект».
const LEAD: &str = "education-test";
const GUARDIANSHIP: &str = "guardianship-test";
const KEEPER: &str = "register-test";

#[tokio::test]
async fn a_family_on_the_register_is_supported_from_the_ruling_to_its_removal_as_the_angarsk_order_has_it() {
    let story = Story::at("2026-03-02 10:00").await;
    let ruling = ruling(&story).await;
    proposals_come_within_five_working_days(&story).await;
    let plan = plan(&story).await;
    orders_are_reported_on(&story, &ruling).await;
    half_year_is_reported_on_and_controlled(&story, (&ruling, &plan)).await;
    measures_are_reported_on(&story, &plan).await;
    change_is_told_to_the_keeper_within_seven_working_days(&story).await;
    let story = story.restart().await;
    removal_ends_the_duties_and_closes_the_case(&story, (&ruling, &plan)).await;
    passes(&story, "2027-02-01 12:00").await;
    let open = of_the_case(&story).await.into_iter().filter(|one| matches!(one.state, "running" | "answered"));
    assert_eq!(open.count(), 0, "nothing is owed for the family any more");
    the_journal_has_every_letter_of_the_centre(&story).await;
}

/// Thursday, 26 February: the commission places the family on the register, names the lead and gives two orders.
async fn ruling(story: &Story) -> Value {
    let mut ruling = letter("ruling.commission", (COMMISSION, &[CENTRE, LEAD]));
    ruling["summary"] = json!("Постановление о постановке на учёт СОП");
    (ruling["body"]["ruling_kind"], ruling["body"]["lead"]) = (json!("place_on_register"), json!(LEAD));
    let ruling = goes(story, "2026-03-02 10:15", ruling).await;
    assert_eq!(
        opened_by(story, &ruling).await,
        [
            "report.control-act 2026-1: education-test → commission-test 2026-06-30 running",
            "report.plan-progress 2026-1: centre-vymysel → commission-test 2026-06-30 running",
            "report.plan-progress 2026-1: education-test → commission-test 2026-06-30 running",
            "Информация об исполнении постановления 1: centre-vymysel → commission-test 2026-03-26 running",
            "Информация об исполнении постановления 2.1: education-test → commission-test 2026-03-20 running",
        ]
    );
    let placed = record(story).await;
    assert_eq!((placed.standing, placed.track), (Standing::Open, Some(Track::DangerousPosition)));
    assert_eq!(placed.opened_on.unwrap().to_string(), "2026-02-26", "the day of the ruling");
    goes(story, "2026-03-04 09:00", level("basic", "2026-03-04")).await;
    ruling
}

/// The centre places the family on a level of support.
fn level(to: &str, on: &str) -> Value {
    let mut notice = letter("notice.support-level", (CENTRE, &[COMMISSION]));
    (notice["body"]["level_to"], notice["body"]["from"]) = (json!(to), json!(on));
    notice["summary"] = json!("Об уровне сопровождения");
    notice
}

/// The lead asks its co-performers on Thursday, 5 March; S4: «в течение 5-ти рабочих дней».
async fn proposals_come_within_five_working_days(story: &Story) {
    let mut asked = letter("request.plan-proposals", (LEAD, &[CENTRE, GUARDIANSHIP]));
    asked["support"] = json!({"track": "dangerous_position", "level": "basic"});
    let asked = goes(story, "2026-03-05 10:00", asked).await;
    let proposals = |by: &str| answering(letter("reply.plan-proposals", (by, &[LEAD])), &asked);
    goes(story, "2026-03-10 10:00", proposals(GUARDIANSHIP)).await;
    // 6, 10, 11, 12, 13 March, 9 March is a day off: the centre answers on the fifth day, when the lead has gone home.
    let title = "Предложения по мероприятиям ИПР для включения в план";
    let row = |who: &str, state: &str| format!("{title}: {who} → {LEAD} 2026-03-13 {state}");
    assert_eq!(opened_by(story, &asked).await, [row(CENTRE, "running"), row(GUARDIANSHIP, "fulfilled")]);
    goes(story, "2026-03-13 18:30", proposals(CENTRE)).await;
    assert_eq!(opened_by(story, &asked).await, [row(CENTRE, "fulfilled"), row(GUARDIANSHIP, "fulfilled")]);
}

async fn plan(story: &Story) -> Value {
    let mut plan = letter("plan.approved", (LEAD, &[CENTRE, SCHOOL]));
    plan["support"] = json!({"track": "dangerous_position", "level": "basic"});
    let plan = goes(story, "2026-03-18 10:00", plan).await;
    assert_eq!(
        opened_by(story, &plan).await,
        [
            "report.control-act 2026-1: education-test → commission-test 2026-06-30 running",
            "report.plan-progress 2026-1: centre-vymysel → education-test 2026-06-30 running",
            "report.plan-progress 2026-1: school-test-17 → education-test 2026-06-30 running",
            // 1, 2, 3, 6, 7 July, after a measure that ends on 30 June.
            "Информация о выполнении мероприятия 1: centre-vymysel → education-test 2026-07-07 running",
            // 29, 30 June, 1, 2, 3 July, after one that ends on Friday, 26 June.
            "Информация о выполнении мероприятия 2: school-test-17 → education-test 2026-07-03 running",
        ]
    );
    plan
}

/// The orders are due on the dates that the ruling states; the commission takes them off its control.
async fn orders_are_reported_on(story: &Story, ruling: &Value) {
    let execution = |no: &str, by: &str| {
        let mut report = answering(letter("report.ruling-execution", (by, &[COMMISSION])), ruling);
        report["body"]["orders"][0]["no"] = json!(no);
        report
    };
    let states = async || {
        let rows = opened_by(story, ruling).await;
        [rows[3].clone(), rows[4].clone()]
    };
    let title = "Информация об исполнении постановления";
    let first = |state: &str| format!("{title} 1: {CENTRE} → {COMMISSION} 2026-03-26 {state}");
    let second = |state: &str| format!("{title} 2.1: {LEAD} → {COMMISSION} 2026-03-20 {state}");
    goes(story, "2026-03-20 16:00", execution("2.1", LEAD)).await;
    assert_eq!(states().await, [first("running"), second("answered")]);
    goes(story, "2026-03-25 15:00", execution("1", CENTRE)).await;
    released(story, "2026-03-27 10:00", (ruling, COMMISSION)).await;
    assert_eq!(states().await, [first("fulfilled"), second("fulfilled")]);
}

/// S4: «1 раз в полугодие»: what the ruling and what the plan ask for, by the last working day of June; then the second
/// half-year is owed by the last working day of December (the 31st is a day off).
async fn half_year_is_reported_on_and_controlled(story: &Story, (ruling, plan): (&Value, &Value)) {
    let progress = |by: &str, to: &str, what: &Value| answering(letter("report.plan-progress", (by, &[to])), what);
    let act = |what: &Value| answering(letter("report.control-act", (LEAD, &[COMMISSION])), what);
    goes(story, "2026-06-25 10:00", progress(LEAD, COMMISSION, ruling)).await;
    goes(story, "2026-06-25 16:00", progress(SCHOOL, LEAD, plan)).await;
    goes(story, "2026-06-26 12:00", progress(CENTRE, COMMISSION, ruling)).await;
    goes(story, "2026-06-26 12:10", progress(CENTRE, LEAD, plan)).await;
    goes(story, "2026-06-29 15:00", act(ruling)).await;
    goes(story, "2026-06-30 17:00", act(plan)).await;
    for (what, whom) in [(ruling, COMMISSION), (plan, LEAD), (plan, COMMISSION)] {
        released(story, "2026-07-01 10:00", (what, whom)).await;
    }
    let halves = |rows: [&str; 3]| {
        let both = |row: &str| {
            [("2026-1", "2026-06-30 fulfilled"), ("2026-2", "2026-12-30 running")]
                .map(|(half, until)| format!("{} {until}", row.replace("HALF", half)))
        };
        rows.map(both).concat()
    };
    let of_ruling = [
        "report.control-act HALF: education-test → commission-test",
        "report.plan-progress HALF: centre-vymysel → commission-test",
        "report.plan-progress HALF: education-test → commission-test",
    ];
    let of_plan = [
        "report.control-act HALF: education-test → commission-test",
        "report.plan-progress HALF: centre-vymysel → education-test",
        "report.plan-progress HALF: school-test-17 → education-test",
    ];
    for (what, rows) in [(ruling, of_ruling), (plan, of_plan)] {
        let (mut expected, mut found) = (halves(rows), opened_by(story, what).await);
        expected.sort();
        found.retain(|row| row.starts_with("report."));
        assert_eq!(found, expected);
    }
    assert_eq!(
        stages(&record(story).await),
        ["decision 2026-02-26", "plan_implementation 2026-03-17", "progress_review 2026-06-25"]
    );
}

/// One report for each measure, five working days after its end.
async fn measures_are_reported_on(story: &Story, plan: &Value) {
    let report = |no: &str, by: &str| {
        let mut report = answering(letter("report.measure", (by, &[LEAD])), plan);
        report["body"]["no"] = json!(no);
        report["summary"] = json!(format!("О выполнении мероприятия {no}"));
        report
    };
    goes(story, "2026-07-03 10:00", report("2", SCHOOL)).await;
    goes(story, "2026-07-07 17:00", report("1", CENTRE)).await;
    released(story, "2026-07-08 10:00", (plan, LEAD)).await;
    let mut rows = opened_by(story, plan).await;
    rows.retain(|row| row.starts_with("Информация о выполнении мероприятия"));
    assert_eq!(
        rows,
        [
            "Информация о выполнении мероприятия 1: centre-vymysel → education-test 2026-07-07 fulfilled",
            "Информация о выполнении мероприятия 2: school-test-17 → education-test 2026-07-03 fulfilled",
        ]
    );
}

/// The centre learns on Friday, 10 July, that the family has moved, and tells the keeper of the register.
async fn change_is_told_to_the_keeper_within_seven_working_days(story: &Story) {
    let mut word = letter("signal.family-change", (CENTRE, &[CENTRE]));
    word["body"]["changed_on"] = json!("2026-07-08");
    word["body"]["known_on"] = json!("2026-07-10");
    let word = goes(story, "2026-07-13 09:30", word).await;
    // 13, 14, 15, 16, 17, 20, 21 July.
    let row = |state: &str| format!("Информация об изменениях в семье: {CENTRE} → {KEEPER} 2026-07-21 {state}");
    assert_eq!(opened_by(story, &word).await, [row("running")]);
    let mut notice = following(letter("notice.family-change", (CENTRE, &[KEEPER])), &word);
    notice["body"]["changed_on"] = json!("2026-07-08");
    notice["body"]["known_on"] = json!("2026-07-10");
    goes(story, "2026-07-21 16:00", notice).await;
    assert_eq!(opened_by(story, &word).await, [row("fulfilled")]);
    goes(story, "2026-07-22 09:00", level("adaptation", "2026-07-22")).await;
}

/// The centre asks on Monday, 10 August; the commission has fifteen days, and removes the family on the fifteenth.
async fn removal_ends_the_duties_and_closes_the_case(story: &Story, (ruling, plan): (&Value, &Value)) {
    let petition = goes(story, "2026-08-10 10:00", letter("petition.commission", (CENTRE, &[COMMISSION]))).await;
    let awaited = "Постановление КДНиЗП / Постановление о снятии с учёта банка данных СОП";
    let row = |state: &str| format!("{awaited}: {COMMISSION} → {CENTRE} 2026-08-25 {state}");
    assert_eq!(opened_by(story, &petition).await, [row("running")]);
    let mut removal = following(letter("ruling.deregistration", (COMMISSION, &[CENTRE, LEAD])), &petition);
    (removal["body"]["date"], removal["body"]["recommend_continue"]) = (json!("2026-08-25"), json!(false));
    goes(story, "2026-08-25 17:00", removal).await;
    assert_eq!(opened_by(story, &petition).await, [row("fulfilled")], "the ruling is its answer");
    for what in [ruling, plan] {
        let mut second = opened_by(story, what).await;
        second.retain(|row| row.contains(" 2026-2: "));
        assert_eq!(second.len(), 3);
        assert!(second.iter().all(|row| row.ends_with("2026-12-30 withdrawn")), "{second:?}");
    }
    let closed = record(story).await;
    assert_eq!((closed.standing, closed.reason.as_deref()), (Standing::Closed, Some("corrected")));
    assert_eq!(closed.closed_on.unwrap().to_string(), "2026-08-25");
    assert_eq!(stages(&closed).last().unwrap(), "closing 2026-08-25");
    assert_eq!(spells(&closed), ["basic: 2026-03-04, moved 2026-07-22", "adaptation: 2026-07-22, removed 2026-08-25"]);
}

async fn the_journal_has_every_letter_of_the_centre(story: &Story) {
    assert_eq!(
        journal(story, (CENTRE, Direction::Incoming)).await,
        [
            "1/2026 02.03.2026 commission-test Постановление о постановке на учёт СОП",
            "2/2026 05.03.2026 education-test Запрос предложений в план",
            "3/2026 18.03.2026 education-test Утверждённый план мероприятий",
            "4/2026 25.08.2026 commission-test Постановление о снятии с учёта",
        ]
    );
    assert_eq!(
        journal(story, (CENTRE, Direction::Outgoing)).await,
        [
            "1/2026 04.03.2026 commission-test Об уровне сопровождения",
            "2/2026 13.03.2026 education-test Предложения в план",
            "3/2026 25.03.2026 commission-test Об исполнении постановления № 12/4",
            "4/2026 26.06.2026 commission-test О реализации мероприятий плана за I полугодие 2026 года",
            "5/2026 26.06.2026 education-test О реализации мероприятий плана за I полугодие 2026 года",
            "6/2026 07.07.2026 education-test О выполнении мероприятия 1",
            "8/2026 21.07.2026 register-test Изменение адреса семьи",
            "9/2026 22.07.2026 commission-test Об уровне сопровождения",
            "10/2026 10.08.2026 commission-test Ходатайство о снятии с учёта",
        ]
    );
}
