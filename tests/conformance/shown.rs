//! What is shown: chronologies, journals, events, the quarantine.

use crate::given::{CENTRE, CLINIC, SCHOOL, at, code, exchange_id, message_id, receipt, request};
use crate::{save, stores};
use bytes::Bytes;
use mezhved::domain::decision::{Event, EventKind};
use mezhved::gateway::ports::Changes;
use mezhved::gateway::ports::decisions::{Direction, JournalRow, QuarantineRow};
use mezhved::gateway::ports::reads::JournalFilter;

#[tokio::test]
async fn a_chronology_holds_the_messages_events_and_deliveries_of_its_exchange() {
    for subject in stores().await {
        let store = &*subject.store;
        save(store, request(1).changes()).await;
        save(store, request(2).changes()).await;
        save(store, Changes { outbox: vec![receipt(1)], ..Changes::default() }).await;
        let record = store.exchange(exchange_id(1)).await.unwrap().unwrap();
        assert_eq!(record.exchange, request(1).exchange());
        assert_eq!(record.events, request(1).events());
        let messages: Vec<_> = record.messages.iter().map(|line| (line.id, line.outcome.number.as_str())).collect();
        assert_eq!(messages, [(message_id(1), "1/2026")]);
        assert_eq!(record.messages[0].recipients, [code(SCHOOL)]);
        let deliveries: Vec<_> = record.deliveries.iter().map(|row| row.recipient.as_str()).collect();
        assert_eq!(deliveries, [SCHOOL, CENTRE], "the request, and the receipt to its sender");
    }
}

#[tokio::test]
async fn a_journal_shows_one_participants_lines_in_the_order_of_registration() {
    for subject in stores().await {
        let store = &*subject.store;
        let cases = [Some("2026-0001"), Some("2026-0002"), None];
        for (n, case) in (1..).zip(cases) {
            let mut changes = request(n).case(case).changes();
            for row in &mut changes.journal {
                row.date = format!("2026-01-1{n}").parse().unwrap();
            }
            save(store, changes).await;
        }
        // The centre receives, too, on the first day.
        let incoming = JournalRow { date: "2026-01-11".parse().unwrap(), ..request(4).journal().remove(1) };
        let mut incoming = JournalRow { counterparty: code(CLINIC), ..incoming };
        incoming.register.participant = code(CENTRE);
        save(store, Changes { journal: vec![incoming.clone()], ..Changes::default() }).await;

        let all =
            JournalFilter { participant: code(CENTRE), case: None, from: None, to: None, in_house: true, limit: 10 };
        let numbers = async |filter: JournalFilter| {
            let rows = store.journal(filter).await.unwrap();
            assert!(rows.iter().all(|row| row.register.participant == code(CENTRE)));
            rows.iter().map(|row| row.number).collect::<Vec<_>>()
        };
        assert_eq!(numbers(all.clone()).await, [1, 4, 2, 3]);
        assert_eq!(numbers(JournalFilter { limit: 2, ..all.clone() }).await, [1, 4]);
        let (from, to) = ("2026-01-12".parse().unwrap(), "2026-01-12".parse().unwrap());
        assert_eq!(numbers(JournalFilter { from: Some(from), ..all.clone() }).await, [2, 3]);
        assert_eq!(numbers(JournalFilter { to: Some(to), ..all.clone() }).await, [1, 4, 2]);
        assert_eq!(numbers(JournalFilter { case: Some("2026-0002".to_owned()), ..all.clone() }).await, [2]);
        let rows = store.journal(JournalFilter { limit: 2, ..all }).await.unwrap();
        assert_eq!(rows[1], incoming);
        assert_eq!(rows[0].register.direction, Direction::Outgoing);
    }
}

#[tokio::test]
async fn events_are_read_after_a_cursor_as_they_were_written() {
    for subject in stores().await {
        let store = &*subject.store;
        // Events may name what is not on record.
        let bare = Event {
            at: at("15T00:00"),
            kind: EventKind::ForeignReply,
            exchange: Some(exchange_id(77)),
            obligation: None,
            message: None,
            participant: None,
            detail: Some("3".to_owned()),
        };
        save(store, request(1).changes()).await;
        save(store, Changes { events: vec![bare.clone()], ..Changes::default() }).await;
        save(store, request(2).changes()).await;
        assert_eq!(store.last_event().await.unwrap(), 5);
        let events = store.events_after(2, 2).await.unwrap();
        assert_eq!(events, [(3, bare), (4, request(2).events().remove(0))]);
        assert_eq!(store.latest_instant().await.unwrap(), Some(at("15T00:00")), "the latest, not the last");
        assert!(store.exchange(exchange_id(77)).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn every_kind_of_event_comes_back() {
    use EventKind as K;
    let kinds = [
        K::MessageRegistered,
        K::MessageParked,
        K::MessageConflict,
        K::MessageRefused,
        K::MessageQuarantined,
        K::Delivered,
        K::DeliveryRegistered,
        K::DeliveryRejected,
        K::Undeliverable,
        K::DeliveryQueuedAgain,
        K::ObligationOpened,
        K::ObligationChanged,
        K::ObligationClosed,
        K::RungFired,
        K::RungSkipped,
        K::RungPrepared,
        K::RungHeld,
        K::RungApproved,
        K::RungDeclined,
        K::AlertRaised,
        K::AlertAcknowledged,
        K::AlertLapsed,
        K::AlertResolved,
        K::ForeignReply,
    ];
    for subject in stores().await {
        let written: Vec<Event> =
            kinds.iter().map(|kind| Event { kind: *kind, ..request(1).events().remove(0) }).collect();
        save(&*subject.store, Changes { events: written.clone(), ..Changes::default() }).await;
        let read = subject.store.events_after(0, 100).await.unwrap();
        assert_eq!(read.into_iter().map(|(_, event)| event).collect::<Vec<_>>(), written);
    }
}

#[tokio::test]
async fn the_quarantine_is_read_from_the_newest() {
    for subject in stores().await {
        let store = &*subject.store;
        let row = |n| QuarantineRow {
            at: at("15T00:00"),
            source: "amqp",
            participant: Some(code(SCHOOL)),
            message: Some(message_id(n)),
            code: "id_conflict".to_owned(),
            reason: "the same id with other content".to_owned(),
            content_type: "application/json".to_owned(),
            content: Bytes::from_static(b"{}"),
        };
        save(store, Changes { quarantine: vec![row(1), row(2), row(3)], ..Changes::default() }).await;
        let first = store.quarantine(None, 2).await.unwrap();
        assert_eq!(first.iter().map(|row| row.message).collect::<Vec<_>>(), [Some(message_id(3)), Some(message_id(2))]);
        assert_eq!((first[0].code.as_str(), first[0].source.as_str()), ("id_conflict", "amqp"));
        let rest = store.quarantine(Some(first[1].seq), 2).await.unwrap();
        assert_eq!(rest.iter().map(|row| row.message).collect::<Vec<_>>(), [Some(message_id(1))]);
    }
}
