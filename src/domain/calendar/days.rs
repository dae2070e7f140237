//! The days of one territory: federal facts with a region's overlays, joined once when loaded.
//!
//! Promises: each day off has a reason in Russian; doubt about a source is kept per day. Never: changes after building.

use super::facts::{FederalYear, Overlay, SourceStatus, is_weekend};
use super::set::FederalCalendar;
use super::table::Table;
use crate::domain::term::{Special, Week};
use chrono::{Datelike, Days as DayCount, NaiveDate, Weekday};

/// How a day is worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayKind<'a> {
    Working,
    /// A pre-holiday day, one hour shorter (ТК ст. 95).
    Short,
    /// Not worked; the reason in Russian.
    Off(&'a str),
}

/// What is known of one day before a week and a treatment of special days are chosen.
#[derive(Debug, Clone, Copy)]
struct Fact {
    /// Off in a five-day week.
    off: Option<u16>,
    /// Off in a six-day week.
    off_in_six: Option<u16>,
    /// A «нерабочий день» of a presidential decree.
    special: Option<u16>,
    short: bool,
    doubtful: bool,
}

/// The days of one territory.
#[derive(Debug)]
pub(super) struct Days {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) first: NaiveDate,
    /// The last day of the years that somebody has published.
    pub(super) published_until: NaiveDate,
    facts: Vec<Fact>,
    reasons: Vec<String>,
    /// How many doubtful days lie before day i.
    doubts_before: Vec<u32>,
    /// (first day, last day, act) of each source.
    sources: Vec<(NaiveDate, NaiveDate, String)>,
    /// By week, then by treatment of special days.
    tables: [Table; 4],
}

/// What a region adds to the federal calendar.
#[derive(Debug, Default)]
pub(super) struct Own<'a> {
    /// Its title in Russian, which explains its days.
    pub(super) title: &'a str,
    pub(super) overlays: Vec<&'a Overlay>,
    /// The years about which it has still to decide.
    pub(super) awaited: Vec<i32>,
}

impl Days {
    /// Joins checked federal years (contiguous, not empty) with what a region adds.
    pub(super) fn join(federal: &FederalCalendar, version: String, own: &Own<'_>) -> Self {
        let mut building = Building { federal, facts: Vec::new(), reasons: Vec::new() };
        let mut sources = Vec::new();
        for year in &federal.years {
            let (first, last) = (year.days().next(), year.days().last());
            sources.extend(first.zip(last).map(|(first, last)| (first, last, year.act.clone())));
            building.add_year(year);
        }
        let first = sources.first().map_or(NaiveDate::MIN, |(first, _, _)| *first);
        for overlay in &own.overlays {
            building.lay(overlay, first, own.title);
            sources.push((overlay.date, overlay.date, overlay.act.clone()));
        }
        for year in federal.years.iter().filter(|year| own.awaited.contains(&year.year)) {
            year.days().for_each(|date| building.doubt(date, first));
        }
        let published = federal.years.iter().filter(|year| !year.derived).flat_map(FederalYear::days).last();
        let Building { facts, reasons, .. } = building;
        let doubts_before = running_count(facts.iter().map(|fact| fact.doubtful));
        let tables = [(Week::FiveDay, false), (Week::FiveDay, true), (Week::SixDay, false), (Week::SixDay, true)]
            .map(|(week, special_works)| Table::new(facts.iter().map(|fact| fact.reason(week, special_works))));
        Self {
            name: federal.name.clone(),
            version,
            first,
            published_until: published.unwrap_or(first),
            facts,
            reasons,
            doubts_before,
            sources,
            tables,
        }
    }

    pub(super) fn table(&self, week: Week, special: Special) -> &Table {
        match (week, special) {
            (Week::FiveDay, Special::CountAsNonWorking) => &self.tables[0],
            (Week::FiveDay, Special::CountAsWorking) => &self.tables[1],
            (Week::SixDay, Special::CountAsNonWorking) => &self.tables[2],
            (Week::SixDay, Special::CountAsWorking) => &self.tables[3],
        }
    }

    pub(super) fn index(&self, date: NaiveDate) -> Option<usize> {
        let index = usize::try_from((date - self.first).num_days()).ok()?;
        (index < self.facts.len()).then_some(index)
    }

    /// The index of the day after `date`, which may be one past the end.
    pub(super) fn boundary_after(&self, date: NaiveDate) -> Option<usize> {
        let index = usize::try_from((date - self.first).num_days() + 1).ok()?;
        (index <= self.facts.len()).then_some(index)
    }

    pub(super) fn date(&self, index: usize) -> NaiveDate {
        self.first.checked_add_days(DayCount::new(index as u64)).unwrap_or(self.first)
    }

    pub(super) fn last(&self) -> NaiveDate {
        self.date(self.facts.len().saturating_sub(1))
    }

    pub(super) fn is_short(&self, index: usize) -> bool {
        self.facts[index].short
    }

    pub(super) fn reason(&self, reason: u16) -> &str {
        &self.reasons[usize::from(reason)]
    }

    pub(super) fn is_doubtful(&self, from: NaiveDate, to: NaiveDate) -> bool {
        let (from, to) = (from.max(self.first), to.min(self.last()));
        match (self.index(from), self.boundary_after(to)) {
            (Some(from), Some(to)) if from < to => self.doubts_before[from] < self.doubts_before[to],
            _ => false,
        }
    }

    pub(super) fn sources(&self, from: NaiveDate, to: NaiveDate) -> Vec<&str> {
        let touched = self.sources.iter().filter(|(first, last, _)| *first <= to && from <= *last);
        touched.map(|(_, _, act)| act.as_str()).collect()
    }
}

impl Fact {
    fn reason(&self, week: Week, special_works: bool) -> Option<u16> {
        let regular = match week {
            Week::FiveDay => self.off,
            Week::SixDay => self.off_in_six,
        };
        regular.or(if special_works { None } else { self.special })
    }
}

struct Building<'a> {
    federal: &'a FederalCalendar,
    facts: Vec<Fact>,
    reasons: Vec<String>,
}

impl Building<'_> {
    fn add_year(&mut self, year: &FederalYear) {
        for date in year.days() {
            let (off, off_in_six) = self.regular(year, date);
            let special = year.special.get(&date).map(|act| self.reason(format!("нерабочий день: {act}")));
            let doubtful = year.status == SourceStatus::ToBeChecked;
            self.facts.push(Fact { off, off_in_six, special, short: year.short.contains(&date), doubtful });
        }
    }

    /// Why a day is off in a five-day and in a six-day week. Our default for six days, no source states it: Saturdays
    /// work unless they are holidays, and everything else is as in five days.
    fn regular(&mut self, year: &FederalYear, date: NaiveDate) -> (Option<u16>, Option<u16>) {
        if let Some(why) = year.off.get(&date) {
            let reason = Some(self.reason(why.clone()));
            return (reason, reason);
        }
        if !is_weekend(date) || year.working_weekend.contains_key(&date) {
            return (None, None);
        }
        let saturday = date.weekday() == Weekday::Sat;
        let name = if saturday { "суббота" } else { "воскресенье" };
        let holiday = self.federal.holiday(date).map(|title| format!("{title} ({name})"));
        let works_in_six = saturday && holiday.is_none();
        let reason = self.reason(holiday.unwrap_or_else(|| format!("выходной день, {name}")));
        (Some(reason), (!works_in_six).then_some(reason))
    }

    /// Lays a region's day over the federal ones; the working day before a day off becomes short, as ТК ст. 95 has it.
    fn lay(&mut self, overlay: &Overlay, first: NaiveDate, region: &str) {
        let Some(index) = self.place(overlay.date, first) else { return };
        let reason = (!overlay.works).then(|| self.reason(format!("{} ({region})", overlay.title)));
        let fact = &mut self.facts[index];
        (fact.off, fact.off_in_six, fact.short) = (reason, reason, false);
        fact.doubtful |= overlay.status == SourceStatus::ToBeChecked;
        let eve = index.checked_sub(1).filter(|_| !overlay.works);
        if let Some(eve) = eve.and_then(|eve| self.facts.get_mut(eve)) {
            eve.short |= eve.off.is_none();
        }
    }

    fn doubt(&mut self, date: NaiveDate, first: NaiveDate) {
        if let Some(index) = self.place(date, first) {
            self.facts[index].doubtful = true;
        }
    }

    fn place(&self, date: NaiveDate, first: NaiveDate) -> Option<usize> {
        usize::try_from((date - first).num_days()).ok().filter(|&index| index < self.facts.len())
    }

    fn reason(&mut self, text: String) -> u16 {
        let known = self.reasons.iter().position(|reason| *reason == text);
        let index = known.unwrap_or_else(|| {
            self.reasons.push(text);
            self.reasons.len() - 1
        });
        // The set refuses data with more reasons than fit, so the index is never cut.
        u16::try_from(index).unwrap_or(u16::MAX - 1)
    }
}

fn running_count(flags: impl Iterator<Item = bool>) -> Vec<u32> {
    let mut counts = vec![0];
    let mut count = 0;
    for flag in flags {
        count += u32::from(flag);
        counts.push(count);
    }
    counts
}
