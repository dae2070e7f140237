//! A lane: one channel that carries many letters at once.
//!
//! Promises: a letter is answered with its own confirmation, return or fault; what breaks the channel is found by
//! sending its letters again one by one, each on a channel of its own, so that no letter suffers for another. Never:
//! trusts the client library to say whose return it has: it hands a returned message to whichever confirmation comes
//! next, so returns are told by recipient and message.

use crate::channel::amqp::lanes::{Lanes, failed};
use crate::channel::amqp::topology::{OUT_EXCHANGE, short};
use crate::domain::ids::ParticipantCode;
use crate::failpoint;
use crate::flaw::{self, Flaw};
use crate::gateway::ports::outlet::{DeliveryFault, Letter};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use lapin::message::BasicReturnMessage;
use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Channel, Confirmation};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

/// Letters of one lane that are published and not yet confirmed.
const ON_WAY_MAX: usize = 128;
/// After so long without any confirmation the lane begins anew. Who waits for one has given up long before.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// A letter on a lane, with the way back to who waits for it.
pub(super) struct Waiting {
    pub letter: Letter,
    pub properties: BasicProperties,
    pub answer: oneshot::Sender<Result<(), DeliveryFault>>,
}

type Confirmed = Result<Confirmation, lapin::Error>;
type OnWay<'l> = Pin<Box<dyn Future<Output = Ended> + Send + 'l>>;

/// What has become of a publication.
enum Ended {
    Confirmed(Box<(Waiting, Confirmed)>),
    /// It went alone and is answered.
    Answered,
}

/// Carries what comes in, until nobody can hand anything in.
pub(super) async fn carry(lanes: &Lanes, mut end: mpsc::Receiver<Waiting>) {
    let mut lane = Lane::new(lanes);
    loop {
        let takes_more = lane.on_way.len() < ON_WAY_MAX && lane.doubtful.is_empty();
        tokio::select! {
            Some(ended) = lane.on_way.next(), if !lane.on_way.is_empty() => lane.settle(ended),
            came = end.recv(), if takes_more => match came {
                Some(waiting) => lane.publish(waiting).await,
                None => return,
            },
            // All at once, with the channel: a confirmation that is dropped alone could take another letter's return along.
            () = sleep(STUCK_AFTER), if !lane.on_way.is_empty() => lane = Lane::new(lanes),
        }
    }
}

struct Lane<'l> {
    lanes: &'l Lanes,
    channel: Option<Channel>,
    on_way: FuturesUnordered<OnWay<'l>>,
    /// What the broker has returned, with its reason, until the letter is tried again or the lane is empty.
    returned: HashMap<(String, String), String>,
    /// Confirmed, but with the return of another letter: its own may still be about to come with a later confirmation.
    doubtful: Vec<Waiting>,
}

impl<'l> Lane<'l> {
    fn new(lanes: &'l Lanes) -> Self {
        let (on_way, returned) = (FuturesUnordered::new(), HashMap::new());
        Self { lanes, channel: None, on_way, returned, doubtful: Vec::new() }
    }

    async fn publish(&mut self, waiting: Waiting) {
        // Who waited has given up: the letter comes again, and would go out twice.
        if waiting.answer.is_closed() {
            return;
        }
        // What is said of an earlier attempt does not count for this one.
        self.returned.remove(&key(&waiting.letter));
        failpoint::reach("before-publish");
        match self.hand_to_broker(&waiting).await {
            Ok(_) if flaw::is(Flaw::SentBeforeConfirmed) => answer(waiting, Ok(())),
            Ok(confirm) => {
                self.on_way.push(Box::pin(async move { Ended::Confirmed(Box::new((waiting, confirm.await))) }))
            }
            Err(error) => self.broken(waiting, error),
        }
    }

    /// The channel has failed under this letter, because of it or of another: it goes alone, and delays nobody.
    fn broken(&self, waiting: Waiting, error: lapin::Error) {
        let lanes = self.lanes;
        if !lanes.connected() {
            return answer(waiting, Err(lanes.fault(failed(error))));
        }
        self.on_way.push(Box::pin(async move {
            let outcome = alone(lanes, &waiting).await;
            answer(waiting, outcome);
            Ended::Answered
        }));
    }

    async fn hand_to_broker(&mut self, waiting: &Waiting) -> Result<lapin::PublisherConfirm, lapin::Error> {
        let channel = match self.channel.take() {
            Some(channel) if channel.status().connected() => channel,
            _ => self.lanes.channel().await?,
        };
        let confirm = publish(&channel, waiting).await;
        failpoint::reach("after-publish");
        self.channel = Some(channel);
        confirm
    }

    /// Takes in one confirmation and all that have come with it, and answers what is certain. A return comes before the
    /// confirmation of its letter, and with that confirmation or an earlier one: so a letter whose confirmation bears
    /// no return at all has had its own, if any, among those that came before.
    fn settle(&mut self, first: Ended) {
        failpoint::reach("after-confirm");
        let (mut certain, mut failed, mut next) = (Vec::new(), Vec::new(), Some(first));
        while let Some(ended) = next {
            match ended {
                Ended::Confirmed(ended) => match *ended {
                    (waiting, Ok(confirmation)) => self.sort(waiting, confirmation, &mut certain),
                    (waiting, Err(error)) => failed.push((waiting, error)),
                },
                Ended::Answered => {}
            }
            next = self.on_way.next().now_or_never().flatten();
        }
        certain.into_iter().for_each(|(waiting, taken)| self.answer(waiting, taken));
        if self.on_way.is_empty() {
            std::mem::take(&mut self.doubtful).into_iter().for_each(|waiting| self.answer(waiting, Ok(())));
            self.returned.clear();
        }
        failed.into_iter().for_each(|(waiting, error)| self.broken(waiting, error));
    }

    fn sort(
        &mut self,
        waiting: Waiting,
        confirmation: Confirmation,
        certain: &mut Vec<(Waiting, Result<(), DeliveryFault>)>,
    ) {
        self.lanes.confirmed();
        let (taken, returned) = verdict(confirmation);
        let Some(returned) = returned else { return certain.push((waiting, taken)) };
        let whose = if flaw::is(Flaw::ForeignReturnTaken) { key(&waiting.letter) } else { key_of(&returned) };
        let is_own = whose == key(&waiting.letter);
        self.returned.insert(whose, returned.reply_text.to_string());
        // Whoever's return came along: what is refused is refused.
        if is_own || taken.is_err() { certain.push((waiting, taken)) } else { self.doubtful.push(waiting) }
    }

    fn answer(&mut self, waiting: Waiting, taken: Result<(), DeliveryFault>) {
        // Looked at and left: two attempts of one letter that are on their way together may have two returns.
        let outcome = match self.returned.get(&key(&waiting.letter)) {
            Some(reason) => Err(no_queue(self.lanes, waiting.letter.recipient_code(), reason)),
            None => taken,
        };
        answer(waiting, outcome);
    }
}

/// Sends one letter on a channel of its own.
async fn alone(lanes: &Lanes, waiting: &Waiting) -> Result<(), DeliveryFault> {
    let sent = async {
        let channel = lanes.channel().await?;
        let confirmation = publish(&channel, waiting).await?.await?;
        // Its work is done; if it cannot be closed, it goes with the connection.
        let _ = channel.close(200, short("done")).await;
        lanes.confirmed();
        Ok(confirmation)
    };
    match timeout(STUCK_AFTER, sent).await {
        Err(_) => Err(later("no confirmation in time")),
        Ok(Err(error)) => Err(lanes.fault(failed(error))),
        Ok(Ok(confirmation)) => match verdict(confirmation) {
            (_, Some(returned)) => Err(no_queue(lanes, waiting.letter.recipient_code(), returned.reply_text.as_str())),
            (taken, None) => taken,
        },
    }
}

/// What the broker says of a letter, and the return that came along, whosever it is.
fn verdict(confirmation: Confirmation) -> (Result<(), DeliveryFault>, Option<BasicReturnMessage>) {
    match confirmation {
        Confirmation::Ack(returned) => (Ok(()), returned),
        Confirmation::Nack(returned) => {
            (Err(later("the broker did not take it (its queue is full or has no majority)")), returned)
        }
        Confirmation::NotRequested => (Err(later("the broker confirms nothing")), None),
    }
}

async fn publish(channel: &Channel, waiting: &Waiting) -> Result<lapin::PublisherConfirm, lapin::Error> {
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let (key, content) = (short(waiting.letter.recipient_code().as_str()), &waiting.letter.content);
    channel.basic_publish(short(OUT_EXCHANGE), key, options, content, waiting.properties.clone()).await
}

fn answer(waiting: Waiting, outcome: Result<(), DeliveryFault>) {
    // Who waited may have given up; the letter then goes again under the same id.
    let _ = waiting.answer.send(outcome);
}

fn key(letter: &Letter) -> (String, String) {
    (letter.recipient_code().as_str().to_owned(), letter.message.to_string())
}

fn key_of(returned: &BasicReturnMessage) -> (String, String) {
    let message = returned.properties.message_id().as_ref().map(ToString::to_string);
    (returned.routing_key.to_string(), message.unwrap_or_default())
}

fn no_queue(lanes: &Lanes, recipient: &ParticipantCode, reason: &str) -> DeliveryFault {
    lanes.is_missing(recipient);
    later(&format!("the broker has no queue for it: {reason}"))
}

fn later(reason: &str) -> DeliveryFault {
    DeliveryFault::Later { reason: reason.to_owned(), retry_after: None }
}
