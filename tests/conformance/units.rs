//! Transactions of decisions: alone, whole, or not at all.

use crate::given::{CENTRE, code, exchange_id, message_id, obligation_id, request};
use crate::{load, save, stores, try_save, try_save_unloaded};
use mezhved::domain::escalation::{Rung, RungState};
use mezhved::gateway::ports::reads::{DutyFilter, InboxPage, JournalFilter};
use mezhved::gateway::ports::{Changes, Keys, Store, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

async fn nothing_is_there(store: &dyn Store) {
    assert!(store.message(message_id(1)).await.unwrap().is_none());
    assert!(store.exchange(exchange_id(1)).await.unwrap().is_none());
    assert!(store.duties(DutyFilter { limit: 10, ..DutyFilter::default() }).await.unwrap().is_empty());
    let page = InboxPage { recipient: request(1).delivery().recipient, after: 0, limit: 10 };
    assert!(store.inbox(page).await.unwrap().is_empty());
    let all = JournalFilter { participant: code(CENTRE), case: None, from: None, to: None, in_house: true, limit: 10 };
    assert!(store.journal(all).await.unwrap().is_empty());
    assert_eq!(store.last_event().await.unwrap(), 0);
    assert_eq!(store.latest_instant().await.unwrap(), None);
    assert_eq!(store.figures().await.unwrap().accepted_addressees, 0);
}

#[tokio::test]
async fn a_unit_that_is_dropped_leaves_no_trace() {
    for subject in stores().await {
        let (unit, _) = subject.store.begin(Keys::default()).await.unwrap();
        drop(unit);
        nothing_is_there(&*subject.store).await;
        save(&*subject.store, request(1).changes()).await;
    }
}

#[tokio::test]
async fn a_batch_with_one_bad_row_leaves_no_trace() {
    for subject in stores().await {
        let mut changes = request(1).changes();
        // The last thing that is written before the events breaks a rule.
        changes.journal.push(changes.journal[0].clone());
        let refused = try_save(&*subject.store, changes).await;
        assert!(matches!(refused, Err(StoreError::Rejected(_))), "{refused:?}");
        nothing_is_there(&*subject.store).await;
        save(&*subject.store, request(1).changes()).await;
        assert!(load(&*subject.store, exchange_id(1)).await.is_some());
    }
}

#[tokio::test]
async fn a_unit_sees_what_the_one_before_it_committed() {
    for subject in stores().await {
        save(&*subject.store, request(1).changes()).await;
        let mut changed = load(&*subject.store, exchange_id(1)).await.unwrap();
        changed.duties[0].rungs.rows[0].state = RungState::Cancelled { at: crate::given::at("13T00:00") };
        save(&*subject.store, Changes { exchanges: vec![changed.clone()], ..Changes::default() }).await;
        assert_eq!(load(&*subject.store, exchange_id(1)).await, Some(changed));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_unit_is_open_the_next_one_waits_and_reads_see_the_last_commit() {
    for subject in stores().await {
        save(&*subject.store, request(1).changes()).await;
        let (unit, _) = subject.store.begin(Keys::default()).await.unwrap();
        let committed = Arc::new(AtomicBool::new(false));
        let (store, was_committed) = (Arc::clone(&subject.store), Arc::clone(&committed));
        let next = tokio::spawn(async move {
            let keys = Keys { exchanges: vec![exchange_id(2)], ..Keys::default() };
            let (_unit, loaded) = store.begin(keys).await.unwrap();
            (was_committed.load(Ordering::SeqCst), loaded.exchanges.len())
        });
        tokio::task::yield_now().await;
        assert!(subject.store.exchange(exchange_id(2)).await.unwrap().is_none(), "reads go on beside an open unit");
        committed.store(true, Ordering::SeqCst);
        unit.commit(request(2).changes()).await.unwrap();
        let (after_the_commit, found) = next.await.unwrap();
        assert!(after_the_commit, "the next unit began while one was open");
        assert_eq!(found, 1, "the next unit does not see what was committed");
    }
}

#[tokio::test]
async fn a_second_planned_rung_of_an_obligation_is_refused() {
    for subject in stores().await {
        let mut exchange = request(1).exchange();
        let rows = &mut exchange.duties[0].rungs.rows;
        rows.push(Rung { no: 2, ..rows[0].clone() });
        let refused = try_save(&*subject.store, Changes { exchanges: vec![exchange], ..Changes::default() }).await;
        assert!(matches!(refused, Err(StoreError::Rejected(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn an_exchange_cannot_take_the_obligation_of_another() {
    for subject in stores().await {
        save(&*subject.store, request(1).changes()).await;
        let mut stranger = request(2).exchange();
        stranger.duties[0].obligation.id = obligation_id(1);
        stranger.duties[0].obligation.case = Some("2026/999".to_owned());
        let changes = || Changes { exchanges: vec![stranger.clone()], ..Changes::default() };
        let refused = try_save(&*subject.store, changes()).await;
        assert!(matches!(refused, Err(StoreError::Rejected(_))), "{refused:?}");
        let refused = try_save_unloaded(&*subject.store, changes()).await;
        assert!(matches!(refused, Err(StoreError::Rejected(_))), "{refused:?}");
        assert_eq!(load(&*subject.store, exchange_id(1)).await, Some(request(1).exchange()));
    }
}
