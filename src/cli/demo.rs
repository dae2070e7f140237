//! `mezhved demo`: the gateway at work in two minutes, with nothing installed.
//!
//! Promises: a real gateway in a temporary folder, invented participants that exchange over HTTP in both formats, a
//! clock that runs fast; within a minute something is overdue, climbs the ladder, and is answered late. Never: touches
//! a configuration, a broker or a folder of yours.

mod bodies;
mod centre;
mod peer;

use crate::app;
use crate::clock::Clock;
use crate::config::{Config, participants};
use crate::domain::ids::ParticipantCode;
use crate::domain::participant::Participant;
use crate::gateway::ports::Store;
use crate::gateway::ports::accounts::{StoredKey, User, UserRole};
use crate::web::secrets::{Token, hash_password};
use anyhow::Context as _;
use chrono::{DateTime, TimeZone as _, Utc};
use peer::Peer;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// How many times faster than the machine's the clock runs: a day in four seconds.
const FASTER: u32 = 21_600;
/// The first day: a Monday on which nothing is special; the week after it has a day off (09.03.2026).
const BEGINS: (i32, u32, u32, u32) = (2026, 3, 2, 1);
/// Seconds after which the invented time would leave the published calendars (end of 2027).
const LASTS_S: u64 = 2400;

/// Arguments of `mezhved demo`.
#[derive(Debug, Clone, clap::Args)]
pub struct DemoArgs {
    /// Порт доски и API; 0 — любой свободный.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Сколько секунд показывать; иначе до Ctrl-C, но не дольше 40 минут.
    #[arg(long)]
    seconds: Option<u64>,
}

/// Shows the gateway at work.
///
/// # Errors
/// When the temporary folder or the port cannot be had.
pub fn run(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let folder = std::env::temp_dir().join(format!("mezhved-demo-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let shown = app::block_on(show(args, &folder));
    // The invented data goes with the demo; what cannot be removed is named by the next system clean-up.
    let _ = std::fs::remove_dir_all(&folder);
    shown
}

async fn show(args: &DemoArgs, folder: &std::path::Path) -> anyhow::Result<ExitCode> {
    let mut config = Config::load(None)?;
    config.store.path = folder.join("mezhved.db");
    config.store.scans = folder.join("scans");
    config.attachments.url = String::new();
    config.http.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port(args.port)?));
    // Half an hour of the invented time, a twelfth of a second of ours.
    config.escalation.sweep_every_s = 1800;
    config.escalation.sweep_age_max_s = 7 * 24 * 3600;
    config.amqp.url = crate::config::Secret::default();
    let running = app::start(&config, clock()?).await?;
    let password = people(&*running.store).await?;
    let mut exchange = take_part(&running).await?;
    announce(running.http, &password)?;
    let (mut term, mut int) = super::serve::signals()?;
    let seconds = Duration::from_secs(args.seconds.unwrap_or(LASTS_S).min(LASTS_S));
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
        () = tokio::time::sleep(seconds) => {}
        Some(ended) = exchange.join_next() => ended??,
    }
    exchange.abort_all();
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn clock() -> anyhow::Result<Clock> {
    let (year, month, day, hour) = BEGINS;
    let from = Utc.with_ymd_and_hms(year, month, day, hour, 30, 0).single().context("the demo's first instant")?;
    Ok(Clock::fast(from, FASTER))
}

/// The port asked for, or another one if that is taken.
fn free_port(wanted: u16) -> anyhow::Result<u16> {
    let listen = |port| std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let listener = listen(wanted).or_else(|_| listen(0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
}

/// Imports the participants of the example file and makes the coordinator's account; returns its password.
async fn people(store: &dyn Store) -> anyhow::Result<String> {
    let text = include_str!("../../config/examples/participants.toml");
    store.import_participants(participants::from_toml(text)?).await?;
    let password = Token::random()?.reveal()[..12].to_owned();
    let user = User {
        login: "coordinator".into(),
        name: "Координаторова Проба Вымысловна".into(),
        role: UserRole::Coordinator,
        password: hash_password(&password)?,
        created_at: Clock::system().now(),
    };
    store.add_user(user).await?;
    Ok(password)
}

/// Each participant comes in by its own key, as a program of its own would.
async fn take_part(running: &app::Running) -> anyhow::Result<JoinSet<anyhow::Result<()>>> {
    running.gateway.refresh_directory().await?;
    let mut exchange = JoinSet::new();
    let at = Clock::system().now();
    for participant in running.gateway.directory().iter() {
        let key = key_of(&*running.store, &participant.code, at).await?;
        let peer = Peer::new(running.http, key, (Arc::clone(participant), running.gateway.clock().clone()))?;
        exchange.spawn(bodies::live(peer));
    }
    let centre = ParticipantCode::new("centre-vymysel")?;
    let key = key_of(&*running.store, &centre, at).await?;
    let record: Arc<Participant> = running.gateway.participant(&centre).context("the centre is in the example")?;
    let peer = Peer::new(running.http, key, (record, running.gateway.clock().clone()))?;
    exchange.spawn(centre::ask(peer));
    Ok(exchange)
}

async fn key_of(store: &dyn Store, of: &ParticipantCode, at: DateTime<Utc>) -> anyhow::Result<String> {
    let token = Token::random()?;
    let key = StoredKey { sha256: token.sha256(), participant: of.clone(), created_at: at, expires_at: None };
    store.add_key(key).await?;
    Ok(token.as_key())
}

#[expect(clippy::print_stdout, reason = "what to open is the data of this command")]
fn announce(http: SocketAddr, password: &str) -> anyhow::Result<()> {
    println!(
        "\
Откройте доску координатора:  http://{http}/
  вход: coordinator   пароль: {password}

Все органы, люди и дети вымышлены. Сутки проходят за 4 секунды, начиная с 02.03.2026 (пн).
На что смотреть:
  ~ 10 с   центр разослал запросы школам, опеке и полиции; школа № 17 отвечает в срок
  ~ 15 с   упреждающие напоминания: до срока два рабочих дня («почему эта дата?» у каждого срока)
  ~ 35 с   первые просрочки: школа № 18 опаздывает, школа города Казани молчит
  ~ 40 с   школа № 18 отвечает с опозданием; опека прислала промежуточный ответ, полиция просит продлить
  ~ 45 с   для молчащей школы подготовлен повторный запрос: «ждут решения» — отправьте его
  журнал   http://{http}/journal    показатели  http://{http}/metrics

Остановить: Ctrl-C."
    );
    std::io::Write::flush(&mut std::io::stdout())?;
    Ok(())
}
