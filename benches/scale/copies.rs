//! Rows that the gateway wrote, copied many times with other ids and numbers: counters and registers grow with them.
//!
//! Promises: the tables' own constraints hold every copy. Never: a table that the seeds filled is left out: it fails.

use crate::constraints;
use crate::lines::Line;
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;
use sqlx::{Connection as _, PgConnection, Row as _};
use std::collections::HashMap;
use std::time::Instant;
use uuid::Uuid;

/// A table: its own number, and the columns that refer to the numbers of others. In the order of their references.
struct Table {
    name: &'static str,
    number: Option<&'static str>,
    refers: &'static [(&'static str, &'static str)],
}

const TABLES: [Table; 7] = [
    Table { name: "exchange", number: Some("n"), refers: &[] },
    Table { name: "message", number: Some("n"), refers: &[("exchange", "exchange")] },
    Table { name: "obligation", number: Some("n"), refers: &[("exchange", "exchange")] },
    Table { name: "rung", number: None, refers: &[("obligation", "obligation")] },
    Table { name: "outbox", number: Some("seq"), refers: &[("exchange_n", "exchange")] },
    Table { name: "journal", number: Some("n"), refers: &[] },
    Table { name: "event", number: Some("seq"), refers: &[("exchange_n", "exchange"), ("obligation_n", "obligation")] },
];
/// What the seeds must not have filled, because it is not copied.
const NOT_COPIED: [&str; 6] = ["alert", "notice", "disclosure", "support_case", "quarantine", "by_hand"];
/// Figures that count no rows.
const NO_COUNTERS: &str = "('participants_generation', 'latest_instant_us')";
/// Rows go over in pieces of about this size.
const PIECE_BYTES: usize = 1 << 20;
/// Copies of the seeds in one transaction.
const AT_ONCE: i64 = 50;

type Registers = HashMap<(String, i32, String), i64>;

/// How far numbers and counters have come.
pub struct Mark {
    numbers: HashMap<&'static str, i64>,
    registers: Registers,
    figures: HashMap<String, i64>,
    /// Rows of [`NOT_COPIED`].
    beside: i64,
}

/// The rows of one writing of seeds.
pub struct Group {
    tables: Vec<(&'static str, Vec<Line>)>,
    before: Mark,
    after: Mark,
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

impl Mark {
    pub async fn take(url: &str) -> Self {
        let mut connection = connect(url).await;
        let mut numbers = HashMap::new();
        for table in &TABLES {
            let Some(number) = table.number else { continue };
            let ask = format!("SELECT coalesce(max({number}), 0) FROM {}", table.name);
            let last: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(ask)).fetch_one(&mut connection).await.unwrap();
            numbers.insert(table.name, last);
        }
        let rows =
            sqlx::query("SELECT participant, year, direction, last FROM register").fetch_all(&mut connection).await;
        let registers = rows.unwrap().iter().map(|row| ((row.get(0), row.get(1), row.get(2)), row.get(3))).collect();
        let rows = sqlx::query("SELECT name, value FROM figure").fetch_all(&mut connection).await;
        let figures = rows.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect();
        let counts = NOT_COPIED.map(|table| format!("(SELECT count(*) FROM {table})")).join(" + ");
        let ask = sqlx::AssertSqlSafe(format!("SELECT {counts}"));
        let beside: i64 = sqlx::query_scalar(ask).fetch_one(&mut connection).await.unwrap();
        Self { numbers, registers, figures, beside }
    }

    /// Nothing was written before.
    pub fn is_empty(&self) -> bool {
        self.numbers["obligation"] == 0
    }
}

impl Group {
    /// What was written since.
    pub async fn since(url: &str, before: &Mark) -> Self {
        let after = Mark::take(url).await;
        let before = Mark {
            numbers: before.numbers.clone(),
            registers: before.registers.clone(),
            figures: before.figures.clone(),
            beside: before.beside,
        };
        assert_eq!(before.beside, after.beside, "the seeds have filled one of {NOT_COPIED:?}, which are not copied");
        let mut connection = connect(url).await;
        let ids = ids(&mut connection, &before).await;
        let mut group = Self { tables: Vec::new(), before, after };
        for table in &TABLES {
            let lines = group.read(&mut connection, table, &ids).await;
            assert!(!lines.is_empty(), "the seeds have left `{}` empty", table.name);
            group.tables.push((table.name, lines));
        }
        group
    }

    fn step(&self, table: &str) -> i64 {
        self.after.numbers[table] - self.before.numbers[table]
    }

    async fn read(&self, connection: &mut PgConnection, table: &Table, ids: &HashMap<Uuid, ()>) -> Vec<Line> {
        let names = columns(connection, table.name).await;
        let place = |name: &str| names.iter().position(|one| one == name).unwrap();
        let mut steps: HashMap<usize, i64> =
            table.refers.iter().map(|(column, of)| (place(column), self.step(of))).collect();
        steps.extend(table.number.map(|number| (place(number), self.step(table.name))));
        // A table without a number of its own is told by what it refers to.
        let (by, of) = table.number.map_or_else(|| table.refers[0], |number| (number, table.name));
        let select = format!("COPY (SELECT * FROM {} WHERE {by} > {}) TO STDOUT", table.name, self.before.numbers[of]);
        let chunks: Vec<bytes::Bytes> = connection.copy_out_raw(&select).await.unwrap().try_collect().await.unwrap();
        let text = String::from_utf8(chunks.concat()).unwrap();
        let lines = text.lines().map(|row| {
            let mut steps = steps.clone();
            if table.name == "journal" {
                let cells: Vec<&str> = row.split('\t').collect();
                let cell = |name: &str| cells[place(name)].to_owned();
                let key = (cell("participant"), cell("year").parse().unwrap(), cell("direction"));
                steps.insert(place("number"), self.given(&key));
            }
            Line::part(row, ids, &steps)
        });
        lines.collect()
    }

    /// Numbers that the seeds were given in a register.
    fn given(&self, key: &(String, i32, String)) -> i64 {
        self.after.registers[key] - self.before.registers.get(key).copied().unwrap_or(0)
    }

    /// Writes so many copies: bare rows by two writers, and then the indexes and references over all of them at once,
    /// which every copy must satisfy.
    pub async fn multiply(&self, url: &str, copies: usize) {
        let (begun, copies) = (Instant::now(), i64::try_from(copies).unwrap());
        let mut connection = connect(url).await;
        let taken_off = constraints::take_off(&mut connection).await;
        let half = copies / 2;
        tokio::join!(self.write(url, 1..=half, begun), self.write(url, half + 1..=copies, begun));
        constraints::put_on(&mut connection, taken_off).await;
        self.count(&mut connection, copies).await;
    }

    async fn write(&self, url: &str, copies: std::ops::RangeInclusive<i64>, begun: Instant) {
        let (mut connection, mut first) = (connect(url).await, *copies.start());
        while first <= *copies.end() {
            let last = (first + AT_ONCE - 1).min(*copies.end());
            sqlx::query("BEGIN").execute(&mut connection).await.unwrap();
            for (table, lines) in &self.tables {
                copy_in(&mut connection, (table, lines), first..=last).await;
            }
            sqlx::query("COMMIT").execute(&mut connection).await.unwrap();
            eprintln!("copies up to {last} of {}, {:.0?}", copies.end(), begun.elapsed());
            first = last + 1;
        }
    }

    async fn count(&self, connection: &mut PgConnection, copies: i64) {
        for (key, last) in &self.after.registers {
            let update = "UPDATE register SET last = $1 WHERE participant = $2 AND year = $3 AND direction = $4";
            let query = sqlx::query(update).bind(last + copies * self.given(key)).bind(&key.0).bind(key.1).bind(&key.2);
            query.execute(&mut *connection).await.unwrap();
        }
        for (name, value) in &self.after.figures {
            let grown = value - self.before.figures.get(name).copied().unwrap_or(0);
            let update = format!("UPDATE figure SET value = value + $1 WHERE name = $2 AND name NOT IN {NO_COUNTERS}");
            let query = sqlx::query(sqlx::AssertSqlSafe(update)).bind(copies * grown).bind(name);
            query.execute(&mut *connection).await.unwrap();
        }
        for table in &TABLES {
            let Some(number) = table.number else { continue };
            let name = table.name;
            let set = format!(
                "SELECT setval(pg_get_serial_sequence('{name}', '{number}'), (SELECT max({number}) FROM {name}))"
            );
            sqlx::query(sqlx::AssertSqlSafe(set)).execute(&mut *connection).await.unwrap();
        }
    }
}

/// The ids that the seeds have brought into the world: of exchanges (and their messages) and of obligations.
async fn ids(connection: &mut PgConnection, before: &Mark) -> HashMap<Uuid, ()> {
    let mut ids = HashMap::new();
    for table in ["exchange", "message", "obligation"] {
        let ask = format!("SELECT id FROM {table} WHERE n > $1");
        let query = sqlx::query_scalar(sqlx::AssertSqlSafe(ask)).bind(before.numbers[table]);
        let found: Vec<Uuid> = query.fetch_all(&mut *connection).await.unwrap();
        ids.extend(found.into_iter().map(|id| (id, ())));
    }
    ids
}

async fn columns(connection: &mut PgConnection, table: &str) -> Vec<String> {
    let ask = "SELECT attname::text FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 \
               AND NOT attisdropped ORDER BY attnum";
    sqlx::query_scalar(ask).bind(table).fetch_all(connection).await.unwrap()
}

async fn copy_in(
    connection: &mut PgConnection,
    (table, lines): (&str, &[Line]),
    copies: std::ops::RangeInclusive<i64>,
) {
    let mut copying = connection.copy_in_raw(&format!("COPY {table} FROM STDIN")).await.unwrap();
    let mut piece = String::with_capacity(2 * PIECE_BYTES);
    for copy in copies {
        for line in lines {
            line.write(copy, &mut piece);
            if piece.len() > PIECE_BYTES {
                copying.send(piece.as_bytes()).await.unwrap();
                piece.clear();
            }
        }
    }
    copying.send(piece.as_bytes()).await.unwrap();
    copying.finish().await.unwrap();
}

/// What a database that has grown in weeks has behind it.
pub async fn settle(url: &str) {
    let mut connection = connect(url).await;
    sqlx::query("VACUUM ANALYZE").execute(&mut connection).await.unwrap();
    // The server writes what is left over by itself later; a checkpoint is the superuser's.
}

/// Rungs that are planned until then.
pub async fn planned_until(url: &str, until: DateTime<Utc>) -> i64 {
    let ask = "SELECT count(*) FROM rung WHERE state = 'planned' AND planned_at <= $1";
    sqlx::query_scalar(ask).bind(until).fetch_one(&mut connect(url).await).await.unwrap()
}

pub async fn size_bytes(url: &str) -> i64 {
    let mut connection = connect(url).await;
    sqlx::query_scalar("SELECT pg_database_size(current_database())").fetch_one(&mut connection).await.unwrap()
}
