//! What follows from the facts of a case: whether it is open, its track, its levels, its stages, who takes part.
//!
//! Promises: the same whatever order the facts came in. Never: forgets a spell that is over (S3: «может быть несколько
//! решений в связи со сменами уровней»).

use crate::domain::case::{By, Case, Fact, PartRole, Stage, What};
use crate::domain::ids::ParticipantCode;
use crate::domain::message::{Level, Track};
use chrono::NaiveDate;
use serde::Serialize;
use std::collections::BTreeMap;

/// Whether a family is under support.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Messages name it; nobody has placed it yet.
    Named,
    Open,
    Closed,
}

impl Standing {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// A level while it lasted: the columns of the form «Уровень сопровождения | Дата постановки | Дата перевода | Дата
/// снятия» (S3).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LevelSpell {
    pub level: Level,
    pub placed_on: NaiveDate,
    /// Another level followed.
    pub moved_on: Option<NaiveDate>,
    /// The case was closed.
    pub removed_on: Option<NaiveDate>,
    pub by: By,
}

/// A body while it takes part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    pub body: ParticipantCode,
    pub role: PartRole,
    pub from: NaiveDate,
    pub until: Option<NaiveDate>,
}

impl Case {
    /// The facts by the days from which they hold; those of one day by when they were decided.
    #[must_use]
    pub fn ordered(&self) -> Vec<&Fact> {
        let mut facts: Vec<&Fact> = self.facts.iter().collect();
        facts.sort_by(|one, other| (one.on, one.at, &one.by).cmp(&(other.on, other.at, &other.by)));
        facts
    }

    /// Whether it is open, and the fact that made it so.
    #[must_use]
    pub fn standing(&self) -> (Standing, Option<&Fact>) {
        let mut standing = (Standing::Named, None);
        for fact in self.ordered() {
            match fact.what {
                What::Opened { .. } if standing.0 != Standing::Open => standing = (Standing::Open, Some(fact)),
                What::Closed { .. } if standing.0 != Standing::Closed => standing = (Standing::Closed, Some(fact)),
                _ => {}
            }
        }
        standing
    }

    /// Whether the last that happened to it was its closing. What ends duties of the case may ask this.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.standing().0 == Standing::Closed
    }

    /// The day of the first placement, and of the closing where it is closed.
    #[must_use]
    pub fn span(&self) -> (Option<NaiveDate>, Option<NaiveDate>) {
        let is_placement = |fact: &&&Fact| matches!(fact.what, What::Opened { .. });
        let opened = self.ordered().iter().find(is_placement).map(|fact| fact.on);
        let (standing, fact) = self.standing();
        (opened, fact.filter(|_| standing == Standing::Closed).map(|fact| fact.on))
    }

    /// The track in force; none until it is told.
    #[must_use]
    pub fn track(&self) -> Option<Track> {
        self.ordered().iter().rev().find_map(|fact| match fact.what {
            What::Track { track } => Some(track),
            _ => None,
        })
    }

    /// The levels, one after the other. A level set while the case is closed begins nothing.
    #[must_use]
    pub fn levels(&self) -> Vec<LevelSpell> {
        let mut spells: Vec<LevelSpell> = Vec::new();
        let mut closed = false;
        for fact in self.ordered() {
            let running = spells.last_mut().filter(|spell| spell.moved_on.is_none() && spell.removed_on.is_none());
            match (&fact.what, running) {
                (What::Closed { .. }, running) => {
                    closed = true;
                    if let Some(spell) = running {
                        spell.removed_on = Some(fact.on);
                    }
                }
                (What::Opened { .. }, _) => closed = false,
                (What::Level { level }, Some(spell)) if spell.level == *level => {}
                (What::Level { level }, running) if !closed => {
                    if let Some(spell) = running {
                        spell.moved_on = Some(fact.on);
                    }
                    spells.push(LevelSpell {
                        level: *level,
                        placed_on: fact.on,
                        moved_on: None,
                        removed_on: None,
                        by: fact.by.clone(),
                    });
                }
                _ => {}
            }
        }
        spells
    }

    /// The level in force.
    #[must_use]
    pub fn level(&self) -> Option<Level> {
        let levels = self.levels();
        levels.last().filter(|spell| spell.moved_on.is_none() && spell.removed_on.is_none()).map(|spell| spell.level)
    }

    /// The stages that it went through; the same one twice in a row is one.
    #[must_use]
    pub fn stages(&self) -> Vec<(Stage, &Fact)> {
        let mut stages: Vec<(Stage, &Fact)> = Vec::new();
        for fact in self.ordered() {
            if let What::Stage { stage } = fact.what
                && stages.last().is_none_or(|(last, _)| *last != stage)
            {
                stages.push((stage, fact));
            }
        }
        stages
    }

    /// The stage that it is in.
    #[must_use]
    pub fn stage(&self) -> Option<Stage> {
        self.stages().last().map(|(stage, _)| *stage)
    }

    /// The bodies of which it is recorded that they take part, by code; who exchanged messages stands in the journal.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        let mut parts: BTreeMap<&ParticipantCode, Part> = BTreeMap::new();
        for fact in self.ordered() {
            match &fact.what {
                What::Joined { body, role } => {
                    let part = parts.entry(body);
                    let part = part.or_insert(Part { body: body.clone(), role: *role, from: fact.on, until: None });
                    // To have exchanged a message takes no role away.
                    if *role != PartRole::Exchange || part.until.is_some() {
                        part.role = *role;
                    }
                    part.until = None;
                }
                What::Left { body } => {
                    if let Some(part) = parts.get_mut(body) {
                        part.until = Some(fact.on);
                    }
                }
                _ => {}
            }
        }
        parts.into_values().collect()
    }
}
