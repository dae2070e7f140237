//! What follows from the facts of a case, in every order of their arrival; and consents at the edges of their terms.

use crate::kit::{code, day, id, instant};
use mezhved::domain::case::act::{CaseAct, CaseRefusal, Deciding, Made};
use mezhved::domain::case::consent::{Citation, CitationFault, ConsentKind, cited};
use mezhved::domain::case::history::Standing;
use mezhved::domain::case::{By, Case, CaseKey, Move, PartRole, Stage, What};
use mezhved::domain::ids::TypeCode;
use mezhved::domain::message::{Level, Track};

fn empty() -> Case {
    Case::unseen(CaseKey { centre: code("centre"), number: "СЛ-1".into() })
}

/// A message of that name that does this from that day on.
fn tell(case: &mut Case, name: &str, on: &str, what: What) -> bool {
    let by = By::message(id(name), &TypeCode::new("notice.test").unwrap(), &code("commission"));
    let made = instant(&format!("{on}T09:00:00+08:00"));
    let made = Made { on: day(on), at: made, registered_on: day(on) };
    case.moved_by(&[Move { on: Some(day(on)), what }], &by, made)
}

fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(count - 1);
    let put = |order: &Vec<usize>, place: usize| {
        let mut order = order.clone();
        order.insert(place, count - 1);
        order
    };
    shorter.iter().flat_map(|order| (0..count).map(move |place| put(order, place))).collect()
}

#[test]
fn every_order_of_the_moves_of_a_case_ends_alike() {
    let moves = [
        ("placed", "2026-02-01", What::Opened { reason: None }),
        ("track", "2026-02-01", What::Track { track: Track::DangerousPosition }),
        ("basic", "2026-02-03", What::Level { level: Level::Basic }),
        ("crisis", "2026-03-01", What::Level { level: Level::Crisis }),
        ("closed", "2026-04-01", What::Closed { reason: Some("moved".into()) }),
        ("again", "2026-05-01", What::Opened { reason: None }),
    ];
    let all = orders(moves.len());
    assert_eq!(all.len(), 720);
    let mut ends = all.iter().map(|order| {
        let mut case = empty();
        for place in order {
            let (name, on, what) = &moves[*place];
            assert!(tell(&mut case, name, on, what.clone()));
            assert!(!tell(&mut case, name, on, what.clone()), "a message is recorded once");
        }
        let (span, level) = (case.span(), case.level());
        (case.standing().0, case.track(), case.levels(), case.stages().len(), span, level)
    });
    let first = ends.next().unwrap();
    assert!(ends.all(|end| end == first));
    assert_eq!((first.0, first.1, first.5), (Standing::Open, Some(Track::DangerousPosition), None));
    assert_eq!(first.2[1].removed_on, Some(day("2026-04-01")));
}

#[test]
fn level_that_is_told_again_begins_no_new_spell_and_one_told_while_closed_begins_none() {
    let mut case = empty();
    tell(&mut case, "basic", "2026-02-03", What::Level { level: Level::Basic });
    tell(&mut case, "the same", "2026-02-20", What::Level { level: Level::Basic });
    tell(&mut case, "closed", "2026-03-01", What::Closed { reason: None });
    tell(&mut case, "late", "2026-03-05", What::Level { level: Level::Crisis });
    assert_eq!(case.levels().len(), 1);
    assert_eq!((case.levels()[0].placed_on, case.levels()[0].removed_on), (day("2026-02-03"), Some(day("2026-03-01"))));
}

#[test]
fn a_day_after_the_registration_counts_as_that_of_the_registration_in_every_order() {
    let tell = |case: &mut Case, name: &str, what: What, (on, registered): (&str, &str)| {
        let by = By::message(id(name), &TypeCode::new("notice.test").unwrap(), &code("centre"));
        let (at, registered_on) = (instant(&format!("{registered}T09:00:00+08:00")), day(registered));
        case.moved_by(&[Move { on: Some(day(on)), what }], &by, Made { on: registered_on, at, registered_on });
    };
    for order in [[0, 1], [1, 0]] {
        let mut case = empty();
        for step in order {
            match step {
                0 => tell(&mut case, "closed", What::Closed { reason: None }, ("2062-04-01", "2026-04-01")),
                _ => tell(&mut case, "again", What::Opened { reason: None }, ("2026-05-01", "2026-05-01")),
            }
        }
        assert_eq!(case.ordered()[0].on, day("2026-04-01"));
        assert_eq!(case.standing().0, Standing::Open, "{order:?}");
    }
}

#[test]
fn days_that_no_calendar_of_ours_knows_are_refused() {
    let with = Deciding { by: "anna", at: instant("2026-02-20T09:00:00+08:00"), today: day("2026-02-20") };
    for act in [
        r#"{"action": "open", "on": "-0001-01-01"}"#,
        r#"{"action": "register_consent", "kind": "processing", "reference": "№ 7", "from": "2026-01-01",
            "until": "+12000-01-01"}"#,
        r#"{"action": "register_consent", "kind": "processing", "reference": "№ 7", "from": "-0001-01-01"}"#,
    ] {
        let mut case = empty();
        assert_eq!(case.decide(&serde_json::from_str(act).unwrap(), &with), Err(CaseRefusal::NoDay), "{act}");
        assert_eq!(case, empty());
    }
}

#[test]
fn a_body_keeps_its_role_when_it_exchanges_a_message_and_ends_when_it_leaves() {
    let mut case = empty();
    let joined = |role| What::Joined { body: code("school"), role };
    tell(&mut case, "lead", "2026-02-01", joined(PartRole::Lead));
    tell(&mut case, "letter", "2026-02-05", joined(PartRole::Exchange));
    assert_eq!((case.parts()[0].role, case.parts()[0].from), (PartRole::Lead, day("2026-02-01")));
    tell(&mut case, "gone", "2026-03-01", What::Left { body: code("school") });
    assert_eq!(case.parts()[0].until, Some(day("2026-03-01")));
}

#[test]
fn all_nine_stages_have_the_codes_that_are_stored() {
    for stage in Stage::ALL {
        assert_eq!(serde_json::to_value(stage).unwrap(), stage.code());
    }
}

#[test]
fn a_consent_holds_from_its_first_day_through_its_last_and_not_from_the_day_of_its_withdrawal() {
    let mut case = empty();
    let with = Deciding { by: "anna", at: instant("2026-02-20T09:00:00+08:00"), today: day("2026-02-20") };
    let register = CaseAct::RegisterConsent {
        kind: ConsentKind::Processing,
        reference: "№ 7".into(),
        bodies: vec![code("school")],
        data: Vec::new(),
        from: day("2026-02-01"),
        until: Some(day("2026-02-28")),
    };
    case.decide(&register, &with).unwrap();
    assert_eq!(case.decide(&register, &with), Err(CaseRefusal::ConsentExists));
    let to = [code("school"), code("clinic")];
    let from = code("centre");
    let ask = |case: &Case, kind: &str, on: &str, to: &[_]| {
        cited(&case.consents, &Citation { kind, reference: "№ 7", on: day(on), from: &from, to })
            .map(|consent| consent.no)
    };
    let early = CitationFault::NotYet(day("2026-02-01"), day("2026-01-31"));
    assert_eq!(ask(&case, "processing", "2026-01-31", &to[..1]), Err(early));
    assert_eq!(ask(&case, "processing", "2026-02-01", &to[..1]), Ok(1));
    assert_eq!(ask(&case, "processing", "2026-02-28", &to[..1]), Ok(1));
    let late = CitationFault::Over(day("2026-02-28"), day("2026-03-01"));
    assert_eq!(ask(&case, "processing", "2026-03-01", &to[..1]), Err(late));
    assert_eq!(ask(&case, "processing", "2026-02-10", &to), Err(CitationFault::NotCovered(vec![1])));
    let unknown = CitationFault::Unknown { kind: "medical_secrecy".into() };
    assert_eq!(ask(&case, "medical_secrecy", "2026-02-10", &to[..1]), Err(unknown));
    let withdraw = CaseAct::WithdrawConsent { no: 1, on: Some(day("2026-02-15")), reason: None };
    case.decide(&withdraw, &with).unwrap();
    assert_eq!(case.decide(&withdraw, &with), Err(CaseRefusal::ConsentWithdrawn));
    assert_eq!(ask(&case, "processing", "2026-02-14", &to[..1]), Ok(1), "what was sent before stays allowed");
    let withdrawn = CitationFault::Withdrawn(day("2026-02-15"), day("2026-02-15"));
    assert_eq!(ask(&case, "processing", "2026-02-15", &to[..1]), Err(withdrawn));
}
