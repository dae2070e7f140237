//! `mezhved calendar …`: how far the calendars are covered, and the adoption of another version.
//!
//! Promises: `check` needs no configuration and no store; coverage that ends within 60 days is exit code 1; `adopt`
//! shows what it would move before it is told to, and moves nothing beside a serving gateway.
//! Never: adopts without a name and a reason.

mod adoption;
mod coverage;

use crate::app;
use crate::catalogue::calendars;
use crate::clock::Clock;
use crate::config::Config;
use anyhow::bail;
use chrono::NaiveDate;
use clap::{Args, Subcommand};
use std::io::Write;
use std::process::ExitCode;

/// `mezhved calendar …`
#[derive(Debug, Subcommand)]
pub enum CalendarCommand {
    /// Показать, до какого дня календари опубликованы и что в них предварительно.
    Check(CheckArgs),
    /// Принять календарь этой версии программы для открытых обязательств.
    Adopt(AdoptArgs),
}

/// What to check.
#[derive(Debug, Clone, Default, Args)]
pub struct CheckArgs {
    /// Только этот регион, код ISO 3166-2, например RU-TA.
    #[arg(long, value_name = "CODE")]
    pub region: Option<String>,
    /// Одним объектом JSON.
    #[arg(long)]
    pub json: bool,
}

/// What to adopt, by whom and why.
#[derive(Debug, Clone, Default, Args)]
pub struct AdoptArgs {
    /// Только показать, какие сроки сдвинутся и на сколько; можно рядом с работающим шлюзом.
    #[arg(long, conflicts_with_all = ["by", "reason"])]
    pub preview: bool,
    /// Кто решает: имя для входа.
    #[arg(long, value_name = "LOGIN", requires = "reason")]
    pub by: Option<String>,
    /// Почему: реквизиты акта, которым изменён календарь.
    #[arg(long, value_name = "TEXT", requires = "by")]
    pub reason: Option<String>,
    /// Одним объектом JSON.
    #[arg(long)]
    pub json: bool,
}

/// Runs `check` as of that day; exit code 1 when what is published ends within 60 days.
///
/// # Errors
/// A region that is not known; output that cannot be written.
pub fn check(args: &CheckArgs, today: NaiveDate, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    coverage::report(&calendars::embedded()?, args, (today, out))
}

/// Runs `adopt`.
///
/// # Errors
/// Neither `--preview` nor a name with a reason; an unknown name; a gateway that serves; the store.
pub fn adopt(args: &AdoptArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let decision = match (args.preview, &args.by, &args.reason) {
        (true, ..) => None,
        (false, Some(by), Some(reason)) => Some((by.as_str(), reason.as_str())),
        _ => bail!("say --preview to see what would move, or --by LOGIN --reason TEXT to move it"),
    };
    app::block_on(async {
        let started = app::start_without_doors(config, decision.is_some(), Clock::system()).await;
        let (gateway, store) = started?;
        adoption::run(&gateway, &*store, (decision, args.json, out)).await
    })
}
