//! Live streams: server-sent events over a bounded channel.
//!
//! Promises: a stream ends when the process stops, when its client goes, and after a while, so that keys and sessions are
//! checked anew; a slow client holds a bounded amount. Never: loses the place of a program that resumes.

use crate::web::WebState;
use crate::web::limits::STREAM_LIFE;
use crate::web::problem::Problem;
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use hyper::body::{Bytes, Frame};
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// Pieces that wait for a slow client.
const WAITING_MAX: usize = 16;

/// Where the program of a stream writes.
pub(super) struct Sink(mpsc::Sender<Bytes>);

/// The client has gone.
pub(super) struct Gone;

impl Sink {
    /// Sends one piece; waits while the client is slow.
    pub(super) async fn send(&self, text: String) -> Result<(), Gone> {
        self.0.send(Bytes::from(text)).await.map_err(|_| Gone)
    }
}

/// Answers with a stream that `program` fills. It is stopped at the latest after [`STREAM_LIFE`].
///
/// # Errors
/// `limit_streams` (503) when too many are open.
pub(super) fn open<F>(state: &WebState, program: impl FnOnce(Sink) -> F) -> Result<Response, Problem>
where
    F: Future<Output = ()> + Send + 'static,
{
    let permit = Arc::clone(state.streams()).try_acquire_owned().map_err(|_| {
        let detail = "too many live streams are open; try again later, or poll";
        Problem::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, "limit_streams", detail).retry_after(30)
    })?;
    let (sender, pieces) = mpsc::channel(WAITING_MAX);
    let (program, closing, gone) = (program(Sink(sender.clone())), state.closing().clone(), sender);
    tokio::spawn(async move {
        tokio::select! {
            () = program => {}
            () = closing.cancelled() => {}
            () = gone.closed() => {}
            () = tokio::time::sleep(STREAM_LIFE) => {}
        }
    });
    let mut response = Response::new(Body::new(Pieces { pieces, _permit: permit }));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    // Some proxies gather an answer before they pass it on.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

struct Pieces {
    pieces: mpsc::Receiver<Bytes>,
    _permit: OwnedSemaphorePermit,
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.pieces.poll_recv(cx).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
    }
}
