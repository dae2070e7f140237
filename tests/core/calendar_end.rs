//! No calendar, no clock: what happens where the calendar ends. The calendars here have no provisional year.

use crate::bodies::{World, bodies, world};
use crate::kit::{Story, code, reply, request, rungs_of};
use mezhved::catalogue::Catalogue;
use mezhved::catalogue::calendars::{CalendarTexts, load};
use mezhved::domain::decision::Refusal;
use mezhved::domain::term::Remark;
use mezhved::gateway::policy::Policies;

/// Its fourth rung would be due in January 2028, which no calendar covers.
const LAST_DECEMBER: &str = "2027-12-17T12:00:00+08:00";

/// A story by calendars that end with 2027.
fn ending_at(text: &str) -> Story {
    Story { world: world_of(None, None), ..Story::at(text) }
}

fn last_december(to: &[&str]) -> Story {
    let mut story = ending_at(LAST_DECEMBER);
    story.receive(request(to));
    story
}

#[test]
fn an_obligation_whose_due_date_cannot_be_counted_is_refused_with_the_remedy() {
    let mut story = ending_at("2027-12-27T12:00:00+08:00");
    let refusal = story.try_receive(request(&["school-1"])).unwrap_err();
    assert_eq!(refusal.code(), "term_not_countable");
    assert!(refusal.to_string().contains("add the year 2028 to config/calendars"), "{refusal}");
    assert!(story.exchange.root.is_none() && story.exchange.duties.is_empty());
}

#[test]
fn a_request_to_several_opens_nothing_when_one_of_them_cannot_be_counted() {
    // Five working days end on 30 December by the six-day week, and beyond the calendar by the five-day one.
    let mut story = ending_at("2027-12-24T12:00:00+08:00");
    assert!(story.clone().try_receive(request(&["school-six"])).is_ok());
    assert!(matches!(story.try_receive(request(&["school-six", "school-1"])), Err(Refusal::Term(_))));
    assert!(story.exchange.root.is_none() && story.exchange.duties.is_empty());
}

#[test]
fn a_body_of_a_region_that_no_calendar_knows_is_refused_with_the_remedy() {
    let mut story = Story::at(crate::kit::TUESDAY);
    story.world = world_of(None, Some("RU-NOWHERE"));
    let refusal = story.try_receive(request(&["school-1"])).unwrap_err();
    assert_eq!(refusal.code(), "unknown_region");
    assert!(refusal.to_string().contains("RU-NOWHERE"));
    let mut story = Story::at(crate::kit::TUESDAY);
    let refusal = story.try_receive(request(&["nobody"])).unwrap_err();
    assert_eq!(refusal, Refusal::UnknownParticipant(code("nobody")));
}

#[test]
fn rungs_within_the_calendar_fire_although_later_ones_lie_beyond_it() {
    let mut story = last_december(&["school-1"]);
    assert_eq!(story.due_on("school-1"), "2027-12-24");
    let climbed = story.climb("school-1", "2027-12-30T23:00:00+08:00");
    let expected =
        ["Wed 22.12 08:30 fired 0", "Fri 24.12 08:30 fired 1", "Mon 27.12 08:30 fired 2", "Wed 29.12 08:30 prepared 3"];
    assert_eq!(climbed, expected);
}

#[test]
fn a_sweep_beyond_the_calendar_is_an_error_of_that_obligation_and_harms_nothing() {
    let mut story = last_december(&["school-1", "school-ta"]);
    story.climb("school-1", "2027-12-30T23:00:00+08:00");
    let before = story.exchange.clone();
    let refusal = story.go("2027-12-31T12:00:00+08:00").try_sweep("school-1", true).unwrap_err();
    assert_eq!(refusal.code(), "term_not_countable");
    assert!(refusal.to_string().contains("add the year 2028"), "{refusal}");
    assert_eq!(story.exchange, before);
    assert_eq!(rungs_of(&story.sweep("school-ta")), ["skipped 0", "skipped 1", "skipped 2", "prepared 3"]);
}

#[test]
fn beyond_the_calendar_answers_are_taken_and_letters_that_wait_can_be_declined() {
    let mut story = last_december(&["school-1", "school-ta"]);
    story.climb("school-1", "2027-12-30T23:00:00+08:00");
    story.go("2028-01-20T12:00:00+08:00");
    let undated = story.decide_rung("school-1", 3, crate::kit::send()).unwrap_err();
    assert_eq!(undated.code(), "term_not_countable", "the letter would have to say how late the answer is");
    story.decide_rung("school-1", 3, crate::kit::decline()).unwrap();
    story.receive(reply("reply", "school-1"));
    assert_eq!((story.state("school-1"), story.state("school-ta")), ("fulfilled_late", "running"));
}

#[test]
fn an_interim_reply_near_the_end_of_the_calendar_is_taken() {
    let mut story = last_december(&["school-1"]);
    story.climb("school-1", "2027-12-30T23:00:00+08:00");
    story.receive(crate::kit::message("interim", "control.interim-reply", "school-1", &["centre"]));
    assert_eq!(story.state("school-1"), "running");
}

#[test]
fn the_ladder_goes_on_when_the_calendar_has_been_continued() {
    let mut story = last_december(&["school-1"]);
    story.climb("school-1", "2027-12-30T23:00:00+08:00");
    story.world = world_of(Some(YEAR_2028), None);
    let climbed = story.climb("school-1", "2028-01-12T12:00:00+08:00");
    assert_eq!(climbed, ["Mon 10.01 08:30 prepared 4"], "the fifth working day after 24.12.2027, and not before");
}

#[test]
fn a_term_that_reaches_into_a_provisional_year_is_counted_and_marked() {
    let story = Story::of(request(&["school-1"]), "2027-12-27T12:00:00+08:00");
    assert_eq!(story.due_on("school-1"), "2028-01-11", "28 to 30 December, then 10 and 11 January");
    let protocol = &story.duty("school-1").obligation.due.protocol;
    assert!(protocol.provisional);
    assert_eq!(protocol.remarks, [Remark::YearNotPublished { year: 2028 }]);
}

/// A year that is made up for this test: nothing is moved.
const YEAR_2028: &str = r#"
[[year]]
year = 2028
act = "Придуманный для испытания год"
status = "to_be_checked"
working_days = 250
[year.off]
2028-01-03 = "Новогодние каникулы"
2028-01-04 = "Новогодние каникулы"
2028-01-05 = "Новогодние каникулы"
2028-01-06 = "Новогодние каникулы"
2028-01-07 = "Рождество Христово"
2028-02-23 = "День защитника Отечества"
2028-03-08 = "Международный женский день"
2028-05-01 = "Праздник Весны и Труда"
2028-05-09 = "День Победы"
2028-06-12 = "День России"
"#;

/// The regions' days, as they were before the year 2028 was derived.
fn overlays_until_2027() -> String {
    let text = include_str!("../../config/calendars/overlays.toml");
    let is_later = |date: &str| date.starts_with("\"2028");
    let kept = |line: &str| match line.strip_prefix("dates = [") {
        Some(dates) => {
            let dates: Vec<&str> = dates.trim_end_matches(']').split(", ").filter(|date| !is_later(date)).collect();
            format!("dates = [{}]\n", dates.join(", "))
        }
        None => format!("{line}\n"),
    };
    text.lines().map(kept).collect()
}

/// The world with a further year of the calendar, or with the first school in another region.
fn world_of(year: Option<&str>, region: Option<&str>) -> &'static World {
    let published = include_str!("../../config/calendars/ru.toml").replace("provisional_through = 2028\n", "");
    let federal = format!("{published}{}", year.unwrap_or_default());
    let calendars = load(CalendarTexts {
        federal: &federal,
        regions: include_str!("../../config/calendars/regions.toml"),
        overlays: &overlays_until_2027(),
    });
    let mut bodies = bodies();
    let school = bodies.iter_mut().find(|body| body.code == code("school-1")).unwrap();
    school.region = region.or(school.region.as_deref()).map(str::to_owned);
    Box::leak(Box::new(World {
        directory: bodies.into_iter().collect(),
        calendars: calendars.unwrap(),
        ladders: world().ladders.clone(),
        policies: Policies::of(Catalogue::builtin()).unwrap(),
    }))
}
