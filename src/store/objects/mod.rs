//! Files of messages through the `object_store` crate: a folder beside the store, or a bucket that speaks S3.
//!
//! Promises: both keep a file whole or not at all, and synced; the name is the digest. Never: a file in memory; a name
//! from outside in a path.

mod bucket;
mod folder;
mod incoming;

pub use bucket::{BucketFault, BucketSettings, ObjectBucket};
pub use folder::ObjectFolder;

use crate::gateway::ports::StoreError;
use crate::gateway::ports::objects::{ObjectName, Pieces};
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt as _};
use std::ops::Range;

type Fault = Box<dyn std::error::Error + Send + Sync>;

fn unavailable(fault: impl Into<Fault>) -> StoreError {
    StoreError::Unavailable(fault.into())
}

/// Where a file stands below the root of its store.
fn place(name: &ObjectName) -> Path {
    Path::from(name.place())
}

async fn size(of: &dyn ObjectStore, at: &Path) -> Result<Option<u64>, StoreError> {
    match of.head(at).await {
        Ok(found) => Ok(Some(found.size)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(fault) => Err(unavailable(fault)),
    }
}

async fn read(from: &dyn ObjectStore, at: &Path, part: Option<Range<u64>>) -> Result<Option<Pieces>, StoreError> {
    let options = GetOptions { range: part.map(GetRange::Bounded), ..GetOptions::default() };
    match from.get_opts(at, options).await {
        Ok(found) => Ok(Some(found.into_stream().map_err(unavailable).boxed())),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(fault) => Err(unavailable(fault)),
    }
}

async fn remove(from: &dyn ObjectStore, at: &Path) -> Result<(), StoreError> {
    match from.delete(at).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(fault) => Err(unavailable(fault)),
    }
}
