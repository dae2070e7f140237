//! What an import of participants does to letters that wait.
//!
//! Promises: what waits goes by the way its recipient has now. Never: touches what is done.

use crate::domain::delivery_stage::Stage;
use crate::gateway::ports::StoreError;
use crate::store::postgres::counters::{Counters, of_stage};
use crate::store::postgres::row::Record;
use sqlx::PgConnection;

/// After an import: what waits goes by the way its recipient has now. What was being sent to somebody who now has an
/// inbox waits there; should the attempt under way succeed all the same, it is settled as delivered.
pub(in crate::store::postgres) async fn reroute(
    connection: &mut PgConnection,
    counters: &mut Counters,
) -> Result<(), StoreError> {
    const REROUTE: &str = "WITH held AS (
             SELECT o.seq, o.state AS was, p.route FROM outbox o JOIN participant p ON p.code = o.recipient
             WHERE o.ready_at IS NOT NULL AND o.route <> p.route
             ORDER BY o.message, o.recipient FOR UPDATE OF o)
         UPDATE outbox SET route = held.route,
             state = CASE WHEN held.route = 'inbox' THEN 'queued' ELSE state END,
             ready_at = CASE WHEN held.route = 'inbox' THEN queued_at ELSE ready_at END,
             holder = CASE WHEN held.route = 'inbox' THEN NULL ELSE holder END
         FROM held WHERE outbox.seq = held.seq
         RETURNING outbox.seq, held.was, outbox.state";
    for row in &sqlx::query(REROUTE).fetch_all(connection).await? {
        let record = Record::new(row, "outbox");
        let (was, now): (Stage, Stage) = (record.one_of("was")?, record.one_of("state")?);
        counters.moved(of_stage(was), of_stage(now));
    }
    Ok(())
}
