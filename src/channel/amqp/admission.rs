//! From the broker's delivery to ours: what can be judged without reading the content.
//!
//! Promises: what is too large, or bears too many headers, goes to the dead letters whole, unread. Never: looks into the
//! content; trusts a name that the broker has not checked.

use crate::gateway::ports::inbound::InboundDelivery;
use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, ShortString};

/// Headers of one delivery; the broker's own among them.
const HEADERS_MAX: usize = 64;

/// The delivery in our own words.
///
/// # Errors
/// The stable code of what is wrong with it; it must be dead-lettered.
pub(super) fn admit(delivery: Delivery, content_bytes_max: usize) -> Result<InboundDelivery, &'static str> {
    let properties = &delivery.properties;
    if delivery.data.len() > content_bytes_max {
        return Err("too_large");
    }
    if properties.headers().as_ref().is_some_and(|headers| headers.inner().len() > HEADERS_MAX) {
        return Err("too_many_headers");
    }
    Ok(InboundDelivery {
        user_id: text(properties.user_id()),
        message_id: text(properties.message_id()),
        content_type: text(properties.content_type()),
        content_encoding: text(properties.content_encoding()),
        correlation_id: text(properties.correlation_id()),
        handed_out_before: delivery_count(&delivery.properties),
        content: delivery.data.into(),
    })
}

/// How often a quorum queue has handed the delivery out before.
pub(super) fn delivery_count(properties: &BasicProperties) -> u32 {
    let headers = properties.headers().as_ref();
    let count: i64 = match headers.and_then(|headers| headers.inner().get("x-delivery-count")) {
        Some(AMQPValue::LongLongInt(count)) => *count,
        Some(AMQPValue::LongInt(count)) => i64::from(*count),
        Some(AMQPValue::ShortInt(count)) => i64::from(*count),
        Some(AMQPValue::ShortShortInt(count)) => i64::from(*count),
        Some(AMQPValue::LongUInt(count)) => i64::from(*count),
        Some(AMQPValue::ShortShortUInt(count)) => i64::from(*count),
        Some(AMQPValue::ShortUInt(count)) => i64::from(*count),
        _ => 0,
    };
    u32::try_from(count).unwrap_or_default()
}

/// A property with control characters says nothing: the broker checks none, and not every store can write them.
fn text(property: &Option<ShortString>) -> Option<String> {
    let says = |text: &&str| !text.is_empty() && !text.contains(char::is_control);
    property.as_ref().map(ShortString::as_str).filter(says).map(str::to_owned)
}
