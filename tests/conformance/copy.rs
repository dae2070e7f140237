//! From SQLite to PostgreSQL: what arrives is what was there, or nothing.
//!
//! Promises: the store that is copied has rows in every table, and values that a careless copy would spoil. Never: takes
//! the copy's own word for it; both stores are asked what they show.

use crate::given::{
    CENTRE, CLINIC, SCHOOL, at, code, exchange_id, message_id, obligation_id, participant, receipt, request,
};
use crate::postgres_node::{Database, Postgres};
use crate::{Folder, save};
use bytes::Bytes;
use mezhved::domain::alert::{Alert, AlertState};
use mezhved::domain::case::consent::{Consent, ConsentKind, DataKind};
use mezhved::domain::case::disclosure::{Disclosure, DisclosureKind, Ground};
use mezhved::domain::case::{By, Case, CaseKey, Fact, What};
use mezhved::domain::ending::Ending;
use mezhved::gateway::ports::accounts::{Session, StoredKey, User, UserRole};
use mezhved::gateway::ports::attachments::{Kept, Naming};
use mezhved::gateway::ports::decisions::{Claim, QuarantineRow, RouteKind};
use mezhved::gateway::ports::notices::NoticeRow;
use mezhved::gateway::ports::objects::ObjectName;
use mezhved::gateway::ports::reads::{DutyFilter, Figures, InboxPage, JournalFilter};
use mezhved::gateway::ports::scans::{ByHand, HandChannel, HandWay, Handover, ScanRow};
use mezhved::gateway::ports::{Changes, Store};
use mezhved::store::copy::{self, Compared, CopyFault, Progress};
use mezhved::store::postgres::{PostgresOptions, PostgresStore};
use mezhved::store::sqlite::SqliteStore;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

const REQUESTS: u32 = 12;

/// What text may hold, and what a format of lines would trip over.
const TRICKY: &str = "«Ёлка»\t\\N\r\nвторая строка \\. '\" 🎄 e\u{301}";

async fn copied(from: &Path, to: &str) -> Result<Vec<Compared>, CopyFault> {
    copy::run(from, to, &mut |_| ()).await
}

async fn opened(url: &str) -> PostgresStore {
    PostgresStore::open(url, PostgresOptions::default()).await.unwrap()
}

/// Closes a store, and waits until the server has seen it go.
fn closed(store: PostgresStore, database: &Database<'_>) {
    const OTHERS: &str = "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'mezhved'";
    drop(store);
    let deadline = Instant::now() + Duration::from_secs(60);
    while database.sql(OTHERS) != "0" {
        assert!(Instant::now() < deadline, "connections of a closed store stay");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A file with rows in every table.
async fn filled(folder: &Folder) -> std::path::PathBuf {
    use mezhved::gateway::ports::Decisions as _;
    let path = folder.file("mezhved.db");
    let store = SqliteStore::open(&path).unwrap();
    access(&store).await;
    for n in 1..=REQUESTS {
        let route = [RouteKind::Amqp, RouteKind::Push, RouteKind::Inbox][n as usize % 3];
        let performer = ["school-by-queue", "school-by-push", "school-by-inbox"][n as usize % 3];
        save(&store, request(n).between(CENTRE, performer).over(route).changes()).await;
    }
    let claim = Claim { now: at("12T10:00"), lease_until: at("12T10:01"), limit: 2, route: RouteKind::Amqp };
    assert_eq!(store.claim(claim).await.unwrap().len(), 2, "letters are under way");
    let mut alerted = request(1).exchange();
    let state = AlertState::Acknowledged {
        owner: TRICKY.to_owned(),
        until: at("25T00:00"),
        reason: "звонили".to_owned(),
        at: at("21T08:00"),
    };
    alerted.duties[0].alert = Some(Alert { obligation: obligation_id(1), raised_at: at("21T00:00"), rung: 2, state });
    save(&store, Changes { exchanges: vec![alerted], outbox: vec![receipt(3)], ..Changes::default() }).await;
    save(&store, beside()).await;
    attached(&store).await;
    store.begin_handlings([[7; 32], [8; 32]], at("12T09:00"), at("01T00:00")).await.unwrap();
    path
}

/// A file that was put, and a message that names it.
async fn attached(store: &SqliteStore) {
    use mezhved::gateway::ports::Attachments as _;
    let (name, at) = (ObjectName::new(&"cd".repeat(32)).unwrap(), at("12T09:00"));
    assert!(store.expect_object(&name, at).await.unwrap());
    let media_type = "application/pdf".to_owned();
    store.object_kept(Kept { name: name.clone(), by: code(CENTRE), media_type, bytes: 7, at }).await.unwrap();
    let attachments = vec![Naming { message: message_id(1), name }];
    save(store, Changes { attachments, ..Changes::default() }).await;
}

async fn access(store: &SqliteStore) {
    use mezhved::gateway::ports::Accounts as _;
    store.import_participants(vec![participant(SCHOOL, "push"), participant(CLINIC, "inbox")]).await.unwrap();
    let (created_at, participant) = (at("12T00:00"), code(SCHOOL));
    store
        .add_key(StoredKey { sha256: [0; 32], participant, created_at, expires_at: Some(at("30T00:00")) })
        .await
        .unwrap();
    store.add_webhook_secret(&code(SCHOOL), vec![0, 10, 13, 92, 255], created_at).await.unwrap();
    let (login, name, role) = ("primernaya".to_owned(), TRICKY.to_owned(), UserRole::Clerk);
    let password = "$argon2id$…".to_owned();
    store.add_user(User { login: login.clone(), name: name.clone(), role, password, created_at }).await.unwrap();
    let (csrf, expires_at) = ("token".to_owned(), at("13T00:00"));
    store.add_session(Session { sha256: [1; 32], login, name, role, csrf, created_at, expires_at }).await.unwrap();
}

/// What stands beside the exchanges.
fn beside() -> Changes {
    let (day, by) = ("2026-01-12".parse().unwrap(), "anna".to_owned());
    let key = CaseKey { centre: code(CENTRE), number: "СЛ-1".to_owned() };
    let consent = Consent {
        no: 1,
        kind: ConsentKind::Processing,
        reference: "№ 7".to_owned(),
        bodies: vec![code(SCHOOL)],
        data: vec![DataKind::Education],
        from: day,
        until: None,
        registered_at: at("12T09:00"),
        registered_by: by.clone(),
        withdrawn: None,
    };
    let opened = What::Opened { reason: Some(TRICKY.to_owned()) };
    let facts = vec![Fact { on: day, at: at("12T09:00"), by: By::Staff(by.clone()), what: opened }];
    Changes {
        cases: vec![Case { key: key.clone(), facts, consents: vec![consent] }],
        disclosures: vec![Disclosure {
            case: key,
            at: at("12T10:00"),
            kind: DisclosureKind::Message,
            what: "request.information".to_owned(),
            message: Some(message_id(1)),
            exchange: None,
            by: by.clone(),
            to: SCHOOL.to_owned(),
            ground: Ground::NoConsent { code: "risk_of_harm".to_owned(), reason: TRICKY.to_owned() },
        }],
        endings: vec![Ending {
            case: "2026-0001".to_owned(),
            told: None,
            closes: true,
            centres: vec![code(CENTRE)],
            by: by.clone(),
            made_at: at("15T00:00"),
            at: at("15T00:00"),
        }],
        quarantine: vec![QuarantineRow {
            at: at("13T00:00"),
            source: "amqp",
            participant: None,
            message: None,
            code: "not_well_formed".to_owned(),
            reason: TRICKY.to_owned(),
            content_type: String::new(),
            content: Bytes::from((0..=255).collect::<Vec<u8>>()),
        }],
        notices: vec![notice(1, Some(("Тема".to_owned(), TRICKY.to_owned()))), notice(2, None)],
        ..desk(by)
    }
}

/// What went without a wire.
fn desk(by: String) -> Changes {
    Changes {
        by_hand: vec![ByHand {
            message: message_id(2),
            channel: HandChannel::Phone,
            at: at("12T08:00"),
            recorded_at: at("12T09:00"),
            by_whom: by.clone(),
            dictated_by: Some(TRICKY.to_owned()),
            taken_by: Some(by.clone()),
            scans: vec![ScanRow {
                annex: 1,
                sha256: "ab".repeat(32),
                media_type: "image/png".to_owned(),
                bytes: 9_000_000_000,
            }],
        }],
        handovers: vec![Handover {
            message: message_id(1),
            recipient: code(SCHOOL),
            way: HandWay::Hand,
            at: at("12T09:30"),
            taken_by: "Секретарь".to_owned(),
            number: None,
            date: Some("2026-01-12".parse().unwrap()),
            by_whom: by,
            recorded_at: at("12T09:40"),
        }],
        ..Changes::default()
    }
}

fn notice(n: u32, words: Option<(String, String)>) -> NoticeRow {
    let (obligation, day) = match words {
        Some(_) => (Some(obligation_id(1)), None),
        None => (None, Some("2026-01-13".parse().unwrap())),
    };
    NoticeRow { obligation, day, words, ..crate::notices::mail(n) }
}

/// All that a store shows, as text.
async fn shown(store: &dyn Store) -> Vec<String> {
    let mut shown = Vec::new();
    for n in 1..=REQUESTS {
        shown.push(format!("{:?}", store.exchange(exchange_id(n)).await.unwrap()));
        shown.push(format!("{:?}", store.message(message_id(n)).await.unwrap()));
    }
    shown.push(format!("{:?}", store.duties(DutyFilter { limit: 100, ..DutyFilter::default() }).await.unwrap()));
    for of in [CENTRE, SCHOOL] {
        let all = JournalFilter { participant: code(of), case: None, from: None, to: None, in_house: true, limit: 99 };
        shown.push(format!("{:?}", store.journal_page(all, None).await.unwrap()));
        let page = InboxPage { recipient: code(of), after: 0, limit: 99 };
        shown.push(format!("{:?}", store.inbox(page).await.unwrap()));
        shown.push(format!("{:?}", store.webhook_secrets(&code(of)).await.unwrap()));
    }
    shown.push(format!("{:?}", store.participants().await.unwrap()));
    shown.push(format!("{:?}", store.participants_generation().await.unwrap()));
    shown.push(format!("{:?}", store.events_after(0, 1000).await.unwrap()));
    shown.push(format!("{:?}", store.latest_instant().await.unwrap()));
    shown.push(format!("{:?}", store.quarantine(None, 10).await.unwrap()));
    let name = ObjectName::new(&"cd".repeat(32)).unwrap();
    shown.push(format!("{:?}", store.access(&name, &[code(SCHOOL)]).await.unwrap()));
    shown.push(format!("{:?}", store.scan(&"ab".repeat(32)).await.unwrap()));
    shown.push(format!("{:?}", store.digests_since("2026-01-01".parse().unwrap()).await.unwrap()));
    shown.push(format!("{:?}", store.notice_figures().await.unwrap()));
    shown.push(format!("{:?}", store.figures().await.unwrap()));
    shown.push(format!("{:?}", store.user("primernaya").await.unwrap()));
    shown.push(format!("{:?}", store.session([1; 32], at("12T11:00")).await.unwrap()));
    shown.push(format!("{:?}", store.key_owner([0; 32], at("12T11:00")).await.unwrap()));
    let key = CaseKey { centre: code(CENTRE), number: "СЛ-1".to_owned() };
    shown.push(format!("{:?}", store.case(&key).await.unwrap()));
    shown.push(format!("{:?}", store.correspondents(&key).await.unwrap()));
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_store_shows_the_same_and_serves_on() {
    let folder = Folder::new();
    let path = filled(&folder).await;
    let database = Postgres::shared().database();
    let mut steps: Vec<Progress> = Vec::new();
    let compared = copy::run(&path, &database.url(), &mut |step| steps.push(step)).await.unwrap();
    for one in &compared {
        assert!(one.equal() && one.source.0 > 0, "{one:?}");
    }
    let last = steps.last().unwrap();
    assert!(last.checking && last.done == last.total && last.total > 100, "{last:?}");

    let (before, after) = (SqliteStore::open(&path).unwrap(), opened(&database.url()).await);
    let (before, after): (&dyn Store, &dyn Store) = (&before, &after);
    assert_eq!(shown(after).await, shown(before).await);

    let seen = after.last_event().await.unwrap();
    save(after, request(REQUESTS + 1).between(CENTRE, "school-by-queue").changes()).await;
    assert!(after.events_after(seen, 10).await.unwrap().len() > 1, "numbers of events go on after the copied ones");
    let claim = Claim { now: at("13T10:00"), lease_until: at("13T10:01"), limit: 100, route: RouteKind::Amqp };
    let owed = before.claim(claim).await.unwrap().len();
    assert_eq!(after.claim(claim).await.unwrap().len(), owed + 1, "what was under way goes out again");
    let Figures { accepted_addressees, .. } = after.figures().await.unwrap();
    assert_eq!(accepted_addressees, before.figures().await.unwrap().accepted_addressees + 1);
    assert_eq!(after.figures().await.unwrap().conservation_gap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_shows_its_progress_and_that_both_sides_are_equal_and_takes_no_password() {
    let folder = Folder::new();
    let path = filled(&folder).await;
    let database = Postgres::shared().database();
    let url = database.url();
    let (user, password) = url.trim_start_matches("postgres://").split_once('@').unwrap().0.split_once(':').unwrap();
    let copy = |to: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mezhved"));
        command.current_dir(folder.file("")).args(["store", "copy", "--to", to, "--from"]).arg(&path);
        let output = command.env("PGPASSWORD", password).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, out, err) = copy(&url);
    assert_eq!((code, out.as_str()), (Some(1), ""), "a password as an argument: {err}");
    let (code, out, err) = copy(&url.replace(&format!("{user}:{password}"), user));
    assert_eq!(code, Some(0), "{err}");
    assert!(out.lines().any(|line| line.starts_with("message ") && line.ends_with("равны / equal")), "{out}");
    assert!(err.contains("100 %") && err.contains("rows, written and read back"), "{err}");
    assert!(!out.contains(password) && !err.contains(password));
    assert_eq!(database.sql("SELECT count(*) FROM message"), REQUESTS.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_holds_something_is_refused_and_stays_as_it_is() {
    let folder = Folder::new();
    let path = filled(&folder).await;
    let database = Postgres::shared().database();
    let store = opened(&database.url()).await;
    save(&store, request(50).changes()).await;
    let in_use = copied(&path, &database.url()).await;
    assert!(matches!(in_use, Err(CopyFault::TargetInUse { .. })), "{in_use:?}");
    closed(store, &database);
    let refused = copied(&path, &database.url()).await;
    assert!(matches!(refused, Err(CopyFault::NotEmpty { .. })), "{refused:?}");
    assert_eq!(database.sql("SELECT count(*) FROM message"), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_a_gateway_serves_or_that_is_not_there_is_refused() {
    let folder = Folder::new();
    let path = filled(&folder).await;
    let database = Postgres::shared().database();
    let serving = SqliteStore::open_exclusive(&path).unwrap();
    let refused = copied(&path, &database.url()).await;
    assert!(matches!(refused, Err(CopyFault::Source(_))), "{refused:?}");
    drop(serving);
    let missing = copied(&folder.file("other.db"), &database.url()).await;
    assert!(matches!(missing, Err(CopyFault::NoSource { .. })), "{missing:?}");
    assert!(!folder.file("other.db").exists(), "looking for it has made it");
    assert_eq!(database.sql("SELECT count(*) FROM pg_class WHERE relname = 'message'"), "0", "the target is untouched");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_target_cannot_take_leaves_it_empty_and_a_second_try_succeeds() {
    let folder = Folder::new();
    let path = filled(&folder).await;
    let database = Postgres::shared().database();
    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.execute("UPDATE journal SET date = '2026-02-31' WHERE n = 1", []).unwrap();
    let refused = copied(&path, &database.url()).await;
    assert!(matches!(refused, Err(CopyFault::Store(_))), "{refused:?}");
    assert_eq!(database.sql("SELECT count(*) FROM message"), "0");
    raw.execute("UPDATE journal SET date = '2026-02-28' WHERE n = 1", []).unwrap();
    assert!(copied(&path, &database.url()).await.unwrap().iter().all(Compared::equal));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_otherwise_than_it_was_is_not_committed() {
    let folder = Folder::new();
    let path = filled(&folder).await;
    let database = Postgres::shared().database();
    closed(opened(&database.url()).await, &database);
    // Somebody's trigger tidies what it should leave alone.
    database.sql(
        "CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN new.summary := new.summary || ' '; RETURN new; END $$;
         CREATE TRIGGER tidy BEFORE INSERT ON journal FOR EACH ROW EXECUTE FUNCTION tidy();",
    );
    let compared = copied(&path, &database.url()).await.unwrap();
    let different: Vec<_> = compared.iter().filter(|one| !one.equal()).map(|one| one.table).collect();
    assert_eq!(different, ["journal"]);
    assert_eq!(database.sql("SELECT (SELECT count(*) FROM message) + (SELECT count(*) FROM journal)"), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_of_the_target_in_the_middle_of_a_copy_leaves_it_empty() {
    let folder = Folder::new();
    let path = filled(&folder).await;
    let node = Postgres::start();
    let database = node.database();
    let mut killed = false;
    let mut kill_once = |step: Progress| {
        if step.table == "outbox" && !killed {
            node.kill();
            killed = true;
        }
    };
    let cut = copy::run(&path, &database.url(), &mut kill_once).await;
    assert!(matches!(cut, Err(CopyFault::Store(_))), "{cut:?}");
    node.restart();
    assert_eq!(database.sql("SELECT count(*) FROM message"), "0");
    assert!(copied(&path, &database.url()).await.unwrap().iter().all(Compared::equal));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_and_column_of_both_databases_is_copied() {
    let folder = Folder::new();
    let path = folder.file("mezhved.db");
    drop(SqliteStore::open(&path).unwrap());
    let sqlite = rusqlite::Connection::open(&path).unwrap();
    let sql = "SELECT t.name || '.' || c.name FROM sqlite_schema t, pragma_table_info(t.name) c
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'";
    let mut statement = sqlite.prepare(sql).unwrap();
    let there: BTreeSet<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();

    let database = Postgres::shared().database();
    closed(opened(&database.url()).await, &database);
    let sql = "SELECT table_name || '.' || column_name FROM information_schema.columns
         WHERE table_schema = 'public' AND table_name <> 'schema_version' AND column_name <> 'holder'";
    let here: BTreeSet<String> = database.sql(sql).lines().map(str::to_owned).collect();
    let copied: BTreeSet<String> = copy::columns().map(|(table, column)| format!("{table}.{column}")).collect();
    assert_eq!(copied, there, "SQLite has what the copy does not know, or the other way round");
    assert_eq!(copied, here, "PostgreSQL has what the copy does not know, or the other way round");
    assert!(copied.contains("event.obligation_n"));
}
