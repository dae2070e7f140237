//! The letters of one case as its personal file keeps them: item 5 «исходящие запросы в субъекты профилактики, входящие
//! ответы» (S3), in the order of registration, with annexes.
//!
//! Promises: a request is a message to which an answer is owed, or a repetition of it; an answer is all that a body says
//! to it. Never: the body of a message; the journal of another participant.

use crate::domain::ids::ParticipantCode;
use crate::domain::message::Attachment;
use crate::domain::rule::{Control, Role};
use crate::format;
use crate::gateway::Gateway;
use crate::gateway::act::Actor;
use crate::gateway::journal::JOURNAL_LINES_MAX;
use crate::gateway::ports::decisions::{Direction, JournalRow};
use crate::gateway::ports::reads::JournalFilter;
use crate::gateway::rejection::Rejection;
use crate::gateway::view;
use crate::gateway::views::JournalLine;

/// Letters of one case that are shown at most: each is read for its annexes.
pub const CASE_LETTERS_MAX: usize = 2_000;

/// A letter of a case.
#[derive(Debug, Clone)]
pub struct CaseLetter {
    pub line: JournalLine,
    /// An answer's request: its number in the journal.
    pub answers: Option<String>,
    pub annexes: Vec<Attachment>,
    /// The digests of those annexes whose files the gateway keeps: scans.
    pub scans: Vec<String>,
}

impl Gateway {
    /// The outgoing requests and incoming answers of a case, of the participant, or of the centres of the person.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn case_letters(&self, case: &str, by: &Actor) -> Result<Vec<CaseLetter>, Rejection> {
        let whose = self.whose(by);
        self.disclose_file((case, "letters"), by).await?;
        let mut rows = Vec::new();
        for participant in &whose {
            let found = self.0.store.journal(of_case(participant.clone(), case)).await?;
            rows.extend(found.into_iter().filter(|row| self.belongs(row)));
        }
        rows.sort_by_key(|row| row.date);
        rows.truncate(CASE_LETTERS_MAX);
        let mut letters = Vec::with_capacity(rows.len());
        for row in rows {
            let annexes = self.annexes(&row).await?;
            let mut scans = Vec::new();
            for one in &annexes {
                let kept = self.0.store.scan(&one.sha256).await?;
                // A message names any digest; its file is shown to whom it would be given.
                let kept = kept.filter(|scan| !scan.messages_of(&whose).is_empty());
                scans.extend(kept.map(|_| one.sha256.clone()));
            }
            letters.push(CaseLetter { line: view::journal_line(&self.0, row), answers: None, annexes, scans });
        }
        Ok(with_requests(letters))
    }

    /// Whether item 5 of a personal file keeps it.
    fn belongs(&self, row: &JournalRow) -> bool {
        let Some(entry) = self.0.catalogue.latest(&row.type_code) else { return false };
        let Some(rule) = self.0.policies.rule(entry, None) else { return false };
        match (row.register.direction, rule.role) {
            (Direction::Outgoing, Role::Opening) => rule.answer.is_some(),
            (Direction::Outgoing, Role::Control(Control::Notice)) => row.type_code.as_str() == "control.repeat-request",
            (Direction::Incoming, Role::Answer) => true,
            (Direction::Incoming, Role::Control(control)) => control.is_performers(),
            _ => false,
        }
    }

    async fn annexes(&self, row: &JournalRow) -> Result<Vec<Attachment>, Rejection> {
        if row.annexes.is_empty() {
            return Ok(Vec::new());
        }
        let stored = self.0.store.message(row.message).await?;
        let read = stored.and_then(|one| format::read(&one.content, one.format, &self.0.catalogue).ok());
        Ok(read.map(|message| message.envelope.attachments).unwrap_or_default())
    }
}

fn of_case(participant: ParticipantCode, case: &str) -> JournalFilter {
    JournalFilter {
        participant,
        case: Some(case.to_owned()),
        from: None,
        to: None,
        in_house: false,
        limit: JOURNAL_LINES_MAX,
    }
}

/// Each answer with the number of the first request of its exchange.
fn with_requests(mut letters: Vec<CaseLetter>) -> Vec<CaseLetter> {
    let outgoing = Direction::Outgoing.code();
    let requests: Vec<_> = letters
        .iter()
        .filter(|one| one.line.direction == outgoing)
        .map(|one| (one.line.exchange, one.line.number.clone()))
        .collect();
    for letter in letters.iter_mut().filter(|one| one.line.direction != outgoing) {
        let request = requests.iter().find(|(exchange, _)| *exchange == letter.line.exchange);
        letter.answers = request.map(|(_, number)| number.clone());
    }
    letters
}
