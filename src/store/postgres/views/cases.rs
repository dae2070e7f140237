//! Cases, as lists show them, and who exchanged messages about one.
//!
//! Promises: a page is the head of each centre's own order, merged. Never: judges who may see what.

use crate::domain::case::{Case, CaseKey};
use crate::domain::ids::ParticipantCode;
use crate::gateway::ports::StoreError;
use crate::gateway::ports::cases::{CaseFilter, CaseRow, Correspondents, Letters};
use crate::store::postgres::row::{Record, int};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

/// One case with its consents.
pub(in crate::store::postgres) async fn by_key(
    connection: &mut PgConnection,
    key: &CaseKey,
) -> Result<Option<Case>, StoreError> {
    const SQL: &str = "SELECT s.n, s.record, c.record AS consent
         FROM support_case s LEFT JOIN consent c ON c.support_case = s.n
         WHERE s.centre = $1 AND s.number = $2 ORDER BY c.no";
    let rows = sqlx::query(SQL).bind(key.centre.as_str()).bind(&key.number).fetch_all(connection).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let facts = Record::new(first, "support_case").json("record")?;
    let consents = rows.iter().filter_map(|row| Record::new(row, "consent").opt_json("consent").transpose());
    Ok(Some(Case { key: key.clone(), facts, consents: consents.collect::<Result<_, _>>()? }))
}

/// A page of cases, by number.
pub(in crate::store::postgres) async fn list(
    connection: &mut PgConnection,
    filter: &CaseFilter,
) -> Result<Vec<CaseRow>, StoreError> {
    // `number >= $3` is implied; by it the index of a centre's cases is entered.
    const SQL: &str = "SELECT s.n, s.centre, s.number, s.standing, s.opened_on, s.closed_on, s.track, s.level, s.stage
         FROM (SELECT DISTINCT centre FROM unnest($1::text[]) AS c (centre)) c CROSS JOIN LATERAL (
             SELECT * FROM support_case
             WHERE centre = c.centre AND ($2::text IS NULL OR standing = $2) AND number >= $3
                   AND (number, centre) > ($3, $4)
             ORDER BY number LIMIT $5) s
         ORDER BY s.number, s.centre LIMIT $5";
    let centres: Vec<&str> = filter.centres.iter().map(ParticipantCode::as_str).collect();
    let (number, centre) = filter.after.as_ref().map_or(("", ""), |key| (key.number.as_str(), key.centre.as_str()));
    let standing = filter.standing.map(|standing| standing.code());
    let query = sqlx::query(SQL).bind(&centres[..]).bind(standing).bind(number).bind(centre).bind(int(filter.limit));
    query.fetch_all(connection).await?.iter().map(case_row).collect()
}

fn case_row(row: &PgRow) -> Result<CaseRow, StoreError> {
    let record = Record::new(row, "support_case");
    Ok(CaseRow {
        key: CaseKey { centre: record.participant("centre")?, number: record.string("number")? },
        standing: record.string("standing")?,
        opened_on: record.opt_date("opened_on")?,
        closed_on: record.opt_date("closed_on")?,
        track: record.opt_string("track")?,
        level: record.opt_string("level")?,
        stage: record.opt_string("stage")?,
    })
}

/// Who exchanged messages about the case with its centre, each side by code.
pub(in crate::store::postgres) async fn correspondents(
    connection: &mut PgConnection,
    key: &CaseKey,
) -> Result<Correspondents, StoreError> {
    const INCOMING: &str =
        "SELECT counterparty AS body, min(date) AS first, max(date) AS last, count(*) AS count FROM journal
         WHERE participant = $1 AND case_no = $2 AND direction = 'incoming' GROUP BY counterparty ORDER BY counterparty";
    const OUTGOING: &str =
        "SELECT to_whom AS body, min(at) AS first, max(at) AS last, count(*) AS count FROM disclosure
         WHERE centre = $1 AND case_no = $2 AND kind = 'message' GROUP BY to_whom ORDER BY to_whom";
    let (centre, number) = (key.centre.as_str(), &key.number);
    let incoming = sqlx::query(INCOMING).bind(centre).bind(number).fetch_all(&mut *connection).await?;
    let outgoing = sqlx::query(OUTGOING).bind(centre).bind(number).fetch_all(connection).await?;
    Ok(Correspondents {
        incoming: incoming.iter().map(|row| letters(row, Record::date)).collect::<Result<_, _>>()?,
        outgoing: outgoing.iter().map(|row| letters(row, Record::instant)).collect::<Result<_, _>>()?,
    })
}

fn letters<'r, T>(
    row: &'r PgRow,
    read: impl Fn(&Record<'r>, &'static str) -> Result<T, StoreError>,
) -> Result<Letters<T>, StoreError> {
    let record = Record::new(row, "journal");
    Ok(Letters {
        body: record.participant("body")?,
        first: read(&record, "first")?,
        last: read(&record, "last")?,
        count: record.integer("count")?,
    })
}
