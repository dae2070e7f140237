//! The stages of a delivery, the same in every store.
//!
//! Promises: one name in rows, counters and views. Never: a stage that a CHECK of the tables does not know.

use serde::Deserialize;

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::store) enum Stage {
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
    pub(in crate::store) fn code(self) -> &'static str {
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
    pub(in crate::store) fn is_on_its_way(self) -> bool {
        matches!(self, Self::Queued | Self::Sending | Self::WaitingRetry)
    }

    /// The addressee has had its say; no attempt changes that.
    pub(in crate::store) fn is_answered(self) -> bool {
        matches!(self, Self::Registered | Self::Rejected)
    }
}
