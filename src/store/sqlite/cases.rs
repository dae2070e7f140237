//! Cases and their consents: loaded and written whole; the columns are for lists and for the constraints.
//!
//! Promises: what is loaded is what was saved. Never: deletes a case or a consent.

use crate::domain::case::consent::Consent;
use crate::domain::case::{Case, CaseKey};
use crate::domain::ids::ParticipantCode;
use crate::gateway::ports::StoreError;
use crate::gateway::ports::cases::{CaseFilter, CaseRow, Correspondents, Letters};
use crate::store::sqlite::fault::unwritable;
use crate::store::sqlite::row::{Record, int};
use rusqlite::{Connection, Row, named_params, params};
use std::collections::BTreeMap;

/// Writes cases whole.
pub(super) fn save(connection: &Connection, cases: &[Case]) -> Result<(), StoreError> {
    let mut put = connection.prepare_cached(
        "INSERT INTO support_case (centre, number, standing, opened_on, closed_on, track, level, stage, record)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (number, centre) DO UPDATE SET standing = excluded.standing, opened_on = excluded.opened_on,
             closed_on = excluded.closed_on, track = excluded.track, level = excluded.level, stage = excluded.stage,
             record = excluded.record
         RETURNING n",
    )?;
    for case in cases {
        let (opened, closed) = case.span();
        let values = params![
            case.key.centre.as_str(),
            case.key.number,
            case.standing().0.code(),
            opened.map(|on| on.to_string()),
            closed.map(|on| on.to_string()),
            case.track().map(|track| track.code()),
            case.level().map(|level| level.code()),
            case.stage().map(|stage| stage.code()),
            serde_json::to_string(&case.facts).map_err(unwritable)?,
        ];
        let row: i64 = put.query_row(values, |row| row.get(0))?;
        save_consents(connection, row, &case.consents)?;
    }
    Ok(())
}

fn save_consents(connection: &Connection, case: i64, consents: &[Consent]) -> Result<(), StoreError> {
    let mut put = connection.prepare_cached(
        "INSERT INTO consent (support_case, no, kind, reference, valid_from, valid_until, withdrawn_on, record)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (support_case, no) DO UPDATE SET withdrawn_on = excluded.withdrawn_on, record = excluded.record",
    )?;
    for one in consents {
        put.execute(params![
            case,
            one.no,
            one.kind.code(),
            one.reference,
            one.from.to_string(),
            one.until.map(|on| on.to_string()),
            one.withdrawn.as_ref().map(|withdrawal| withdrawal.on.to_string()),
            serde_json::to_string(one).map_err(unwritable)?,
        ])?;
    }
    Ok(())
}

/// The records of that number, of every centre that keeps one.
pub(super) fn by_number(
    connection: &Connection,
    number: &str,
    into: &mut BTreeMap<CaseKey, Case>,
) -> Result<(), StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT n, centre, number, record FROM support_case WHERE number = ?1")?;
    let found: Vec<Case> =
        statement.query_and_then([number], |row| read(connection, row))?.collect::<Result<_, _>>()?;
    into.extend(found.into_iter().map(|case| (case.key.clone(), case)));
    Ok(())
}

/// One case.
pub(super) fn by_key(connection: &Connection, key: &CaseKey) -> Result<Option<Case>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT n, centre, number, record FROM support_case WHERE centre = ?1 AND number = ?2")?;
    let mut rows = statement.query_and_then(params![key.centre.as_str(), key.number], |row| read(connection, row))?;
    rows.next().transpose()
}

fn read(connection: &Connection, row: &Row<'_>) -> Result<Case, StoreError> {
    let record = Record::new(row, "support_case");
    let n: i64 = record.integer("n")?;
    let mut statement =
        connection.prepare_cached("SELECT no, record FROM consent WHERE support_case = ?1 ORDER BY no")?;
    let consents = statement.query_and_then([n], |row| Record::new(row, "consent").json("record"))?;
    Ok(Case {
        key: CaseKey { centre: record.participant("centre")?, number: record.string("number")? },
        facts: record.json("record")?,
        consents: consents.collect::<Result<_, _>>()?,
    })
}

/// A page of cases, by number.
pub(super) fn list(connection: &Connection, filter: &CaseFilter) -> Result<Vec<CaseRow>, StoreError> {
    let centres: Vec<&str> = filter.centres.iter().map(ParticipantCode::as_str).collect();
    let mut statement = connection.prepare_cached(
        "SELECT n, centre, number, standing, opened_on, closed_on, track, level, stage
         FROM support_case
         WHERE centre IN (SELECT value FROM json_each(:centres)) AND (:standing IS NULL OR standing = :standing)
             AND (number, centre) > (:number, :centre)
         ORDER BY number, centre LIMIT :limit",
    )?;
    let (number, centre) = filter.after.as_ref().map_or(("", ""), |key| (key.number.as_str(), key.centre.as_str()));
    let values = named_params! {
        ":centres": serde_json::to_string(&centres).map_err(unwritable)?,
        ":standing": filter.standing.map(|standing| standing.code()),
        ":number": number,
        ":centre": centre,
        ":limit": int(filter.limit),
    };
    let read = |row: &Row<'_>| {
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
    };
    statement.query_and_then(values, read)?.collect()
}

/// Who exchanged messages about the case with its centre, each side by code.
pub(super) fn correspondents(connection: &Connection, key: &CaseKey) -> Result<Correspondents, StoreError> {
    let values = params![key.centre.as_str(), key.number];
    let mut incoming = connection.prepare_cached(
        "SELECT counterparty AS body, min(date) AS first, max(date) AS last, count(*) AS count
         FROM journal WHERE participant = ?1 AND case_no = ?2 AND direction = 'incoming'
         GROUP BY counterparty ORDER BY counterparty",
    )?;
    let incoming = incoming.query_and_then(values, |row| letters(row, |record, column| record.date(column)))?;
    let mut outgoing = connection.prepare_cached(
        "SELECT to_whom AS body, min(at) AS first, max(at) AS last, count(*) AS count
         FROM disclosure WHERE centre = ?1 AND case_no = ?2 AND kind = 'message' GROUP BY to_whom ORDER BY to_whom",
    )?;
    let outgoing = outgoing.query_and_then(values, |row| letters(row, |record, column| record.instant(column)))?;
    Ok(Correspondents { incoming: incoming.collect::<Result<_, _>>()?, outgoing: outgoing.collect::<Result<_, _>>()? })
}

fn letters<T>(
    row: &Row<'_>,
    read: impl Fn(&Record<'_>, &'static str) -> Result<T, StoreError>,
) -> Result<Letters<T>, StoreError> {
    let record = Record::new(row, "journal");
    Ok(Letters {
        body: record.participant("body")?,
        first: read(&record, "first")?,
        last: read(&record, "last")?,
        count: record.integer("count")?,
    })
}
