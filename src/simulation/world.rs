//! One world: the participants, the broker, the disk, the clocks, and one gateway or two in the middle, step by step;
//! then a time in which everything heals.
//!
//! Promises: one thread; the same seed is the same history. Never: helps a gateway with what it must do itself.

use crate::clock::Clock;
use crate::domain::calendar::CalendarSet;
use crate::domain::decision::Ladders;
use crate::domain::message::Format;
use crate::domain::participant::{Participant, Route};
use crate::gateway::ports::inbound::InboundDelivery;
use crate::simulation::books::{Books, Fate, Way, Written};
use crate::simulation::broker::Broker;
use crate::simulation::chance::{Chance, Fault, GATEWAYS_MAX};
use crate::simulation::dice::Dice;
use crate::simulation::flaw::Flaw;
use crate::simulation::life::Life;
use crate::simulation::memory::MemoryStore;
use crate::simulation::outlets::Mail;
use crate::simulation::pens::Pens;
use crate::simulation::trace::Trace;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What all worlds share.
pub struct Setting {
    pub(super) bodies: Vec<Participant>,
    pub(super) calendars: Arc<CalendarSet>,
    pub(super) ladders: Arc<Ladders>,
}

impl Setting {
    /// The invented bodies of the example file, the calendars and ladders that are built in.
    ///
    /// # Errors
    /// When what is built in cannot be read.
    pub fn builtin() -> anyhow::Result<Self> {
        let text = include_str!("../../config/examples/participants.toml");
        Ok(Self {
            bodies: crate::config::participants::from_toml(text)?,
            calendars: Arc::new(crate::catalogue::calendars::embedded()?),
            ladders: Arc::new(toml::from_str(include_str!("../../config/ladders.toml"))?),
        })
    }
}

/// A gateway's place in the world: it lives there, again and again.
pub(super) struct Replica {
    pub clock: Clock,
    skew: TimeDelta,
    /// Steps in which it is not there.
    pub out_left: u64,
    pub life: Option<Life>,
}

/// One world.
pub(super) struct World<'s> {
    pub setting: &'s Setting,
    pub chance: Arc<Chance>,
    pub store: MemoryStore,
    pub broker: Arc<Broker>,
    pub books: Arc<Mutex<Books>>,
    pub mailbox: Arc<Mail>,
    pub bodies: Vec<Participant>,
    /// One, or two side by side.
    pub gateways: Vec<Replica>,
    /// The time that it is, whatever the gateways' clocks say.
    pub now: DateTime<Utc>,
    /// Steps until the clocks are right again.
    skew_left: u32,
    pub lives: u64,
    /// Gateways that were killed while another was at work.
    pub killed_beside: u64,
    /// A store of its own ends the leases of a life that is over; one that is shared waits until they have run out.
    pub ends_leases: bool,
    pub flaw: Option<Flaw>,
    pub step: u32,
    /// Nothing moves any more, and nothing will.
    pub is_stuck: bool,
}

impl<'s> World<'s> {
    pub fn new(setting: &'s Setting, (seed, flaw): (u64, Option<Flaw>), trace: Trace) -> Self {
        let chance = Arc::new(Chance::new(seed, trace));
        let (bodies, gateways, ends_leases, now) = chance.draw(|dice| {
            let bodies = setting.bodies.iter().map(|body| placed(body, dice)).collect();
            let gateways = if dice.percent(50) { GATEWAYS_MAX } else { 1 };
            (bodies, gateways, gateways == 1 && dice.percent(50), began_at(dice))
        });
        let mailbox = Arc::new(Mail { chance: Arc::clone(&chance), letters: Mutex::default() });
        let store = MemoryStore::new(Arc::clone(&chance));
        store.disk().flaw = flaw;
        store.disk().participants = {
            let bodies: &Vec<Participant> = &bodies;
            bodies.iter().map(|body| (body.code.clone(), body.clone())).collect()
        };
        Self {
            setting,
            store,
            broker: Arc::new(Broker::new(Arc::clone(&chance))),
            books: Arc::default(),
            gateways: (0..gateways).map(|_| Replica::new(now)).collect(),
            mailbox,
            bodies,
            chance,
            now,
            skew_left: 0,
            lives: 0,
            killed_beside: 0,
            ends_leases,
            flaw,
            step: 0,
            is_stuck: false,
        }
    }

    /// The participants' books.
    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn percent(&self, of_a_hundred: u64) -> bool {
        self.chance.draw(|dice| dice.percent(of_a_hundred))
    }

    /// One step of the world with faults.
    pub fn turn(&mut self) -> anyhow::Result<()> {
        self.step += 1;
        let wait = self.chance.draw(drawn_wait);
        self.pass(wait);
        self.strike();
        let acts = self.chance.draw(|dice| dice.below(4));
        for _ in 0..acts {
            let pens = Pens { bodies: &self.bodies, now: self.now, step: self.step };
            let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
            self.chance.draw(|dice| pens.act(&mut books, dice))?;
        }
        self.publish();
        self.take_letters();
        self.work(false);
        Ok(())
    }

    /// Time passes, for everybody.
    pub fn pass(&mut self, wait: TimeDelta) {
        self.now += wait;
        self.gateways.iter().for_each(|one| one.clock.set(self.now + one.skew));
        self.chance.at(self.step, self.now);
    }

    /// What befalls the world between two steps.
    fn strike(&mut self) {
        if self.skew_left > 0 {
            self.skew_left -= 1;
            if self.skew_left == 0 {
                self.gateways.iter_mut().for_each(|one| one.skew = TimeDelta::zero());
            }
        } else if self.chance.strikes(Fault::ClockAhead, "clock") {
            self.skew(TimeDelta::hours(1), 4);
        } else if self.chance.strikes(Fault::ClockBack, "clock") {
            self.skew(TimeDelta::hours(-1), 4);
        } else if self.chance.strikes(Fault::ClockLeap, "clock") {
            self.skew(TimeDelta::days(400), 2);
        }
        if let Some(eve) = last_minute(self.now).filter(|_| self.chance.strikes(Fault::YearEnd, "clock")) {
            self.now = eve;
        }
        if self.chance.strikes(Fault::Outage, "gateway") {
            (0..self.gateways.len()).for_each(|no| self.die(no, "stopped for ten days"));
            self.now += TimeDelta::days(10);
            let steps = 1 + self.chance.draw(|dice| dice.below(3));
            self.gateways.iter_mut().for_each(|one| one.out_left += steps);
        }
        if self.chance.strikes(Fault::BrokerRestart, "broker") {
            self.broker.restart();
        }
        match self.broker.is_blocked() {
            true if self.percent(40) => self.broker.block(false),
            false if self.chance.strikes(Fault::Blocked, "broker") => self.broker.block(true),
            _ => {}
        }
        self.pass(TimeDelta::zero());
    }

    /// A clock goes wrong: all of them, or one gateway's own.
    fn skew(&mut self, by: TimeDelta, steps: u32) {
        let count = self.gateways.len() as u64;
        let one = self.chance.draw(|dice| dice.percent(50).then(|| dice.below(count)));
        let struck = self.gateways.iter_mut().zip(0_u64..).filter(|(_, no)| one.is_none_or(|one| one == *no));
        struck.for_each(|(gateway, _)| gateway.skew = by);
        self.skew_left = steps;
    }

    /// The participants publish what they have written; now and then twice, or what was sent long ago.
    fn publish(&self) {
        let mut books = self.books();
        let mut sending = books.open(Way::Queue, self.step);
        if self.chance.draw(|dice| dice.percent(20)) && !books.letters.is_empty() {
            let again = self.chance.draw(|dice| dice.below(books.letters.len() as u64));
            sending.extend(usize::try_from(again).ok().filter(|place| books.letters[*place].not_before <= self.step));
        }
        for no in sending {
            let Some(letter) = books.letters.get_mut(no) else { continue };
            let is_confirmed = self.broker.publish(delivery(letter));
            self.chance.say(format_args!("letter {no} {} of {} published: {is_confirmed}", letter.kind, letter.from));
            if is_confirmed && letter.fate == Fate::Open {
                letter.fate = Fate::WithBroker;
            }
        }
    }

    /// The participants' programs take what has come over the broker or by push.
    fn take_letters(&self) {
        let mut books = self.books();
        for body in &self.bodies {
            for posted in self.broker.take(&body.code) {
                self.chance.say(format_args!("{} received {}", body.code, posted.message));
                books.receive(&body.code, &posted);
            }
        }
    }

    pub fn wrong(&self, what: &str) {
        self.books().wrong.push(what.to_owned());
    }

    /// Nothing goes wrong any more; the clock is right.
    pub fn begin_to_heal(&mut self) {
        self.chance.heal();
        self.broker.block(false);
        self.gateways.iter_mut().for_each(|one| (one.skew, one.out_left) = (TimeDelta::zero(), 0));
        self.skew_left = 0;
        self.chance.say(format_args!("healing"));
    }

    /// One round of healing: whoever has something to do does it.
    pub fn heal(&mut self, wait: TimeDelta) {
        self.step += 1;
        self.pass(wait);
        self.books().letters.iter_mut().for_each(|letter| letter.not_before = 0);
        if self.broker.dead() > 0 {
            self.wrong("no_limbo: a delivery that nobody has spoilt is among the dead letters");
        }
        self.publish();
        self.work(true);
        self.take_letters();
    }
}

impl Replica {
    fn new(now: DateTime<Utc>) -> Self {
        Self { clock: Clock::frozen(now), skew: TimeDelta::zero(), out_left: 0, life: None }
    }
}

/// An invented body, reached somehow.
fn placed(body: &Participant, dice: &mut Dice) -> Participant {
    let route = match dice.below(10) {
        0..4 => Route::Amqp,
        4..8 => Route::Inbox,
        _ => Route::Push { url: "https://body.example/letters".to_owned() },
    };
    let format = if dice.percent(50) { Format::Json } else { Format::Xml };
    Participant { route, format, ..body.clone() }
}

/// A world begins in a working week, sometimes before the holidays.
fn began_at(dice: &mut Dice) -> DateTime<Utc> {
    // 2 March, 4 May, 17 August, 21 December 2026, in the morning in Irkutsk.
    let days = [1_772_416_800, 1_777_860_000, 1_786_932_000, 1_797_818_400];
    let at = *dice.one_of(&days).unwrap_or(&days[0]);
    DateTime::from_timestamp(at, 0).unwrap_or_default()
}

fn drawn_wait(dice: &mut Dice) -> TimeDelta {
    let span = |dice: &mut Dice, below: u64| i64::try_from(1 + dice.below(below)).unwrap_or(1);
    match dice.below(100) {
        0..45 => TimeDelta::seconds(span(dice, 60)),
        45..70 => TimeDelta::minutes(span(dice, 60)),
        70..85 => TimeDelta::hours(span(dice, 8)),
        85..95 => TimeDelta::hours(12 + span(dice, 6)),
        _ => TimeDelta::days(span(dice, 5)),
    }
}

/// Half a minute before the year ends in Irkutsk.
fn last_minute(now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let eve = chrono::NaiveDate::from_ymd_opt(2026, 12, 31)?.and_hms_opt(15, 59, 30)?.and_utc();
    (now < eve).then_some(eve)
}

fn delivery(letter: &Written) -> InboundDelivery {
    let media = if letter.format == Format::Json { "application/json" } else { "application/xml" };
    InboundDelivery {
        user_id: letter.user.clone(),
        message_id: Some(letter.id.to_string()),
        content_type: Some(media.to_owned()),
        content_encoding: None,
        correlation_id: None,
        handed_out_before: 0,
        content: letter.content.clone(),
    }
}
