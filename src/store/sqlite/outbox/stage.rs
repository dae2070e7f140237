//! The stages of a delivery.
//!
//! Promises: one name in rows, counters and views. Never: a stage that a CHECK of the table does not know.

use crate::domain::ids::{MessageId, ParticipantCode};
use crate::gateway::ports::StoreError;
use crate::store::sqlite::counters::Counters;
use crate::store::sqlite::row::Record;
use rusqlite::{CachedStatement, Connection, Row, params};
use serde::Deserialize;

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stage {
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

    /// The name of its counter.
    pub(super) fn counter(self) -> &'static str {
        match self {
            Self::Queued => "delivery.queued",
            Self::Sending => "delivery.sending",
            Self::WaitingRetry => "delivery.waiting_retry",
            Self::Delivered => "delivery.delivered",
            Self::Registered => "delivery.registered",
            Self::Rejected => "delivery.rejected",
            Self::Undeliverable => "delivery.undeliverable",
        }
    }

    /// On its way: it will go out, or come back, without anybody's doing.
    pub(super) fn is_on_its_way(self) -> bool {
        matches!(self, Self::Queued | Self::Sending | Self::WaitingRetry)
    }

    /// The addressee has had its say; no attempt changes that.
    pub(super) fn is_answered(self) -> bool {
        matches!(self, Self::Registered | Self::Rejected)
    }
}

/// A row as found.
#[derive(Clone, Copy)]
pub(super) struct Standing {
    pub(super) seq: i64,
    pub(super) stage: Stage,
    /// It bears the addressee's number, from now or from before it was sent again.
    pub(super) has_number: bool,
}

impl Standing {
    /// The stage that proof of arrival makes: a message sent again is registered still.
    pub(super) fn arrived(self) -> Stage {
        if self.has_number { Stage::Registered } else { Stage::Delivered }
    }

    /// Counts the step to another stage.
    pub(super) fn count(self, to: Stage, counters: &mut Counters) {
        counters.moved(self.stage.counter(), to.counter());
    }
}

/// Finds rows by their key.
pub(super) struct Finder<'c>(CachedStatement<'c>);

impl<'c> Finder<'c> {
    pub(super) fn new(connection: &'c Connection) -> Result<Self, StoreError> {
        Ok(Self(connection.prepare_cached(
            "SELECT seq, state, number IS NOT NULL AS has_number FROM outbox WHERE message = ?1 AND recipient = ?2",
        )?))
    }

    pub(super) fn find(&mut self, message: MessageId, to: &ParticipantCode) -> Result<Option<Standing>, StoreError> {
        let read = |row: &Row<'_>| {
            let record = Record::new(row, "outbox");
            let has_number = record.integer::<i64>("has_number")? != 0;
            Ok(Standing { seq: record.integer("seq")?, stage: record.one_of("state")?, has_number })
        };
        self.0.query_and_then(params![message.0.as_bytes(), to.as_str()], read)?.next().transpose()
    }
}
