//! The connections that are open, and the socket under each.
//!
//! Promises: when there are too many, the one that has been idle longest gives way, so that idle connections cannot
//! shut out work; a peer that stops reading our answer is let go. Never: closes a connection that has a request in hand.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::CancellationToken;

/// All open connections, oldest first.
#[derive(Clone, Default)]
pub(super) struct Connections(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    next: u64,
    open: BTreeMap<u64, Slot>,
}

struct Slot {
    requests: Arc<AtomicU32>,
    cancel: CancellationToken,
}

/// One open connection; dropping it takes it off the list.
pub(super) struct Connection {
    id: u64,
    requests: Arc<AtomicU32>,
    cancel: CancellationToken,
    of: Connections,
}

/// A request in hand, until its answer has been sent to the last byte; dropping it ends it.
pub(super) struct InHand(Arc<AtomicU32>);

impl Connections {
    /// Takes a new connection on, unless `max` are open and every one of them is at work.
    pub(super) fn admit(&self, max: usize) -> Option<Connection> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if table.open.len() >= max && !table.evict() {
            return None;
        }
        let id = table.next;
        table.next += 1;
        let (requests, cancel) = (Arc::new(AtomicU32::new(0)), CancellationToken::new());
        table.open.insert(id, Slot { requests: Arc::clone(&requests), cancel: cancel.clone() });
        Some(Connection { id, requests, cancel, of: self.clone() })
    }

    /// Closes the oldest idle connection; says whether there was one.
    pub(super) fn evict(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).evict()
    }

    /// How many are open.
    pub(super) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).open.len()
    }
}

impl Table {
    fn evict(&mut self) -> bool {
        let idle = self.open.iter().find(|(_, slot)| slot.requests.load(Ordering::SeqCst) == 0).map(|(id, _)| *id);
        let Some(slot) = idle.and_then(|id| self.open.remove(&id)) else { return false };
        slot.cancel.cancel();
        true
    }
}

impl Connection {
    /// Marks a request as in hand.
    pub(super) fn request(&self) -> InHand {
        self.requests.fetch_add(1, Ordering::SeqCst);
        InHand(Arc::clone(&self.requests))
    }

    /// Resolves when this connection has to give way.
    pub(super) async fn evicted(&self) {
        self.cancel.cancelled().await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.of.0.lock().unwrap_or_else(PoisonError::into_inner).open.remove(&self.id);
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A socket whose peer must keep reading: a write that makes no progress for `patience` is an error.
pub(super) struct Paced {
    io: TcpStream,
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    /// Wraps a socket.
    pub(super) fn new(io: TcpStream, patience: Duration) -> Self {
        Self { io, patience, stalled: None }
    }

    fn judge<T>(&mut self, written: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
        match stalled.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Paced {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, into)
    }
}

impl AsyncWrite for Paced {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.judge(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bytes);
        self.judge(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Says goodbye properly: the peer gets the answer and the end of the stream before a reset could eat it, even when it
/// is still sending. What it sends is thrown away, up to a bound of bytes and time.
pub(super) async fn linger(mut io: Paced, bytes_max: usize, patience: Duration) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let deadline = Instant::now() + patience;
    let (mut thrown_away, mut buffer) = (0, vec![0_u8; 16 * 1024]);
    if io.shutdown().await.is_err() {
        return;
    }
    while thrown_away < bytes_max {
        match tokio::time::timeout_at(deadline, io.read(&mut buffer)).await {
            Ok(Ok(read)) if read > 0 => thrown_away += read,
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    #[tokio::test]
    async fn oldest_idle_connection_gives_way_and_a_busy_one_never() {
        let connections = Connections::default();
        let busy = connections.admit(2).unwrap();
        let request = busy.request();
        let idle = connections.admit(2).unwrap();
        let third = connections.admit(2).unwrap();
        idle.evicted().await;
        assert!(!busy.cancel.is_cancelled());
        let second_request = third.request();
        assert!(connections.admit(2).is_none());
        drop((request, second_request));
        assert!(connections.admit(2).is_some());
        busy.evicted().await;
    }

    #[test]
    fn closed_connection_leaves_the_list() {
        let connections = Connections::default();
        drop(connections.admit(1));
        assert_eq!(connections.count(), 0);
    }
}
