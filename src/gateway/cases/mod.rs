//! The cases of the centres: what their people read and decide.
//!
//! Promises: only people and systems of the centre that keeps a case see it; that somebody reads it is written down
//! before it is given; what people decide goes through the committer like every decision. Never: a name of the family.

mod disclosing;
mod held;
mod record;
pub mod views;

use crate::domain::case::act::{CaseAct, CaseRefusal, Deciding};
use crate::domain::case::disclosure::DisclosureKind;
use crate::domain::case::{Case, CaseKey};
use crate::domain::ids::ParticipantCode;
use crate::gateway::Gateway;
use crate::gateway::act::Actor;
use crate::gateway::cases::views::{CaseLine, CaseView, DisclosureLine};
use crate::gateway::committer::Job;
use crate::gateway::duties;
use crate::gateway::journal::{DOCUMENT_LINES_MAX, too_long};
use crate::gateway::ports::cases::{CaseFilter, DisclosureFilter};
use crate::gateway::rejection::{Rejection, RejectionKind};
use crate::gateway::show::PAGE_MAX;
use crate::gateway::working_set::WorkingSet;

pub(in crate::gateway) use disclosing::{Disclosing, Reader};

/// Lines of the log of disclosures that are read at once at most.
pub const DISCLOSURES_MAX: usize = 10_000;
/// Characters of a case's number, as the envelope's schema has it.
const NUMBER_CHARS_MAX: usize = 64;

/// A decision about a case, as the committer gets it.
#[derive(Debug, Clone)]
pub(in crate::gateway) struct CaseCommand {
    pub key: CaseKey,
    pub act: CaseAct,
    pub by: Reader,
}

impl Gateway {
    /// The centres whose cases an actor may see: all for a person, its own for the system of a centre.
    fn keepers(&self, by: &Actor) -> Vec<ParticipantCode> {
        let centres = self.own_centres();
        match by {
            Actor::Person { .. } => centres,
            Actor::Participant(code) => centres.into_iter().filter(|centre| centre == code).collect(),
        }
    }

    /// The centre that is meant: the named one, or the only one.
    fn keeper(&self, named: Option<&ParticipantCode>, by: &Actor) -> Result<ParticipantCode, Rejection> {
        let keepers = self.keepers(by);
        match (named, keepers.as_slice()) {
            (Some(named), keepers) if keepers.contains(named) => Ok(named.clone()),
            (None, [only]) => Ok(only.clone()),
            (None, [_, ..]) => Err(centre_missing(keepers.iter())),
            _ => Err(Rejection::not_found("case")),
        }
    }

    /// Cases by number; the centres are set from the actor.
    ///
    /// # Errors
    /// `Forbidden` for a body that keeps no cases; `Unavailable`.
    pub async fn cases(&self, filter: CaseFilter, by: &Actor) -> Result<Vec<CaseLine>, Rejection> {
        let centres = self.keepers(by);
        if centres.is_empty() && matches!(by, Actor::Participant(_)) {
            let message = "cases are kept by social centres, for their own people";
            return Err(Rejection::new(RejectionKind::Forbidden, "keeps_no_cases", message));
        }
        let limit = filter.limit.clamp(1, PAGE_MAX);
        let rows = self.0.store.cases(CaseFilter { centres, limit, ..filter }).await?;
        Ok(rows.into_iter().map(CaseLine::from).collect())
    }

    /// One case as it stands. That it was read, and by whom, is recorded first.
    ///
    /// # Errors
    /// `not_found`, also for what the actor may not see; `Unavailable`.
    pub async fn case(&self, centre: Option<&ParticipantCode>, of: &str, by: &Actor) -> Result<CaseView, Rejection> {
        let key = self.case_key(centre, of, by).await?;
        self.disclose(
            Disclosing::Record { cases: vec![key.clone()], kind: DisclosureKind::RecordRead, what: "record" },
            by,
        )
        .await?;
        self.case_view(&key).await
    }

    async fn case_view(&self, key: &CaseKey) -> Result<CaseView, Rejection> {
        let case = self.0.store.case(key).await?.ok_or_else(|| Rejection::not_found("case"))?;
        let letters = self.0.store.correspondents(key).await?;
        let zone = self.0.participant(&key.centre).map(|centre| centre.zone);
        let today = self.0.date_at(&key.centre, self.now());
        Ok(views::case_view(&case, letters, (zone, today)))
    }

    /// The key of a case that exists and that the actor may see.
    async fn case_key(&self, centre: Option<&ParticipantCode>, of: &str, by: &Actor) -> Result<CaseKey, Rejection> {
        let keepers = match centre {
            Some(_) => vec![self.keeper(centre, by)?],
            None => self.keepers(by),
        };
        let mut found = Vec::new();
        for centre in keepers {
            let key = CaseKey { centre, number: of.to_owned() };
            if self.0.store.case(&key).await?.is_some() {
                found.push(key);
            }
        }
        match found.as_slice() {
            [] => Err(Rejection::not_found("case")),
            [only] => Ok(only.clone()),
            // A guess would show or change another family's case.
            several => Err(centre_missing(several.iter().map(|key| &key.centre))),
        }
    }

    /// What a person, or the system of the centre, decides about a case. Opening makes the record where there is none.
    ///
    /// # Errors
    /// `not_found`; `Conflict` when the record does not allow it; `Forbidden` for an observer.
    pub async fn decide_case(
        &self,
        (centre, of): (Option<&ParticipantCode>, &str),
        act: CaseAct,
        by: &Actor,
    ) -> Result<CaseView, Rejection> {
        by.may_decide()?;
        let key = match (self.case_key(centre, of, by).await, &act) {
            (Ok(key), _) => key,
            (Err(fault), CaseAct::Open { .. }) if fault.kind == RejectionKind::NotFound => {
                CaseKey { centre: self.keeper(centre, by)?, number: number(of)? }
            }
            (Err(fault), _) => return Err(fault),
        };
        let command = CaseCommand { key: key.clone(), act, by: Reader::of(by) };
        self.0.ask(|answer| Job::Case { command: Box::new(command), answer }).await?;
        self.case_view(&key).await
    }

    /// The log of disclosures of a case, the newest first, as many lines as are asked for. That it was read is a line of
    /// its own.
    ///
    /// # Errors
    /// As [`Gateway::case`]; `journal_too_long` for more lines than a document takes.
    pub async fn disclosures(
        &self,
        (centre, of): (Option<&ParticipantCode>, &str),
        (before, limit): (Option<u64>, usize),
        by: &Actor,
    ) -> Result<Vec<DisclosureLine>, Rejection> {
        let case = self.case_key(centre, of, by).await?;
        let cases = vec![case.clone()];
        self.disclose(Disclosing::Record { cases, kind: DisclosureKind::RecordRead, what: "disclosures" }, by).await?;
        let (mut lines, mut before): (Vec<DisclosureLine>, _) = (Vec::new(), before);
        loop {
            let wanted = limit.max(1).saturating_sub(lines.len()).min(DISCLOSURES_MAX);
            let filter = DisclosureFilter { case: case.clone(), before, limit: wanted };
            let rows = self.0.store.disclosures(filter).await?;
            let is_last = rows.len() < wanted;
            before = rows.last().map(|row| row.seq);
            lines.extend(rows.into_iter().map(DisclosureLine::from));
            if lines.len() > DOCUMENT_LINES_MAX {
                return Err(too_long("read the log in pages, by `before` and `limit`"));
            }
            if is_last || lines.len() >= limit {
                return Ok(lines);
            }
        }
    }

    /// The letters of a case are about to be handed out, or what the journal has of them.
    pub(in crate::gateway) async fn disclose_file(
        &self,
        (of, what): (&str, &'static str),
        by: &Actor,
    ) -> Result<(), Rejection> {
        let keys = self.keepers(by).into_iter().map(|centre| CaseKey { centre, number: of.to_owned() });
        let mut cases = Vec::new();
        for key in keys {
            if self.0.store.case(&key).await?.is_some() {
                cases.push(key);
            }
        }
        if cases.is_empty() {
            return Ok(());
        }
        self.disclose(Disclosing::Record { cases, kind: DisclosureKind::CaseFile, what }, by).await
    }
}

/// Several centres are meant by nothing said.
fn centre_missing<'c>(centres: impl Iterator<Item = &'c ParticipantCode>) -> Rejection {
    let centres: Vec<&str> = centres.map(ParticipantCode::as_str).collect();
    let message = format!("several centres are meant by this: name one by `centre`: {}", centres.join(", "));
    Rejection::new(RejectionKind::Invalid, "centre_missing", message)
}

/// A number as the envelope's schema allows it: what messages can name.
fn number(of: &str) -> Result<String, Rejection> {
    let is_first = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, 'А'..='я' | 'Ё' | 'ё');
    let is_good = of.chars().next().is_some_and(is_first)
        && of.chars().count() <= NUMBER_CHARS_MAX
        && of.chars().all(|sign| is_first(sign) || "/._-".contains(sign));
    if is_good {
        return Ok(of.to_owned());
    }
    let message = "the number of a case has 1 to 64 letters, digits and `/._-`, and begins with a letter or digit";
    Err(Rejection::new(RejectionKind::Invalid, "bad_case_number", message))
}

impl WorkingSet<'_> {
    /// Does what a person decided about a case. With the case its duties end.
    pub(in crate::gateway) fn decide_case(&mut self, command: &CaseCommand) -> Result<(), Rejection> {
        let CaseCommand { key, act, by: reader } = command;
        self.check_bodies(act)?;
        let mut case = match (self.loaded.cases.get(key), act) {
            (Some(case), _) => case.clone(),
            (None, CaseAct::Open { .. }) => Case::unseen(key.clone()),
            (None, _) => return Err(Rejection::not_found("case")),
        };
        let today = self.inner.date_at(&key.centre, self.ctx.now);
        case.decide(act, &Deciding { by: &reader.label, at: self.ctx.now, today })?;
        // A closing dated before the family was taken on again leaves the case open, and its duties owed.
        let is_over = matches!(act, CaseAct::Close { .. }) && case.is_closed();
        self.put_case(case);
        if is_over {
            duties::decided((&key.number, &key.centre, &reader.label), self)?;
        }
        // The answer shows the whole record to who decided.
        let (cases, kind) = (vec![key.clone()], DisclosureKind::RecordRead);
        self.disclose(&Disclosing::Record { cases, kind, what: "record" }, reader);
        Ok(())
    }

    /// The bodies that a decision names are known.
    fn check_bodies(&self, act: &CaseAct) -> Result<(), Rejection> {
        let named = match act {
            CaseAct::Join { body, .. } => std::slice::from_ref(body),
            CaseAct::RegisterConsent { bodies, .. } => bodies.as_slice(),
            _ => &[],
        };
        match named.iter().find(|code| self.ctx.directory.get(code).is_none()) {
            Some(code) => Err(crate::domain::decision::Refusal::UnknownParticipant(code.clone()).into()),
            None => words(act),
        }
    }
}

/// A reason or a reference that a person gives: something where it is needed, and not a book.
fn words(act: &CaseAct) -> Result<(), Rejection> {
    let text = match act {
        CaseAct::Close { reason, .. } => reason,
        CaseAct::RegisterConsent { reference, .. } => reference,
        CaseAct::Open { reason: Some(reason), .. } | CaseAct::WithdrawConsent { reason: Some(reason), .. } => reason,
        _ => return Ok(()),
    };
    crate::gateway::act::words(text.clone()).map(|_| ())
}

impl From<CaseRefusal> for Rejection {
    fn from(refusal: CaseRefusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            CaseRefusal::Open => Self::new(RejectionKind::Conflict, "case_open", message),
            CaseRefusal::Closed => Self::new(RejectionKind::Conflict, "case_closed", message),
            CaseRefusal::Unchanged => Self::new(RejectionKind::Conflict, "case_unchanged", message),
            CaseRefusal::Future => Self::new(RejectionKind::Invalid, "case_day_in_future", message),
            CaseRefusal::NoDay => Self::new(RejectionKind::Invalid, "bad_case_day", message),
            CaseRefusal::ConsentDates => Self::new(RejectionKind::Invalid, "consent_dates", message),
            CaseRefusal::ConsentExists => Self::new(RejectionKind::Conflict, "consent_exists", message),
            CaseRefusal::ConsentUnknown => Self::new(RejectionKind::NotFound, "not_found", message),
            CaseRefusal::ConsentWithdrawn => Self::new(RejectionKind::Conflict, "consent_withdrawn", message),
            CaseRefusal::Full => Self::new(RejectionKind::Conflict, "case_full", message),
        }
    }
}
