//! A transaction of decisions, and the other transactions that the port `Decisions` asks for.
//!
//! Promises: between the beginning of a unit and its commit nobody else decides (lock.rs); a unit that is dropped, or
//! held too long (open.rs), is rolled back. Never: confirms before the server has synced (but for
//! counts of beginnings: session.rs).

use crate::domain::decision::Event;
use crate::domain::delivery::waits_until_max;
use crate::domain::ids::ParticipantCode;
use crate::failpoint;
use crate::gateway::ports::decisions::{Attempt, AttemptResult, Claim, Claimed, Register, Unit};
use crate::gateway::ports::{Changes, Keys, Loaded, StoreError};
use crate::store::postgres::counters::{self, Counters};
use crate::store::postgres::outbox::Key;
use crate::store::postgres::presence::Bearer;
use crate::store::postgres::reader::Reader;
use crate::store::postgres::refs::{Refs, Wanted};
use crate::store::postgres::session::{Session, within};
use crate::store::postgres::{PostgresStore, events, journal, load, lock, outbox, save};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use std::collections::HashMap;
use std::sync::Arc;

/// An open transaction that has the decision lock.
pub(super) struct PostgresUnit {
    session: Session,
    refs: Refs,
    hold: Hold,
}

/// What a unit has beside the decision lock.
pub(super) struct Hold {
    /// Whose leases it writes.
    pub(super) bearer: Bearer,
    /// Whether it has the lock of letters.
    pub(super) letters: bool,
}

/// Opens a transaction and loads.
pub(super) async fn begin(store: &PostgresStore, keys: &Keys) -> Result<(PostgresUnit, Loaded), StoreError> {
    let begin = if keys.letters { lock::BEGIN_LETTERS_AND_DECISION } else { lock::BEGIN_DECISION };
    let mut session = Session::begin(&store.deciding, begin).await?;
    let (loaded, refs) = within(load::load(session.connection(), keys)).await?;
    let hold = Hold { bearer: store.presence.bearer(), letters: keys.letters };
    Ok((PostgresUnit { session, refs, hold }, loaded))
}

#[async_trait]
impl Unit for PostgresUnit {
    async fn registers(&mut self, of: Vec<(ParticipantCode, i32)>) -> Result<HashMap<Register, u64>, StoreError> {
        within(journal::registers(self.session.connection(), &of)).await
    }

    async fn commit(mut self: Box<Self>, changes: Changes) -> Result<Vec<Key>, StoreError> {
        let saved = within(save::save(self.session.connection(), &changes, (self.refs, &self.hold))).await;
        let tell = save::is_news(&changes).then(|| self.hold.bearer.commit_and_tell());
        end(self.session, (saved, tell)).await
    }
}

/// Commits what was saved, or rolls back. A connection on which the server refused something is as good as before.
pub(super) async fn end<T>(
    session: Session,
    (done, tell): (Result<T, StoreError>, Option<Arc<str>>),
) -> Result<T, StoreError> {
    match done {
        Ok(done) => {
            failpoint::reach("before-commit");
            let committed = match tell {
                Some(tell) => session.commit_with(tell).await,
                None => session.commit().await,
            };
            committed.map_err(of_commit)?;
            Ok(done)
        }
        Err(refused @ (StoreError::Rejected(_) | StoreError::LettersHeld)) => {
            session.roll_back().await;
            Err(refused)
        }
        Err(error) => Err(error),
    }
}

/// What was saved has passed every constraint: a commit that fails all the same (the queue of notifications is full, say)
/// is no fault of the rows.
fn of_commit(fault: StoreError) -> StoreError {
    match fault {
        StoreError::Rejected(cause) => StoreError::Unavailable(cause),
        other => other,
    }
}

/// Begins a claim: first the leases of gateways that are gone end. `None` where nothing of that code is ready now (`waits`
/// finds it in the order of an index, which is so asked for its first entry): who sends is woken by every commit.
pub(super) async fn begin_claim(
    store: &PostgresStore,
    (waits, code): (&'static str, &str),
    (now, latest): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Option<Session>, StoreError> {
    let gone = store.presence.gone(&store.deciding).await?;
    let mut reader = Reader::of(&store.deciding).await?;
    let found = within(async {
        Ok(sqlx::query(waits).bind(code).bind(now).bind(latest).fetch_optional(reader.connection()).await?)
    })
    .await;
    if reader.answered(found)?.is_none() && gone.is_empty() {
        return Ok(None);
    }
    let mut session = Session::begin(&store.deciding, lock::BEGIN_CLAIM).await?;
    within(outbox::end_leases(session.connection(), &gone)).await?;
    Ok(Some(session))
}

/// Leases deliveries.
pub(super) async fn claim(store: &PostgresStore, claim: &Claim) -> Result<Vec<Claimed>, StoreError> {
    let Some(mut session) =
        begin_claim(store, (outbox::WAITS, claim.route.code()), (claim.now, waits_until_max(claim.now))).await?
    else {
        return Ok(Vec::new());
    };
    let holder = store.presence.holder();
    let claimed = within(async {
        let connection = session.connection();
        let mut counters = Counters::default();
        let claimed = outbox::claim(connection, (claim, holder), &mut counters).await?;
        counters::write(&counters, connection).await?;
        Ok(claimed)
    });
    let claimed = claimed.await;
    end(session, (claimed, None)).await
}

/// Writes down what became of deliveries: their rows beside whatever is decided meanwhile, then their events.
pub(super) async fn settle(
    store: &PostgresStore,
    (attempts, mut told): (&[Attempt], Vec<Event>),
) -> Result<(), StoreError> {
    // A letter whose commit had no answer is seen only when that commit, if it is still under way, has come to its end.
    let is_unsure = attempts.iter().any(|attempt| matches!(attempt.result, AttemptResult::Unsure { .. }));
    let begin = if is_unsure { lock::BEGIN_LETTERS_AND_DECISION } else { lock::BEGIN_LETTERS };
    let mut session = Session::begin(&store.deciding, begin).await?;
    let settled = within(async {
        let (mut refs, mut counters) = (Refs::default(), Counters::default());
        let (connection, numbers) = (session.connection(), store.presence.numbers());
        let ignored = outbox::settle(connection, (attempts, &numbers), (&mut refs, &mut counters)).await?;
        session.lock(lock::DECISION).await?;
        told.retain(|event| event.gives_up().is_none_or(|delivery| !ignored.contains(&delivery)));
        // Now, because an exchange that was not on record may have begun meanwhile.
        save_events(session.connection(), &told, (refs, counters)).await
    });
    let settled = settled.await;
    let tell = (!told.is_empty()).then(|| store.presence.commit_and_tell());
    end(session, (settled, tell)).await
}

/// Writes events, then the counters; the last thing of a transaction.
pub(super) async fn save_events(
    connection: &mut PgConnection,
    told: &[Event],
    (mut refs, counters): (Refs, Counters),
) -> Result<(), StoreError> {
    let mut wanted = Wanted::default();
    wanted.exchanges.extend(told.iter().filter_map(|event| event.exchange).map(|id| id.0));
    wanted.obligations.extend(told.iter().filter_map(|event| event.obligation).map(|id| id.0));
    refs.find(connection, wanted).await?;
    events::save(connection, told, (&refs, counters)).await
}
