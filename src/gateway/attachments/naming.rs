//! A message names its files: what its sender has put is compared with what it says, and what it has not put is awaited.
//!
//! Promises: a message is never held up by a file that has not come (order-free: file and message come in any order);
//! its sender is told which are missing. Never: compares with a file that the sender has no right to.

use crate::domain::message::Envelope;
use crate::gateway::Gateway;
use crate::gateway::ports::attachments::Naming;
use crate::gateway::ports::objects::ObjectName;
use crate::gateway::rejection::{FaultView, Rejection, RejectionKind};

/// The files that a message names.
pub(in crate::gateway) fn named(envelope: &Envelope) -> Vec<Naming> {
    let name = |sha256: &String| ObjectName::new(sha256).map(|name| Naming { message: envelope.id, name });
    envelope.attachments.iter().filter_map(|one| name(&one.sha256)).collect()
}

impl Gateway {
    /// The digests of those files that the sender has still to put.
    ///
    /// # Errors
    /// `attachment_differs` for a file that the sender has put with another size or media type; `Unavailable`.
    pub(in crate::gateway) async fn awaited_files(&self, envelope: &Envelope) -> Result<Vec<String>, Rejection> {
        let mut awaited = Vec::new();
        for (place, one) in envelope.attachments.iter().enumerate() {
            let Some(name) = ObjectName::new(&one.sha256) else { continue };
            let Some(held) = self.0.store.access(&name, std::slice::from_ref(&envelope.from)).await?.held else {
                awaited.push(one.sha256.clone());
                continue;
            };
            if held.bytes != one.size_bytes || !held.media_type.eq_ignore_ascii_case(&one.media_type) {
                return Err(differs(place));
            }
        }
        awaited.sort_unstable();
        awaited.dedup();
        metrics::counter!("mezhved_attachments_awaited_total").increment(awaited.len() as u64);
        Ok(awaited)
    }
}

fn differs(place: usize) -> Rejection {
    let message = "`size` and `media_type` must be those with which the file was put";
    let path = format!("/attachments/{place}");
    let faults = vec![FaultView { path, code: "attachment_differs", message: message.to_owned() }];
    Rejection { faults, ..Rejection::new(RejectionKind::Invalid, "attachment_differs", message) }
}
