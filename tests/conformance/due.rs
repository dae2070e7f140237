//! What the sweeper asks: which obligations have something due.

use crate::given::{at, obligation_id, request};
use crate::{load, save, stores};
use mezhved::domain::alert::{Alert, AlertState};
use mezhved::domain::escalation::RungState;
use mezhved::gateway::ports::Changes;

#[tokio::test]
async fn obligations_come_by_the_time_of_their_planned_rung_and_not_before_it() {
    for subject in stores() {
        let store = &*subject.store;
        // A request's rung is planned two days before its due date.
        save(store, request(1).due(at("22T00:00")).changes()).await;
        save(store, request(2).due(at("21T00:00")).changes()).await;
        save(store, request(3).due(at("23T00:00")).changes()).await;
        assert!(store.due_obligations(at("18T23:59"), 10).await.unwrap().is_empty());
        assert_eq!(store.due_obligations(at("19T00:00"), 10).await.unwrap(), [obligation_id(2)]);
        assert_eq!(store.due_obligations(at("20T12:00"), 10).await.unwrap(), [obligation_id(2), obligation_id(1)]);
        assert_eq!(store.due_obligations(at("30T00:00"), 2).await.unwrap(), [obligation_id(2), obligation_id(1)]);
    }
}

#[tokio::test]
async fn a_rung_that_is_not_planned_any_more_is_not_due() {
    for subject in stores() {
        let store = &*subject.store;
        let at_once = at("20T00:00");
        let states = [
            RungState::Fired { at: at_once },
            RungState::Prepared { at: at_once },
            RungState::Cancelled { at: at_once },
        ];
        for (n, state) in (1..).zip(states) {
            let mut exchange = request(n).exchange();
            exchange.duties[0].rungs.rows[0].state = state;
            save(store, Changes { exchanges: vec![exchange], ..Changes::default() }).await;
        }
        assert!(store.due_obligations(at("31T00:00"), 10).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn an_acknowledgement_that_has_run_out_is_due_once() {
    for subject in stores() {
        let store = &*subject.store;
        save(store, request(1).changes()).await;
        let mut exchange = load(store, request(1).exchange().id).await.unwrap();
        let acknowledged = AlertState::Acknowledged {
            owner: "Дежурный".to_owned(),
            until: at("16T12:00"),
            reason: "звонили".to_owned(),
            at: at("15T00:00"),
        };
        let raised_at = at("15T00:00");
        exchange.duties[0].alert =
            Some(Alert { obligation: obligation_id(1), raised_at, rung: 2, state: acknowledged });
        save(store, Changes { exchanges: vec![exchange.clone()], ..Changes::default() }).await;
        assert!(store.due_obligations(at("16T11:59"), 10).await.unwrap().is_empty());
        assert_eq!(store.due_obligations(at("16T12:00"), 10).await.unwrap(), [obligation_id(1)]);
        // Rung and acknowledgement both due: the obligation is named once.
        assert_eq!(store.due_obligations(at("31T00:00"), 10).await.unwrap(), [obligation_id(1)]);

        let alert = exchange.duties[0].alert.as_ref().and_then(|alert| alert.lapsed(at("16T12:00")));
        exchange.duties[0].alert = alert;
        exchange.duties[0].rungs.cancel(at("16T12:00"));
        save(store, Changes { exchanges: vec![exchange], ..Changes::default() }).await;
        assert!(store.due_obligations(at("31T00:00"), 10).await.unwrap().is_empty());
    }
}
