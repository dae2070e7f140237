//! Figures: the conservation rule, the queues, the board's buckets.
//!
//! Promises: a scrape reads counters and the ends of indexes; the tally reads ranges of one index. Never: corrects a
//! gap; it is shown.

use crate::gateway::ports::StoreError;
use crate::gateway::ports::reads::{Figures, Tally, TallyAt};
use crate::store::postgres::row::Record;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use std::collections::HashMap;

/// The latest instant of any event.
pub(in crate::store::postgres) async fn latest_instant(
    connection: &mut PgConnection,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let sql = "SELECT name, value FROM figure WHERE name = 'latest_instant_us'";
    let Some(row) = sqlx::query(sql).fetch_optional(connection).await? else { return Ok(None) };
    let record = Record::new(&row, "figure");
    let instant = DateTime::from_timestamp_micros(record.integer("value")?);
    instant.map(Some).ok_or_else(|| record.fault("value", "not an instant"))
}

/// How often participants have been imported.
pub(in crate::store::postgres) async fn generation(connection: &mut PgConnection) -> Result<u64, StoreError> {
    let sql = "SELECT name, value FROM figure WHERE name = 'participants_generation'";
    let row = sqlx::query(sql).fetch_optional(connection).await?;
    row.map_or(Ok(0), |row| Record::new(&row, "figure").integer("value"))
}

/// Figures for metrics and health.
pub(in crate::store::postgres) async fn figures(connection: &mut PgConnection) -> Result<Figures, StoreError> {
    // The counters come as rows of one query with the two figures that are read from their indexes.
    const SQL: &str = "SELECT name, value, NULL::timestamptz AS at FROM figure
         UNION ALL
         SELECT 'parked', coalesce(sum(parked_count), 0)::bigint, NULL FROM exchange WHERE parked_count > 0
         UNION ALL
         SELECT 'oldest_waiting', NULL, min(queued_at) FROM outbox WHERE ready_at IS NOT NULL";
    let (mut figure, mut oldest_waiting_at) = (HashMap::new(), None);
    for row in sqlx::query(SQL).fetch_all(connection).await? {
        let record = Record::new(&row, "figure");
        match record.text("name")? {
            "oldest_waiting" => oldest_waiting_at = record.opt_instant("at")?,
            name => {
                figure.insert(name.to_owned(), record.integer::<u64>("value")?);
            }
        }
    }
    let of = |name: &str| figure.get(name).copied().unwrap_or(0);
    Ok(Figures {
        deliveries_owed: of("delivery.owed"),
        deliveries_waiting: of("delivery.waiting_retry"),
        deliveries_done: of("delivery.delivered") + of("delivery.registered"),
        deliveries_undeliverable: of("delivery.undeliverable"),
        deliveries_rejected: of("delivery.rejected"),
        accepted_addressees: of("accepted_addressees"),
        parked: of("parked"),
        open: of("obligations_open"),
        quarantined: of("quarantined"),
        conflicts: of("conflicts"),
        oldest_waiting_at,
    })
}

/// The board's first line. A due instant is the end of its day, so that «today» includes its own end. Bodies are walked
/// from one performer to the next in the index, so that they cost by bodies and not by obligations.
pub(in crate::store::postgres) async fn tally(
    connection: &mut PgConnection,
    at: &TallyAt,
) -> Result<Tally, StoreError> {
    const SQL: &str = "WITH RECURSIVE body (code) AS (
             (SELECT performer FROM obligation ORDER BY performer LIMIT 1)
             UNION ALL
             SELECT (SELECT performer FROM obligation WHERE performer > body.code ORDER BY performer LIMIT 1)
             FROM body WHERE body.code IS NOT NULL),
         owing AS (
             SELECT EXISTS (SELECT 1 FROM obligation WHERE performer = body.code AND state = 'running' AND due_at < $1
                                                           AND NOT interim) AS silent
             FROM body
             WHERE EXISTS (SELECT 1 FROM obligation WHERE performer = body.code AND state = 'running' AND due_at < $1))
         SELECT 'tally' AS name, near.*,
                (SELECT value FROM figure WHERE name = 'obligations_open') AS open,
                (SELECT count(*) FROM owing) AS overdue_bodies,
                (SELECT count(*) FROM owing WHERE silent) AS silent_bodies,
                (SELECT count(*) FROM rung WHERE state = 'prepared') AS prepared,
                (SELECT min(due_at) FROM obligation WHERE state = 'running' AND due_at >= $1) AS next_due_at
         FROM (SELECT count(*) FILTER (WHERE due_at < $1) AS overdue,
                      count(*) FILTER (WHERE due_at >= $1 AND due_at <= $2) AS today,
                      count(*) FILTER (WHERE due_at > $2 AND due_at <= $3) AS soon,
                      count(*) FILTER (WHERE due_at > $3) AS week
               FROM obligation WHERE state = 'running' AND due_at <= $4) near";
    let soon_until = at.today_until.max(at.soon_until);
    let week_until = soon_until.max(at.week_until);
    let query = sqlx::query(SQL).bind(at.now).bind(at.today_until).bind(soon_until).bind(week_until);
    let row = query.fetch_one(connection).await?;
    let record = Record::new(&row, "obligation");
    let count = |column| record.integer::<u64>(column);
    let (overdue, today, soon, week) = (count("overdue")?, count("today")?, count("soon")?, count("week")?);
    Ok(Tally {
        overdue,
        overdue_bodies: count("overdue_bodies")?,
        today,
        soon,
        week,
        later: count("open")?.saturating_sub(overdue + today + soon + week),
        silent_bodies: count("silent_bodies")?,
        prepared: count("prepared")?,
        next_due_at: record.opt_instant("next_due_at")?,
    })
}
