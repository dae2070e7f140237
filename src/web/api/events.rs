//! The live stream of status events: CloudEvents 1.0 over SSE, resumable.
//!
//! Promises: every event that the caller may see, in order, once per connection; `id` is the place to resume from.
//! Never: personal data.

use crate::domain::decision::Event;
use crate::gateway::act::Actor;
use crate::web::WebState;
use crate::web::caller::Caller;
use crate::web::limits::{PAGE_ROWS_MAX, STREAM_BEAT};
use crate::web::params::{InQuery, bad_query};
use crate::web::problem::Problem;
use crate::web::stream::{self, Gone, Sink};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt::Write as _;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventQuery {
    /// As `Last-Event-ID`, for the first connection; 0 is the beginning.
    after: Option<u64>,
}

/// `GET /events`
pub(super) async fn stream(
    caller: Caller,
    State(state): State<WebState>,
    InQuery(query): InQuery<EventQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let after = match (last_event_id(&headers)?, query.after) {
        (Some(id), _) | (None, Some(id)) => id,
        (None, None) => state.gateway().last_event().await?,
    };
    let follower = Follower { state: state.clone(), actor: caller.actor(), after };
    stream::open(&state, |sink| follower.run(sink))
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get("last-event-id").filter(|value| !value.is_empty()) else { return Ok(None) };
    let id = value.to_str().ok().and_then(|id| id.parse().ok());
    id.map(Some).ok_or_else(|| bad_query("Last-Event-ID: take the number as `id` gave it"))
}

/// Follows the events for one client.
struct Follower {
    state: WebState,
    actor: Actor,
    after: u64,
}

impl Follower {
    async fn run(mut self, sink: Sink) {
        let mut changes = self.state.gateway().changes();
        if sink.send(format!(": mezhved\nid: {}\n\n", self.after)).await.is_err() {
            return;
        }
        loop {
            changes.mark_unchanged();
            if self.catch_up(&sink).await.is_err() {
                return;
            }
            let woken = tokio::time::timeout(STREAM_BEAT, changes.changed()).await;
            match woken {
                Ok(Ok(())) => {}
                // Other processes write to the same store without waking this one: the beat looks there, too.
                Err(_) if sink.send(": beat\n\n".to_owned()).await.is_ok() => {}
                Ok(Err(_)) | Err(_) => return,
            }
        }
    }

    /// Sends what has come since. A page of events may hold none that this caller may see: then the place moves on by
    /// as many numbers as the page could have covered.
    async fn catch_up(&mut self, sink: &Sink) -> Result<(), Gone> {
        loop {
            // A store that is down shows nothing new; the client keeps its place and the beat tries again.
            let gateway = self.state.gateway();
            let Ok(last) = gateway.last_event().await else { return Ok(()) };
            if last <= self.after {
                return Ok(());
            }
            let Ok(events) = gateway.events_after(self.after, PAGE_ROWS_MAX, &self.actor).await else { return Ok(()) };
            let covered = self.after.saturating_add(PAGE_ROWS_MAX as u64).min(last);
            self.after = events.last().map_or(covered, |(seq, _)| *seq);
            let mut text = String::new();
            for (seq, event) in &events {
                // Writing to a String cannot fail.
                let _ = write!(text, "id: {seq}\ndata: {}\n\n", cloud_event(*seq, event));
            }
            if !text.is_empty() {
                sink.send(text).await?;
            }
        }
    }
}

/// The event as CloudEvents 1.0 in structured JSON.
fn cloud_event(seq: u64, event: &Event) -> Value {
    let subject = event.obligation.map(|id| id.to_string()).or_else(|| event.message.map(|id| id.to_string()));
    let mut out = json!({
        "specversion": "1.0",
        "id": seq.to_string(),
        "source": "urn:mezhved:gateway",
        "type": format!("mezhved.{}", event.kind.code()),
        "time": event.at,
        "datacontenttype": "application/json",
        "data": data(event),
    });
    if let Some(subject) = subject {
        out["subject"] = Value::String(subject);
    }
    out
}

fn data(event: &Event) -> Value {
    let fields = [
        ("exchange", event.exchange.map(|id| id.to_string())),
        ("obligation", event.obligation.map(|id| id.to_string())),
        ("message", event.message.map(|id| id.to_string())),
        ("participant", event.participant.as_ref().map(ToString::to_string)),
        ("detail", event.detail.clone()),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?)))).collect()
}
