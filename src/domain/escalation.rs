//! Escalation: when each rung of the ladder is due, and which one fires.
//!
//! Promises: a rung is a row, unique per obligation and number, and fires once; after an outage only the highest rung
//! then due fires and the ones below are recorded as skipped by us; from the third rung a person decides. A rung whose
//! day the calendar does not reach is planned for the calendar's end, where its sweep says so instead of guessing.
//! Never: accuses a body before the lenient due date, or while our own delivery to it has failed; fires a rung early.

use crate::domain::calendar::Calendar;
use crate::domain::notice::{Channel, Telling};
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
    /// Whom it tells, and by what; the board always shows it.
    #[serde(default)]
    pub tell: Telling,
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

/// When a rung is due, from the due date in force; a rung that a person decides on counts from the lenient due date, so
/// that the steps between the accusing rungs stay what they are. After an answer was sent back past that date, both
/// count from the return: the answer lay with the controller until then.
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

    /// Writes the row of that number; there is never a second one. The rows are in the order of their numbers.
    pub fn put(&mut self, rung: Rung) {
        match self.rows.binary_search_by_key(&rung.no, |row| row.no) {
            Ok(place) => self.rows[place] = rung,
            Err(place) => self.rows.insert(place, rung),
        }
    }

    /// Takes what is planned or prepared off: since `at` the obligation is not open any more.
    pub fn cancel(&mut self, at: DateTime<Utc>) {
        for row in &mut self.rows {
            if matches!(row.state, RungState::Planned | RungState::Prepared { .. }) {
                row.state = RungState::Cancelled { at };
            }
        }
    }

    /// The highest rung that was used up and may not be planned again.
    fn highest_spent(&self) -> Option<u8> {
        let spent = |row: &&Rung| !matches!(row.state, RungState::Planned | RungState::Cancelled { .. });
        self.rows.iter().filter(spent).map(|row| row.no).max()
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
        let (from_on, from_at) = self.origin(policy, obligation);
        let at = match offset {
            Offset::WorkingDays(days) => self.opening(self.shifted(from_on, days)?),
            Offset::Hours(hours) => {
                let hours = Duration::try_hours(hours).and_then(|hours| from_at.checked_add_signed(hours));
                hours.ok_or(TermError::OutOfRange)?
            }
            Offset::PercentOfTerm(percent) => {
                obligation.opened_at + (obligation.due_at() - obligation.opened_at) * i32::from(percent) / 100
            }
        };
        if policy.waits_for_a_person() && at < from_at {
            return self.first_opening_from(from_at);
        }
        Ok(at)
    }

    /// The day and the instant that a rung's offset counts from.
    fn origin(&self, policy: &RungPolicy, obligation: &Obligation) -> (NaiveDate, DateTime<Utc>) {
        let (due_at, lenient_at) = (obligation.due_at(), obligation.lenient_at());
        let (on, at) = match policy.waits_for_a_person() && lenient_at > due_at {
            // 24:00 of a day is that day's, though the clock there already shows the next one.
            true => (self.zone.date(lenient_at - Duration::microseconds(1)), lenient_at),
            false => (obligation.due_on(), due_at),
        };
        match obligation.returned_at().filter(|returned| *returned > at) {
            Some(returned) => (self.zone.date(returned), returned),
            None => (on, at),
        }
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
    /// no early warning), before an answer was sent back, or before a stopped clock ran again. A letter that was prepared for a due date that has moved
    /// since is taken off and planned anew. Called whenever what the rungs count from has changed, and after a rung has
    /// fired; the rows then follow from the facts and from what has fired, not from the order of the facts.
    pub fn plan(&self, obligation: &Obligation, rungs: &mut Rungs, now: DateTime<Utc>) {
        let schedule = self.schedule(obligation);
        let time = |no: u8| schedule.iter().find(|(found, _)| *found == no).and_then(|(_, at)| at.as_ref().ok());
        // A clock that was set back takes nothing off: what was due when it was prepared stays due.
        let is_early = |row: &Rung| match row.state {
            RungState::Prepared { at } => time(row.no).is_none_or(|due| *due > at.max(now)),
            _ => false,
        };
        rungs.rows.retain(|row| !is_early(row));
        let highest = rungs.highest_spent();
        rungs.rows.retain(|row| highest.is_some_and(|no| row.no <= no) && row.state != RungState::Planned);
        let began_anew = obligation.returned_at().max(obligation.resumed_at());
        let since = began_anew.map_or(obligation.opened_at, |at| at.max(obligation.opened_at));
        let is_over = |at: &Result<DateTime<Utc>, TermError>| at.as_ref().is_ok_and(|at| *at <= since);
        let mut ahead = schedule.into_iter().filter(|(no, _)| highest.is_none_or(|spent| *no > spent));
        if let Some((no, at)) = ahead.find(|(_, at)| !is_over(at)) {
            let planned_at = at.unwrap_or_else(|_| self.opening(self.calendar.covered_until()));
            rungs.put(Rung { no, planned_at, state: RungState::Planned });
        }
    }

    /// The rows of an obligation that is not open any more: the rung that would have come next is cancelled.
    pub fn rest(&self, obligation: &Obligation, rungs: &mut Rungs, since: DateTime<Utc>) {
        rungs.cancel(since);
        self.plan(obligation, rungs, since);
        rungs.cancel(since);
    }

    /// The rungs whose time has come, lowest first, beginning with the planned one.
    ///
    /// # Errors
    /// [`TermError`] when the calendar does not cover the planned one.
    pub fn due_now(&self, obligation: &Obligation, rungs: &Rungs, now: DateTime<Utc>) -> Result<Vec<Rung>, TermError> {
        let Some(planned) = rungs.planned().filter(|rung| rung.planned_at <= now) else { return Ok(Vec::new()) };
        let mut due = Vec::new();
        for (no, at) in self.schedule(obligation) {
            match at {
                _ if no < planned.no => {}
                Ok(at) if at <= now => {
                    let planned_at = if no == planned.no { planned.planned_at } else { at };
                    due.push(Rung { no, planned_at, state: RungState::Planned });
                }
                Err(error) if no == planned.no => return Err(error),
                Ok(_) | Err(_) => break,
            }
        }
        Ok(due)
    }

    /// The rungs by number with their times. One that would come no earlier than a higher one (the half of a term that
    /// began in the evening, and the opening hour of its last day) has nothing left to say and is left out.
    fn schedule(&self, obligation: &Obligation) -> Vec<(u8, Result<DateTime<Utc>, TermError>)> {
        let mut schedule = Vec::with_capacity(self.ladder.rungs.len());
        let mut next_at = DateTime::<Utc>::MAX_UTC;
        let mut policies: Vec<&RungPolicy> = self.ladder.rungs.iter().collect();
        policies.sort_by_key(|policy| policy.no);
        for policy in policies.into_iter().rev() {
            let at = self.due_at(policy, obligation);
            match at {
                Ok(at) if at >= next_at => continue,
                Ok(at) => next_at = at,
                Err(_) => {}
            }
            schedule.push((policy.no, at));
        }
        schedule.reverse();
        schedule
    }
}

impl RungPolicy {
    /// Whether it is prepared only, and a person sends it. A rung that accuses somebody always is, whatever the policy
    /// says: the gateway accuses nobody by itself.
    #[must_use]
    pub fn waits_for_a_person(&self) -> bool {
        match self.action {
            Action::Notice | Action::Reminder => self.needs_decision,
            Action::RepeatRequest | Action::Commission | Action::Superior | Action::Prosecutor => true,
        }
    }
}

impl Ladder {
    /// What is wrong with the data: a letter that goes to nobody, or a message of a rung that writes none.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let is_odd = |policy: &&RungPolicy| {
            let writes = policy.tell.values().flatten().any(|channel| *channel == Channel::Message);
            !policy.tell.is_empty() && writes == (policy.action == Action::Notice)
        };
        let odd = self.rungs.iter().find(is_odd)?;
        Some(format!("rung {}: `tell` names `message` where, and only where, the action writes a letter", odd.no))
    }

    /// The policy of that rung.
    #[must_use]
    pub fn policy(&self, no: u8) -> Option<&RungPolicy> {
        self.rungs.iter().find(|policy| policy.no == no)
    }
}
