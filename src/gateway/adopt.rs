//! Adopting another version of the calendar: what it would move, and moving it.
//!
//! Promises: the preview and the adoption are one computation; each obligation is a decision of its own, so that an
//! interrupted adoption is finished by the next; what cannot be counted anew is named and stays as it is.
//! Never: moves a date of an obligation that is not open.

use crate::domain::decide::Command;
use crate::domain::decide::adopt::moved;
use crate::domain::ids::{ObligationId, ParticipantCode};
use crate::domain::obligation::{FrozenDue, Obligation};
use crate::gateway::Gateway;
use crate::gateway::act::{Actor, words};
use crate::gateway::arrival::stopping;
use crate::gateway::committer::Job;
use crate::gateway::ports::reads::{DutyFilter, DutyRow};
use crate::gateway::rejection::Rejection;
use chrono::NaiveDate;
use serde::Serialize;
use tokio::sync::oneshot;

/// Obligations read at once; also how many decisions are under way at once.
const PAGE_MAX: usize = 512;

/// What a calendar moves.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CalendarMoves {
    /// Open obligations that were looked at.
    pub open: usize,
    pub moves: Vec<CalendarMove>,
    /// Obligations that could not be counted anew, with the reason; they stay as they are.
    pub faults: Vec<(ObligationId, String)>,
}

/// One due date that moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CalendarMove {
    pub obligation: ObligationId,
    /// The registration number of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    pub performer: ParticipantCode,
    pub performer_title: String,
    /// The dates in force, before and after.
    pub from: NaiveDate,
    pub to: NaiveDate,
    /// Working days of the performer by which it moves, by the calendar at hand; negative when it comes earlier, 0 when
    /// only the hour, or the day before which nobody is accused, moves.
    pub working_days: i64,
    pub from_version: String,
    pub to_version: String,
    /// The new date leans on a source that is not published or not checked yet.
    pub provisional: bool,
}

impl Gateway {
    /// Which open obligations the calendar at hand would move.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn calendar_moves(&self) -> Result<CalendarMoves, Rejection> {
        let mut found = CalendarMoves::default();
        let mut after = None;
        loop {
            let filter = DutyFilter { open_only: true, after, limit: PAGE_MAX, ..DutyFilter::default() };
            let page = self.0.store.duties(filter).await?;
            let Some(last) = page.last() else { return Ok(found) };
            after = Some((last.duty.obligation.due_at(), last.duty.obligation.id));
            self.look_through(&page, &mut found);
        }
    }

    fn look_through(&self, page: &[DutyRow], found: &mut CalendarMoves) {
        let directory = self.0.directory();
        let ctx = self.0.context(&directory, self.now());
        found.open += page.len();
        for row in page {
            let obligation = &row.duty.obligation;
            match moved(obligation, &ctx) {
                Ok(None) => {}
                Ok(Some(due)) => found.moves.push(self.shown(row, due)),
                Err(refusal) => found.faults.push((obligation.id, refusal.to_string())),
            }
        }
    }

    fn shown(&self, row: &DutyRow, due: FrozenDue) -> CalendarMove {
        let obligation = &row.duty.obligation;
        let calendar = &due.protocol.calendar;
        // An extension that reaches further stays in force.
        let to = obligation.due_on_with(&due);
        CalendarMove {
            obligation: obligation.id,
            number: row.root.as_ref().map(|root| root.number.clone()),
            performer: obligation.performer.clone(),
            performer_title: super::view::party(&self.0, &obligation.performer).title,
            from: obligation.due_on(),
            to,
            working_days: self.distance(obligation, (calendar.region.as_deref(), to)),
            from_version: obligation.counted().protocol.calendar.version.clone(),
            to_version: calendar.version.clone(),
            provisional: due.protocol.provisional,
        }
    }

    fn distance(&self, obligation: &Obligation, (region, to): (Option<&str>, NaiveDate)) -> i64 {
        let from = obligation.due_on();
        let calendar = self.0.calendars.for_performer(region, obligation.counted().protocol.calendar.week);
        let days = calendar.ok().and_then(|days| days.working_days_between(from.min(to), from.max(to)).ok());
        let days = i64::from(days.unwrap_or_default());
        if to < from { -days } else { days }
    }

    /// Adopts the calendar at hand: every open obligation that it moves gets its new date, as a recorded decision.
    /// What was moved, and what could not be.
    ///
    /// # Errors
    /// `Forbidden` for who only reads; `Unavailable`.
    pub async fn adopt_calendar(&self, by: &Actor, reason: String) -> Result<CalendarMoves, Rejection> {
        by.may_decide()?;
        let reason = words(reason)?;
        let mut found = self.calendar_moves().await?;
        let mut refused = Vec::new();
        for chunk in found.moves.chunks(PAGE_MAX) {
            let mut asked = Vec::with_capacity(chunk.len());
            for one in chunk {
                let (answer, answered) = oneshot::channel();
                let obligation = one.obligation;
                let command = Command::AdoptCalendar { obligation, by: by.label(), reason: reason.clone() };
                self.0.hand_in(Job::Decide { obligation, command: Box::new(command), answer }).await?;
                asked.push((obligation, answered));
            }
            for (obligation, answered) in asked {
                if let Err(rejection) = answered.await.map_err(|_| stopping())? {
                    refused.push((obligation, rejection.message));
                }
            }
        }
        found.moves.retain(|one| !refused.iter().any(|(obligation, _)| *obligation == one.obligation));
        found.faults.extend(refused);
        Ok(found)
    }
}
