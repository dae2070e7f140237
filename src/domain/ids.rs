//! Names of things: every identifier has a type of its own, so that one can never stand in for another.
//!
//! Promises: an id that exists is well-formed. Never: generates an id (that needs randomness, which is I/O).

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// The id that the sender gives a message; constant over retries (surface: envelope `id`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(pub Uuid);

/// The id of an exchange: the id of its root message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExchangeId(pub Uuid);

/// The id of one obligation (who owes whom which answer).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ObligationId(pub Uuid);

impl fmt::Display for MessageId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl fmt::Display for ExchangeId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl fmt::Display for ObligationId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl From<MessageId> for ExchangeId {
    /// The exchange that a root message begins bears its id.
    fn from(root: MessageId) -> Self {
        Self(root.0)
    }
}

/// The code of a participant, e.g. `school-17`: 1 to 64 of `a-z 0-9 - . _`, beginning with a letter or digit.
/// It is also the name of its AMQP user and the tail of its queue, hence the narrow alphabet.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ParticipantCode(Arc<str>);

/// Bytes of the longest participant code.
pub const PARTICIPANT_CODE_BYTES_MAX: usize = 64;

impl ParticipantCode {
    /// The code, if it is well-formed.
    ///
    /// # Errors
    /// [`BadCode`] when it is empty, too long, or has a character outside the alphabet.
    pub fn new(code: &str) -> Result<Self, BadCode> {
        let ok = !code.is_empty()
            && code.len() <= PARTICIPANT_CODE_BYTES_MAX
            && code.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_'))
            && code.as_bytes()[0].is_ascii_alphanumeric();
        if ok { Ok(Self(Arc::from(code))) } else { Err(BadCode) }
    }

    /// The code of the gateway itself, from which receipts come. No participant may bear it.
    #[must_use]
    pub fn gateway() -> Self {
        Self(Arc::from("mezhved"))
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ParticipantCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl TryFrom<String> for ParticipantCode {
    type Error = BadCode;
    fn try_from(code: String) -> Result<Self, BadCode> {
        Self::new(&code)
    }
}

impl From<ParticipantCode> for String {
    fn from(code: ParticipantCode) -> Self {
        code.0.to_string()
    }
}

/// A code that is outside its alphabet or length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a code is 1 to 64 of a-z, 0-9, '-', '.', '_', and begins with a letter or digit")]
pub struct BadCode;

/// The code of a message type in the catalogue, e.g. `request.information`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TypeCode(Arc<str>);

impl TypeCode {
    /// The code, if it is well-formed: `kind.subject` in the alphabet of participant codes.
    ///
    /// # Errors
    /// [`BadCode`] when it is not.
    pub fn new(code: &str) -> Result<Self, BadCode> {
        let plain = ParticipantCode::new(code)?;
        if code.contains('.') && !code.ends_with('.') { Ok(Self(plain.0)) } else { Err(BadCode) }
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TypeCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl TryFrom<String> for TypeCode {
    type Error = BadCode;
    fn try_from(code: String) -> Result<Self, BadCode> {
        Self::new(&code)
    }
}

impl From<TypeCode> for String {
    fn from(code: TypeCode) -> Self {
        code.0.to_string()
    }
}
