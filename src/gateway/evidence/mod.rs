//! The evidence of an obligation: everything the gateway holds about who was asked, by when, and what came of it.
//!
//! Promises: only a party to the obligation and people of the centre get it, and only after it is written down to whom
//! it was given. Never: the body of a message; a section about something that the gateway does not hold.

mod gather;
pub mod pack;
pub mod seal;

use crate::domain::ids::ObligationId;
use crate::gateway::Gateway;
use crate::gateway::act::Actor;
use crate::gateway::cases::Disclosing;
use crate::gateway::evidence::pack::Pack;
use crate::gateway::ports::reads::DeliveryRow;
use crate::gateway::rejection::Rejection;

impl Gateway {
    /// The evidence of an obligation as it stands now. That it was given, and to whom, is recorded first.
    ///
    /// # Errors
    /// `not_found`, also for what the actor may not see; `Unavailable`.
    pub async fn evidence(&self, id: ObligationId, by: &Actor) -> Result<Pack, Rejection> {
        let row = self.row_for(id, by).await?;
        let exchange = row.duty.obligation.exchange;
        self.disclose(Disclosing::Evidence { exchange, obligation: id }, by).await?;
        let mut record = self.0.store.exchange(exchange).await?.ok_or_else(|| Rejection::not_found("obligation"))?;
        // A body that took the obligation over got the request apart from the exchange's own deliveries.
        if let Some(root) = &record.exchange.root {
            let (request, performer) = (root.message, &row.duty.obligation.performer);
            let is_there = |one: &DeliveryRow| one.message == request && one.recipient == *performer;
            if !record.deliveries.iter().any(is_there) {
                record.deliveries.extend(self.0.store.delivery(request, performer).await?);
            }
        }
        let duty = record.exchange.duty(id).ok_or_else(|| Rejection::not_found("obligation"))?;
        let mut letters = Vec::new();
        for line in gather::letters_of(&record, duty) {
            letters.extend(self.0.store.message(line.id).await?);
        }
        Ok(gather::pack(&self.0, (&record, duty), (&letters, by, self.now())))
    }
}
