//! The stages of a delivery.
//!
//! Promises: one name in rows, counters and views. Never: a stage that a CHECK of the table does not know.

use serde::Deserialize;

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::store::postgres) enum Stage {
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
    pub(super) fn code(self) -> &'static str {
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

    /// The name of its counter. Leased or not, it is owed: a lease touches no counter.
    pub(super) fn counter(self) -> &'static str {
        match self {
            Self::Queued | Self::Sending => "delivery.owed",
            Self::WaitingRetry => "delivery.waiting_retry",
            Self::Delivered => "delivery.delivered",
            Self::Registered => "delivery.registered",
            Self::Rejected => "delivery.rejected",
            Self::Undeliverable => "delivery.undeliverable",
        }
    }

    /// On its way: it will go out, or come back, without anybody's doing.
    pub(in crate::store::postgres) fn is_on_its_way(self) -> bool {
        matches!(self, Self::Queued | Self::Sending | Self::WaitingRetry)
    }

    /// The addressee has had its say; no attempt changes that.
    pub(super) fn is_answered(self) -> bool {
        matches!(self, Self::Registered | Self::Rejected)
    }
}
