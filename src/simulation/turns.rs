//! The gateways at work: each starts, does what there is to do, and may die; all of them side by side, in turns.
//!
//! Promises: whose turn it is, and for how long, is drawn; a kill ends one gateway, and the others go on. Never: lets one
//! come to its end before another begins.

use crate::catalogue::Catalogue;
use crate::domain::notice::Medium;
use crate::gateway::Parts;
use crate::simulation::acts::Caller;
use crate::simulation::life::{Life, Turned};
use crate::simulation::world::World;
use crate::store::objects::ObjectFolder;
use crate::worker::notices::Line;
use chrono::TimeDelta;
use std::sync::Arc;

/// Polls without an end before a world counts as stuck; a step takes some hundreds.
const POLLS_MAX: u32 = 200_000;
/// Polls of a turn at most, where there are several gateways.
const TURN_MAX: u64 = 12;
/// Longer than a lease.
const PAUSE: TimeDelta = TimeDelta::seconds(90);

impl World<'_> {
    /// The gateways work for a while, until each has done what it had to do, or is dead.
    pub fn work(&mut self, is_calm: bool) {
        let mut busy: Vec<usize> = (0..self.gateways.len()).filter(|no| self.is_there(*no)).collect();
        for no in busy.clone() {
            self.set_to_work(no, is_calm);
        }
        let mut polls = 0_u32;
        while !busy.is_empty() {
            let (no, turn) = self.next_turn();
            if !is_calm && self.gateways.len() > 1 && self.percent(1) {
                // A pause in which leases run out under who works.
                self.pass(PAUSE);
            }
            let chance = Arc::clone(&self.chance);
            let Some(life) = &mut self.gateways[no].life else { continue };
            match life.turn(&chance, (no, turn)) {
                Turned::Busy => {
                    polls += turn;
                    if polls < POLLS_MAX {
                        continue;
                    }
                    self.is_stuck = true;
                    return self.wrong("no_limbo: nothing moves any more");
                }
                Turned::Up => {
                    self.chance.say(format_args!("gateway {no} begins life {}", self.lives));
                    self.set_to_work(no, is_calm);
                    continue;
                }
                Turned::Idle => {}
                Turned::Killed => self.killed(no, busy.len() > 1),
                Turned::Refused(why) => {
                    self.chance.say(format_args!("gateway {no} does not start: {why}"));
                    self.gateways[no].life = None;
                }
            }
            busy.retain(|one| *one != no);
        }
    }

    /// Who is next, and for how many polls. Who has nothing to do has turns as well: what it holds in the background
    /// others may wait for.
    fn next_turn(&self) -> (usize, u32) {
        let all = self.gateways.len() as u64;
        if all == 1 {
            return (0, POLLS_MAX);
        }
        let (no, turn) = self.chance.draw(|dice| (dice.below(all), 1 + dice.below(TURN_MAX)));
        (usize::try_from(no).unwrap_or_default(), u32::try_from(turn).unwrap_or(1))
    }

    /// Whether the gateway is there, or begins to start.
    fn is_there(&mut self, no: usize) -> bool {
        if self.gateways[no].life.is_some() {
            return true;
        }
        if self.gateways[no].out_left > 0 {
            self.gateways[no].out_left -= 1;
            return false;
        }
        if self.ends_leases {
            self.store.disk().end_leases();
        }
        self.store.disk().begin_flawed();
        self.lives += 1;
        let parts = Parts {
            store: Arc::new(self.store.of_life(self.lives)),
            // No paper comes in this world; the folder is never made.
            objects: Arc::new(ObjectFolder::new(std::env::temp_dir().join("mezhved-simulation"))),
            catalogue: Arc::clone(Catalogue::builtin()),
            calendars: Arc::clone(&self.setting.calendars),
            ladders: Arc::clone(&self.setting.ladders),
            clock: self.gateways[no].clock.clone(),
            sweep_age_max_s: 120,
        };
        let mail = Line::new(Medium::Mail, Arc::clone(&self.mailbox) as _);
        match Life::begin(parts, mail) {
            Ok(life) => self.gateways[no].life = Some(life),
            Err(fault) => self.wrong(&format!("no runtime: {fault}")),
        }
        self.gateways[no].life.is_some()
    }

    fn set_to_work(&mut self, no: usize, is_calm: bool) {
        let Some((gateway, mail)) = self.gateways[no].life.as_ref().and_then(Life::up) else { return };
        let (chance, books) = (Arc::clone(&self.chance), Arc::clone(&self.books));
        let caller = Caller { no, gateway, mail, chance, books };
        let works = if is_calm { self.all_works(&caller) } else { self.some_works(&caller) };
        if let Some(life) = &mut self.gateways[no].life {
            life.set_to(works);
        }
    }

    /// Where another is there, this one may be away for longer.
    fn killed(&mut self, no: usize, was_beside: bool) {
        self.die(no, "killed");
        self.killed_beside += u64::from(was_beside);
        if self.gateways.len() > 1 && self.percent(30) {
            self.gateways[no].out_left = self.chance.draw(|dice| dice.below(6));
        }
    }

    /// The gateway is gone, with everything that it had in hand.
    pub fn die(&mut self, no: usize, why: &str) {
        self.gateways[no].life = None;
        self.broker.close(no, "the connection is gone");
        self.store.disk().unsynced.clear();
        self.chance.say(format_args!("gateway {no} is {why}"));
    }
}
