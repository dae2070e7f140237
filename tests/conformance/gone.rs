//! Gateways on PostgreSQL that others take for gone, rightly or not; what hangs; and what a claim reads.
//!
//! Promises: a gateway is made to look gone from outside, by its connection or by its number. Never: waits for a time,
//! except where a promise is about time: that others look for so long, that the server ends what hangs.

use crate::given::{CLINIC, SCHOOL, at, code, exchange_id, message_id, obligation_id, request};
use crate::postgres_node::{Database, Postgres};
use crate::replicas::{HERE, PATIENCE, claim, cut_listener, holders, ids, open, settle, until};
use crate::{load, save};
use mezhved::domain::notice::{Medium, Whom};
use mezhved::gateway::ports::decisions::{Attempt, AttemptResult, Claim, RouteKind};
use mezhved::gateway::ports::notices::{NoticeAttempt, NoticeClaim, NoticeResult, NoticeRow};
use mezhved::gateway::ports::{Changes, Decisions, Keys, Notices, StoreError};
use mezhved::store::postgres::PostgresStore;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

/// A number that no gateway holds.
const NOBODYS: &str = "2000000000";
/// Others take for gone who is missing for four seconds, and look once a second.
const LOOKS: Duration = Duration::from_millis(6500);

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_lost_only_the_connection_it_listens_on_keeps_its_leases_while_another_looks() {
    let database = Postgres::shared().database();
    let (first, second) = (open(&database).await, open(&database).await);
    save(&first, request(1).changes()).await;
    let before = holders(&database);
    assert_eq!(claim(&first, 10).await.len(), 1);
    assert!(claim(&second, 10).await.is_empty());
    let number = database.sql("SELECT holder FROM outbox WHERE state = 'sending'");
    let listener = format!("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE {HERE} AND objid = {number}");
    assert_eq!(database.sql(&listener), "t");
    let looked = Instant::now();
    while looked.elapsed() < LOOKS {
        assert!(claim(&second, 10).await.is_empty(), "a letter that is being sent was given to another");
        sleep(Duration::from_millis(50)).await;
    }
    let now = holders(&database);
    assert!(now.len() == 2 && now != before, "{now:?}, {before:?}");
    settle(&first, message_id(1), AttemptResult::Postponed { next_at: at("12T09:30") }).await;
    assert_eq!(ids(&claim(&second, 10).await), [message_id(1)], "what it said of its letter was not heard");
}

fn mail(id: Uuid) -> NoticeRow {
    NoticeRow {
        id,
        medium: Medium::Mail,
        recipient: code(CLINIC),
        whom: Whom::Executor,
        obligation: Some(obligation_id(1)),
        day: None,
        queued_at: at("12T09:00"),
        ready_at: at("12T09:00"),
        words: Some(("Тема".to_owned(), "Слова".to_owned())),
    }
}

async fn mails(store: &PostgresStore) -> usize {
    let claim = NoticeClaim { medium: Medium::Mail, now: at("12T10:00"), lease_until: at("12T11:00"), limit: 10 };
    store.claim_notices(claim).await.unwrap().len()
}

async fn tell(store: &PostgresStore, id: Uuid, result: NoticeResult) {
    store.settle_notices(vec![NoticeAttempt { id, at: at("12T10:05"), result }], Vec::new()).await.unwrap();
}

/// Leases of the first gateway bear a number that is nobody's, so that the second ends them.
fn declare_gone(database: &Database<'_>) {
    for table in ["outbox", "notice"] {
        database.sql(&format!("UPDATE {table} SET holder = {NOBODYS} WHERE holder IS NOT NULL"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_gateway_that_was_declared_gone_says_of_a_failure_counts_no_more() {
    let database = Postgres::shared().database();
    let (first, second) = (open(&database).await, open(&database).await);
    save(&first, request(1).changes()).await;
    let id = message_id(9).0;
    save(&first, Changes { notices: vec![mail(id)], ..Changes::default() }).await;
    assert_eq!((claim(&first, 10).await.len(), mails(&first).await), (1, 1));
    declare_gone(&database);
    let letters = until(async || Some(claim(&second, 10).await).filter(|letters| !letters.is_empty())).await;
    assert_eq!(ids(&letters), [message_id(1)]);
    let state = "SELECT state, attempts FROM notice";
    assert_eq!(database.sql(state), "queued|0", "its lease has ended with that of the letter");
    let later = || NoticeResult::Retry { next_at: at("12T12:00"), error: "отказ".to_owned() };
    tell(&first, id, later()).await;
    assert_eq!(database.sql(state), "queued|0", "it waits for whoever takes it next, now");
    assert_eq!(mails(&second).await, 1);
    tell(&first, id, later()).await;
    assert_eq!(database.sql(state), "sending|0", "it is another's");
    tell(&first, id, NoticeResult::Sent).await;
    assert_eq!(database.sql(state), "sent|1", "what was sent was sent, whoever did it");
    tell(&second, id, later()).await;
    assert_eq!(database.sql(state), "sent|1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_hangs_inside_a_decision_holds_the_others_up_for_half_a_minute_at_most() {
    let database = Postgres::shared().database();
    let (first, second) = (open(&database).await, open(&database).await);
    let (hanging, _) = first.begin(Keys::default()).await.unwrap();
    let mut refused = 0;
    let freed = timeout(PATIENCE, async {
        loop {
            match second.begin(Keys::default()).await {
                Ok((unit, _)) => break unit,
                Err(StoreError::Unavailable(_)) => refused += 1,
                Err(fault) => panic!("{fault}"),
            }
        }
    });
    freed.await.expect("it is held up for ever").commit(request(1).changes()).await.unwrap();
    assert!(refused > 0, "nobody was told that the store is not available");
    let fault = hanging.commit(request(2).changes()).await;
    assert!(matches!(fault, Err(StoreError::Unavailable(_))), "{fault:?}");
    assert!(load(&second, exchange_id(1)).await.is_some() && load(&second, exchange_id(2)).await.is_none());
}

/// What the server has counted of the outbox.
struct Work {
    read: u64,
    changed: u64,
}

impl Work {
    fn of(database: &Database<'_>) -> Self {
        let counted = database.sql(
            "SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0), n_tup_upd
             FROM pg_stat_user_tables WHERE relname = 'outbox'",
        );
        let (read, changed) = counted.split_once('|').unwrap();
        Self { read: read.parse().unwrap(), changed: changed.parse().unwrap() }
    }

    /// How many rows were read since, when that many are changed: what a connection has counted is told at its end at the
    /// latest.
    async fn read_when_changed(&self, database: &Database<'_>, rows: u64) -> u64 {
        let now = until(async || Some(Self::of(database)).filter(|now| now.changed >= self.changed + rows)).await;
        now.read - self.read
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_and_its_settlement_read_what_they_take_and_not_all_that_waits() {
    const WAITING: u32 = 20_000;
    let node = Postgres::start();
    let database = node.database();
    let store = open(&database).await;
    save(&store, request(1).changes()).await;
    // The table has just grown, and the server has no statistics of it.
    database.sql(&format!(
        "ALTER TABLE outbox SET (autovacuum_enabled = off);
         INSERT INTO outbox (message, recipient, route, state, queued_at, ready_at, format, content)
         SELECT gen_random_uuid(), '{SCHOOL}', 'amqp', 'queued', '2026-01-11T09:00Z', '2026-01-11T09:00Z', 'json', '{{}}'
         FROM generate_series(1, {WAITING})"
    ));
    let before = Work::of(&database);
    for _ in 0..4 {
        let taken = claim(&store, 256).await;
        assert_eq!(taken.len(), 256);
        let arrived = |message| Attempt {
            message,
            recipient: code(SCHOOL),
            at: at("12T10:05"),
            result: AttemptResult::Delivered { content_sha256: "ab".repeat(32) },
        };
        store.settle(ids(&taken).into_iter().map(arrived).collect(), Vec::new()).await.unwrap();
    }
    drop(store);
    let rows = before.read_when_changed(&database, 2 * 4 * 256).await;
    assert!(rows < 10_000, "{rows} rows were read for 1,024 letters");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_reads_little_for_each_letter_that_an_earlier_one_holds_back() {
    const HELD: u64 = 2_000;
    let node = Postgres::start();
    let database = node.database();
    let store = open(&database).await;
    save(&store, request(1).changes()).await;
    // The statistics are of a day on which nothing waited.
    database.sql(&format!(
        "ALTER TABLE outbox SET (autovacuum_enabled = off);
         INSERT INTO exchange (id) SELECT gen_random_uuid() FROM generate_series(1, {HELD});
         INSERT INTO outbox (message, recipient, route, state, exchange_n, queued_at, format, content, delivered_at)
         SELECT gen_random_uuid(), '{SCHOOL}', 'amqp', 'delivered', 1 + g % {HELD}, '2026-01-11T09:00Z', 'json', '{{}}',
             '2026-01-11T09:01Z' FROM generate_series(1, 20000) AS g;
         ANALYZE outbox;
         INSERT INTO outbox (message, recipient, route, state, exchange_n, queued_at, ready_at, format, content, error)
         SELECT gen_random_uuid(), '{SCHOOL}', 'amqp', s.state, x.n, '2026-01-11T09:00Z', s.ready_at, 'json', '{{}}', s.error
         FROM (VALUES ('waiting_retry', timestamptz '2026-01-13T09:00Z', 'гудок'),
                      ('queued', timestamptz '2026-01-11T09:00Z', NULL)) AS s (state, ready_at, error)
         CROSS JOIN (SELECT n FROM exchange WHERE root IS NULL) AS x
         ORDER BY s.state DESC"
    ));
    let before = Work::of(&database);
    assert_eq!(ids(&claim(&store, 256).await), [message_id(1)], "the others wait for those before them");
    drop(store);
    let rows = before.read_when_changed(&database, 1).await;
    println!("{rows} rows were read behind {HELD} that are held back");
    assert!(rows < 30 * HELD, "{rows} rows were read behind {HELD} that are held back");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_others_refer_to_by_their_number_cannot_be_taken_away() {
    let database = Postgres::shared().database();
    let store = open(&database).await;
    save(&store, request(1).changes()).await;
    for what in
        ["DELETE FROM exchange", "DELETE FROM obligation", "TRUNCATE exchange CASCADE", "TRUNCATE obligation CASCADE"]
    {
        // Whatever does not end with a constraint's refusal is an error of this statement, and fails here.
        database.sql(&format!(
            "DO $$ BEGIN {what}; RAISE EXCEPTION 'it went through';
             EXCEPTION WHEN integrity_constraint_violation THEN NULL; END $$"
        ));
    }
    assert!(load(&store, exchange_id(1)).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_of_the_gone_end_also_when_who_looks_has_nothing_of_its_own_to_send() {
    let database = Postgres::shared().database();
    let (first, second) = (open(&database).await, open(&database).await);
    save(&first, request(1).changes()).await;
    assert_eq!(claim(&first, 10).await.len(), 1);
    drop(first);
    let push = Claim { now: at("12T10:00"), lease_until: at("12T11:00"), limit: 10, route: RouteKind::Push };
    until(async || {
        assert!(second.claim(push).await.unwrap().is_empty());
        (database.sql("SELECT state FROM outbox") == "queued").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_is_being_taken_while_the_connection_breaks_comes_along() {
    let database = Arc::new(Postgres::shared().database());
    let store = Arc::new(open(&database).await);
    save(&*store, request(1).changes()).await;
    claim(&store, 10).await;
    settle(&store, message_id(1), AttemptResult::Retry { next_at: at("12T09:30"), error: "занято".to_owned() }).await;
    // The claim waits for the row of a counter, and does not know that its number is nobody's any more.
    let other = Arc::clone(&database);
    let held = tokio::task::spawn_blocking(move || {
        other.try_sql(
            "BEGIN; SELECT 1 FROM figure WHERE name = 'delivery.waiting_retry' FOR UPDATE; SELECT pg_sleep(60); COMMIT",
        )
    });
    let here = "FROM pg_stat_activity WHERE datname = current_database()";
    let waiting = |what: &str| database.sql(&format!("SELECT count(*) {here} AND {what}"));
    until(async || (waiting("wait_event = 'PgSleep'") == "1").then_some(())).await;
    let claiming = Arc::clone(&store);
    let claimed = tokio::spawn(async move { claim(&claiming, 10).await.len() });
    until(async || (waiting("wait_event_type = 'Lock'") == "1").then_some(())).await;
    let before = holders(&database);
    cut_listener(&database);
    // Who has the new number waits for the claim now.
    until(async || (waiting("wait_event_type = 'Lock'") == "2").then_some(())).await;
    database.sql(&format!("SELECT pg_cancel_backend(pid) {here} AND wait_event = 'PgSleep'"));
    let _ = held.await.unwrap();
    assert_eq!(claimed.await.unwrap(), 1);
    until(async || {
        let (now, of) = (holders(&database), database.sql("SELECT holder FROM outbox WHERE state = 'sending'"));
        (now.len() == 1 && now != before && now[0] == of).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_broke_while_nobody_used_them_fail_no_decision() {
    let database = Postgres::shared().database();
    let store = open(&database).await;
    save(&store, request(1).changes()).await;
    // Used a moment ago.
    claim(&store, 10).await;
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'mezhved' AND pid <> pg_backend_pid()";
    assert_ne!(database.sql(cut), "0");
    settle(&store, message_id(1), AttemptResult::Delivered { content_sha256: "ab".repeat(32) }).await;
    assert_eq!(database.sql("SELECT state FROM outbox"), "delivered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_the_version_before_is_brought_to_this_one_with_its_rows() {
    let database = Postgres::shared().database();
    let store = open(&database).await;
    save(&store, request(1).changes()).await;
    let written = load(&store, exchange_id(1)).await;
    drop(store);
    // What the fourth and the fifth migration changed, as the third had left it.
    database.sql(
        "DROP TRIGGER exchange_stays ON exchange; DROP TRIGGER obligation_stays ON obligation;
         ALTER TABLE message ADD CONSTRAINT message_exchange_fkey FOREIGN KEY (exchange) REFERENCES exchange (n);
         ALTER TABLE obligation ADD CONSTRAINT obligation_exchange_fkey FOREIGN KEY (exchange) REFERENCES exchange (n);
         ALTER TABLE rung ADD CONSTRAINT rung_obligation_fkey FOREIGN KEY (obligation) REFERENCES obligation (n);
         ALTER TABLE outbox ADD CONSTRAINT outbox_exchange_n_fkey FOREIGN KEY (exchange_n) REFERENCES exchange (n);
         ALTER TABLE event ADD CONSTRAINT event_exchange_n_fkey FOREIGN KEY (exchange_n) REFERENCES exchange (n);
         ALTER TABLE event ADD CONSTRAINT event_obligation_n_fkey FOREIGN KEY (obligation_n) REFERENCES obligation (n);
         CREATE INDEX outbox_leased ON outbox (recipient, exchange, seq) WHERE state = 'sending';
         DELETE FROM schema_version WHERE version >= 4",
    );
    let store = open(&database).await;
    assert_eq!(load(&store, exchange_id(1)).await, written);
    save(&store, request(2).changes()).await;
    let left = "SELECT count(*) FROM pg_constraint WHERE conname IN ('message_exchange_fkey', 'rung_obligation_fkey')";
    assert_eq!(database.sql(left), "0");
    assert_eq!(database.sql("SELECT max(version) FROM schema_version"), "5");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_never_takes_itself_for_gone() {
    let database = Postgres::shared().database();
    let store = open(&database).await;
    save(&store, request(1).changes()).await;
    let before = holders(&database);
    assert_eq!(claim(&store, 10).await.len(), 1);
    cut_listener(&database);
    until(async || Some(holders(&database)).filter(|now| now.len() == 1 && *now != before)).await;
    until(async || (database.sql("SELECT holder FROM outbox") != before[0]).then_some(())).await;
    // A lease that was left behind under the number of before.
    database.sql(&format!("UPDATE outbox SET holder = {}", before[0]));
    let looked = Instant::now();
    while looked.elapsed() < LOOKS {
        assert!(claim(&store, 10).await.is_empty(), "it has taken from itself what it is sending");
        sleep(Duration::from_millis(50)).await;
    }
}
