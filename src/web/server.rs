//! The listener: our own accept loop, because a router alone sets no limit to slow or silent peers.
//!
//! Promises: headers within 10 s, also for an idle connection; at most so many connections; a stop lets the requests in
//! hand end, within 10 s. Never: leaves the loop because of one connection's fault.

use crate::web::connection::{Connection, Connections, InHand, Paced, linger};
use crate::web::{WebState, limits};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::{Bytes, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Where a request came from, before any proxy is believed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub SocketAddr);

/// How long the server waits for what.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For all headers of a request, and for the next request of an idle connection.
    pub headers: Duration,
    /// For the next bytes of a body.
    pub body_pause: Duration,
    /// For a whole body.
    pub body: Duration,
    /// For a peer to read on.
    pub answer: Duration,
    /// For the requests in hand when the process stops.
    pub stop: Duration,
    /// For a peer that was refused to notice.
    pub linger: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            headers: Duration::from_secs(10),
            body_pause: Duration::from_secs(10),
            body: Duration::from_secs(60),
            answer: Duration::from_secs(30),
            stop: Duration::from_secs(10),
            linger: Duration::from_secs(2),
        }
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Held>, Infallible>> + Send>>;

/// Serves HTTP on that listener until it is cancelled, then lets the requests in hand end.
///
/// # Errors
/// When the listener has no address any more; faults of single connections are not errors.
pub async fn serve(listener: TcpListener, state: WebState, cancel: CancellationToken) -> io::Result<()> {
    listener.local_addr()?;
    let (connections, router) = (Connections::default(), crate::web::routes::router(state.clone()));
    loop {
        let accepted = tokio::select! {
            () = cancel.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, peer)) => {
                let Some(connection) = connections.admit(state.config().connections_max) else {
                    metrics::counter!("mezhved_http_connections_refused_total").increment(1);
                    continue;
                };
                metrics::gauge!("mezhved_http_connections").set(connections.count() as f64);
                tokio::spawn(converse((socket, peer), connection, (router.clone(), state.clone())));
            }
            Err(error) => recover(&error, &connections).await,
        }
    }
    drop(listener);
    state.close();
    drain(&connections, state.config().patience.stop).await;
    Ok(())
}

/// Accepting failed: mostly for want of file handles, which an idle connection can give back.
async fn recover(error: &io::Error, connections: &Connections) {
    let evicted = connections.evict();
    tracing::warn!(%error, evicted, "a connection could not be accepted");
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// Waits for the connections to end; what has not ended by then ends with the process.
async fn drain(connections: &Connections, patience: Duration) {
    let ended = async {
        while connections.count() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(patience, ended).await.is_err() {
        tracing::warn!(open = connections.count(), "some requests did not end in time");
    }
}

/// One connection, from its first byte to its last.
async fn converse((socket, peer): (TcpStream, SocketAddr), connection: Connection, doors: (Router, WebState)) {
    let (router, state) = doors;
    let patience = state.config().patience;
    // Answers are written whole; waiting for more to send would only delay them.
    let _ = socket.set_nodelay(true);
    let connection = Arc::new(connection);
    let owner = Arc::clone(&connection);
    let service = service_fn(move |request: Request<Incoming>| -> Answer {
        let (router, in_hand) = (router.clone(), owner.request());
        Box::pin(answer(router, request.map(Body::new), (peer, in_hand)))
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(patience.headers).max_buf_size(limits::HEADER_BYTES_MAX);
    let mut http = builder.serve_connection(TokioIo::new(Paced::new(socket, patience.answer)), service);
    let mut stopping = false;
    let ended = loop {
        tokio::select! {
            ended = poll_fn(|cx| http.poll_without_shutdown(cx)) => break ended,
            () = connection.evicted() => return,
            () = state.closing().cancelled(), if !stopping => {
                stopping = true;
                Pin::new(&mut http).graceful_shutdown();
            }
        }
    };
    match ended {
        Ok(()) => linger(http.into_parts().io.into_inner(), limits::LINGER_BYTES_MAX, patience.linger).await,
        Err(error) => tracing::debug!(%error, "a connection ended in the middle"),
    }
}

/// One request; it is in hand until the last byte of its answer has gone.
async fn answer(
    router: Router,
    mut request: Request<Body>,
    (peer, in_hand): (SocketAddr, InHand),
) -> Result<Response<Held>, Infallible> {
    request.extensions_mut().insert(Peer(peer));
    let response = router.oneshot(request).await?;
    Ok(response.map(|body| Held { body, _in_hand: in_hand }))
}

/// A body that keeps its request in hand.
struct Held {
    body: Body,
    _in_hand: InHand,
}

impl hyper::body::Body for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
