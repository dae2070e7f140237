//! The registers and the journal of incoming and outgoing documents (S3 §6), as decisions write them.
//!
//! Promises: a number is given once in its register. Never: renumbers.

use crate::domain::ids::ParticipantCode;
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::{JournalRow, Register};
use crate::store::postgres::row::{Record, int};
use sqlx::PgConnection;
use sqlx::postgres::{PgBindIterExt, PgRow};
use std::collections::{BTreeMap, HashMap};

/// Writes lines of the journal, and the last numbers given.
pub(super) async fn save(
    connection: &mut PgConnection,
    (rows, registers): (&[JournalRow], &[(Register, u64)]),
) -> Result<(), StoreError> {
    const SAVE: &str = "WITH lines AS (
             INSERT INTO journal (participant, year, direction, number, date, message, type_code, exchange,
                 counterparty, case_no, annexes, summary)
             SELECT participant, year, direction, number, date, message, type_code, exchange, counterparty, case_no,
                 annexes, summary
             FROM unnest($1::text[], $2::integer[], $3::text[], $4::bigint[], $5::date[], $6::uuid[], $7::text[],
                     $8::uuid[], $9::text[], $10::text[], $11::text[], $12::text[])
                 WITH ORDINALITY AS new (participant, year, direction, number, date, message, type_code, exchange,
                     counterparty, case_no, annexes, summary, place)
             ORDER BY place)
         INSERT INTO register (participant, year, direction, last)
         SELECT * FROM unnest($13::text[], $14::integer[], $15::text[], $16::bigint[])
         ON CONFLICT (participant, year, direction) DO UPDATE SET last = excluded.last";
    if rows.is_empty() && registers.is_empty() {
        return Ok(());
    }
    // Said twice, the last word counts.
    let last: BTreeMap<&Register, u64> = registers.iter().map(|(register, last)| (register, *last)).collect();
    sqlx::query(SAVE)
        .bind(rows.iter().map(|row| row.register.participant.as_str()).bind_iter())
        .bind(rows.iter().map(|row| row.register.year).bind_iter())
        .bind(rows.iter().map(|row| row.register.direction.code()).bind_iter())
        .bind(rows.iter().map(|row| int(row.number)).bind_iter())
        .bind(rows.iter().map(|row| row.date).bind_iter())
        .bind(rows.iter().map(|row| row.message.0).bind_iter())
        .bind(rows.iter().map(|row| row.type_code.as_str()).bind_iter())
        .bind(rows.iter().map(|row| row.exchange.0).bind_iter())
        .bind(rows.iter().map(|row| row.counterparty.as_str()).bind_iter())
        .bind(rows.iter().map(|row| row.case.as_deref()).bind_iter())
        .bind(rows.iter().map(|row| row.annexes.as_str()).bind_iter())
        .bind(rows.iter().map(|row| row.summary.as_str()).bind_iter())
        .bind(last.keys().map(|register| register.participant.as_str()).bind_iter())
        .bind(last.keys().map(|register| register.year).bind_iter())
        .bind(last.keys().map(|register| register.direction.code()).bind_iter())
        .bind(last.values().map(|last| int(*last)).bind_iter())
        .execute(connection)
        .await?;
    Ok(())
}

/// The last numbers given in both directions of participants' years; absent means none yet.
pub(super) async fn registers(
    connection: &mut PgConnection,
    wanted: &[(ParticipantCode, i32)],
) -> Result<HashMap<Register, u64>, StoreError> {
    const FIND: &str = "SELECT r.participant, r.year, r.direction, r.last
         FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::integer[])) AS wanted (participant, year)
         JOIN register r ON r.participant = wanted.participant AND r.year = wanted.year";
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let query = sqlx::query(FIND)
        .bind(wanted.iter().map(|(participant, _)| participant.as_str()).bind_iter())
        .bind(wanted.iter().map(|(_, year)| *year).bind_iter());
    let read = |row: &PgRow| {
        let record = Record::new(row, "register");
        let register = Register {
            participant: record.participant("participant")?,
            year: record.integer("year")?,
            direction: record.one_of("direction")?,
        };
        Ok((register, record.integer("last")?))
    };
    query.fetch_all(connection).await?.iter().map(read).collect()
}
