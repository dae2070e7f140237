//! What is sent: kinds of messages in their shares, between bodies whose roles allow them.
//!
//! Promises: the same seed sends the same kinds between the same bodies; every message passes the strict door. Never:
//! holds real data.

use crate::catalogue::{Catalogue, Entry};
use crate::cli::year::{families::Opening, letters};
use crate::clock::Clock;
use crate::domain::ids::{ExchangeId, MessageId, TypeCode};
use crate::domain::message::{Envelope, Format};
use crate::domain::participant::{BodyKind, Participant};
use crate::format;
use crate::simulation::dice::Dice;
use crate::simulation::templates::Writing;
use anyhow::{Context as _, ensure};
use bytes::Bytes;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// What a centre writes most (S3: the requests of its steps).
pub(super) const DEFAULT: &str = "request.information=8,request.school-characteristics=3,request.plan-proposals=1";

/// A message as it is sent.
#[derive(Debug)]
pub(super) struct Written {
    pub id: MessageId,
    pub exchange: ExchangeId,
    pub type_code: TypeCode,
    pub format: Format,
    pub content: Bytes,
    /// Places of sender and recipients among the bodies.
    pub from: usize,
    pub to: Vec<usize>,
}

/// One kind, and who may send it to whom.
struct Kind {
    entry: &'static Entry,
    share: u64,
    senders: Vec<(usize, Arc<Vec<usize>>)>,
}

/// The kinds in their shares.
pub(super) struct Mix {
    kinds: Vec<Kind>,
    shares: u64,
    dice: Dice,
    clock: Clock,
    bodies: Arc<Vec<Participant>>,
    /// So that two runs with one seed do not send the same ids.
    ids: Dice,
    written: u64,
}

impl Mix {
    /// Reads `kind=share,kind=share`.
    ///
    /// # Errors
    /// A kind that the catalogue does not have, or that none of the bodies may send to another.
    pub fn parse(text: &str, bodies: &Arc<Vec<Participant>>, (seed, silent): (u64, &[usize])) -> anyhow::Result<Self> {
        let mut kinds = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (code, share) = part.split_once('=').unwrap_or((part, "1"));
            let share: u64 = share.trim().parse().with_context(|| format!("--mix: `{part}`: a share is a number"))?;
            let code = TypeCode::new(code.trim()).with_context(|| format!("--mix: `{part}`"))?;
            let entry = Catalogue::builtin().latest(&code);
            let entry =
                entry.with_context(|| format!("--mix: the catalogue has no `{code}`; see mezhved catalogue"))?;
            let senders = senders(entry, bodies, silent);
            ensure!(!senders.is_empty(), "--mix: none of the {} participants may send `{code}`", bodies.len());
            kinds.push(Kind { entry, share, senders });
        }
        let shares = kinds.iter().map(|kind| kind.share).sum();
        ensure!(shares > 0, "--mix: nothing to send; write it as {DEFAULT}");
        let ids = Dice(Uuid::new_v4().as_u64_pair().0);
        let (dice, clock) = (Dice(seed), Clock::system());
        Ok(Self { kinds, shares, dice, clock, bodies: Arc::clone(bodies), ids, written: 0 })
    }

    /// The next message that begins an exchange.
    ///
    /// # Errors
    /// When the catalogue's example of the kind does not fit; a test tries the kinds of the default mix.
    pub fn next(&mut self) -> anyhow::Result<Written> {
        let mut left = self.dice.below(self.shares);
        let kind = self.kinds.iter().find(|kind| {
            let is_it = left < kind.share;
            left = left.saturating_sub(kind.share);
            is_it
        });
        let kind = kind.context("the shares add up")?;
        let (from, recipients) = self.dice.one_of(&kind.senders).context("a kind has senders")?;
        let to = *self.dice.one_of(recipients).context("a sender has recipients")?;
        self.written += 1;
        let (sender, id) = (&self.bodies[*from], self.ids.id());
        let writing = Writing { from: sender, now: self.clock.now(), id };
        let opening = Opening {
            on: sender.zone.date(writing.now),
            kind: kind.entry.code.as_str(),
            from: sender.code.clone(),
            to: vec![self.bodies[to].code.clone()],
            case: format!("НАГРУЗКА/{:04}", self.written % 10_000),
            track: "difficult_situation",
            level: "basic",
        };
        let letter = letters::opening(&writing, &opening)?;
        written(&letter, sender.format, (*from, vec![to]))
    }
}

/// Who may send the kind, each with those who may get it. Where a centre may send it, only centres do: it is they who
/// ask most.
fn senders(entry: &Entry, bodies: &[Participant], silent: &[usize]) -> Vec<(usize, Arc<Vec<usize>>)> {
    let mut by_kind: HashMap<BodyKind, Arc<Vec<usize>>> = HashMap::new();
    let mut senders = Vec::new();
    for (from, sender) in bodies.iter().enumerate().filter(|(place, _)| !silent.contains(place)) {
        let all = by_kind.entry(sender.kind).or_insert_with(|| {
            let fits = |one: &&Participant| one.kind != sender.kind && entry.allows(Some(sender.kind), Some(one.kind));
            Arc::new(bodies.iter().enumerate().filter(|(_, one)| fits(one)).map(|(place, _)| place).collect())
        });
        if !all.is_empty() {
            senders.push((from, Arc::clone(all)));
        }
    }
    if senders.iter().any(|(from, _)| bodies[*from].is_centre()) {
        senders.retain(|(from, _)| bodies[*from].is_centre());
    }
    senders
}

/// The answer that a letter demands in full; `None` where it demands none.
///
/// # Errors
/// When the catalogue's example of the answer does not fit.
pub(super) fn answer(
    request: &Envelope,
    (by, from): (&Participant, usize),
    to: usize,
    id: Uuid,
) -> anyhow::Result<Option<Written>> {
    let Some(kind) = letters::demanded(&request.type_code) else { return Ok(None) };
    let writing = Writing { from: by, now: Clock::system().now(), id };
    let letter = letters::answer(&writing, kind, request)?;
    written(&letter, by.format, (from, vec![to])).map(Some)
}

fn written(letter: &Value, format: Format, (from, to): (usize, Vec<usize>)) -> anyhow::Result<Written> {
    let json = serde_json::to_vec(letter)?;
    let message = format::read(&json, Format::Json, Catalogue::builtin()).context("an invented letter")?;
    let content = Bytes::from(format::write(&message, format, Catalogue::builtin())?);
    let envelope = message.envelope;
    let (id, exchange, type_code) = (envelope.id, envelope.exchange_id(), envelope.type_code);
    Ok(Written { id, exchange, type_code, format, content, from, to })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;
    use crate::cli::load::bodies;
    use crate::domain::participant::Route;

    #[test]
    fn one_seed_sends_the_same_kinds_between_the_same_bodies_in_their_shares() {
        let bodies = Arc::new(bodies::invent(60, &Route::Inbox).unwrap());
        let line = |seed| {
            let mut mix = Mix::parse(DEFAULT, &bodies, (seed, &[])).unwrap();
            let next = |_| mix.next().map(|one| (one.type_code.as_str().to_owned(), one.from, one.to)).unwrap();
            (0..120).map(next).collect::<Vec<_>>()
        };
        let first = line(7);
        assert_eq!(first, line(7));
        assert_ne!(first, line(8));
        let information = first.iter().filter(|(kind, ..)| kind == "request.information").count();
        assert!((60..100).contains(&information), "8 of 12 shares, and {information} of 120 messages");
        assert!(first.iter().all(|(_, from, to)| bodies[*from].is_centre() && !to.contains(from)));
    }

    #[test]
    fn a_mix_that_nobody_can_send_is_refused() {
        let bodies = Arc::new(bodies::invent(2, &Route::Inbox).unwrap());
        for bad in ["", "request.information=x", "request.nothing=1", "ruling.commission=1"] {
            assert!(Mix::parse(bad, &bodies, (1, &[])).is_err(), "{bad}");
        }
    }
}
