//! Leasing deliveries to the worker that sends them.
//!
//! Promises: two claims never lease the same row; a letter is not leased while an earlier one of the same exchange to the
//! same recipient is on its way, in whoever's hands, or waits for its time: what of an exchange goes to one recipient
//! goes in its order, and one at a time (of exchanges on record); costs the same however many are done. Never: leases a row of an inbox; waits for
//! a row that a decision holds.

use crate::domain::delivery::waits_until_max;
use crate::domain::delivery_stage::Stage;
use crate::domain::ids::{ExchangeId, MessageId};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::{Claim, Claimed};
use crate::limits::CLAIM_BYTES_MAX;
use crate::store::postgres::counters::{Counters, of_stage};
use crate::store::postgres::row::{Record, int};
use bytes::Bytes;
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

/// Finds whether anything of a route is ready at an instant, or was put off beyond the other.
pub(in crate::store::postgres) const WAITS: &str = "(SELECT seq FROM outbox
         WHERE route = $1 AND route <> 'inbox' AND ready_at IS NOT NULL AND ready_at <= $2 ORDER BY ready_at, seq LIMIT 1)
     UNION ALL (SELECT seq FROM outbox
         WHERE route = $1 AND route <> 'inbox' AND ready_at IS NOT NULL AND ready_at > $3 ORDER BY ready_at, seq LIMIT 1)
     LIMIT 1";

/// Leases what is ready: queued, due for another attempt, left by a worker that died, or put off by a clock that ran
/// ahead and is right again. Under the lock of claims. The leases bear `holder`.
pub(in crate::store::postgres) async fn claim(
    connection: &mut PgConnection,
    (claim, holder): (&Claim, Option<i32>),
    counters: &mut Counters,
) -> Result<Vec<Claimed>, StoreError> {
    // One statement finds and leases; `ready` is as it was before, and what was sent again under another number
    // meanwhile is not leased.
    // The index of what is ready is walked in its order and left at the limit (lock.rs forbids the planner to sort), and
    // only what is taken is looked up further: a claim costs the same however much is waiting, and a look for each letter
    // that an earlier one holds back. The earlier letter is looked for by a scalar subquery: as a join the planner would
    // compare every ready row with every leased one. By its state, which says the same as `ready_at IS NOT NULL` (a check
    // of the table): of that there is an index, and a planner whose statistics say that nothing waits would read all of it.
    const READY: &str = "WITH ready AS MATERIALIZED (
             SELECT o.seq, o.state, o.message, o.recipient, o.attempts, o.queued_at, o.exchange, o.format, o.content,
                 o.ready_at
             FROM outbox o
             WHERE o.route = $1 AND o.route <> 'inbox' AND o.ready_at IS NOT NULL AND o.ready_at <= $2
                 AND (SELECT e.seq FROM outbox e WHERE e.exchange_n = o.exchange_n AND e.recipient = o.recipient
                     AND e.seq < o.seq AND e.state IN ('queued', 'sending', 'waiting_retry') AND e.route <> 'inbox'
                     LIMIT 1) IS NULL
             ORDER BY o.ready_at, o.seq LIMIT $3 FOR UPDATE SKIP LOCKED),
         fitting AS (SELECT * FROM (
             SELECT ready.*, sum(coalesce(octet_length(content), (SELECT octet_length(m.content) FROM message m
                     WHERE m.id = ready.message)))
                 OVER (ORDER BY ready_at, seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
             FROM ready) AS summed
             WHERE coalesce(before, 0) < $6),
         leased AS (
             UPDATE outbox SET state = 'sending', ready_at = $4, holder = $5 FROM fitting WHERE outbox.seq = fitting.seq
             RETURNING fitting.*)
         SELECT was.seq, was.state, was.message, was.recipient, was.attempts, was.queued_at, was.exchange,
             coalesce(was.format, m.format) AS format, coalesce(was.content, m.content) AS content
         FROM leased AS was LEFT JOIN message m ON m.id = was.message
         ORDER BY was.ready_at, was.seq";
    // A clock that ran ahead has put them off; the search in the index finds none on any other day.
    const BRING_BACK: &str = "UPDATE outbox SET ready_at = $2 WHERE seq IN (
             SELECT seq FROM outbox WHERE route = $1 AND route <> 'inbox' AND ready_at IS NOT NULL AND ready_at > $3
             FOR UPDATE SKIP LOCKED)";
    let bring_back = sqlx::query(BRING_BACK).bind(claim.route.code()).bind(claim.now);
    bring_back.bind(waits_until_max(claim.now)).execute(&mut *connection).await?;
    let query = sqlx::query(READY).bind(claim.route.code()).bind(claim.now).bind(int(claim.limit));
    let query = query.bind(claim.lease_until).bind(holder).bind(int(CLAIM_BYTES_MAX));
    let mut leased = Vec::new();
    for row in &query.fetch_all(&mut *connection).await? {
        let record = Record::new(row, "outbox");
        let (seq, was): (i64, Stage) = (record.integer("seq")?, record.one_of("state")?);
        match letter(row) {
            Ok(letter) => {
                counters.moved(of_stage(was), of_stage(Stage::Sending));
                leased.push(letter);
            }
            // One unreadable row must not hold up all others: a person sees it.
            Err(error) => {
                counters.moved(of_stage(was), of_stage(Stage::Undeliverable));
                give_up(connection, (seq, &error)).await?;
            }
        }
    }
    Ok(leased)
}

async fn give_up(connection: &mut PgConnection, (seq, error): (i64, &StoreError)) -> Result<(), StoreError> {
    const GIVE_UP: &str = "UPDATE outbox SET state = 'undeliverable', ready_at = NULL, holder = NULL, error = $2
         WHERE seq = $1";
    sqlx::query(GIVE_UP).bind(seq).bind(error.to_string()).execute(connection).await?;
    Ok(())
}

/// Ends the leases of holders that are gone, of letters and of notices: they go out at once, in their old place.
pub(in crate::store::postgres) async fn end_leases(
    connection: &mut PgConnection,
    holders: &[i32],
) -> Result<(), StoreError> {
    const LETTERS: &str = "UPDATE outbox SET state = 'queued', ready_at = queued_at, holder = NULL
         WHERE seq IN (SELECT seq FROM outbox WHERE holder = ANY($1) FOR UPDATE SKIP LOCKED)";
    const NOTICES: &str = "UPDATE notice SET state = 'queued', ready_at = queued_at, holder = NULL
         WHERE n IN (SELECT n FROM notice WHERE holder = ANY($1) FOR UPDATE SKIP LOCKED)";
    if holders.is_empty() {
        return Ok(());
    }
    tracing::info!(holders = holders.len(), "gateways are gone; what they had leased goes out at once");
    for sql in [LETTERS, NOTICES] {
        sqlx::query(sql).bind(holders).execute(&mut *connection).await?;
    }
    Ok(())
}

/// A row of the outbox with what it delivers.
pub(in crate::store::postgres) fn letter(row: &PgRow) -> Result<Claimed, StoreError> {
    let record = Record::new(row, "outbox");
    Ok(Claimed {
        message: MessageId(record.uuid("message")?),
        recipient: record.participant("recipient")?,
        exchange: record.opt_uuid("exchange")?.map(ExchangeId),
        format: record.one_of("format")?,
        content: Bytes::copy_from_slice(record.blob("content")?),
        attempts: record.integer("attempts")?,
        queued_at: record.instant("queued_at")?,
        read: None,
    })
}
