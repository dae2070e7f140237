//! Giving a file: to the parties of a message that names it, from who put it, as a stream that is checked to its end.
//!
//! Promises: whoever reads it stands in the log of the case first; the last bytes of a whole file leave when its digest
//! is right. Never: tells what is not here from what is not yours.

use super::ending;
use crate::domain::ids::{MessageId, ParticipantCode};
use crate::gateway::Gateway;
use crate::gateway::act::Actor;
use crate::gateway::content::hex;
use crate::gateway::ports::StoreError;
use crate::gateway::ports::attachments::Held;
use crate::gateway::ports::objects::{ObjectName, Pieces};
use crate::gateway::rejection::{Rejection, RejectionKind};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use sha2::{Digest, Sha256};
use std::ops::Range;

/// Which bytes were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartAsked {
    /// From there to there, both included; to the end, where the second is not said.
    From(u64, Option<u64>),
    /// The last so many.
    Last(u64),
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub media_type: String,
    pub bytes: u64,
    /// A name to save it under, that says nothing of the child.
    pub file_name: String,
}

/// A file as it is given.
pub struct Given {
    pub facts: Facts,
    /// Only these bytes of it.
    pub part: Option<Range<u64>>,
    pub pieces: Pieces,
}

impl Gateway {
    /// What a file is, without its content.
    ///
    /// # Errors
    /// `not_found`, also for what the actor may not see; `attachment_awaited` for what a message to the actor names and
    /// its sender has not put yet.
    pub async fn attachment_facts(&self, name: &ObjectName, by: &Actor) -> Result<Facts, Rejection> {
        Ok(facts(name, self.readable(name, &self.whose(by)).await?.0))
    }

    /// A file, or a part of it. That it was read is written down for each message through which it may be.
    ///
    /// # Errors
    /// As [`Gateway::attachment_facts`]; `bad_range`; `attachment_lost` when it should be here and is not.
    pub async fn attachment(
        &self,
        name: &ObjectName,
        asked: Option<PartAsked>,
        by: &Actor,
    ) -> Result<Given, Rejection> {
        let (held, messages) = self.readable(name, &self.whose(by)).await?;
        let part = asked.map(|asked| asked.of(held.bytes)).transpose()?;
        let pieces = self.0.objects.read(name, part.clone()).await?.ok_or_else(|| lost(name))?;
        let pieces = if part.is_none() { begun(checked(pieces, name.clone()), name).await? } else { pieces };
        for message in messages {
            let stored = self.0.store.message(message).await?.ok_or_else(|| Rejection::not_found("attachment"))?;
            self.disclose_message(&stored, by).await?;
        }
        let given = part.as_ref().map_or(held.bytes, |part| part.end - part.start);
        metrics::counter!("mezhved_attachment_bytes_total", "way" => "out").increment(given);
        Ok(Given { facts: facts(name, held), part, pieces })
    }

    /// What these may read, and through which messages.
    async fn readable(&self, name: &ObjectName, who: &[ParticipantCode]) -> Result<(Held, Vec<MessageId>), Rejection> {
        let access = self.0.store.access(name, who).await?;
        if let Some(held) = access.held {
            return Ok((held, access.messages));
        }
        // A scan belongs to the parties of its message, whoever has put it.
        let scan = self.0.store.scan(name.as_str()).await?;
        if let Some(scan) = scan.filter(|scan| !scan.messages_of(who).is_empty()) {
            let messages = scan.messages_of(who);
            return Ok((Held { media_type: scan.media_type, bytes: scan.bytes }, messages));
        }
        if access.messages.is_empty() {
            return Err(Rejection::not_found("attachment"));
        }
        let message =
            "a message names this file, and its sender has not put it yet; come again later, or ask the sender";
        Err(Rejection::new(RejectionKind::NotFound, "attachment_awaited", message))
    }

    /// A small file whole; `None` when it is not there, is larger, or is not what its digest says.
    pub(in crate::gateway) async fn small_object(
        &self,
        name: &ObjectName,
        bytes_max: usize,
    ) -> Result<Option<Bytes>, Rejection> {
        match self.0.objects.size(name).await? {
            Some(bytes) if bytes <= bytes_max as u64 => {}
            _ => return Ok(None),
        }
        let Some(pieces) = self.0.objects.read(name, None).await? else { return Ok(None) };
        let (mut pieces, mut content) = (checked(pieces, name.clone()), Vec::new());
        while let Some(piece) = pieces.next().await {
            match piece {
                Ok(piece) => content.extend_from_slice(&piece),
                Err(StoreError::Inconsistent { .. }) => return Ok(None),
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(Some(Bytes::from(content)))
    }
}

impl PartAsked {
    /// The bytes of a file of that size.
    fn of(self, bytes: u64) -> Result<Range<u64>, Rejection> {
        let part = match self {
            Self::From(first, last) => first..last.map_or(bytes, |last| last.saturating_add(1)).min(bytes),
            Self::Last(count) => bytes.saturating_sub(count)..bytes,
        };
        if part.start < part.end {
            return Ok(part);
        }
        let message = format!("the file has {bytes} bytes, and none of those that were asked for");
        Err(Rejection::new(RejectionKind::RangeNotSatisfiable, "bad_range", message))
    }
}

fn facts(name: &ObjectName, held: Held) -> Facts {
    let file_name = format!("attachment-{}.{}", &name.as_str()[..12], ending(&held.media_type));
    Facts { media_type: held.media_type, bytes: held.bytes, file_name }
}

fn lost(name: &ObjectName) -> Rejection {
    tracing::error!(digest = %name, "alarm: a file that the store names is not in its place");
    let message = "the file is gone or was changed; the operator is told, and restores it";
    Rejection::new(RejectionKind::Unavailable, "attachment_lost", message)
}

/// The pieces, the last of them held back until the digest of all is right: who gets another content does not get it
/// whole, and sees that.
fn checked(pieces: Pieces, name: ObjectName) -> Pieces {
    let begin = (pieces, Sha256::new(), None::<Bytes>, name);
    let next = |(mut pieces, mut hasher, mut kept_back, name): (Pieces, Sha256, Option<Bytes>, ObjectName)| async move {
        loop {
            match pieces.next().await {
                Some(Ok(piece)) => {
                    hasher.update(&piece);
                    if let Some(ready) = kept_back.replace(piece) {
                        return Ok(Some((ready, (pieces, hasher, kept_back, name))));
                    }
                }
                Some(Err(fault)) => return Err(fault),
                None if kept_back.is_none() => return Ok(None),
                None if hex(&hasher.finalize_reset()) == name.as_str() => {
                    let last = kept_back.take().unwrap_or_default();
                    // Nothing more comes: the next round finds the end and nothing kept back.
                    return Ok(Some((last, (pieces, hasher, None, name))));
                }
                None => return Err(damaged(&name)),
            }
        }
    };
    stream::try_unfold(begin, next).boxed()
}

/// The pieces, of which the first is there: what is wrong from the beginning gets an answer that says so.
async fn begun(mut pieces: Pieces, name: &ObjectName) -> Result<Pieces, Rejection> {
    match pieces.next().await {
        Some(Err(StoreError::Inconsistent { .. })) => Err(lost(name)),
        Some(Err(fault)) => Err(fault.into()),
        first => Ok(stream::iter(first).chain(pieces).boxed()),
    }
}

fn damaged(name: &ObjectName) -> StoreError {
    tracing::error!(digest = %name, "alarm: a file is not what its digest says");
    let problem = "the content is not that of the digest".to_owned();
    StoreError::Inconsistent { table: "attachment", column: "sha256", row: name.to_string(), problem }
}
