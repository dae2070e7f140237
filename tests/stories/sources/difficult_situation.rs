//! The ТЖС track of the Angarsk order (S4): «1 рабочий день» and «в течение 10-ти рабочих дней» of its first stage, then
//! the visits and the monitoring, to the end of support.

use super::{
    COMMISSION, answering, following, goes, journal, letter, of_the_case, opened_by, passes, record, spells, stages,
};
use crate::kit::{CENTRE, SCHOOL, Story, coordinator, irkutsk};
use mezhved::domain::case::history::Standing;
use mezhved::domain::message::Track;
use mezhved::gateway::act::Action;
use mezhved::gateway::desk::DeskEntry;
use mezhved::gateway::ports::decisions::Direction;
use serde_json::{Value, json};

const MOTHER: &str = "citizen-test";
const POLICE: &str = "police-test";
const GUARDIANSHIP: &str = "guardianship-test";
const CLINIC: &str = "clinic-test";

/// The tenth working day after Wednesday, 15 April: 16, 17, 20, 22, 23, 24, 27, 28, 29, 30 April; the 21st is Радоница.
const TENTH_DAY: &str = "2026-04-30";

#[tokio::test]
async fn a_family_in_a_difficult_situation_is_placed_in_one_working_day_assessed_in_ten_and_led_to_the_end() {
    let story = Story::at("2026-04-15 09:00").await;
    let referral = school_refers_the_family(&story).await;
    let application = mother_applies_on_paper(&story).await;
    let first = primary_documents_are_asked_for(&story).await;
    let placed = family_is_placed_in_one_working_day(&story, &application).await;
    primary_documents_come_within_ten_working_days(&story, &first).await;
    referral_is_answered_on_the_tenth_day(&story, &referral).await;
    family_is_visited_each_month_and_monitored_in_six(&story, &placed).await;
    let story = story.restart().await;
    end_of_support_ends_the_duties(&story, &placed).await;
    the_journal_has_every_letter_of_the_centre(&story).await;
}

#[tokio::test]
async fn an_application_that_is_turned_down_leaves_a_duty_that_the_centre_itself_takes_back() {
    let story = Story::at("2026-04-15 09:00").await;
    let application = mother_applies_on_paper(&story).await;
    goes(&story, "2026-04-16 12:00", answering(letter("reply.appeal", (CENTRE, &[MOTHER])), &application)).await;
    let mut owed = of_the_case(&story).await;
    owed.retain(|one| one.state == "running");
    assert_eq!(owed.len(), 1, "a reply places nobody");
    let act =
        Action::Withdraw { reason: "Отказано: семья живёт в другом районе.".to_owned() };
    story.gateway.act(owed[0].id, act, coordinator()).await.unwrap();
    assert!(of_the_case(&story).await.iter().all(|one| one.state != "running"));
}

async fn school_refers_the_family(story: &Story) -> Value {
    let mut referral = letter("signal.referral", (SCHOOL, &[CENTRE]));
    referral["body"]["urgency"] = json!("normal");
    let referral = goes(story, "2026-04-15 09:10", referral).await;
    let row = format!("Результат рассмотрения направления: {CENTRE} → {SCHOOL} {TENTH_DAY} running");
    assert_eq!(opened_by(story, &referral).await, [row]);
    referral
}

/// «Заявление о постановке на социальное сопровождение»: the clerk registers it the moment it is there.
async fn mother_applies_on_paper(story: &Story) -> Value {
    let mut application = letter("appeal.citizen", (MOTHER, &[CENTRE]));
    application["summary"] = json!("Заявление о постановке на сопровождение");
    application["created_at"] = json!(irkutsk("2026-04-15 09:30").to_rfc3339());
    application["body"]["kind"] = json!("support_application");
    application["body"]["received_on"] = json!("2026-04-15");
    story.set("2026-04-15 09:35");
    let entry = json!({"channel": "paper", "at": "2026-04-15T09:30:00+08:00", "message": application});
    let entry: DeskEntry = serde_json::from_value(entry).unwrap();
    story.gateway.register_by_hand(entry, Vec::new(), &coordinator()).await.unwrap();
    assert_eq!(
        opened_by(story, &application).await,
        [
            // 30 calendar days (59-ФЗ ст. 12): Friday, 15 May.
            "Ответ на обращение гражданина: centre-vymysel → citizen-test 2026-05-15 running",
            "Постановка семьи на сопровождение: centre-vymysel → centre-vymysel 2026-04-16 running",
        ]
    );
    application
}

/// «Первичные документы (запросы и ответы субъектов системы профилактики)», asked for on the day itself.
async fn primary_documents_are_asked_for(story: &Story) -> [Value; 4] {
    let ask = async |of: &str, whom: &str, (answer, due): (&str, &str)| {
        let asked = goes(story, "2026-04-15 15:00", letter(of, (CENTRE, &[whom]))).await;
        let rows = opened_by(story, &asked).await;
        assert_eq!(rows, [format!("{answer}: {whom} → {CENTRE} {due} running")]);
        assert!(due <= TENTH_DAY, "{of} would come after the ten days");
        asked
    };
    // Five working days: 16, 17, 20, 22, 23 April.
    [
        ask("request.school-characteristics", SCHOOL, ("Характеристика с места учёбы", "2026-04-23")).await,
        ask("request.police-record", POLICE, ("Сведения об учёте и правонарушениях", "2026-04-23")).await,
        ask("request.guardianship", GUARDIANSHIP, ("Сведения органа опеки и попечительства", "2026-04-23")).await,
        ask("request.health", CLINIC, ("Сведения медицинской организации", TENTH_DAY)).await,
    ]
}

/// «Приказ о постановке на сопровождение, регистрация в Электронном журнале».
async fn family_is_placed_in_one_working_day(story: &Story, application: &Value) -> Value {
    assert_eq!(record(story).await.standing, Standing::Named, "letters name it; nobody has placed it yet");
    let mut order = following(letter("notice.case-opened", (CENTRE, &[CENTRE])), application);
    order["body"]["order"] = json!({"number": "31", "date": "2026-04-16"});
    order["body"]["ground"] = json!("Заявление матери от 15.04.2026.");
    let placed = goes(story, "2026-04-16 16:00", order).await;
    let row = "Постановка семьи на сопровождение: centre-vymysel → centre-vymysel 2026-04-16 fulfilled";
    assert!(opened_by(story, application).await.contains(&row.to_owned()), "in one working day");
    let open = record(story).await;
    assert_eq!((open.standing, open.track), (Standing::Open, Some(Track::DifficultSituation)));
    assert_eq!(
        (open.opened_on.unwrap().to_string().as_str(), spells(&open)),
        ("2026-04-16", vec!["basic: 2026-04-16".to_owned()])
    );
    assert_eq!(
        opened_by(story, &placed).await,
        [
            "report.monitoring 2026-04-16: centre-vymysel → centre-vymysel 2026-10-16 running",
            "report.visit-act 2026-04: centre-vymysel → centre-vymysel 2026-04-30 running",
        ]
    );
    let mut told = answering(letter("reply.appeal", (CENTRE, &[MOTHER])), application);
    told["summary"] = json!("О постановке на сопровождение");
    goes(story, "2026-04-16 17:00", told).await;
    placed
}

/// Three answer in time, СМППК is called on Friday, 24 April, and the clinic answers before it meets.
async fn primary_documents_come_within_ten_working_days(story: &Story, asked: &[Value; 4]) {
    let [school, police, guardianship, clinic] = asked;
    let comes = async |at: &str, (of, by): (&str, &str), asked: &Value| {
        let mut answer = answering(letter(of, (by, &[CENTRE])), asked);
        answer["summary"] = json!(format!("Ответ: {}", asked["summary"].as_str().unwrap()));
        goes(story, at, answer).await;
        let rows = opened_by(story, asked).await;
        assert!(rows.len() == 1 && rows[0].ends_with(" fulfilled"), "{at}: {rows:?}");
    };
    comes("2026-04-20 11:00", ("reply.school-characteristics", SCHOOL), school).await;
    comes("2026-04-22 17:00", ("reply.police-record", POLICE), police).await;
    comes("2026-04-23 17:30", ("reply.guardianship", GUARDIANSHIP), guardianship).await;
    council_is_called(story).await;
    comes("2026-04-29 10:00", ("reply.health", CLINIC), clinic).await;
}

/// For Wednesday, 29 April: who comes says so by the last working day before it.
async fn council_is_called(story: &Story) {
    let mut invitation = letter("council.invitation", (CENTRE, &[SCHOOL, POLICE]));
    invitation["body"]["meeting"]["at"] = json!("2026-04-29T14:00:00+08:00");
    let invitation = goes(story, "2026-04-24 10:00", invitation).await;
    let row = |who: &str, state: &str| format!("Ответ на приглашение: {who} → {CENTRE} 2026-04-28 {state}");
    assert_eq!(opened_by(story, &invitation).await, [row(POLICE, "running"), row(SCHOOL, "running")]);
    for (at, by) in [("2026-04-27 12:00", SCHOOL), ("2026-04-28 16:00", POLICE)] {
        goes(story, at, answering(letter("council.response", (by, &[CENTRE])), &invitation)).await;
    }
    assert_eq!(opened_by(story, &invitation).await, [row(POLICE, "fulfilled"), row(SCHOOL, "fulfilled")]);
}

/// «Протокол заседания СМППК о постановке семьи на социальное сопровождение»: its decision goes to who referred the family.
async fn referral_is_answered_on_the_tenth_day(story: &Story, referral: &Value) {
    let mut outcome = answering(letter("signal.referral-outcome", (CENTRE, &[SCHOOL])), referral);
    outcome["body"]["level"] = json!("basic");
    goes(story, "2026-04-30 17:00", outcome).await;
    let row = format!("Результат рассмотрения направления: {CENTRE} → {SCHOOL} {TENTH_DAY} fulfilled");
    assert_eq!(opened_by(story, referral).await, [row]);
    let assessed = record(story).await;
    assert_eq!(spells(&assessed), ["basic: 2026-04-16"], "the level of the order stands");
    assert_eq!(assessed.opened_on.unwrap().to_string(), "2026-04-16", "and so does its day");
}

/// «Текущий акт посещения семьи (ежемесячно)»; monitoring «не реже 1 раза в 6 месяцев» (S2).
async fn family_is_visited_each_month_and_monitored_in_six(story: &Story, placed: &Value) {
    for (at, month) in [
        ("2026-04-30 17:30", "апрель"),
        ("2026-05-21 17:30", "май"),
        ("2026-06-18 17:30", "июнь"),
        ("2026-07-22 17:30", "июль"),
        ("2026-08-20 17:30", "август"),
        ("2026-09-22 17:30", "сентябрь"),
    ] {
        let mut act = answering(letter("report.visit-act", (CENTRE, &[CENTRE])), placed);
        (act["body"]["date"], act["summary"]) = (json!(&at[..10]), json!(format!("Акт посещения за {month}")));
        goes(story, at, act).await;
    }
    let mut monitoring = answering(letter("report.monitoring", (CENTRE, &[CENTRE])), placed);
    monitoring["body"]["date"] = json!("2026-10-15");
    goes(story, "2026-10-15 12:00", monitoring).await;
    assert_eq!(opened_by(story, placed).await, led("running"));
}

/// What the placement has opened by the middle of October: what was done, and what stands as `last`. 31 May is a Sunday
/// and 31 October a Saturday: on the working day before it.
fn led(last: &str) -> [String; 9] {
    [
        ("report.monitoring 2026-04-16", "2026-10-16 fulfilled"),
        ("report.monitoring 2026-10-15", "2027-04-15 LAST"),
        ("report.visit-act 2026-04", "2026-04-30 fulfilled"),
        ("report.visit-act 2026-05", "2026-05-29 fulfilled"),
        ("report.visit-act 2026-06", "2026-06-30 fulfilled"),
        ("report.visit-act 2026-07", "2026-07-31 fulfilled"),
        ("report.visit-act 2026-08", "2026-08-31 fulfilled"),
        ("report.visit-act 2026-09", "2026-09-30 fulfilled"),
        ("report.visit-act 2026-10", "2026-10-30 LAST"),
    ]
    .map(|(what, state)| format!("{what}: {CENTRE} → {CENTRE} {}", state.replace("LAST", last)))
}

/// «Приказ о снятии с сопровождения» of Friday, 23 October, told on the Monday.
async fn end_of_support_ends_the_duties(story: &Story, placed: &Value) {
    let mut closed = letter("notice.case-closed", (CENTRE, &[COMMISSION, SCHOOL]));
    closed["body"]["order"]["date"] = json!("2026-10-23");
    goes(story, "2026-10-26 10:00", closed).await;
    assert_eq!(opened_by(story, placed).await, led("withdrawn"));
    let end = record(story).await;
    assert_eq!((end.standing, end.reason.as_deref()), (Standing::Closed, Some("programme_fulfilled")));
    assert_eq!(end.closed_on.unwrap().to_string(), "2026-10-23");
    assert_eq!(spells(&end), ["basic: 2026-04-16, removed 2026-10-23"]);
    assert_eq!(stages(&end), ["referral 2026-04-15", "decision 2026-04-16", "closing 2026-10-23"]);
    passes(story, "2027-06-01 12:00").await;
    assert!(of_the_case(story).await.iter().all(|one| !matches!(one.state, "running" | "answered")));
}

/// §6: what came and what went; the numbers between are acts of the house, which are no exchange with a body.
async fn the_journal_has_every_letter_of_the_centre(story: &Story) {
    assert_eq!(
        journal(story, (CENTRE, Direction::Incoming)).await,
        [
            "1/2026 15.04.2026 school-test-17 Направление о семье учащегося",
            "2/2026 15.04.2026 citizen-test Заявление о постановке на сопровождение",
            "3/2026 20.04.2026 school-test-17 Ответ: Запрос характеристики с места учёбы",
            "4/2026 22.04.2026 police-test Ответ: Запрос сведений об учёте и правонарушениях",
            "5/2026 23.04.2026 guardianship-test Ответ: Запрос сведений органа опеки",
            "6/2026 27.04.2026 school-test-17 Об участии в заседании",
            "7/2026 28.04.2026 police-test Об участии в заседании",
            "8/2026 29.04.2026 clinic-test Ответ: Запрос сведений медицинской организации",
        ]
    );
    assert_eq!(
        journal(story, (CENTRE, Direction::Outgoing)).await,
        [
            "1/2026 15.04.2026 school-test-17 [1] Запрос характеристики с места учёбы",
            "2/2026 15.04.2026 police-test Запрос сведений об учёте и правонарушениях",
            "3/2026 15.04.2026 guardianship-test Запрос сведений органа опеки",
            "4/2026 15.04.2026 clinic-test Запрос сведений медицинской организации",
            "6/2026 16.04.2026 citizen-test О постановке на сопровождение",
            "7/2026 24.04.2026 school-test-17 Приглашение на заседание СМППК",
            "8/2026 30.04.2026 school-test-17 Семья принята на сопровождение",
            "16/2026 26.10.2026 commission-test О снятии семьи с социального сопровождения",
        ]
    );
}
