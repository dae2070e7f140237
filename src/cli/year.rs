//! `mezhved year`: a year of one invented centre, lived through on the real gateway in under a minute.
//!
//! Promises: real verbs, the real store in a temporary folder, the calendar of the year, a clock set by hand; the same
//! seed gives the same report. Never: touches a configuration or a store of yours; sends anything anywhere.

pub(super) mod bodies;
pub(super) mod families;
pub(super) mod letters;
mod report;
mod town;

use crate::app;
use crate::catalogue::{Catalogue, calendars};
use crate::clock::Clock;
use crate::domain::ids::ParticipantCode;
use crate::gateway::ports::Store;
use crate::gateway::{Gateway, Parts};
use crate::simulation::dice::Dice;
use crate::store::objects::ObjectFolder;
use crate::store::sqlite::SqliteStore;
use anyhow::Context as _;
use bodies::Bodies;
use chrono::{NaiveDate, NaiveTime};
use report::Report;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use town::Town;

/// The centre whose year it is.
const CENTRE: &str = "centre-vymysel";
/// A year whose calendar is published.
const YEAR: i32 = 2026;

/// Arguments of `mezhved year`.
#[derive(Debug, Clone, clap::Args)]
pub struct YearArgs {
    /// Сколько семей на сопровождении.
    #[arg(long, default_value_t = 450, value_parser = clap::value_parser!(u32).range(1..=5000))]
    families: u32,
    /// Затравка случая: та же — тот же год.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Отчёт в JSON.
    #[arg(long)]
    json: bool,
}

/// Lives through the year and reports.
///
/// # Errors
/// When the temporary folder cannot be had, or the gateway fails.
pub fn run(args: &YearArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let folder = std::env::temp_dir().join(format!("mezhved-year-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let lived = app::block_on(live(args, &folder));
    // What cannot be removed is named by the next system clean-up.
    let _ = std::fs::remove_dir_all(&folder);
    let report = lived?;
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &report)?;
        writeln!(out)?;
    } else {
        report.print(out)?;
    }
    Ok(if report.conservation_gap == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn live(args: &YearArgs, folder: &Path) -> anyhow::Result<Report> {
    let mut dice = Dice(args.seed);
    let centre = ParticipantCode::new(CENTRE)?;
    let bodies = Bodies::around(CENTRE, &mut dice)?;
    let mut town = found(folder, (centre.clone(), bodies), dice).await?;
    for number in 1..=args.families {
        let calendar = town.calendar.clone();
        let openings = families::plan(number, (&centre, &town.bodies), (YEAR, &calendar), &mut town.dice)?;
        town.expect(openings)?;
    }
    let first = NaiveDate::from_ymd_opt(YEAR, 1, 1).context("the first day")?;
    for day in first.iter_days().take_while(|day| chrono::Datelike::year(day) == YEAR) {
        town.live(day).await?;
    }
    Report::of(&town, &centre, args.families).await
}

/// The gateway on a new file, with the bodies in its directory.
async fn found(folder: &Path, around: (ParticipantCode, Bodies), dice: Dice) -> anyhow::Result<Town> {
    let calendars = Arc::new(calendars::embedded()?);
    let centre = around.1.all.iter().find(|body| body.code == around.0).context("the centre is in the example")?;
    let calendar = calendars.for_performer(centre.region.as_deref(), centre.week)?;
    let midnight = centre.zone.instant(NaiveDate::from_ymd_opt(YEAR, 1, 1).context("a day")?, NaiveTime::MIN);
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open_exclusive(&folder.join("mezhved.db"))?);
    store.import_participants(around.1.all.clone()).await?;
    let clock = Clock::frozen(midnight);
    let parts = Parts {
        store,
        objects: Arc::new(ObjectFolder::new(folder.join("attachments"))),
        catalogue: Arc::clone(Catalogue::builtin()),
        calendars,
        ladders: Arc::new(app::builtin_ladders()?),
        clock: clock.clone(),
        sweep_age_max_s: u64::from(u32::MAX),
    };
    let gateway = Gateway::start(parts).await?;
    gateway.refresh_directory().await?;
    Ok(Town::new((gateway, clock), around, calendar, dice))
}
