//! A broker with the semantics of RabbitMQ's quorum queues, as far as the gateway can feel them.
//!
//! Promises: what was confirmed stays; a delivery that is not acknowledged comes back, counted, in its place; a wrong
//! acknowledgement closes the channel. Never: loses what it has confirmed.

use crate::domain::ids::{MessageId, ParticipantCode};
use crate::domain::message::Format;
use crate::gateway::ports::inbound::InboundDelivery;
use crate::simulation::chance::{Chance, Fault, GATEWAYS_MAX};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The broker, with what stands between the gateway and the participants' own programs.
#[derive(Debug)]
pub(super) struct Broker {
    chance: Arc<Chance>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    inbound: VecDeque<Held>,
    consumers: [Consumer; GATEWAYS_MAX],
    last_tag: u64,
    channels: u64,
    is_blocked: bool,
    dead: Vec<Held>,
    out: BTreeMap<ParticipantCode, VecDeque<Posted>>,
    wrong_acks: u64,
}

/// A gateway's channel.
#[derive(Debug, Default)]
struct Consumer {
    /// Its number, if it is open.
    channel: Option<u64>,
    /// By tag: tags rise over all channels, so that an old tag is never another's.
    unacked: BTreeMap<u64, Held>,
}

/// A delivery of the inbound queue.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub delivery: InboundDelivery,
    is_confirmed: bool,
}

/// A letter that reached a participant's own program.
#[derive(Debug, Clone)]
pub(super) struct Posted {
    pub message: MessageId,
    pub format: Format,
    pub content: Bytes,
    is_confirmed: bool,
}

/// What the broker says of a publication to a participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Confirmed,
    Nack,
    Returned,
    /// It says nothing: whether it has the letter is not known.
    Nothing,
    Blocked,
}

impl Posted {
    /// A letter that was fetched.
    pub fn fetched(message: MessageId, format: Format, content: Bytes) -> Self {
        Self { message, format, content, is_confirmed: true }
    }
}

impl Broker {
    pub fn new(chance: Arc<Chance>) -> Self {
        Self { chance, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A participant publishes; whether the broker has confirmed it.
    pub fn publish(&self, delivery: InboundDelivery) -> bool {
        if self.state().is_blocked {
            return false;
        }
        let is_confirmed = !self.chance.strikes(Fault::ConfirmationLost, "a participant's publication");
        if is_confirmed || self.chance.draw(|dice| dice.percent(60)) {
            self.state().inbound.push_back(Held { delivery, is_confirmed });
        }
        is_confirmed
    }

    /// Opens a gateway's channel anew, or gives the one that is open.
    pub fn channel(&self, of: usize) -> u64 {
        let mut state = self.state();
        if let Some(open) = state.consumers[of].channel {
            return open;
        }
        state.channels += 1;
        state.consumers[of].channel = Some(state.channels);
        state.channels
    }

    /// Hands out what is next; one that was returned often goes alone.
    pub fn hand_out(&self, (of, channel): (usize, u64), prefetch: usize) -> Vec<(u64, Held)> {
        let mut state = self.state();
        let mut handed = Vec::new();
        while state.consumers[of].channel == Some(channel) && state.consumers[of].unacked.len() < prefetch {
            let Some(held) = state.inbound.pop_front() else { break };
            state.last_tag += 1;
            let tag = state.last_tag;
            state.consumers[of].unacked.insert(tag, held.clone());
            let is_suspicious = held.delivery.is_suspicious();
            handed.push((tag, held));
            if is_suspicious {
                break;
            }
        }
        handed
    }

    /// Takes an acknowledgement; `false` when the channel is gone, also because of this one.
    pub fn ack(&self, (of, channel): (usize, u64), tag: u64, multiple: bool) -> bool {
        let mut state = self.state();
        let consumer = &mut state.consumers[of];
        if consumer.channel != Some(channel) {
            return false;
        }
        if !consumer.unacked.contains_key(&tag) {
            state.wrong_acks += 1;
            drop(state);
            self.close(of, "PRECONDITION_FAILED, unknown delivery tag");
            return false;
        }
        match multiple {
            true => consumer.unacked = consumer.unacked.split_off(&(tag + 1)),
            false => _ = consumer.unacked.remove(&tag),
        }
        true
    }

    /// Puts a delivery to the dead letters.
    pub fn dead_letter(&self, of: usize, tag: u64) {
        let mut state = self.state();
        let held = state.consumers[of].unacked.remove(&tag);
        state.dead.extend(held);
    }

    /// A gateway's channel ends: what is not acknowledged comes back, marked.
    pub fn close(&self, of: usize, why: &str) {
        let mut state = self.state();
        let back = std::mem::take(&mut state.consumers[of]).unacked;
        if !back.is_empty() {
            self.chance.say(format_args!("broker: channel closed ({why}), {} deliveries come back", back.len()));
        }
        for mut held in back.into_values().rev() {
            held.delivery.handed_out_before += 1;
            state.inbound.push_front(held);
        }
    }

    /// It starts anew: what it had confirmed is there, of the rest a part.
    pub fn restart(&self) {
        (0..GATEWAYS_MAX).for_each(|of| self.close(of, "broker restarted"));
        let survives = |is_confirmed: bool| is_confirmed || self.chance.draw(|dice| dice.percent(50));
        let mut state = self.state();
        state.is_blocked = false;
        state.inbound.retain(|held| survives(held.is_confirmed));
        state.out.values_mut().for_each(|queue| queue.retain(|posted| survives(posted.is_confirmed)));
    }

    /// A resource alarm begins or ends.
    pub fn block(&self, is_blocked: bool) {
        self.state().is_blocked = is_blocked;
    }

    pub fn is_blocked(&self) -> bool {
        self.state().is_blocked
    }

    /// The gateway publishes a letter to a participant's queue.
    pub fn post(&self, to: &ParticipantCode, (message, format, content): (MessageId, Format, Bytes)) -> Said {
        if self.is_blocked() {
            return Said::Blocked;
        }
        if self.chance.strikes(Fault::Returned, "publish") {
            return Said::Returned;
        }
        if self.chance.strikes(Fault::Nack, "publish") {
            return Said::Nack;
        }
        let is_confirmed = !self.chance.strikes(Fault::ConfirmationLost, "publish");
        if is_confirmed || self.chance.draw(|dice| dice.percent(60)) {
            let queue = &mut self.state().out;
            queue.entry(to.clone()).or_default().push_back(Posted { message, format, content, is_confirmed });
        }
        if is_confirmed { Said::Confirmed } else { Said::Nothing }
    }

    /// A letter reaches a participant's program over another way.
    pub fn hand_over(&self, to: &ParticipantCode, (message, format, content): (MessageId, Format, Bytes)) {
        let posted = Posted::fetched(message, format, content);
        self.state().out.entry(to.clone()).or_default().push_back(posted);
    }

    /// What a participant's program takes now.
    pub fn take(&self, of: &ParticipantCode) -> Vec<Posted> {
        self.state().out.get_mut(of).map(|queue| queue.drain(..).collect()).unwrap_or_default()
    }

    /// What the gateway has put to the dead letters.
    pub fn dead(&self) -> usize {
        self.state().dead.len()
    }

    /// Deliveries that wait to be taken, and letters that wait for a participant's program.
    pub fn waiting(&self) -> (usize, usize) {
        let state = self.state();
        (
            state.inbound.len() + state.consumers.iter().map(|one| one.unacked.len()).sum::<usize>(),
            state.out.values().map(VecDeque::len).sum(),
        )
    }

    /// Acknowledgements of what was not to be acknowledged.
    pub fn wrong_acks(&self) -> u64 {
        self.state().wrong_acks
    }
}
