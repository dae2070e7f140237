//! Attachments: taken by their digest, given to the parties of the messages that name them, and removed when nobody
//! names them.
//!
//! Promises: what is taken has the digest under which it is kept; whoever has a right to a content has it from who put
//! it. Never: a file in memory; an answer that tells whether a digest is here to whom it is not.

mod giving;
mod leftovers;
mod naming;
mod taking;

pub use giving::{Facts, Given, PartAsked};
pub(in crate::gateway) use naming::named;
pub use taking::{Taken, Taking};

use crate::gateway::Gateway;
use crate::limits::ATTACHMENT_BYTES_MAX;

/// What may be attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentRules {
    /// Bytes of one attachment.
    pub bytes_max: u64,
    /// The media types that are taken, in lower case; nothing else is.
    pub media_types: Vec<String>,
}

impl Default for AttachmentRules {
    fn default() -> Self {
        Self { bytes_max: ATTACHMENT_BYTES_MAX, media_types: MEDIA_TYPES.map(str::to_owned).to_vec() }
    }
}

/// Documents, pictures, tables and signatures, as bodies exchange them; no page and no program.
const MEDIA_TYPES: [&str; 3] = ["application/pdf", "image/jpeg", "image/png"];

/// The kinds of files that are recognised: the first bytes, the media type, the ending.
pub(super) const KINDS: [(&[u8], &str, &str); 3] = [
    (b"%PDF-", "application/pdf", "pdf"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
];

/// First bytes that tell a kind.
pub(super) const FIRST_BYTES: usize = 8;

/// What it is by its first bytes.
pub(super) fn media_type_of(content: &[u8]) -> Option<&'static str> {
    KINDS.iter().find(|(first, ..)| content.starts_with(first)).map(|(_, media_type, _)| *media_type)
}

/// The ending of a file of that type, for whoever saves it.
pub(super) fn ending(media_type: &str) -> &'static str {
    KINDS.iter().find(|(_, known, _)| *known == media_type).map_or("bin", |(.., ending)| ending)
}

impl Gateway {
    /// Sets what may be attached; once, at the start.
    pub fn set_attachment_rules(&self, rules: AttachmentRules) {
        if self.0.attachment_rules.set(rules).is_err() {
            tracing::warn!("the rules of attachments were set twice; the first stand");
        }
    }

    /// What may be attached.
    #[must_use]
    pub fn attachment_rules(&self) -> &AttachmentRules {
        self.0.attachment_rules.get_or_init(AttachmentRules::default)
    }
}
