//! `mezhved load`: drives a gateway that is running elsewhere, and says how fast it was and whether anything was lost.
//!
//! Promises: an open loop (messages are due at fixed instants, latency counts from these, whatever came in between);
//! exit code 0 only when nothing was lost. Never: writes into a store that holds anybody but bodies of a load test;
//! prints a key.

mod bodies;
mod drive;
mod http;
mod keys;
mod ledger;
mod mix;
mod peer;
mod prepare;
mod progress;
mod report;

use crate::app;
use crate::config::Config;
use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// `mezhved load …`
#[derive(Debug, Subcommand)]
pub enum LoadCommand {
    /// Завести вымышленных участников в пустом хранилище и записать их ключи в закрытый файл.
    Prepare(PrepareArgs),
    /// Показать команды rabbitmqctl, которые заводят пользователей брокера из файла ключей (в них есть пароли).
    BrokerUsers {
        /// Файл, который записала команда prepare.
        #[arg(long, value_name = "FILE")]
        keys: PathBuf,
    },
    /// Нагрузить шлюз и сосчитать; код возврата 0, только если ничего не потеряно.
    Run(RunArgs),
}

/// Arguments of `mezhved load prepare`.
#[derive(Debug, Args)]
pub struct PrepareArgs {
    /// Сколько участников, не меньше двух.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(2..=20_000))]
    participants: u32,
    /// Куда записать ключи; такого файла ещё нет.
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,
    /// Адрес брокера без имени и пароля, например amqp://127.0.0.1:5672/prod: тогда участники получают письма из очередей.
    #[arg(long, value_name = "URL")]
    amqp: Option<String>,
}

/// Arguments of `mezhved load run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Файл ключей от prepare.
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,
    /// Адрес шлюза по HTTP.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Посылать через брокера по адресам из файла ключей, а не по HTTP.
    #[arg(long)]
    amqp: bool,
    /// Сообщений в секунду.
    #[arg(long, default_value_t = 100.0)]
    rate: f64,
    /// Сколько секунд.
    #[arg(long, default_value_t = 60.0)]
    seconds: f64,
    /// Виды сообщений и их доли.
    #[arg(long, default_value = mix::DEFAULT)]
    mix: String,
    /// Какая доля обязательных ответов даётся, от 0 до 1.
    #[arg(long, default_value_t = 0.9)]
    answered: f64,
    /// Сколько сообщений может быть в пути от нас сразу.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    in_flight: u32,
    /// Как часто участник без очереди спрашивает свой ящик, мс.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    poll_ms: u64,
    /// Сколько ждать остатка, если больше ничего не движется, с.
    #[arg(long, default_value_t = 30)]
    drain_s: u64,
    /// Участник, который ничего не забирает и не пишет; можно повторить.
    #[arg(long, value_name = "CODE")]
    silent: Vec<String>,
    /// Затравка случая: та же — те же сообщения тем же участникам.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Итог в JSON.
    #[arg(long)]
    json: bool,
}

impl RunArgs {
    fn check(&self) -> anyhow::Result<()> {
        ensure!(self.url.is_some() || self.amqp, "give --url http://HOST:PORT, or --amqp, or both");
        ensure!(self.rate > 0.0 && self.rate <= 1e6, "--rate: more than 0, at most 1000000");
        ensure!(self.seconds > 0.0 && self.seconds <= 1e6, "--seconds: more than 0, at most 1000000");
        ensure!((0.0..=1.0).contains(&self.answered), "--answered: from 0 to 1");
        Ok(())
    }
}

/// Runs it; `config` is asked for only by what opens a store.
///
/// # Errors
/// What is wrong with the call, the key file, the store or the gateway, with the remedy.
pub fn run(
    what: &LoadCommand,
    config: impl FnOnce() -> anyhow::Result<Config>,
    out: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    match what {
        LoadCommand::Prepare(args) => {
            let config = config()?;
            app::block_on(prepare::prepare(args, &config))?;
            Ok(ExitCode::SUCCESS)
        }
        LoadCommand::BrokerUsers { keys } => {
            prepare::broker_users(&keys::read(keys)?, out)?;
            Ok(ExitCode::SUCCESS)
        }
        LoadCommand::Run(args) => {
            args.check()?;
            let driven = app::block_on(drive::drive(args))?;
            if args.json {
                serde_json::to_writer_pretty(&mut *out, &driven)?;
                writeln!(out)?;
            } else {
                driven.print(out).context("the report cannot be written")?;
            }
            Ok(if driven.nothing_lost() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}
