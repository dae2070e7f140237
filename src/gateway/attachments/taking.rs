//! Taking a file: its digest is computed while it passes, and it is kept only if that is the digest it was sent under.
//!
//! Promises: `finish` says yes after file, place and row are on disk; a file that is broken off, too large or another
//! leaves nothing. Never: tells whether the same content was here before, except to who had put it.

use super::{FIRST_BYTES, KINDS};
use crate::domain::ids::ParticipantCode;
use crate::gateway::Gateway;
use crate::gateway::content::hex;
use crate::gateway::ports::attachments::Kept;
use crate::gateway::ports::objects::{Incoming, ObjectName};
use crate::gateway::rejection::{Rejection, RejectionKind};
use bytes::Bytes;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// A file that is being taken. Dropping it throws away what came.
pub struct Taking {
    gateway: Gateway,
    name: ObjectName,
    by: ParticipantCode,
    media_type: String,
    incoming: Box<dyn Incoming>,
    hasher: Sha256,
    first: Vec<u8>,
    bytes: u64,
}

/// A file that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Taken {
    pub sha256: String,
    pub media_type: String,
    pub size: u64,
    /// This participant had put it before.
    #[serde(skip)]
    pub again: bool,
}

impl Gateway {
    /// Begins to take a file that a participant puts.
    ///
    /// # Errors
    /// `attachment_type` for a media type that is not taken; `Unavailable`.
    pub async fn take_attachment(
        &self,
        name: ObjectName,
        media_type: &str,
        by: &ParticipantCode,
    ) -> Result<Taking, Rejection> {
        if !self.attachment_rules().media_types.iter().any(|known| known == media_type) {
            return Err(wrong_type("a file of this media type is not taken; see `media_types` of the operator"));
        }
        self.begin_taking(name, media_type, by).await
    }

    /// Refuses a file that states its size, before a byte of it is read.
    ///
    /// # Errors
    /// `limit_attachment_bytes`.
    pub fn check_attachment_size(&self, stated_bytes: u64) -> Result<(), Rejection> {
        let bytes_max = self.attachment_rules().bytes_max;
        if stated_bytes > bytes_max { Err(too_large(bytes_max)) } else { Ok(()) }
    }

    /// The same for a file whose kind has been judged already.
    pub(in crate::gateway) async fn begin_taking(
        &self,
        name: ObjectName,
        media_type: &str,
        by: &ParticipantCode,
    ) -> Result<Taking, Rejection> {
        let incoming = self.0.objects.begin(&name).await?;
        Ok(Taking {
            gateway: self.clone(),
            name,
            by: by.clone(),
            media_type: media_type.to_owned(),
            incoming,
            hasher: Sha256::new(),
            first: Vec::with_capacity(FIRST_BYTES),
            bytes: 0,
        })
    }
}

impl Taking {
    /// Takes the next piece.
    ///
    /// # Errors
    /// `limit_attachment_bytes` when it has become too large; `Unavailable`. What came is to be discarded then.
    pub async fn write(&mut self, piece: Bytes) -> Result<(), Rejection> {
        self.bytes += piece.len() as u64;
        let bytes_max = self.gateway.attachment_rules().bytes_max;
        if self.bytes > bytes_max {
            return Err(too_large(bytes_max));
        }
        let wanted = FIRST_BYTES.saturating_sub(self.first.len()).min(piece.len());
        self.first.extend_from_slice(&piece[..wanted]);
        self.hasher.update(&piece);
        Ok(self.incoming.write(piece).await?)
    }

    /// The file has come whole: keeps it.
    ///
    /// # Errors
    /// `attachment_digest`, `attachment_type` when it is not what was said; `Unavailable`. Nothing is kept then.
    pub async fn finish(self) -> Result<Taken, Rejection> {
        let Self { gateway, name, by, media_type, incoming, hasher, first, bytes } = self;
        if let Err(rejection) = judge((&name, &hex(&hasher.finalize())), (&media_type, &first)) {
            incoming.discard().await;
            return Err(rejection);
        }
        let store = &gateway.0.store;
        if !store.expect_object(&name, gateway.now()).await? {
            incoming.discard().await;
            let message = "a left-over of this digest is just being removed; send it again in a moment";
            return Err(Rejection::new(RejectionKind::Unavailable, "unavailable", message));
        }
        incoming.keep().await?;
        let kept = Kept { name: name.clone(), by, media_type: media_type.clone(), bytes, at: gateway.now() };
        let again = store.object_kept(kept).await?;
        metrics::counter!("mezhved_attachments_taken_total").increment(1);
        metrics::counter!("mezhved_attachment_bytes_total", "way" => "in").increment(bytes);
        Ok(Taken { sha256: name.to_string(), media_type, size: bytes, again })
    }

    /// Throws away what came.
    pub async fn discard(self) {
        self.incoming.discard().await;
    }
}

fn too_large(bytes_max: u64) -> Rejection {
    let message = format!("an attachment has at most {bytes_max} bytes; send it in parts");
    Rejection::new(RejectionKind::TooLarge, "limit_attachment_bytes", message)
}

fn judge((name, found): (&ObjectName, &str), (media_type, first): (&str, &[u8])) -> Result<(), Rejection> {
    if name.as_str() != found {
        let message = "the SHA-256 of what came is not that of the address; nothing was kept";
        return Err(Rejection::new(RejectionKind::Invalid, "attachment_digest", message));
    }
    match KINDS.iter().find(|(_, known, _)| *known == media_type) {
        Some((begins, ..)) if !first.starts_with(begins) => {
            Err(wrong_type("the content is not of the kind that its Content-Type says; nothing was kept"))
        }
        _ => Ok(()),
    }
}

fn wrong_type(message: &str) -> Rejection {
    Rejection::new(RejectionKind::UnsupportedFormat, "attachment_type", message)
}
