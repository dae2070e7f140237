//! Participants: who takes part, and how letters reach them.
//!
//! Promises: an import is all or nothing, raises the generation, and re-routes what waits. Never: deletes one.

use crate::domain::participant::{Participant, Route};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::RouteKind;
use crate::store::sqlite::counters::{self, Counters};
use crate::store::sqlite::fault::unwritable;
use crate::store::sqlite::row::Record;
use crate::store::sqlite::{figures, outbox};
use rusqlite::{Connection, Row, params};

/// Adds or replaces participants.
pub(super) fn import(connection: &Connection, participants: &[Participant]) -> Result<(), StoreError> {
    let mut put = connection.prepare_cached(
        "INSERT INTO participant (code, route, record) VALUES (?1, ?2, ?3)
         ON CONFLICT (code) DO UPDATE SET route = excluded.route, record = excluded.record",
    )?;
    for one in participants {
        let record = serde_json::to_string(one).map_err(unwritable)?;
        put.execute(params![one.code.as_str(), route_of(&one.route).code(), record])?;
    }
    figures::raise_generation(connection)?;
    let mut counters = Counters::default();
    outbox::reroute(connection, &mut counters)?;
    counters::write(&counters, connection)
}

fn route_of(route: &Route) -> RouteKind {
    match route {
        Route::Inbox => RouteKind::Inbox,
        Route::Amqp => RouteKind::Amqp,
        Route::Push { .. } => RouteKind::Push,
    }
}

/// All participants, by code.
pub(super) fn all(connection: &Connection) -> Result<Vec<Participant>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT code, record FROM participant ORDER BY code")?;
    let read = |row: &Row<'_>| Record::new(row, "participant").json("record");
    statement.query_and_then([], read)?.collect()
}
