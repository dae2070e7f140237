//! Figures: conservation, queues, the board's first line.

use crate::given::{CENTRE, CLINIC, SCHOOL, at, code, message_id, receipt, request};
use crate::{load, save, stores};
use bytes::Bytes;
use mezhved::domain::decision::{Event, EventKind, Proof, ProofStage};
use mezhved::domain::escalation::RungState;
use mezhved::domain::exchange::{Exchange, Parked};
use mezhved::domain::obligation::Fact;
use mezhved::domain::rule::{BodyFacts, Role};
use mezhved::gateway::ports::decisions::{Attempt, AttemptResult, Claim, OutboxRow, QuarantineRow, RouteKind};
use mezhved::gateway::ports::reads::{Figures, Tally, TallyAt};
use mezhved::gateway::ports::{Changes, Store};

/// What was accepted less what is accounted for; never anything but 0.
pub fn gap(figures: &Figures) -> i64 {
    let accounted = figures.deliveries_owed
        + figures.deliveries_waiting
        + figures.deliveries_done
        + figures.deliveries_undeliverable
        + figures.deliveries_rejected;
    i64::try_from(figures.accepted_addressees).unwrap() - i64::try_from(accounted).unwrap()
}

async fn settle(store: &dyn Store, n: u32, result: AttemptResult) {
    let attempt = Attempt { message: message_id(n), recipient: code(SCHOOL), at: at("12T10:00"), result };
    store.settle(vec![attempt], Vec::new()).await.unwrap();
}

#[tokio::test]
async fn every_accepted_addressee_is_accounted_for_in_mixed_traffic() {
    for subject in stores().await {
        let store = &*subject.store;
        for n in 1..=6 {
            save(store, request(n).changes()).await;
        }
        // One message to two; one forwarded to a third; two receipts, one of them sent twice.
        let mut both = request(7).changes();
        both.messages[0].recipients.push(code(CLINIC));
        both.outbox.push(OutboxRow { recipient: code(CLINIC), ..both.outbox[0].clone() });
        save(store, both).await;
        let forward = OutboxRow { recipient: code("police-3"), ..request(1).delivery() };
        save(store, Changes { outbox: vec![forward.clone(), receipt(1), receipt(2)], ..Changes::default() }).await;
        save(store, Changes { outbox: vec![forward, receipt(1)], ..Changes::default() }).await;
        let claim = Claim { now: at("12T10:00"), lease_until: at("12T10:01"), limit: 100, route: RouteKind::Amqp };
        assert_eq!(store.claim(claim).await.unwrap().len(), 11);
        settle(store, 1, AttemptResult::Delivered { content_sha256: "ab".repeat(32) }).await;
        settle(store, 2, AttemptResult::Retry { next_at: at("12T11:00"), error: "timeout".to_owned() }).await;
        settle(store, 3, AttemptResult::Undeliverable { error: "gone".to_owned() }).await;
        let proof = |n, stage| Proof { message: message_id(n), recipient: code(SCHOOL), stage };
        let registered = ProofStage::Registered {
            number: "5".to_owned(),
            date: "2026-01-13".parse().unwrap(),
            content_sha256: "ab".repeat(32),
        };
        let rejected = ProofStage::Rejected { reason: "wrong_addressee".to_owned() };
        let proofs = vec![proof(4, registered), proof(5, rejected)];
        save(store, Changes { proofs, ..Changes::default() }).await;

        let figures = store.figures().await.unwrap();
        assert_eq!(gap(&figures), 0, "{figures:?}");
        assert_eq!(figures.accepted_addressees, 6 + 2 + 1 + 2);
        assert_eq!((figures.deliveries_done, figures.deliveries_waiting), (2, 1));
        assert_eq!((figures.deliveries_undeliverable, figures.deliveries_rejected), (1, 1));
        assert_eq!(figures.deliveries_owed, 6);
        assert_eq!(figures.oldest_waiting_at, Some(request(1).delivery().queued_at), "the one that was forwarded");
    }
}

#[tokio::test]
async fn a_delivery_that_was_never_written_shows_as_a_gap() {
    for subject in stores().await {
        let forgotten = Changes { outbox: Vec::new(), ..request(1).changes() };
        save(&*subject.store, forgotten).await;
        assert_eq!(gap(&subject.store.figures().await.unwrap()), 1);
    }
}

#[tokio::test]
async fn parked_open_quarantined_and_conflicting_things_are_counted() {
    for subject in stores().await {
        let store = &*subject.store;
        assert_eq!(store.figures().await.unwrap(), Figures::default());
        save(store, request(1).changes()).await;
        save(store, request(2).changes()).await;
        let mut answered = request(2).exchange();
        let fact = Fact::Answered { message: message_id(9), at: at("13T00:00"), nil: false, on: None };
        answered.duties[0].obligation.facts.push(fact);
        let mut early = Exchange::unseen(request(3).exchange().id);
        let parked = Parked {
            elsewhere: false,
            message: message_id(8),
            type_code: request(3).message().type_code,
            role: Role::Answer,
            from: code(SCHOOL),
            to: vec![code(CENTRE)],
            in_reply_to: None,
            received_at: at("13T00:00"),
            facts: BodyFacts::default(),
        };
        early.parked = vec![parked.clone(), Parked { message: message_id(7), ..parked }];
        let quarantine = vec![QuarantineRow {
            at: at("13T00:00"),
            source: "amqp",
            participant: None,
            message: None,
            code: "not_well_formed".to_owned(),
            reason: "line 1".to_owned(),
            content_type: "application/xml".to_owned(),
            content: Bytes::from_static(b"<"),
        }];
        let conflict = Event { kind: EventKind::MessageConflict, ..request(1).events().remove(0) };
        let exchanges = vec![answered, early];
        save(store, Changes { exchanges, quarantine, events: vec![conflict], ..Changes::default() }).await;
        let figures = store.figures().await.unwrap();
        assert_eq!((figures.parked, figures.open, figures.quarantined, figures.conflicts), (2, 1, 1, 1));

        // Reopened by a return, and matched by its request.
        let mut reopened = load(store, request(2).exchange().id).await.unwrap();
        let returned = Fact::Returned { message: None, at: at("14T00:00"), answer: None, by: CENTRE.to_owned() };
        reopened.duties[0].obligation.facts.push(returned);
        save(store, Changes { exchanges: vec![reopened, request(3).exchange()], ..Changes::default() }).await;
        let figures = store.figures().await.unwrap();
        assert_eq!((figures.parked, figures.open), (0, 3));
    }
}

#[tokio::test]
async fn the_board_counts_by_due_instant_and_by_body() {
    for subject in stores().await {
        let store = &*subject.store;
        let at = TallyAt {
            now: at("20T10:00"),
            today_until: at("20T16:00"),
            soon_until: at("23T16:00"),
            week_until: at("26T16:00"),
        };
        assert_eq!(store.tally(at).await.unwrap(), Tally::default());
        let dues = ["19T16:00", "18T16:00", "20T16:00", "21T16:00", "23T16:00", "26T16:00", "26T16:01", "31T16:00"];
        for (n, due) in (1..).zip(dues) {
            let performer = if n == 2 { CLINIC } else { SCHOOL };
            save(store, request(n).due(crate::given::at(due)).between(CENTRE, performer).changes()).await;
        }
        let mut spoke = load(store, request(2).exchange().id).await.unwrap();
        let interim = Fact::Interim { message: message_id(90), at: crate::given::at("19T00:00"), expected_on: None };
        spoke.duties[0].obligation.facts.push(interim);
        spoke.duties[0].rungs.rows[0].state = RungState::Prepared { at: crate::given::at("19T00:00") };
        // An answered obligation is not the performer's turn any more, however long ago it was due.
        let mut closed = request(9).due(crate::given::at("13T00:00")).exchange();
        let fact = Fact::Answered { message: message_id(91), at: crate::given::at("14T00:00"), nil: false, on: None };
        closed.duties[0].obligation.facts.push(fact);
        save(store, Changes { exchanges: vec![spoke, closed], ..Changes::default() }).await;
        let expected = Tally {
            overdue: 2,
            overdue_bodies: 2,
            today: 1,
            soon: 2,
            week: 1,
            later: 2,
            silent_bodies: 1,
            prepared: 1,
            next_due_at: Some(at.today_until),
        };
        assert_eq!(store.tally(at).await.unwrap(), expected);
        // Late in the week the third working day lies beyond the week: nothing is counted twice or lost.
        let crossed = TallyAt { week_until: at.today_until, ..at };
        assert_eq!(store.tally(crossed).await.unwrap(), Tally { week: 0, later: 3, ..expected });
    }
}
