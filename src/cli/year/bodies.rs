//! The invented bodies around one centre, sixty of them, and how each of them answers.
//!
//! Promises: every kind that the exchanges need is there, with its superior, commission and prosecutor. Never: a real
//! body.

use crate::config::participants;
use crate::domain::ids::ParticipantCode;
use crate::domain::message::Format;
use crate::domain::participant::{BodyKind, Participant, Route};
use crate::simulation::dice::Dice;
use anyhow::Context as _;
use std::collections::HashMap;

/// How a body goes about what it owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Within one to four working days.
    Prompt,
    /// Within two to nine, now and then with an interim reply or a request for more time.
    Slow,
    /// Only when it is reminded.
    OnReminder,
    /// Only when its head is written to, or a commission.
    Silent,
}

/// The participants, by kind, and their manners.
#[derive(Debug)]
pub(super) struct Bodies {
    pub all: Vec<Participant>,
    pub manners: HashMap<ParticipantCode, Manner>,
    by_kind: HashMap<BodyKind, Vec<ParticipantCode>>,
}

/// How many there are of each body of the example file; those that are not named stay one. Sixty in all.
const MANY: [(&str, usize); 7] = [
    ("school-test-17", 16),
    ("school-test-18", 10),
    ("clinic-test", 6),
    ("guardianship-test", 3),
    ("police-test", 4),
    ("ngo-test", 5),
    ("education-test", 3),
];

impl Bodies {
    /// The bodies of the example file, each as often as a town has it.
    pub fn around(centre: &str, dice: &mut Dice) -> anyhow::Result<Self> {
        let text = include_str!("../../../config/examples/participants.toml");
        let mut all = Vec::new();
        for pattern in participants::from_toml(text)? {
            let many = MANY.iter().find(|(code, _)| *code == pattern.code.as_str()).map_or(1, |(_, many)| *many);
            for number in 1..=many {
                all.push(copy(&pattern, number)?);
            }
        }
        let mut bodies = Self { all, manners: HashMap::new(), by_kind: HashMap::new() };
        for body in &bodies.all {
            let manner = if body.code.as_str() == centre { Manner::Prompt } else { manner(body.kind, dice) };
            bodies.manners.insert(body.code.clone(), manner);
            // The other centre and the school of another region take no part in this centre's year.
            if body.kind != BodyKind::SocialCentre && body.region.as_deref() == Some("RU-IRK") {
                bodies.by_kind.entry(body.kind).or_default().push(body.code.clone());
            }
        }
        Ok(bodies)
    }

    /// One of a kind.
    pub fn any(&self, kind: BodyKind, dice: &mut Dice) -> anyhow::Result<ParticipantCode> {
        let of = self.by_kind.get(&kind).map(Vec::as_slice).unwrap_or_default();
        dice.one_of(of).cloned().with_context(|| format!("no invented body of the kind {kind:?}"))
    }
}

/// The pattern itself, and then others like it.
pub(in crate::cli) fn copy(pattern: &Participant, number: usize) -> anyhow::Result<Participant> {
    let mut body = Participant { route: Route::Inbox, ..pattern.clone() };
    if number > 1 {
        body.code = ParticipantCode::new(&format!("{}-{number}", pattern.code))?;
        body.title = format!("{}, вымышленный № {number}", pattern.title);
        body.format = if number.is_multiple_of(2) { Format::Xml } else { Format::Json };
    }
    Ok(body)
}

/// Courts, prosecutors and commissions keep their days; the others are as people are.
fn manner(kind: BodyKind, dice: &mut Dice) -> Manner {
    match kind {
        BodyKind::Commission | BodyKind::Prosecutor | BodyKind::Court => Manner::Prompt,
        _ => match dice.below(100) {
            0..60 => Manner::Prompt,
            60..84 => Manner::Slow,
            84..94 => Manner::OnReminder,
            _ => Manner::Silent,
        },
    }
}
