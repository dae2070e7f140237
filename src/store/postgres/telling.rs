//! Notices under way: leased, settled, given up; and the digests that were made.
//!
//! Promises: what was sent is never sent again by itself. Never: sends; queues (that is notices.rs).

use crate::domain::delivery::notice_waits_until_max;
use crate::domain::ids::{ExchangeId, ObligationId, ParticipantCode};
use crate::domain::notice::Whom;
use crate::gateway::ports::StoreError;
use crate::gateway::ports::notices::{
    ClaimedNotice, NoticeAttempt, NoticeClaim, NoticeFigures, NoticeResult, NoticeView,
};
use crate::store::postgres::row::{Record, int};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use uuid::Uuid;

/// Finds whether any notice of a medium is ready at an instant, or was put off beyond the other.
pub(super) const WAITS: &str = "(SELECT n FROM notice
         WHERE medium = $1 AND ready_at IS NOT NULL AND ready_at <= $2 ORDER BY ready_at, n LIMIT 1)
     UNION ALL (SELECT n FROM notice
         WHERE medium = $1 AND ready_at IS NOT NULL AND ready_at > $3 ORDER BY ready_at, n LIMIT 1)
     LIMIT 1";

/// Leases for a holder what is ready: queued, due for another attempt, or left by a worker that died. Rows that somebody
/// else is leasing at this moment are passed over.
pub(super) async fn claim(
    connection: &mut PgConnection,
    claim: &NoticeClaim,
    holder: Option<i32>,
) -> Result<Vec<ClaimedNotice>, StoreError> {
    const SQL: &str = "WITH ready AS MATERIALIZED (
             SELECT n, ready_at FROM notice WHERE medium = $1 AND ready_at <= $2
             ORDER BY ready_at, n LIMIT $3 FOR UPDATE SKIP LOCKED),
         leased AS (
             UPDATE notice c SET state = 'sending', ready_at = $4, holder = $5 FROM ready r WHERE c.n = r.n
             RETURNING c.*, r.ready_at AS was_ready_at)
         SELECT c.n, c.id, c.recipient, c.whom, c.queued_at, c.attempts, c.subject, c.content, o.id AS obligation,
                e.id AS exchange
         FROM leased c LEFT JOIN obligation o ON o.n = c.obligation_n LEFT JOIN exchange e ON e.n = o.exchange
         ORDER BY c.was_ready_at, c.n";
    // As for letters: a clock that ran ahead has put them off.
    const BRING_BACK: &str = "UPDATE notice SET ready_at = $2 WHERE n IN (
             SELECT n FROM notice WHERE medium = $1 AND ready_at IS NOT NULL AND ready_at > $3
             FOR UPDATE SKIP LOCKED)";
    let bring_back = sqlx::query(BRING_BACK).bind(claim.medium.code()).bind(claim.now);
    bring_back.bind(notice_waits_until_max(claim.now)).execute(&mut *connection).await?;
    let query = sqlx::query(SQL).bind(claim.medium.code()).bind(claim.now).bind(int(claim.limit));
    query.bind(claim.lease_until).bind(holder).fetch_all(connection).await?.iter().map(claimed).collect()
}

fn claimed(row: &PgRow) -> Result<ClaimedNotice, StoreError> {
    let record = Record::new(row, "notice");
    let obligation = record.opt_uuid("exchange")?.map(ExchangeId).zip(record.opt_uuid("obligation")?.map(ObligationId));
    Ok(ClaimedNotice {
        id: record.uuid("id")?,
        recipient: record.participant("recipient")?,
        whom: record.one_of("whom")?,
        obligation,
        queued_at: record.instant("queued_at")?,
        attempts: record.integer("attempts")?,
        subject: record.string("subject")?,
        content: record.string("content")?,
    })
}

/// Writes down attempts under leases of these numbers. A row that was sent meanwhile stays sent, and a failure says
/// nothing of a row that another has leased since.
pub(super) async fn settle(
    connection: &mut PgConnection,
    (attempts, numbers): (&[NoticeAttempt], &[i32]),
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE notice c SET state = a.state, attempts = attempts + a.counted, ready_at = a.ready_at,
             holder = NULL, sent_at = a.sent_at, error = coalesce(a.error, c.error)
         FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::timestamptz[], $5::timestamptz[], $6::text[])
              AS a (id, state, counted, ready_at, sent_at, error)
         WHERE c.id = a.id AND c.state <> 'sent'
             AND (a.state = 'sent' OR (c.state = 'sending' AND (c.holder IS NULL OR c.holder = ANY($7))))";
    let ends: Vec<End<'_>> = attempts.iter().map(end).collect();
    sqlx::query(SQL)
        .bind(attempts.iter().map(|attempt| attempt.id).collect::<Vec<_>>())
        .bind(ends.iter().map(|end| end.state).collect::<Vec<_>>())
        .bind(ends.iter().map(|end| end.counted).collect::<Vec<_>>())
        .bind(ends.iter().map(|end| end.ready_at).collect::<Vec<_>>())
        .bind(ends.iter().map(|end| end.sent_at).collect::<Vec<_>>())
        .bind(ends.iter().map(|end| end.error).collect::<Vec<_>>())
        .bind(numbers)
        .execute(connection)
        .await?;
    Ok(())
}

/// What an attempt makes of its row.
struct End<'a> {
    state: &'static str,
    counted: i32,
    ready_at: Option<DateTime<Utc>>,
    sent_at: Option<DateTime<Utc>>,
    error: Option<&'a str>,
}

fn end(attempt: &NoticeAttempt) -> End<'_> {
    let not = End { state: "sent", counted: 1, ready_at: None, sent_at: None, error: None };
    match &attempt.result {
        NoticeResult::Sent => End { sent_at: Some(attempt.at), ..not },
        NoticeResult::Retry { next_at, error } => {
            End { state: "waiting_retry", ready_at: Some(*next_at), error: Some(error), ..not }
        }
        NoticeResult::Postponed { next_at } => End { state: "queued", counted: 0, ready_at: Some(*next_at), ..not },
        NoticeResult::Undeliverable { error } => End { state: "undeliverable", error: Some(error), ..not },
    }
}

/// Who has had the digest of that day or of a later one.
pub(super) async fn digests_since(
    connection: &mut PgConnection,
    day: NaiveDate,
) -> Result<Vec<(ParticipantCode, Whom, NaiveDate)>, StoreError> {
    let sql = "SELECT recipient, whom, day FROM notice WHERE day IS NOT NULL AND day >= $1";
    let read = |row: &PgRow| {
        let record = Record::new(row, "notice");
        Ok((record.participant("recipient")?, record.one_of("whom")?, record.date("day")?))
    };
    sqlx::query(sql).bind(day).fetch_all(connection).await?.iter().map(read).collect()
}

/// Notices that were given up, the latest first.
pub(super) async fn undeliverable(connection: &mut PgConnection, limit: usize) -> Result<Vec<NoticeView>, StoreError> {
    const SQL: &str = "SELECT id, medium, recipient, whom, subject, attempts, queued_at, error FROM notice
         WHERE state = 'undeliverable' ORDER BY n DESC LIMIT $1";
    let read = |row: &PgRow| {
        let record = Record::new(row, "notice");
        Ok(NoticeView {
            id: record.uuid("id")?,
            medium: record.one_of("medium")?,
            recipient: record.participant("recipient")?,
            whom: record.one_of("whom")?,
            subject: record.string("subject")?,
            attempts: record.integer("attempts")?,
            queued_at: record.instant("queued_at")?,
            error: record.string("error")?,
        })
    };
    sqlx::query(SQL).bind(int(limit)).fetch_all(connection).await?.iter().map(read).collect()
}

/// Lets one that was given up go out again.
pub(super) async fn again(connection: &mut PgConnection, id: Uuid, now: DateTime<Utc>) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE notice SET state = 'queued', attempts = 0, ready_at = $2
         WHERE id = $1 AND state = 'undeliverable'";
    Ok(sqlx::query(SQL).bind(id).bind(now).execute(connection).await?.rows_affected() > 0)
}

/// Counts, from the ends of partial indexes.
pub(super) async fn figures(connection: &mut PgConnection) -> Result<NoticeFigures, StoreError> {
    const SQL: &str = "SELECT count(*) AS waiting, min(ready_at) AS oldest,
                (SELECT count(*) FROM notice WHERE state = 'undeliverable') AS undeliverable
         FROM notice WHERE ready_at IS NOT NULL";
    let row = sqlx::query(SQL).fetch_one(connection).await?;
    let record = Record::new(&row, "notice");
    Ok(NoticeFigures {
        waiting: record.integer("waiting")?,
        undeliverable: record.integer("undeliverable")?,
        oldest_ready_at: record.opt_instant("oldest")?,
    })
}
