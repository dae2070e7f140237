//! Files of messages in a bucket of a store that speaks S3.
//!
//! Promises: a file is seen when all of its parts are there; every request has an end. Never: asks a cloud's own address
//! for credentials that nobody has set.

use super::incoming::Parts;
use super::{place, read, remove, size};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::objects::{Incoming, ObjectName, Objects, Pieces};
use async_trait::async_trait;
use bytes::Bytes;
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of one part: what S3 takes at least.
const PART_BYTES: usize = 5 * 1024 * 1024;
/// For a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// For the next bytes of an answer.
const READ: Duration = Duration::from_secs(30);
/// For a request with all its repetitions.
const RETRY: Duration = Duration::from_secs(20);
const RETRIES_MAX: usize = 4;

/// Where the bucket is, and who we are there.
#[derive(Clone)]
pub struct BucketSettings {
    /// `s3://bucket/prefix`.
    pub url: String,
    /// Empty: Amazon's own of that region.
    pub endpoint: String,
    pub region: String,
    pub access_key: String,
    pub secret_key: String,
}

/// Why a bucket cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BucketFault {
    #[error("write it as s3://bucket or s3://bucket/prefix")]
    NoBucket,
    #[error("`access_key` and `secret_key` are both needed")]
    NoCredentials,
    #[error(transparent)]
    Client(#[from] object_store::Error),
}

/// Files in a bucket, and scans of earlier versions where they were.
pub struct ObjectBucket {
    store: Arc<dyn ObjectStore>,
    older: Option<Arc<dyn Objects>>,
}

impl ObjectBucket {
    /// The bucket; nothing is asked of it yet.
    ///
    /// # Errors
    /// [`BucketFault`].
    pub fn new(settings: &BucketSettings) -> Result<Self, BucketFault> {
        let rest = settings.url.strip_prefix("s3://").ok_or(BucketFault::NoBucket)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(BucketFault::NoBucket);
        }
        if settings.access_key.is_empty() || settings.secret_key.is_empty() {
            return Err(BucketFault::NoCredentials);
        }
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(&settings.region)
            .with_access_key_id(&settings.access_key)
            .with_secret_access_key(&settings.secret_key)
            .with_client_options(client(settings.endpoint.starts_with("http://")))
            .with_retry(retries());
        if !settings.endpoint.is_empty() {
            builder = builder.with_endpoint(settings.endpoint.trim_end_matches('/'));
        }
        let store = PrefixStore::new(builder.build()?, Path::from(prefix));
        Ok(Self { store: Arc::new(store), older: None })
    }

    /// With a place in which files are looked for that are not in the bucket.
    #[must_use]
    pub fn or_in(self, older: Arc<dyn Objects>) -> Self {
        Self { older: Some(older), ..self }
    }
}

/// Large files take long: what must not last is silence.
fn client(allow_http: bool) -> ClientOptions {
    ClientOptions::new()
        .with_allow_http(allow_http)
        .with_connect_timeout(CONNECT)
        .with_timeout_disabled()
        .with_read_timeout(READ)
}

fn retries() -> RetryConfig {
    RetryConfig { backoff: BackoffConfig::default(), max_retries: RETRIES_MAX, retry_timeout: RETRY }
}

#[async_trait]
impl Objects for ObjectBucket {
    async fn begin(&self, name: &ObjectName) -> Result<Box<dyn Incoming>, StoreError> {
        let parts = Parts::new(Arc::clone(&self.store), place(name), PART_BYTES);
        Ok(Box::new(IncomingObject { parts }))
    }

    async fn size(&self, name: &ObjectName) -> Result<Option<u64>, StoreError> {
        match (size(&*self.store, &place(name)).await?, &self.older) {
            (None, Some(older)) => older.size(name).await,
            (found, _) => Ok(found),
        }
    }

    async fn read(&self, name: &ObjectName, part: Option<Range<u64>>) -> Result<Option<Pieces>, StoreError> {
        match (read(&*self.store, &place(name), part.clone()).await?, &self.older) {
            (None, Some(older)) => older.read(name, part).await,
            (found, _) => Ok(found),
        }
    }

    async fn remove(&self, name: &ObjectName) -> Result<(), StoreError> {
        remove(&*self.store, &place(name)).await
    }

    async fn remove_unfinished(&self, _: Duration) -> Result<usize, StoreError> {
        // Parts of an upload that never ended are not seen from here: the bucket's own rule removes them
        // (AbortIncompleteMultipartUpload).
        Ok(0)
    }

    async fn check(&self) -> Result<(), StoreError> {
        // Whether it is there does not matter: an answer does.
        size(&*self.store, &Path::from("check")).await.map(|_| ())
    }
}

struct IncomingObject {
    parts: Parts,
}

#[async_trait]
impl Incoming for IncomingObject {
    async fn write(&mut self, piece: Bytes) -> Result<(), StoreError> {
        self.parts.write(piece).await
    }

    async fn keep(self: Box<Self>) -> Result<(), StoreError> {
        // What has just come was digested; what stands there may be damaged. The new one takes its place at once.
        self.parts.finish().await
    }

    async fn discard(self: Box<Self>) {
        self.parts.discard().await;
    }
}
