//! What parties and people decide about obligations, alerts, rungs and deliveries.
//!
//! Promises: only the controller, or a person of the centre on its behalf, decides; an observer only reads.
//! Never: tells apart what does not exist and what is not yours.

use crate::domain::alert::Acknowledgement;
use crate::domain::decide::Command;
use crate::domain::decide::act::{Act, SendOrDecline};
use crate::domain::decision::Refusal;
use crate::domain::ids::{MessageId, ObligationId, ParticipantCode};
use crate::gateway::Gateway;
use crate::gateway::committer::Job;
use crate::gateway::content::sha256_hex;
use crate::gateway::ports::accounts::UserRole;
use crate::gateway::ports::reads::DutyRow;
use crate::gateway::rejection::{Rejection, RejectionKind};
use crate::gateway::view::delivery_view;
use crate::gateway::views::{DeliveryView, ObligationView};
use chrono::NaiveDate;
use serde::Deserialize;

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A system of a participant, by key.
    Participant(ParticipantCode),
    /// A person of the centre, by session.
    Person { login: String, name: String, role: UserRole },
}

impl Actor {
    /// As facts and chronologies name it.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Participant(code) => code.to_string(),
            Self::Person { login, .. } => login.clone(),
        }
    }

    pub(super) fn may_decide(&self) -> Result<(), Rejection> {
        match self {
            Self::Person { role: UserRole::Observer, .. } => Err(Rejection::new(
                RejectionKind::Forbidden,
                "observer",
                "an observer reads only; ask a coordinator to decide",
            )),
            Self::Person { role: UserRole::Clerk, .. } => Err(Rejection::new(
                RejectionKind::Forbidden,
                "clerk",
                "a clerk registers what came or went, and decides nothing; ask a coordinator",
            )),
            Self::Person { .. } | Self::Participant(_) => Ok(()),
        }
    }
}

/// A decision of the controller.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    Release,
    Return {
        #[serde(default)]
        answer: Option<MessageId>,
        reason: String,
    },
    Extend {
        due_on: NaiveDate,
    },
    Withdraw {
        reason: String,
    },
    /// Opened in error; `second` is the login of a second person.
    Void {
        reason: String,
        second: String,
    },
}

/// What a person decides about a prepared rung.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case", deny_unknown_fields)]
pub enum RungDecision {
    Send,
    Decline { reason: String },
}

/// What a recipient says of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistrationNotice {
    pub accepted: bool,
    /// SHA-256 of the content as it was given, lower-case hexadecimal; needed to accept.
    #[serde(default)]
    pub content_sha256: Option<String>,
    /// Its own incoming number; without one, the number of the gateway's register stands.
    #[serde(default)]
    pub number: Option<String>,
    #[serde(default)]
    pub date: Option<NaiveDate>,
    /// Needed to refuse.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Characters of a reason or a number that a person gives.
const WORDS_CHARS_MAX: usize = 2000;

impl Gateway {
    /// A decision of the controller about an obligation.
    ///
    /// # Errors
    /// `not_found`, `Conflict` when the state does not allow it, `Forbidden` when the actor may not.
    pub async fn act(&self, on: ObligationId, action: Action, by: Actor) -> Result<ObligationView, Rejection> {
        self.controlled(on, &by).await?;
        let act = match action {
            Action::Release => Act::Release,
            Action::Return { answer, reason } => Act::Return { answer, reason: words(reason)? },
            Action::Extend { due_on } => Act::Extend { due_on },
            Action::Withdraw { reason } => Act::Withdraw { reason: words(reason)? },
            Action::Void { reason, second } => {
                self.second_person(&second, &by).await?;
                Act::Void { reason: words(reason)?, second }
            }
        };
        self.command(on, Command::Act { obligation: on, act, by: by.label() }).await?;
        self.obligation(on, &by).await
    }

    /// Takes an alert: mine until, because.
    ///
    /// # Errors
    /// As [`Gateway::act`].
    pub async fn acknowledge(
        &self,
        on: ObligationId,
        with: Acknowledgement,
        by: Actor,
    ) -> Result<ObligationView, Rejection> {
        self.seen_by(on, &by).await?;
        let with = Acknowledgement { reason: words(with.reason)?, owner: words(with.owner)?, ..with };
        self.command(on, Command::Acknowledge { obligation: on, with }).await?;
        self.obligation(on, &by).await
    }

    /// Sends or declines the prepared letter of a rung.
    ///
    /// # Errors
    /// As [`Gateway::act`]; a system may not decide this, only a person may.
    pub async fn decide_rung(
        &self,
        on: (ObligationId, u8),
        decision: RungDecision,
        by: Actor,
    ) -> Result<ObligationView, Rejection> {
        let (obligation, no) = on;
        if matches!(by, Actor::Participant(_)) {
            let message = "from the third rung a person decides: log in, or use the board";
            return Err(Rejection::new(RejectionKind::Forbidden, "person_needed", message));
        }
        self.controlled(obligation, &by).await?;
        let send = match decision {
            RungDecision::Send => SendOrDecline::Send,
            RungDecision::Decline { reason } => SendOrDecline::Decline { reason: words(reason)? },
        };
        self.command(obligation, Command::DecideRung { obligation, no, send, by: by.label() }).await?;
        self.obligation(obligation, &by).await
    }

    /// The recipient registers (or refuses) a letter it was given.
    ///
    /// # Errors
    /// `not_found`; `digest_mismatch` when the digest is not of what was given.
    pub async fn register_delivery(
        &self,
        message: MessageId,
        recipient: &ParticipantCode,
        notice: RegistrationNotice,
    ) -> Result<DeliveryView, Rejection> {
        let given = self.0.store.inbox_letter(message, recipient).await?;
        let given = given.ok_or_else(|| Rejection::not_found("letter"))?;
        if notice.accepted {
            let body = self.0.participant(recipient).ok_or_else(|| Rejection::not_found("letter"))?;
            let sha256 = sha256_hex(&self.render(&given, body.format)?);
            check_digest(&notice, &sha256)?;
        } else if notice.reason.as_deref().unwrap_or_default().trim().is_empty() {
            let message = "a refusal needs a `reason`, so that the sender can mend it";
            return Err(Rejection::new(RejectionKind::Invalid, "reason_missing", message));
        }
        let notice = Box::new(notice);
        let (recipient_code, exchange) = (recipient.clone(), given.exchange);
        self.0.ask(|answer| Job::Register { message, recipient: recipient_code, exchange, notice, answer }).await?;
        let row = self.0.store.delivery(message, recipient).await?;
        row.map(delivery_view).ok_or_else(|| Rejection::not_found("letter"))
    }

    async fn command(&self, obligation: ObligationId, command: Command) -> Result<(), Rejection> {
        self.0.ask(|answer| Job::Decide { obligation, command: Box::new(command), answer }).await
    }

    /// The obligation, if the actor may decide about it: its controller, or a person of the centre.
    async fn controlled(&self, on: ObligationId, by: &Actor) -> Result<DutyRow, Rejection> {
        by.may_decide()?;
        let row = self.row_for(on, by).await?;
        let controller = &row.duty.obligation.controller;
        let is_ours = self.0.participant(controller).is_some_and(|body| body.is_centre());
        match by {
            Actor::Participant(code) if code == controller => Ok(row),
            Actor::Person { .. } if is_ours => Ok(row),
            Actor::Participant(_) | Actor::Person { .. } => Err(Rejection::new(
                RejectionKind::Forbidden,
                "not_the_controller",
                format!("only `{controller}`, to whom the answer is owed, decides this"),
            )),
        }
    }

    /// The obligation, if the actor may take its alert: any party to it.
    async fn seen_by(&self, on: ObligationId, by: &Actor) -> Result<DutyRow, Rejection> {
        by.may_decide()?;
        self.row_for(on, by).await
    }

    /// A second person is another account that may decide too.
    async fn second_person(&self, second: &str, by: &Actor) -> Result<(), Rejection> {
        let missing = || Rejection::from(Refusal::SecondPersonNeeded);
        if second == by.label() {
            return Err(missing());
        }
        let user = self.0.store.user(second).await?.ok_or_else(missing)?;
        if matches!(user.role, UserRole::Observer | UserRole::Clerk) { Err(missing()) } else { Ok(()) }
    }
}

fn check_digest(notice: &RegistrationNotice, sha256: &str) -> Result<(), Rejection> {
    match notice.content_sha256.as_deref() {
        Some(named) if named == sha256 => Ok(()),
        Some(_) => Err(Rejection::new(
            RejectionKind::Conflict,
            "digest_mismatch",
            "`content_sha256` is not the digest of the content that was given; fetch it again and compare",
        )),
        None => Err(Rejection::new(
            RejectionKind::Invalid,
            "digest_missing",
            "registering needs `content_sha256`, the digest of the content as it was given: it is the proof",
        )),
    }
}

/// A person's words: something, and not a book.
pub(super) fn words(text: String) -> Result<String, Rejection> {
    let text = text.trim().to_owned();
    if text.is_empty() || text.chars().count() > WORDS_CHARS_MAX {
        let message = format!("a reason has 1 to {WORDS_CHARS_MAX} characters");
        return Err(Rejection::new(RejectionKind::Invalid, "reason_missing", message));
    }
    Ok(text)
}
