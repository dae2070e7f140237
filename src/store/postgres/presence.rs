//! One connection of its own for each open store: it listens, and by its lock it shows that the store is alive.
//!
//! Promises: what another gateway commits is known here at once, or within a second while the connection is down. A
//! store's leases bear its number; the number's lock goes with the connection, however the process ends. A store whose
//! connection only broke gets a new number and takes its leases along. Never: decides what a wake-up means.

use crate::gateway::ports::StoreError;
use crate::store::postgres::fault::unavailable;
use crate::store::postgres::lock;
use crate::store::postgres::row::Record;
use crate::store::postgres::session::within;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions, PgRow};
use sqlx::{PgConnection, PgPool, Row};
use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::atomic::{AtomicI32, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

/// Of the channel of notifications.
const CHANNEL: &str = "mezhved";
/// `mzhv`: the class of the locks that show who is alive; the second key is the number of the holder.
const HOLDERS: i32 = 1_836_738_678;
/// How often the connection is tried: one whose other end is gone says nothing by itself.
const TRY_EVERY: Duration = Duration::from_secs(5);
/// How long it may take to answer, or to be made.
const TRY_MAX: Duration = Duration::from_secs(5);
/// While it is down: how often it is made anew, and the events are looked at.
const DOWN_EVERY: Duration = Duration::from_secs(1);
/// How often the holders of leases are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Who is without a lock at every look for so long is gone: longer than a gateway that lives takes to show itself anew.
const GONE_AFTER: Duration = Duration::from_secs(4);
/// How long leases may take to come along: longer than the server lets three locks be waited for (open.rs).
const ALONG_MAX: Duration = Duration::from_secs(35);
/// Between two tries for rows that others hold at that moment.
const ALONG_EVERY: Duration = Duration::from_millis(50);
/// No number: the connection is down, and leases end by the clock only.
const NOBODY: i32 = 0;

/// The presence of a store in its database.
pub(super) struct Presence {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
    look: Mutex<Look>,
}

struct Shared {
    /// Of this store: notifications of its own are no news.
    name: String,
    tell: Arc<str>,
    holder: AtomicI32,
    /// Every number that it has had.
    numbers: Mutex<Vec<i32>>,
    changes: watch::Sender<u64>,
}

/// The last look at the holders.
#[derive(Default)]
struct Look {
    at: Option<Instant>,
    /// Who was without a lock at every look, and since when. After a restart of the server everybody is so for a moment.
    missing: HashMap<i32, Instant>,
}

impl Presence {
    /// Shows that this store is there, and begins to listen.
    pub(super) async fn begin(options: PgConnectOptions, pool: PgPool) -> Result<Self, StoreError> {
        let (changes, _) = watch::channel(0);
        let name = Uuid::new_v4().simple().to_string();
        let tell = format!("SELECT pg_notify('{CHANNEL}', '{name}'); COMMIT").into();
        let shared =
            Arc::new(Shared { name, tell, holder: AtomicI32::new(NOBODY), numbers: Mutex::default(), changes });
        let ears = Ears { shared: Arc::clone(&shared), options, pool, seen: AtomicI64::new(0) };
        let listener = ears.appear().await?;
        let task = tokio::spawn(async move { ears.listen(listener).await });
        Ok(Self { shared, task, look: Mutex::default() })
    }

    /// The text that ends a transaction that has news for other gateways.
    pub(super) fn commit_and_tell(&self) -> Arc<str> {
        self.bearer().commit_and_tell()
    }

    /// Whose leases are this store's.
    pub(super) fn bearer(&self) -> Bearer {
        Bearer(Arc::clone(&self.shared))
    }

    /// See [`Bearer::holder`].
    pub(super) fn holder(&self) -> Option<i32> {
        self.bearer().holder()
    }

    /// See [`Bearer::numbers`].
    pub(super) fn numbers(&self) -> Vec<i32> {
        self.bearer().numbers()
    }

    /// Changes after what other gateways commit.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// The holders of leases that are gone: at every look for [`GONE_AFTER`], at most one a second, nobody held their locks.
    /// Never one that this store has been: it is here.
    pub(super) async fn gone(&self, pool: &PgPool) -> Result<Vec<i32>, StoreError> {
        if !self.may_look() {
            return Ok(Vec::new());
        }
        let (missing, own, now) = (within(missing(pool)).await?, self.numbers(), Instant::now());
        let mut look = self.look.lock().unwrap_or_else(PoisonError::into_inner);
        let since = |holder| (holder, look.missing.get(&holder).copied().unwrap_or(now));
        let missing: HashMap<i32, Instant> =
            missing.into_iter().filter(|holder| !own.contains(holder)).map(since).collect();
        let gone = missing.iter().filter(|(_, since)| now - **since >= GONE_AFTER).map(|(holder, _)| *holder).collect();
        look.missing = missing;
        Ok(gone)
    }

    fn may_look(&self) -> bool {
        let mut look = self.look.lock().unwrap_or_else(PoisonError::into_inner);
        let may = look.at.is_none_or(|at| at.elapsed() >= LOOK_EVERY);
        if may {
            look.at = Some(Instant::now());
        }
        may
    }
}

/// Whose leases are one store's.
pub(super) struct Bearer(Arc<Shared>);

impl Bearer {
    /// The number that leases of this store bear now; `None` while it cannot show that it is alive. To be asked under the
    /// lock of claims or that of decisions.
    pub(super) fn holder(&self) -> Option<i32> {
        Some(self.0.holder.load(Ordering::SeqCst)).filter(|holder| *holder != NOBODY)
    }

    /// Every number that leases of this store have borne.
    pub(super) fn numbers(&self) -> Vec<i32> {
        self.0.numbers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How a transaction ends that has news for other gateways.
    pub(super) fn commit_and_tell(&self) -> Arc<str> {
        Arc::clone(&self.0.tell)
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Holders of leases whose lock nobody holds. The rows are of a snapshot older than the look at the locks, so that who
/// has just taken a number is not missed.
async fn missing(pool: &PgPool) -> Result<HashSet<i32>, StoreError> {
    // From one holder to the next in the index: holders are few, and what they hold may be much.
    const MISSING: &str = "WITH RECURSIVE sending (holder) AS (
             (SELECT holder FROM outbox WHERE holder IS NOT NULL ORDER BY holder LIMIT 1)
             UNION ALL
             SELECT (SELECT holder FROM outbox WHERE holder > sending.holder ORDER BY holder LIMIT 1)
             FROM sending WHERE sending.holder IS NOT NULL),
         telling (holder) AS (
             (SELECT holder FROM notice WHERE holder IS NOT NULL ORDER BY holder LIMIT 1)
             UNION ALL
             SELECT (SELECT holder FROM notice WHERE holder > telling.holder ORDER BY holder LIMIT 1)
             FROM telling WHERE telling.holder IS NOT NULL)
         SELECT holder FROM (SELECT holder FROM sending UNION SELECT holder FROM telling) AS held
         WHERE holder IS NOT NULL AND NOT EXISTS (SELECT 1 FROM pg_locks
             WHERE locktype = 'advisory' AND classid::bigint = $1 AND objid::bigint = held.holder AND objsubid = 2
                 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))";
    let rows = sqlx::query(MISSING).bind(i64::from(HOLDERS)).fetch_all(pool).await?;
    rows.iter().map(|row: &PgRow| Record::new(row, "outbox").integer("holder")).collect()
}

/// How many stores are open on the database of this connection.
pub(super) async fn stores_open(connection: &mut PgConnection) -> Result<i64, StoreError> {
    const OPEN: &str = "SELECT count(*) FROM pg_locks
         WHERE locktype = 'advisory' AND classid::bigint = $1 AND objsubid = 2 AND granted
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    Ok(sqlx::query_scalar(OPEN).bind(i64::from(HOLDERS)).fetch_one(connection).await?)
}

/// Leases under the numbers of before come along, all of them: what somebody holds at that moment is tried again.
async fn take_along(listener: &mut PgListener, (before, now): (&[i32], i32)) -> Result<(), StoreError> {
    const LEFT: &str = "SELECT EXISTS (SELECT 1 FROM outbox WHERE holder = ANY($1))
             OR EXISTS (SELECT 1 FROM notice WHERE holder = ANY($1))";
    if before.is_empty() {
        return Ok(());
    }
    // What can be seen first: a decision may take longer than others wait for who is missing.
    for begin in [lock::BEGIN_CLAIM, lock::BEGIN_BOTH] {
        loop {
            take_free(listener, (before, now), begin).await?;
            if !sqlx::query_scalar::<_, bool>(LEFT).bind(before).fetch_one(&mut *listener).await? {
                break;
            }
            sleep(ALONG_EVERY).await;
        }
    }
    Ok(())
}

/// Those that nobody holds. In the end under the locks of decisions and of claims, because one that is under way leases
/// under a number of before, and can be seen only when it has committed.
async fn take_free(
    listener: &mut PgListener,
    (before, now): (&[i32], i32),
    begin: &'static str,
) -> Result<(), StoreError> {
    const LETTERS: &str = "UPDATE outbox SET holder = $2
         WHERE seq IN (SELECT seq FROM outbox WHERE holder = ANY($1) FOR UPDATE SKIP LOCKED)";
    const NOTICES: &str = "UPDATE notice SET holder = $2
         WHERE n IN (SELECT n FROM notice WHERE holder = ANY($1) FOR UPDATE SKIP LOCKED)";
    sqlx::raw_sql(begin).execute(&mut *listener).await?;
    for sql in [LETTERS, NOTICES] {
        sqlx::query(sql).bind(before).bind(now).execute(&mut *listener).await?;
    }
    sqlx::raw_sql("COMMIT").execute(&mut *listener).await?;
    Ok(())
}

fn silent() -> StoreError {
    unavailable("the database does not answer")
}

impl Shared {
    /// A further number is ours; gives those of before.
    fn remember(&self, holder: i32) -> Vec<i32> {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let before = numbers.clone();
        numbers.push(holder);
        before
    }
}

/// The task that keeps the connection.
struct Ears {
    shared: Arc<Shared>,
    options: PgConnectOptions,
    pool: PgPool,
    /// The last event that was looked at; none at the first look, which tells of news where there are any at all.
    seen: AtomicI64,
}

impl Ears {
    /// A new connection that listens, with a new number and its lock.
    async fn appear(&self) -> Result<PgListener, StoreError> {
        let appear = async {
            // A pool of one, because the listener takes its connection from a pool; it is never taken again.
            let own = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
            let own = own.connect_with(self.options.clone()).await?;
            let mut listener = PgListener::connect_with(&own).await?;
            listener.eager_reconnect(false);
            listener.listen(CHANNEL).await?;
            let taken = sqlx::query(
                "SELECT h.holder, pg_try_advisory_lock($1, h.holder) AS locked
                 FROM (SELECT nextval('lease_holder')::integer AS holder OFFSET 0) AS h",
            );
            let taken = taken.bind(HOLDERS).fetch_one(&mut listener).await?;
            let (holder, locked): (i32, bool) = (taken.try_get("holder")?, taken.try_get("locked")?);
            if !locked {
                return Err(unavailable("the number of this gateway is somebody else's"));
            }
            Ok((listener, holder))
        };
        let (mut listener, holder) = timeout(TRY_MAX, appear).await.map_err(|_| silent())??;
        let before = self.shared.remember(holder);
        timeout(ALONG_MAX, take_along(&mut listener, (&before, holder))).await.map_err(|_| silent())??;
        // Not before: leases under a number whose connection is given up would be anybody's.
        self.shared.holder.store(holder, Ordering::SeqCst);
        Ok(listener)
    }

    /// Listens for ever. A connection that is lost is made anew at once, before others take its leases for those of the
    /// gone; while that fails, events are looked for.
    async fn listen(self, mut listener: PgListener) {
        loop {
            let fault = self.hear(&mut listener).await;
            self.shared.holder.store(NOBODY, Ordering::SeqCst);
            tracing::warn!(%fault, "the connection that listens is lost; until there is a new one events are looked for");
            drop(listener);
            listener = tokio::select! {
                listener = self.appear_at_last() => listener,
                never = self.look_for_ever() => match never {},
            };
            // What came in between was told to nobody here.
            self.news();
        }
    }

    /// Passes on what it hears until the connection is lost.
    async fn hear(&self, listener: &mut PgListener) -> StoreError {
        loop {
            match timeout(TRY_EVERY, listener.try_recv()).await {
                Ok(Ok(Some(told))) if told.payload() == self.shared.name => {}
                Ok(Ok(Some(_))) => self.news(),
                Ok(Ok(None)) => return unavailable("it was closed"),
                Ok(Err(fault)) => return fault.into(),
                Err(_) => match timeout(TRY_MAX, sqlx::query("SELECT 1").execute(&mut *listener)).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(fault)) => return fault.into(),
                    Err(_) => return unavailable("it does not answer"),
                },
            }
        }
    }

    fn news(&self) {
        self.shared.changes.send_modify(|count| *count += 1);
    }

    async fn appear_at_last(&self) -> PgListener {
        loop {
            match self.appear().await {
                Ok(listener) => return listener,
                Err(fault) => tracing::debug!(%fault, "no connection to listen on yet"),
            }
            sleep(DOWN_EVERY).await;
        }
    }

    /// Beside the tries for a new connection, each of which may take long: a server that is full lets one wait.
    async fn look_for_ever(&self) -> Infallible {
        loop {
            if let Ok(last) = self.last_event().await
                && self.seen.swap(last, Ordering::Relaxed) != last
            {
                self.news();
            }
            sleep(DOWN_EVERY).await;
        }
    }

    async fn last_event(&self) -> Result<i64, StoreError> {
        let last = sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM event").fetch_one(&self.pool);
        within(async { Ok(last.await?) }).await
    }
}
