//! Escalation: when each rung of the ladder is due, and which one fires.
//!
//! Promises: a rung is a row, unique per obligation and number, and fires once; after an outage only the highest rung
//! then due fires and the ones below are recorded as skipped by us; from the third rung a person decides.
//! Never: accuses a body before the lenient due date, or while our own delivery to it has failed.

use crate::domain::calendar::Calendar;
use crate::domain::obligation::Obligation;
use crate::domain::participant::{Participant, WorkingHours};
use crate::domain::rule::Urgency;
use crate::domain::term::TermError;
use crate::domain::zone::Zone;
use chrono::{DateTime, Duration, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// The ladder as policy data (`config/ladders.toml`).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ladder {
    /// The date from which this version holds; an obligation keeps the version it was born under.
    pub version: String,
    pub rungs: Vec<RungPolicy>,
}

/// One rung: when by urgency, to whom, what, and whether a person decides.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RungPolicy {
    pub no: u8,
    pub title_ru: String,
    pub title_en: String,
    pub action: Action,
    /// Prepared only; a person sends it.
    #[serde(default)]
    pub needs_decision: bool,
    pub normal: Offset,
    pub urgent: Offset,
    pub emergency: Offset,
}

/// What a rung does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The board only.
    Notice,
    /// `control.reminder` to the performer.
    Reminder,
    /// `control.repeat-request` to the head of the performer.
    RepeatRequest,
    /// `notice.commission` to the performer's commission.
    Commission,
    /// `control.escalation` to the superior authority.
    Superior,
    /// `notice.rights-violation` to the prosecutor.
    Prosecutor,
}

/// When a rung is due, from the due date in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Offset {
    /// Working days of the performer after the due date (before it, when negative), at its opening hour.
    WorkingDays(i32),
    /// Hours after the due instant, not clamped to working hours: emergencies do not wait.
    Hours(i64),
    /// This many hundredths of the time between opening and due instant.
    PercentOfTerm(u8),
}

/// The rungs of one obligation: those that were reached, and at most one that is planned next.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rungs {
    pub rows: Vec<Rung>,
}

/// A rung as a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    pub no: u8,
    pub planned_at: DateTime<Utc>,
    pub state: RungState,
}

/// What became of a rung.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RungState {
    Planned,
    /// It did what it does without a person.
    Fired {
        at: DateTime<Utc>,
    },
    /// Missed during an outage of ours, or overtaken; recorded, never sent.
    Skipped {
        at: DateTime<Utc>,
    },
    /// The letter waits for a person.
    Prepared {
        at: DateTime<Utc>,
    },
    /// A person sent it.
    Approved {
        at: DateTime<Utc>,
        by: String,
    },
    /// A person decided against it.
    Declined {
        at: DateTime<Utc>,
        by: String,
        reason: String,
    },
    /// Not needed any more: answered, or a higher rung was prepared.
    Cancelled {
        at: DateTime<Utc>,
    },
}

impl RungState {
    /// The stable code, as in the API and the store.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Fired { .. } => "fired",
            Self::Skipped { .. } => "skipped",
            Self::Prepared { .. } => "prepared",
            Self::Approved { .. } => "approved",
            Self::Declined { .. } => "declined",
            Self::Cancelled { .. } => "cancelled",
        }
    }
}

impl Rungs {
    /// The rung that is planned next.
    #[must_use]
    pub fn planned(&self) -> Option<&Rung> {
        self.rows.iter().find(|rung| rung.state == RungState::Planned)
    }

    /// The row of that number.
    #[must_use]
    pub fn row(&self, no: u8) -> Option<&Rung> {
        self.rows.iter().find(|rung| rung.no == no)
    }

    /// Writes the row of that number; there is never a second one.
    pub fn put(&mut self, rung: Rung) {
        match self.rows.iter_mut().find(|row| row.no == rung.no) {
            Some(row) => *row = rung,
            None => self.rows.push(rung),
        }
    }

    /// Takes what is planned or prepared off: the obligation is not open any more.
    pub fn cancel(&mut self, now: DateTime<Utc>) {
        for row in &mut self.rows {
            if matches!(row.state, RungState::Planned | RungState::Prepared { .. }) {
                row.state = RungState::Cancelled { at: now };
            }
        }
    }

    /// Whether this rung was used up: a row that may not be planned again.
    fn is_spent(&self, no: u8) -> bool {
        self.row(no).is_some_and(|row| !matches!(row.state, RungState::Planned | RungState::Cancelled { .. }))
    }
}

/// What planning reads: the ladder and the performer's calendar, hours and zone.
pub struct Course<'a> {
    pub ladder: &'a Ladder,
    pub calendar: &'a Calendar,
    pub hours: WorkingHours,
    pub zone: Zone,
}

impl<'a> Course<'a> {
    /// The course for one performer.
    #[must_use]
    pub fn new(ladder: &'a Ladder, calendar: &'a Calendar, performer: &Participant) -> Self {
        Self { ladder, calendar, hours: performer.hours, zone: performer.zone }
    }

    /// When a rung of this obligation is due.
    ///
    /// # Errors
    /// [`TermError`] when the calendar does not cover the days in question.
    pub fn due_at(&self, policy: &RungPolicy, obligation: &Obligation) -> Result<DateTime<Utc>, TermError> {
        let offset = match obligation.urgency {
            Urgency::Normal => policy.normal,
            Urgency::Urgent => policy.urgent,
            Urgency::Emergency => policy.emergency,
        };
        let due_at = obligation.due_at();
        let at = match offset {
            Offset::WorkingDays(days) => self.opening(self.shifted(obligation.due_on(), days)?),
            Offset::Hours(hours) => due_at + Duration::hours(hours),
            Offset::PercentOfTerm(percent) => {
                obligation.opened_at + (due_at - obligation.opened_at) * i32::from(percent) / 100
            }
        };
        if policy.needs_decision && at < obligation.lenient_at() {
            return self.first_opening_from(obligation.lenient_at());
        }
        Ok(at)
    }

    /// The working day so many working days from a date; from a day off, none means the working day before it.
    fn shifted(&self, date: NaiveDate, days: i32) -> Result<NaiveDate, TermError> {
        match days {
            0 => Ok(self.calendar.previous_working_on_or_before(date)?),
            days => Ok(self.calendar.add_working_days(date, days)?),
        }
    }

    fn opening(&self, date: NaiveDate) -> DateTime<Utc> {
        self.zone.instant(date, self.hours.opens)
    }

    /// The first opening hour of a working day at or after an instant.
    fn first_opening_from(&self, instant: DateTime<Utc>) -> Result<DateTime<Utc>, TermError> {
        let day = self.calendar.next_working_on_or_after(self.zone.date(instant))?;
        let opening = self.opening(day);
        if opening >= instant { Ok(opening) } else { Ok(self.opening(self.calendar.add_working_days(day, 1)?)) }
    }

    /// Plans the lowest rung not yet used, unless its time was over before the obligation was opened (a short term has
    /// no early warning). Called at birth, after an extension, after a return, and after a rung has fired.
    ///
    /// # Errors
    /// [`TermError`] when the calendar does not cover the days in question.
    pub fn plan(&self, obligation: &Obligation, rungs: &mut Rungs) -> Result<(), TermError> {
        rungs.rows.retain(|row| row.state != RungState::Planned);
        let highest = rungs.rows.iter().filter(|row| rungs.is_spent(row.no)).map(|row| row.no).max();
        for policy in self.ladder.rungs.iter().filter(|policy| highest.is_none_or(|no| policy.no > no)) {
            let planned_at = self.due_at(policy, obligation)?;
            if planned_at > obligation.opened_at {
                rungs.put(Rung { no: policy.no, planned_at, state: RungState::Planned });
                return Ok(());
            }
        }
        Ok(())
    }

    /// The rungs whose time has come, lowest first, beginning with the planned one.
    ///
    /// # Errors
    /// [`TermError`] when the calendar does not cover the days in question.
    pub fn due_now(&self, obligation: &Obligation, rungs: &Rungs, now: DateTime<Utc>) -> Result<Vec<Rung>, TermError> {
        let Some(planned) = rungs.planned().filter(|rung| rung.planned_at <= now) else { return Ok(Vec::new()) };
        let mut due = vec![planned.clone()];
        for policy in self.ladder.rungs.iter().filter(|policy| policy.no > planned.no) {
            let planned_at = self.due_at(policy, obligation)?;
            if planned_at > now {
                break;
            }
            due.push(Rung { no: policy.no, planned_at, state: RungState::Planned });
        }
        Ok(due)
    }
}

impl Ladder {
    /// The policy of that rung.
    #[must_use]
    pub fn policy(&self, no: u8) -> Option<&RungPolicy> {
        self.rungs.iter().find(|policy| policy.no == no)
    }
}
