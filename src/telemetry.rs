//! What the process says about itself: the log, and the figures.
//!
//! Promises: one line of JSON (or text) an event, on standard error; libraries that could print what they carry stay
//! silent below warnings, whatever the filter says. Never: personal data (our own events carry ids and codes only).

use crate::config::{Log, LogFormat};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;
use tracing_subscriber::EnvFilter;

/// Libraries whose finer events may hold contents of messages, keys or passwords.
const QUIET: [&str; 8] = ["amq_protocol", "h2", "hyper", "hyper_util", "lapin", "reqwest", "rustls", "tower"];

/// Bounds of durations, in seconds.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Why telemetry did not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryFault {
    #[error("log.level: `{0}` is no filter; write `info`, or `info,mezhved::channel=debug`")]
    Filter(String),
    #[error("the log was started twice in one process")]
    Twice,
}

/// Starts the log of this process.
///
/// # Errors
/// [`TelemetryFault`]: the filter cannot be read, or a log was started before.
pub fn log(config: &Log) -> Result<(), TelemetryFault> {
    let lines = tracing_subscriber::fmt().with_env_filter(filter(&config.level)?).with_writer(std::io::stderr);
    let started = match config.format {
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init(),
        LogFormat::Text => lines.with_ansi(false).try_init(),
    };
    started.map_err(|_| TelemetryFault::Twice)
}

/// A plain level is ours alone; other libraries then speak from warnings on. Our quiet ones come last and so prevail.
fn filter(level: &str) -> Result<EnvFilter, TelemetryFault> {
    let is_plain = level.chars().all(|letter| letter.is_ascii_alphabetic());
    let stated = if is_plain { format!("warn,mezhved={level}") } else { level.to_owned() };
    let quiet = QUIET.map(|library| format!("{library}=warn")).join(",");
    // This one writes out the whole content of every message that a broker returns, and calls it a warning.
    let quiet = quiet.replace("lapin=warn", "lapin=off");
    EnvFilter::try_new(format!("{stated},{quiet}")).map_err(|_| TelemetryFault::Filter(level.to_owned()))
}

/// The figures of this process, as the page `/metrics` renders them. Installed once; asked again, the same.
#[must_use]
pub fn figures() -> PrometheusHandle {
    static FIGURES: OnceLock<PrometheusHandle> = OnceLock::new();
    FIGURES.get_or_init(install).clone()
}

fn install() -> PrometheusHandle {
    let builder = PrometheusBuilder::new();
    // The bounds are not empty, which is the only thing that could be wrong with them.
    let builder = builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS).unwrap_or_default();
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_err() {
        tracing::error!("another recorder of figures was installed before; /metrics will be empty");
    }
    describe();
    handle
}

/// What each figure means, for those who read the page.
fn describe() {
    describe_subject();
    describe_deliveries();
    describe_doors();
}

/// Obligations, sweeps, calendars, and whether everything that was accepted is accounted for.
fn describe_subject() {
    use metrics::{describe_counter as counter, describe_gauge as gauge, describe_histogram as histogram};
    gauge!(
        "mezhved_conservation_gap",
        "Accepted message-addressee pairs without a known delivery state; not 0 is an alarm"
    );
    gauge!("mezhved_sweep_age_seconds", "Age of the last sweep for due rungs; +Inf before the first");
    counter!("mezhved_sweeps_total", "Whole sweeps");
    counter!("mezhved_sweep_obligations_total", "Obligations that sweeps have looked at");
    counter!("mezhved_sweep_failures_total", "Obligations that a sweep could not decide");
    gauge!("mezhved_calendar_days_left", "Days until the published calendar ends; negative after it");
    histogram!("mezhved_commit_batch_jobs", "Jobs of one transaction");
    counter!("mezhved_commits_begun_again_total", "Batches decided anew because their letters were being settled");
    gauge!("mezhved_obligations_open", "Obligations that are open");
    gauge!("mezhved_obligations_overdue", "Open obligations past their due date");
    gauge!("mezhved_obligations_due_today", "Open obligations that are due today");
    gauge!("mezhved_bodies_overdue", "Bodies with an overdue obligation");
    gauge!("mezhved_bodies_silent", "Bodies with an overdue obligation and no interim reply to it");
    gauge!("mezhved_rungs_prepared", "Letters of the ladder that wait for a person");
    gauge!("mezhved_messages_parked", "Replies that wait for their request");
    gauge!("mezhved_message_conflicts", "Ids that came again with other content");
    gauge!("mezhved_quarantine", "Things that wait for a person in the quarantine");
    counter!("mezhved_messages_repeated_total", "Repeats that got the original outcome again");
    counter!("mezhved_messages_refused_total", "Messages from the queue that were refused, by code");
}

/// The way out.
fn describe_deliveries() {
    use metrics::{describe_counter as counter, describe_gauge as gauge};
    gauge!("mezhved_deliveries", "Deliveries by state");
    gauge!("mezhved_outbox_waiting", "Letters that have not reached their addressee yet");
    gauge!("mezhved_outbox_oldest_seconds", "Age of the oldest letter that waits");
    gauge!("mezhved_accepted_addressees", "Accepted message-addressee pairs");
    gauge!("mezhved_outbound_in_hand", "Letters leased by this process, by route");
    counter!("mezhved_letters_passed_total", "Letters passed from their decision straight to who sends, by route");
    counter!("mezhved_deliveries_total", "Attempts to deliver by route and result");
    counter!("mezhved_push_attempts_total", "HTTPS pushes by result");
    counter!("mezhved_mail_attempts_total", "Mails by result: sent, failed, refused, down");
    gauge!("mezhved_mail_up", "1 while mail goes out, 0 while the server is not reached");
    counter!("mezhved_webhook_alerts_total", "Alerts told by webhook, by result");
    gauge!("mezhved_notices_waiting", "Mails and webhooks to people that have not gone out yet");
    gauge!("mezhved_notices_late_seconds", "How long the oldest of them is past its time");
    gauge!("mezhved_notices_undeliverable", "Mails and webhooks that were given up");
    counter!("mezhved_amqp_published_total", "Letters published to the broker by result");
}

/// The ways in: RabbitMQ and HTTP.
fn describe_doors() {
    use metrics::{describe_counter as counter, describe_gauge as gauge, describe_histogram as histogram};
    gauge!("mezhved_amqp_up", "1 while the link to the broker works, by link");
    counter!("mezhved_amqp_losses_total", "Connections to the broker that were lost, by link");
    counter!("mezhved_amqp_received_total", "Deliveries taken from the inbound queue");
    gauge!("mezhved_amqp_in_flight", "Deliveries that are not decided yet");
    gauge!("mezhved_amqp_aside", "Deliveries that the store does not take while it takes others");
    counter!("mezhved_amqp_dead_lettered_total", "Deliveries sent to the dead letters, by reason");
    gauge!("mezhved_http_connections", "Open HTTP connections");
    counter!("mezhved_http_connections_refused_total", "Connections refused because all were at work");
    counter!("mezhved_http_requests_total", "HTTP answers by method, route and status");
    histogram!("mezhved_http_request_seconds", "Time from the request's headers to the answer's, by route");
    gauge!("mezhved_attachments_up", "1 while attachments can be kept and read");
    counter!("mezhved_attachments_taken_total", "Attachments that were put and kept");
    counter!("mezhved_attachment_bytes_total", "Bytes of attachments by way: in, out");
    counter!("mezhved_attachments_awaited_total", "Attachments that a message named before they were put");
    counter!("mezhved_attachments_removed_total", "Attachments that no message named, removed");
    counter!("mezhved_logins_total", "Logins by outcome: succeeded, failed, throttled");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    #[test]
    fn libraries_that_carry_contents_stay_quiet_whatever_is_asked() {
        let shown = filter("trace,lapin=trace").unwrap().to_string();
        assert!(shown.contains("lapin=off") && !shown.contains("lapin=trace"), "{shown}");
        assert!(filter("debug").unwrap().to_string().contains("mezhved=debug"));
        assert!(filter("info,=/").is_err());
    }

    #[test]
    fn figures_are_rendered_with_their_meaning() {
        let handle = figures();
        metrics::gauge!("mezhved_conservation_gap").set(0.0);
        assert!(handle.render().contains("# HELP mezhved_conservation_gap "));
        assert!(figures().render().contains("mezhved_conservation_gap 0"));
    }
}
