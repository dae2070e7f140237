//! Where a delivery stands in the table.
//!
//! Promises: found by its key, in one look. Never: writes.

use crate::domain::delivery_stage::Stage;
use crate::domain::ids::{MessageId, ParticipantCode};
use crate::gateway::ports::StoreError;
use crate::store::sqlite::counters::{Counters, of_stage};
use crate::store::sqlite::row::Record;
use rusqlite::{CachedStatement, Connection, Row, params};

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
        counters.moved(of_stage(self.stage), of_stage(to));
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
