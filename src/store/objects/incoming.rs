//! A file on its way into a store: gathered into parts, one of them under way while the next one fills.
//!
//! Promises: at most two parts in memory; dropping it throws away what was sent. Never: puts a file in its place that
//! nobody has asked to keep.

use super::unavailable;
use crate::gateway::ports::StoreError;
use bytes::{Bytes, BytesMut};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt as _, PutPayload};
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

type Sent = JoinHandle<object_store::Result<()>>;

/// Parts of a file, sent to where it will stand.
pub(super) struct Parts {
    store: Arc<dyn ObjectStore>,
    at: Path,
    part_bytes: usize,
    filling: BytesMut,
    /// Begun with the first full part: what is smaller goes in one piece.
    upload: Option<Box<dyn MultipartUpload>>,
    under_way: Option<Sent>,
}

impl Parts {
    pub(super) fn new(store: Arc<dyn ObjectStore>, at: Path, part_bytes: usize) -> Self {
        Self { store, at, part_bytes, filling: BytesMut::new(), upload: None, under_way: None }
    }

    /// Takes a piece, however large.
    pub(super) async fn write(&mut self, mut piece: Bytes) -> Result<(), StoreError> {
        while self.filling.len() + piece.len() >= self.part_bytes {
            let rest = self.part_bytes - self.filling.len();
            self.filling.extend_from_slice(&piece.split_to(rest));
            self.send().await?;
        }
        self.filling.extend_from_slice(&piece);
        Ok(())
    }

    /// The file stands in its place, whole, as far as its store promises that.
    pub(super) async fn finish(mut self) -> Result<(), StoreError> {
        if self.upload.is_none() {
            let whole = PutPayload::from(std::mem::take(&mut self.filling).freeze());
            self.store.put(&self.at, whole).await.map_err(unavailable)?;
            return Ok(());
        }
        if !self.filling.is_empty() {
            self.send().await?;
        }
        self.sent().await?;
        if let Some(upload) = &mut self.upload {
            upload.complete().await.map_err(unavailable)?;
        }
        self.upload = None;
        Ok(())
    }

    /// Throws away what was sent.
    pub(super) async fn discard(mut self) {
        let left = (self.upload.take(), self.under_way.take());
        throw_away(left).await;
    }

    async fn send(&mut self) -> Result<(), StoreError> {
        self.sent().await?;
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => none.insert(self.store.put_multipart(&self.at).await.map_err(unavailable)?),
        };
        let part = upload.put_part(PutPayload::from(self.filling.split().freeze()));
        self.under_way = Some(tokio::spawn(part));
        Ok(())
    }

    async fn sent(&mut self) -> Result<(), StoreError> {
        match self.under_way.take() {
            Some(sent) => sent.await.map_err(unavailable)?.map_err(unavailable),
            None => Ok(()),
        }
    }
}

async fn throw_away((upload, under_way): (Option<Box<dyn MultipartUpload>>, Option<Sent>)) {
    if let Some(sent) = under_way {
        // What it was does not matter any more; it must have ended, or it would come after the end.
        let _ = sent.await;
    }
    if let Some(mut upload) = upload
        && let Err(fault) = upload.abort().await
    {
        tracing::warn!(%fault, "parts of a file that was given up are left over; the store's own rule removes them");
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        let left = (self.upload.take(), self.under_way.take());
        if left.0.is_some()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(throw_away(left));
        }
    }
}
