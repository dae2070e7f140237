//! The case of a family as its centre keeps it (S1, S3, S4): dated facts, and what follows from them.
//!
//! Promises: a fact is appended and never changed; what is derived depends on the dates of the facts, not on the order
//! in which they came. Never: a name of the family; the number is opaque, as messages carry it.

pub mod act;
pub mod consent;
pub mod disclosure;
pub mod history;

use crate::domain::case::consent::Consent;
use crate::domain::ids::{MessageId, ParticipantCode, TypeCode};
use crate::domain::message::{Level, Track};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// Facts of one case at most: our default, far above what a family's support of three years brings (S2).
pub const FACTS_MAX: usize = 2000;
/// Consents of one case at most: our default.
pub const CONSENTS_MAX: usize = 200;

/// A case: the centre that keeps it and its number there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CaseKey {
    pub centre: ParticipantCode,
    pub number: String,
}

/// What is recorded of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    pub key: CaseKey,
    /// In the order in which they became known.
    pub facts: Vec<Fact>,
    pub consents: Vec<Consent>,
}

/// Something that holds of a case from a day on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// The day from which it holds.
    pub on: NaiveDate,
    /// When it was decided: when the message was made, or when the person decided. Orders facts of one day.
    pub at: DateTime<Utc>,
    pub by: By,
    pub what: What,
}

/// Who decided it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A message of the exchange.
    Message { id: MessageId, type_code: String, from: ParticipantCode },
    /// A person of the centre, or its own system: the login, or the participant's code.
    Staff(String),
}

impl By {
    /// A message, as who decided.
    #[must_use]
    pub fn message(id: MessageId, type_code: &TypeCode, from: &ParticipantCode) -> Self {
        Self::Message { id, type_code: type_code.to_string(), from: from.clone() }
    }
}

/// What became so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum What {
    /// A message named the case, and there was no record of it: the family is not placed yet.
    Named,
    /// Постановка.
    Opened {
        reason: Option<String>,
    },
    Track {
        track: Track,
    },
    Level {
        level: Level,
    },
    Stage {
        stage: Stage,
    },
    /// A body takes part in this role from this day on.
    Joined {
        body: ParticipantCode,
        role: PartRole,
    },
    /// It takes part no longer.
    Left {
        body: ParticipantCode,
    },
    /// Снятие.
    Closed {
        reason: Option<String>,
    },
}

/// The nine stages of the management of a case, as S1 lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Направление.
    Referral,
    /// Первичная оценка.
    PrimaryAssessment,
    /// Принятие решения.
    Decision,
    /// Глубинная оценка.
    InDepthAssessment,
    /// План развития семьи.
    DevelopmentPlan,
    /// Реализация плана развития семьи.
    PlanImplementation,
    /// Обзор прогресса.
    ProgressReview,
    /// Закрытие случая.
    Closing,
    /// Пост-сопровождение.
    FollowUp,
}

impl Stage {
    /// All nine, in order.
    pub const ALL: [Self; 9] = [
        Self::Referral,
        Self::PrimaryAssessment,
        Self::Decision,
        Self::InDepthAssessment,
        Self::DevelopmentPlan,
        Self::PlanImplementation,
        Self::ProgressReview,
        Self::Closing,
        Self::FollowUp,
    ];

    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Referral => "referral",
            Self::PrimaryAssessment => "primary_assessment",
            Self::Decision => "decision",
            Self::InDepthAssessment => "in_depth_assessment",
            Self::DevelopmentPlan => "development_plan",
            Self::PlanImplementation => "plan_implementation",
            Self::ProgressReview => "progress_review",
            Self::Closing => "closing",
            Self::FollowUp => "follow_up",
        }
    }
}

/// The part of a body in a case (S4: ответственный субъект, соисполнители).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartRole {
    /// Ответственный субъект.
    Lead,
    /// Соисполнитель.
    CoPerformer,
    /// Exchanges messages about the case, or took one over by redirection.
    Exchange,
}

/// What a message does to the case that it names, as the catalogue says of its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The day that the body names; none where it names none, then it is the day of the message.
    pub on: Option<NaiveDate>,
    pub what: What,
}

impl Case {
    /// A case of which nothing is recorded.
    #[must_use]
    pub fn unseen(key: CaseKey) -> Self {
        Self { key, facts: Vec::new(), consents: Vec::new() }
    }

    /// Adds a fact, once; says whether it was new. A case that is full takes no more facts of messages.
    pub fn record(&mut self, fact: Fact) -> bool {
        let is_known = self.facts.iter().any(|one| one.on == fact.on && one.by == fact.by && one.what == fact.what);
        if is_known || self.facts.len() >= FACTS_MAX {
            return false;
        }
        self.facts.push(fact);
        true
    }
}
