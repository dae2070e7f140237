//! Questions about due dates, one JSON object a line, answered in order, one a line.
//!
//! Promises: every line gets an answer on its line; a bad one is named and the others go on; memory stays within one
//! block whatever comes in. Never: waits for more input before answering a whole line.

use super::question::{LINE_BYTES_MAX, LineFault, Question};
use super::skipped::SkippedText;
use crate::domain::calendar::CalendarSet;
use crate::domain::term::{Event, Performer, Term, TermError, compute, count};
use chrono::NaiveDate;
use std::io::{self, BufRead, Write};

/// Answers are written out when this much has gathered.
const OUTPUT_BYTES_MAX: usize = 1024 * 1024;

/// Answers every line of the input; whether all could be answered.
pub(super) fn answer(calendars: &CalendarSet, mut input: impl BufRead, output: impl Write) -> io::Result<bool> {
    let mut answers = Answers { calendars, skipped: Vec::new(), text: Vec::new(), output, all_answered: true };
    // One read takes what the longest line may have.
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
        let at = question.event_at(zone)?;
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
