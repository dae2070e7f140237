//! Letters of the gateway's own making: right type, right addressee, true to their schema, and silent about the child.

use crate::bodies::{World, bodies, body, world};
use crate::kit::{Story, TUESDAY, code, day, id, instant, message, reply, request, send, stating, urgent};
use mezhved::catalogue::Catalogue;
use mezhved::domain::decide::act::Act;
use mezhved::domain::decision::Arrived;
use mezhved::domain::message::{Format, Message, Node};
use mezhved::domain::rule::{BodyFacts, Item, Urgency};
use mezhved::format;
use mezhved::gateway::policy::{Policies, facts_of};
use std::collections::BTreeSet;

const END: &str = "2026-04-14T12:00:00+08:00";

/// The letters of the whole ladder, each sent, for a request to this body.
fn ladder_letters(arrived: Arrived, performer: &str, world: &'static World) -> Vec<Message> {
    let mut story = Story { world, ..Story::at(TUESDAY) };
    story.receive(arrived);
    let mut letters = Vec::new();
    while let Some(rung) = story.duty(performer).rungs.planned().cloned() {
        story.now = rung.planned_at;
        letters.extend(story.sweep(performer).letters);
        if let Ok(decision) = story.decide_rung(performer, rung.no, send()) {
            letters.extend(decision.letters);
        }
    }
    letters
}

fn act_letters() -> Vec<Message> {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    let mut letters = story.act("school-1", Act::Extend { due_on: day("2026-04-03") }).unwrap().letters;
    story.receive(reply("reply", "school-1"));
    let back = Act::Return { answer: None, reason: "нет ответа на второй вопрос".into() };
    letters.extend(story.act("school-1", back.clone()).unwrap().letters);
    story.receive(reply("second", "school-1"));
    letters.extend(story.act("school-1", back).unwrap().letters);
    letters.extend(story.act("school-1", Act::Withdraw { reason: "сведения получены иначе".into() }).unwrap().letters);
    letters
}

fn every_letter() -> Vec<Message> {
    let mut letters = act_letters();
    for urgency in [Urgency::Normal, Urgency::Urgent, Urgency::Emergency] {
        for performer in ["school-1", "school-ta", "school-six"] {
            letters.extend(ladder_letters(urgent(request(&[performer]), urgency), performer, world()));
        }
    }
    letters.extend(ladder_letters(request(&["commission"]), "commission", world()));
    letters.extend(ladder_letters(ruling(), "school-1", world()));
    letters
}

fn ruling() -> Arrived {
    let item = Item { key: "2.1".into(), performer: None, due: Some(day("2026-03-24")), ends_on: None };
    let facts = BodyFacts { items: vec![item], ..BodyFacts::default() };
    stating(message("request", "ruling.commission", "commission", &["school-1"]), facts)
}

fn told(letter: &Message) -> (String, String) {
    (letter.envelope.type_code.to_string(), letter.envelope.to[0].to_string())
}

fn text(letter: &Message) -> String {
    String::from_utf8(format::write(letter, Format::Json, Catalogue::builtin()).unwrap()).unwrap()
}

fn field<'m>(letter: &'m Message, name: &str) -> &'m str {
    letter.body.expose().field(name).and_then(Node::as_text).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn the_ladder_writes_the_right_letters_to_the_right_bodies() {
    let letters = ladder_letters(request(&["school-1"]), "school-1", world());
    let expected = [
        ("control.reminder", "school-1"),
        ("control.reminder", "school-1"),
        ("control.repeat-request", "school-1"),
        ("notice.commission", "commission"),
        ("control.escalation", "education"),
        ("notice.rights-violation", "prosecutor"),
    ];
    let told: Vec<_> = letters.iter().map(told).collect();
    assert_eq!(told, expected.map(|(code, to)| (code.to_owned(), to.to_owned())));
    assert!(letters.iter().all(|letter| letter.envelope.from == code("centre")));
}

#[test]
fn a_commission_that_is_late_is_reported_to_its_own_superior() {
    let letters = ladder_letters(request(&["commission"]), "commission", world());
    let told: Vec<_> = letters.iter().map(told).collect();
    assert_eq!(told[3], ("notice.commission".to_owned(), "regional-commission".to_owned()));
    assert!(told.iter().all(|(code, to)| to != "commission" || code.starts_with("control.re")), "{told:?}");
}

#[test]
fn a_commission_that_ordered_does_not_write_to_itself() {
    let letters = ladder_letters(ruling(), "school-1", world());
    let told: Vec<_> = letters.iter().map(told).collect();
    assert!(letters.iter().all(|letter| letter.envelope.to[0] != letter.envelope.from), "{told:?}");
    assert_eq!(told[3], ("control.escalation".to_owned(), "education".to_owned()), "the superior takes its place");
}

#[test]
fn a_superior_that_takes_the_place_of_a_commission_gets_no_notice_to_a_commission() {
    let mut bodies = bodies();
    bodies.iter_mut().for_each(|body| body.commission = None);
    let world = Box::leak(Box::new(World {
        directory: bodies.into_iter().collect(),
        calendars: world().calendars.clone(),
        ladders: world().ladders.clone(),
        policies: Policies::of(Catalogue::builtin()).unwrap(),
    }));
    let letters = ladder_letters(request(&["school-1"]), "school-1", world);
    assert_eq!(told(&letters[3]), ("control.escalation".to_owned(), "education".to_owned()));
}

#[test]
fn the_decisions_of_a_person_reach_the_body_as_messages() {
    let told: Vec<_> = act_letters().iter().map(told).collect();
    let expected = ["control.extension-decision", "control.return", "control.return", "control.withdrawal"];
    assert_eq!(told, expected.map(|code| (code.to_owned(), "school-1".to_owned())));
}

#[test]
fn every_letter_is_true_to_its_schema_and_survives_both_formats() {
    let letters = every_letter();
    assert!(letters.len() > 60, "{}", letters.len());
    let catalogue = Catalogue::builtin();
    for letter in &letters {
        format::check(letter, catalogue).unwrap_or_else(|fault| panic!("{:?}: {fault:?}", told(letter)));
        for format in [Format::Json, Format::Xml] {
            let bytes = format::write(letter, format, catalogue).unwrap();
            let read = format::read(&bytes, format, catalogue).unwrap_or_else(|fault| panic!("{format:?}: {fault:?}"));
            assert!(read == *letter, "{:?} changed on its way through {format:?}", told(letter));
        }
    }
    let types: BTreeSet<_> = letters.iter().map(|letter| letter.envelope.type_code.to_string()).collect();
    assert_eq!(types.len(), 8, "{types:?}");
}

#[test]
fn every_letter_goes_only_to_those_whom_its_type_allows() {
    for letter in every_letter() {
        let entry = Catalogue::builtin().entry(&letter.envelope.type_code, 1).unwrap();
        let kind = |of: &mezhved::domain::ids::ParticipantCode| Some(body(of.as_str()).kind);
        assert!(entry.allows(kind(&letter.envelope.from), kind(&letter.envelope.to[0])), "{:?}", told(&letter));
    }
}

#[test]
fn every_letter_has_an_id_of_its_own_that_follows_from_its_occasion() {
    let ids = |letters: &[Message]| letters.iter().map(|letter| letter.envelope.id).collect::<Vec<_>>();
    let (first, second) = (act_letters(), act_letters());
    assert_eq!(ids(&first), ids(&second));
    let letters = [ladder_letters(request(&["school-1"]), "school-1", world()), first].concat();
    assert_eq!(ids(&letters).iter().collect::<BTreeSet<_>>().len(), letters.len());
}

#[test]
fn every_letter_refers_to_the_number_and_the_date_of_the_request() {
    // Half past six in the morning in Irkutsk is the day before in Greenwich: the register of the asker counts.
    let mut story = Story::of(request(&["school-1"]), "2026-03-17T06:30:00+08:00");
    story.climb("school-1", "2026-03-27T12:00:00+08:00");
    let letter = story.decide_rung("school-1", 3, send()).unwrap().letters.remove(0);
    assert!(field(&letter, "text").starts_with("О документе № 12/2026 от 17.03.2026. "), "{}", field(&letter, "text"));
    for letter in every_letter() {
        assert!(letter.envelope.summary.as_ref().unwrap().contains("12/2026"), "{:?}", told(&letter));
        assert_eq!(letter.envelope.in_reply_to, Some(id("request")));
        if !act_letters().iter().any(|act| act.envelope.type_code == letter.envelope.type_code) {
            assert!(text(&letter).contains("О документе № 12/2026 от 17.03.2026"), "{}", text(&letter));
        }
    }
    let of_ruling = ladder_letters(ruling(), "school-1", world());
    assert!(field(&of_ruling[0], "text").contains("от 17.03.2026, пункт 2.1."));
}

#[test]
fn the_letters_say_how_late_the_answer_is() {
    let letters = ladder_letters(request(&["school-1"]), "school-1", world());
    assert!(field(&letters[0], "text").ends_with("До срока осталось: 2 рабочих дня."));
    assert!(field(&letters[1], "text").ends_with("Ответ просрочен на 1 рабочий день."));
    let repeat =
        "Ответ по состоянию на 27.03.2026 (пт) не поступил; срок истёк 24.03.2026 (вт), просрочка 3 рабочих дня.";
    assert!(field(&letters[2], "text").contains(repeat), "{}", field(&letters[2], "text"));
    assert!(field(&letters[4], "text").contains("Ответ обязан дать: Школа № 1 посёлка Примерный."));
}

#[test]
fn a_letter_claims_only_what_was_sent_before_it() {
    let letters = ladder_letters(request(&["school-1"]), "school-1", world());
    let claimed = "Результата не дали: «Повторный запрос руководителю» от 27.03.2026, «Информирование КДНиЗП» от \
                   31.03.2026, «Информирование вышестоящего органа» от 07.04.2026.";
    assert!(field(&letters[5], "facts").contains(claimed), "{}", field(&letters[5], "facts"));
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.climb("school-1", "2026-03-27T12:00:00+08:00");
    story.decide_rung("school-1", 3, crate::kit::decline()).unwrap();
    story.climb("school-1", END);
    let letter = story.decide_rung("school-1", 6, send()).unwrap().letters.remove(0);
    assert!(!field(&letter, "facts").contains("Результата не дали"), "{}", field(&letter, "facts"));
}

#[test]
fn after_a_return_a_letter_does_not_claim_that_nothing_had_come() {
    let mut story = Story::of(request(&["school-1"]), TUESDAY);
    story.receive(reply("reply", "school-1"));
    let back = Act::Return { answer: None, reason: "неполно".into() };
    story.go("2026-03-25T12:00:00+08:00").act("school-1", back).unwrap();
    story.climb("school-1", "2026-03-30T12:00:00+08:00");
    let letter = story.decide_rung("school-1", 3, send()).unwrap().letters.remove(0);
    assert!(field(&letter, "text").contains("Данный ранее ответ возвращён на доработку 25.03.2026"));
}

/// Every text of a body that is longer than a code.
fn words(node: &Node, found: &mut Vec<String>) {
    match node {
        Node::Text(text) => found.push(text.clone()),
        Node::List(items) => items.iter().for_each(|item| words(item, found)),
        Node::Record(fields) => fields.iter().for_each(|(_, node)| words(node, found)),
        Node::Integer(_) | Node::Boolean(_) => {}
    }
}

#[test]
fn no_letter_repeats_a_word_of_the_childs_data_or_says_escalation() {
    let request = serde_json::json!({
        "id": id("request").to_string(), "type": "request.school-characteristics", "version": 1,
        "from": "centre", "to": ["school-1"], "created_at": "2026-03-17T12:00:00+08:00", "case": "СЛ-2026/17",
        "body": {
            "child": { "name": "Примеров Пример Примерович", "birth_date": "2012-02-03", "class": "6Ъ" },
            "questions": ["attendance"], "comment": "Мать: Примерова Проба, ул. Образцовая, 7",
        },
    });
    let catalogue = Catalogue::builtin();
    let read = format::read(request.to_string().as_bytes(), Format::Json, catalogue).unwrap();
    let entry = catalogue.entry(&read.envelope.type_code, 1).unwrap();
    let arrived = message("request", "request.school-characteristics", "centre", &["school-1"]);
    let letters = ladder_letters(stating(arrived, facts_of(entry.facts(&read))), "school-1", world());
    let mut childs = Vec::new();
    words(read.body.expose(), &mut childs);
    assert!(childs.len() >= 5 && letters.len() == 6);
    for letter in letters.iter().chain(&every_letter()) {
        let text = text(letter);
        for word in &childs {
            assert!(!text.contains(word.as_str()), "{word} in {text}");
        }
        assert!(!text.to_lowercase().contains("эскалац"), "{text}");
    }
}

#[test]
fn a_letter_is_dated_by_the_clock_of_the_one_who_writes() {
    let mut story = Story::of(request(&["school-ta"]), TUESDAY);
    story.climb("school-ta", "2026-03-26T08:59:59+03:00");
    let letter = story.go("2026-03-26T09:00:00+03:00").sweep("school-ta").letters.remove(0);
    assert_eq!(letter.envelope.created_at.as_str(), "2026-03-26T14:00:00+08:00");
    assert_eq!(letter.envelope.created_at.instant().to_utc(), instant("2026-03-26T09:00:00+03:00"));
}
