//! `mezhved simulate`: many histories of a simulated world around the real gateway, each from a seed.
//!
//! Promises: the progress on standard error, the table on standard output; a violation is told with its seed and the
//! end of its trace, and makes the command fail. Never: touches a configuration or a store of yours.

use crate::clock::Clock;
use crate::simulation::chance::Fault;
use crate::simulation::trace::Trace;
use crate::simulation::{History, Outcome, Setting, run as live};
use anyhow::Context as _;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Violations that are told whole.
const TOLD_MAX: usize = 5;
/// How often the progress is told.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// Arguments of `mezhved simulate`.
#[derive(Debug, Clone, clap::Args)]
pub struct SimulateArgs {
    /// Сколько историй прожить.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Первая затравка; та же — та же история, строка в строку.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Шагов с неполадками в каждой истории, прежде чем всё наладится.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    steps: u32,
    /// Сколько историй сразу; обычно — сколько ядер.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// Напечатать весь ход каждой истории.
    #[arg(long)]
    trace: bool,
}

/// What all histories together were.
#[derive(Debug, Default)]
struct Total {
    seeds: u64,
    steps: u64,
    written: u64,
    messages: u64,
    received: u64,
    obligations: u64,
    rungs: u64,
    mails: u64,
    shared: u64,
    killed_beside: u64,
    takeovers: u64,
    lives: u64,
    faults: BTreeMap<Fault, u64>,
    violated: Vec<Outcome>,
    violations: u64,
}

impl Total {
    fn add(&mut self, outcome: Outcome) {
        self.seeds += 1;
        self.steps += outcome.steps;
        self.written += outcome.written;
        self.messages += outcome.messages;
        self.received += outcome.received;
        self.obligations += outcome.obligations;
        self.rungs += outcome.rungs;
        self.mails += outcome.mails;
        self.shared += u64::from(outcome.is_shared);
        self.killed_beside += outcome.killed_beside;
        self.takeovers += outcome.takeovers;
        self.lives += outcome.lives;
        for (fault, count) in &outcome.faults {
            *self.faults.entry(*fault).or_default() += count;
        }
        self.violations += outcome.violations.len() as u64;
        if !outcome.violations.is_empty() && self.violated.len() < TOLD_MAX {
            self.violated.push(outcome);
        }
    }
}

/// Lives through the histories and reports.
///
/// # Errors
/// When a world cannot be made, or nothing can be written.
pub fn run(args: &SimulateArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let setting = Setting::builtin()?;
    let begun = Clock::system().now();
    let total = if args.trace { traced(args, &setting, out)? } else { all(args, &setting)? };
    for outcome in &total.violated {
        tell(outcome, args, out)?;
    }
    table(&total, since(begun), out)?;
    Ok(if total.violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One after the other, every line of each.
fn traced(args: &SimulateArgs, setting: &Setting, out: &mut impl Write) -> anyhow::Result<Total> {
    let mut total = Total::default();
    for seed in seeds(args) {
        let outcome = live(setting, History { seed, steps: args.steps, flaw: None }, Trace::whole())?;
        for line in outcome.trace.lines() {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "seed {seed}: sha256 {}", outcome.trace.digest())?;
        total.add(outcome);
    }
    Ok(total)
}

fn seeds(args: &SimulateArgs) -> std::ops::Range<u64> {
    args.from..args.from.saturating_add(args.seeds)
}

/// Several at once; each has its own world.
fn all(args: &SimulateArgs, setting: &Setting) -> anyhow::Result<Total> {
    let threads = args.threads.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
    let next = AtomicU64::new(args.from);
    let total = Mutex::new(Total::default());
    let begun = Clock::system().now();
    let worker = || -> anyhow::Result<()> {
        while let Some(seed) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| seeds(args).contains(seed)) {
            let history = History { seed, steps: args.steps, flaw: None };
            let outcome = live(setting, history, Trace::tail()).with_context(|| format!("seed {seed}"))?;
            total.lock().map_err(|_| anyhow::anyhow!("another thread has failed"))?.add(outcome);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        let mut told = begun;
        while workers.iter().any(|worker| !worker.is_finished()) {
            std::thread::sleep(Duration::from_millis(20));
            if since(told) >= TELL_EVERY {
                told = Clock::system().now();
                progress(&total, args.seeds, since(begun));
            }
        }
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| anyhow::anyhow!("a history has made its thread panic"))?)
    })?;
    total.into_inner().map_err(|_| anyhow::anyhow!("a thread has failed"))
}

/// How long ago that was; a clock that was set back makes it nothing.
fn since(at: DateTime<Utc>) -> Duration {
    (Clock::system().now() - at).to_std().unwrap_or_default()
}

#[expect(clippy::print_stderr, reason = "the progress of a command goes to standard error")]
fn progress(total: &Mutex<Total>, of: u64, spent: Duration) {
    let Ok(total) = total.lock() else { return };
    let rate = total.seeds as f64 / spent.as_secs_f64().max(0.001);
    let left = (of.saturating_sub(total.seeds)) as f64 / rate.max(0.001);
    let line = format!("{} of {of} seeds, {rate:.1}/s, {left:.0} s left, {} violations", total.seeds, total.violations);
    if std::io::stderr().is_terminal() { eprint!("\r{line}\x1b[K") } else { eprintln!("{line}") }
}

fn tell(outcome: &Outcome, args: &SimulateArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let again = format!("mezhved simulate --seeds 1 --from {} --steps {} --trace", outcome.seed, args.steps);
    writeln!(out, "seed {}: {} violations ({again})", outcome.seed, outcome.violations.len())?;
    for violation in &outcome.violations {
        writeln!(out, "  {violation}")?;
    }
    for line in outcome.trace.lines().filter(|_| !args.trace) {
        let line: String = line.chars().take(200).collect();
        writeln!(out, "    {line}")?;
    }
    Ok(())
}

fn table(total: &Total, spent: Duration, out: &mut impl Write) -> anyhow::Result<()> {
    let figures = [
        ("seeds", total.seeds),
        ("steps", total.steps),
        ("letters written", total.written),
        ("messages accepted", total.messages),
        ("letters received", total.received),
        ("obligations", total.obligations),
        ("rungs", total.rungs),
        ("mails", total.mails),
        ("worlds of two gateways", total.shared),
        ("killed beside another", total.killed_beside),
        ("leases taken over", total.takeovers),
        ("lives of the gateways", total.lives),
    ];
    let faults = Fault::ALL.iter().map(|fault| (fault.name(), total.faults.get(fault).copied().unwrap_or_default()));
    for (name, count) in figures.into_iter().chain(faults).chain([("violations", total.violations)]) {
        writeln!(out, "{name:<26}{count:>12}")?;
    }
    let rate = total.seeds as f64 / spent.as_secs_f64().max(0.001);
    writeln!(out, "{:<26}{:>12.1} s, {rate:.1} seeds/s", "time", spent.as_secs_f64())?;
    Ok(())
}
