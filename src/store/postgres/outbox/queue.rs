//! What decisions and workers write into the outbox.
//!
//! Promises: a bounded number of statements whatever the batch size. Never: queues a delivery of a message that is not on
//! record.

use super::delivery::{Delivery, Key};
use super::rows::{lock, write};
use crate::domain::decision::ProofStage;
use crate::domain::delivery_stage::Stage;
use crate::domain::ids::{ExchangeId, MessageId, ParticipantCode};
use crate::gateway::ports::decisions::{Attempt, AttemptResult, OutboxRow, Taking};
use crate::gateway::ports::{Changes, StoreError};
use crate::store::postgres::counters::{ACCEPTED_ADDRESSEES, Counters, of_stage};
use crate::store::postgres::lock::TRY_LETTERS;
use crate::store::postgres::messages::{self, format_code};
use crate::store::postgres::presence::Bearer;
use crate::store::postgres::refs::Refs;
use crate::store::postgres::row::{Record, int};
use crate::store::postgres::unit::Hold;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::postgres::{PgBindIterExt, PgRow};
use std::collections::{HashMap, HashSet};

/// Queues deliveries and writes down what addressees have proven. A row that exists is sent again, under a new number so
/// that no inbox cursor has passed it, unless it is still on its way. Gives the deliveries that are leased to the bearer.
pub(in crate::store::postgres) async fn queue_and_prove(
    connection: &mut PgConnection,
    (changes, hold): (&Changes, &Hold),
    (refs, counters): (&Refs, &mut Counters),
) -> Result<Vec<Key>, StoreError> {
    let mut begun: HashSet<Key> = HashSet::new();
    let fresh = changes.outbox.iter().filter(|row| begun.insert((row.message, row.recipient.clone())));
    let fresh: Vec<&OutboxRow> = fresh.collect();
    let mut rows: HashMap<Key, Delivery> =
        insert(connection, (&fresh, refs), (changes.taking.as_ref(), &hold.bearer)).await?.into_iter().collect();
    counters.add(of_stage(Stage::Queued), int(rows.len()));
    let is_new = |row: &&OutboxRow| rows.contains_key(&(row.message, row.recipient.clone()));
    let (new, again): (Vec<&OutboxRow>, Vec<&OutboxRow>) = fresh.into_iter().partition(is_new);
    counters.add(ACCEPTED_ADDRESSEES, owed_beyond(connection, &new, changes).await?);
    let again_keys = again.iter().map(|row| (row.message, row.recipient.clone()));
    let proven = changes.proofs.iter().map(|proof| (proof.message, proof.recipient.clone()));
    let on_record: HashSet<Key> = again_keys.chain(proven).filter(|key| !rows.contains_key(key)).collect();
    if !on_record.is_empty() && !hold.letters {
        take_letters(connection).await?;
    }
    rows.extend(lock(connection, &on_record).await?);
    for row in again {
        if let Some(delivery) = rows.get_mut(&(row.message, row.recipient.clone())) {
            delivery.queue_again(row);
        }
    }
    prove(connection, changes, &mut rows).await?;
    write_back(connection, &rows, counters).await?;
    Ok(rows.into_iter().filter(|(_, row)| row.is_leased_new()).map(|(key, _)| key).collect())
}

/// The lock of letters, if nobody has it: who has it may wait for the decision lock, which is ours.
async fn take_letters(connection: &mut PgConnection) -> Result<(), StoreError> {
    let taken: bool = sqlx::query_scalar(TRY_LETTERS).fetch_one(connection).await?;
    if taken { Ok(()) } else { Err(StoreError::LettersHeld) }
}

/// Writes down attempts that were made under leases of these numbers. Gives the deliveries of which an attempt says
/// nothing any more, because its lease is gone.
pub(in crate::store::postgres) async fn settle(
    connection: &mut PgConnection,
    (attempts, numbers): (&[Attempt], &[i32]),
    (refs, counters): (&mut Refs, &mut Counters),
) -> Result<HashSet<Key>, StoreError> {
    let arrived = arrive(connection, attempts, (refs, counters)).await?;
    let key = |attempt: &Attempt| (attempt.message, attempt.recipient.clone());
    let keys: HashSet<Key> = attempts.iter().map(key).filter(|key| !arrived.contains(key)).collect();
    let mut rows = lock(connection, &keys).await?;
    for (exchange, n) in rows.values().filter_map(|row| row.exchange) {
        refs.saw_exchange(exchange, n);
    }
    let mut ignored = HashSet::new();
    for attempt in attempts {
        let key = key(attempt);
        if let Some(delivery) = rows.get_mut(&key)
            && !delivery.settle((attempt.at, &attempt.result), numbers)
        {
            ignored.insert(key);
        }
    }
    write_back(connection, &rows, counters).await?;
    Ok(ignored)
}

/// What nearly every attempt ends with, in one statement: a letter under way, not registered before, has arrived. The
/// same as [`Delivery::settle`] makes of it; whatever else there is, is left to that. Gives what was written.
async fn arrive(
    connection: &mut PgConnection,
    attempts: &[Attempt],
    (refs, counters): (&mut Refs, &mut Counters),
) -> Result<HashSet<Key>, StoreError> {
    // Each row is looked for by its key, in a subquery of its own: of a table that has just grown the planner knows
    // nothing, and takes the few that are being sent for fewer still. As a join it would compare all with all. Not locked
    // first, which would be one more change of each row: what it is at the moment of the update is asked there.
    const ARRIVE: &str = "WITH found AS MATERIALIZED (
             SELECT o.seq, new.at, new.content_sha256
             FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[])
                 AS new (message, recipient, at, content_sha256)
             CROSS JOIN LATERAL (SELECT seq FROM outbox
                 WHERE message = new.message AND recipient = new.recipient
                     AND state IS NOT DISTINCT FROM 'sending' AND number IS NULL
                 LIMIT 1) AS o)
         UPDATE outbox SET state = 'delivered', attempts = attempts + 1, ready_at = NULL, holder = NULL,
             delivered_at = found.at, content_sha256 = found.content_sha256, error = NULL
         FROM found WHERE outbox.seq = found.seq AND outbox.state IS NOT DISTINCT FROM 'sending' AND outbox.number IS NULL
         RETURNING outbox.seq, outbox.message, outbox.recipient, outbox.exchange, outbox.exchange_n";
    // Several of one letter are counted one by one.
    let mut times: HashMap<(MessageId, &ParticipantCode), u32> = HashMap::new();
    for attempt in attempts {
        *times.entry((attempt.message, &attempt.recipient)).or_default() += 1;
    }
    let is_only = |attempt: &&Attempt| times.get(&(attempt.message, &attempt.recipient)) == Some(&1);
    let arrived = attempts.iter().filter(is_only).filter_map(|attempt| match &attempt.result {
        AttemptResult::Delivered { content_sha256 } => Some((attempt, content_sha256.as_str())),
        _ => None,
    });
    let arrived: Vec<(&Attempt, &str)> = arrived.collect();
    if arrived.is_empty() {
        return Ok(HashSet::new());
    }
    let query = sqlx::query(ARRIVE)
        .bind(arrived.iter().map(|(attempt, _)| attempt.message.0).bind_iter())
        .bind(arrived.iter().map(|(attempt, _)| attempt.recipient.as_str()).bind_iter())
        .bind(arrived.iter().map(|(attempt, _)| attempt.at).bind_iter())
        .bind(arrived.iter().map(|(_, digest)| *digest).bind_iter());
    let mut written = HashSet::new();
    for row in &query.fetch_all(connection).await? {
        let record = Record::new(row, "outbox");
        if let Some((exchange, n)) = record.opt_uuid("exchange")?.zip(record.opt_integer("exchange_n")?) {
            refs.saw_exchange(ExchangeId(exchange), n);
        }
        counters.moved(of_stage(Stage::Sending), of_stage(Stage::Delivered));
        written.insert((MessageId(record.uuid("message")?), record.participant("recipient")?));
    }
    Ok(written)
}

async fn write_back(
    connection: &mut PgConnection,
    rows: &HashMap<Key, Delivery>,
    counters: &mut Counters,
) -> Result<(), StoreError> {
    let mut changed: Vec<&Delivery> = rows.values().filter(|row| row.changed).collect();
    changed.sort_unstable_by_key(|row| row.seq);
    changed.iter().for_each(|row| row.count(counters));
    write(connection, &changed).await
}

/// Writes those that there are not yet, and gives them. Of those that are to be taken at once the bearer has a lease, if
/// it can show that it is alive, the way is the one that was thought, and no letter of the exchange is on its way to the same recipient.
async fn insert(
    connection: &mut PgConnection,
    (new, refs): (&[&OutboxRow], &Refs),
    (taking, bearer): (Option<&Taking>, &Bearer),
) -> Result<Vec<(Key, Delivery)>, StoreError> {
    // The gateway that has decided may not have heard yet of an import, which goes before or after it as a whole (lock.rs).
    // The earlier letter is looked for by a scalar subquery, as in a claim. What is on record is left out by a look, because
    // `ON CONFLICT` would wait for who is settling it, and he for the decision lock; nobody else queues letters
    // meanwhile. `OFFSET 0` keeps the looks from being copied to each place that names what they give: eight for a row
    // instead of three.
    const INSERT: &str = "INSERT INTO outbox (message, recipient, route, exchange, exchange_n, state, queued_at,
             ready_at, holder, format, content)
         SELECT message, recipient, way, exchange, exchange_n, CASE WHEN taken THEN 'sending' ELSE 'queued' END,
             queued_at, CASE WHEN taken THEN $10 ELSE queued_at END, CASE WHEN taken THEN $11 END, format, content
         FROM (SELECT led.*, CASE WHEN NOT wanted OR way <> route THEN false
                 WHEN exchange_n IS NULL THEN exchange IS NULL
                 ELSE (SELECT e.seq FROM outbox e WHERE e.exchange_n = led.exchange_n AND e.recipient = led.recipient
                     AND e.state IN ('queued', 'sending', 'waiting_retry') LIMIT 1) IS NULL END AS taken
             FROM (SELECT new.*,
                     coalesce((SELECT p.route FROM participant p WHERE p.code = new.recipient), new.route) AS way
                 FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::bigint[], $6::timestamptz[],
                         $7::text[], $8::bytea[], $9::boolean[])
                     WITH ORDINALITY AS new (message, recipient, route, exchange, exchange_n, queued_at, format,
                         content, wanted, place)
                 WHERE (SELECT o.seq FROM outbox o WHERE o.message = new.message AND o.recipient = new.recipient LIMIT 1)
                     IS NULL OFFSET 0) AS led
             OFFSET 0) AS found
         ORDER BY place
         RETURNING seq, message, recipient, route, state, ready_at, holder";
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let holder = bearer.holder();
    let taking = taking.filter(|_| holder.is_some());
    let is_wanted =
        |row: &&OutboxRow| taking.is_some_and(|taking| taking.letters.contains(&(row.message, row.recipient.clone())));
    let query = sqlx::query(INSERT)
        .bind(new.iter().map(|row| row.message.0).bind_iter())
        .bind(new.iter().map(|row| row.recipient.as_str()).bind_iter())
        .bind(new.iter().map(|row| row.route.code()).bind_iter())
        .bind(new.iter().map(|row| row.exchange.map(|id| id.0)).bind_iter())
        .bind(new.iter().map(|row| row.exchange.and_then(|id| refs.exchange(id))).bind_iter())
        .bind(new.iter().map(|row| row.queued_at).bind_iter())
        .bind(new.iter().map(|row| row.content.as_ref().map(|(format, _)| format_code(*format))).bind_iter())
        .bind(new.iter().map(|row| row.content.as_ref().map(|(_, content)| &content[..])).bind_iter())
        .bind(new.iter().map(is_wanted).bind_iter())
        .bind(taking.map(|taking| taking.lease_until))
        .bind(holder);
    let of: HashMap<(MessageId, &ParticipantCode), &OutboxRow> =
        new.iter().map(|row| ((row.message, &row.recipient), *row)).collect();
    let mut written = Vec::with_capacity(new.len());
    for row in &query.fetch_all(connection).await? {
        let record = Record::new(row, "outbox");
        let key = (MessageId(record.uuid("message")?), record.participant("recipient")?);
        let queued = of.get(&(key.0, &key.1)).copied();
        if let Some(row) = queued {
            let delivery = Delivery::queued(record.integer("seq")?, row);
            let (stage, ready_at) = (record.one_of("state")?, record.opt_instant("ready_at")?);
            let holder = record.opt_integer("holder")?.map(|_| record.integer("holder")).transpose()?;
            let route = record.one_of("route")?;
            written.push((key, Delivery { was: stage, stage, ready_at, holder, route, ..delivery }));
        }
    }
    Ok(written)
}

/// How many of the new rows no accepted message owes (receipts, what was forwarded). A row without content whose message
/// is not on record could never be delivered, and is refused.
async fn owed_beyond(connection: &mut PgConnection, new: &[&OutboxRow], changes: &Changes) -> Result<i64, StoreError> {
    let mut recipients: HashMap<MessageId, &[ParticipantCode]> =
        changes.messages.iter().map(|message| (message.id, &message.recipients[..])).collect();
    let without = new.iter().filter(|row| row.content.is_none()).map(|row| row.message);
    let elsewhere: HashSet<MessageId> = without.filter(|id| !recipients.contains_key(id)).collect();
    let elsewhere: Vec<MessageId> = elsewhere.into_iter().collect();
    let on_record = messages::recipients(connection, &elsewhere).await?;
    recipients.extend(on_record.iter().map(|(id, recipients)| (*id, &recipients[..])));
    let mut beyond = 0;
    for row in new {
        if row.content.is_some() {
            beyond += 1;
            continue;
        }
        let unknown = || StoreError::Rejected("a delivery names a message that is not on record".into());
        let owed = recipients.get(&row.message).ok_or_else(unknown)?.contains(&row.recipient);
        beyond += i64::from(!owed);
    }
    Ok(beyond)
}

async fn prove(
    connection: &mut PgConnection,
    changes: &Changes,
    rows: &mut HashMap<Key, Delivery>,
) -> Result<(), StoreError> {
    let at = instant_of(changes);
    let own = own_numbers(connection, changes).await?;
    for proof in &changes.proofs {
        let key = (proof.message, proof.recipient.clone());
        if let Some(delivery) = rows.get_mut(&key) {
            delivery.prove(&proof.stage, at, own.get(&key).map(String::as_str));
        }
    }
    Ok(())
}

/// The gateway's own numbers for addressees that have registered without one of theirs.
async fn own_numbers(connection: &mut PgConnection, changes: &Changes) -> Result<HashMap<Key, String>, StoreError> {
    const FIND: &str = "SELECT j.message, j.participant, j.number || '/' || j.year AS number
         FROM unnest($1::uuid[], $2::text[]) AS key (message, participant)
         JOIN journal j ON j.message = key.message AND j.participant = key.participant
         WHERE j.direction = 'incoming'";
    let nameless = |stage: &ProofStage| matches!(stage, ProofStage::Registered { number, .. } if number.is_empty());
    let wanted = || changes.proofs.iter().filter(|proof| nameless(&proof.stage));
    if wanted().next().is_none() {
        return Ok(HashMap::new());
    }
    let query = sqlx::query(FIND)
        .bind(wanted().map(|proof| proof.message.0).bind_iter())
        .bind(wanted().map(|proof| proof.recipient.as_str()).bind_iter());
    let read = |row: &PgRow| {
        let record = Record::new(row, "journal");
        Ok(((MessageId(record.uuid("message")?), record.participant("participant")?), record.string("number")?))
    };
    query.fetch_all(connection).await?.iter().map(read).collect()
}

/// The instant of a batch, for what bears none of its own.
fn instant_of(changes: &Changes) -> Option<DateTime<Utc>> {
    let events = changes.events.iter().map(|event| event.at);
    events.chain(changes.messages.iter().map(|message| message.received_at)).max()
}
