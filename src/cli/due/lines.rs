//! Questions about due dates, one JSON object a line, answered in order, one a line.
//!
//! Promises: every line gets an answer on its line; a bad one is named and the others go on; memory stays within one
//! block whatever comes in. Never: waits for more input before answering a whole line.

use super::skipped::SkippedText;
use super::{instant, zone_of};
use crate::domain::calendar::{Calendar, CalendarSet, MonthDay, UnknownRegion};
use crate::domain::term::{
    BadTerm, ClosesAt, Event, Performer, Period, Roll, Special, StartsOn, Term, TermError, Unit, Week, compute, count,
};
use crate::domain::zone::{UnknownZone, Zone};
use chrono::{DateTime, NaiveDate};
use serde::Deserialize;
use std::borrow::Cow;
use std::io::{self, BufRead, Write};

/// The longest line; also what is read at once.
const LINE_BYTES_MAX: usize = 256 * 1024;
/// Answers are written out when this much has gathered.
const OUTPUT_BYTES_MAX: usize = 1024 * 1024;

/// A question. Fields that are left out have our defaults, as in a term of policy.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question<'a> {
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
    stated_on: Option<NaiveDate>,
    /// The date that the asker expects; another result is a fault, so that a file of examples checks itself.
    due: Option<NaiveDate>,
}

/// A string that borrows from the line also inside an `Option`, where a bare `Cow` would not.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Why a line has no answer.
#[derive(Debug, thiserror::Error)]
enum LineFault {
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
    fn code(&self) -> &'static str {
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

/// Answers every line of the input; whether all could be answered.
pub(super) fn answer(calendars: &CalendarSet, mut input: impl BufRead, output: impl Write) -> io::Result<bool> {
    let mut answers = Answers { calendars, skipped: Vec::new(), text: Vec::new(), output, all_answered: true };
    let mut block = vec![0; LINE_BYTES_MAX];
    let (mut held, mut in_long_line) = (0, false);
    loop {
        let got = match input.read(&mut block[held..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            got => got?,
        };
        held += got;
        let whole = match block[..held].iter().rposition(|&byte| byte == b'\n') {
            Some(end) => end + 1,
            None if got == 0 => held,
            None if held < block.len() => 0,
            None => {
                if !in_long_line {
                    answers.refuse(&LineFault::TooLong)?;
                }
                (held, in_long_line) = (0, true);
                continue;
            }
        };
        let mut lines = block[..whole].split_inclusive(|&byte| byte == b'\n');
        if in_long_line && lines.next().is_some() {
            in_long_line = false;
        }
        for line in lines {
            answers.answer(line)?;
        }
        answers.write_out()?;
        block.copy_within(whole..held, 0);
        held -= whole;
        if got == 0 {
            return Ok(answers.all_answered);
        }
    }
}

struct Answers<'a, W> {
    calendars: &'a CalendarSet,
    /// One text per calendar that was asked for; as many as regions with overlays, times weeks and readings.
    skipped: Vec<SkippedText>,
    text: Vec<u8>,
    output: W,
    all_answered: bool,
}

impl<W: Write> Answers<'_, W> {
    fn answer(&mut self, line: &[u8]) -> io::Result<()> {
        let begins = self.text.len();
        if let Err(fault) = self.try_answer(line) {
            self.text.truncate(begins);
            return self.refuse(&fault);
        }
        self.end_line()
    }

    fn try_answer(&mut self, line: &[u8]) -> Result<(), LineFault> {
        let question: Question<'_> = serde_json::from_slice(line)?;
        let term = question.term()?;
        let due_on = if term.is_instant() {
            self.answer_instant(&question, &term)?
        } else {
            self.answer_date(&question, &term)?
        };
        match question.due.filter(|&expected| expected != due_on) {
            Some(expected) => Err(LineFault::Differs { found: due_on, expected }),
            None => Ok(()),
        }
    }

    fn answer_date(&mut self, question: &Question<'_>, term: &Term) -> Result<NaiveDate, LineFault> {
        let event_on = question.event_on()?;
        let skipped = skipped_text(&mut self.skipped, self.calendars, question)?;
        let counted = count(term, event_on, question.stated_on, skipped.calendar())?;
        // Writing into memory does not fail.
        let _ = write!(self.text, r#"{{"due":"{}","skipped":["#, counted.due_on);
        if let Some(span) = counted.skipped_span() {
            self.text.extend_from_slice(skipped.between(span));
        }
        self.text.push(b']');
        let (from, to) = counted.span();
        if skipped.calendar().is_provisional(from, to) {
            self.text.extend_from_slice(br#","provisional":true"#);
        }
        self.text.push(b'}');
        Ok(counted.due_on)
    }

    /// Hours and «at once» end at an instant, which is printed too.
    fn answer_instant(&mut self, question: &Question<'_>, term: &Term) -> Result<NaiveDate, LineFault> {
        let zone = question.zone()?;
        let at = instant(&question.event, zone).ok_or_else(|| question.bad_event())?;
        let calendar = question.calendar(self.calendars)?;
        let due = compute(term, &Event::new(term.starts_on, at), &Performer { calendar, zone })?;
        let due_at = zone.with_offset(due.due_at).to_rfc3339();
        let _ = write!(self.text, r#"{{"due":"{}","due_at":"{due_at}","skipped":[]}}"#, due.due_on);
        Ok(due.due_on)
    }

    fn refuse(&mut self, fault: &LineFault) -> io::Result<()> {
        self.all_answered = false;
        let error = serde_json::json!({ "error": { "code": fault.code(), "message": fault.to_string() } });
        self.text.extend_from_slice(error.to_string().as_bytes());
        self.end_line()
    }

    fn end_line(&mut self) -> io::Result<()> {
        self.text.push(b'\n');
        if self.text.len() < OUTPUT_BYTES_MAX { Ok(()) } else { self.write_out() }
    }

    fn write_out(&mut self) -> io::Result<()> {
        self.output.write_all(&self.text)?;
        self.text.clear();
        self.output.flush()
    }
}

/// The text of the calendar that a question is counted by, made when first asked for.
fn skipped_text<'t>(
    known: &'t mut Vec<SkippedText>,
    calendars: &CalendarSet,
    question: &Question<'_>,
) -> Result<&'t SkippedText, LineFault> {
    let calendar = question.calendar(calendars)?;
    let place = known.iter().position(|text| text.calendar().same_days(&calendar));
    let place = place.map_or_else(
        || {
            known.push(SkippedText::new(calendar).map_err(TermError::from)?);
            Ok::<_, TermError>(known.len() - 1)
        },
        Ok,
    )?;
    Ok(&known[place])
}

impl Question<'_> {
    fn term(&self) -> Result<Term, LineFault> {
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

    fn calendar(&self, calendars: &CalendarSet) -> Result<Calendar, UnknownRegion> {
        let region = self.region.as_ref().map(|region| region.0.as_ref());
        Ok(calendars.for_performer(region, self.week.unwrap_or_default())?.with_special(self.special))
    }

    fn zone(&self) -> Result<Zone, UnknownZone> {
        zone_of(self.zone.as_ref().map(|zone| zone.0.as_ref()), &self.event)
    }

    /// The date of the event: as written, or that of the instant in the zone.
    fn event_on(&self) -> Result<NaiveDate, LineFault> {
        if let Ok(date) = self.event.parse() {
            return Ok(date);
        }
        let instant = DateTime::parse_from_rfc3339(&self.event).map_err(|_| self.bad_event())?;
        Ok(self.zone()?.date(instant.to_utc()))
    }

    fn bad_event(&self) -> LineFault {
        LineFault::Event(self.event.chars().take(64).collect())
    }
}
