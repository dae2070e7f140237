//! Cases, their consents and the log of disclosures: what was saved is loaded, and what must stay stays.

use crate::given::{CENTRE, at, code, exchange_id, message_id};
use crate::{save, stores, try_save};
use mezhved::domain::case::consent::{Consent, ConsentKind, DataKind, Withdrawal};
use mezhved::domain::case::disclosure::{Disclosure, DisclosureKind, Ground};
use mezhved::domain::case::history::Standing;
use mezhved::domain::case::{By, Case, CaseKey, Fact, Stage, What};
use mezhved::domain::message::{Level, Track};
use mezhved::gateway::ports::cases::{CaseFilter, DisclosureFilter};
use mezhved::gateway::ports::{Changes, Keys};

fn key(centre: &str, number: &str) -> CaseKey {
    CaseKey { centre: code(centre), number: number.to_owned() }
}

fn consent(no: u32, reference: &str) -> Consent {
    Consent {
        no,
        kind: ConsentKind::Processing,
        reference: reference.to_owned(),
        bodies: vec![code("school-17")],
        data: vec![DataKind::Education],
        from: "2026-01-12".parse().unwrap(),
        until: Some("2026-06-30".parse().unwrap()),
        registered_at: at("12T09:00"),
        registered_by: "anna".into(),
        withdrawn: None,
    }
}

fn case(centre: &str, number: &str) -> Case {
    let by = By::Staff("anna".into());
    let fact = |what| Fact { on: "2026-01-12".parse().unwrap(), at: at("12T09:00"), by: by.clone(), what };
    let facts = vec![
        fact(What::Opened { reason: Some("Заявление".into()) }),
        fact(What::Track { track: Track::DifficultSituation }),
        fact(What::Level { level: Level::Crisis }),
        fact(What::Stage { stage: Stage::Decision }),
    ];
    Case { key: key(centre, number), facts, consents: vec![consent(1, "№ 7")] }
}

fn changes(cases: Vec<Case>) -> Changes {
    Changes { cases, ..Changes::default() }
}

fn line(case: CaseKey, to: &str) -> Disclosure {
    Disclosure {
        case,
        at: at("12T10:00"),
        kind: DisclosureKind::Message,
        what: "request.information".into(),
        message: Some(message_id(1)),
        exchange: Some(exchange_id(1)),
        by: CENTRE.into(),
        to: to.into(),
        ground: Ground::NoConsent { code: "risk_of_harm".into(), reason: "Риск вреда".into() },
    }
}

#[tokio::test]
async fn a_case_is_loaded_as_it_was_saved_by_its_number_and_its_centre() {
    for subject in stores().await {
        let store = &*subject.store;
        let (ours, theirs) = (case(CENTRE, "СЛ-1"), case("centre-2", "СЛ-1"));
        save(store, changes(vec![ours.clone(), theirs.clone(), case(CENTRE, "СЛ-2")])).await;
        assert_eq!(store.case(&ours.key).await.unwrap(), Some(ours.clone()));
        assert_eq!(store.case(&key("centre-3", "СЛ-1")).await.unwrap(), None);
        let keys = Keys { cases: vec!["СЛ-1".into(), "СЛ-9".into()], ..Keys::default() };
        let (unit, loaded) = store.begin(keys).await.unwrap();
        drop(unit);
        assert_eq!(loaded.cases.values().cloned().collect::<Vec<_>>(), [ours.clone(), theirs]);
        let mut next = ours;
        let closed = What::Closed { reason: None };
        next.facts.push(Fact {
            on: "2026-01-15".parse().unwrap(),
            at: at("15T09:00"),
            by: By::Staff("anna".into()),
            what: closed,
        });
        let withdrawal =
            Withdrawal { on: "2026-01-15".parse().unwrap(), reason: None, at: at("15T09:00"), by: "anna".into() };
        next.consents[0].withdrawn = Some(withdrawal);
        next.consents.push(consent(2, "№ 8"));
        save(store, changes(vec![next.clone()])).await;
        assert_eq!(store.case(&next.key).await.unwrap(), Some(next));
    }
}

#[tokio::test]
async fn cases_are_listed_by_centre_and_standing_page_by_page() {
    for subject in stores().await {
        let store = &*subject.store;
        let mut closed = case(CENTRE, "СЛ-3");
        closed.facts.push(Fact {
            on: "2026-01-15".parse().unwrap(),
            at: at("15T09:00"),
            by: By::Staff("anna".into()),
            what: What::Closed { reason: None },
        });
        let all = vec![case(CENTRE, "СЛ-1"), case("centre-2", "СЛ-1"), case(CENTRE, "СЛ-2"), closed];
        save(store, changes(all)).await;
        let list = async |standing, after, limit| {
            let filter = CaseFilter { centres: vec![code(CENTRE)], standing, after, limit };
            let rows = store.cases(filter).await.unwrap();
            rows.into_iter().map(|row| (row.key.number, row.standing, row.level)).collect::<Vec<_>>()
        };
        let open = |number: &str| (number.to_owned(), "open".to_owned(), Some("crisis".to_owned()));
        let over = ("СЛ-3".to_owned(), "closed".to_owned(), None);
        assert_eq!(list(None, None, 2).await, [open("СЛ-1"), open("СЛ-2")]);
        assert_eq!(list(None, Some(key(CENTRE, "СЛ-2")), 2).await, std::slice::from_ref(&over));
        assert_eq!(list(Some(Standing::Closed), None, 9).await, [over]);
    }
}

#[tokio::test]
async fn a_consent_of_the_same_kind_and_reference_is_registered_once() {
    for subject in stores().await {
        let mut twice = case(CENTRE, "СЛ-1");
        twice.consents.push(consent(2, "№ 7"));
        assert!(try_save(&*subject.store, changes(vec![twice])).await.is_err());
        assert_eq!(subject.store.case(&key(CENTRE, "СЛ-1")).await.unwrap(), None, "all or nothing");
    }
}

#[tokio::test]
async fn the_log_of_disclosures_is_read_newest_first_and_by_case() {
    for subject in stores().await {
        let store = &*subject.store;
        let ours = key(CENTRE, "СЛ-1");
        let lines: Vec<Disclosure> = ["a", "b", "c"].iter().map(|to| line(ours.clone(), to)).collect();
        let foreign = line(key("centre-2", "СЛ-1"), "d");
        save(store, Changes { disclosures: [lines.clone(), vec![foreign]].concat(), ..Changes::default() }).await;
        let page =
            async |before| store.disclosures(DisclosureFilter { case: ours.clone(), before, limit: 2 }).await.unwrap();
        let first = page(None).await;
        assert_eq!(first.iter().map(|row| &row.line).collect::<Vec<_>>(), [&lines[2], &lines[1]]);
        let rest = page(Some(first[1].seq)).await;
        assert_eq!(rest.iter().map(|row| &row.line).collect::<Vec<_>>(), [&lines[0]]);
    }
}

#[tokio::test]
async fn the_database_itself_lets_nobody_change_or_delete_a_disclosure_or_delete_a_consent() {
    for subject in stores().await {
        let ours = case(CENTRE, "СЛ-1");
        let disclosures = vec![line(ours.key.clone(), "school-17")];
        save(&*subject.store, Changes { cases: vec![ours], disclosures, ..Changes::default() }).await;
        for forbidden in ["DELETE FROM disclosure", "UPDATE disclosure SET to_whom = 'nobody'", "DELETE FROM consent"] {
            assert!(subject.raw(forbidden).is_err(), "{forbidden}");
        }
        subject.raw("UPDATE consent SET withdrawn_on = NULL").expect("a statement that is allowed");
    }
}
