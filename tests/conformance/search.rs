//! The search for obligations: pages and filters.

use crate::given::{CENTRE, CLINIC, Request, SCHOOL, at, code, message_id, obligation_id, request};
use crate::{save, stores};
use mezhved::domain::alert::{Alert, AlertState};
use mezhved::domain::escalation::RungState;
use mezhved::domain::ids::ObligationId;
use mezhved::domain::obligation::{Fact, State};
use mezhved::gateway::ports::decisions::Direction;
use mezhved::gateway::ports::reads::DutyFilter;
use mezhved::gateway::ports::{Changes, Store};

async fn found(store: &dyn Store, filter: DutyFilter) -> Vec<u32> {
    let limit = if filter.limit == 0 { 100 } else { filter.limit };
    let rows = store.duties(DutyFilter { limit, ..filter }).await.unwrap();
    rows.iter().map(|row| number(row.duty.obligation.id)).collect()
}

fn number(id: ObligationId) -> u32 {
    (1..100).find(|n| obligation_id(*n) == id).unwrap()
}

/// Saves a request with facts added to its obligation.
async fn save_with(store: &dyn Store, request: Request, facts: Vec<Fact>) {
    let mut changes = request.changes();
    changes.exchanges[0].duties[0].obligation.facts = facts;
    save(store, changes).await;
}

fn answered(when: &str) -> Fact {
    Fact::Answered { message: message_id(90), at: at(when), nil: false, on: None }
}

/// Due on the 20th, 21st, … in the order 3, 1, 2, 6, 4, 5; number 2 and 6 share their instant.
async fn six(store: &dyn Store) {
    save_with(store, request(1).due(at("21T00:00")), Vec::new()).await;
    save_with(store, request(2).due(at("22T00:00")).between(SCHOOL, CLINIC), Vec::new()).await;
    save_with(store, request(3).due(at("20T00:00")).case(Some("2026-0002")), vec![answered("19T00:00")]).await;
    save_with(store, request(4).due(at("24T00:00")).between(CLINIC, SCHOOL), Vec::new()).await;
    save_with(store, request(5).due(at("25T00:00")).case(None), vec![answered("26T00:00")]).await;
    save_with(store, request(6).due(at("22T00:00")).between(CENTRE, CLINIC), Vec::new()).await;
}

#[tokio::test]
async fn obligations_come_by_due_instant_and_then_by_id_whatever_their_state() {
    for subject in stores().await {
        six(&*subject.store).await;
        assert_eq!(found(&*subject.store, DutyFilter::default()).await, [3, 1, 2, 6, 4, 5]);
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repeat() {
    for subject in stores().await {
        six(&*subject.store).await;
        for limit in 1..7 {
            let mut pages = Vec::new();
            let mut after = None;
            loop {
                let filter = DutyFilter { limit, after, ..DutyFilter::default() };
                let rows = subject.store.duties(filter).await.unwrap();
                let Some(last) = rows.last() else { break };
                after = Some((last.duty.obligation.due_at(), last.duty.obligation.id));
                pages.extend(rows.iter().map(|row| number(row.duty.obligation.id)));
                assert!(rows.len() <= limit);
            }
            assert_eq!(pages, [3, 1, 2, 6, 4, 5], "pages of {limit}");
        }
    }
}

#[tokio::test]
async fn each_filter_leaves_what_it_names() {
    for subject in stores().await {
        let store = &*subject.store;
        six(store).await;
        let of = |filter| found(store, filter);
        let viewer = Some(code(SCHOOL));
        let seen = DutyFilter { viewer: viewer.clone(), ..DutyFilter::default() };
        assert_eq!(of(seen).await, [3, 1, 2, 4, 5], "the wall between participants");
        let owes = Some(Direction::Outgoing);
        assert_eq!(
            of(DutyFilter { viewer: viewer.clone(), direction: owes, ..Default::default() }).await,
            [3, 1, 4, 5]
        );
        let is_owed = Some(Direction::Incoming);
        assert_eq!(of(DutyFilter { viewer: viewer.clone(), direction: is_owed, ..Default::default() }).await, [2]);
        let performer = Some(code(CLINIC));
        assert_eq!(of(DutyFilter { performer: performer.clone(), ..Default::default() }).await, [2, 6]);
        assert_eq!(of(DutyFilter { viewer, performer, ..Default::default() }).await, [2]);
        assert_eq!(of(DutyFilter { state: Some(State::Fulfilled), ..Default::default() }).await, [3]);
        assert_eq!(of(DutyFilter { state: Some(State::FulfilledLate), ..Default::default() }).await, [5]);
        assert_eq!(of(DutyFilter { open_only: true, ..Default::default() }).await, [1, 2, 6, 4]);
        assert_eq!(of(DutyFilter { overdue_at: Some(at("22T00:00")), ..Default::default() }).await, [1]);
        assert_eq!(of(DutyFilter { overdue_at: Some(at("22T00:01")), ..Default::default() }).await, [1, 2, 6]);
        assert_eq!(of(DutyFilter { due_before: Some(at("21T12:00")), ..Default::default() }).await, [3, 1]);
        let case = || Some("2026-0001".to_owned());
        assert_eq!(of(DutyFilter { case: case(), ..Default::default() }).await, [1, 2, 6, 4]);
        let closed_of_case =
            DutyFilter { case: Some("2026-0002".to_owned()), state: Some(State::Fulfilled), ..Default::default() };
        assert_eq!(of(closed_of_case).await, [3]);
        let mixed = DutyFilter { case: case(), viewer: Some(code(CENTRE)), open_only: true, ..Default::default() };
        assert_eq!(of(mixed).await, [1, 6]);
        let nothing = DutyFilter { state: Some(State::Fulfilled), open_only: true, ..Default::default() };
        assert!(of(nothing).await.is_empty());
    }
}

#[tokio::test]
async fn alerts_and_prepared_rungs_are_found() {
    for subject in stores().await {
        let store = &*subject.store;
        six(store).await;
        let raised_at = at("21T00:00");
        let resolved = AlertState::Resolved { at: raised_at };
        for (n, state) in [(4, AlertState::Open), (1, AlertState::Open), (2, resolved)] {
            let request = request(n);
            let mut exchange = crate::load(store, request.exchange().id).await.unwrap();
            exchange.duties[0].alert = Some(Alert { obligation: obligation_id(n), raised_at, rung: 3, state });
            if n == 4 {
                exchange.duties[0].rungs.rows[0].state = RungState::Prepared { at: raised_at };
            }
            save(store, Changes { exchanges: vec![exchange], ..Changes::default() }).await;
        }
        let alerted = DutyFilter { alerted: true, ..DutyFilter::default() };
        assert_eq!(found(store, alerted.clone()).await, [1, 4]);
        assert_eq!(found(store, DutyFilter { prepared: true, ..alerted.clone() }).await, [4]);
        let of_clinic = DutyFilter { viewer: Some(code(CLINIC)), ..alerted.clone() };
        assert_eq!(found(store, of_clinic).await, [4]);
        let after = Some((at("21T00:00"), obligation_id(1)));
        assert_eq!(found(store, DutyFilter { after, ..alerted }).await, [4]);
    }
}

#[tokio::test]
async fn an_obligation_is_shown_with_its_root_its_rungs_and_its_latest_event() {
    for subject in stores().await {
        let store = &*subject.store;
        let request = request(1);
        save(store, request.changes()).await;
        let row = store.duty(obligation_id(1)).await.unwrap().unwrap();
        assert_eq!(row.duty, request.exchange().duties[0]);
        assert_eq!(row.root, request.exchange().root);
        assert_eq!(row.last_event.as_ref(), request.events().last());
        assert!(store.duty(obligation_id(2)).await.unwrap().is_none());
    }
}
