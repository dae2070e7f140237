//! A participant's journal in pages, whole, and by year and direction: «электронный журнал» (S4), §6 (S3).
//!
//! Promises: a page that is not the last one says where the next begins; what is asked for whole is whole, or refused.
//! Never: shows one participant the journal of another.

use crate::gateway::Gateway;
use crate::gateway::act::Actor;
use crate::gateway::ports::decisions::Direction;
use crate::gateway::ports::reads::{JournalFilter, JournalPlace};
use crate::gateway::rejection::{Rejection, RejectionKind};
use crate::gateway::view;
use crate::gateway::views::JournalLine;

/// Lines of one page at most.
pub const JOURNAL_LINES_MAX: usize = 10_000;
/// Lines of one document at most: a file, a register of a year.
pub const DOCUMENT_LINES_MAX: usize = 200_000;

/// A page of a journal.
#[derive(Debug, Clone)]
pub struct JournalPage {
    pub lines: Vec<JournalLine>,
    /// Where the next page begins; none after the last line.
    pub next: Option<JournalPlace>,
}

impl Gateway {
    /// Lines of a participant's journal, in the order of registration: the first page of them.
    ///
    /// # Errors
    /// `Forbidden` for another participant's journal.
    pub async fn journal(&self, filter: JournalFilter, by: &Actor) -> Result<Vec<JournalLine>, Rejection> {
        Ok(self.journal_page(filter, (None, None), by).await?.lines)
    }

    /// A page of a journal, of both directions or of one.
    ///
    /// # Errors
    /// `Forbidden` for another participant's journal.
    pub async fn journal_page(
        &self,
        filter: JournalFilter,
        (direction, after): (Option<Direction>, Option<JournalPlace>),
        by: &Actor,
    ) -> Result<JournalPage, Rejection> {
        self.may_read(&filter, by).await?;
        self.page_of(filter, (direction, after)).await
    }

    /// Who may read it; that what it has of a case was read is written down before.
    async fn may_read(&self, filter: &JournalFilter, by: &Actor) -> Result<(), Rejection> {
        if let Actor::Participant(code) = by
            && *code != filter.participant
        {
            let message = "a participant reads its own journal only";
            return Err(Rejection::new(RejectionKind::Forbidden, "not_your_journal", message));
        }
        match &filter.case {
            Some(case) => self.disclose_file((case, "journal"), by).await,
            None => Ok(()),
        }
    }

    async fn page_of(
        &self,
        filter: JournalFilter,
        (direction, after): (Option<Direction>, Option<JournalPlace>),
    ) -> Result<JournalPage, Rejection> {
        let limit = filter.limit.clamp(1, JOURNAL_LINES_MAX);
        let (mut lines, mut last) = (Vec::new(), after);
        loop {
            // One more than is wanted says whether there is a next page.
            let asked = JournalFilter { limit: limit + 1, ..filter.clone() };
            let rows = self.0.store.journal_page(asked, last).await?;
            let is_end = rows.len() <= limit;
            for (place, row) in rows {
                if direction.is_some_and(|direction| direction != row.register.direction) {
                    last = Some(place);
                } else if lines.len() == limit {
                    return Ok(JournalPage { lines, next: last });
                } else {
                    last = Some(place);
                    lines.push(view::journal_line(&self.0, row));
                }
            }
            if is_end {
                return Ok(JournalPage { lines, next: None });
            }
        }
    }

    /// All lines that a filter names.
    ///
    /// # Errors
    /// `Forbidden` for another participant's journal; `journal_too_long` for more than a document takes.
    pub async fn whole_journal(
        &self,
        filter: JournalFilter,
        direction: Option<Direction>,
        by: &Actor,
    ) -> Result<Vec<JournalLine>, Rejection> {
        self.may_read(&filter, by).await?;
        let (mut lines, mut after) = (Vec::new(), None);
        loop {
            let asked = JournalFilter { limit: JOURNAL_LINES_MAX, ..filter.clone() };
            let page = self.page_of(asked, (direction, after)).await?;
            lines.extend(page.lines);
            if lines.len() > DOCUMENT_LINES_MAX {
                return Err(too_long("narrow it by `from` and `to`, or read pages"));
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(lines),
            }
        }
    }
}

/// More lines than one document takes.
pub(in crate::gateway) fn too_long(remedy: &str) -> Rejection {
    let message = format!("more than {DOCUMENT_LINES_MAX} lines; {remedy}");
    Rejection::new(RejectionKind::TooLarge, "journal_too_long", message)
}
