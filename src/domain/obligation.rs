//! An obligation: who owes whom an answer, by when, and what has happened to it.
//!
//! Promises: its state is a pure function of the facts recorded about it, so that every order of arrival ends in the
//! same state; the due date is frozen at birth with its protocol and moves only by a recorded decision: an extension, a
//! pause, or the adoption of another version of the calendar.
//! Never: closes because time has passed. «Overdue» is a fact about time, not a state; a late answer is taken.

mod due;
mod pause;
mod state;

pub(in crate::domain) use pause::Stop;
pub use pause::{Pause, Resumed};
pub use state::State;

use crate::domain::ids::{ExchangeId, MessageId, ObligationId, ParticipantCode, TypeCode};
use crate::domain::rule::{Recurs, Release, Urgency};
use crate::domain::term::Protocol;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::mem::discriminant;

/// One mandatory answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Obligation {
    pub id: ObligationId,
    pub exchange: ExchangeId,
    /// The item of the opening message it answers (an order of a ruling), where there are several.
    pub item: Option<String>,
    /// Who owes the answer.
    pub performer: ParticipantCode,
    /// To whom it is owed; only the controller releases.
    pub controller: ParticipantCode,
    /// The type that opened it.
    pub request_type: TypeCode,
    /// Any of these types answers it.
    pub answer_types: Vec<TypeCode>,
    pub release: Release,
    pub urgency: Urgency,
    pub case: Option<String>,
    pub opened_at: DateTime<Utc>,
    pub due: FrozenDue,
    /// Calendar days that extensions may add in all.
    pub extension_days_max: Option<u32>,
    /// Questions that may stop the clock; 0 where the policy allows none.
    pub suspensions_max: u32,
    /// The times in which the clock stood, as they follow from the facts.
    pub pauses: Vec<Pause>,
    /// For what is owed once in a period: how it goes on, and what ends it.
    pub recurs: Option<Recurs>,
    /// In order of arrival.
    pub facts: Vec<Fact>,
}

/// The due date as it was computed once, with the evidence for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrozenDue {
    /// The last day of the term, in the performer's zone.
    pub on: NaiveDate,
    /// The instant after which the answer is late.
    pub at: DateTime<Utc>,
    /// The instant before which nobody is accused: the lenient reading of the start (arrived after hours counts as the
    /// next working day).
    pub lenient_at: DateTime<Utc>,
    /// Version of the rule it was born under.
    pub rule_version: String,
    /// The law, the seed, or our default behind the rule.
    pub source: String,
    pub protocol: Protocol,
}

/// Something that happened to an obligation. `message` names the message that said it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// A substantive or nil reply.
    Answered {
        message: MessageId,
        at: DateTime<Utc>,
        nil: bool,
        /// The day that the answer bears of what it tells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on: Option<NaiveDate>,
    },
    /// Recorded; closes nothing.
    Interim {
        message: MessageId,
        at: DateTime<Utc>,
        expected_on: Option<NaiveDate>,
    },
    ExtensionAsked {
        message: MessageId,
        at: DateTime<Utc>,
        new_due: Option<NaiveDate>,
    },
    /// `due_at` is the instant of the granted date in the performer's zone.
    Extended {
        message: Option<MessageId>,
        at: DateTime<Utc>,
        due_on: NaiveDate,
        due_at: DateTime<Utc>,
        by: String,
    },
    ExtensionDenied {
        message: MessageId,
        at: DateTime<Utc>,
    },
    /// The performer asks back; it stops the clock where the policy allows it.
    ClarificationAsked {
        message: MessageId,
        at: DateTime<Utc>,
    },
    /// The controller answers the question that it names, or all that had come.
    Clarified {
        message: MessageId,
        at: DateTime<Utc>,
        question: Option<MessageId>,
        by: String,
    },
    /// A reasoned refusal; it closes when the controller accepts it.
    Refused {
        message: MessageId,
        at: DateTime<Utc>,
    },
    /// Taken over by the competent body under a new obligation.
    Redirected {
        message: MessageId,
        at: DateTime<Utc>,
        to: ParticipantCode,
        successor: ObligationId,
    },
    Withdrawn {
        message: Option<MessageId>,
        at: DateTime<Utc>,
        by: String,
    },
    /// The duty is over (the case is closed). What was not due by then is owed no more; what was overdue stays owed.
    Ended {
        message: Option<MessageId>,
        at: DateTime<Utc>,
        by: String,
        reason: String,
    },
    /// The answer is incomplete; the original due date stands. `answer` is the returned message.
    Returned {
        message: Option<MessageId>,
        at: DateTime<Utc>,
        answer: Option<MessageId>,
        by: String,
    },
    Released {
        message: Option<MessageId>,
        at: DateTime<Utc>,
        by: String,
    },
    /// Opened in error; two persons and a reason.
    Voided {
        at: DateTime<Utc>,
        by: String,
        second: String,
        reason: String,
    },
    /// Another version of the calendar was adopted: `due` stands from then on, with a protocol of its own. What it
    /// moved from stays as it was frozen, as evidence.
    DueMoved {
        at: DateTime<Utc>,
        from: NaiveDate,
        from_version: String,
        due: Box<FrozenDue>,
        by: String,
        reason: String,
    },
}

impl Fact {
    /// When it reached us.
    #[must_use]
    pub fn at(&self) -> DateTime<Utc> {
        match self {
            Self::Answered { at, .. }
            | Self::Interim { at, .. }
            | Self::ExtensionAsked { at, .. }
            | Self::Extended { at, .. }
            | Self::ExtensionDenied { at, .. }
            | Self::ClarificationAsked { at, .. }
            | Self::Clarified { at, .. }
            | Self::Refused { at, .. }
            | Self::Redirected { at, .. }
            | Self::Withdrawn { at, .. }
            | Self::Ended { at, .. }
            | Self::Returned { at, .. }
            | Self::Released { at, .. }
            | Self::Voided { at, .. }
            | Self::DueMoved { at, .. } => *at,
        }
    }

    /// The due date that it put in the place of the one before.
    fn moved_to(&self) -> Option<&FrozenDue> {
        match self {
            Self::DueMoved { due, .. } => Some(due),
            _ => None,
        }
    }

    /// The message that said it, where a message did.
    #[must_use]
    pub fn message(&self) -> Option<MessageId> {
        match self {
            Self::Answered { message, .. }
            | Self::Interim { message, .. }
            | Self::ExtensionAsked { message, .. }
            | Self::ExtensionDenied { message, .. }
            | Self::ClarificationAsked { message, .. }
            | Self::Clarified { message, .. }
            | Self::Refused { message, .. }
            | Self::Redirected { message, .. } => Some(*message),
            Self::Extended { message, .. }
            | Self::Withdrawn { message, .. }
            | Self::Ended { message, .. }
            | Self::Returned { message, .. }
            | Self::Released { message, .. } => *message,
            Self::Voided { .. } | Self::DueMoved { .. } => None,
        }
    }
}

impl Obligation {
    /// Records a fact, once: what a message has said already, it does not say again. Whether it was new.
    pub fn record(&mut self, fact: Fact) -> bool {
        let says_the_same = |old: &Fact| discriminant(old) == discriminant(&fact) && old.message() == fact.message();
        let repeated = fact.message().is_some() && self.facts.iter().any(says_the_same);
        if !repeated {
            self.facts.push(fact);
        }
        !repeated
    }

    /// The state that the facts make, whatever order they came in. An answer given outweighs a withdrawal: the work
    /// was done, and both parties hold it.
    #[must_use]
    pub fn state(&self) -> State {
        if self.first(|fact| matches!(fact, Fact::Voided { .. })).is_some() {
            return State::Void;
        }
        let released = self.released_at().is_some();
        if let Some(answered_at) = self.answered_at() {
            return match (released || self.release == Release::Automatic, self.is_late(answered_at)) {
                (false, _) => State::Answered,
                (true, false) => State::Fulfilled,
                (true, true) => State::FulfilledLate,
            };
        }
        if self.withdrawn_at().is_some() {
            return State::Withdrawn;
        }
        if self.first(|fact| matches!(fact, Fact::Redirected { .. })).is_some() {
            return State::Redirected;
        }
        match (self.refused_at().is_some(), released) {
            (true, true) => State::Refused,
            (true, false) => State::Answered,
            // Taken off control unanswered: the asker does not want the answer any more.
            (false, true) => State::Withdrawn,
            (false, false) if self.pause().is_some() => State::Suspended,
            (false, false) => State::Running,
        }
    }

    /// When the answer that stands (not returned) reached us.
    #[must_use]
    pub fn answered_at(&self) -> Option<DateTime<Utc>> {
        self.standing(|fact| matches!(fact, Fact::Answered { .. }))
    }

    /// The day that the answer that stands bears, where it bears one.
    #[must_use]
    pub fn answered_on(&self) -> Option<NaiveDate> {
        let answered_at = self.answered_at()?;
        let day = |fact: &Fact| match fact {
            Fact::Answered { at, on, .. } if *at == answered_at => *on,
            _ => None,
        };
        self.facts.iter().filter_map(day).min()
    }

    fn refused_at(&self) -> Option<DateTime<Utc>> {
        self.standing(|fact| matches!(fact, Fact::Refused { .. }))
    }

    /// When the first fact of a kind whose message was not returned by the controller reached us.
    fn standing(&self, kind: fn(&Fact) -> bool) -> Option<DateTime<Utc>> {
        let returns = self.places(|fact| matches!(fact, Fact::Returned { .. }));
        let stands = |answer: &usize| !returns.iter().any(|returned| self.sends_back(*returned, *answer));
        self.places(kind).into_iter().filter(stands).map(|answer| self.facts[answer].at()).min()
    }

    fn first(&self, kind: fn(&Fact) -> bool) -> Option<DateTime<Utc>> {
        self.facts.iter().filter(|fact| kind(fact)).map(Fact::at).min()
    }

    /// When it was withdrawn, or ended before it was due.
    fn withdrawn_at(&self) -> Option<DateTime<Utc>> {
        let ended = self.first(|fact| matches!(fact, Fact::Ended { .. })).filter(|at| *at <= self.due_at());
        self.first(|fact| matches!(fact, Fact::Withdrawn { .. })).into_iter().chain(ended).min()
    }

    /// When the controller took it off control. A return after that takes the release back: what is owed again was not
    /// released.
    fn released_at(&self) -> Option<DateTime<Utc>> {
        let returns = self.returns();
        let stands = |release: &usize| !returns.iter().any(|returned| self.is_after(*returned, *release));
        let releases = self.places(|fact| matches!(fact, Fact::Released { .. }));
        releases.into_iter().filter(stands).map(|release| self.facts[release].at()).min()
    }

    /// When the controller last sent an answer back; the ladder waits for the body to mend it.
    #[must_use]
    pub fn returned_at(&self) -> Option<DateTime<Utc>> {
        self.returns().into_iter().map(|returned| self.facts[returned].at()).max()
    }

    /// The places of the returns that send something back.
    fn returns(&self) -> Vec<usize> {
        let answers = self.places(|fact| matches!(fact, Fact::Answered { .. } | Fact::Refused { .. }));
        let mut returns = self.places(|fact| matches!(fact, Fact::Returned { .. }));
        returns.retain(|returned| answers.iter().any(|answer| self.sends_back(*returned, *answer)));
        returns
    }

    /// A return names the answer that it sends back; one that names none sends back all that had come before it.
    fn sends_back(&self, returned: usize, answer: usize) -> bool {
        match &self.facts[returned] {
            Fact::Returned { answer: Some(named), .. } => self.facts[answer].message() == Some(*named),
            Fact::Returned { answer: None, .. } => self.is_after(returned, answer),
            _ => false,
        }
    }

    fn places(&self, kind: fn(&Fact) -> bool) -> Vec<usize> {
        (0..self.facts.len()).filter(|place| kind(&self.facts[*place])).collect()
    }

    /// Of two facts of one instant the one that was recorded first was first.
    fn is_after(&self, later: usize, earlier: usize) -> bool {
        (self.facts[later].at(), later) > (self.facts[earlier].at(), earlier)
    }

    /// The obligations of the bodies that took this one over.
    pub fn successors(&self) -> impl Iterator<Item = ObligationId> + '_ {
        self.facts.iter().filter_map(|fact| match fact {
            Fact::Redirected { successor, .. } => Some(*successor),
            _ => None,
        })
    }

    /// Since when the ladder rests: the performer owes nothing more, or its clock stands; later facts do not move it.
    #[must_use]
    pub fn rested_at(&self) -> Option<DateTime<Utc>> {
        match self.state() {
            State::Running => None,
            State::Suspended => self.pause().map(|pause| pause.from),
            State::Answered | State::Fulfilled | State::FulfilledLate => self.answered_at().or(self.refused_at()),
            State::Refused | State::Redirected | State::Withdrawn | State::Void => self.closed_at(),
        }
    }

    /// When it was closed, for those that are.
    #[must_use]
    pub fn closed_at(&self) -> Option<DateTime<Utc>> {
        match self.state() {
            State::Running | State::Suspended | State::Answered => None,
            State::Fulfilled | State::FulfilledLate if self.release == Release::Automatic => self.answered_at(),
            State::Fulfilled | State::FulfilledLate => self.answered_at().max(self.released_at()),
            State::Refused => self.refused_at().max(self.released_at()),
            State::Redirected => self.first(|fact| matches!(fact, Fact::Redirected { .. })),
            State::Withdrawn => self.withdrawn_at().or(self.released_at()),
            State::Void => self.first(|fact| matches!(fact, Fact::Voided { .. })),
        }
    }
}
