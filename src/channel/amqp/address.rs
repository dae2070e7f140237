//! The address of the broker: it holds a password, so it cannot be printed.
//!
//! Promises: a text that is no AMQP address is refused when it is read, by a fault that does not repeat it. Never: shows
//! the password.

use lapin::uri::AMQPUri;
use std::fmt;
use std::time::Duration;

/// `amqp://user:password@host:port/vhost`, or `amqps://…`.
#[derive(Clone)]
pub struct AmqpAddress(AMQPUri);

/// What is wrong with an address; the address itself is not repeated, because it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    #[error("not an AMQP address: {0}; write it as amqp://user:password@host:5672/vhost")]
    NotAmqp(&'static str),
    #[error("the client does not take IPv6 addresses in brackets; name the host instead")]
    Ipv6,
}

impl AmqpAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// [`BadAddress`], without the text itself.
    pub fn parse(text: &str) -> Result<Self, BadAddress> {
        let rest = text.strip_prefix("amqp://").or_else(|| text.strip_prefix("amqps://"));
        let rest = rest.ok_or(BadAddress::NotAmqp("it must begin with amqp:// or amqps://"))?;
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        if host.is_empty() {
            return Err(BadAddress::NotAmqp("the host is missing"));
        }
        // The client would take such an address for localhost without a word.
        if host.starts_with('[') {
            return Err(BadAddress::Ipv6);
        }
        let uri = text.parse::<AMQPUri>().map_err(|_| BadAddress::NotAmqp("the client cannot read it"))?;
        Ok(Self(uri))
    }

    /// The user that the gateway connects as; its own messages bear it as `user_id`.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.0.authority.userinfo.username
    }

    pub(super) fn uri(&self, heartbeat_s: u16, connect_timeout: Duration) -> AMQPUri {
        let mut uri = self.0.clone();
        uri.query.heartbeat = Some(heartbeat_s);
        uri.query.connection_timeout = u64::try_from(connect_timeout.as_millis()).ok();
        uri
    }
}

impl fmt::Display for AmqpAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AMQPUri { scheme, authority, vhost, .. } = &self.0;
        write!(out, "{scheme}://{}@{}:{}/{vhost}", authority.userinfo.username, authority.host, authority.port)
    }
}

impl fmt::Debug for AmqpAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "AmqpAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        let address = AmqpAddress::parse("amqps://mezhved:hush%21hush@broker.example:5671/prod").unwrap();
        assert_eq!(address.to_string(), "amqps://mezhved@broker.example:5671/prod");
        assert_eq!(format!("{address:?}"), "AmqpAddress(amqps://mezhved@broker.example:5671/prod)");
        assert_eq!(address.user(), "mezhved");
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        for text in
            ["", "http://u:hush@host", "amqp://", "amqp://u:hush@", "amqp://u:hush@[::1]:5672/x", "amqp://u:hush@h:x"]
        {
            let fault = AmqpAddress::parse(text).unwrap_err();
            assert!(!format!("{fault} {fault:?}").contains("hush"), "{fault}");
        }
    }
}
