//! Participants: who takes part, and how letters reach them.
//!
//! Promises: an import is all or nothing, raises the generation, and re-routes what waits. Never: deletes one.

use crate::domain::participant::{Participant, Route};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::RouteKind;
use crate::store::postgres::counters::{self, Counters};
use crate::store::postgres::fault::unwritable;
use crate::store::postgres::outbox;
use crate::store::postgres::row::Record;
use sqlx::PgConnection;

/// Adds or replaces participants, inside a transaction that holds the decision lock.
pub(super) async fn import(connection: &mut PgConnection, participants: &[Participant]) -> Result<(), StoreError> {
    // Of two rows of one code the last stands, as if they had been written one by one.
    const PUT: &str = "INSERT INTO participant (code, route, record)
         SELECT DISTINCT ON (code) code, route, record::json
         FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS new (code, route, record, place)
         ORDER BY code, place DESC
         ON CONFLICT (code) DO UPDATE SET route = excluded.route, record = excluded.record";
    let codes: Vec<&str> = participants.iter().map(|one| one.code.as_str()).collect();
    let routes: Vec<&str> = participants.iter().map(|one| route_of(&one.route).code()).collect();
    let records = participants.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>().map_err(unwritable)?;
    sqlx::query(PUT).bind(codes).bind(routes).bind(records).execute(&mut *connection).await?;
    let mut counters = Counters::default();
    outbox::reroute(connection, &mut counters).await?;
    const RAISE: &str = "INSERT INTO figure (name, value) VALUES ('participants_generation', 1)
         ON CONFLICT (name) DO UPDATE SET value = figure.value + 1";
    sqlx::query(RAISE).execute(&mut *connection).await?;
    counters::write(&counters, connection).await
}

fn route_of(route: &Route) -> RouteKind {
    match route {
        Route::Inbox => RouteKind::Inbox,
        Route::Amqp => RouteKind::Amqp,
        Route::Push { .. } => RouteKind::Push,
    }
}

/// All participants, by code.
pub(super) async fn all(connection: &mut PgConnection) -> Result<Vec<Participant>, StoreError> {
    let rows = sqlx::query("SELECT code, record FROM participant ORDER BY code").fetch_all(connection).await?;
    rows.iter().map(|row| Record::new(row, "participant").json("record")).collect()
}
