//! Alerts to a coordinators' program: thin status events, signed like every push.
//!
//! Promises: the same `webhook-id` over all retries; the same guards as for letters. Never: whole messages.

use crate::channel::push::outlet::{PushOutlet, Signed};
use crate::gateway::ports::notices::{TellFault, Teller, Telling};
use crate::gateway::ports::outlet::DeliveryFault;
use async_trait::async_trait;
use bytes::Bytes;

/// CloudEvents 1.0 in structured JSON.
const CONTENT_TYPE: &str = "application/cloudevents+json";

#[async_trait]
impl Teller for PushOutlet {
    async fn tell(&self, notice: &Telling) -> Result<(), TellFault> {
        let Some(url) = &notice.recipient.alerts_url else {
            return Err(TellFault::Refused("the participant has no `alerts_url` any more".to_owned()));
        };
        let content = Bytes::from(notice.content.clone());
        let signed = Signed { id: notice.id.to_string(), content_type: CONTENT_TYPE, content };
        let outcome = self.post(url, &notice.recipient.code, signed).await;
        let result = if outcome.is_ok() { "delivered" } else { "failed" };
        metrics::counter!("mezhved_webhook_alerts_total", "result" => result).increment(1);
        outcome.map_err(|fault| match fault {
            DeliveryFault::Later { reason, .. } => TellFault::Later(reason),
            DeliveryFault::ChannelDown { reason } => TellFault::Down(reason),
        })
    }
}
