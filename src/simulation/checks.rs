//! The checks: what must hold of the world when everything has healed, whatever happened before. Each invariant of
//! the house is a function; the participants' books are believed, the gateway's disk is examined.
//!
//! Promises: a violation says which invariant, of what. Never: mends, or looks away.

mod deadlines;
mod records;

use crate::domain::delivery_stage::Stage;
use crate::domain::ids::{ExchangeId, MessageId, ParticipantCode};
use crate::gateway::ports::decisions::RouteKind;
use crate::simulation::books::{Books, Fate, Sort, Way};
use crate::simulation::memory::{NoticeStage, Tables};
use crate::simulation::world::World;
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};

/// What a check looks at.
struct View<'v> {
    world: &'v World<'v>,
    disk: &'v Tables,
    books: &'v Books,
}

type Found = Vec<String>;
type Check = fn(&View<'_>) -> Found;

/// What is ready for less than this goes out with the next round (invariant 3: within 60 s).
const FRESH: TimeDelta = TimeDelta::seconds(60);

/// The checks by name.
const CHECKS: [(&str, Check); 17] = [
    ("durable_receipt", durable_receipt),
    ("one_effect", records::one_effect),
    ("no_limbo", no_limbo),
    ("conservation", conservation),
    ("nothing_from_nowhere", nothing_from_nowhere),
    ("order_holds", order_holds),
    ("a_conflict_is_never_swallowed", conflict),
    ("the_due_date_equals_the_rule", deadlines::due_date),
    ("each_rung_fires_once", deadlines::each_rung_once),
    ("no_rung_is_early_or_late", deadlines::no_rung_early_or_late),
    ("an_answer_stops_the_ladder", deadlines::an_answer_stops_the_ladder),
    ("order_free", deadlines::order_free),
    ("registered_is_registered", registered),
    ("poison_is_isolated", poison),
    ("the_audit_is_complete", records::audit),
    ("a_mail_is_one_mail", mails),
    ("no_wrong_acknowledgement", acknowledgements),
];

/// Everything that is wrong, each with the name of its check.
pub(super) fn all(world: &World<'_>) -> Vec<String> {
    let (disk, books) = (world.store.disk(), world.books());
    let view = View { world, disk: &disk, books: &books };
    let found = CHECKS.iter().flat_map(|(name, check)| {
        let found = check(&view);
        found.into_iter().map(move |what| format!("{name}: {what}"))
    });
    books.wrong.iter().cloned().chain(found).collect()
}

/// Whether nothing is left to be done.
pub(super) fn is_quiet(world: &World<'_>) -> bool {
    let (disk, books) = (world.store.disk(), world.books());
    no_limbo(&View { world, disk: &disk, books: &books }).is_empty()
}

/// What is wrong already while the world is in trouble.
pub(super) fn at_any_time(world: &World<'_>) -> Option<String> {
    let gap = world.store.disk().figures().conservation_gap();
    (gap != 0).then(|| format!("conservation: the gap is {gap}"))
}

/// Invariant 1: what was receipted is on the disk, as it was receipted.
fn durable_receipt(view: &View<'_>) -> Found {
    let mut found = Found::new();
    for letter in view.books.letters.iter().filter(|letter| letter.sort == Sort::Good) {
        let (Fate::Receipted { number }, 1) = (&letter.fate, view.of_id(letter.id)) else { continue };
        let stored = view.disk.messages.get(&letter.id);
        let holds = stored.is_some_and(|stored| {
            stored.sender == letter.from && stored.outcome.number == *number && Some(stored.digest) == letter.digest
        });
        if !holds {
            found
                .push(format!("{} of {} was receipted as {number}, and is not so on the disk", letter.id, letter.from));
        }
    }
    found
}

impl View<'_> {
    /// Letters that bear an id.
    fn of_id(&self, id: MessageId) -> usize {
        self.books.letters.iter().filter(|letter| letter.id == id).count()
    }
}

/// Invariant 3: everything is done, or waits for a person.
fn no_limbo(view: &View<'_>) -> Found {
    let mut found = Found::new();
    for letter in &view.books.letters {
        let is_told = view.of_id(letter.id) > 1 && view.books.was_told(letter);
        if letter.fate == Fate::Open || (letter.fate == Fate::WithBroker && !is_told) {
            found.push(format!("{} {} of {} is {:?}", letter.kind, letter.id, letter.from, letter.fate));
        }
    }
    let (inbound, outbound) = view.world.broker.waiting();
    if inbound + outbound > 0 {
        found.push(format!("{inbound} deliveries and {outbound} letters wait at the broker"));
    }
    for ((message, recipient), row) in &view.disk.deliveries {
        let is_fresh = row.ready_at.is_some_and(|at| at <= view.world.now && view.world.now - at < FRESH);
        if row.stage.is_given_up() || (row.stage.is_on_its_way() && !is_fresh) {
            found.push(format!("{message} to {recipient} is {:?} until {:?}", row.stage, row.ready_at));
        }
    }
    for id in view.disk.due(view.world.now, 100) {
        found.push(format!("something of {id} is due and not done"));
    }
    let late = view.world.now - TimeDelta::minutes(10);
    let waits = |at: Option<chrono::DateTime<chrono::Utc>>| at.is_some_and(|at| at < late);
    found
        .extend(view.disk.notices.values().filter(|one| waits(one.ready_at)).map(|one| format!("mail {}", one.row.id)));
    for exchange in view.disk.exchanges.values().filter(|one| one.root.is_some() && !one.parked.is_empty()) {
        let owed = exchange.parked.iter().any(|parked| exchange.has_party(&parked.from));
        if owed {
            found.push(format!("{} waits for a beginning that has come", exchange.id));
        }
    }
    found
}

/// Invariant 4: what was accepted has reached everybody whom it names, by their own books.
fn conservation(view: &View<'_>) -> Found {
    let gap = view.disk.figures().conservation_gap();
    let mut found: Found = (gap != 0).then(|| format!("the gap is {gap}")).into_iter().collect();
    for message in view.disk.messages.values() {
        for recipient in &message.recipients {
            let key = (message.id, recipient.clone());
            let Some(row) = view.disk.deliveries.get(&key) else {
                found.push(format!("{} was never queued for {recipient}", message.id));
                continue;
            };
            let reached = view.books.received.contains_key(&(recipient.clone(), message.id));
            if matches!(row.stage, Stage::Delivered | Stage::Registered) && !reached {
                found.push(format!("{} to {recipient} counts as {:?} and never came", message.id, row.stage));
            }
        }
    }
    for ((id, recipient), row) in &view.disk.deliveries {
        let reached = view.books.received.contains_key(&(recipient.clone(), *id));
        if row.route != RouteKind::Inbox && row.stage == Stage::Delivered && !reached {
            found.push(format!("{id} to {recipient} counts as delivered and never came"));
        }
    }
    found
}

/// Nothing has left the gateway that was not written down.
fn nothing_from_nowhere(view: &View<'_>) -> Found {
    let strangers =
        view.books.received.iter().filter(|((by, id), _)| !view.disk.deliveries.contains_key(&(*id, by.clone())));
    strangers
        .map(|((by, id), one)| format!("{by} has {} {id}, of which the gateway knows nothing", one.envelope.type_code))
        .collect()
}

/// What goes to one recipient of one exchange comes in the order in which it was queued, whoever sends it.
fn order_holds(view: &View<'_>) -> Found {
    let mut came: BTreeMap<(&ParticipantCode, ExchangeId), Vec<_>> = BTreeMap::new();
    for ((id, recipient), row) in view.disk.deliveries.iter().filter(|(_, row)| row.route != RouteKind::Inbox) {
        let (Some(exchange), Some(one)) = (row.exchange, view.books.received.get(&(recipient.clone(), *id))) else {
            continue;
        };
        came.entry((recipient, exchange)).or_default().push((row.first_seq, one.no, id, row));
    }
    let mut found = Found::new();
    for ((recipient, exchange), mut all) in came {
        all.sort_by_key(|(seq, ..)| *seq);
        for (place, (_, no, id, row)) in all.iter().enumerate().filter(|(_, (.., row))| row.is_ordered) {
            let late = all[..place]
                .iter()
                .find(|(_, before, _, earlier)| before > no && earlier.is_ordered && !earlier.is_passable);
            found.extend(late.map(|(_, _, other, _)| {
                format!("{id} of {exchange} came to {recipient} before {other}, queued at {}", row.queued_at)
            }));
        }
    }
    found
}

/// Invariant 5: of one id with two contents one stands, and the other is kept beside it.
fn conflict(view: &View<'_>) -> Found {
    let mut found = Found::new();
    for letter in view.books.letters.iter().filter(|letter| letter.digest.is_some()) {
        let Some(stored) = view.disk.messages.get(&letter.id) else { continue };
        if Some(stored.digest) == letter.digest || stored.sender != letter.from {
            continue;
        }
        let is_kept = view.disk.quarantine.iter().any(|row| row.content == letter.content);
        let otherwise = matches!(&letter.fate, Fate::Refused { code } if code != "id_conflict");
        let is_refused_before = letter.way == Way::Http && otherwise;
        if !is_kept && !is_refused_before {
            found.push(format!("the other content of {} is nowhere ({:?})", letter.id, letter.fate));
        }
    }
    found
}

/// What a recipient has registered or refused, and was told so, is so on the disk.
fn registered(view: &View<'_>) -> Found {
    let mut found = Found::new();
    for ((by, id), number) in &view.books.registered {
        let row = view.disk.deliveries.get(&(*id, by.clone()));
        if row.and_then(|row| row.number.as_ref()) != Some(number) {
            found.push(format!("{id} was registered by {by} as {number}"));
        }
    }
    for (by, id) in &view.books.refused {
        let row = view.disk.deliveries.get(&(*id, by.clone()));
        // What was refused may have been sent again: then the row keeps the reason, or the number that it got after it.
        if !row.is_some_and(|row| row.stage == Stage::Rejected || row.error.is_some() || row.number.is_some()) {
            found.push(format!("{id} was refused by {by}"));
        }
    }
    found
}

/// Invariant 11: what cannot be taken is kept for a person, and nothing of it is done.
fn poison(view: &View<'_>) -> Found {
    let mut found = Found::new();
    for letter in view.books.letters.iter().filter(|letter| letter.sort == Sort::Poison) {
        if view.disk.messages.contains_key(&letter.id) {
            found.push(format!("{} was accepted", letter.id));
        }
        let is_kept = view.disk.quarantine.iter().any(|row| row.content == letter.content);
        let is_told = matches!(letter.fate, Fate::Refused { .. });
        if !is_told || (letter.way == Way::Queue && !is_kept) {
            found.push(format!("{} of {}: {:?}, kept: {is_kept}", letter.id, letter.from, letter.fate));
        }
    }
    found
}

/// A mail goes out under one id with one text, and what counts as sent was taken by the server.
fn mails(view: &View<'_>) -> Found {
    let taken = view.world.mailbox.taken();
    let several = |texts: &&Vec<String>| texts.iter().collect::<BTreeSet<_>>().len() > 1;
    let mut found: Found =
        taken.iter().filter(|(_, texts)| several(texts)).map(|(id, _)| format!("{id} had several texts")).collect();
    for notice in view.disk.notices.values() {
        if notice.stage == NoticeStage::Sent && !taken.contains_key(&notice.row.id) {
            found.push(format!("{} counts as sent", notice.row.id));
        }
    }
    found
}

/// The gateway acknowledges what it was given, once.
fn acknowledgements(view: &View<'_>) -> Found {
    let wrong = view.world.broker.wrong_acks();
    (wrong > 0).then(|| format!("{wrong} acknowledgements of unknown deliveries")).into_iter().collect()
}
