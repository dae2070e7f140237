//! The deliveries of one channel, from the broker's hand to their acknowledgement.
//!
//! Promises: the gateway's `take` is begun in the order of the queue; after a stop what is in flight is ended and
//! acknowledged. A delivery that was handed out twice already is taken alone, so that whatever it breaks breaks nothing
//! else; one that only the store does not take while it takes others waits beside (aside.rs). Never: acknowledges what was
//! not taken; outlives its channel.

use crate::channel::amqp::acknowledging::Ledger;
use crate::channel::amqp::admission::{admit, delivery_count};
use crate::channel::amqp::intake::Door;
use crate::channel::amqp::intake::aside::Aside;
use crate::channel::amqp::link::{Loss, within};
use crate::channel::amqp::topology::{INBOUND_QUEUE, short};
use crate::failpoint;
use crate::flaw::{self, Flaw};
use crate::gateway::ports::inbound::{Disposition, InboundDelivery, SUSPICIOUS};
use crate::retry::Pace;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// So many times as wide is the next step. A crash costs every delivery in hand one of its attempts, whoever's fault it
/// is: so what is in hand grows with what was taken since the connection was made, and a gateway that crashes again and
/// again before a full queue sends nobody's innocent message to the dead letters.
const WIDENING: u16 = 16;

/// So many times the prefetch may stand aside: each such delivery is in memory, and has no others behind it.
const ASIDE_MAX: usize = 2;

type Taking<'a> = Pin<Box<dyn Future<Output = Taken> + Send + 'a>>;

struct Taken {
    tag: u64,
    delivery: InboundDelivery,
    disposition: Disposition,
}

pub(super) struct Flow<'a> {
    door: &'a Door,
    channel: Channel,
    consumer: Consumer,
    /// Deliveries in hand at most: one at first, the whole prefetch in the end.
    width: u16,
    /// The consumer was ended, so that a wider one can follow when it has given out all that it held.
    widening: bool,
    /// How wide that is to be.
    next_width: u16,
    /// How many of what the present one gave out stand aside.
    standing: usize,
    /// Deliveries of this connection that were taken.
    taken: u64,
    ledger: Ledger,
    busy: FuturesUnordered<Taking<'a>>,
    pause: Option<Pause>,
    aside: Aside,
    pace: Pace,
    /// Since the stop: when to give up.
    drain_until: Option<Instant>,
    exhausted: bool,
}

/// The gateway takes nothing: what it has refused to take, and when it is asked again.
struct Pause {
    since: Instant,
    held: VecDeque<(u64, InboundDelivery)>,
    ask_at: Instant,
    /// The one that is being tried.
    asking: Option<u64>,
}

/// What happened next.
enum Turn {
    Stop,
    Taken(Taken),
    Came(Option<Result<Box<Delivery>, lapin::Error>>),
    AskAgain,
    AskAside,
    GiveUp,
}

impl<'a> Flow<'a> {
    /// Begins to consume, one by one at first: what the queue begins with decides how wide the flow may be.
    pub async fn open(door: &'a Door, channel: Channel) -> Result<Self, Loss> {
        let consumer = within(door.config.connect_timeout, consume(&channel, 1)).await?;
        metrics::gauge!("mezhved_amqp_aside").set(0.0);
        Ok(Self {
            door,
            channel,
            consumer,
            width: 1,
            widening: false,
            next_width: 1,
            standing: 0,
            taken: 0,
            ledger: Ledger::default(),
            busy: FuturesUnordered::new(),
            pause: None,
            aside: Aside::default(),
            pace: Pace::local(),
            drain_until: None,
            exhausted: false,
        })
    }

    /// Works until the stop (and then until all is ended, or the drain time is over), or until the channel is lost.
    pub async fn run(&mut self, stop: &CancellationToken) -> Result<(), Loss> {
        loop {
            match self.turn(stop).await {
                Turn::Stop => self.begin_drain().await?,
                Turn::Taken(taken) => self.settle(taken).await?,
                Turn::Came(Some(delivery)) => self.begin(*delivery?).await?,
                Turn::Came(None) if self.drain_until.is_some() => self.exhausted = true,
                Turn::Came(None) if self.widening => self.widen().await?,
                Turn::Came(None) => return Err(Loss::Other("the broker has ended the consumer")),
                Turn::AskAgain => self.ask_again(),
                Turn::AskAside => self.ask_aside().await?,
                Turn::GiveUp => return Ok(()),
            }
            if self.drain_until.is_some() && (self.pause.is_some() || (self.exhausted && self.busy.is_empty())) {
                return Ok(());
            }
            if self.pause.as_ref().is_some_and(|pause| pause.since.elapsed() > self.door.config.hold_max) {
                return Err(self.give_back());
            }
        }
    }

    async fn turn(&mut self, stop: &CancellationToken) -> Turn {
        let ask_at = self.pause.as_ref().filter(|pause| pause.asking.is_none()).map(|pause| pause.ask_at);
        // Nobody is asked beside a store that is away.
        let aside_at = self.aside.ask_at().filter(|_| self.pause.is_none() && self.drain_until.is_none());
        let takes_more = self.pause.is_none() && !self.exhausted;
        let drains = self.drain_until;
        tokio::select! {
            () = stop.cancelled(), if drains.is_none() => Turn::Stop,
            Some(taken) = self.busy.next(), if !self.busy.is_empty() => Turn::Taken(taken),
            came = self.consumer.next(), if takes_more => Turn::Came(came.map(|came| came.map(Box::new))),
            () = until(ask_at), if ask_at.is_some() => Turn::AskAgain,
            () = until(aside_at), if aside_at.is_some() => Turn::AskAside,
            () = until(drains), if drains.is_some() => Turn::GiveUp,
        }
    }

    async fn begin(&mut self, delivery: Delivery) -> Result<(), Loss> {
        let may_widen = self.taken >= u64::from(self.width) && self.width < self.door.config.prefetch;
        if may_widen && delivery_count(&delivery.properties) < SUSPICIOUS {
            self.follow_with(self.wider()).await?;
        }
        failpoint::reach("after-delivery");
        let tag = delivery.delivery_tag;
        self.ledger.came(tag);
        if flaw::is(Flaw::AcknowledgedBeforeCommit) {
            self.ledger.taken(tag);
            self.acknowledge().await?;
        }
        metrics::counter!("mezhved_amqp_received_total").increment(1);
        match admit(delivery, self.door.config.content_bytes_max) {
            Ok(delivery) if delivery.is_suspicious() => self.take_alone(tag, delivery).await?,
            Ok(delivery) => self.take(tag, delivery),
            Err(reason) => self.reject(tag, reason).await?,
        }
        Ok(())
    }

    /// When everything before it is acknowledged, and before anything after it is begun.
    async fn take_alone(&mut self, tag: u64, delivery: InboundDelivery) -> Result<(), Loss> {
        while let Some(taken) = self.busy.next().await {
            self.settle(taken).await?;
        }
        self.take(tag, delivery);
        match self.busy.next().await {
            Some(taken) => self.settle(taken).await,
            None => Ok(()),
        }
    }

    /// Ends the consumer, so that one of that width follows, unless that is under way already or this is the last.
    async fn follow_with(&mut self, width: u16) -> Result<(), Loss> {
        if !self.widening && self.drain_until.is_none() {
            self.next_width = width;
            self.end_consumer().await?;
            self.widening = true;
        }
        Ok(())
    }

    fn wider(&self) -> u16 {
        self.width.saturating_mul(WIDENING).min(self.door.config.prefetch)
    }

    // A quorum queue fixes the prefetch of a consumer when it begins: so a second one follows the first.
    async fn widen(&mut self) -> Result<(), Loss> {
        (self.width, self.standing) = (self.next_width, 0);
        let wider = consume(&self.channel, self.width);
        self.consumer = within(self.door.config.connect_timeout, wider).await?;
        self.widening = false;
        Ok(())
    }

    async fn end_consumer(&mut self) -> Result<(), Loss> {
        let ended = self.channel.basic_cancel(self.consumer.tag(), BasicCancelOptions::default());
        within(self.door.config.connect_timeout, ended).await
    }

    fn take(&mut self, tag: u64, delivery: InboundDelivery) {
        let door = self.door;
        self.busy.push(Box::pin(async move {
            let disposition = door.take(delivery.clone()).await;
            Taken { tag, delivery, disposition }
        }));
        metrics::gauge!("mezhved_amqp_in_flight").set(self.busy.len() as f64);
    }

    /// Settles one, and all others that are ready too: the gateway commits many at once.
    async fn settle(&mut self, first: Taken) -> Result<(), Loss> {
        let mut next = Some(first);
        while let Some(Taken { tag, delivery, disposition }) = next {
            match disposition {
                Disposition::Ack => {
                    self.ledger.taken(tag);
                    self.taken += 1;
                }
                Disposition::DeadLetter(reason) => self.reject(tag, reason).await?,
                Disposition::RetryLater => self.hold(tag, delivery),
                Disposition::RetryAlone => self.put_aside(tag, delivery).await?,
            }
            if disposition != Disposition::RetryLater {
                self.resume_if_asked(tag);
            }
            if matches!(disposition, Disposition::Ack | Disposition::DeadLetter(_)) {
                self.aside.ended(tag);
            }
            next = self.busy.next().now_or_never().flatten();
        }
        failpoint::reach("before-acknowledge");
        self.acknowledge().await?;
        failpoint::reach("after-acknowledge");
        metrics::gauge!("mezhved_amqp_in_flight").set(self.busy.len() as f64);
        metrics::gauge!("mezhved_amqp_aside").set(self.aside.len() as f64);
        Ok(())
    }

    async fn acknowledge(&mut self) -> Result<(), Loss> {
        for ack in self.ledger.acks() {
            let sent = self.channel.basic_ack(ack.tag, BasicAckOptions { multiple: ack.multiple });
            within(self.door.config.connect_timeout, sent).await?;
        }
        Ok(())
    }

    async fn reject(&mut self, tag: u64, reason: &'static str) -> Result<(), Loss> {
        tracing::warn!(reason, "a delivery goes to the dead letters");
        metrics::counter!("mezhved_amqp_dead_lettered_total", "reason" => reason).increment(1);
        let sent = self.channel.basic_nack(tag, BasicNackOptions { multiple: false, requeue: false });
        within(self.door.config.connect_timeout, sent).await?;
        self.ledger.rejected(tag);
        Ok(())
    }

    /// It takes a place in hand, so that the flow must be wider than that.
    async fn put_aside(&mut self, tag: u64, delivery: InboundDelivery) -> Result<(), Loss> {
        // What may be the end of the gateway has no more others beside it than before.
        let may_widen = !delivery.is_suspicious();
        let stood = self.aside.len();
        if !self.aside.put((tag, delivery), self.taken, self.door.config.hold_max) {
            return self.reject(tag, "unwritable").await;
        }
        self.standing += self.aside.len() - stood;
        // Half of what the consumer may have in hand stands aside: another one takes its place.
        let is_crowded = self.standing > 0 && self.standing >= usize::from(self.width / 2);
        if is_crowded && self.aside.len() < ASIDE_MAX * usize::from(self.door.config.prefetch) {
            self.follow_with(if may_widen { self.wider() } else { self.width }).await?;
        }
        Ok(())
    }

    /// Those that stand aside and are due; what is suspicious is taken alone.
    async fn ask_aside(&mut self) -> Result<(), Loss> {
        for (tag, delivery) in self.aside.due() {
            if delivery.is_suspicious() {
                self.take_alone(tag, delivery).await?;
            } else {
                self.take(tag, delivery);
            }
        }
        Ok(())
    }

    fn hold(&mut self, tag: u64, delivery: InboundDelivery) {
        let pause = self.pause.get_or_insert_with(|| {
            tracing::warn!("the gateway takes nothing; deliveries are held");
            let now = Instant::now();
            Pause { since: now, held: VecDeque::new(), ask_at: now + self.pace.next_wait(), asking: None }
        });
        if pause.asking == Some(tag) {
            pause.asking = None;
            pause.ask_at = Instant::now() + self.pace.next_wait();
            pause.held.push_front((tag, delivery));
        } else {
            pause.held.push_back((tag, delivery));
        }
    }

    /// One of the held deliveries is tried; the others wait for what becomes of it.
    fn ask_again(&mut self) {
        let Some((tag, delivery)) = self.pause.as_mut().and_then(|pause| {
            let first = pause.held.pop_front()?;
            pause.asking = Some(first.0);
            Some(first)
        }) else {
            return;
        };
        self.take(tag, delivery);
    }

    fn resume_if_asked(&mut self, tag: u64) {
        if self.pause.as_ref().is_some_and(|pause| pause.asking == Some(tag)) {
            self.pace.succeeded();
            for (tag, delivery) in self.pause.take().map(|pause| pause.held).unwrap_or_default() {
                self.take(tag, delivery);
            }
        }
    }

    /// Held for too long: the broker takes all back when the channel ends, once; a copy stays to knock with.
    fn give_back(&mut self) -> Loss {
        let held = self.pause.take().and_then(|mut pause| pause.held.pop_front());
        *self.door.knocker() = held.map(|(_, delivery)| delivery);
        Loss::Other("the gateway took nothing for too long; its deliveries went back to the broker")
    }

    /// No new deliveries; those that are here already are still taken.
    async fn begin_drain(&mut self) -> Result<(), Loss> {
        self.drain_until = Some(Instant::now() + self.door.config.drain_timeout);
        self.end_consumer().await
    }
}

async fn consume(channel: &Channel, prefetch: u16) -> Result<Consumer, lapin::Error> {
    channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
    let options = BasicConsumeOptions::default();
    channel.basic_consume(short(INBOUND_QUEUE), short(""), options, FieldTable::default()).await
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
