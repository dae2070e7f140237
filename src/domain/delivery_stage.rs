//! The stages of a delivery, the same in every store and in the simulated one.
//!
//! Promises: one name in rows, counters and views. Never: a stage that a CHECK of the tables does not know.

use crate::domain::decision::ProofStage;
use serde::Deserialize;

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Queued,
    /// Leased.
    Sending,
    WaitingRetry,
    Delivered,
    /// The addressee has given its number.
    Registered,
    /// The addressee has refused it.
    Rejected,
    Undeliverable,
}

impl Stage {
    /// The stable code, as in the rows of the stores.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::WaitingRetry => "waiting_retry",
            Self::Delivered => "delivered",
            Self::Registered => "registered",
            Self::Rejected => "rejected",
            Self::Undeliverable => "undeliverable",
        }
    }

    /// On its way: it will go out, or come back, without anybody's doing.
    #[must_use]
    pub fn is_on_its_way(self) -> bool {
        matches!(self, Self::Queued | Self::Sending | Self::WaitingRetry)
    }

    /// The last retry is over: a person decides.
    #[must_use]
    pub fn is_given_up(self) -> bool {
        self == Self::Undeliverable
    }

    /// The addressee has had its say; no attempt changes that.
    #[must_use]
    pub fn is_answered(self) -> bool {
        matches!(self, Self::Registered | Self::Rejected)
    }

    /// Whether this proof may change anything still. A registration is final; a refusal gives way to a registration, and to
    /// nothing else: in whichever order the addressee's two words come, it has registered.
    #[must_use]
    pub fn yields_to(self, proof: &ProofStage) -> bool {
        match self {
            Self::Registered => false,
            Self::Rejected => matches!(proof, ProofStage::Registered { .. }),
            Self::Queued | Self::Sending | Self::WaitingRetry | Self::Delivered | Self::Undeliverable => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ProofStage, Stage};

    #[test]
    fn a_registration_is_final_and_a_refusal_gives_way_to_nothing_else() {
        let at = chrono::DateTime::UNIX_EPOCH;
        let registered =
            ProofStage::Registered { number: "1".to_owned(), date: at.date_naive(), content_sha256: "ab".repeat(32) };
        let others = [
            ProofStage::Received,
            ProofStage::HandedOver { at },
            ProofStage::Rejected { reason: "wrong_addressee".to_owned() },
        ];
        assert!(Stage::Rejected.yields_to(&registered) && !Stage::Registered.yields_to(&registered));
        for proof in others {
            assert!(!Stage::Rejected.yields_to(&proof) && !Stage::Registered.yields_to(&proof), "{proof:?}");
            assert!(Stage::Sending.yields_to(&proof) && Stage::Undeliverable.yields_to(&proof), "{proof:?}");
        }
    }
}
