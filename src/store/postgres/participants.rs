//! Participants: who takes part, and how letters reach them.
//!
//! Promises: an import is all or nothing, raises the generation, and re-routes what waits. Never: deletes one.

use crate::domain::participant::{Participant, Route};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::RouteKind;
use crate::store::postgres::fault::unwritable;
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
    reroute(connection).await?;
    const RAISE: &str = "INSERT INTO figure (name, value) VALUES ('participants_generation', 1)
         ON CONFLICT (name) DO UPDATE SET value = figure.value + 1";
    sqlx::query(RAISE).execute(connection).await?;
    Ok(())
}

fn route_of(route: &Route) -> RouteKind {
    match route {
        Route::Inbox => RouteKind::Inbox,
        Route::Amqp => RouteKind::Amqp,
        Route::Push { .. } => RouteKind::Push,
    }
}

/// What waits goes by the way its recipient has now. What was being sent to somebody who now has an inbox waits there;
/// should the attempt under way succeed all the same, it is settled as delivered.
async fn reroute(connection: &mut PgConnection) -> Result<(), StoreError> {
    const MOVE: &str = "WITH changed AS MATERIALIZED (
             SELECT o.seq, o.state, p.route FROM outbox o JOIN participant p ON p.code = o.recipient
             WHERE o.ready_at IS NOT NULL AND o.route <> p.route FOR UPDATE OF o)
         UPDATE outbox o SET route = c.route,
             state = CASE WHEN c.route = 'inbox' THEN 'queued' ELSE o.state END,
             holder = CASE WHEN c.route = 'inbox' THEN NULL ELSE o.holder END,
             ready_at = CASE WHEN c.route = 'inbox' THEN o.queued_at ELSE o.ready_at END
         FROM changed c WHERE o.seq = c.seq
         RETURNING o.seq, c.route = 'inbox' AND c.state = 'waiting_retry' AS no_longer_retried";
    // Counters come last and in the order of their names, as everywhere.
    const COUNT: &str = "UPDATE figure SET value = value + CASE name WHEN 'delivery.owed' THEN $1 ELSE -$1 END
         WHERE name IN ('delivery.owed', 'delivery.waiting_retry')";
    let moved = sqlx::query(MOVE).fetch_all(&mut *connection).await?;
    let mut counted = 0i64;
    for row in &moved {
        counted += i64::from(Record::new(row, "outbox").boolean("no_longer_retried")?);
    }
    if counted > 0 {
        sqlx::query(COUNT).bind(counted).execute(connection).await?;
    }
    Ok(())
}

/// All participants, by code.
pub(super) async fn all(connection: &mut PgConnection) -> Result<Vec<Participant>, StoreError> {
    let rows = sqlx::query("SELECT code, record FROM participant ORDER BY code").fetch_all(connection).await?;
    rows.iter().map(|row| Record::new(row, "participant").json("record")).collect()
}
