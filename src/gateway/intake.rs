//! The queue's door: every delivery ends in exactly one of four ways.
//!
//! Promises: what cannot be taken is in the quarantine, with a refusal to its sender, before it is acknowledged; so is
//! what breaks the gateway again and again (suspicion.rs), and never what only the network kept from us.
//! Never: reads content before the sender is known; lets one bad delivery come round for ever.

use crate::domain::ids::{ExchangeId, MessageId, ParticipantCode};
use crate::domain::message::Format;
use crate::failpoint;
use crate::format;
use crate::gateway::Gateway;
use crate::gateway::dispatch::RefusedDelivery;
use crate::gateway::ports::inbound::{Disposition, Inbound, InboundDelivery};
use crate::gateway::rejection::{Rejection, RejectionKind};
use async_trait::async_trait;
use uuid::Uuid;

#[async_trait]
impl Inbound for Gateway {
    async fn take(&self, delivery: InboundDelivery) -> Disposition {
        if !delivery.is_suspicious() {
            return self.handle(delivery).await;
        }
        // It goes on when the channel is lost and nobody waits for it any more.
        let gateway = self.clone();
        let handled = tokio::spawn(async move { gateway.handle_suspicious(delivery).await });
        handled.await.unwrap_or_else(|fault| match fault.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Disposition::RetryLater,
        })
    }
}

impl Gateway {
    pub(super) async fn handle(&self, delivery: InboundDelivery) -> Disposition {
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
    pub(super) fn admit(&self, delivery: &InboundDelivery) -> Result<(ParticipantCode, Format, String), Rejection> {
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

    pub(super) async fn refuse(&self, delivery: InboundDelivery, rejection: &Rejection) -> Disposition {
        self.refuse_unless(delivery, (rejection, false)).await
    }

    /// `unless_taken`: nothing is done if a message of that id and sender is on record by then.
    pub(super) async fn refuse_unless(
        &self,
        delivery: InboundDelivery,
        (rejection, unless_taken): (&Rejection, bool),
    ) -> Disposition {
        let sender = delivery.user_id.as_deref().and_then(|user| ParticipantCode::new(user).ok());
        let refused = RefusedDelivery {
            sender: sender.filter(|code| self.participant(code).is_some()),
            message: uuid(delivery.message_id.as_deref()).map(MessageId),
            exchange: uuid(delivery.correlation_id.as_deref()).map(ExchangeId),
            content_type: delivery.content_type.unwrap_or_default(),
            content: delivery.content,
            unless_taken,
        };
        match self.keep_refused(refused, rejection).await {
            Ok(()) => {
                failpoint::reach("after-refusal");
                metrics::counter!("mezhved_messages_refused_total", "code" => rejection.code).increment(1);
                Disposition::Ack
            }
            Err(rejection) => again(&rejection),
        }
    }
}

/// An id that a property names.
pub(super) fn uuid(text: Option<&str>) -> Option<Uuid> {
    text.and_then(|text| Uuid::try_parse(text).ok())
}

/// Whether the world is down, or only this one delivery is not taken: nothing else may wait for that.
fn again(rejection: &Rejection) -> Disposition {
    match rejection.code {
        "internal" => Disposition::DeadLetter("unwritable"),
        "unavailable_for_this" => Disposition::RetryAlone,
        _ => Disposition::RetryLater,
    }
}
