//! The report on a year: what was owed, what was late, which rungs were reached, who was late.
//!
//! Promises: counted from the obligations as the gateway shows them. Never: names a case.

use crate::cli::year::town::{Counted, Town, coordinator};
use crate::domain::ids::ParticipantCode;
use crate::gateway::ports::reads::DutyFilter;
use crate::gateway::views::ObligationView;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// A year in numbers.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    pub families: u32,
    pub bodies: usize,
    pub messages: u64,
    pub written_by_gateway: u64,
    /// By the title of what is awaited.
    pub by_answer: BTreeMap<String, Owed>,
    pub owed_to_centre: Owed,
    pub owed_by_centre: Owed,
    pub owed_among_others: Owed,
    /// By the rung's number: how many obligations reached it.
    pub rungs: BTreeMap<u8, u64>,
    pub letters_sent_on: u64,
    pub letters_declined: u64,
    /// What the gateway refused, by stable code.
    pub refused: BTreeMap<&'static str, u64>,
    /// Accepted less accounted for; anything but 0 is a loss.
    pub conservation_gap: i128,
}

/// Obligations of one sort.
#[derive(Debug, Default, Serialize)]
pub(super) struct Owed {
    pub opened: u64,
    pub in_time: u64,
    pub late: u64,
    /// Open when the year ended, and of these overdue.
    pub open: u64,
    pub overdue: u64,
    /// Withdrawn, redirected, refused.
    pub otherwise: u64,
    /// Working days after the due date, of those that were late.
    #[serde(skip)]
    lateness: Vec<u32>,
    pub late_median: u32,
    pub late_p90: u32,
}

/// Obligations read at once.
const PAGE: usize = 500;

impl Report {
    pub async fn of(town: &Town, centre: &ParticipantCode, families: u32) -> anyhow::Result<Self> {
        let Counted { written, by_gateway, sent_on, declined, refused } = &town.counted;
        let mut report = Self {
            families,
            bodies: town.bodies.all.len(),
            messages: written + by_gateway,
            written_by_gateway: *by_gateway,
            letters_sent_on: *sent_on,
            letters_declined: *declined,
            refused: refused.clone(),
            ..Self::default()
        };
        let mut after = None;
        loop {
            let filter = DutyFilter { after, limit: PAGE, ..DutyFilter::default() };
            let page = town.gateway.obligations(filter, &coordinator()).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.due_at, last.id));
            page.iter().for_each(|one| report.count(one, centre));
        }
        report.settle();
        let figures = town.gateway.figures().await?;
        report.conservation_gap = figures.conservation_gap();
        Ok(report)
    }

    fn count(&mut self, one: &ObligationView, centre: &ParticipantCode) {
        for rung in one.rungs.iter().filter(|rung| matches!(rung.state, "fired" | "prepared" | "approved" | "declined"))
        {
            *self.rungs.entry(rung.no).or_default() += 1;
        }
        self.by_answer.entry(one.awaited_title.clone()).or_default().count(one);
        let side = if one.controller.code == *centre {
            &mut self.owed_to_centre
        } else if one.performer.code == *centre {
            &mut self.owed_by_centre
        } else {
            &mut self.owed_among_others
        };
        side.count(one);
    }

    fn settle(&mut self) {
        let sides = [&mut self.owed_to_centre, &mut self.owed_by_centre, &mut self.owed_among_others];
        self.by_answer.values_mut().chain(sides).for_each(Owed::settle);
    }

    /// The report as people read it.
    pub fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { families, bodies, messages, written_by_gateway, .. } = self;
        writeln!(out, "Год вымышленного центра: семей {families}, органов {bodies}, сообщений {messages}")?;
        writeln!(out, "(из них шлюз написал сам: {written_by_gateway}).\n")?;
        let head = ["обязано", "в срок", "поздно", "открыто", "просроч.", "иначе", "медиана", "p90"];
        writeln!(out, "{:46}{}", "", head.map(|word| format!("{word:>9}")).concat())?;
        let sides = [
            ("должны центру", &self.owed_to_centre),
            ("должен центр", &self.owed_by_centre),
            ("должны друг другу", &self.owed_among_others),
        ];
        for (name, owed) in sides {
            owed.line(name, out)?;
        }
        writeln!(out)?;
        for (name, owed) in &self.by_answer {
            owed.line(name, out)?;
        }
        writeln!(out, "\nМедиана и p90 — рабочие дни опоздания среди опоздавших.\n\nСтупени:")?;
        for (no, many) in &self.rungs {
            writeln!(out, "  {no}: {many}")?;
        }
        writeln!(out, "Писем отправлено по решению человека: {}", self.letters_sent_on)?;
        writeln!(out, "Писем отклонено человеком: {}", self.letters_declined)?;
        for (code, many) in &self.refused {
            writeln!(out, "Отказано шлюзом, {code}: {many}")?;
        }
        writeln!(out, "Принято и не учтено: {}", self.conservation_gap)
    }
}

impl Owed {
    fn count(&mut self, one: &ObligationView) {
        self.opened += 1;
        match one.state {
            "fulfilled" | "fulfilled_late" | "answered" if one.late_by_working_days == 0 => self.in_time += 1,
            "fulfilled" | "fulfilled_late" | "answered" => {
                self.late += 1;
                self.lateness.push(one.late_by_working_days);
            }
            "running" | "suspended" => {
                self.open += 1;
                self.overdue += u64::from(one.overdue);
            }
            _ => self.otherwise += 1,
        }
    }

    fn settle(&mut self) {
        self.lateness.sort_unstable();
        let at = |percent: usize| self.lateness.get(self.lateness.len() * percent / 100).copied().unwrap_or(0);
        (self.late_median, self.late_p90) = (at(50), at(90));
    }

    fn line(&self, name: &str, out: &mut impl Write) -> io::Result<()> {
        let name: String = name.chars().take(44).collect();
        let counted = [self.opened, self.in_time, self.late, self.open, self.overdue, self.otherwise];
        let counted = counted.map(|many| format!("{many:>9}")).concat();
        writeln!(out, "{name:46}{counted}{:>9}{:>9}", self.late_median, self.late_p90)
    }
}
