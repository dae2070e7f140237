//! `mezhved participants import FILE`: who takes part in the exchange.
//!
//! Promises: all of the file or nothing; may run beside a serving gateway, which notices at its next sweep.
//! Never: removes a participant (its exchanges stay).

use crate::app;
use crate::catalogue::calendars;
use crate::channel::push;
use crate::config::{Config, participants};

use clap::Subcommand;
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;

/// What to do about participants.
#[derive(Debug, Subcommand)]
pub enum ParticipantsCommand {
    /// Добавить или заменить участников из файла TOML или CSV: все или никого.
    Import {
        /// Файл .toml ([[participants]]) или .csv с заголовком.
        file: PathBuf,
    },
    /// Показать участников, по одному в строке.
    List,
}

/// Runs it.
///
/// # Errors
/// Every fault of the file; a store that cannot be opened.
pub fn run(command: &ParticipantsCommand, config: &Config) -> anyhow::Result<ExitCode> {
    match command {
        ParticipantsCommand::Import { file } => import(file, config),
        ParticipantsCommand::List => list(config),
    }
}

#[expect(clippy::print_stderr, reason = "the words of a command go to standard error")]
fn import(file: &std::path::Path, config: &Config) -> anyhow::Result<ExitCode> {
    let text = app::read_text(file)?;
    let is_csv = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    let read = if is_csv { participants::from_csv(&text) } else { participants::from_toml(&text) }?;
    let policy = app::push_policy(config)?;
    let calendars = calendars::embedded()?;
    app::block_on(async {
        let store = app::open_store(config).await?;
        let known: HashMap<_, _> = store.participants().await?.into_iter().map(|one| (one.code, one.kind)).collect();
        let check_url = |url: &str| push::check_url(url, &policy).map_err(|fault| fault.to_string());
        participants::check(&read, &known, &calendars, check_url)?;
        let count = read.len();
        store.import_participants(read).await?;
        eprintln!("{count} participants are in; a gateway that is serving notices at its next sweep");
        Ok(ExitCode::SUCCESS)
    })
}

#[expect(clippy::print_stdout, reason = "the data of a command goes to standard output")]
fn list(config: &Config) -> anyhow::Result<ExitCode> {
    app::block_on(async {
        for one in app::open_store(config).await?.participants().await? {
            println!("{}\t{}", one.code, one.title);
        }
        Ok(ExitCode::SUCCESS)
    })
}
