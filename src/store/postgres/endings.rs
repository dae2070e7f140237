//! The ends of cases, and the exchanges that hold duties of a case.
//!
//! Promises: found by the number of the case, whatever came first. Never: judges which duty an end ends.

use crate::domain::ending::Ending;
use crate::gateway::ports::StoreError;
use crate::store::postgres::fault::unwritable;
use crate::store::postgres::row::Record;
use sqlx::PgConnection;
use sqlx::postgres::PgBindIterExt;
use std::collections::HashMap;
use uuid::Uuid;

/// Writes ends as they were told.
pub(super) async fn save(connection: &mut PgConnection, endings: &[Ending]) -> Result<(), StoreError> {
    const SAVE: &str = "INSERT INTO case_ending (case_no, record)
         SELECT case_no, record::json
         FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS new (case_no, record, place) ORDER BY place";
    if endings.is_empty() {
        return Ok(());
    }
    let records: Vec<String> =
        endings.iter().map(serde_json::to_string).collect::<Result<_, _>>().map_err(unwritable)?;
    let cases = endings.iter().map(|ending| ending.case.as_str()).bind_iter();
    sqlx::query(SAVE).bind(cases).bind(records).execute(connection).await?;
    Ok(())
}

/// The ends of the cases of each of these numbers, in the order in which they were told.
pub(super) async fn of_cases(
    connection: &mut PgConnection,
    cases: &[String],
) -> Result<HashMap<String, Vec<Ending>>, StoreError> {
    let mut found: HashMap<String, Vec<Ending>> = cases.iter().map(|case| (case.clone(), Vec::new())).collect();
    if cases.is_empty() {
        return Ok(found);
    }
    let query =
        sqlx::query("SELECT n, case_no, record FROM case_ending WHERE case_no = ANY($1) ORDER BY n").bind(cases);
    for row in &query.fetch_all(connection).await? {
        let record = Record::new(row, "case_ending");
        found.entry(record.string("case_no")?).or_default().push(record.json("record")?);
    }
    Ok(found)
}

/// The exchanges that hold duties of the cases of these numbers that are not closed.
pub(super) async fn exchanges_with_duties(
    connection: &mut PgConnection,
    cases: &[String],
) -> Result<Vec<Uuid>, StoreError> {
    const FIND: &str = "SELECT DISTINCT x.id FROM obligation o JOIN exchange x ON x.n = o.exchange
         WHERE o.case_no = ANY($1) AND o.closed_at IS NULL AND (o.record -> 'recurs') IS NOT NULL";
    if cases.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(FIND).bind(cases).fetch_all(connection).await?;
    rows.iter().map(|row| Record::new(row, "obligation").uuid("id")).collect()
}
