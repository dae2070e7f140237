//! Whose files are whose, as the store keeps it: what was put by whom, and which messages name it.
//!
//! Promises: a file has a row before it is in its place, so that none is forgotten; a file that a message names is never
//! given out for removal. Never: the content of a file.

use crate::domain::ids::{MessageId, ParticipantCode};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::objects::ObjectName;
use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// The rows of attachments.
#[async_trait]
pub trait Attachments: Send + Sync {
    /// Notes that a file is about to be put into its place. `false` while a file of this digest is being removed.
    async fn expect_object(&self, name: &ObjectName, at: DateTime<Utc>) -> Result<bool, StoreError>;

    /// The file is in its place. Whether this participant had put it before.
    async fn object_kept(&self, kept: Kept) -> Result<bool, StoreError>;

    /// What these participants may have of a file. A right comes from putting the file, or from a message whose sender
    /// has it: to name a digest gives nobody a content that he has not got.
    async fn access(&self, name: &ObjectName, who: &[ParticipantCode]) -> Result<Access, StoreError>;

    /// Files that no message names and nobody has touched since that instant, and those whose removal was not ended for
    /// an hour, at most `limit`; nobody has them any more.
    async fn claim_leftovers(&self, leftovers: Leftovers) -> Result<Vec<ObjectName>, StoreError>;

    /// A claimed file is gone.
    async fn object_removed(&self, name: &ObjectName) -> Result<(), StoreError>;
}

/// A file that was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub name: ObjectName,
    pub by: ParticipantCode,
    pub media_type: String,
    pub bytes: u64,
    pub at: DateTime<Utc>,
}

/// What somebody may have of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// What may be read; none when nothing may, or nobody who has the right to give it has put it yet.
    pub held: Option<Held>,
    /// The messages to or from these participants that name it.
    pub messages: Vec<MessageId>,
}

/// A file that may be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub media_type: String,
    pub bytes: u64,
}

/// Which files are left over.
#[derive(Debug, Clone, Copy)]
pub struct Leftovers {
    pub untouched_since: DateTime<Utc>,
    pub now: DateTime<Utc>,
    pub limit: usize,
}

/// A message names a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    pub message: MessageId,
    pub name: ObjectName,
}

/// Messages at most through which a file is read: each reading is a line in the log of its case.
pub const NAMING_MESSAGES_MAX: usize = 1_000;
