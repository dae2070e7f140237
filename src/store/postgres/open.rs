//! Opening the database: the settings of every connection, and what a server must not be.
//!
//! Promises: every connection commits with `synchronous_commit = on` (but for counts that only this gateway's death must
//! not take: session.rs), and gives up what it waits for or holds too long, so that a gateway that hangs or is cut off does
//! not hold the decision lock for ever. Never: opens a database whose server does not sync to disk.

use crate::store::postgres::{OpenError, PostgresOptions};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgPool, Row};
use std::str::FromStr;
use std::time::Duration;

/// Of every session. The server ends a transaction that is idle for 30 s (its gateway hangs), a statement after 30 s, a
/// wait for a lock after 10 s, and a connection whose other end has not acknowledged anything for about 25 s.
const SETTINGS: [(&str, &str); 11] = [
    ("synchronous_commit", "on"),
    ("idle_in_transaction_session_timeout", "30s"),
    ("statement_timeout", "30s"),
    ("lock_timeout", "10s"),
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "25s"),
    ("default_transaction_read_only", "off"),
    // Every query reads by an index and little; to start a helper or a compiler for it takes longer than the query.
    ("max_parallel_workers_per_gather", "0"),
    ("jit", "off"),
];

/// Of who decides: a statement is planned once for a connection. Its arrays differ with every batch, and for some the
/// server would plan each time anew, which takes as long as to carry it out.
const PLANNED_ONCE: [(&str, &str); 1] = [("plan_cache_mode", "force_generic_plan")];

/// A connection that was idle for longer is asked whether it is there still. One that has just answered is taken at its
/// word: to ask each time would be a third of all that is said to the server. A transaction
/// that cannot begin because it broke in between begins on another (session.rs); a single query fails.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// How long a call waits for a connection of the pool.
const ACQUIRE_MAX: Duration = Duration::from_secs(10);
/// Decisions go one after another (lock.rs); more connections than for those that wait in turn are of no use.
const DECIDING_MAX: u32 = 4;
/// More than there are statements in this module.
const STATEMENTS_MAX: usize = 256;
/// `tcp_user_timeout` and what else is set is there from this version on.
const VERSION_MIN: i32 = 140_000;

/// Connections as they must be.
pub(super) fn connect_options(url: &str) -> Result<PgConnectOptions, OpenError> {
    let options = PgConnectOptions::from_str(url).map_err(|_| OpenError::Address)?;
    let options = options.application_name("mezhved").statement_cache_capacity(STATEMENTS_MAX).options(SETTINGS);
    Ok(options.disable_statement_logging())
}

/// The connections for who looks, and those for who decides.
pub(super) async fn pools(url: &str, options: &PostgresOptions) -> Result<(PgPool, PgPool), OpenError> {
    let all = options.connections_max.max(2);
    let deciding = (all / 4).clamp(1, DECIDING_MAX);
    let lookers = pool(connect_options(url)?, all - deciding).await?;
    Ok((lookers, pool(connect_options(url)?.options(PLANNED_ONCE), deciding).await?))
}

/// A pool of so many connections, with one open, so that a fault shows at the start.
pub(super) async fn pool(options: PgConnectOptions, connections_max: u32) -> Result<PgPool, OpenError> {
    let pool = PgPoolOptions::new().max_connections(connections_max).acquire_timeout(ACQUIRE_MAX);
    let pool = pool.test_before_acquire(false).before_acquire(|connection, meta| {
        Box::pin(async move {
            if meta.idle_for > TRUSTED_FOR {
                connection.ping().await?;
            }
            Ok(true)
        })
    });
    Ok(pool.connect_with(options).await?)
}

/// Refuses what would make a receipt worth less than it says.
pub(super) async fn refuse_unsafe(pool: &PgPool) -> Result<(), OpenError> {
    const ASK: &str = "SELECT current_setting('server_version_num')::integer AS version,
                current_setting('server_version') AS version_name, current_setting('fsync') AS fsync,
                current_setting('full_page_writes') AS full_page_writes,
                current_setting('synchronous_commit') AS synchronous_commit,
                current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS standby";
    let said = sqlx::query(ASK).fetch_one(pool).await?;
    for name in ["fsync", "full_page_writes", "synchronous_commit"] {
        let found: String = said.try_get(name)?;
        if found != "on" {
            return Err(OpenError::Unsafe { name, found, wanted: "on" });
        }
    }
    if said.try_get::<i32, _>("version")? < VERSION_MIN {
        return Err(OpenError::TooOld { found: said.try_get("version_name")? });
    }
    let encoding: String = said.try_get("encoding")?;
    if encoding != "UTF8" {
        return Err(OpenError::Encoding { found: encoding });
    }
    if said.try_get("standby")? { Err(OpenError::Standby) } else { Ok(()) }
}
