//! The commands: data on standard output, words on standard error, an exit code that says how it went.
//!
//! Promises: 0 done, 1 the input or the state says no, 2 the call is wrong; every error names the remedy.
//! Never: asks at a prompt; takes a secret as a flag.

pub mod accounts;
pub mod calendar;
pub mod catalogue;
pub mod convert;
pub mod demo;
pub mod due;
pub mod health;
pub mod load;
pub mod participants;
pub mod schemas;
pub mod serve;
pub mod simulate;
pub mod store_copy;
pub mod verify;
pub mod year;

use crate::app;
use crate::clock::Clock;
use crate::config::Config;
use crate::gateway::ports::Accounts;
use chrono::{DateTime, Utc};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Шлюз межведомственного взаимодействия: запросы и ответы о детях, сроки, напоминания.
#[derive(Debug, Parser)]
#[command(name = "mezhved", version, about, disable_help_subcommand = true)]
pub struct Cli {
    /// Файл настроек (иначе ./mezhved.toml, если он есть).
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Запустить шлюз; работает и без всяких настроек.
    Serve,
    /// Показать шлюз в работе: вымышленные участники, быстрые часы, ничего не нужно устанавливать.
    Demo(demo::DemoArgs),
    /// Прожить год вымышленного центра на настоящем шлюзе: что опоздало и до каких ступеней дошло.
    Year(year::YearArgs),
    /// Прожить много историй из случая: ядро и глаголы настоящие, мир вокруг рушится и налаживается.
    Simulate(simulate::SimulateArgs),
    /// Нагрузить работающий шлюз вымышленными сообщениями и сосчитать скорость, задержки и потери.
    Load {
        #[command(subcommand)]
        what: load::LoadCommand,
    },
    /// Проверить настройки: все ошибки сразу, со строкой и ключом.
    CheckConfig,
    /// Спросить работающий шлюз, готов ли он (для проверки контейнера).
    Health,
    /// Участники обмена.
    Participants {
        #[command(subcommand)]
        what: participants::ParticipantsCommand,
    },
    /// Ключи участников: показываются один раз.
    Keys {
        #[command(subcommand)]
        what: accounts::KeysCommand,
    },
    /// Люди, которые входят на доску.
    Users {
        #[command(subcommand)]
        what: accounts::UsersCommand,
    },
    /// Хранилище: перенос из SQLite в PostgreSQL.
    Store {
        #[command(subcommand)]
        what: store_copy::StoreCommand,
    },
    /// Производственный календарь: насколько он покрыт; принятие новой версии.
    Calendar {
        #[command(subcommand)]
        what: calendar::CalendarCommand,
    },
    /// Посчитать срок и объяснить его; без --from и --term читает строки JSON.
    Due(due::DueArgs),
    /// Переписать сообщения из XML в JSON и обратно, строго проверив.
    Convert(convert::Args),
    /// Каталог: виды сообщений, кто кому их посылает, что и в какой срок отвечают.
    Catalogue(catalogue::Args),
    /// Схемы каталога: JSON Schema и XSD.
    Schemas(schemas::Args),
    /// Проверить, что файл доказательств цел; подписи в нём нет.
    Verify(verify::Args),
}

/// Runs the command that the arguments name.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(wrong) => {
            let code = if wrong.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
            // If even the words cannot be written, the exit code still says it.
            let _ = wrong.print();
            return code;
        }
    };
    dispatch(cli).unwrap_or_else(|error| {
        report(&error);
        ExitCode::FAILURE
    })
}

#[expect(clippy::print_stderr, reason = "the words of a command go to standard error")]
fn report(error: &anyhow::Error) {
    eprintln!("mezhved: {error:#}");
}

fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    let stdin = std::io::stdin;
    let stdout = || std::io::BufWriter::new(std::io::stdout().lock());
    match cli.command {
        Command::Demo(args) => demo::run(&args),
        Command::Year(args) => year::run(&args, &mut stdout()),
        Command::Simulate(args) => simulate::run(&args, &mut stdout()),
        Command::Load { what } => load::run(&what, || config(cli.config), &mut stdout()),
        Command::CheckConfig => check_config(cli.config),
        Command::Serve => serve::run(&config(cli.config)?),
        Command::Participants { what } => participants::run(&what, &config(cli.config)?),
        Command::Keys { what } => {
            with_store(cli.config, async |store, now| accounts::keys(what, store, (now, &mut std::io::stdout())).await)
        }
        Command::Users { what } => with_store(cli.config, async |store, now| accounts::users(what, store, now).await),
        Command::Store { what: store_copy::StoreCommand::Copy(args) } => {
            store_copy::run(&args, &config(cli.config)?, &mut std::io::stdout())
        }
        Command::Health => health::run(&config(cli.config)?),
        Command::Calendar { what: calendar::CalendarCommand::Check(args) } => {
            calendar::check(&args, Clock::system().now().date_naive(), &mut stdout())
        }
        Command::Calendar { what: calendar::CalendarCommand::Adopt(args) } => {
            calendar::adopt(&args, &config(cli.config)?, &mut stdout())
        }
        Command::Due(args) => due::run(&args, stdin().lock(), stdout()),
        Command::Catalogue(args) => catalogue::run(&args, &mut stdout()),
        Command::Schemas(args) => schemas::run(&args, &mut stdout()),
        Command::Verify(args) => verify::run(&args, &mut stdin().lock(), (&mut stdout(), &mut std::io::stderr())),
        Command::Convert(args) => convert::run(&args, &mut stdin().lock(), &mut stdout(), &mut std::io::stderr()),
    }
}

/// Runs a command on the store, beside a gateway that may be serving from it.
fn with_store(
    named: Option<PathBuf>,
    work: impl AsyncFnOnce(&dyn Accounts, DateTime<Utc>) -> anyhow::Result<()>,
) -> anyhow::Result<ExitCode> {
    let config = config(named)?;
    app::block_on(async {
        let store = app::open_store(&config).await?;
        work(&*store, Clock::system().now()).await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// The configuration that a command runs by.
fn config(named: Option<PathBuf>) -> anyhow::Result<Config> {
    let here = PathBuf::from("mezhved.toml");
    let file = named.or_else(|| here.exists().then_some(here));
    Ok(Config::load(file.as_deref())?)
}

#[expect(clippy::print_stderr, reason = "the words of a command go to standard error")]
fn check_config(named: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let config = config(named)?;
    app::check(&config)?.iter().for_each(|note| eprintln!("{note}"));
    eprintln!("the configuration is right");
    Ok(ExitCode::SUCCESS)
}
