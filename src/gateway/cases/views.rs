//! A case as it is shown.
//!
//! Promises: codes for programs; the pages put words to them. Never: a name of the family.

use crate::domain::case::consent::Consent;
use crate::domain::case::disclosure::Ground;
use crate::domain::case::history::{LevelSpell, Standing};
use crate::domain::case::{By, Case, Fact, PartRole, Stage, What};
use crate::domain::ids::{ExchangeId, MessageId, ParticipantCode};
use crate::domain::message::{Level, Track};
use crate::domain::zone::Zone;
use crate::gateway::ports::cases::{CaseRow, Correspondents, DisclosureRow};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use std::collections::BTreeMap;

/// A case in a list.
#[derive(Debug, Clone, Serialize)]
pub struct CaseLine {
    pub number: String,
    pub centre: ParticipantCode,
    pub standing: String,
    pub opened_on: Option<NaiveDate>,
    pub closed_on: Option<NaiveDate>,
    pub track: Option<String>,
    pub level: Option<String>,
    pub stage: Option<String>,
}

impl From<CaseRow> for CaseLine {
    fn from(row: CaseRow) -> Self {
        let CaseRow { key, standing, opened_on, closed_on, track, level, stage } = row;
        Self { number: key.number, centre: key.centre, standing, opened_on, closed_on, track, level, stage }
    }
}

/// A case with its history.
#[derive(Debug, Clone, Serialize)]
pub struct CaseView {
    pub number: String,
    pub centre: ParticipantCode,
    pub standing: Standing,
    pub opened_on: Option<NaiveDate>,
    pub closed_on: Option<NaiveDate>,
    /// Of what made it open or closed.
    pub reason: Option<String>,
    pub track: Option<Track>,
    pub level: Option<Level>,
    pub stage: Option<Stage>,
    pub levels: Vec<LevelSpell>,
    pub stages: Vec<StageView>,
    pub participants: Vec<PartView>,
    pub consents: Vec<ConsentView>,
    /// Everything that is recorded, by the day from which it holds.
    pub history: Vec<Fact>,
}

/// A stage that was reached.
#[derive(Debug, Clone, Serialize)]
pub struct StageView {
    pub stage: Stage,
    pub on: NaiveDate,
    pub by: By,
}

/// A body of the case.
#[derive(Debug, Clone, Serialize)]
pub struct PartView {
    pub body: ParticipantCode,
    pub role: PartRole,
    pub from: NaiveDate,
    pub until: Option<NaiveDate>,
    /// The day of the last message between it and the centre.
    pub last_on: Option<NaiveDate>,
    pub incoming: u64,
    pub outgoing: u64,
}

/// A consent, with where it stands today.
#[derive(Debug, Clone, Serialize)]
pub struct ConsentView {
    #[serde(flatten)]
    pub consent: Consent,
    /// `future`, `in_force`, `over` or `withdrawn`.
    pub state: &'static str,
}

/// A line of the log of disclosures.
#[derive(Debug, Clone, Serialize)]
pub struct DisclosureLine {
    pub seq: u64,
    pub at: DateTime<Utc>,
    pub kind: &'static str,
    pub what: String,
    pub message: Option<MessageId>,
    pub exchange: Option<ExchangeId>,
    pub by: String,
    pub to: String,
    pub ground: Ground,
}

impl From<DisclosureRow> for DisclosureLine {
    fn from(DisclosureRow { seq, line }: DisclosureRow) -> Self {
        Self {
            seq,
            at: line.at,
            kind: line.kind.code(),
            what: line.what,
            message: line.message,
            exchange: line.exchange,
            by: line.by,
            to: line.to,
            ground: line.ground,
        }
    }
}

/// The whole case, as of a day.
pub(super) fn case_view(case: &Case, letters: Correspondents, (zone, today): (Option<Zone>, NaiveDate)) -> CaseView {
    let (standing, fact) = case.standing();
    let (opened_on, closed_on) = case.span();
    let reason = fact.and_then(|fact| match &fact.what {
        What::Opened { reason } | What::Closed { reason } => reason.clone(),
        _ => None,
    });
    let stage = |(stage, fact): (Stage, &Fact)| StageView { stage, on: fact.on, by: fact.by.clone() };
    let consent = |one: &Consent| ConsentView { state: one.state(today), consent: one.clone() };
    CaseView {
        number: case.key.number.clone(),
        centre: case.key.centre.clone(),
        standing,
        opened_on,
        closed_on,
        reason,
        track: case.track(),
        level: case.level(),
        stage: case.stage(),
        levels: case.levels(),
        stages: case.stages().into_iter().map(stage).collect(),
        participants: participants(case, letters, zone),
        consents: case.consents.iter().map(consent).collect(),
        history: case.ordered().into_iter().cloned().collect(),
    }
}

/// Who is recorded as taking part, and who exchanged messages about the case.
fn participants(case: &Case, letters: Correspondents, zone: Option<Zone>) -> Vec<PartView> {
    let recorded = case.parts().into_iter().map(|part| {
        let (role, from, until) = (part.role, part.from, part.until);
        (part.body.clone(), PartView { body: part.body, role, from, until, last_on: None, incoming: 0, outgoing: 0 })
    });
    let mut parts: BTreeMap<ParticipantCode, PartView> = recorded.collect();
    // What a centre writes for its own file makes it no participant beside itself.
    let is_other = |body: &ParticipantCode| *body != case.key.centre;
    for one in letters.incoming.into_iter().filter(|one| is_other(&one.body)) {
        part_of(&mut parts, one.body, (one.first, one.last)).incoming = one.count;
    }
    let date = |at: DateTime<Utc>| zone.map_or(at.date_naive(), |zone| zone.date(at));
    for one in letters.outgoing.into_iter().filter(|one| is_other(&one.body)) {
        part_of(&mut parts, one.body, (date(one.first), date(one.last))).outgoing = one.count;
    }
    parts.into_values().collect()
}

/// The body as a participant, at the latest from its first letter on.
fn part_of(
    parts: &mut BTreeMap<ParticipantCode, PartView>,
    body: ParticipantCode,
    (first, last): (NaiveDate, NaiveDate),
) -> &mut PartView {
    let begun = PartView {
        body: body.clone(),
        role: PartRole::Exchange,
        from: first,
        until: None,
        last_on: None,
        incoming: 0,
        outgoing: 0,
    };
    let part = parts.entry(body).or_insert(begun);
    part.from = part.from.min(first);
    part.last_on = part.last_on.max(Some(last));
    part
}
