//! Another version of the calendar: what it moves, what stays, and what is left as evidence.

use crate::bodies::{World, bodies, world};
use crate::kit::{Story, extension, kinds, redirection, reply, request};
use mezhved::catalogue::Catalogue;
use mezhved::catalogue::calendars::{CalendarTexts, load};
use mezhved::domain::decide::Command;
use mezhved::domain::decide::adopt::moved;
use mezhved::domain::decision::{Context, Decision, Refusal};
use mezhved::domain::obligation::Fact;
use mezhved::gateway::policy::Policies;

/// A Friday: five working days end on Friday the 24th.
const FRIDAY: &str = "2026-07-17T12:00:00+08:00";

/// The world whose calendar of Irkutsk rests on one more day.
fn decreed(date: &str) -> &'static World {
    let overlays = include_str!("../../config/calendars/overlays.toml").replace("\"2026.2\"", "\"2026.3\"");
    let row = format!(
        "\n[[overlay]]\nregion = \"RU-IRK\"\ndates = [\"{date}\"]\ntitle = \"День траура\"\nact = \"Выдуманный указ\"\n\
         status = \"decreed\"\n"
    );
    let calendars = load(CalendarTexts {
        federal: include_str!("../../config/calendars/ru.toml"),
        regions: include_str!("../../config/calendars/regions.toml"),
        overlays: &format!("{overlays}{row}"),
    });
    Box::leak(Box::new(World {
        directory: bodies().into_iter().collect(),
        calendars: calendars.unwrap(),
        ladders: world().ladders.clone(),
        policies: Policies::of(Catalogue::builtin()).unwrap(),
    }))
}

fn adopt(story: &mut Story, performer: &str) -> Result<Decision, Refusal> {
    let obligation = story.obligation(performer);
    let command =
        Command::AdoptCalendar { obligation, by: "koordinator".into(), reason: "Указ от 20.07.2026".into() };
    story.decide(&command)
}

fn would_move(story: &Story, performer: &str) -> Option<String> {
    let World { directory, calendars, ladders, .. } = story.world;
    let ctx = Context { now: story.now, calendars, ladders, directory };
    moved(&story.duty(performer).obligation, &ctx).unwrap().map(|due| due.on.to_string())
}

#[test]
fn a_day_off_that_was_decreed_later_moves_the_due_date_only_when_it_is_adopted() {
    let mut story = Story::of(request(&["school-1"]), FRIDAY);
    story.world = decreed("2026-07-22");
    assert_eq!(
        (story.due_on("school-1").as_str(), would_move(&story, "school-1")),
        ("2026-07-24", Some("2026-07-27".into()))
    );
    let frozen = story.duty("school-1").obligation.due.clone();
    let decision = adopt(&mut story, "school-1").unwrap();
    assert_eq!(kinds(&decision), ["obligation.due_moved"]);
    assert_eq!(decision.events[0].detail.as_deref(), Some("2026-07-27"));
    let obligation = &story.duty("school-1").obligation;
    assert_eq!(obligation.due_on().to_string(), "2026-07-27");
    assert_eq!(obligation.due_at().to_string(), "2026-07-27 16:00:00 UTC", "24:00 in Irkutsk");
    assert_eq!(obligation.due, frozen, "what was frozen at birth is evidence");
    let [Fact::DueMoved { from, from_version, due, by, reason, .. }] = &obligation.facts[..] else {
        panic!("{:?}", obligation.facts)
    };
    assert_eq!((from.to_string().as_str(), from_version.as_str()), ("2026-07-24", "2026.2+RU-IRK.2026.2"));
    assert_eq!(due.protocol.calendar.version, "2026.2+RU-IRK.2026.3");
    assert!(due.protocol.excluded.iter().any(|off| off.why.starts_with("День траура")));
    assert_eq!((by.as_str(), reason.as_str()), ("koordinator", "Указ от 20.07.2026"));
}

#[test]
fn adopting_twice_moves_nothing_twice() {
    let mut story = Story::of(request(&["school-1"]), FRIDAY);
    story.world = decreed("2026-07-22");
    adopt(&mut story, "school-1").unwrap();
    let after = story.exchange.clone();
    assert_eq!(adopt(&mut story, "school-1").unwrap(), Decision::default());
    assert_eq!((story.exchange.clone(), would_move(&story, "school-1")), (after, None));
    story.world = world();
    assert_eq!(would_move(&story, "school-1"), Some("2026-07-24".to_owned()), "the act was repealed");
    adopt(&mut story, "school-1").unwrap();
    let obligation = &story.duty("school-1").obligation;
    assert_eq!((obligation.due_on().to_string().as_str(), obligation.facts.len()), ("2026-07-24", 2));
    let told = obligation.lenient_at().to_string();
    assert_eq!(told, "2026-07-27 16:00:00 UTC", "nobody is accused before the day that it had been given");
}

#[test]
fn what_the_calendar_does_not_touch_keeps_its_date_and_its_version() {
    let mut story = Story::of(request(&["school-ta"]), FRIDAY);
    story.world = decreed("2026-07-22");
    assert_eq!(would_move(&story, "school-ta"), None, "another region");
    let mut story = Story::of(request(&["school-1"]), FRIDAY);
    story.world = decreed("2026-07-28");
    assert_eq!(would_move(&story, "school-1"), None, "a day after the term");
    story.world = decreed("2026-07-22");
    story.receive(reply("reply", "school-1"));
    assert_eq!(would_move(&story, "school-1"), None, "it is answered");
    assert_eq!(adopt(&mut story, "school-1").unwrap(), Decision::default());
}

#[test]
fn a_day_of_the_event_that_turns_out_to_be_off_moves_the_lenient_reading_only() {
    let mut story = Story::of(request(&["school-1"]), FRIDAY);
    let before = story.duty("school-1").obligation.clone();
    story.world = decreed("2026-07-17");
    assert_eq!(would_move(&story, "school-1").as_deref(), Some("2026-07-24"), "the same day, counted anew");
    adopt(&mut story, "school-1").unwrap();
    let after = &story.duty("school-1").obligation;
    assert_eq!(after.due_at(), before.due_at());
    assert!(after.lenient_at() > before.lenient_at(), "what came on a day off is taken notice of on the next one");
}

#[test]
fn an_extension_that_reaches_further_stays_in_force() {
    let mut story = Story::of(request(&["school-1"]), FRIDAY);
    story.receive(extension("2026-08-03", "school-1"));
    story.world = decreed("2026-07-22");
    assert_eq!(would_move(&story, "school-1"), None, "the granted date does not move");
    let mut story = Story::of(request(&["school-1"]), FRIDAY);
    story.world = decreed("2026-07-22");
    adopt(&mut story, "school-1").unwrap();
    let too_short = story.try_receive(extension("2026-07-27", "school-1")).unwrap_err();
    assert_eq!(too_short, Refusal::NotAnExtension, "an extension goes beyond the date as it is counted now");
    story.receive(extension("2026-07-28", "school-1"));
    assert_eq!(story.due_on("school-1"), "2026-07-28");
}

#[test]
fn the_ladder_follows_the_moved_date_and_an_alarm_about_the_old_one_ends() {
    let mut story = Story::of(request(&["school-1"]), FRIDAY);
    story.climb("school-1", "2026-07-24T12:00:00+08:00");
    assert_eq!(story.rungs("school-1"), [(0, "fired"), (1, "fired"), (2, "planned")]);
    let planned = |story: &Story| story.duty("school-1").rungs.planned().unwrap().planned_at.to_string();
    assert_eq!(planned(&story), "2026-07-27 00:30:00 UTC", "one working day after the due date, at the opening hour");
    story.world = decreed("2026-07-22");
    let decision = adopt(&mut story, "school-1").unwrap();
    assert_eq!(kinds(&decision), ["obligation.due_moved", "alert.resolved"]);
    assert_eq!(planned(&story), "2026-07-28 00:30:00 UTC");
}

#[test]
fn a_body_that_took_over_gets_the_moved_date_by_its_own_clock() {
    let mut story = Story::of(request(&["school-1"]), FRIDAY);
    story.receive(redirection("redirection", "school-1", "school-ta"));
    story.world = decreed("2026-07-22");
    assert_eq!(would_move(&story, "school-1"), None, "it owes nothing any more");
    adopt(&mut story, "school-ta").unwrap();
    let obligation = &story.duty("school-ta").obligation;
    assert_eq!(obligation.due_on().to_string(), "2026-07-27", "counted by the calendar of the body that was asked");
    assert_eq!(obligation.due_at().to_string(), "2026-07-27 21:00:00 UTC", "24:00 in Moscow");
}

#[test]
fn what_cannot_be_counted_anew_is_refused_and_stays() {
    let mut story = Story::of(request(&["school-1"]), "2028-12-18T12:00:00+08:00");
    let before = story.exchange.clone();
    let shorter = include_str!("../../config/calendars/ru.toml").replace("provisional_through = 2028\n", "");
    let texts = CalendarTexts {
        federal: &shorter,
        regions: include_str!("../../config/calendars/regions.toml"),
        overlays: "version = \"none\"",
    };
    let directory = bodies().into_iter().collect();
    let policies = Policies::of(Catalogue::builtin()).unwrap();
    let ladders = world().ladders.clone();
    story.world = Box::leak(Box::new(World { directory, calendars: load(texts).unwrap(), ladders, policies }));
    assert_eq!(adopt(&mut story, "school-1").unwrap_err().code(), "term_not_countable");
    assert_eq!(story.exchange, before);
}

#[test]
fn nobody_is_late_by_the_decision_itself() {
    let mut story = Story::of(request(&["school-1"]), FRIDAY);
    story.world = decreed("2026-07-22");
    adopt(&mut story, "school-1").unwrap();
    story.world = world();
    story.go("2026-07-25T12:00:00+08:00");
    assert_eq!(would_move(&story, "school-1"), Some("2026-07-25".to_owned()), "Friday is over, so this day");
    adopt(&mut story, "school-1").unwrap();
    let obligation = &story.duty("school-1").obligation;
    assert_eq!(obligation.due_at().to_string(), "2026-07-25 16:00:00 UTC");
    story.go("2026-07-26T12:00:00+08:00");
    assert_eq!(would_move(&story, "school-1"), None, "deciding again moves nothing again");
}
