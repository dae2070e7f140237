//! What `mezhved calendar check` prints.
//!
//! Promises: the federal calendar and every region with days of its own, what is awaited, and what is not applied.
//! Never: hides a year that is not sure.

use super::CheckArgs;
use crate::domain::calendar::{CalendarSet, Coverage, Overlay, Standing, YearCoverage};
use crate::domain::term::date_words;
use chrono::{Datelike, NaiveDate};
use serde_json::{Value, json};
use std::io::Write;
use std::process::ExitCode;

/// Prints the report as of that day.
pub(super) fn report(
    calendars: &CalendarSet,
    args: &CheckArgs,
    (today, out): (NaiveDate, &mut dyn Write),
) -> anyhow::Result<ExitCode> {
    let federal = calendars.coverage(None)?;
    let regions = match &args.region {
        Some(code) => vec![calendars.coverage(Some(code))?],
        None => {
            let own = calendars.regions_with_own_days().into_iter();
            own.map(|code| calendars.coverage(Some(code))).collect::<Result<_, _>>()?
        }
    };
    let unapplied: Vec<&Overlay> = calendars
        .unapplied()
        .into_iter()
        .filter(|row| args.region.as_ref().is_none_or(|code| *code == row.region))
        .collect();
    let ends_soon = calendars.ends_soon(today);
    let report = Report { federal: &federal, regions: &regions, unapplied: &unapplied, today, ends_soon };
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &report.json())?;
        writeln!(out)?;
    } else {
        report.words(out)?;
    }
    out.flush()?;
    Ok(if report.ends_soon { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

struct Report<'a> {
    federal: &'a Coverage,
    regions: &'a [Coverage],
    unapplied: &'a [&'a Overlay],
    today: NaiveDate,
    ends_soon: bool,
}

impl Report<'_> {
    fn days_left(&self) -> i64 {
        (self.federal.published_until - self.today).num_days()
    }

    /// The years that are still to come or to end, of those that are not sure.
    fn open_provisional<'c>(&self, coverage: &'c Coverage) -> impl Iterator<Item = &'c YearCoverage> {
        let year = self.today.year();
        coverage.years.iter().filter(move |one| one.year >= year && one.standing != Standing::Decreed)
    }

    fn json(&self) -> Value {
        let unapplied = |row: &&Overlay| json!({"region": row.region, "date": row.date, "title": row.title, "applies_to": row.applies_to, "act": row.act});
        let territory = |coverage: &Coverage| {
            let mut value = json!(coverage);
            value["days_left"] = json!((coverage.published_until - self.today).num_days());
            value["provisional_years"] = self.open_provisional(coverage).map(|one| one.year).collect();
            value
        };
        json!({
            "today": self.today,
            "days_left": self.days_left(),
            "ends_soon": self.ends_soon,
            "federal": territory(self.federal),
            "regions": self.regions.iter().map(territory).collect::<Vec<_>>(),
            "unapplied": self.unapplied.iter().map(unapplied).collect::<Vec<_>>(),
        })
    }

    fn words(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let Coverage { version, published_until, covered_until, years, .. } = self.federal;
        writeln!(out, "Федеральный календарь, версия {version}.")?;
        let left = self.days_left();
        writeln!(out, "  Опубликован по {}: осталось {left} дн.", date_words(*published_until))?;
        writeln!(out, "  Считается по {}; дальше срока нет, а есть ошибка.", date_words(*covered_until))?;
        for year in years {
            writeln!(out, "  {}: {}. {}", year.year, standing(year.standing), year.act)?;
        }
        writeln!(out, "Регионы со своими днями: {}.", self.regions.len())?;
        for region in self.regions {
            self.region(region, out)?;
        }
        if !self.unapplied.is_empty() {
            writeln!(
                out,
                "Не применяются, пока у органов не указано муниципальное образование: {}.",
                self.unapplied.len()
            )?;
        }
        for row in self.unapplied {
            writeln!(out, "  {} {}: {} ({})", row.region, date_words(row.date), row.title, row.act)?;
        }
        if self.ends_soon {
            writeln!(out, "Внимание: опубликованный календарь кончается через {left} дн.; внесите следующий год.")?;
        }
        Ok(())
    }

    fn region(&self, region: &Coverage, out: &mut dyn Write) -> std::io::Result<()> {
        let (code, title) = region.region.as_ref().map_or(("", ""), |(code, title)| (code, title));
        let days: usize = region.years.iter().map(|year| year.own_days).sum();
        let decreed = region.years.iter().filter(|year| year.standing == Standing::Decreed);
        let decreed: Vec<String> = decreed.map(|year| year.year.to_string()).collect();
        let decreed = if decreed.is_empty() { "нет".to_owned() } else { decreed.join(", ") };
        writeln!(out, "  {code} {title}: своих дней {days}; без оговорок годы: {decreed}")?;
        let own_doubt = |year: &&YearCoverage| year.own_days_to_check > 0 || !year.awaited.is_empty();
        for year in self.open_provisional(region).filter(own_doubt) {
            writeln!(out, "    {}: {}", year.year, doubts(year))?;
        }
        Ok(())
    }
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Decreed => "утверждён",
        Standing::ToBeChecked => "предварительно, сверить с официальной публикацией",
        Standing::NotPublished => "предварительно, не опубликован",
    }
}

/// What makes a year of a region provisional beside the federal calendar.
fn doubts(year: &YearCoverage) -> String {
    let mut doubts = Vec::new();
    if year.own_days_to_check > 0 {
        doubts.push(format!("предварительно: из своих дней ({}) сверить {}", year.own_days, year.own_days_to_check));
    }
    doubts.extend(year.awaited.iter().map(|title| format!("ждёт решения региона: {title}")));
    doubts.join("; ")
}
