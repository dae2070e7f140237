//! What was written is what is read.

use crate::given::{
    CENTRE, CLINIC, SCHOOL, at, code, exchange_id, message_id, obligation_id, opened_at, request, type_code,
};
use crate::{load, save, stores, try_save};
use mezhved::domain::alert::{Alert, AlertState};
use mezhved::domain::escalation::{Rung, RungState, Rungs};
use mezhved::domain::exchange::{Exchange, Parked};
use mezhved::domain::obligation::{Fact, State};
use mezhved::domain::rule::{BodyFacts, Item, Release, Role, Urgency};
use mezhved::gateway::ports::decisions::Seen;
use mezhved::gateway::ports::reads::InboxPage;
use mezhved::gateway::ports::{Changes, Keys, StoreError};

/// Each fact once.
fn every_fact() -> Vec<Fact> {
    let (message, by) = (message_id(70), "centre".to_owned());
    let (at1, date) = (at("14T10:00"), "2026-02-02".parse().unwrap());
    vec![
        Fact::Interim { message, at: at1, expected_on: Some(date) },
        Fact::ExtensionAsked { message, at: at1, new_due: None },
        Fact::Extended { message: Some(message), at: at1, due_on: date, due_at: at("31T16:00"), by: by.clone() },
        Fact::ExtensionDenied { message, at: at1 },
        Fact::Answered { message, at: at1, nil: true, on: None },
        Fact::Returned { message: None, at: at1, answer: Some(message), by: by.clone() },
        Fact::Refused { message, at: at1 },
        Fact::Redirected { message, at: at1, to: code(CLINIC), successor: obligation_id(71) },
        Fact::Withdrawn { message: None, at: at1, by: by.clone() },
        Fact::Released { message: Some(message), at: at1, by: by.clone() },
        Fact::Ended { message: Some(message), at: at1, by: by.clone(), reason: "дело закрыто".to_owned() },
        Fact::Voided {
            at: at1, by, second: "второй".to_owned(), reason: "открыто ошибочно".to_owned()
        },
    ]
}

fn every_rung() -> Rungs {
    let (at, by) = (at("15T10:00"), "И. О. Примерная".to_owned());
    let states = [
        RungState::Fired { at },
        RungState::Skipped { at },
        RungState::Approved { at, by: by.clone() },
        RungState::Declined { at, by, reason: "ответ обещан".to_owned() },
        RungState::Cancelled { at },
        RungState::Prepared { at },
        RungState::Planned,
    ];
    let rung = |(no, state)| Rung { no, planned_at: at, state };
    Rungs { rows: (1..).zip(states).map(rung).collect() }
}

#[tokio::test]
async fn an_exchange_comes_back_as_it_was_written() {
    for subject in stores().await {
        let mut exchange = request(1).exchange();
        let duty = &mut exchange.duties[0];
        duty.obligation.item = Some("п. 3".to_owned());
        duty.obligation.release = Release::Controller;
        duty.obligation.urgency = Urgency::Emergency;
        duty.obligation.facts = every_fact();
        duty.rungs = every_rung();
        let mut second = request(2).exchange().duties.remove(0);
        second.obligation.exchange = exchange_id(1);
        second.obligation.case = None;
        second.obligation.extension_days_max = None;
        exchange.duties.push(second);
        exchange.parked.push(Parked {
            elsewhere: false,
            message: message_id(9),
            type_code: type_code("reply.information"),
            role: Role::Answer,
            from: code(SCHOOL),
            to: vec![code(CENTRE)],
            in_reply_to: Some(message_id(1)),
            received_at: opened_at(),
            facts: BodyFacts {
                items: vec![Item {
                    key: "п. 1".to_owned(),
                    performer: Some(code(SCHOOL)),
                    due: None,
                    ends_on: chrono::NaiveDate::from_ymd_opt(2026, 6, 30),
                }],
                granted: Some(true),
                ..BodyFacts::default()
            },
        });
        save(&*subject.store, Changes { exchanges: vec![exchange.clone()], ..Changes::default() }).await;
        assert_eq!(load(&*subject.store, exchange.id).await, Some(exchange));
    }
}

#[tokio::test]
async fn an_exchange_of_which_only_a_reply_has_come_has_no_root() {
    for subject in stores().await {
        let unseen = Exchange::unseen(exchange_id(5));
        save(&*subject.store, Changes { exchanges: vec![unseen.clone()], ..Changes::default() }).await;
        assert_eq!(load(&*subject.store, unseen.id).await, Some(unseen));
        assert_eq!(load(&*subject.store, exchange_id(6)).await, None);
    }
}

#[tokio::test]
async fn writing_an_exchange_again_replaces_rungs_alerts_and_facts() {
    for subject in stores().await {
        let mut exchange = request(1).exchange();
        let of = |alert| Alert { obligation: obligation_id(1), raised_at: opened_at(), rung: 2, state: alert };
        let (owner, reason) = ("Дежурный".to_owned(), "звонили".to_owned());
        let until = at("25T00:00");
        let states = [
            AlertState::Open,
            AlertState::Acknowledged { owner, until, reason, at: at("21T08:00") },
            AlertState::Resolved { at: at("22T08:00") },
        ];
        for (no, state) in (2..).zip(states) {
            let duty = &mut exchange.duties[0];
            duty.alert = Some(of(state));
            // The planned rung moves on: the row before it goes.
            duty.rungs.rows = vec![Rung { no, planned_at: at("22T01:00"), state: RungState::Planned }];
            duty.obligation.facts.push(Fact::Refused { message: message_id(70), at: at("16T00:00") });
            save(&*subject.store, Changes { exchanges: vec![exchange.clone()], ..Changes::default() }).await;
            assert_eq!(load(&*subject.store, exchange.id).await.as_ref(), Some(&exchange));
        }
        exchange.duties[0].alert = None;
        save(&*subject.store, Changes { exchanges: vec![exchange.clone()], ..Changes::default() }).await;
        assert_eq!(load(&*subject.store, exchange.id).await, Some(exchange));
    }
}

#[tokio::test]
async fn a_message_comes_back_byte_by_byte_with_its_outcome() {
    for subject in stores().await {
        let request = request(1);
        let mut message = request.message();
        message.in_reply_to = Some(message_id(8));
        message.recipients.push(code(CLINIC));
        message.content = bytes::Bytes::from_static(b"\x00\xff not text");
        let changes = Changes { messages: vec![message.clone()], ..request.changes() };
        save(&*subject.store, changes).await;
        let found = subject.store.message(message.id).await.unwrap().unwrap();
        assert_eq!(format!("{found:?}"), format!("{message:?}"));
        assert!(subject.store.message(message_id(2)).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn keys_lead_to_what_was_seen_and_to_exchanges_by_message_and_by_obligation() {
    for subject in stores().await {
        let (first, second) = (request(1), request(2));
        save(&*subject.store, first.changes()).await;
        save(&*subject.store, second.changes()).await;
        let keys = Keys {
            messages: vec![message_id(1), message_id(99)],
            exchanges: vec![exchange_id(99)],
            answered: vec![message_id(1), message_id(99)],
            obligations: vec![obligation_id(2), obligation_id(99)],
            registers: vec![(code(CENTRE), 2026), (code(CLINIC), 2026)],
            ..Keys::default()
        };
        let (mut unit, loaded) = subject.store.begin(keys).await.unwrap();
        let seen = Seen { sender: code(CENTRE), digest: [1; 32], outcome: first.accepted() };
        assert_eq!(loaded.seen.into_iter().collect::<Vec<_>>(), [(message_id(1), seen)]);
        assert_eq!(loaded.exchanges.len(), 2, "one by the message answered, one by the obligation");
        assert_eq!(loaded.exchanges[&exchange_id(1)], first.exchange());
        assert_eq!(loaded.exchange_of.into_iter().collect::<Vec<_>>(), [(message_id(1), exchange_id(1))]);
        let of_obligation: Vec<_> = loaded.exchange_of_obligation.into_iter().collect();
        assert_eq!(of_obligation, [(obligation_id(2), exchange_id(2))]);
        let numbers: Vec<u64> = loaded.registers.values().copied().collect();
        assert_eq!(numbers, [2], "the centre's outgoing register, and nothing of the clinic");
        let later = unit.registers(vec![(code(SCHOOL), 2026), (code(SCHOOL), 2025)]).await.unwrap();
        assert_eq!(later.values().copied().collect::<Vec<_>>(), [2]);
    }
}

#[tokio::test]
async fn the_columns_that_are_searched_follow_the_facts() {
    for subject in stores().await {
        let mut exchange = request(1).exchange();
        let facts = &mut exchange.duties[0].obligation.facts;
        facts.push(Fact::Answered { message: message_id(70), at: at("30T00:00"), nil: false, on: None });
        save(&*subject.store, Changes { exchanges: vec![exchange], ..Changes::default() }).await;
        let filter = mezhved::gateway::ports::reads::DutyFilter {
            state: Some(State::FulfilledLate),
            limit: 10,
            ..Default::default()
        };
        assert_eq!(subject.store.duties(filter).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_message_id_is_accepted_once() {
    for subject in stores().await {
        save(&*subject.store, request(1).changes()).await;
        let again = Changes { messages: vec![request(1).message()], ..Changes::default() };
        let refused = try_save(&*subject.store, again).await;
        assert!(matches!(refused, Err(StoreError::Rejected(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_number_of_a_register_is_given_once() {
    for subject in stores().await {
        save(&*subject.store, request(1).changes()).await;
        let again = Changes { journal: request(1).journal(), ..Changes::default() };
        let refused = try_save(&*subject.store, again).await;
        assert!(matches!(refused, Err(StoreError::Rejected(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_delivery_of_a_message_that_is_not_on_record_is_refused() {
    for subject in stores().await {
        let refused =
            try_save(&*subject.store, Changes { outbox: vec![request(1).delivery()], ..Changes::default() }).await;
        assert!(matches!(refused, Err(StoreError::Rejected(_))), "{refused:?}");
        let page = InboxPage { recipient: code(SCHOOL), after: 0, limit: 10 };
        assert!(subject.store.inbox(page).await.unwrap().is_empty());
    }
}
