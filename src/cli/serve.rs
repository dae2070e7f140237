//! `mezhved serve`: the gateway, until it is told to stop.
//!
//! Promises: SIGTERM and SIGINT drain, then exit 0; a part that ends by itself is an error. Never: restarts itself.

use crate::app;
use crate::clock::Clock;
use crate::config::Config;
use crate::telemetry;
use anyhow::Context as _;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Serves until SIGTERM or SIGINT, then drains.
///
/// # Errors
/// What kept it from starting, or a part that ended by itself.
pub fn run(config: &Config) -> anyhow::Result<ExitCode> {
    telemetry::log(&config.log)?;
    app::block_on(async {
        let mut running = app::start(config, Clock::system()).await?;
        tracing::info!(http = %running.http, store = %app::store_name(config), "mezhved serves");
        let (mut term, mut int) = signals()?;
        let ended = tokio::select! {
            _ = term.recv() => None,
            _ = int.recv() => None,
            name = running.ended() => Some(name),
        };
        tracing::info!("stopping");
        running.stop().await;
        match ended {
            None => Ok(ExitCode::SUCCESS),
            Some(name) => anyhow::bail!("{name} ended by itself; see the log"),
        }
    })
}

/// The two ways in which a process is asked to end.
///
/// # Errors
/// When the system does not give them.
pub fn signals() -> anyhow::Result<(tokio::signal::unix::Signal, tokio::signal::unix::Signal)> {
    let term = signal(SignalKind::terminate()).context("SIGTERM cannot be listened for")?;
    let int = signal(SignalKind::interrupt()).context("SIGINT cannot be listened for")?;
    Ok((term, int))
}
