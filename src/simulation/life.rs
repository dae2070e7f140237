//! One life of the gateway: a runtime of its own, so that a kill ends everything that was under way, wherever it was.
//!
//! Promises: nothing of one life is left in the next but the disk and the broker. Never: a timer, a second thread.

use crate::channel::amqp::acknowledging::Ledger;
use crate::gateway::ports::Outlet;
use crate::gateway::ports::decisions::RouteKind;
use crate::gateway::ports::inbound::{Disposition, Inbound as _};
use crate::gateway::{Gateway, notices::Posting};
use crate::simulation::broker::Broker;
use crate::simulation::chance::{Chance, Fault, Lived};
use crate::simulation::flaw::Flaw;
use crate::worker::outbound;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use std::future::Future;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};

/// The gateway, alive. It goes before its runtime.
pub(super) struct Life {
    pub gateway: Gateway,
    runtime: Runtime,
}

/// Why there is no life.
#[derive(Debug)]
pub(super) enum Stillborn {
    Killed,
    /// The store was away, as an operator sees it.
    Refused(String),
    Stuck,
}

impl Life {
    /// Starts a gateway.
    pub fn begin(chance: &Chance, parts: crate::gateway::Parts) -> Result<Self, Stillborn> {
        let runtime = Builder::new_current_thread().build().map_err(|fault| Stillborn::Refused(fault.to_string()))?;
        match runtime.block_on(chance.live(Gateway::start(parts))) {
            Lived::Done(Ok(gateway)) => {
                gateway.set_posting(Posting { mail: true, board_url: String::new() });
                Ok(Self { gateway, runtime })
            }
            Lived::Done(Err(fault)) => Err(Stillborn::Refused(fault.to_string())),
            Lived::Killed => Err(Stillborn::Killed),
            Lived::Stuck => Err(Stillborn::Stuck),
        }
    }

    /// Lets it work until the work is done, or it is killed.
    pub fn work<T>(&self, chance: &Chance, work: impl Future<Output = T>) -> Lived<T> {
        self.runtime.block_on(chance.live(work))
    }
}

/// The consumer of the inbound queue: takes what is there, acknowledges what was taken.
pub(super) struct Intake {
    pub chance: Arc<Chance>,
    pub broker: Arc<Broker>,
    pub flaw: Option<Flaw>,
    channel: u64,
    ledger: Ledger,
}

impl Intake {
    pub fn new(chance: Arc<Chance>, broker: Arc<Broker>, flaw: Option<Flaw>) -> Self {
        let channel = broker.channel();
        Self { chance, broker, flaw, channel, ledger: Ledger::default() }
    }

    /// One round with so many deliveries at once.
    pub async fn round(&mut self, gateway: &Gateway, prefetch: usize) {
        let current = self.broker.channel();
        if current != self.channel {
            (self.channel, self.ledger) = (current, Ledger::default());
        }
        let handed = self.broker.hand_out(self.channel, prefetch);
        let mut busy: FuturesUnordered<_> = handed
            .into_iter()
            .map(|(tag, held)| {
                self.ledger.came(tag);
                if self.flaw == Some(Flaw::AckBeforeCommit) {
                    self.ledger.taken(tag);
                }
                async move { (tag, gateway.take(held.delivery).await) }
            })
            .collect();
        if self.flaw == Some(Flaw::AckBeforeCommit) && !self.acknowledge().await {
            return;
        }
        let mut took_all = true;
        while let Some(first) = busy.next().await {
            let mut next = Some(first);
            while let Some((tag, disposition)) = next {
                self.chance.say(format_args!("delivery {tag}: {disposition:?}"));
                took_all &= !matches!(disposition, Disposition::RetryLater | Disposition::RetryAlone);
                self.settle(tag, disposition);
                next = busy.next().now_or_never().flatten();
            }
            // With the channel gone, what is still under way is dropped as it is.
            if !self.acknowledge().await {
                return;
            }
        }
        if !took_all {
            self.broker.close("the gateway took nothing for long");
        }
    }

    fn settle(&mut self, tag: u64, disposition: Disposition) {
        match disposition {
            Disposition::Ack => self.ledger.taken(tag),
            Disposition::RetryLater | Disposition::RetryAlone if self.flaw == Some(Flaw::AckTooMuch) => {
                self.ledger.taken(tag);
            }
            Disposition::RetryLater | Disposition::RetryAlone => {}
            Disposition::DeadLetter(_) => {
                self.broker.dead_letter(tag);
                self.ledger.rejected(tag);
            }
        }
    }

    async fn acknowledge(&mut self) -> bool {
        for ack in self.ledger.acks() {
            self.chance.point("acknowledgement").await;
            if self.chance.strikes(Fault::ChannelClosed, "acknowledgement") {
                self.broker.close("consumer timeout");
            }
            if !self.broker.ack(self.channel, ack.tag, ack.multiple) {
                return false;
            }
        }
        true
    }
}

/// One round of the way out.
pub(super) async fn send(gateway: &Gateway, (route, outlet): (RouteKind, &dyn Outlet), limit: usize) -> usize {
    // What could not be written down goes out again when its lease has run out.
    outbound::round_once(gateway, (route, outlet), limit).await.unwrap_or_default()
}
