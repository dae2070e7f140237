//! What the sweeper asks: which obligations have something due.

use crate::given::{CENTRE, at, code, exchange_id, obligation_id, request, type_code};
use crate::{load, save, stores};
use mezhved::domain::alert::{Alert, AlertState};
use mezhved::domain::ending::Ending;
use mezhved::domain::escalation::RungState;
use mezhved::domain::obligation::Fact;
use mezhved::domain::rule::Recurs;
use mezhved::domain::term::Period;
use mezhved::gateway::ports::{Changes, Keys};

#[tokio::test]
async fn obligations_come_by_the_time_of_their_planned_rung_and_not_before_it() {
    for subject in stores().await {
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
async fn of_what_is_due_at_one_instant_that_comes_first_which_was_opened_first() {
    for subject in stores().await {
        let store = &*subject.store;
        for n in [3, 1, 4, 2] {
            save(store, request(n).due(at("21T00:00")).changes()).await;
        }
        let opened = [3, 1, 4, 2].map(obligation_id);
        assert_eq!(store.due_obligations(at("19T00:00"), 10).await.unwrap(), opened);
        assert_eq!(store.due_obligations(at("19T00:00"), 2).await.unwrap(), opened[..2]);
    }
}

#[tokio::test]
async fn a_rung_that_is_not_planned_any_more_is_not_due() {
    for subject in stores().await {
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
    for subject in stores().await {
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

#[tokio::test]
async fn the_next_period_of_a_duty_is_due_when_the_duty_says_so_and_never_twice() {
    for subject in stores().await {
        let store = &*subject.store;
        let mut exchange = request(1).exchange();
        exchange.duties[0].rungs.rows.clear();
        let recurs = |renews_at| Recurs {
            rhythm: Period::Month,
            apart: false,
            ends: vec![type_code("notice.case-closed")],
            made_at: Some(at("01T00:00")),
            renews_at,
        };
        exchange.duties[0].obligation.recurs = Some(recurs(Some(at("20T00:00"))));
        save(store, Changes { exchanges: vec![exchange.clone()], ..Changes::default() }).await;
        assert_eq!(load(store, exchange_id(1)).await, Some(exchange.clone()), "it comes back as it was written");
        assert!(store.due_obligations(at("19T23:59"), 10).await.unwrap().is_empty());
        assert_eq!(store.due_obligations(at("20T00:00"), 10).await.unwrap(), [obligation_id(1)]);
        exchange.duties[0].obligation.recurs = Some(recurs(None));
        save(store, Changes { exchanges: vec![exchange], ..Changes::default() }).await;
        assert!(store.due_obligations(at("31T00:00"), 10).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_case_leads_to_its_ends_and_to_the_exchanges_that_hold_open_duties_of_it() {
    for subject in stores().await {
        let store = &*subject.store;
        let ending = Ending {
            case: "Д-7".to_owned(),
            told: None,
            closes: true,
            centres: vec![code(CENTRE)],
            by: "И. О. Примерная".to_owned(),
            made_at: at("10T00:00"),
            at: at("10T00:01"),
        };
        let other = Ending { case: "Д-8".to_owned(), ..ending.clone() };
        let recurs = Recurs { rhythm: Period::Month, apart: false, ends: Vec::new(), made_at: None, renews_at: None };
        // A duty of the case, a request of the case, a duty of the case that is closed, a duty of another case.
        let mut exchanges: Vec<_> = (1..=4).map(|n| request(n).exchange()).collect();
        for (place, case, recurring) in [(0, "Д-7", true), (1, "Д-7", false), (2, "Д-7", true), (3, "Д-8", true)] {
            let one = &mut exchanges[place].duties[0].obligation;
            one.case = Some(case.to_owned());
            one.recurs = Some(recurs.clone()).filter(|_| recurring);
        }
        let withdrawn = Fact::Withdrawn { message: None, at: at("09T00:00"), by: "centre".to_owned() };
        exchanges[2].duties[0].obligation.facts.push(withdrawn);
        let endings = vec![ending.clone(), other];
        save(store, Changes { exchanges, endings, ..Changes::default() }).await;
        let keys = Keys { duties_of_case: vec!["Д-7".to_owned(), "Д-7".to_owned()], ..Keys::default() };
        let (unit, loaded) = store.begin(keys).await.unwrap();
        drop(unit);
        assert_eq!(loaded.endings.into_iter().collect::<Vec<_>>(), [("Д-7".to_owned(), vec![ending])]);
        assert_eq!(loaded.exchanges.into_keys().collect::<Vec<_>>(), [exchange_id(1)]);
    }
}
