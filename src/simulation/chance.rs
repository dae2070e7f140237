//! What the simulated world shares: the one source of chance, the trace, the counts, and the word that the gateway
//! has just been killed.
//!
//! Promises: everything that happens by chance is drawn here, in the order in which it happens, so that a seed is a
//! history. Never: reads a clock; draws a fault while the world heals.

use crate::simulation::dice::Dice;
use crate::simulation::trace::Trace;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;

/// Something that goes wrong. How often is drawn for each seed anew (so many times in ten thousand chances).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The gateway is killed.
    Crash,
    /// The database is away for a while.
    StoreDown,
    /// The transaction was committed, and its answer was lost.
    CommitUnknown,
    /// The connection broke before the commit.
    CommitLost,
    /// The broker has the letter, the confirmation did not come.
    ConfirmationLost,
    /// The broker did not take it.
    Nack,
    /// No queue: the letter came back.
    Returned,
    /// A resource alarm: the broker reads no publications.
    Blocked,
    /// The broker has closed the consumer's channel.
    ChannelClosed,
    BrokerRestart,
    /// A participant's endpoint does not answer, or answers no.
    PushFailed,
    /// It took the letter, the answer was lost.
    PushAnswerLost,
    ClockAhead,
    ClockBack,
    /// 400 days ahead, and right again later.
    ClockLeap,
    /// To the last minute of the year.
    YearEnd,
    /// The gateway is not there for ten days.
    Outage,
    MailDown,
}

impl Fault {
    /// In the order of the table that is printed.
    pub const ALL: [Self; 18] = [
        Self::Crash,
        Self::StoreDown,
        Self::CommitUnknown,
        Self::CommitLost,
        Self::ConfirmationLost,
        Self::Nack,
        Self::Returned,
        Self::Blocked,
        Self::ChannelClosed,
        Self::BrokerRestart,
        Self::PushFailed,
        Self::PushAnswerLost,
        Self::ClockAhead,
        Self::ClockBack,
        Self::ClockLeap,
        Self::YearEnd,
        Self::Outage,
        Self::MailDown,
    ];

    /// As the table and the trace name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Crash => "gateway killed",
            Self::StoreDown => "store away",
            Self::CommitUnknown => "commit done, answer lost",
            Self::CommitLost => "cut before the commit",
            Self::ConfirmationLost => "confirmation lost",
            Self::Nack => "nack",
            Self::Returned => "returned, no queue",
            Self::Blocked => "broker blocked",
            Self::ChannelClosed => "channel closed",
            Self::BrokerRestart => "broker restarted",
            Self::PushFailed => "push failed",
            Self::PushAnswerLost => "push taken, answer lost",
            Self::ClockAhead => "clock +1 h",
            Self::ClockBack => "clock -1 h",
            Self::ClockLeap => "clock +400 days",
            Self::YearEnd => "midnight of 31 December",
            Self::Outage => "outage of ten days",
            Self::MailDown => "mail down",
        }
    }

    /// How often at most, of ten thousand chances; some have a chance at every await, some once in a step.
    fn rate_max(self) -> u64 {
        match self {
            Self::Crash => 60,
            Self::StoreDown => 60,
            Self::CommitUnknown | Self::CommitLost => 500,
            Self::ConfirmationLost | Self::Nack | Self::Returned => 1_200,
            Self::Blocked | Self::BrokerRestart => 400,
            Self::ChannelClosed => 600,
            Self::PushFailed | Self::PushAnswerLost | Self::MailDown => 2_000,
            Self::ClockAhead | Self::ClockBack => 500,
            Self::ClockLeap | Self::YearEnd | Self::Outage => 150,
        }
    }
}

/// Gateways side by side, at most.
pub(super) const GATEWAYS_MAX: usize = 2;
/// How the trace tells them apart.
const SPEAKS: [&str; GATEWAYS_MAX] = ["A: ", "B: "];

/// The source of chance of one world.
#[derive(Debug)]
pub struct Chance {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    dice: Dice,
    trace: Trace,
    counts: BTreeMap<Fault, u64>,
    rates: BTreeMap<Fault, u64>,
    calm: bool,
    /// Whose turn it is: what happens now happens to that gateway.
    turn: usize,
    /// What stands before the lines of its turn.
    speaks: &'static str,
    killed: [bool; GATEWAYS_MAX],
    /// For whom the database is away.
    store_down: [bool; GATEWAYS_MAX],
}

/// How a turn of a gateway's life ended.
#[derive(Debug)]
pub(super) enum Lived<T> {
    Done(T),
    Killed,
    /// Others have their turn now.
    Paused,
}

impl Chance {
    /// The chance of a seed: which faults there are, and how often, is drawn first.
    #[must_use]
    pub fn new(seed: u64, trace: Trace) -> Self {
        let mut dice = Dice(seed);
        let rates = Fault::ALL.into_iter().map(|fault| (fault, drawn(fault, &mut dice))).collect();
        let (counts, calm) = (BTreeMap::new(), false);
        let killed = [false; GATEWAYS_MAX];
        let state =
            State { dice, trace, counts, rates, calm, turn: 0, speaks: "", killed, store_down: [false; GATEWAYS_MAX] };
        Self { state: Mutex::new(state) }
    }

    /// A world in which nothing goes wrong.
    #[must_use]
    pub fn calm() -> Self {
        let chance = Self::new(0, Trace::none());
        chance.heal();
        chance
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on nothing goes wrong.
    pub(super) fn heal(&self) {
        let mut state = self.state();
        state.calm = true;
        state.store_down = [false; GATEWAYS_MAX];
    }

    /// Draws something.
    pub(super) fn draw<T>(&self, from: impl FnOnce(&mut Dice) -> T) -> T {
        from(&mut self.state().dice)
    }

    /// Whether this fault happens now; if so it is counted and told.
    pub(super) fn strikes(&self, fault: Fault, where_: &str) -> bool {
        let mut state = self.state();
        let rate = state.rates.get(&fault).copied().unwrap_or_default();
        if state.calm || rate == 0 || state.dice.below(10_000) >= rate {
            return false;
        }
        *state.counts.entry(fault).or_default() += 1;
        let who = state.speaks;
        state.trace.say(format_args!("{who}FAULT {}: {where_}", fault.name()));
        true
    }

    /// Tells what happened.
    pub(super) fn say(&self, what: std::fmt::Arguments<'_>) {
        let mut state = self.state();
        let who = state.speaks;
        state.trace.say(format_args!("{who}{what}"));
    }

    /// Tells how the world stands at its end.
    pub(super) fn close(&self, what: std::fmt::Arguments<'_>) {
        self.state().trace.close(what);
    }

    /// The step and the time that lines are told of from now on.
    pub(super) fn at(&self, step: u32, at: chrono::DateTime<chrono::Utc>) {
        let mut state = self.state();
        (state.trace.step, state.trace.at) = (step, at);
    }

    /// How often each fault has happened.
    pub(super) fn counts(&self) -> BTreeMap<Fault, u64> {
        self.state().counts.clone()
    }

    /// The trace as it is now.
    pub(super) fn trace(&self) -> Trace {
        self.state().trace.clone()
    }

    /// Whether the database is away for the gateway whose turn it is; it goes and comes by chance.
    pub(super) fn store_is_down(&self, what: &str) -> bool {
        let (turn, was_down) = {
            let state = self.state();
            (state.turn, state.store_down[state.turn])
        };
        let is_down = match was_down {
            true => !self.draw(|dice| dice.percent(25)),
            false => self.strikes(Fault::StoreDown, what),
        };
        self.state().store_down[turn] = is_down;
        is_down
    }

    /// A place where the gateway waits for the world: others may go first, and it may be killed here.
    pub(super) async fn point(&self, what: &str) {
        let turns = self.draw(|dice| dice.below(4).saturating_sub(1));
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        self.may_die(what).await;
    }

    /// May be killed here, and then nothing goes on.
    pub(super) async fn may_die(&self, what: &str) {
        let is_killed = {
            let state = self.state();
            state.killed[state.turn]
        };
        if is_killed || self.strikes(Fault::Crash, what) {
            self.kill();
            std::future::pending::<()>().await;
        }
    }

    /// Kills the gateway whose turn it is.
    fn kill(&self) {
        let mut state = self.state();
        let turn = state.turn;
        state.killed[turn] = true;
    }

    /// Lets a gateway live for so many polls, until it is killed, or until this is done.
    pub(super) async fn live<T>(
        &self,
        gateway: usize,
        (polls, mut work): (u32, Pin<&mut (impl Future<Output = T> + ?Sized)>),
    ) -> Lived<T> {
        {
            let mut state = self.state();
            (state.turn, state.speaks) = (gateway, SPEAKS[gateway]);
        }
        let mut left = polls;
        let ended = std::future::poll_fn(|task| {
            if self.state().killed[gateway] {
                return Poll::Ready(Lived::Killed);
            }
            if left == 0 {
                return Poll::Ready(Lived::Paused);
            }
            left -= 1;
            if let Poll::Ready(done) = work.as_mut().poll(task) {
                return Poll::Ready(Lived::Done(done));
            }
            // There are no timers and no sockets: whoever is still to be woken is woken by the others' turns.
            task.waker().wake_by_ref();
            Poll::Pending
        });
        let ended = ended.await;
        // Killed in its last breath: what it said is said, and the rest of it dies.
        let mut state = self.state();
        state.speaks = "";
        match std::mem::replace(&mut state.killed[gateway], false) {
            true => Lived::Killed,
            false => ended,
        }
    }
}

/// Half of the faults do not happen at all in a world, the others seldom or often: few faults at once find what many
/// hide.
fn drawn(fault: Fault, dice: &mut Dice) -> u64 {
    if dice.percent(50) { 0 } else { 1 + dice.below(fault.rate_max()) }
}
