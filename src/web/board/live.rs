//! The stream that tells an open board when to look again.
//!
//! Promises: a change is told within half a second, and silence is broken every ten. Never: carries any content; the
//! board fetches its part, with its own session.

use crate::web::WebState;
use crate::web::limits::{BOARD_PACE, STREAM_BEAT};
use crate::web::page::Visitor;
use crate::web::problem::Problem;
use crate::web::stream::{self, Sink};
use axum::extract::State;
use axum::response::Response;

/// `GET /board/stream`
pub(super) async fn stream(_visitor: Visitor, State(state): State<WebState>) -> Result<Response, Problem> {
    let watcher = state.clone();
    stream::open(&state, |sink| watch(watcher, sink))
}

async fn watch(state: WebState, sink: Sink) {
    let mut changes = state.gateway().changes();
    changes.mark_unchanged();
    let mut seen = state.gateway().last_event().await.unwrap_or_default();
    if sink.send("retry: 3000\nevent: beat\ndata: 0\n\n".to_owned()).await.is_err() {
        return;
    }
    loop {
        let woken = tokio::time::timeout(STREAM_BEAT, changes.changed()).await;
        if matches!(woken, Ok(Err(_))) {
            return;
        }
        // Other processes write to the same store without waking this one: the beat looks there, too.
        let last = state.gateway().last_event().await.unwrap_or(seen);
        let word = if last == seen { "event: beat\ndata: 0\n\n" } else { "event: change\ndata: 0\n\n" };
        seen = last;
        if sink.send(word.to_owned()).await.is_err() {
            return;
        }
        tokio::time::sleep(BOARD_PACE).await;
    }
}
