//! One question about a due date, as it stands on a line, and why it may have no answer.
//!
//! Promises: an unknown or doubled field is a fault, so that a slip of the pen never asks another question.
//! Never: copies from the line what it can borrow.

use super::{instant, zone_of};
use crate::domain::calendar::{Calendar, CalendarSet, MonthDay, UnknownRegion};
use crate::domain::term::{BadTerm, ClosesAt, Period, Roll, Special, StartsOn, Term, TermError, Unit, Week};
use crate::domain::zone::{UnknownZone, Zone};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use std::borrow::Cow;

/// The longest line.
pub(super) const LINE_BYTES_MAX: usize = 256 * 1024;

/// A question. Fields that are left out have our defaults, as in a term of policy.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question<'a> {
    /// A date, or an instant with offset.
    #[serde(borrow)]
    event: Cow<'a, str>,
    /// The short text of a term, instead of `unit` and `n`.
    #[serde(borrow)]
    term: Option<Text<'a>>,
    unit: Option<Unit>,
    #[serde(default)]
    n: u32,
    #[serde(default)]
    starts_on: StartsOn,
    roll: Option<Roll>,
    #[serde(borrow)]
    region: Option<Text<'a>>,
    week: Option<Week>,
    #[serde(borrow)]
    zone: Option<Text<'a>>,
    #[serde(default)]
    closes_at: ClosesAt,
    #[serde(default)]
    special: Special,
    period: Option<Period>,
    #[serde(default)]
    dates: Vec<MonthDay>,
    pub(super) stated_on: Option<NaiveDate>,
    /// The date that the asker expects; another result is a fault, so that a file of examples checks itself.
    pub(super) due: Option<NaiveDate>,
}

/// A string that borrows from the line also inside an `Option`, where a bare `Cow` would not.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Why a line has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineFault {
    #[error("the line is no question: {0}")]
    Shape(#[from] serde_json::Error),
    #[error("the line is longer than {LINE_BYTES_MAX} bytes; put one question on a line")]
    TooLong,
    #[error("`event` is `{0}`; write a date as 2025-12-26 or an instant as 2025-12-26T15:00:00+08:00")]
    Event(String),
    #[error("the question has {0}; give either `term`, or `unit` with `n`")]
    Which(&'static str),
    #[error(transparent)]
    Text(#[from] BadTerm),
    #[error(transparent)]
    Region(#[from] UnknownRegion),
    #[error(transparent)]
    Zone(#[from] UnknownZone),
    #[error(transparent)]
    Term(#[from] TermError),
    #[error("the due date is {found}, the question expects {expected}")]
    Differs { found: NaiveDate, expected: NaiveDate },
}

impl LineFault {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Shape(_) | Self::Which(_) => "bad_line",
            Self::TooLong => "line_too_long",
            Self::Event(_) => "bad_event",
            Self::Text(_) => "bad_term",
            Self::Region(_) => "unknown_region",
            Self::Zone(_) => "unknown_zone",
            Self::Term(error) => error.code(),
            Self::Differs { .. } => "due_differs",
        }
    }
}

impl Question<'_> {
    /// The term it asks for.
    pub(super) fn term(&self) -> Result<Term, LineFault> {
        let mut term = match (&self.term, self.unit) {
            (Some(text), None) if self.n == 0 => text.0.parse()?,
            (None, Some(unit)) => Term::new(unit, self.n),
            (Some(_), _) => return Err(LineFault::Which("both `term` and `unit` or `n`")),
            (None, None) => return Err(LineFault::Which("neither `term` nor `unit`")),
        };
        (term.starts_on, term.roll, term.period) = (self.starts_on, self.roll, self.period);
        (term.closes_at, term.special) = (self.closes_at, self.special);
        term.dates.clone_from(&self.dates);
        Ok(term)
    }

    pub(super) fn calendar(&self, calendars: &CalendarSet) -> Result<Calendar, UnknownRegion> {
        let region = self.region.as_ref().map(|region| region.0.as_ref());
        Ok(calendars.for_performer(region, self.week.unwrap_or_default())?.with_special(self.special))
    }

    pub(super) fn zone(&self) -> Result<Zone, UnknownZone> {
        zone_of(self.zone.as_ref().map(|zone| zone.0.as_ref()), &self.event)
    }

    /// The date of the event: as written, or that of the instant in the zone.
    pub(super) fn event_on(&self) -> Result<NaiveDate, LineFault> {
        if let Some(date) = plain_date(self.event.as_bytes()) {
            return Ok(date);
        }
        let instant = DateTime::parse_from_rfc3339(&self.event).map_err(|_| self.bad_event())?;
        Ok(self.zone()?.date(instant.to_utc()))
    }

    /// The instant of the event: as written, or the beginning of its date in the zone.
    pub(super) fn event_at(&self, zone: Zone) -> Result<DateTime<Utc>, LineFault> {
        instant(&self.event, zone).ok_or_else(|| self.bad_event())
    }

    fn bad_event(&self) -> LineFault {
        LineFault::Event(self.event.chars().take(64).collect())
    }
}

/// `2025-12-26` and nothing else: the general parser forgives blanks and missing zeros, and costs more.
fn plain_date(text: &[u8]) -> Option<NaiveDate> {
    let number = |digits: &[u8]| {
        digits
            .iter()
            .try_fold(0_u32, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0')))
    };
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else { return None };
    let year = i32::try_from(number(&[y1, y2, y3, y4])?).ok()?;
    NaiveDate::from_ymd_opt(year, number(&[m1, m2])?, number(&[d1, d2])?)
}
