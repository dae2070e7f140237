//! Files of messages, by their digest: attachments and scans, in a folder or in a bucket, always as streams.
//!
//! Promises: what was kept survives a power cut before anything names it; what is under a name has that digest. Never:
//! a whole file in memory; a file that is seen before it is whole.

use crate::gateway::ports::StoreError;
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

/// The SHA-256 of a content in lower-case hexadecimal: the only name that a file has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName(String);

impl ObjectName {
    /// The name of a digest; none for what is no digest.
    #[must_use]
    pub fn new(sha256: &str) -> Option<Self> {
        let is_digest = sha256.len() == 64 && sha256.bytes().all(|one| matches!(one, b'0'..=b'9' | b'a'..=b'f'));
        is_digest.then(|| Self(sha256.to_owned()))
    }

    /// The digest.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The place below the folder or the prefix: `ab/abcdef…`.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}/{}", &self.0[..2], self.0)
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A content as it is read, piece by piece.
pub type Pieces = BoxStream<'static, Result<Bytes, StoreError>>;

/// Where files are.
#[async_trait]
pub trait Objects: Send + Sync {
    /// Begins to take a file. Nothing of it is seen under its name before [`Incoming::keep`].
    async fn begin(&self, name: &ObjectName) -> Result<Box<dyn Incoming>, StoreError>;

    /// Its size in bytes; `None` when it is not there.
    async fn size(&self, name: &ObjectName) -> Result<Option<u64>, StoreError>;

    /// The file, or those bytes of it; `None` when it is not there.
    async fn read(&self, name: &ObjectName, part: Option<Range<u64>>) -> Result<Option<Pieces>, StoreError>;

    /// Removes a file; one that is not there is removed.
    async fn remove(&self, name: &ObjectName) -> Result<(), StoreError>;

    /// Removes what was begun that long ago and never ended, where it can be seen; how many.
    async fn remove_unfinished(&self, older_than: Duration) -> Result<usize, StoreError>;

    /// Whether files can be kept and read now.
    async fn check(&self) -> Result<(), StoreError>;
}

/// A file that is coming; dropping it throws it away.
#[async_trait]
pub trait Incoming: Send {
    /// Takes the next piece; waits while the disk or the network is slower than the sender.
    async fn write(&mut self, piece: Bytes) -> Result<(), StoreError>;

    /// Puts it in its place. On `Ok` it is on disk, and so is its place. The caller has checked the digest.
    async fn keep(self: Box<Self>) -> Result<(), StoreError>;

    /// Throws away what came.
    async fn discard(self: Box<Self>);
}
