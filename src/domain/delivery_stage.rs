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

    /// Whether this proof changes anything still. A registration is final; a refusal gives way to a registration, and to
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
