//! The digest of a message: what a registration names, and what tells a repeat from a conflict.
//!
//! Promises: the same for both formats. Never: depends on white space, on the order of keys, on a prefix.

use crate::catalogue::Catalogue;
use crate::domain::message::{Format, Message};
use crate::format::Unwritable;
use sha2::{Digest, Sha256};

/// SHA-256 of the canonical JSON form.
///
/// # Errors
/// [`Unwritable`], as for writing.
pub fn digest(message: &Message, catalogue: &Catalogue) -> Result<[u8; 32], Unwritable> {
    Ok(Sha256::digest(super::write(message, Format::Json, catalogue)?).into())
}
