//! One life of a gateway: a runtime of its own, so that a kill ends everything that was under way, wherever it was; it
//! lives in turns, so that others live beside it.
//!
//! Promises: nothing of one life is left in the next but the disk and the broker. Never: a timer, a second thread.

use crate::channel::amqp::acknowledging::Ledger;
use crate::gateway::ports::Outlet;
use crate::gateway::ports::decisions::RouteKind;
use crate::gateway::ports::inbound::{Disposition, Inbound as _};
use crate::gateway::{Gateway, Parts, notices::Posting};
use crate::simulation::broker::Broker;
use crate::simulation::chance::{Chance, Fault, Lived};
use crate::simulation::flaw::Flaw;
use crate::worker::notices::Line;
use crate::worker::outbound;
use futures_util::future::{BoxFuture, join_all};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use std::pin::pin;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};

/// One life, from its start. What it does goes before its gateway, and that before its runtime.
pub(super) struct Life {
    doing: Doing,
    gateway: Option<Gateway>,
    mail: Line,
    runtime: Runtime,
}

/// What a life is at.
enum Doing {
    Starting(BoxFuture<'static, anyhow::Result<Gateway>>),
    Working(BoxFuture<'static, ()>),
    /// Nothing of its own; what it has begun in the background goes on.
    Nothing,
}

/// What became of a life in its turn.
#[derive(Debug)]
pub(super) enum Turned {
    /// It has started.
    Up,
    /// The store was away, as an operator sees it.
    Refused(String),
    /// It has done what it had to do.
    Idle,
    /// It is still at it.
    Busy,
    Killed,
}

impl Life {
    /// Begins to start a gateway.
    ///
    /// # Errors
    /// When there is no runtime for it.
    pub fn begin(parts: Parts, mail: Line) -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().build()?;
        let start = async move { Gateway::start(parts).await.map_err(anyhow::Error::from) };
        Ok(Self { doing: Doing::Starting(start.boxed()), gateway: None, mail, runtime })
    }

    /// Its gateway and its way to the mail server, once it has started.
    pub fn up(&self) -> Option<(Gateway, Line)> {
        Some((self.gateway.clone()?, self.mail.clone()))
    }

    /// Gives it something to do.
    pub fn set_to(&mut self, works: Vec<BoxFuture<'static, ()>>) {
        self.doing = Doing::Working(join_all(works).map(drop).boxed());
    }

    /// Gives it so many polls.
    pub fn turn(&mut self, chance: &Chance, (no, polls): (usize, u32)) -> Turned {
        let turned = match &mut self.doing {
            Doing::Starting(start) => match self.runtime.block_on(chance.live(no, (polls, start.as_mut()))) {
                Lived::Done(Ok(gateway)) => {
                    gateway.set_posting(Posting { mail: true, board_url: String::new() });
                    self.gateway = Some(gateway);
                    Turned::Up
                }
                Lived::Done(Err(fault)) => Turned::Refused(fault.to_string()),
                Lived::Killed => Turned::Killed,
                Lived::Paused => return Turned::Busy,
            },
            Doing::Working(works) => match self.runtime.block_on(chance.live(no, (polls, works.as_mut()))) {
                Lived::Done(()) => Turned::Idle,
                Lived::Killed => Turned::Killed,
                Lived::Paused => return Turned::Busy,
            },
            Doing::Nothing => {
                let nothing = pin!(std::future::pending::<()>());
                match self.runtime.block_on(chance.live(no, (polls, nothing))) {
                    Lived::Killed => Turned::Killed,
                    Lived::Done(()) | Lived::Paused => Turned::Idle,
                }
            }
        };
        self.doing = Doing::Nothing;
        turned
    }
}

/// A gateway's consumer of the inbound queue: takes what is there, acknowledges what was taken.
pub(super) struct Intake {
    pub chance: Arc<Chance>,
    pub broker: Arc<Broker>,
    pub flaw: Option<Flaw>,
    /// Whose consumer it is.
    no: usize,
    channel: u64,
    ledger: Ledger,
}

impl Intake {
    pub fn new((chance, broker): (Arc<Chance>, Arc<Broker>), no: usize, flaw: Option<Flaw>) -> Self {
        let channel = broker.channel(no);
        Self { chance, broker, flaw, no, channel, ledger: Ledger::default() }
    }

    /// One round with so many deliveries at once.
    pub async fn round(&mut self, gateway: &Gateway, prefetch: usize) {
        let current = self.broker.channel(self.no);
        if current != self.channel {
            (self.channel, self.ledger) = (current, Ledger::default());
        }
        let handed = self.broker.hand_out((self.no, self.channel), prefetch);
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
            self.broker.close(self.no, "the gateway took nothing for long");
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
                self.broker.dead_letter(self.no, tag);
                self.ledger.rejected(tag);
            }
        }
    }

    async fn acknowledge(&mut self) -> bool {
        for ack in self.ledger.acks() {
            self.chance.point("acknowledgement").await;
            if self.chance.strikes(Fault::ChannelClosed, "acknowledgement") {
                self.broker.close(self.no, "consumer timeout");
            }
            if !self.broker.ack((self.no, self.channel), ack.tag, ack.multiple) {
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
