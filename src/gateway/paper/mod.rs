//! The letter of a rung as a printable document: the draft while a person decides, and the letter as it was sent.
//!
//! Promises: official Russian by ГОСТ Р 7.0.97-2016, with numbers, dates, the count of days and the law; a draft says
//! «проект»; what was sent says what was true when it was sent. Never: names a child or a family (it is made of titles,
//! numbers and dates); shows a draft to the body that it accuses.

mod persons;
mod stood;
mod text;

use crate::domain::decide::letters::{addressee, rung_id};
use crate::domain::escalation::{Action, Rung, RungPolicy, RungState};
use crate::domain::exchange::{Duty, Root};
use crate::domain::ids::{ObligationId, ParticipantCode};
use crate::domain::participant::Participant;
use crate::format;
use crate::gateway::act::Actor;
use crate::gateway::ports::decisions::StoredMessage;
use crate::gateway::ports::reads::DeliveryRow;
use crate::gateway::rejection::Rejection;
use crate::gateway::{Gateway, Inner};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use std::sync::Arc;

/// A document, part by part, top to bottom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paper {
    pub obligation: ObligationId,
    pub rung: u8,
    /// `letter`, or `memo` for what goes to our own people.
    pub kind: &'static str,
    /// Nobody has sent it: it bears no number.
    pub draft: bool,
    /// The body that writes, and how to reach it.
    pub sender: Vec<String>,
    /// «№ 3/2026 от 17.03.2026»; absent on a draft and a memo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// «На № … от …»: what it refers to.
    pub reference: String,
    /// To whom, line by line.
    pub addressee: Vec<String>,
    /// «О непоступлении ответа».
    pub subject: String,
    pub paragraphs: Vec<String>,
    pub annexes: Vec<String>,
    /// Post and name of who signs.
    pub signature: (String, String),
    /// Who prepared it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executor: Option<String>,
}

/// Everything that a letter is made of.
struct Sheet<'s> {
    inner: &'s Inner,
    duty: &'s Duty,
    root: &'s Root,
    /// The request's own outgoing number and date, and its legal basis, as its envelope states them.
    request: Stated,
    policy: &'s RungPolicy,
    performer: Arc<Participant>,
    controller: Arc<Participant>,
    /// To whom it goes; none for a memo, and where the record of the body names nobody.
    to: Option<Arc<Participant>>,
    /// The way of the request to the body that owes.
    delivery: Option<DeliveryRow>,
    /// When it was sent, or now.
    at: DateTime<Utc>,
    is_draft: bool,
    /// Number and date in the sender's register.
    number: Option<(String, NaiveDate)>,
}

/// What the envelope of the request states.
#[derive(Default)]
struct Stated {
    outgoing: Option<(String, NaiveDate)>,
    legal_basis: Vec<String>,
}

impl Gateway {
    /// The printable document of a rung that has fired, waits for a decision, or was decided on.
    ///
    /// # Errors
    /// `not_found`: there is no such document, or the actor may not see it. The body that owes sees what was sent to it.
    pub async fn paper(&self, id: ObligationId, no: u8, by: &Actor) -> Result<Paper, Rejection> {
        let none = || Rejection::not_found("letter");
        let row = self.row_for(id, by).await?;
        let (duty, root) = (&row.duty, row.root.as_ref().ok_or_else(none)?);
        let obligation = &duty.obligation;
        let performer = self.0.participant(&obligation.performer).ok_or_else(none)?;
        let controller = self.0.participant(&obligation.controller).ok_or_else(none)?;
        let is_inward = performer.is_centre();
        let ladder = self.0.ladders.of(&performer);
        let (policy, rung) = ladder.policy(no).zip(duty.rungs.row(no)).ok_or_else(none)?;
        let (sent_at, is_draft) = standing(rung).ok_or_else(none)?;
        if policy.action == Action::Notice && !is_inward {
            return Err(none());
        }
        let to = addressee(policy.action, &performer, &obligation.controller).0;
        if !may_see(by, (&obligation.controller, &obligation.performer), (to, is_draft, is_inward)) {
            return Err(none());
        }
        let sent = if is_draft { None } else { self.0.store.message(rung_id(obligation, no)).await? };
        let request = self.0.store.message(root.message).await?;
        let at = sent_at.unwrap_or_else(|| self.now());
        let delivery = self.0.store.delivery(root.message, &obligation.performer).await?;
        let record = self.0.store.exchange(obligation.exchange).await?;
        let sheet = Sheet {
            inner: &self.0,
            duty: &stood::duty(duty, at),
            root,
            request: request.map(|stored| self.0.stated(&stored)).unwrap_or_default(),
            policy,
            to: to.and_then(|code| self.0.participant(code)),
            delivery: delivery.map(|row| stood::delivery(row, record.as_ref(), at)),
            at,
            is_draft,
            number: sent.map(|stored| (stored.outcome.number, stored.outcome.date)),
            performer,
            controller,
        };
        Ok(if is_inward { sheet.memo() } else { sheet.letter() })
    }
}

/// When it was sent, and whether it is a draft still. A rung that never spoke has no document.
fn standing(rung: &Rung) -> Option<(Option<DateTime<Utc>>, bool)> {
    match rung.state {
        RungState::Fired { at } | RungState::Approved { at, .. } => Some((Some(at), false)),
        RungState::Prepared { .. } => Some((None, true)),
        RungState::Declined { at, .. } => Some((Some(at), true)),
        RungState::Planned | RungState::Skipped { .. } | RungState::Cancelled { .. } => None,
    }
}

/// A draft is the asker's alone, whether or not there is anybody to send it to; an internal memo is that of the centre
/// which owes; who is accused reads what was sent to it.
fn may_see(
    by: &Actor,
    (controller, performer): (&ParticipantCode, &ParticipantCode),
    (to, is_draft, is_inward): (Option<&ParticipantCode>, bool, bool),
) -> bool {
    match by {
        Actor::Person { .. } => true,
        Actor::Participant(code) if is_inward => code == performer,
        Actor::Participant(code) if code == controller => true,
        Actor::Participant(code) => !is_draft && to == Some(code),
    }
}

impl Inner {
    fn stated(&self, stored: &StoredMessage) -> Stated {
        let Ok(message) = format::read(&stored.content, stored.format, &self.catalogue) else {
            return Stated::default();
        };
        let law = |one: &crate::domain::message::LegalBasis| {
            one.article.as_ref().map_or_else(|| one.act.clone(), |article| format!("{article} {}", one.act))
        };
        Stated {
            outgoing: message.envelope.registration.as_ref().map(|one| (one.number.clone(), one.date)),
            legal_basis: message.envelope.legal_basis.iter().map(law).collect(),
        }
    }
}
