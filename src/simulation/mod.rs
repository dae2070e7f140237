//! The simulator: the real gateway, or two of them — core and verbs — in a world whose store, broker, participants and
//! clocks are simulated, and go wrong as the seed has it.
//!
//! Promises: the same seed is the same history, line by line; a violation names its invariant and its seed. Never: a
//! thread, a timer, a socket or a file of its own; a mock of anything that the gateway itself does.

mod acts;
mod books;
mod broker;
pub mod chance;
mod checks;
pub(crate) mod dice;
pub mod flaw;
mod letters;
mod life;
pub mod memory;
mod outlets;
mod pens;
pub(crate) mod templates;
pub mod trace;
mod turns;
mod works;
mod world;

pub use world::Setting;

use chance::Fault;
use chrono::TimeDelta;
use flaw::Flaw;
use std::collections::BTreeMap;
use trace::Trace;
use world::World;

/// Rounds of healing at most; in the later ones hours pass.
const HEALING_MAX: u32 = 72;
/// Rounds that a world heals at least: what was prepared to go wrong in them has time to.
const HEALING_MIN: u32 = 4;

/// A history to be lived.
#[derive(Debug, Clone, Copy)]
pub struct History {
    pub seed: u64,
    /// Steps with faults, before everything heals.
    pub steps: u32,
    /// What is broken on purpose, by tests only.
    pub flaw: Option<Flaw>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub seed: u64,
    pub steps: u64,
    /// Letters that the participants wrote.
    pub written: u64,
    /// Messages that the gateway has accepted, its own letters among them.
    pub messages: u64,
    /// Letters that reached somebody.
    pub received: u64,
    pub obligations: u64,
    pub rungs: u64,
    pub mails: u64,
    /// Whether two gateways shared the world; how often one was killed while the other was at work, and a lease that had
    /// run out was taken over.
    pub is_shared: bool,
    pub killed_beside: u64,
    pub takeovers: u64,
    pub lives: u64,
    pub faults: BTreeMap<Fault, u64>,
    /// Empty when every invariant holds.
    pub violations: Vec<String>,
    pub trace: Trace,
}

/// Lives through a history.
///
/// # Errors
/// When the world itself cannot be made: an invented letter that the strict door refuses, for one.
pub fn run(setting: &Setting, history: History, trace: Trace) -> anyhow::Result<Outcome> {
    let mut world = World::new(setting, (history.seed, history.flaw), trace);
    let mut early = None;
    for _ in 0..history.steps {
        if world.is_stuck {
            break;
        }
        world.turn()?;
        early = early.or_else(|| checks::at_any_time(&world));
    }
    world.begin_to_heal();
    for round in 0..HEALING_MAX {
        world.heal(match round {
            0..10 => TimeDelta::seconds(61),
            10..24 => TimeDelta::minutes(10),
            24..44 => TimeDelta::hours(3),
            _ => TimeDelta::hours(12),
        });
        if world.is_stuck || round >= HEALING_MIN && checks::is_quiet(&world) {
            break;
        }
    }
    let violations = early.into_iter().chain(checks::all(&world)).collect();
    Ok(outcome(&world, history.seed, violations))
}

fn outcome(world: &World<'_>, seed: u64, violations: Vec<String>) -> Outcome {
    let (disk, books) = (world.store.disk(), world.books());
    disk.events.iter().for_each(|event| world.chance.close(format_args!("{event:?}")));
    disk.deliveries.iter().for_each(|row| world.chance.close(format_args!("{row:?}")));
    disk.exchanges.values().for_each(|exchange| world.chance.close(format_args!("{exchange:?}")));
    let rungs = disk.events.iter().filter(|event| event.kind.code().starts_with("rung.")).count();
    Outcome {
        seed,
        steps: world.step.into(),
        written: books.letters.len() as u64,
        messages: disk.messages.len() as u64,
        received: books.received.len() as u64,
        obligations: disk.exchanges.values().map(|exchange| exchange.duties.len() as u64).sum(),
        rungs: rungs as u64,
        mails: world.mailbox.taken().len() as u64,
        is_shared: world.gateways.len() > 1,
        killed_beside: world.killed_beside,
        takeovers: disk.takeovers,
        lives: world.lives,
        faults: world.chance.counts(),
        violations,
        trace: world.chance.trace(),
    }
}
