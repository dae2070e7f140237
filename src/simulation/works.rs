//! What goes on at the gateway in one step: its workers, and those who call.
//!
//! Promises: all of it at once, as the seed has it. Never: one thing after the other where the real ones are side by
//! side.

use crate::domain::ids::{MessageId, ParticipantCode};
use crate::gateway::ports::decisions::RouteKind;
use crate::simulation::acts::{Caller, coordinator};
use crate::simulation::books::{Fate, Way, Written};
use crate::simulation::life::{self, Intake};
use crate::simulation::outlets::{PushOutlet, QueueOutlet};
use crate::simulation::world::World;
use crate::worker::{notices, sweeper};
use futures_util::future::{BoxFuture, FutureExt as _};
use std::sync::Arc;

/// Deliveries in hand at once.
const PREFETCH: usize = 16;
/// Letters sent in one round.
const ROUND: usize = 24;

type Work = BoxFuture<'static, ()>;

impl World<'_> {
    fn outlets(&self) -> (QueueOutlet, PushOutlet) {
        let (chance, broker) = (Arc::clone(&self.chance), Arc::clone(&self.broker));
        let push = PushOutlet { chance: Arc::clone(&chance), broker: Arc::clone(&broker) };
        (QueueOutlet { chance, broker, flaw: self.flaw }, push)
    }

    /// What happens at once in a step.
    pub fn some_works(&self, by: &Caller) -> Vec<Work> {
        let mut works: Vec<Work> = Vec::new();
        for no in self.books().open(Way::Http, self.step) {
            if self.percent(70) {
                works.push(by.clone().submit(no).boxed());
            }
        }
        let letters = self.books().letters.len() as u64;
        if letters > 0 && self.percent(15) {
            let again = usize::try_from(self.chance.draw(|dice| dice.below(letters))).unwrap_or_default();
            // What was never in the queue is not kept by the queue's door.
            let is_out = |one: &Written| one.way == Way::Http || one.fate != Fate::Open;
            let may_go = |one: &&Written| one.not_before <= self.step && is_out(one);
            let goes = self.books().letters.get(again).filter(may_go).is_some();
            if goes {
                works.push(by.clone().submit(again).boxed());
            }
        }
        if self.percent(75) {
            works.push(self.intake(by, PREFETCH));
        }
        works.extend(self.senders(by).into_iter().filter(|_| self.percent(50)));
        if self.percent(45) {
            works.push(self.sweep(by));
        }
        if self.percent(20) {
            works.push(self.post_mail(by));
        }
        if self.percent(20) {
            works.push(by.clone().decide().boxed());
        }
        for body in &self.bodies {
            if self.percent(18) {
                works.push(by.clone().fetch((body.code.clone(), body.format), false).boxed());
            }
        }
        if self.percent(15) {
            works.extend(
                self.chance
                    .draw(|dice| dice.one_of(&self.bodies).map(|body| by.clone().peep(body.code.clone()).boxed())),
            );
        }
        works
    }

    /// Everything that there is to do.
    pub fn all_works(&self, by: &Caller) -> Vec<Work> {
        let mut works: Vec<Work> = Vec::new();
        works.extend(self.books().open(Way::Http, u32::MAX).into_iter().map(|no| by.clone().submit(no).boxed()));
        works.push(self.intake(by, 4 * PREFETCH));
        works.extend(self.senders(by));
        works.push(self.sweep(by));
        works.push(self.post_mail(by));
        works.extend(self.bodies.iter().map(|body| by.clone().fetch((body.code.clone(), body.format), true).boxed()));
        for (message, recipient) in self.given_up() {
            let gateway = by.gateway.clone();
            works.push(async move { drop(gateway.send_again(message, recipient, coordinator()).await) }.boxed());
        }
        works
    }

    fn given_up(&self) -> Vec<(MessageId, ParticipantCode)> {
        let disk = self.store.disk();
        let given_up = disk.deliveries.iter().filter(|(_, row)| row.stage.is_given_up());
        given_up.map(|(key, _)| key.clone()).collect()
    }

    fn intake(&self, by: &Caller, prefetch: usize) -> Work {
        let mut intake = Intake::new((Arc::clone(&self.chance), Arc::clone(&self.broker)), by.no, self.flaw);
        let gateway = by.gateway.clone();
        async move { intake.round(&gateway, prefetch).await }.boxed()
    }

    fn senders(&self, by: &Caller) -> [Work; 2] {
        let (queue, push) = self.outlets();
        let (one, other) = (by.gateway.clone(), by.gateway.clone());
        [
            async move { _ = life::send(&one, (RouteKind::Amqp, &queue), ROUND).await }.boxed(),
            async move { _ = life::send(&other, (RouteKind::Push, &push), ROUND).await }.boxed(),
        ]
    }

    fn sweep(&self, by: &Caller) -> Work {
        let gateway = by.gateway.clone();
        async move { sweeper::sweep_once(&gateway).await }.boxed()
    }

    fn post_mail(&self, by: &Caller) -> Work {
        let (gateway, line) = (by.gateway.clone(), by.mail.clone());
        // What could not be written down goes out again under its id.
        async move { drop(notices::round_once(&gateway, &line).await) }.boxed()
    }
}
