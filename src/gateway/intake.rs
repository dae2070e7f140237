//! The queue's door: every delivery ends in exactly one of three ways.
//!
//! Promises: what cannot be taken is in the quarantine, with a refusal to its sender, before it is acknowledged; so is
//! what broke the gateway five times as it was read, and never what only the network kept from us, or the death of a
//! gateway that waited for its store.
//! Never: reads content before the sender is known; lets one bad delivery come round for ever.

use crate::domain::ids::{ExchangeId, MessageId, ParticipantCode};
use crate::domain::message::Format;
use crate::failpoint;
use crate::format;
use crate::gateway::Gateway;
use crate::gateway::arrival::{Arrival, ChannelKind};
use crate::gateway::dispatch::RefusedDelivery;
use crate::gateway::ports::StoreError;
use crate::gateway::ports::inbound::{Disposition, Inbound, InboundDelivery, SUSPICIOUS};
use crate::gateway::rejection::{Rejection, RejectionKind};
use async_trait::async_trait;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// So often the reading of a suspicious delivery may begin and not end: with the [`SUSPICIOUS`] times before it became
/// suspicious, five attempts (reliability: invariant 11). To read takes no store and no other delivery: what ends the
/// gateway just then, so often, is what it reads.
const READINGS_MAX: u32 = 5 - SUSPICIOUS;

/// So often the whole handling may. It waits for the store, and whoever ends the gateway meanwhile (a person, a watchdog
/// that finds it slow) does so by chance: so it takes more to blame the delivery, and fewer than the broker's own limit of
/// redeliveries, beyond which nobody is told.
const HANDLINGS_MAX: u32 = 14 - SUSPICIOUS;

#[async_trait]
impl Inbound for Gateway {
    async fn take(&self, delivery: InboundDelivery) -> Disposition {
        if !delivery.is_suspicious() {
            return self.handle(delivery).await;
        }
        // It goes on when the channel is lost and nobody waits for it any more: only a crash leaves it without an end.
        let gateway = self.clone();
        let handled = tokio::spawn(async move { gateway.handle_suspicious(delivery).await });
        handled.await.unwrap_or_else(|fault| match fault.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Disposition::RetryLater,
        })
    }
}

impl Gateway {
    /// Counts how often this is begun without coming to an end: what breaks the gateway each time is kept apart.
    async fn handle_suspicious(&self, delivery: InboundDelivery) -> Disposition {
        let (whole, reading) = (digest(&delivery, b"handling"), digest(&delivery, b"reading"));
        let Ok(handlings) = self.0.store.begin_handling(whole, self.now()).await else {
            return Disposition::RetryLater;
        };
        let Ok(readings) = self.0.store.begin_handling(reading, self.now()).await else {
            return Disposition::RetryLater;
        };
        if handlings <= HANDLINGS_MAX && readings <= READINGS_MAX {
            self.read_through(&delivery);
            self.ended(reading).await;
            let disposition = self.handle(delivery).await;
            self.ended(whole).await;
            return disposition;
        }
        let disposition = self.keep_what_breaks(delivery).await;
        if disposition == Disposition::Ack {
            self.ended(reading).await;
            self.ended(whole).await;
        }
        disposition
    }

    async fn ended(&self, key: [u8; 32]) {
        if let Err(fault) = self.0.store.end_handling(key).await {
            tracing::warn!(%fault, "the end of a handling could not be written down");
        }
    }

    /// All that is done with the content alone; whatever comes of it, the handling finds it again.
    fn read_through(&self, delivery: &InboundDelivery) {
        let Ok((sender, format, id)) = self.admit(delivery) else { return };
        let (content, channel) = (delivery.content.clone(), ChannelKind::Amqp);
        drop(self.0.check(Arrival { sender, format, content, channel, transport_id: Some(id) }, self.now()));
    }

    async fn keep_what_breaks(&self, delivery: InboundDelivery) -> Disposition {
        match self.is_on_record(&delivery).await {
            Ok(false) => {}
            Ok(true) => return Disposition::Ack,
            Err(_) => return Disposition::RetryLater,
        }
        tracing::error!(id = delivery.message_id, "alarm: the gateway ended each time while it handled this delivery");
        let message =
            "the gateway broke off each time that it handled this; it is kept for a person, who will report it";
        let rejection = Rejection::new(RejectionKind::Invalid, "handling_broke_off", message);
        self.refuse(delivery, &rejection).await
    }

    /// What it breaks comes after it was taken: it was accepted, and its sender has been told so.
    async fn is_on_record(&self, delivery: &InboundDelivery) -> Result<bool, StoreError> {
        let id = delivery.message_id.as_deref().and_then(|id| Uuid::try_parse(id).ok());
        let Some(id) = id else { return Ok(false) };
        let stored = self.0.store.message(MessageId(id)).await?;
        Ok(stored.is_some_and(|stored| Some(stored.sender.as_str()) == delivery.user_id.as_deref()))
    }

    async fn handle(&self, delivery: InboundDelivery) -> Disposition {
        let outcome = match self.admit(&delivery) {
            Ok((sender, format, id)) => {
                let submitted = self.submit_from_queue(sender, (format, delivery.content.clone()), id).await;
                submitted.map(|_| ())
            }
            Err(rejection) => Err(rejection),
        };
        match outcome {
            Ok(()) => Disposition::Ack,
            Err(rejection) if rejection.is_passing() => again(&rejection),
            Err(rejection) => self.refuse(delivery, &rejection).await,
        }
    }

    /// What the properties must say before a byte of the content is read.
    fn admit(&self, delivery: &InboundDelivery) -> Result<(ParticipantCode, Format, String), Rejection> {
        let no = |kind, code, message: &str| Rejection::new(kind, code, message);
        let user = delivery.user_id.as_deref().ok_or_else(|| {
            no(RejectionKind::Forbidden, "sender_missing", "publish with the property `user_id`: your own user")
        })?;
        let sender = ParticipantCode::new(user).ok().filter(|code| self.participant(code).is_some());
        let sender = sender.ok_or_else(|| {
            no(RejectionKind::Forbidden, "unknown_participant", "the broker's user is no participant of the exchange")
        })?;
        if !matches!(delivery.content_encoding.as_deref(), None | Some("" | "identity" | "utf-8")) {
            let message = "send the content as it is, without `content_encoding`";
            return Err(no(RejectionKind::UnsupportedFormat, "encoding_unsupported", message));
        }
        let format = delivery.content_type.as_deref().and_then(format::recognise).ok_or_else(|| {
            let message = "set `content_type` to application/json or application/xml, in UTF-8";
            no(RejectionKind::UnsupportedFormat, "unsupported_content_type", message)
        })?;
        let id = delivery.message_id.clone().filter(|id| !id.is_empty()).ok_or_else(|| {
            no(RejectionKind::Invalid, "message_id_missing", "set the property `message_id` to the envelope's `id`")
        })?;
        Ok((sender, format, id))
    }

    async fn refuse(&self, delivery: InboundDelivery, rejection: &Rejection) -> Disposition {
        metrics::counter!("mezhved_messages_refused_total", "code" => rejection.code).increment(1);
        let uuid = |text: Option<&str>| text.and_then(|text| Uuid::try_parse(text).ok());
        let sender = delivery.user_id.as_deref().and_then(|user| ParticipantCode::new(user).ok());
        let refused = RefusedDelivery {
            sender: sender.filter(|code| self.participant(code).is_some()),
            message: uuid(delivery.message_id.as_deref()).map(MessageId),
            exchange: uuid(delivery.correlation_id.as_deref()).map(ExchangeId),
            content_type: delivery.content_type.unwrap_or_default(),
            content: delivery.content,
        };
        match self.keep_refused(refused, rejection).await {
            Ok(()) => {
                failpoint::reach("after-refusal");
                Disposition::Ack
            }
            Err(rejection) => again(&rejection),
        }
    }
}

/// Whether the world is down, or our own record says no to this one delivery: nothing else may wait for that.
fn again(rejection: &Rejection) -> Disposition {
    if rejection.code == "internal" { Disposition::DeadLetter("unwritable") } else { Disposition::RetryLater }
}

/// Of what is counted, and of all by which one delivery differs from another.
fn digest(delivery: &InboundDelivery, counted: &[u8]) -> [u8; 32] {
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
