//! A delivery that came several times without an answer: whether it is what breaks the gateway.
//!
//! Promises: what ends the gateway each time is kept apart, with a refusal to its sender, after five deaths as it is read or
//! fourteen in all, the two before it became suspicious among them; what is on record already is never refused. Never:
//! blames a delivery for what this process has begun and could not end, and lives; forgets within thirty days what it has refused.

use crate::domain::ids::MessageId;
use crate::gateway::Gateway;
use crate::gateway::arrival::{Arrival, ChannelKind};
use crate::gateway::intake::uuid;
use crate::gateway::ports::StoreError;
use crate::gateway::ports::inbound::{Disposition, InboundDelivery, SUSPICIOUS};
use crate::gateway::rejection::{Rejection, RejectionKind};
use bytes::Bytes;
use chrono::TimeDelta;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So often the reading of a suspicious delivery may begin and not end: with the [`SUSPICIOUS`] times before it became
/// suspicious, five attempts (reliability: invariant 11). It takes milliseconds, of which the store has the beginning and
/// the end: what ends the gateway just then, again and again, is what it reads.
const READINGS_MAX: u32 = 5 - SUSPICIOUS;

/// So often the whole handling may. It waits for the store, and whoever ends the gateway meanwhile (a person, a watchdog
/// that finds it slow) does so by chance: so it takes more to blame the delivery, and fewer than the broker's own limit of
/// redeliveries (topology.rs), beyond which its sender hears nothing.
const HANDLINGS_MAX: u32 = 14 - SUSPICIOUS;

/// How long a count without an end stands: also that of what was refused, which should not come again. What is handed
/// out again and again begins again, and is not forgotten meanwhile.
const KEPT: TimeDelta = TimeDelta::days(30);

/// Deliveries that are remembered at most; there are some only while the store does not answer.
const UNENDED_MAX: usize = 10_000;

/// What of a delivery is counted.
type Key = [u8; 32];

/// What this process has begun without knowing that its end is written down, and how often.
#[derive(Default)]
pub(super) struct Unended(Mutex<HashMap<Key, u32>>);

impl Unended {
    fn counts(&self) -> MutexGuard<'_, HashMap<Key, u32>> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() > UNENDED_MAX {
            counts.clear();
        }
        counts
    }

    /// One more; how often it had been begun here before.
    fn begin(&self, key: Key) -> u32 {
        let mut counts = self.counts();
        let count = counts.entry(key).or_default();
        *count += 1;
        *count - 1
    }

    fn end(&self, key: Key) {
        self.counts().remove(&key);
    }
}

impl Gateway {
    /// Counts how often this is begun without coming to an end, and takes it unless that was too often.
    pub(super) async fn handle_suspicious(&self, delivery: InboundDelivery) -> Disposition {
        let keys = [digest(&delivery, b"handling"), digest(&delivery, b"reading")];
        let own = keys.map(|key| self.0.unended.begin(key));
        let now = self.now();
        let begun = self.0.store.begin_handlings(keys, now, now - KEPT).await;
        let Ok(begun) = begun else { return Disposition::RetryLater };
        let [handlings, readings] = [begun[0].saturating_sub(own[0]), begun[1].saturating_sub(own[1])];
        if handlings > HANDLINGS_MAX || readings > READINGS_MAX {
            // The counts stay: should it come again, it is not taken after all.
            return self.keep_what_breaks(delivery).await;
        }
        self.read_through(&delivery);
        let [handling, reading] = keys;
        self.ended(reading).await;
        let disposition = self.handle(delivery).await;
        self.ended(handling).await;
        disposition
    }

    async fn ended(&self, key: Key) {
        match self.0.store.end_handling(key).await {
            Ok(()) => self.0.unended.end(key),
            Err(fault) => tracing::warn!(%fault, "the end of a handling could not be written down"),
        }
    }

    /// Reads and checks the content as the handling does, and keeps nothing: whatever comes of it, the handling finds again.
    fn read_through(&self, delivery: &InboundDelivery) {
        let Ok((sender, format, id)) = self.admit(delivery) else { return };
        let (content, channel) = (delivery.content.clone(), ChannelKind::Amqp);
        drop(self.0.check(Arrival { sender, format, content, channel, transport_id: Some(id) }, self.now()));
    }

    async fn keep_what_breaks(&self, delivery: InboundDelivery) -> Disposition {
        let on_record = match self.on_record(&delivery).await {
            // What it breaks comes after it was taken: it was accepted, and its sender has been told so.
            Ok(Some(content)) if content == delivery.content => return Disposition::Ack,
            Ok(on_record) => on_record,
            Err(_) if self.0.store.answers(self.now()).await => return Disposition::RetryAlone,
            Err(_) => return Disposition::RetryLater,
        };
        let id = uuid(delivery.message_id.as_deref());
        tracing::error!(?id, "alarm: the gateway ended each time while it handled this delivery");
        let message =
            "the gateway broke off each time that it handled this; it is kept for a person, who will report it";
        let rejection = Rejection::new(RejectionKind::Invalid, "handling_broke_off", message);
        // Another handling of the same may still come to its end.
        self.refuse_unless(delivery, (&rejection, on_record.is_none())).await
    }

    /// The content under that id of that sender.
    async fn on_record(&self, delivery: &InboundDelivery) -> Result<Option<Bytes>, StoreError> {
        let Some(id) = uuid(delivery.message_id.as_deref()) else { return Ok(None) };
        let stored = self.0.store.message(MessageId(id)).await?;
        let own = stored.filter(|stored| Some(stored.sender.as_str()) == delivery.user_id.as_deref());
        Ok(own.map(|stored| stored.content))
    }
}

/// Of what is counted, and of who sends what under which id.
fn digest(delivery: &InboundDelivery, counted: &[u8]) -> Key {
    let mut sha256 = Sha256::new();
    let texts = [&delivery.user_id, &delivery.message_id].map(|text| text.as_deref().unwrap_or_default().as_bytes());
    for part in [counted, texts[0], texts[1]] {
        sha256.update(part);
        // A byte that no text of UTF-8 holds keeps the parts apart.
        sha256.update([0xff]);
    }
    sha256.update(&delivery.content);
    sha256.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_here_and_has_no_known_end_is_told_until_it_has() {
        let unended = Unended::default();
        assert_eq!([unended.begin([1; 32]), unended.begin([1; 32]), unended.begin([2; 32])], [0, 1, 0]);
        unended.end([1; 32]);
        assert_eq!([unended.begin([1; 32]), unended.begin([2; 32])], [0, 1]);
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let unended = Unended::default();
        for number in 0..=UNENDED_MAX as u64 + 1 {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&number.to_le_bytes());
            unended.begin(key);
        }
        assert!(unended.counts().len() <= UNENDED_MAX);
    }
}
