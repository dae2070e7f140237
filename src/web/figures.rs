//! `/metrics`: the figures for operators, in Prometheus' text format.
//!
//! Promises: the store is asked at most once a second, whoever asks. Never: a label with a case, a body or a person.

use crate::gateway::ports::reads::Figures;
use crate::gateway::views::BoardSummary;
use crate::web::WebState;
use crate::web::problem::Problem;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::time::Duration;
use tokio::time::Instant;

/// How long a reading of the store stands.
const FRESH_FOR: Duration = Duration::from_secs(1);

/// When the store was last read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Snapshot {
    read_at: Instant,
}

/// `GET /metrics`
pub(super) async fn show(State(state): State<WebState>) -> Result<Response, Problem> {
    refresh(&state).await?;
    state.metrics().run_upkeep();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], state.metrics().render()).into_response())
}

/// Reads the store's figures, unless they were read just now. Those who come at the same time wait for one reading.
async fn refresh(state: &WebState) -> Result<(), Problem> {
    let mut snapshot = state.snapshot().lock().await;
    if snapshot.is_some_and(|snapshot| snapshot.read_at.elapsed() < FRESH_FOR) {
        return Ok(());
    }
    let figures = state.gateway().figures().await?;
    let summary = state.gateway().summary().await?;
    publish_figures(&figures);
    publish_summary(&summary);
    let notices = state.gateway().notice_figures().await?;
    let late = notices.oldest_ready_at.map_or(0, |at| (state.gateway().now() - at).num_seconds().max(0));
    metrics::gauge!("mezhved_notices_waiting").set(notices.waiting as f64);
    metrics::gauge!("mezhved_notices_late_seconds").set(late as f64);
    metrics::gauge!("mezhved_notices_undeliverable").set(notices.undeliverable as f64);
    let oldest = figures.oldest_waiting_at.map(|oldest| state.gateway().now() - oldest);
    let oldest_seconds = oldest.map_or(0.0, |age| age.num_milliseconds().max(0) as f64 / 1000.0);
    metrics::gauge!("mezhved_outbox_oldest_seconds").set(oldest_seconds);
    *snapshot = Some(Snapshot { read_at: Instant::now() });
    Ok(())
}

fn publish_figures(figures: &Figures) {
    metrics::gauge!("mezhved_conservation_gap").set(figures.conservation_gap() as f64);
    let states = [
        ("owed", figures.deliveries_owed),
        ("waiting", figures.deliveries_waiting),
        ("done", figures.deliveries_done),
        ("undeliverable", figures.deliveries_undeliverable),
        ("rejected", figures.deliveries_rejected),
    ];
    for (state, count) in states {
        metrics::gauge!("mezhved_deliveries", "state" => state).set(count as f64);
    }
    metrics::gauge!("mezhved_outbox_waiting").set((figures.deliveries_owed + figures.deliveries_waiting) as f64);
    metrics::gauge!("mezhved_accepted_addressees").set(figures.accepted_addressees as f64);
    metrics::gauge!("mezhved_messages_parked").set(figures.parked as f64);
    metrics::gauge!("mezhved_obligations_open").set(figures.open as f64);
    metrics::gauge!("mezhved_quarantine").set(figures.quarantined as f64);
    metrics::gauge!("mezhved_message_conflicts").set(figures.conflicts as f64);
}

fn publish_summary(summary: &BoardSummary) {
    metrics::gauge!("mezhved_obligations_overdue").set(summary.overdue as f64);
    metrics::gauge!("mezhved_bodies_overdue").set(summary.overdue_bodies as f64);
    metrics::gauge!("mezhved_bodies_silent").set(summary.silent_bodies as f64);
    metrics::gauge!("mezhved_obligations_due_today").set(summary.today as f64);
    metrics::gauge!("mezhved_rungs_prepared").set(summary.prepared as f64);
    metrics::gauge!("mezhved_calendar_days_left").set(summary.calendar_days_left as f64);
    // Before the first sweep there is no age; an endless one fires the same alert.
    let age_seconds = summary.sweep_age_ms.map_or(f64::INFINITY, |age| age as f64 / 1000.0);
    metrics::gauge!("mezhved_sweep_age_seconds").set(age_seconds);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gap_is_zero_when_every_pair_has_a_state_and_shows_loss_and_doubling() {
        let mut figures =
            Figures { accepted_addressees: 9, deliveries_owed: 1, deliveries_waiting: 2, ..Figures::default() };
        figures.deliveries_done = 3;
        figures.deliveries_undeliverable = 2;
        figures.deliveries_rejected = 1;
        assert_eq!(figures.conservation_gap(), 0);
        figures.deliveries_done = 2;
        assert_eq!(figures.conservation_gap(), 1);
        figures.deliveries_done = 5;
        assert_eq!(figures.conservation_gap(), -2);
    }
}
