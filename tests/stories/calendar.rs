//! Calendars change and end: what an upgrade moves, who decides it, and what goes on where no year is published.

use crate::kit::{SCHOOL, Story, coordinator, irkutsk, new_id, reply, request};
use chrono::NaiveDate;
use mezhved::catalogue::calendars::{CalendarTexts, embedded, load};
use mezhved::cli::calendar::{AdoptArgs, adopt};
use mezhved::config::Config;
use mezhved::domain::calendar::CalendarSet;
use mezhved::domain::obligation::Fact;
use mezhved::gateway::act::Actor;
use mezhved::gateway::adopt::CalendarMoves;
use mezhved::gateway::evidence::seal;
use mezhved::gateway::ports::accounts::{User, UserRole};
use mezhved::gateway::views::ObligationView;

const FEDERAL: &str = include_str!("../../config/calendars/ru.toml");
const REGIONS: &str = include_str!("../../config/calendars/regions.toml");
const OVERLAYS: &str = include_str!("../../config/calendars/overlays.toml");

fn calendars(federal: &str, overlays: &str) -> CalendarSet {
    load(CalendarTexts { federal, regions: REGIONS, overlays }).unwrap()
}

/// Irkutsk rests on one more day, by an act that is made up.
fn with_a_day_of(date: &str) -> CalendarSet {
    let row = format!(
        "\n[[overlay]]\nregion = \"RU-IRK\"\ndates = [\"{date}\"]\ntitle = \"День траура\"\n\
         act = \"Выдуманный указ\"\nstatus = \"decreed\"\n"
    );
    calendars(FEDERAL, &format!("{}{row}", OVERLAYS.replace("\"2026.2\"", "\"2026.3\"")))
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn moved(found: &CalendarMoves) -> Vec<(String, String, String, i64)> {
    let shown = |one: &mezhved::gateway::adopt::CalendarMove| {
        (one.number.clone().unwrap(), one.from.to_string(), one.to.to_string(), one.working_days)
    };
    found.moves.iter().map(shown).collect()
}

async fn all(story: &Story) -> Vec<ObligationView> {
    let mut all = story.obligations(crate::kit::CENTRE).await;
    all.sort_by_key(|one| one.request_number.clone());
    all
}

#[tokio::test]
async fn a_new_calendar_moves_two_of_three_open_obligations_as_a_recorded_decision() {
    let story = Story::with_calendars("2026-07-15 10:00", embedded().unwrap()).await;
    story.submit(&request(new_id(), &[SCHOOL], "2026-07-15 09:00")).await.unwrap();
    story.submit(&request(new_id(), &["school-test-18"], "2026-07-15 09:00")).await.unwrap();
    // The same term in Татарстан, which the new day does not touch.
    story.submit(&request(new_id(), &["school-test-kazan"], "2026-07-15 09:00")).await.unwrap();
    let before: Vec<NaiveDate> = all(&story).await.iter().map(|one| one.due_on).collect();
    assert_eq!(before, [day("2026-07-22"), day("2026-07-21"), day("2026-07-22")], "the second works on Saturdays");
    let story = story.upgrade(with_a_day_of("2026-07-20")).await;
    let still: Vec<NaiveDate> = all(&story).await.iter().map(|one| one.due_on).collect();
    assert_eq!(still, before, "an upgrade alone moves nothing");

    let preview = story.gateway.calendar_moves().await.unwrap();
    let expected = [("2/2026", "2026-07-21", "2026-07-22"), ("1/2026", "2026-07-22", "2026-07-23")];
    let expected = expected.map(|(number, from, to)| (number.to_owned(), from.to_owned(), to.to_owned(), 1));
    assert_eq!((preview.open, moved(&preview)), (3, expected.to_vec()));
    assert_eq!(preview.moves[0].from_version, "2026.2+RU-IRK.2026.2");
    assert_eq!(preview.moves[0].to_version, "2026.2+RU-IRK.2026.3");
    assert!(all(&story).await.iter().all(|one| one.facts.is_empty()), "the preview moves nothing");

    let reason = "Указ от 16.07.2026, выдуманный".to_owned();
    let done = story.gateway.adopt_calendar(&coordinator(), reason.clone()).await.unwrap();
    assert_eq!(done.moves, preview.moves);
    let after = all(&story).await;
    let dates: Vec<NaiveDate> = after.iter().map(|one| one.due_on).collect();
    assert_eq!(dates, [day("2026-07-23"), day("2026-07-22"), day("2026-07-22")]);
    assert_eq!(after[0].last_event.as_ref().unwrap().kind, "obligation.due_moved");
    assert!(after[0].last_event.as_ref().unwrap().text.starts_with("Принят новый календарь, срок 23.07.2026 (чт)"));

    let why = story.gateway.explanation(after[0].id, &coordinator()).await.unwrap();
    assert_eq!((why.due_on, why.protocol.due_on), (day("2026-07-23"), day("2026-07-22")), "the frozen one stays");
    let [Fact::DueMoved { due, by, .. }] = &why.moves[..] else { panic!("{:?}", why.moves) };
    assert_eq!((due.protocol.due_on, by.as_str()), (day("2026-07-23"), "coordinator"));
    let text = why.lines.join("\n");
    for part in [
        "Календарь: ru, версия 2026.2+RU-IRK.2026.2, пятидневная неделя, регион RU-IRK.",
        "Принят новый календарь: версия 2026.2+RU-IRK.2026.3 вместо 2026.2+RU-IRK.2026.2, срок перенесён с \
         22.07.2026 (ср) на 23.07.2026 (чт) решением coordinator от 15.07.2026 (ср): Указ от 16.07.2026, выдуманный.",
        "20.07.2026 (пн): День траура (Иркутская область)",
    ] {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }

    assert_eq!(moved(&story.gateway.adopt_calendar(&coordinator(), reason).await.unwrap()), [], "once is enough");
    assert_eq!(all(&story).await[0].facts.len(), 1);
    // The ladder follows: on the day after the old date nobody is late.
    let story = story.restart().await;
    story.set("2026-07-23 12:00");
    story.sweep().await;
    let all = all(&story).await;
    assert!(!all[0].overdue && all[2].overdue, "the moved one is due today, the one in Kazan was due yesterday");
}

#[tokio::test]
async fn evidence_of_a_moved_date_holds_both_counts() {
    let story = Story::with_calendars("2026-07-15 10:00", embedded().unwrap()).await;
    story.submit(&request(new_id(), &[SCHOOL], "2026-07-15 09:00")).await.unwrap();
    let story = story.upgrade(with_a_day_of("2026-07-20")).await;
    story.gateway.adopt_calendar(&coordinator(), "Указ, выдуманный".to_owned()).await.unwrap();
    let pack = story.gateway.evidence(all(&story).await[0].id, &coordinator()).await.unwrap();
    let (file, _) = seal::unseal(seal::seal(&pack).unwrap().as_bytes()).unwrap();
    let due = &file["due"];
    let both = [&due["protocol"], &due["moves"][0]["due"]["protocol"]].map(|one| one["due_on"].as_str().unwrap());
    assert_eq!((both, &file["obligation"]["due_on"]), (["2026-07-22", "2026-07-23"], &"2026-07-23".into()));
}

#[tokio::test]
async fn only_who_may_decide_adopts_and_not_without_a_reason() {
    let story = Story::at("2026-07-15 10:00").await;
    let observer = Actor::Person { login: "nina".into(), name: "Нина".into(), role: UserRole::Observer };
    assert_eq!(story.gateway.adopt_calendar(&observer, "указ".into()).await.unwrap_err().code, "observer");
    assert_eq!(story.gateway.adopt_calendar(&coordinator(), "  ".into()).await.unwrap_err().code, "reason_missing");
}

/// The commands of an operator; the binary's own calendars are the new ones.
#[tokio::test]
async fn the_operator_sees_the_preview_beside_the_gateway_and_adopts_when_it_has_stopped() {
    let story = Story::with_calendars("2026-07-15 10:00", with_a_day_of("2026-07-20")).await;
    story.submit(&request(new_id(), &[SCHOOL], "2026-07-15 09:00")).await.unwrap();
    let person = User {
        login: "anna".into(),
        name: "А. Примерова".into(),
        role: UserRole::Coordinator,
        password: "none".into(),
        created_at: irkutsk("2026-07-15 10:00"),
    };
    story.store.add_user(person).await.unwrap();
    let mut config = Config::load(None).unwrap();
    config.store.path = story.database();
    let preview = AdoptArgs { preview: true, ..AdoptArgs::default() };
    let decided = |by: &str| AdoptArgs {
        by: Some(by.to_owned()),
        reason: Some("Указ отменён".to_owned()),
        ..AdoptArgs::default()
    };

    let shown = run(preview.clone(), &config).await.unwrap();
    assert!(shown.contains("Открытых обязательств: 1. Сдвинется: 1."), "{shown}");
    assert!(shown.contains("№ 1/2026"), "{shown}");
    assert!(shown.contains("23.07.2026 (чт) → 22.07.2026 (ср), раньше на 1 рабочий день"), "{shown}");
    let refused = run(decided("anna"), &config).await.unwrap_err();
    assert!(refused.contains("another gateway is serving"), "{refused}");

    let folder = story.end().await;
    let unknown = run(decided("nobody"), &config).await.unwrap_err();
    assert!(unknown.contains("login `nobody` is not known"), "{unknown}");
    let adopted = run(decided("anna"), &config).await.unwrap();
    assert!(adopted.contains("Сдвинуто: 1."), "{adopted}");
    let again = run(preview, &config).await.unwrap();
    assert!(again.contains("Сдвинется: 0."), "{again}");
    let neither = run(AdoptArgs::default(), &config).await.unwrap_err();
    assert!(neither.contains("--preview"), "{neither}");
    drop(folder);
}

/// The command makes a runtime of its own.
async fn run(args: AdoptArgs, config: &Config) -> Result<String, String> {
    let config = config.clone();
    let ran = tokio::task::spawn_blocking(move || {
        let mut out = Vec::new();
        let ran = adopt(&args, &config, &mut out).map_err(|error| format!("{error:#}"));
        ran.map(|_| String::from_utf8(out).unwrap())
    });
    ran.await.unwrap()
}

#[tokio::test]
async fn a_calendar_that_ends_refuses_what_it_cannot_count_and_goes_on_when_it_is_continued() {
    let ending = FEDERAL.replace("provisional_through = 2028\n", "");
    let no_2028 = format!("version = \"2026.2\"\n{}", "");
    let story = Story::with_calendars("2027-12-17 10:00", calendars(&ending, &no_2028)).await;
    let warnings = story.gateway.warnings();
    assert_eq!(warnings, ["calendar: published until 2027-12-31, 14 days left; install the next year's"]);
    let id = new_id();
    story.submit(&request(id, &[SCHOOL], "2027-12-17 09:00")).await.unwrap();
    story.set("2027-12-28 10:00");
    let late = request(new_id(), &["school-test-18"], "2027-12-28 09:00");
    let refusal = story.submit(&late).await.unwrap_err();
    assert_eq!(refusal.code, "term_not_countable");
    assert!(refusal.message.contains("add the year 2028"), "{}", refusal.message);
    // Where the calendar has ended the ladder stands still, the answer is taken, nothing is lost.
    story.set("2028-01-11 10:00");
    story.sweep().await;
    assert_eq!(story.obligation().await.alert.unwrap().rung, 3, "the last rung whose day the calendar has");
    let swept = story.gateway.sweep_once().await.unwrap();
    assert_eq!((swept.looked_at, swept.failed), (1, 1), "the next one says so instead of guessing");
    let story = story.upgrade(embedded().unwrap()).await;
    story.sweep().await;
    assert_eq!(story.obligation().await.alert.unwrap().rung, 4, "five working days late by the law alone");
    story.submit(&reply(id, SCHOOL, "2028-01-11 09:00")).await.unwrap();
    assert_eq!(story.obligation().await.state, "fulfilled_late");
}

#[tokio::test]
async fn a_date_of_a_year_that_is_not_published_is_marked_until_the_year_is_adopted() {
    let story = Story::at("2027-12-28 10:00").await;
    story.submit(&request(new_id(), &[SCHOOL], "2027-12-28 09:00")).await.unwrap();
    let shown = story.obligation().await;
    assert_eq!((shown.due_on, shown.provisional), (day("2028-01-12"), true));
    let why = story.gateway.explanation(shown.id, &coordinator()).await.unwrap().lines.join("\n");
    assert!(why.contains("Календарь на 2028 год ещё не опубликован"), "{why}");
    // The Government, in this story, gives Monday 10 January for Saturday the 1st.
    let published =
        format!("{}{YEAR_2028}", FEDERAL.replace("\"2026.2\"", "\"2027.1\"").replace(TO_BE_CHECKED, DECREED));
    let story = story.upgrade(calendars(&published, OVERLAYS)).await;
    let preview = story.gateway.calendar_moves().await.unwrap();
    assert_eq!(moved(&preview), [("1/2027".into(), "2028-01-12".into(), "2028-01-13".into(), 1)]);
    story.gateway.adopt_calendar(&coordinator(), "Постановление, выдуманное".into()).await.unwrap();
    let shown = story.obligation().await;
    assert_eq!((shown.due_on, shown.provisional), (day("2028-01-13"), false), "it is sure now");
}

const TO_BE_CHECKED: &str = "status = \"to_be_checked\"\nworking_days = 247\nshort = [\"2027-02-20\"";
const DECREED: &str = "status = \"decreed\"\nworking_days = 247\nshort = [\"2027-02-20\"";

const YEAR_2028: &str = r#"
[[year]]
year = 2028
act = "Придуманное постановление"
status = "decreed"
working_days = 248
[year.off]
2028-01-03 = "Новогодние каникулы"
2028-01-04 = "Новогодние каникулы"
2028-01-05 = "Новогодние каникулы"
2028-01-06 = "Новогодние каникулы"
2028-01-07 = "Рождество Христово"
2028-01-10 = "выходной, перенесён с 01.01.2028"
2028-02-23 = "День защитника Отечества"
2028-03-08 = "Международный женский день"
2028-05-01 = "Праздник Весны и Труда"
2028-05-09 = "День Победы"
2028-06-12 = "День России"
2028-11-06 = "выходной, перенесён с 04.11.2028"
"#;
