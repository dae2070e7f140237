//! Deliveries that the store does not take while it takes others: each is tried again by itself, beside the flow.
//!
//! Promises: one is given up only after five tries over some time, and only if ten times as many others were taken
//! meanwhile as stand here: a store that takes little is nobody's fault. Never: knows why.

use crate::gateway::ports::inbound::InboundDelivery;
use crate::retry::Pace;
use std::time::Duration;
use tokio::time::Instant;

/// Before so many nothing is given up.
const TRIES_MIN: u32 = 5;
/// So many others must have been taken meanwhile, for each that stands here.
const OTHERS_MIN: u64 = 10;

/// What was put aside on one channel.
#[derive(Default)]
pub(super) struct Aside(Vec<Stander>);

struct Stander {
    tag: u64,
    /// None while it is being tried.
    delivery: Option<InboundDelivery>,
    since: Instant,
    /// How many deliveries the channel had taken by then.
    taken: u64,
    tries: u32,
    pace: Pace,
    ask_at: Instant,
}

impl Aside {
    /// How many there are, with those that are being tried.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// It was not taken, for the first time or again; `taken` deliveries were, up to now. Whether it waits: if not, it is
    /// given up, because it has stood here for `long` while others were taken.
    pub fn put(&mut self, (tag, delivery): (u64, InboundDelivery), taken: u64, long: Duration) -> bool {
        let now = Instant::now();
        let at = self.0.iter().position(|stander| stander.tag == tag).unwrap_or_else(|| {
            let pace = Pace::local();
            self.0.push(Stander { tag, delivery: None, since: now, taken, tries: 0, pace, ask_at: now });
            self.0.len() - 1
        });
        let others = OTHERS_MIN * self.0.len() as u64;
        let stander = &mut self.0[at];
        stander.tries += 1;
        let is_long = now.duration_since(stander.since) >= long;
        if is_long && stander.tries >= TRIES_MIN && taken - stander.taken >= others {
            self.0.swap_remove(at);
            return false;
        }
        stander.ask_at = now + stander.pace.next_wait();
        stander.delivery = Some(delivery);
        true
    }

    /// When the next is to be tried.
    pub fn ask_at(&self) -> Option<Instant> {
        self.0.iter().filter(|stander| stander.delivery.is_some()).map(|stander| stander.ask_at).min()
    }

    /// Those that are to be tried now.
    pub fn due(&mut self) -> Vec<(u64, InboundDelivery)> {
        let now = Instant::now();
        let due = self.0.iter_mut().filter(|stander| stander.ask_at <= now);
        due.filter_map(|stander| Some((stander.tag, stander.delivery.take()?))).collect()
    }

    /// It has come to its end.
    pub fn ended(&mut self, tag: u64) {
        self.0.retain(|stander| stander.tag != tag);
    }
}
