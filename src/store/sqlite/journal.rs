//! The registers and the journal of incoming and outgoing documents (S3 §6).
//!
//! Promises: a number is given once in its register. Never: renumbers.

use crate::domain::ids::{ExchangeId, MessageId, ParticipantCode};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::{Direction, JournalRow, Register};
use crate::gateway::ports::reads::{JournalFilter, JournalPlace};
use crate::store::sqlite::row::{Record, int};
use rusqlite::{Connection, Row, named_params, params};
use std::collections::HashMap;

/// Writes lines of the journal.
pub(super) fn save(connection: &Connection, rows: &[JournalRow]) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO journal (participant, year, direction, number, date, message, type_code, exchange, counterparty,
                              case_no, annexes, summary)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    for row in rows {
        insert.execute(params![
            row.register.participant.as_str(),
            row.register.year,
            row.register.direction.code(),
            int(row.number),
            row.date.to_string(),
            row.message.0.as_bytes(),
            row.type_code.as_str(),
            row.exchange.0.as_bytes(),
            row.counterparty.as_str(),
            row.case,
            row.annexes,
            row.summary,
        ])?;
    }
    Ok(())
}

/// Writes the last numbers given.
pub(super) fn save_registers(connection: &Connection, registers: &[(Register, u64)]) -> Result<(), StoreError> {
    let mut update = connection
        .prepare_cached("UPDATE register SET last = ?4 WHERE participant = ?1 AND year = ?2 AND direction = ?3")?;
    let mut insert = connection
        .prepare_cached("INSERT INTO register (participant, year, direction, last) VALUES (?1, ?2, ?3, ?4)")?;
    for (register, last) in registers {
        let (participant, direction) = (register.participant.as_str(), register.direction.code());
        if update.execute(params![participant, register.year, direction, int(*last)])? == 0 {
            insert.execute(params![participant, register.year, direction, int(*last)])?;
        }
    }
    Ok(())
}

/// The last numbers given in both directions of a participant's year; absent means none yet.
pub(super) fn registers(
    connection: &Connection,
    wanted: &[(ParticipantCode, i32)],
) -> Result<HashMap<Register, u64>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT participant, direction, last FROM register WHERE participant = ?1 AND year = ?2")?;
    let mut found = HashMap::new();
    for (participant, year) in wanted {
        let read = |row: &Row<'_>| {
            let record = Record::new(row, "register");
            let direction: Direction = record.one_of("direction")?;
            Ok::<_, StoreError>((direction, record.integer("last")?))
        };
        for row in statement.query_and_then(params![participant.as_str(), year], read)? {
            let (direction, last) = row?;
            found.insert(Register { participant: participant.clone(), year: *year, direction }, last);
        }
    }
    Ok(found)
}

/// Lines of a participant's journal, in the order of registration, each with its place.
pub(super) fn list(
    connection: &Connection,
    (filter, after): (&JournalFilter, Option<JournalPlace>),
) -> Result<Vec<(JournalPlace, JournalRow)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT n, participant, year, direction, number, date, journal.message, type_code, exchange, counterparty,
                case_no, annexes, summary, channel
         FROM journal LEFT JOIN by_hand ON by_hand.message = journal.message
         WHERE participant = :participant AND (:in_house OR counterparty <> participant) AND date >= :from AND date <= :to AND (:case IS NULL OR case_no = :case)
           AND (date, n) > (:after_date, :after_n)
         ORDER BY date, n LIMIT :limit",
    )?;
    let values = named_params! {
        ":participant": filter.participant.as_str(),
        ":from": filter.from.map_or_else(|| "0".to_owned(), |date| date.to_string()),
        ":to": filter.to.map_or_else(|| "9999-99-99".to_owned(), |date| date.to_string()),
        ":case": filter.case,
        ":in_house": filter.in_house,
        ":after_date": after.map_or_else(String::new, |place| place.date.to_string()),
        ":after_n": after.map_or(0, |place| place.n),
        ":limit": int(filter.limit),
    };
    statement.query_and_then(values, read)?.collect()
}

fn read(row: &Row<'_>) -> Result<(JournalPlace, JournalRow), StoreError> {
    let record = Record::new(row, "journal");
    let date = record.date("date")?;
    let place = JournalPlace { date, n: record.integer("n")? };
    let channel = record.opt_text("channel")?.map(|_| record.one_of("channel")).transpose()?;
    let row = JournalRow {
        register: Register {
            participant: record.participant("participant")?,
            year: record.integer("year")?,
            direction: record.one_of("direction")?,
        },
        number: record.integer("number")?,
        date,
        message: MessageId(record.uuid("message")?),
        type_code: record.type_code("type_code")?,
        exchange: ExchangeId(record.uuid("exchange")?),
        counterparty: record.participant("counterparty")?,
        case: record.opt_string("case_no")?,
        annexes: record.string("annexes")?,
        summary: record.string("summary")?,
        channel,
    };
    Ok((place, row))
}
