//! `mezhved due`: prints a due date and why, or answers a stream of questions, one JSON object a line.
//!
//! Promises: the same dates as the gateway counts, by the same code. Never: stores anything; reads the clock.

mod lines;
mod question;
mod skipped;

use crate::catalogue::calendars;
use crate::domain::calendar::CalendarSet;
use crate::domain::term::{Event, Performer, Roll, Term, Week, compute, parse_roll, parse_week};
use crate::domain::zone::{UnknownZone, Zone};
use anyhow::{Context, bail};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use std::io::{self, BufRead, Write};
use std::process::ExitCode;

/// The zone of a question that names none.
const ZONE_DEFAULT: &str = "Europe/Moscow";

/// Срок ответа: дата и объяснение. Без ключей читает вопросы по одному объекту JSON в строке.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct DueArgs {
    /// Дата события: 2025-12-26, 26.12.2025 или момент 2025-12-26T15:00:00+08:00
    #[arg(long, value_name = "DATE", requires = "term")]
    pub from: Option<String>,
    /// Срок: "5 wd", "30 cd", "1 month", "48 h", "at once", "5 рабочих дней"
    #[arg(long, value_name = "TERM", requires = "from")]
    pub term: Option<String>,
    /// Регион исполнителя по ISO 3166-2, например RU-TA
    #[arg(long, value_name = "CODE", requires = "from")]
    pub region: Option<String>,
    /// Перенос с нерабочего дня: next, previous или none
    #[arg(long, value_parser = parse_roll, requires = "from")]
    pub roll: Option<Roll>,
    /// Рабочая неделя исполнителя: five или six
    #[arg(long, value_parser = parse_week, requires = "from")]
    pub week: Option<Week>,
    /// Часовой пояс исполнителя по IANA, например Asia/Irkutsk
    #[arg(long, value_name = "ZONE", requires = "from")]
    pub zone: Option<String>,
}

/// Answers one question from the arguments, or every line of `input`.
///
/// # Errors
/// A question that cannot be answered (from the arguments), or failing input or output. A bad line is answered on its
/// line, and the exit code is 1.
pub fn run(args: &DueArgs, input: impl BufRead, output: impl Write) -> anyhow::Result<ExitCode> {
    let calendars = calendars::embedded()?;
    match (&args.from, &args.term) {
        (Some(from), Some(term)) => explain((from, term), args, &calendars, output),
        (None, None) => match lines::answer(&calendars, input, output) {
            Ok(all_answered) => Ok(if all_answered { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
            // Whoever reads us has had enough, as `head` does.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
            Err(error) => Err(error).context("due: reading questions or writing answers"),
        },
        _ => bail!("--from and --term belong together; give both, or neither to read questions from standard input"),
    }
}

fn explain(
    (from, term): (&str, &str),
    args: &DueArgs,
    calendars: &CalendarSet,
    mut output: impl Write,
) -> anyhow::Result<ExitCode> {
    let mut term: Term = term.parse()?;
    term.roll = args.roll.or(term.roll);
    let zone = zone_of(args.zone.as_deref(), from)?;
    let calendar = calendars.for_performer(args.region.as_deref(), args.week.unwrap_or_default())?;
    let at = instant(from, zone)
        .with_context(|| format!("`{from}` is no date; write 2025-12-26, 26.12.2025 or 2025-12-26T15:00:00+08:00"))?;
    let due = compute(&term, &Event::new(term.starts_on, at), &Performer { calendar, zone })?;
    for line in due.protocol.explanation() {
        writeln!(output, "{line}")?;
    }
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The zone by its name, else the one of the offset that the event is written with, else our default.
fn zone_of(named: Option<&str>, event: &str) -> Result<Zone, UnknownZone> {
    match (named, DateTime::parse_from_rfc3339(event)) {
        (Some(name), _) => Zone::named(name),
        (None, Err(_)) => Zone::named(ZONE_DEFAULT),
        (None, Ok(instant)) => {
            let offset = *instant.offset();
            let (hours, rest) = (offset.local_minus_utc() / 3600, offset.local_minus_utc() % 3600);
            // IANA writes the sign of these the other way round.
            Zone::named(&if rest == 0 { format!("Etc/GMT{:+}", -hours) } else { offset.to_string() })
        }
    }
}

/// An instant as written, or the beginning of a date in the zone.
fn instant(text: &str, zone: Zone) -> Option<DateTime<Utc>> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(instant.to_utc());
    }
    let date = text.parse().or_else(|_| NaiveDate::parse_from_str(text, "%d.%m.%Y")).ok()?;
    Some(zone.instant(date, NaiveTime::MIN))
}
