//! What an addressee proves of a delivery: that it came, that it is registered, that it was refused.

use crate::given::{SCHOOL, at, message_id, request};
use crate::outbox::{claim, delivered, delivery, prove, registered, settle};
use crate::{save, stores};
use mezhved::domain::decision::ProofStage;
use mezhved::gateway::ports::Changes;

fn refused() -> ProofStage {
    ProofStage::Rejected { reason: "wrong_addressee".to_owned() }
}

#[tokio::test]
async fn a_registration_stands_over_later_attempts_proofs_and_resending() {
    for subject in stores().await {
        save(&*subject.store, request(1).changes()).await;
        claim(&*subject.store, at("12T10:00")).await;
        // The addressee is faster than the broker's confirmation.
        prove(&*subject.store, 1, registered("вх. 5", "ab".repeat(32))).await;
        settle(&*subject.store, (message_id(1), SCHOOL), delivered()).await;
        prove(&*subject.store, 1, registered("вх. 6", "ab".repeat(32))).await;
        prove(&*subject.store, 1, refused()).await;
        let registration = Some(("вх. 5".to_owned(), "2026-01-13".parse().unwrap()));
        let row = delivery(&*subject.store, 1).await;
        assert_eq!((row.state.as_str(), row.registration), ("registered", registration.clone()));

        save(&*subject.store, Changes { outbox: vec![request(1).delivery()], ..Changes::default() }).await;
        assert_eq!(delivery(&*subject.store, 1).await.state, "queued");
        assert_eq!(claim(&*subject.store, at("12T12:00")).await.len(), 1);
        settle(&*subject.store, (message_id(1), SCHOOL), delivered()).await;
        let row = delivery(&*subject.store, 1).await;
        assert_eq!((row.state.as_str(), row.registration), ("registered", registration));
    }
}

#[tokio::test]
async fn a_registration_of_other_content_than_went_out_proves_nothing() {
    for subject in stores().await {
        save(&*subject.store, request(1).changes()).await;
        claim(&*subject.store, at("12T10:00")).await;
        settle(&*subject.store, (message_id(1), SCHOOL), delivered()).await;
        prove(&*subject.store, 1, registered("вх. 5", "cd".repeat(32))).await;
        let row = delivery(&*subject.store, 1).await;
        assert_eq!((row.state.as_str(), row.registration), ("delivered", None));
        assert_eq!(row.content_sha256, Some("ab".repeat(32)));
    }
}

#[tokio::test]
async fn a_refusal_by_the_addressee_stands_with_its_reason() {
    for subject in stores().await {
        save(&*subject.store, request(1).changes()).await;
        claim(&*subject.store, at("12T10:00")).await;
        prove(&*subject.store, 1, refused()).await;
        settle(&*subject.store, (message_id(1), SCHOOL), delivered()).await;
        prove(&*subject.store, 1, ProofStage::Received).await;
        let row = delivery(&*subject.store, 1).await;
        assert_eq!((row.state.as_str(), row.error.as_deref()), ("rejected", Some("wrong_addressee")));
        prove(&*subject.store, 1, registered("вх. 5", "cd".repeat(32))).await;
        assert_eq!(delivery(&*subject.store, 1).await.state, "rejected", "it has registered something else");
    }
}

#[tokio::test]
async fn an_addressee_that_has_refused_and_registers_has_registered_as_the_other_way_round() {
    for subject in stores().await {
        save(&*subject.store, request(1).changes()).await;
        claim(&*subject.store, at("12T10:00")).await;
        settle(&*subject.store, (message_id(1), SCHOOL), delivered()).await;
        prove(&*subject.store, 1, refused()).await;
        prove(&*subject.store, 1, registered("вх. 5", "ab".repeat(32))).await;
        prove(&*subject.store, 1, refused()).await;
        let row = delivery(&*subject.store, 1).await;
        assert_eq!(
            (row.state.as_str(), row.error.as_deref()),
            ("registered", Some("wrong_addressee")),
            "why it had refused"
        );
        assert_eq!(row.registration, Some(("вх. 5".to_owned(), "2026-01-13".parse().unwrap())));
        let figures = subject.store.figures().await.unwrap();
        let counted = (figures.deliveries_rejected, figures.deliveries_done, figures.conservation_gap());
        assert_eq!(counted, (0, 1, 0), "what was counted as refused is so no more");
        // The channel is slower than both.
        settle(&*subject.store, (message_id(1), SCHOOL), delivered()).await;
        let row = delivery(&*subject.store, 1).await;
        assert_eq!((row.state.as_str(), row.error.as_deref()), ("registered", Some("wrong_addressee")));
    }
}
