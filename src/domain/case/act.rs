//! What people of the centre decide about a case, and what messages do to it.
//!
//! Promises: a message is never refused for what the record says (it is recorded by its date); a person is told why not.
//! Never: changes what was recorded.

use crate::domain::case::consent::{Consent, ConsentKind, DataKind, Withdrawal};
use crate::domain::case::history::Standing;
use crate::domain::case::{By, CONSENTS_MAX, Case, FACTS_MAX, Fact, Move, PartRole, Stage, What};
use crate::domain::ids::ParticipantCode;
use crate::domain::message::{Level, Track};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use serde::Deserialize;
use std::ops::RangeInclusive;

/// A decision of a person about a case.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum CaseAct {
    /// Постановка; also again, after a closing.
    Open {
        #[serde(default)]
        on: Option<NaiveDate>,
        #[serde(default)]
        track: Option<Track>,
        #[serde(default)]
        level: Option<Level>,
        #[serde(default)]
        reason: Option<String>,
    },
    Track {
        #[serde(default)]
        on: Option<NaiveDate>,
        track: Track,
    },
    Level {
        #[serde(default)]
        on: Option<NaiveDate>,
        level: Level,
    },
    Stage {
        #[serde(default)]
        on: Option<NaiveDate>,
        stage: Stage,
    },
    Join {
        #[serde(default)]
        on: Option<NaiveDate>,
        body: ParticipantCode,
        role: PartRole,
    },
    Leave {
        #[serde(default)]
        on: Option<NaiveDate>,
        body: ParticipantCode,
    },
    /// Снятие.
    Close {
        #[serde(default)]
        on: Option<NaiveDate>,
        reason: String,
    },
    RegisterConsent {
        kind: ConsentKind,
        reference: String,
        #[serde(default)]
        bodies: Vec<ParticipantCode>,
        #[serde(default)]
        data: Vec<DataKind>,
        from: NaiveDate,
        #[serde(default)]
        until: Option<NaiveDate>,
    },
    WithdrawConsent {
        no: u32,
        #[serde(default)]
        on: Option<NaiveDate>,
        #[serde(default)]
        reason: Option<String>,
    },
}

/// The years in which a day of a case lies, as for every date of the messages.
const YEARS: RangeInclusive<i32> = 1900..=2099;

impl CaseAct {
    /// The days that it names.
    fn days(&self) -> [Option<NaiveDate>; 2] {
        match self {
            Self::Open { on, .. }
            | Self::Track { on, .. }
            | Self::Level { on, .. }
            | Self::Stage { on, .. }
            | Self::Join { on, .. }
            | Self::Leave { on, .. }
            | Self::Close { on, .. }
            | Self::WithdrawConsent { on, .. } => [*on, None],
            Self::RegisterConsent { from, until, .. } => [Some(*from), *until],
        }
    }
}

/// When a message was made, and when it reached us.
#[derive(Debug, Clone, Copy)]
pub struct Made {
    /// The day of the message where the centre is.
    pub on: NaiveDate,
    pub at: DateTime<Utc>,
    /// The day of its registration where the centre is. Nothing that it says begins later.
    pub registered_on: NaiveDate,
}

/// Who decides, and when.
#[derive(Debug, Clone, Copy)]
pub struct Deciding<'a> {
    pub by: &'a str,
    pub at: DateTime<Utc>,
    /// The day of the decision where the centre is.
    pub today: NaiveDate,
}

/// A decision that the record does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CaseRefusal {
    #[error("the case is open already; set its level or stage instead")]
    Open,
    #[error("the case is closed; open it again first")]
    Closed,
    #[error("the case holds this already, or the day is taken; read it again")]
    Unchanged,
    #[error("the day lies in the future; decide when it has come")]
    Future,
    #[error("a day of a case lies in the years 1900 to 2099")]
    NoDay,
    #[error("the consent must not end before it begins")]
    ConsentDates,
    #[error("the case has a consent of this kind and reference already")]
    ConsentExists,
    #[error("the case has no consent of this number")]
    ConsentUnknown,
    #[error("the consent is withdrawn already")]
    ConsentWithdrawn,
    #[error("the case has taken more than any case of people needs; ask the operator")]
    Full,
}

impl Case {
    /// Does what a person decided. On `Err` the case is as it was.
    ///
    /// # Errors
    /// [`CaseRefusal`].
    pub fn decide(&mut self, act: &CaseAct, with: &Deciding<'_>) -> Result<(), CaseRefusal> {
        if act.days().into_iter().flatten().any(|day| !YEARS.contains(&day.year())) {
            return Err(CaseRefusal::NoDay);
        }
        match act {
            CaseAct::Open { on, track, level, reason } => {
                let on = day(*on, with)?;
                if self.standing().0 == Standing::Open {
                    return Err(CaseRefusal::Open);
                }
                self.add((on, What::Opened { reason: reason.clone() }), with)?;
                if let Some(track) = track {
                    self.add((on, What::Track { track: *track }), with)?;
                }
                level.map_or(Ok(()), |level| self.add((on, What::Level { level }), with))
            }
            CaseAct::Track { on, track } => self.change((*on, What::Track { track: *track }), with),
            CaseAct::Level { on, level } => self.change((*on, What::Level { level: *level }), with),
            // After the closing the contact goes on (S1: пост-сопровождение), so a stage is no change of support.
            CaseAct::Stage { on, stage } => self.add((day(*on, with)?, What::Stage { stage: *stage }), with),
            CaseAct::Join { on, body, role } => {
                self.change((*on, What::Joined { body: body.clone(), role: *role }), with)
            }
            CaseAct::Leave { on, body } => self.add((day(*on, with)?, What::Left { body: body.clone() }), with),
            CaseAct::Close { on, reason } => self.change((*on, What::Closed { reason: Some(reason.clone()) }), with),
            CaseAct::RegisterConsent { kind, reference, bodies, data, from, until } => {
                let (bodies, data, reference) = (bodies.clone(), data.clone(), reference.trim().to_owned());
                let registered_by = with.by.to_owned();
                self.register(Consent {
                    no: u32::try_from(self.consents.len()).unwrap_or(u32::MAX).saturating_add(1),
                    kind: *kind,
                    reference,
                    bodies,
                    data,
                    from: *from,
                    until: *until,
                    registered_at: with.at,
                    registered_by,
                    withdrawn: None,
                })
            }
            CaseAct::WithdrawConsent { no, on, reason } => self.withdraw((*no, day(*on, with)?), reason, with),
        }
    }

    fn change(&mut self, (on, what): (Option<NaiveDate>, What), with: &Deciding<'_>) -> Result<(), CaseRefusal> {
        if self.is_closed() {
            return Err(CaseRefusal::Closed);
        }
        self.add((day(on, with)?, what), with)
    }

    fn add(&mut self, (on, what): (NaiveDate, What), with: &Deciding<'_>) -> Result<(), CaseRefusal> {
        if self.facts.len() >= FACTS_MAX {
            return Err(CaseRefusal::Full);
        }
        let fact = Fact { on, at: with.at, by: By::Staff(with.by.to_owned()), what };
        if self.record(fact) { Ok(()) } else { Err(CaseRefusal::Unchanged) }
    }

    fn register(&mut self, consent: Consent) -> Result<(), CaseRefusal> {
        let is_same = |one: &Consent| one.kind == consent.kind && one.reference == consent.reference;
        match consent.until {
            Some(until) if until < consent.from => return Err(CaseRefusal::ConsentDates),
            _ if self.consents.iter().any(is_same) => return Err(CaseRefusal::ConsentExists),
            _ if self.consents.len() >= CONSENTS_MAX => return Err(CaseRefusal::Full),
            _ => {}
        }
        self.consents.push(consent);
        Ok(())
    }

    fn withdraw(
        &mut self,
        (no, on): (u32, NaiveDate),
        reason: &Option<String>,
        with: &Deciding<'_>,
    ) -> Result<(), CaseRefusal> {
        let consent = self.consents.iter_mut().find(|one| one.no == no).ok_or(CaseRefusal::ConsentUnknown)?;
        if consent.withdrawn.is_some() {
            return Err(CaseRefusal::ConsentWithdrawn);
        }
        let (by, reason) = (with.by.to_owned(), reason.clone());
        consent.withdrawn = Some(Withdrawal { on, reason, at: with.at, by });
        Ok(())
    }

    /// Does what a message says; says whether anything is new. A day that lies after the registration of the message
    /// counts as that of the registration (our default): a slip in a year must not close a case for decades.
    pub fn moved_by(&mut self, moves: &[Move], by: &By, made: Made) -> bool {
        let facts = moves.iter().map(|one| Fact {
            on: one.on.unwrap_or(made.on).min(made.registered_on),
            at: made.at,
            by: by.clone(),
            what: one.what.clone(),
        });
        let facts: Vec<Fact> = facts.collect();
        let mut is_new = false;
        for fact in facts {
            is_new |= self.record(fact);
        }
        is_new
    }
}

fn day(on: Option<NaiveDate>, with: &Deciding<'_>) -> Result<NaiveDate, CaseRefusal> {
    let on = on.unwrap_or(with.today);
    if on > with.today { Err(CaseRefusal::Future) } else { Ok(on) }
}
