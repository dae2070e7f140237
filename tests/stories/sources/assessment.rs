//! «Первичная оценка» of case management (S1, stage 2): «запрос характеризующих данных о подростке с места учебы», and a
//! school that answers three working days late, after the New Year holidays.

use super::{CASE, answering, goes, journal, letter, of_the_case, passes};
use crate::kit::{CENTRE, SCHOOL, Story, code, coordinator};
use mezhved::domain::alert::AlertState;
use mezhved::gateway::ports::decisions::Direction;
use mezhved::gateway::views::ObligationView;
use serde_json::Value;

#[tokio::test]
async fn characteristics_of_a_pupil_come_three_working_days_late_after_the_new_year_holidays() {
    let story = Story::at("2025-12-26 10:00").await;
    let asked = characteristics_asked(&story).await;
    holidays_are_no_working_days(&story).await;
    school_is_reminded_before_its_date_and_after_it(&story).await;
    let story = story.restart().await;
    repeated_request_to_its_head_waits_for_a_person(&story).await;
    school_answers_on_the_third_working_day_after_its_date(&story, &asked).await;
    both_journals_and_the_personal_file_have_it(&story).await;
}

/// On Friday, 26 December; the school takes it in at once.
async fn characteristics_asked(story: &Story) -> Value {
    let asked = goes(story, "2025-12-26 10:00", letter("request.school-characteristics", (CENTRE, &[SCHOOL]))).await;
    let letters = story.inbox(SCHOOL).await;
    story.register(&letters[0], SCHOOL, "вх-411").await;
    asked
}

async fn owed(story: &Story) -> ObligationView {
    let mut all = of_the_case(story).await;
    assert_eq!(all.len(), 1, "the characteristics and nothing else");
    all.remove(0)
}

/// 29, 30 December, 12, 13, 14 January; the 31st and the 9th are days off by decree.
async fn holidays_are_no_working_days(story: &Story) {
    let one = owed(story).await;
    assert_eq!((one.due_on.to_string().as_str(), one.due_text.as_str()), ("2026-01-14", "14.01.2026 (ср)"));
    assert!(!one.provisional, "both years are published");
    let why = story.gateway.explanation(one.id, &coordinator()).await.unwrap();
    let skipped: Vec<&str> = why.lines.iter().filter_map(|line| line.strip_prefix("  ")).collect();
    assert_eq!(
        skipped,
        [
            "27.12.2025 (сб): выходной день, суббота",
            "28.12.2025 (вс): выходной день, воскресенье",
            "31.12.2025 (ср): выходной, перенесён с 05.01.2025",
            "01.01.2026 (чт): Новогодние каникулы",
            "02.01.2026 (пт): Новогодние каникулы",
            "03.01.2026 (сб): Новогодние каникулы (суббота)",
            "04.01.2026 (вс): Новогодние каникулы (воскресенье)",
            "05.01.2026 (пн): Новогодние каникулы",
            "06.01.2026 (вт): Новогодние каникулы",
            "07.01.2026 (ср): Рождество Христово",
            "08.01.2026 (чт): Новогодние каникулы",
            "09.01.2026 (пт): выходной, перенесён с 03.01.2026",
            "10.01.2026 (сб): выходной день, суббота",
            "11.01.2026 (вс): выходной день, воскресенье",
        ]
    );
    let laws = why.lines.join("\n");
    assert!(laws.contains("Нормы: ГК РФ ст. 191, ТК РФ ст. 112, ГК РФ ст. 194."), "{laws}");
    let decrees =
        "Постановление Правительства РФ от 04.10.2024 № 1335; Постановление Правительства РФ от 24.09.2025 № 1466.";
    assert!(laws.contains(&format!("Основание календаря: {decrees}")), "{laws}");
}

/// Number, state and time in Irkutsk of each rung.
async fn rungs(story: &Story) -> Vec<String> {
    let row = |rung: &mezhved::gateway::views::RungView| {
        let at = rung.planned_at + chrono::TimeDelta::hours(8);
        format!("{} {} {}", rung.no, rung.state, at.format("%d.%m.%Y %H:%M"))
    };
    owed(story).await.rungs.iter().map(row).collect()
}

/// Rung 0 two working days before the date, rung 1 (a line of the morning's mail) on it, rung 2 the working day after it.
async fn school_is_reminded_before_its_date_and_after_it(story: &Story) {
    passes(story, "2026-01-11 12:00").await;
    passes(story, "2026-01-12 08:59").await;
    assert!(story.inbox(SCHOOL).await.is_empty(), "nobody is written to in the holidays, nor before the school opens");
    passes(story, "2026-01-12 09:00").await;
    taken_in(story, "вх-3").await;
    passes(story, "2026-01-14 09:00").await;
    assert_eq!(
        rungs(story).await,
        ["0 fired 12.01.2026 09:00", "1 fired 14.01.2026 09:00", "2 planned 15.01.2026 09:00"]
    );
    let on_its_date = owed(story).await;
    assert!(!on_its_date.overdue, "the day is the school's until it ends");
    passes(story, "2026-01-15 09:00").await;
    taken_in(story, "вх-9").await;
}

/// A reminder, and nothing else, has come to the school, and the school has registered it.
async fn taken_in(story: &Story, number: &str) {
    assert_eq!(story.inbox_types(SCHOOL).await, ["control.reminder"]);
    let letter = story.inbox(SCHOOL).await.remove(0);
    story.register(&letter, SCHOOL, number).await;
    let delivery = story.store.delivery(letter.id, &code(SCHOOL)).await.unwrap().unwrap();
    assert_eq!(delivery.registration.unwrap().0, number);
}

async fn repeated_request_to_its_head_waits_for_a_person(story: &Story) {
    passes(story, "2026-01-19 08:59").await;
    assert_eq!(owed(story).await.alert.unwrap().rung, 2);
    passes(story, "2026-01-19 09:00").await;
    assert_eq!(
        rungs(story).await,
        [
            "0 fired 12.01.2026 09:00",
            "1 fired 14.01.2026 09:00",
            "2 fired 15.01.2026 09:00",
            "3 prepared 19.01.2026 09:00",
            "4 planned 21.01.2026 09:00",
        ]
    );
    assert!(story.inbox(SCHOOL).await.is_empty(), "it is not sent");
    let alert = owed(story).await.alert.unwrap();
    assert_eq!((alert.rung, alert.state), (3, AlertState::Open));
}

/// 15, 16 and 19 January: three working days.
async fn school_answers_on_the_third_working_day_after_its_date(story: &Story, asked: &Value) {
    let characteristics = answering(letter("reply.school-characteristics", (SCHOOL, &[CENTRE])), asked);
    goes(story, "2026-01-19 12:00", characteristics).await;
    let one = owed(story).await;
    assert_eq!((one.state, one.late_by_working_days, one.overdue), ("fulfilled_late", 3, false));
    assert!(matches!(one.alert.unwrap().state, AlertState::Resolved { .. }), "there is nothing to be alarmed at now");
    assert_eq!(rungs(story).await[3..], ["3 cancelled 19.01.2026 09:00"], "the head is never written to");
    passes(story, "2026-03-02 12:00").await;
    assert!(story.inbox(SCHOOL).await.is_empty());
}

/// §6 of both, and «исходящие запросы в субъекты профилактики, входящие ответы» (S3, item 5 of the personal file).
async fn both_journals_and_the_personal_file_have_it(story: &Story) {
    let sent = [
        "1/2025 26.12.2025 school-test-17 [1] Запрос характеристики с места учёбы",
        "1/2026 12.01.2026 school-test-17 Напоминание об ответе (1/2025, срок 14.01.2026 (ср))",
        "2/2026 15.01.2026 school-test-17 Напоминание об ответе (1/2025, срок 14.01.2026 (ср))",
    ];
    let answer = "1/2026 19.01.2026 school-test-17 Характеристика учащегося";
    assert_eq!(journal(story, (CENTRE, Direction::Outgoing)).await, sent);
    assert_eq!(journal(story, (CENTRE, Direction::Incoming)).await, [answer]);
    let at_school = |line: &str| line.replace(SCHOOL, CENTRE);
    // The gateway's numbers of the school's register: the same here, for it had no other letters.
    assert_eq!(journal(story, (SCHOOL, Direction::Incoming)).await, sent.map(at_school));
    assert_eq!(journal(story, (SCHOOL, Direction::Outgoing)).await, [at_school(answer)]);
    let letters = story.gateway.case_letters(CASE, &coordinator()).await.unwrap();
    let shown: Vec<String> = letters
        .iter()
        .map(|one| {
            let annexes: Vec<&str> = one.annexes.iter().map(|annex| annex.name.as_str()).collect();
            format!("{} {} {:?} {annexes:?}", one.line.direction, one.line.number, one.answers.as_deref())
        })
        .collect();
    assert_eq!(shown, [r#"outgoing 1/2025 None ["Согласие.pdf"]"#, r#"incoming 1/2026 Some("1/2025") []"#]);
}
