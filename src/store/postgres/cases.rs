//! Cases and their consents: loaded and written whole; the columns are for lists and for the constraints.
//!
//! Promises: what is loaded is what was saved. Never: deletes a case or a consent.

use crate::domain::case::consent::Consent;
use crate::domain::case::{Case, CaseKey};
use crate::domain::ids::ParticipantCode;
use crate::gateway::ports::StoreError;
use crate::store::postgres::fault::unwritable;
use crate::store::postgres::row::Record;
use sqlx::PgConnection;
use sqlx::postgres::{PgBindIterExt, PgRow};
use std::collections::{BTreeMap, HashMap};

/// Writes cases whole.
pub(super) async fn save(connection: &mut PgConnection, cases: &[Case]) -> Result<(), StoreError> {
    const SAVE: &str = "INSERT INTO support_case (centre, number, standing, opened_on, closed_on, track, level, stage,
             record)
         SELECT centre, number, standing, opened_on, closed_on, track, level, stage, record::json
         FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::date[], $6::text[], $7::text[], $8::text[],
             $9::text[]) AS new (centre, number, standing, opened_on, closed_on, track, level, stage, record)
         ON CONFLICT (number, centre) DO UPDATE SET standing = excluded.standing, opened_on = excluded.opened_on,
             closed_on = excluded.closed_on, track = excluded.track, level = excluded.level, stage = excluded.stage,
             record = excluded.record
         RETURNING n, centre, number";
    if cases.is_empty() {
        return Ok(());
    }
    // Said twice, the last word counts.
    let cases: BTreeMap<&CaseKey, &Case> = cases.iter().map(|case| (&case.key, case)).collect();
    let facts = |case: &&Case| serde_json::to_string(&case.facts);
    let records: Vec<String> = cases.values().map(facts).collect::<Result<_, _>>().map_err(unwritable)?;
    let query = sqlx::query(SAVE)
        .bind(cases.keys().map(|key| key.centre.as_str()).bind_iter())
        .bind(cases.keys().map(|key| key.number.as_str()).bind_iter())
        .bind(cases.values().map(|case| case.standing().0.code()).bind_iter())
        .bind(cases.values().map(|case| case.span().0).bind_iter())
        .bind(cases.values().map(|case| case.span().1).bind_iter())
        .bind(cases.values().map(|case| case.track().map(|track| track.code())).bind_iter())
        .bind(cases.values().map(|case| case.level().map(|level| level.code())).bind_iter())
        .bind(cases.values().map(|case| case.stage().map(|stage| stage.code())).bind_iter())
        .bind(records);
    let mut consents = Vec::new();
    for row in &query.fetch_all(&mut *connection).await? {
        let (n, key) = key(row)?;
        consents.extend(cases.get(&key).into_iter().flat_map(|case| &case.consents).map(|one| (n, one)));
    }
    save_consents(connection, &consents).await
}

async fn save_consents(connection: &mut PgConnection, consents: &[(i64, &Consent)]) -> Result<(), StoreError> {
    const SAVE: &str = "INSERT INTO consent (support_case, no, kind, reference, valid_from, valid_until, withdrawn_on,
             record)
         SELECT support_case, no, kind, reference, valid_from, valid_until, withdrawn_on, record::json
         FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::date[], $6::date[], $7::date[],
             $8::text[]) AS new (support_case, no, kind, reference, valid_from, valid_until, withdrawn_on, record)
         ON CONFLICT (support_case, no) DO UPDATE SET withdrawn_on = excluded.withdrawn_on, record = excluded.record
         WHERE consent.record::text <> excluded.record::text";
    if consents.is_empty() {
        return Ok(());
    }
    let record = |(_, one): &(i64, &Consent)| serde_json::to_string(one);
    let records: Vec<String> = consents.iter().map(record).collect::<Result<_, _>>().map_err(unwritable)?;
    sqlx::query(SAVE)
        .bind(consents.iter().map(|(case, _)| *case).bind_iter())
        .bind(consents.iter().map(|(_, one)| i64::from(one.no)).bind_iter())
        .bind(consents.iter().map(|(_, one)| one.kind.code()).bind_iter())
        .bind(consents.iter().map(|(_, one)| one.reference.as_str()).bind_iter())
        .bind(consents.iter().map(|(_, one)| one.from).bind_iter())
        .bind(consents.iter().map(|(_, one)| one.until).bind_iter())
        .bind(consents.iter().map(|(_, one)| one.withdrawn.as_ref().map(|withdrawal| withdrawal.on)).bind_iter())
        .bind(records)
        .execute(connection)
        .await?;
    Ok(())
}

/// The records of these numbers, of every centre that keeps one.
pub(super) async fn by_numbers(
    connection: &mut PgConnection,
    numbers: &[String],
) -> Result<BTreeMap<CaseKey, Case>, StoreError> {
    if numbers.is_empty() {
        return Ok(BTreeMap::new());
    }
    let query = sqlx::query("SELECT n, centre, number, record FROM support_case WHERE number = ANY($1)").bind(numbers);
    let rows = query.fetch_all(&mut *connection).await?;
    whole(connection, &rows).await
}

/// Cases with their consents.
async fn whole(connection: &mut PgConnection, rows: &[PgRow]) -> Result<BTreeMap<CaseKey, Case>, StoreError> {
    if rows.is_empty() {
        return Ok(BTreeMap::new());
    }
    let keys = rows.iter().map(key).collect::<Result<Vec<(i64, CaseKey)>, _>>()?;
    let ns: Vec<i64> = keys.iter().map(|(n, _)| *n).collect();
    let query = sqlx::query(
        "SELECT no, support_case, record FROM consent WHERE support_case = ANY($1) ORDER BY support_case, no",
    );
    let mut consents: HashMap<i64, Vec<Consent>> = HashMap::new();
    for row in &query.bind(ns).fetch_all(connection).await? {
        let record = Record::new(row, "consent");
        consents.entry(record.integer("support_case")?).or_default().push(record.json("record")?);
    }
    let case = |(row, (n, key)): (&PgRow, (i64, CaseKey))| {
        let facts = Record::new(row, "support_case").json("record")?;
        Ok((key.clone(), Case { key, facts, consents: consents.remove(&n).unwrap_or_default() }))
    };
    rows.iter().zip(keys).map(case).collect()
}

/// A row's number and key.
fn key(row: &PgRow) -> Result<(i64, CaseKey), StoreError> {
    let record = Record::new(row, "support_case");
    let centre: ParticipantCode = record.participant("centre")?;
    Ok((record.integer("n")?, CaseKey { centre, number: record.string("number")? }))
}
