//! What came or went without a wire: notes, proofs of handing over, scans and whose they are.

use crate::given::{CENTRE, CLINIC, SCHOOL, at, code, exchange_id, message_id, request};
use crate::{save, stores, try_save};
use mezhved::gateway::ports::Changes;
use mezhved::gateway::ports::reads::JournalFilter;
use mezhved::gateway::ports::scans::{ByHand, HandChannel, HandWay, Handover, ScanRow};

fn scan(annex: u32, digit: &str) -> ScanRow {
    ScanRow { annex, sha256: digit.repeat(64), media_type: "application/pdf".to_owned(), bytes: 1234 }
}

fn note(n: u32, scans: Vec<ScanRow>) -> ByHand {
    ByHand {
        message: message_id(n),
        channel: HandChannel::Paper,
        at: at("12T08:00"),
        recorded_at: at("12T09:00"),
        by_whom: "anna".to_owned(),
        dictated_by: None,
        taken_by: None,
        scans,
    }
}

fn handover(n: u32) -> Handover {
    Handover {
        message: message_id(n),
        recipient: code(SCHOOL),
        way: HandWay::Post,
        at: at("12T09:30"),
        taken_by: "Секретарь".to_owned(),
        number: Some("17-1".to_owned()),
        date: Some("2026-01-12".parse().unwrap()),
        by_whom: "anna".to_owned(),
        recorded_at: at("12T09:40"),
    }
}

#[tokio::test]
async fn notes_with_their_scans_and_proofs_stand_in_the_chronology_and_the_journal() {
    for subject in stores().await {
        let store = &*subject.store;
        let mut second = request(2).message();
        second.exchange = exchange_id(1);
        save(store, request(1).changes()).await;
        save(store, Changes { messages: vec![second], ..Changes::default() }).await;
        let notes = vec![note(1, vec![scan(1, "a"), scan(2, "b")]), note(2, Vec::new())];
        let by_hand = notes.clone();
        save(store, Changes { by_hand, handovers: vec![handover(1)], ..Changes::default() }).await;
        let record = store.exchange(exchange_id(1)).await.unwrap().unwrap();
        assert_eq!(record.by_hand, notes);
        assert_eq!(record.handovers, [handover(1)]);
        let all =
            JournalFilter { participant: code(CENTRE), case: None, from: None, to: None, in_house: true, limit: 9 };
        assert_eq!(store.journal(all).await.unwrap()[0].channel, Some(HandChannel::Paper));
    }
}

#[tokio::test]
async fn a_scan_names_every_message_that_it_belongs_to_with_its_parties() {
    for subject in stores().await {
        let store = &*subject.store;
        save(store, request(1).changes()).await;
        save(store, request(2).between(CENTRE, CLINIC).changes()).await;
        // The same paper twice with one message, and with another message, too.
        let by_hand = vec![note(1, vec![scan(1, "a"), scan(2, "a")]), note(2, vec![scan(1, "a"), scan(2, "c")])];
        save(store, Changes { by_hand, ..Changes::default() }).await;
        let found = store.scan(&"a".repeat(64)).await.unwrap().unwrap();
        assert_eq!((found.media_type.as_str(), found.bytes), ("application/pdf", 1234));
        let parties = |of: &str| vec![code(of), code(CENTRE)];
        assert_eq!(found.messages, [(message_id(1), parties(SCHOOL)), (message_id(2), parties(CLINIC))]);
        assert_eq!(store.scan(&"d".repeat(64)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_call_without_who_dictated_it_and_a_note_from_the_future_are_refused() {
    for subject in stores().await {
        let store = &*subject.store;
        save(store, request(1).changes()).await;
        let call = ByHand { channel: HandChannel::Phone, taken_by: Some("anna".to_owned()), ..note(1, Vec::new()) };
        let early = ByHand { at: at("12T10:00"), ..note(1, Vec::new()) };
        for wrong in [call, early] {
            let by_hand = vec![wrong];
            assert!(try_save(store, Changes { by_hand, ..Changes::default() }).await.is_err());
        }
        assert!(store.exchange(exchange_id(1)).await.unwrap().unwrap().by_hand.is_empty());
    }
}
