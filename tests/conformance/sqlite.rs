//! What only SQLite has: a file, its lock, its schema, its log.

use crate::figures::gap;
use crate::given::{at, exchange_id, message_id, obligation_id, request};
use crate::{Folder, load, save};
use mezhved::domain::ids::ParticipantCode;
use mezhved::gateway::ports::decisions::{Claim, Direction, Register, RouteKind};
use mezhved::gateway::ports::reads::{DutyFilter, JournalFilter, Reads};
use mezhved::gateway::ports::{Decisions, Keys, StoreError};
use mezhved::store::sqlite::{OpenError, SqliteStore};
use rusqlite::Connection;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

const VERSION_1: &str = include_str!("../../src/store/sqlite/migrations/0001_records.sql");

fn pragma(path: &Path, name: &str) -> String {
    let connection = Connection::open(path).unwrap();
    let value: rusqlite::types::Value = connection.pragma_query_value(None, name, |row| row.get(0)).unwrap();
    match value {
        rusqlite::types::Value::Text(text) => text,
        rusqlite::types::Value::Integer(n) => n.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_new_file_is_ours_of_the_present_version_and_logged_ahead() {
    let folder = Folder::new();
    let path = folder.file("new.db");
    drop(SqliteStore::open(&path).unwrap());
    assert_eq!(pragma(&path, "application_id"), 0x6d7a_6876.to_string());
    assert_eq!(pragma(&path, "user_version"), "9");
    assert_eq!(pragma(&path, "journal_mode"), "wal");
    assert_eq!(pragma(&path, "integrity_check"), "ok");
}

#[cfg(unix)]
#[test]
fn the_file_and_its_log_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let path = folder.file("mezhved.db");
    let store = SqliteStore::open(&path).unwrap();
    for name in ["mezhved.db", "mezhved.db-wal"] {
        let mode = std::fs::metadata(folder.file(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    drop(store);
}

#[tokio::test]
async fn what_was_saved_is_there_when_the_file_is_opened_again() {
    let folder = Folder::new();
    let path = folder.file("mezhved.db");
    let store = SqliteStore::open(&path).unwrap();
    save(&store, request(1).changes()).await;
    drop(store);
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(load(&store, exchange_id(1)).await, Some(request(1).exchange()));
}

#[test]
fn a_file_of_a_newer_version_is_refused_untouched() {
    let folder = Folder::new();
    let path = folder.file("mezhved.db");
    drop(SqliteStore::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let refused = SqliteStore::open(&path).err().unwrap();
    assert!(matches!(refused, OpenError::Newer { found: 99, known: 9 }), "{refused:?}");
    assert!(refused.to_string().contains("newer mezhved (schema 99, this one knows 9)"), "{refused}");
    assert_eq!(pragma(&path, "user_version"), "99");
}

#[test]
fn a_file_of_another_program_is_refused_untouched() {
    let folder = Folder::new();
    let path = folder.file("other.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE recipe (title TEXT)").unwrap();
    let refused = SqliteStore::open(&path).err().unwrap();
    assert!(matches!(refused, OpenError::Foreign { .. }), "{refused:?}");
    assert_eq!((pragma(&path, "user_version"), pragma(&path, "journal_mode")), ("0".to_owned(), "delete".to_owned()));
    let text = folder.file("notes.txt");
    std::fs::write(&text, "not a database, but long enough to be looked at by SQLite as a header").unwrap();
    let refused = SqliteStore::open(&text).err().unwrap();
    assert!(matches!(refused, OpenError::Sqlite(_)), "{refused:?}");
}

/// A file as version 1 wrote it: two messages, one of them sent on to a third party, one open and one closed obligation.
fn version_1(path: &Path) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(VERSION_1).unwrap();
    connection
        .execute_batch(
            "INSERT INTO exchange (n, id, root) VALUES (1, randomblob(16), NULL);
             INSERT INTO message (id, exchange, sender, recipients, type_code, version, received_at, digest, outcome,
                                  format, content)
                 VALUES (x'00000000000000000000000000000001', 1, 'centre', '[\"school-17\",\"clinic-2\"]',
                         'request.information', 1, 1, zeroblob(32), '{}', 'json', x'7b7d'),
                        (x'00000000000000000000000000000002', 1, 'school-17', '[\"centre\"]',
                         'reply.information', 1, 1, zeroblob(32), '{}', 'json', x'7b7d');
             INSERT INTO outbox (message, recipient, route, state, queued_at, ready_at, error)
                 VALUES (x'00000000000000000000000000000001', 'school-17', 'amqp', 'delivered', 1, NULL, NULL),
                        (x'00000000000000000000000000000001', 'clinic-2', 'amqp', 'waiting_retry', 1, 5, 'timeout'),
                        (x'00000000000000000000000000000001', 'police-3', 'inbox', 'queued', 1, 1, NULL),
                        (x'00000000000000000000000000000002', 'centre', 'amqp', 'undeliverable', 1, NULL, 'gone'),
                        (x'00000000000000000000000000000009', 'centre', 'amqp', 'sending', 1, 5, NULL);
             INSERT INTO obligation (id, exchange, performer, controller, request_type, urgency, opened_at, state,
                                     due_on, due_at, interim, closed_at, record)
                 VALUES (randomblob(16), 1, 'school-17', 'centre', 'request.information', 'normal', 1, 'running',
                         '2026-01-20', 2, 0, NULL, '{}'),
                        (randomblob(16), 1, 'clinic-2', 'centre', 'request.information', 'normal', 1, 'void',
                         '2026-01-20', 2, 0, 3, '{}');
             INSERT INTO event (at, kind) VALUES (1, 'message.conflict'), (2, 'message.registered');
             INSERT INTO quarantine (at, source, code, reason, content_type, content)
                 VALUES (1, 'http', 'id_conflict', '', 'application/json', x'7b7d');
             PRAGMA application_id = 1836738678; PRAGMA user_version = 1;",
        )
        .unwrap();
}

#[tokio::test]
async fn a_file_of_version_1_is_migrated_and_its_rows_are_counted() {
    let folder = Folder::new();
    let path = folder.file("old.db");
    version_1(&path);
    let store = SqliteStore::open(&path).unwrap();
    let figures = store.figures().await.unwrap();
    assert_eq!(gap(&figures), 0, "{figures:?}");
    assert_eq!((figures.accepted_addressees, figures.deliveries_owed, figures.deliveries_done), (5, 2, 1));
    assert_eq!((figures.deliveries_waiting, figures.deliveries_undeliverable), (1, 1));
    assert_eq!((figures.open, figures.conflicts, figures.quarantined), (1, 1, 1));
    save(&store, request(1).changes()).await;
    assert_eq!(gap(&store.figures().await.unwrap()), 0);
    drop(store);
    assert_eq!(pragma(&path, "user_version"), "9");
}

#[tokio::test]
async fn a_delivery_that_somebody_deletes_shows_as_a_gap() {
    let folder = Folder::new();
    let path = folder.file("mezhved.db");
    let store = SqliteStore::open(&path).unwrap();
    save(&store, request(1).changes()).await;
    save(&store, request(2).changes()).await;
    assert_eq!(gap(&store.figures().await.unwrap()), 0);
    Connection::open(&path).unwrap().execute("DELETE FROM outbox WHERE seq = 1", []).unwrap();
    assert_eq!(gap(&store.figures().await.unwrap()), 1);
}

#[test]
fn a_second_gateway_on_the_same_file_is_refused_and_commands_are_not() {
    let folder = Folder::new();
    let path = folder.file("mezhved.db");
    let serving = SqliteStore::open_exclusive(&path).unwrap();
    let refused = SqliteStore::open_exclusive(&path).err().unwrap();
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused:?}");
    assert!(refused.to_string().starts_with("another gateway is serving from "), "{refused}");
    drop(SqliteStore::open(&path).unwrap());
    drop(serving);
    drop(SqliteStore::open_exclusive(&path).unwrap());
}

#[tokio::test]
async fn a_lease_ends_with_the_gateway_that_held_it_and_a_command_does_not_touch_it() {
    let folder = Folder::new();
    let path = folder.file("mezhved.db");
    let (now, lease_until) = (at("12T10:00"), at("12T10:01"));
    let claim = Claim { now, lease_until, limit: 10, route: RouteKind::Amqp };
    let serving = SqliteStore::open_exclusive(&path).unwrap();
    save(&serving, request(1).changes()).await;
    assert_eq!(serving.claim(claim).await.unwrap().len(), 1);
    drop(SqliteStore::open(&path).unwrap());
    assert!(serving.claim(claim).await.unwrap().is_empty());
    drop(serving);
    let next = SqliteStore::open_exclusive(&path).unwrap();
    assert_eq!(next.claim(claim).await.unwrap().len(), 1, "what a crash left under way goes out at once");
}

#[tokio::test]
async fn a_command_writes_beside_a_gateway_that_serves() {
    let folder = Folder::new();
    let path = folder.file("mezhved.db");
    let serving = SqliteStore::open_exclusive(&path).unwrap();
    let command = SqliteStore::open(&path).unwrap();
    save(&command, request(1).changes()).await;
    assert_eq!(load(&serving, exchange_id(1)).await, Some(request(1).exchange()));
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_named_without_its_content() {
    let folder = Folder::new();
    let path = folder.file("mezhved.db");
    let store = SqliteStore::open(&path).unwrap();
    save(&store, request(1).changes()).await;
    let damage = "UPDATE obligation SET record = json_set(record, '$.facts', 'Иванов')";
    Connection::open(&path).unwrap().execute(damage, []).unwrap();
    let error = store.duty(obligation_id(1)).await.unwrap_err();
    let StoreError::Inconsistent { table, column, row, .. } = &error else { panic!("{error:?}") };
    assert_eq!((*table, *column, row.as_str()), ("obligation", "record", "1"));
    assert!(!error.to_string().contains("Иванов"), "{error}");
    // The others do not feel it, and the store goes on.
    save(&store, request(2).changes()).await;
    assert!(store.duty(obligation_id(2)).await.unwrap().is_some());
    assert!(store.begin(Keys { exchanges: vec![exchange_id(1)], ..Keys::default() }).await.is_err());
    save(&store, request(3).changes()).await;
}

#[test]
fn the_tables_refuse_states_without_their_facts() {
    let folder = Folder::new();
    let path = folder.file("mezhved.db");
    drop(SqliteStore::open(&path).unwrap());
    let connection = Connection::open(&path).unwrap();
    let ok = "INSERT INTO exchange (n, id) VALUES (1, zeroblob(16));
        INSERT INTO obligation (n, id, exchange, performer, controller, request_type, urgency, opened_at, state, due_on,
                                due_at, interim, record)
            VALUES (1, zeroblob(16), 1, 'a', 'b', 'c.d', 'normal', 1, 'running', '2026-01-20', 2, 0, '{}')";
    connection.execute_batch(ok).unwrap();
    let refused = [
        "UPDATE obligation SET state = 'fulfilled'",
        "UPDATE obligation SET closed_at = 1",
        "UPDATE obligation SET state = 'paused'",
        "UPDATE obligation SET due_on = '20.01.2026'",
        "INSERT INTO rung (obligation, no, planned_at, state) VALUES (1, 1, 1, 'fired')",
        "INSERT INTO rung (obligation, no, planned_at, state, at) VALUES (1, 1, 1, 'planned', 1)",
        "INSERT INTO rung (obligation, no, planned_at, state, at, by_whom) VALUES (1, 1, 1, 'declined', 1, 'a')",
        "INSERT INTO alert (obligation, raised_at, rung, state) VALUES (1, 1, 1, 'acknowledged')",
        "INSERT INTO alert (obligation, raised_at, rung, state, owner) VALUES (1, 1, 1, 'open', 'a')",
        "INSERT INTO outbox (message, recipient, route, state, queued_at) VALUES (zeroblob(16), 'a', 'amqp', 'queued', 1)",
        "INSERT INTO outbox (message, recipient, route, state, queued_at) VALUES (zeroblob(16), 'a', 'amqp', 'registered', 1)",
        "INSERT INTO outbox (message, recipient, route, state, queued_at, ready_at)
             VALUES (zeroblob(16), 'a', 'inbox', 'sending', 1, 1)",
        "INSERT INTO message (id, exchange, sender, recipients, type_code, version, received_at, digest, outcome, format,
                              content)
             VALUES (zeroblob(15), 1, 'a', '[]', 'c.d', 1, 1, zeroblob(32), '{}', 'json', x'')",
        "INSERT INTO journal (participant, year, direction, number, date, message, type_code, exchange, counterparty,
                              annexes, summary)
             VALUES ('a', 2026, 'sideways', 1, '2026-01-20', zeroblob(16), 'c.d', zeroblob(16), 'b', '', '')",
    ];
    for sql in refused {
        let error = connection.execute(sql, []).expect_err(sql);
        assert!(error.to_string().contains("CHECK constraint failed"), "{sql}: {error}");
    }
}

/// SQLite makes one for a list of three values in a CHECK: that cost a third of every batch.
#[test]
fn no_insert_builds_a_temporary_table() {
    let folder = Folder::new();
    let path = folder.file("mezhved.db");
    drop(SqliteStore::open(&path).unwrap());
    let connection = Connection::open(&path).unwrap();
    for table in ["exchange", "message", "obligation", "rung", "alert", "outbox", "journal", "register", "event"] {
        let mut program = connection.prepare(&format!("EXPLAIN INSERT INTO {table} DEFAULT VALUES")).unwrap();
        let steps = program.query_map([], |row| row.get(1)).unwrap().collect::<Result<Vec<String>, _>>().unwrap();
        assert!(steps.iter().any(|step| step == "Insert" || step == "IdxInsert"), "{table}: {steps:?}");
        assert!(!steps.iter().any(|step| step == "OpenEphemeral"), "{table}: {steps:?}");
    }
}

const CHILD: &str = "MEZHVED_TEST_COMMIT_INTO";

/// Not a test of its own: the process that the next tests kill, or whose disk is full. It says a number as soon as the
/// store has confirmed it, and ends when the store cannot write any more.
#[tokio::test]
async fn a_process_that_commits_until_it_is_killed() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let store = SqliteStore::open_exclusive(Path::new(&path)).unwrap();
    let keys = Keys { registers: vec![(request(1).obligation().controller, 2026)], ..Keys::default() };
    loop {
        let (unit, loaded) = store.begin(keys.clone()).await.unwrap();
        let n = u32::try_from(loaded.registers.values().copied().max().unwrap_or(0)).unwrap() + 1;
        let done = unit.commit(request(n).changes()).await;
        let mut out = std::io::stdout().lock();
        match done {
            Ok(_) => writeln!(out, "committed {n}").unwrap(),
            Err(StoreError::Unavailable(_)) => break writeln!(out, "refused {n}").unwrap(),
            Err(error) => panic!("{error}"),
        }
        out.flush().unwrap();
    }
    // What was there is still read.
    assert!(store.message(message_id(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn what_a_killed_process_had_confirmed_is_there_and_whole() {
    let folder = Folder::new();
    let path = folder.file("mezhved.db");
    let mut confirmed = 0;
    for round in 0..8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "sqlite::a_process_that_commits_until_it_is_killed", "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let mut said = 0;
        // The kill comes while further commits are under way; what it still said before is read afterwards.
        while said < 5 + round * 3 {
            line.clear();
            assert!(out.read_line(&mut line).unwrap() > 0, "the child ended by itself");
            if let Some(n) = committed(&line) {
                (confirmed, said) = (n, said + 1);
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        confirmed = out.lines().map_while(Result::ok).filter_map(|line| committed(&line)).fold(confirmed, u32::max);

        assert_eq!(pragma(&path, "integrity_check"), "ok");
        let store = SqliteStore::open_exclusive(&path).unwrap();
        whole(&store, confirmed).await;
    }
    assert!(confirmed > 50, "too little was committed to say anything: {confirmed}");
}

/// Runs in a shell that limits the size of its files: SQLite sees a write that fails, as on a full disk.
#[cfg(unix)]
#[tokio::test]
async fn a_full_disk_refuses_a_batch_and_keeps_what_was_confirmed() {
    let folder = Folder::new();
    let path = folder.file("mezhved.db");
    // The log may grow to some hundred KiB; the signal that would end the process is ignored, so that the write fails.
    let limited = r#"trap "" XFSZ; ulimit -f 1000; exec "$0" "$@""#;
    let run = Command::new("sh")
        .args(["-c", limited])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "sqlite::a_process_that_commits_until_it_is_killed", "--nocapture"])
        .env(CHILD, &path)
        .output()
        .unwrap();
    let said = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
    assert!(said.contains("refused "), "the disk was never full: {said}");
    let confirmed = said.lines().filter_map(committed).max().unwrap();
    let store = SqliteStore::open_exclusive(&path).unwrap();
    whole(&store, confirmed).await;
    save(&store, request(confirmed + 2).changes()).await;
}

fn committed(line: &str) -> Option<u32> {
    line.split("committed ").nth(1)?.trim().parse().ok()
}

/// Everything of every confirmed request is there; at most one more, whose confirmation the kill cut off, and whole.
async fn whole(store: &SqliteStore, confirmed: u32) {
    let centre = ParticipantCode::new("centre").unwrap();
    let (_unit, loaded) =
        store.begin(Keys { registers: vec![(centre.clone(), 2026)], ..Keys::default() }).await.unwrap();
    let register = Register { participant: centre.clone(), year: 2026, direction: Direction::Outgoing };
    let last = u32::try_from(loaded.registers[&register]).unwrap();
    assert!(last == confirmed || last == confirmed + 1, "confirmed {confirmed}, found {last}");
    let all = JournalFilter { participant: centre, case: None, from: None, to: None, in_house: true, limit: 100_000 };
    assert_eq!(store.journal(all).await.unwrap().len(), last as usize);
    let open = DutyFilter { open_only: true, limit: 100_000, ..DutyFilter::default() };
    assert_eq!(store.duties(open).await.unwrap().len(), last as usize);
    assert_eq!(store.last_event().await.unwrap(), u64::from(last) * 2);
    let figures = store.figures().await.unwrap();
    assert_eq!((gap(&figures), figures.open, figures.deliveries_owed), (0, last.into(), last.into()));
    assert!(store.message(message_id(last)).await.unwrap().is_some());
}

/// A clock that ran 400 days ahead has queued and leased letters; when it is right again they go out, not 400 days later.
#[tokio::test]
async fn what_a_clock_that_ran_ahead_has_put_off_goes_out_when_it_is_right_again() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.file("ahead.db")).unwrap();
    let ahead = chrono::Duration::days(400);
    let mut changes = request(1).changes();
    changes.outbox[0].queued_at += ahead;
    save(&store, changes).await;
    save(&store, request(2).changes()).await;
    let claim = |now| Claim { now, lease_until: now + chrono::Duration::minutes(1), limit: 10, route: RouteKind::Amqp };
    let leased = store.claim(claim(at("12T10:00") + ahead)).await.unwrap();
    assert_eq!(leased.len(), 2);
    let again = store.claim(claim(at("12T10:00"))).await.unwrap();
    assert_eq!(again.len(), 2, "leases of the wrong time do not hold");
    assert_eq!(store.claim(claim(at("12T10:00"))).await.unwrap().len(), 0, "a lease of the right time holds");
}
