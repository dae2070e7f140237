//! An exchange with all that happened in it.
//!
//! Promises: one state of the database, if the transaction is a snapshot. Never: the content of a message.

use crate::domain::ids::ExchangeId;
use crate::gateway::ports::StoreError;
use crate::gateway::ports::reads::ExchangeRecord;
use crate::store::postgres::exchanges;
use crate::store::postgres::refs::Refs;
use crate::store::postgres::views::{by_hand, deliveries, events, messages};
use sqlx::PgConnection;

/// The exchange of that id with its messages, events, deliveries and what the desk noted.
pub(in crate::store::postgres) async fn of_exchange(
    connection: &mut PgConnection,
    id: ExchangeId,
) -> Result<Option<ExchangeRecord>, StoreError> {
    let found = sqlx::query_scalar("SELECT n FROM exchange WHERE id = $1").bind(id.0).fetch_optional(&mut *connection);
    let Some(row): Option<i64> = found.await? else { return Ok(None) };
    let Some(exchange) = exchanges::by_ids(connection, &[id.0], &mut Refs::default()).await?.remove(&id) else {
        return Ok(None);
    };
    Ok(Some(ExchangeRecord {
        exchange,
        messages: messages::of_exchange(connection, row).await?,
        events: events::of_exchange(connection, row).await?,
        deliveries: deliveries::of_exchange(connection, row).await?,
        by_hand: by_hand::of_exchange(connection, row).await?,
        handovers: by_hand::handed_over(connection, row).await?,
    }))
}
