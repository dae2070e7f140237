//! The clock of an obligation that a question has stopped, and what was left of its term.
//!
//! Promises: which questions stop the clock, and until when, follows from the facts alone, in whatever order they came.
//! Never: counts a day (`decide` does, with the calendar); lets a question move a due date that had passed before it.

use super::{Fact, FrozenDue, Obligation};
use crate::domain::ids::MessageId;
use crate::domain::term::Left;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A time in which the clock stood. Frozen like the due date itself; it is evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pause {
    /// The `control.clarification-request` that stopped it.
    pub question: MessageId,
    pub from: DateTime<Utc>,
    /// What was left of the term then, and is kept.
    pub left: Left,
    /// The due instant that was in force when it stopped.
    pub due_before: DateTime<Utc>,
    /// Absent while the clock stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed: Option<Resumed>,
}

/// The clock runs again: the due date anew, with a protocol of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resumed {
    pub at: DateTime<Utc>,
    pub due: FrozenDue,
}

/// What the facts say of one stop: the question, when it came, when it was answered.
pub(in crate::domain) struct Stop {
    pub question: MessageId,
    pub from: DateTime<Utc>,
    pub until: Option<DateTime<Utc>>,
}

impl Obligation {
    /// The questions that may stop the clock: the first so many that the policy allows, by the instants of their coming.
    /// What was asked before the obligation was opened counts from its opening.
    pub(in crate::domain) fn stops(&self) -> Vec<Stop> {
        let asked = self.facts.iter().filter_map(|fact| match fact {
            Fact::ClarificationAsked { message, at } => Some(((*at).max(self.opened_at), *message)),
            _ => None,
        });
        let mut asked: Vec<(DateTime<Utc>, MessageId)> = asked.collect();
        asked.sort_unstable();
        asked.truncate(usize::try_from(self.suspensions_max).unwrap_or(usize::MAX));
        let stop = |(from, question)| Stop { question, from, until: self.clarified_at(from, question) };
        asked.into_iter().map(stop).collect()
    }

    /// A clarification answers the question that it names; one that names none answers all that had come before it.
    fn clarified_at(&self, from: DateTime<Utc>, question: MessageId) -> Option<DateTime<Utc>> {
        let asks = |named: MessageId| {
            self.facts.iter().any(|fact| matches!(fact, Fact::ClarificationAsked { message, .. } if *message == named))
        };
        let answers = self.facts.iter().filter_map(|fact| match fact {
            Fact::Clarified { at, question: Some(named), .. } if asks(*named) => {
                (*named == question).then_some((*at).max(from))
            }
            Fact::Clarified { at, .. } => Some(*at).filter(|at| *at >= from),
            _ => None,
        });
        answers.min()
    }

    /// The pause that lasts, if the clock stands.
    #[must_use]
    pub fn pause(&self) -> Option<&Pause> {
        self.pauses.last().filter(|pause| pause.resumed.is_none())
    }

    /// When the clock was last started again; the ladder begins anew from there.
    #[must_use]
    pub fn resumed_at(&self) -> Option<DateTime<Utc>> {
        self.resumptions().map(|resumed| resumed.at).max()
    }

    pub(super) fn resumptions(&self) -> impl Iterator<Item = &Resumed> + '_ {
        self.pauses.iter().filter_map(|pause| pause.resumed.as_ref())
    }

    /// Whether an answer of that instant is late. While the clock stands nothing is.
    #[must_use]
    pub fn is_late(&self, at: DateTime<Utc>) -> bool {
        let stood = |pause: &Pause| at >= pause.from && pause.resumed.as_ref().is_none_or(|resumed| at <= resumed.at);
        at > self.due_at() && !self.pauses.iter().any(stood)
    }
}
