//! Notices: mails and webhooks owed, under way, sent, given up; and the digests of the days.
//!
//! Promises: one row for each id, and one digest for each person and day; what was sent is never sent again by itself.
//! Never: sends.

use crate::domain::delivery::notice_waits_until_max;
use crate::domain::ids::{ExchangeId, ObligationId, ParticipantCode};
use crate::domain::notice::Whom;
use crate::gateway::ports::StoreError;
use crate::gateway::ports::notices::{
    ClaimedNotice, NoticeAttempt, NoticeClaim, NoticeFigures, NoticeResult, NoticeRow, NoticeView,
};
use crate::store::sqlite::refs::Refs;
use crate::store::sqlite::row::{Record, int, micros};
use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

/// Writes notices; one that is on record stands.
pub(super) fn queue(connection: &Connection, rows: &[NoticeRow], refs: &mut Refs<'_>) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO notice (id, medium, recipient, whom, obligation_n, day, state, queued_at, ready_at, subject, content)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING",
    )?;
    for row in rows {
        let (subject, content) = row.words.as_ref().map_or(("", ""), |(subject, content)| (subject, content));
        insert.execute(params![
            row.id.as_bytes(),
            row.medium.code(),
            row.recipient.as_str(),
            row.whom.code(),
            row.obligation.map(|id| refs.obligation(id)).transpose()?.flatten(),
            row.day.map(|day| day.to_string()),
            if row.words.is_some() { "queued" } else { "empty" },
            micros(row.queued_at),
            row.words.as_ref().map(|_| micros(row.ready_at)),
            subject,
            content,
        ])?;
    }
    Ok(())
}

/// Leases what is ready: queued, due for another attempt, or left by a worker that died.
pub(super) fn claim(connection: &Connection, claim: &NoticeClaim) -> Result<Vec<ClaimedNotice>, StoreError> {
    // As for letters: a clock that ran ahead has put them off.
    let mut bring_back = connection.prepare_cached(
        "UPDATE notice SET ready_at = ?2 WHERE medium = ?1 AND ready_at IS NOT NULL AND ready_at > ?3",
    )?;
    let latest = micros(notice_waits_until_max(claim.now));
    bring_back.execute(params![claim.medium.code(), micros(claim.now), latest])?;
    let mut ready = connection.prepare_cached(
        "SELECT c.n, c.id, c.recipient, c.whom, c.queued_at, c.attempts, c.subject, c.content,
                o.id AS obligation, e.id AS exchange
         FROM notice c LEFT JOIN obligation o ON o.n = c.obligation_n LEFT JOIN exchange e ON e.n = o.exchange
         WHERE c.medium = ?1 AND c.ready_at <= ?2 ORDER BY c.ready_at, c.n LIMIT ?3",
    )?;
    let read = |row: &Row<'_>| {
        let record = Record::new(row, "notice");
        let obligation =
            record.opt_uuid("exchange")?.map(ExchangeId).zip(record.opt_uuid("obligation")?.map(ObligationId));
        let notice = ClaimedNotice {
            id: record.uuid("id")?,
            recipient: record.participant("recipient")?,
            whom: record.one_of("whom")?,
            obligation,
            queued_at: record.instant("queued_at")?,
            attempts: record.integer("attempts")?,
            subject: record.string("subject")?,
            content: record.string("content")?,
        };
        Ok::<_, StoreError>((record.integer::<i64>("n")?, notice))
    };
    let values = params![claim.medium.code(), micros(claim.now), int(claim.limit)];
    let found: Vec<(i64, ClaimedNotice)> = ready.query_and_then(values, read)?.collect::<Result<_, _>>()?;
    let mut lease = connection.prepare_cached("UPDATE notice SET state = 'sending', ready_at = ?2 WHERE n = ?1")?;
    let mut leased = Vec::with_capacity(found.len());
    for (n, notice) in found {
        lease.execute(params![n, micros(claim.lease_until)])?;
        leased.push(notice);
    }
    Ok(leased)
}

/// Ends every lease: only for who knows that nobody else is sending.
pub(super) fn end_leases(connection: &Connection) -> Result<(), StoreError> {
    connection.execute("UPDATE notice SET state = 'queued', ready_at = queued_at WHERE state = 'sending'", [])?;
    Ok(())
}

/// Writes down attempts. A row that was sent meanwhile stays sent.
pub(super) fn settle(connection: &Connection, attempts: &[NoticeAttempt]) -> Result<(), StoreError> {
    let mut update = connection.prepare_cached(
        "UPDATE notice SET state = ?2, attempts = attempts + ?3, ready_at = ?4, sent_at = ?5, error = coalesce(?6, error)
         WHERE id = ?1 AND state <> 'sent'",
    )?;
    for NoticeAttempt { id, at, result } in attempts {
        let (state, counted, ready_at, sent_at, error) = match result {
            NoticeResult::Sent => ("sent", 1, None, Some(*at), None),
            NoticeResult::Retry { next_at, error } => ("waiting_retry", 1, Some(*next_at), None, Some(error)),
            NoticeResult::Postponed { next_at } => ("queued", 0, Some(*next_at), None, None),
            NoticeResult::Undeliverable { error } => ("undeliverable", 1, None, None, Some(error)),
        };
        update.execute(params![id.as_bytes(), state, counted, ready_at.map(micros), sent_at.map(micros), error])?;
    }
    Ok(())
}

/// Who has had the digest of that day or of a later one.
pub(super) fn digests_since(
    connection: &Connection,
    day: NaiveDate,
) -> Result<Vec<(ParticipantCode, Whom, NaiveDate)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT recipient, whom, day FROM notice INDEXED BY notice_digest_day WHERE day IS NOT NULL AND day >= ?1",
    )?;
    let read = |row: &Row<'_>| {
        let record = Record::new(row, "notice");
        Ok((record.participant("recipient")?, record.one_of("whom")?, record.date("day")?))
    };
    statement.query_and_then([day.to_string()], read)?.collect()
}

/// Notices that were given up, the latest first.
pub(super) fn undeliverable(connection: &Connection, limit: usize) -> Result<Vec<NoticeView>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, medium, recipient, whom, subject, attempts, queued_at, error FROM notice
         WHERE state = 'undeliverable' ORDER BY n DESC LIMIT ?1",
    )?;
    let read = |row: &Row<'_>| {
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
    statement.query_and_then([int(limit)], read)?.collect()
}

/// Lets one that was given up go out again.
pub(super) fn again(connection: &Connection, (id, now): (Uuid, DateTime<Utc>)) -> Result<bool, StoreError> {
    let mut update = connection.prepare_cached(
        "UPDATE notice SET state = 'queued', attempts = 0, ready_at = ?2 WHERE id = ?1 AND state = 'undeliverable'",
    )?;
    Ok(update.execute(params![id.as_bytes(), micros(now)])? > 0)
}

/// Counts, from the ends of partial indexes.
pub(super) fn figures(connection: &Connection) -> Result<NoticeFigures, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT (SELECT count(*) FROM notice WHERE ready_at IS NOT NULL) AS waiting,
                (SELECT min(ready_at) FROM notice WHERE ready_at IS NOT NULL) AS oldest,
                (SELECT count(*) FROM notice WHERE state = 'undeliverable') AS undeliverable",
    )?;
    let read = |row: &Row<'_>| {
        let record = Record::new(row, "notice");
        Ok(NoticeFigures {
            waiting: record.integer("waiting")?,
            undeliverable: record.integer("undeliverable")?,
            oldest_ready_at: record.opt_instant("oldest")?,
        })
    };
    statement.query_row([], |row| Ok(read(row)))?
}
