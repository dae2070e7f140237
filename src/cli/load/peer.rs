//! One invented participant at work: sends by either door, takes its letters, answers what must be answered.
//!
//! Promises: a lost connection to the broker is made again; a letter is counted when it is registered, or read from the
//! queue. Never: keeps a letter.

use super::drive::Scene;
use super::http::Answer;
use super::ledger::{Came, Sort};
use super::mix::{self, Written};
use crate::catalogue::Catalogue;
use crate::channel::amqp::{AmqpAddress, Outgoing, PeerLink};
use crate::domain::message::Envelope;
use crate::domain::participant::{Participant, Route};
use crate::format;
use futures_util::StreamExt as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// Letters of one inbox that are registered at once.
const REGISTERED_AT_ONCE: usize = 8;
const RECONNECT: Duration = Duration::from_secs(1);

/// One participant.
pub(super) struct Peer {
    pub place: usize,
    pub key: String,
    pub address: Option<AmqpAddress>,
    link: watch::Sender<Option<Arc<PeerLink>>>,
}

impl Peer {
    pub fn new(place: usize, key: String, address: Option<AmqpAddress>) -> Self {
        Self { place, key, address, link: watch::Sender::new(None) }
    }

    /// Waits until the broker is reached, where there is a broker.
    pub async fn connected(&self) {
        if self.address.is_some() {
            // The sender lives as long as we do.
            let _ = self.link.subscribe().wait_for(Option::is_some).await;
        }
    }

    /// Takes letters until it is aborted.
    pub async fn live(&self, scene: &Arc<Scene>) {
        let body = &scene.bodies[self.place];
        let (by_queue, silent) = (body.route == Route::Amqp, scene.silent.contains(&self.place));
        tokio::join!(self.keep_link(scene, by_queue && !silent), async {
            if !by_queue && !silent {
                self.empty_inbox(scene).await;
            }
        });
    }

    async fn keep_link(&self, scene: &Arc<Scene>, reads: bool) {
        let Some(address) = &self.address else { return };
        let code = &scene.bodies[self.place].code;
        loop {
            match PeerLink::connect(address).await {
                Ok(link) => {
                    let link = Arc::new(link);
                    self.link.send_replace(Some(Arc::clone(&link)));
                    if !reads {
                        return std::future::pending().await;
                    }
                    let lost = link.read(code, |content| self.take(scene, &content)).await;
                    tracing::warn!(participant = %code, %lost, "the connection to the broker ended");
                    self.link.send_replace(None);
                }
                Err(fault) => tracing::warn!(participant = %code, %fault, "the broker is not reached"),
            }
            tokio::time::sleep(RECONNECT).await;
        }
    }

    async fn empty_inbox(&self, scene: &Arc<Scene>) {
        let Some(door) = &scene.http else { return };
        // Bodies do not look all at the same moment.
        tokio::time::sleep(scene.poll.mul_f64(self.place as f64 / scene.peers.len() as f64)).await;
        loop {
            let letters = match door.inbox(&self.key).await {
                Ok(letters) => letters,
                Err(fault) => {
                    scene.fetch_failed(&fault);
                    Vec::new()
                }
            };
            let full = !letters.is_empty();
            let registering =
                futures_util::stream::iter(letters).for_each_concurrent(REGISTERED_AT_ONCE, |letter| async move {
                    match door.register(&self.key, &letter).await {
                        Ok(()) => self.take(scene, letter.content.as_bytes()),
                        // It stays in the inbox, or it is registered and found there at the end.
                        Err(fault) => scene.fetch_failed(&fault),
                    }
                });
            registering.await;
            if !full {
                tokio::time::sleep(scene.poll).await;
            }
        }
    }

    /// A letter is here.
    fn take(&self, scene: &Arc<Scene>, content: &[u8]) {
        let body = &scene.bodies[self.place];
        let message = match format::read(content, body.format, Catalogue::builtin()) {
            Ok(message) => message,
            Err(fault) => return tracing::error!(%fault, "a letter cannot be read"),
        };
        let letter = message.envelope;
        match (letter.type_code.as_str(), letter.in_reply_to) {
            ("receipt.delivery", Some(id)) => scene.ledger.accepted(id),
            ("receipt.refusal", Some(id)) => scene.ledger.refused(id, "receipt.refusal"),
            _ => {
                let came = scene.ledger.came(self.place, letter.id);
                if let Came::First { from } = came
                    && scene.answers()
                {
                    self.answer(scene, (body, &letter), from);
                }
            }
        }
    }

    fn answer(&self, scene: &Arc<Scene>, (body, letter): (&Participant, &Envelope), to: usize) {
        let due = scene.ledger.now();
        match mix::answer(letter, (body, self.place), to, Uuid::new_v4()) {
            Ok(Some(written)) => {
                scene.ledger.sends(&written, Sort::Answer, due);
                let scene = Arc::clone(scene);
                tokio::spawn(async move {
                    // The semaphore is never closed.
                    let _slot = scene.slots.acquire().await;
                    scene.peers[written.from].send(&scene, written).await;
                });
            }
            Ok(None) => {}
            Err(fault) => tracing::error!(%fault, "an answer cannot be written"),
        }
    }

    /// Sends a message that the ledger knows, by the door of this run.
    pub async fn send(&self, scene: &Scene, message: Written) {
        let id = message.id;
        if scene.by_amqp {
            let Some(link) = self.link.borrow().clone() else { return scene.ledger.failed(id, "not connected") };
            let outgoing =
                Outgoing { id, type_code: &message.type_code, format: message.format, content: &message.content };
            return match link.publish(outgoing).await {
                Ok(()) => scene.ledger.confirmed(id),
                Err(_) => scene.ledger.failed(id, "not confirmed"),
            };
        }
        let Some(door) = &scene.http else { return };
        match door.submit(&self.key, (message.format, message.content)).await {
            Answer::Accepted => scene.ledger.accepted(id),
            Answer::Refused(code) => scene.ledger.refused(id, &code),
            Answer::Failed(why) => scene.ledger.failed(id, &why),
        }
    }
}
