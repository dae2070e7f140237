//! `mezhved store copy --to postgres://…`: from the SQLite file into an empty PostgreSQL database.
//!
//! Promises: progress on standard error, the comparison of both sides on standard output; exit code 0 only if every table
//! is equal and committed, 1 if nothing was copied. Never: takes a password as an argument, which everybody on the
//! machine could read: PGPASSWORD or ~/.pgpass hold it.

use crate::app;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::copy::{self, Compared, Progress};
use chrono::{DateTime, Utc};
use clap::Subcommand;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// How often a terminal, and how often a log, is told of the progress.
const TOLD_EVERY: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(5)];

/// What to do with the store.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Перенести хранилище SQLite в пустую базу PostgreSQL и сверить каждую таблицу.
    Copy(CopyArgs),
}

/// Arguments of `mezhved store copy`.
#[derive(Debug, clap::Args)]
pub struct CopyArgs {
    /// Адрес пустой базы: postgres://user@host:5432/name; пароль — в PGPASSWORD или ~/.pgpass, не здесь.
    #[arg(long, value_name = "URL")]
    pub to: String,
    /// Файл SQLite (иначе `store.path` из настроек); шлюз на нём должен быть остановлен.
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
}

/// Copies.
///
/// # Errors
/// What kept it from being done; then the target is as it was.
pub fn run(args: &CopyArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    if bears_password(&args.to) {
        anyhow::bail!("a password in the address can be read by everybody on this machine: set PGPASSWORD instead");
    }
    let from = args.from.as_ref().unwrap_or(&config.store.path);
    let mut bar = Bar::new();
    let compared = app::block_on(async { Ok(copy::run(from, &args.to, &mut |at| bar.show(at)).await?) });
    bar.end();
    let compared = compared?;
    let equal = table(&compared, out)?;
    if equal {
        writeln!(out, "равны / equal: all tables; a gateway may serve from the new database now")?;
        writeln!(out, "scans are files and stay where they are; name their folder in `store.scans`")?;
        Ok(ExitCode::SUCCESS)
    } else {
        anyhow::bail!("the two sides differ; nothing was committed, the target is empty as before")
    }
}

/// Whether the address has a password before its host.
fn bears_password(url: &str) -> bool {
    let authority = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    let in_query = url.split_once('?').is_some_and(|(_, query)| query.contains("password="));
    in_query || authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

/// Prints the comparison; gives whether all are equal.
fn table(compared: &[Compared], out: &mut dyn Write) -> io::Result<bool> {
    writeln!(out, "{:<16} {:>12} {:>12}  SHA-256", "table", "source", "target")?;
    for Compared { table, source, target } in compared {
        let (short, equal) = (|sum: &str| sum.chars().take(16).collect::<String>(), source == target);
        let sums = if equal { short(&source.1) } else { format!("{} ≠ {}", short(&source.1), short(&target.1)) };
        let word = if equal { "равны / equal" } else { "РАЗЛИЧНЫ / DIFFERENT" };
        writeln!(out, "{table:<16} {:>12} {:>12}  {sums}  {word}", source.0, target.0)?;
    }
    Ok(compared.iter().all(Compared::equal))
}

/// The line of progress: on a terminal it is written over, in a log it is repeated now and then.
struct Bar {
    clock: Clock,
    begun: DateTime<Utc>,
    shown: Option<DateTime<Utc>>,
    terminal: bool,
}

impl Bar {
    fn new() -> Self {
        let clock = Clock::system();
        Self { begun: clock.now(), clock, shown: None, terminal: io::stderr().is_terminal() }
    }

    fn show(&mut self, at: Progress) {
        let every = TOLD_EVERY[usize::from(!self.terminal)];
        let now = self.clock.now();
        // A clock that was set back is as good as none: then the line is written again.
        let since = |then: DateTime<Utc>| (now - then).to_std().unwrap_or(Duration::MAX);
        if self.shown.is_some_and(|shown| since(shown) < every) && at.done < at.total {
            return;
        }
        self.shown = Some(now);
        let line = line(at, (now - self.begun).to_std().unwrap_or_default());
        // Progress that cannot be shown is no reason to stop.
        let _ = if self.terminal { write!(io::stderr(), "\r{line}\x1b[K") } else { writeln!(io::stderr(), "{line}") };
    }

    fn end(&self) {
        if self.terminal && self.shown.is_some() {
            let _ = writeln!(io::stderr());
        }
    }
}

/// What is done, how fast, and for how long still.
fn line(at: Progress, elapsed: Duration) -> String {
    let Progress { table, done, total, .. } = at;
    let verb = if at.checking { "checking" } else { "copying" };
    let percent = (done * 100).checked_div(total).unwrap_or(100);
    let rate = u128::from(done) * 1000 / elapsed.as_millis().max(1);
    let left = (u128::from(total.saturating_sub(done)) * elapsed.as_millis()).checked_div(u128::from(done));
    let left = left.map_or_else(|| "?".to_owned(), |ms| format!("{} s", ms.div_ceil(1000)));
    format!("{percent:>3} % · {verb} {table} · {done} of {total} rows, written and read back · {rate}/s · {left} left")
}

#[cfg(test)]
mod tests {
    use super::{Progress, bears_password, line};
    use std::time::Duration;

    #[test]
    fn an_address_with_a_password_is_known_as_one() {
        for url in ["postgres://mezhved:secret@db/x", "postgres://db/x?user=a&password=secret"] {
            assert!(bears_password(url), "{url}");
        }
        for url in ["postgres://mezhved@db:5432/x", "postgres://db:5432/x", "postgres:///x", "x"] {
            assert!(!bears_password(url), "{url}");
        }
    }

    #[test]
    fn the_line_says_rate_and_remaining_time() {
        let at = Progress { table: "message", checking: false, done: 500, total: 2000 };
        let said = line(at, Duration::from_secs(2));
        assert_eq!(said, " 25 % · copying message · 500 of 2000 rows, written and read back · 250/s · 6 s left");
        let none = line(Progress { done: 0, total: 0, ..at }, Duration::ZERO);
        assert!(none.starts_with("100 %") && none.ends_with("? left"), "{none}");
    }
}
