//! Policies: the catalogue's entries in the words of the core.
//!
//! Promises: every term of the catalogue is checked here once, before anything is exchanged. Never: guesses a term.

use crate::catalogue::{self, Action, Catalogue, Entry, TermEntry};
use crate::domain::ids::TypeCode;
use crate::domain::rule::{
    AnswerRule, BodyFacts, Control, DutyRule, DutyTime, Item, ReceiptKind, RegistrationFact, Release, Role, TypeRule,
};
use crate::domain::term::{Term, Unit};
use chrono::NaiveDate;
use std::collections::{HashMap, HashSet};

/// The rules of all types, by code and version.
#[derive(Debug, Default)]
pub struct Policies {
    by_type: HashMap<(TypeCode, u32), Vec<Policy>>,
    /// Types that begin an exchange and may also answer what is owed in another (a ruling upon a petition), or end it.
    opening_answers: HashSet<TypeCode>,
    /// Types that end duties of a case.
    ending: HashSet<TypeCode>,
}

/// An edition of a type's rule, and those that a code in the body calls for instead of it.
#[derive(Debug)]
struct Policy {
    /// The first day on which it holds.
    from: NaiveDate,
    rule: TypeRule,
    cases: HashMap<String, TypeRule>,
}

/// An entry whose rule cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("catalogue entry {code} version {version}: {problem}")]
pub struct PolicyFault {
    pub code: TypeCode,
    pub version: u32,
    pub problem: String,
}

impl Policies {
    /// Reads the rules out of the catalogue.
    ///
    /// # Errors
    /// The first [`PolicyFault`].
    pub fn of(catalogue: &Catalogue) -> Result<Self, PolicyFault> {
        let mut by_type = HashMap::new();
        for entry in catalogue.entries().flat_map(Entry::all_editions) {
            let policy = policy_of(entry).map_err(|problem| PolicyFault {
                code: entry.code.clone(),
                version: entry.version,
                problem,
            })?;
            by_type.entry((entry.code.clone(), entry.version)).or_insert_with(Vec::new).push(policy);
        }
        let policies = || by_type.values().flatten();
        let awaited = policies().filter_map(|policy: &Policy| policy.rule.answer.as_ref());
        let duties = || policies().flat_map(|policy: &Policy| &policy.rule.duties);
        let ending: HashSet<TypeCode> = duties().flat_map(|duty| &duty.ends).cloned().collect();
        let owed = duties().map(|duty| &duty.answer);
        let awaited: HashSet<&TypeCode> = awaited.flat_map(|rule| &rule.types).chain(&ending).chain(owed).collect();
        let opens = |policies: &[Policy]| policies.iter().any(|policy| policy.rule.role == Role::Opening);
        let openings = by_type.iter().filter(|(_, policies)| opens(policies));
        let opening_answers = openings.map(|((code, _), _)| code).filter(|code| awaited.contains(code));
        let opening_answers = opening_answers.cloned().collect();
        Ok(Self { by_type, opening_answers, ending })
    }

    /// Whether a type that begins an exchange may also answer what is owed in another (a ruling upon a petition).
    #[must_use]
    pub fn opens_and_answers(&self, code: &TypeCode) -> bool {
        self.opening_answers.contains(code)
    }

    /// Whether a message of this type ends duties of the case that it names.
    #[must_use]
    pub fn ends_duties(&self, code: &TypeCode) -> bool {
        self.ending.contains(code)
    }

    /// The rule of an edition of a type, for a message whose body names this case of the term.
    #[must_use]
    pub fn rule(&self, edition: &Entry, case: Option<&str>) -> Option<&TypeRule> {
        let editions = self.by_type.get(&(edition.code.clone(), edition.version))?;
        let policy = editions.iter().find(|policy| policy.from == edition.version_from)?;
        Some(case.and_then(|case| policy.cases.get(case)).unwrap_or(&policy.rule))
    }
}

fn policy_of(entry: &Entry) -> Result<Policy, String> {
    for term in [&entry.sent_within, &entry.registered_within, &entry.redirected_within].into_iter().flatten() {
        term.term()?;
    }
    let rule = rule_of(entry, entry.term.as_ref())?;
    let cases = entry.term.iter().flat_map(|term| &term.cases);
    let cases = cases.map(|(case, term)| Ok((case.clone(), rule_of(entry, Some(term))?)));
    Ok(Policy { from: entry.version_from, rule, cases: cases.collect::<Result<_, String>>()? })
}

fn rule_of(entry: &Entry, term: Option<&TermEntry>) -> Result<TypeRule, String> {
    let role = role_of(entry)?;
    let stated_by_item = Term::new(Unit::FixedDates, 1);
    let answer = match &entry.answer {
        Some(answer) if answer.mandatory => Some(AnswerRule {
            types: answer.types.clone(),
            release: release_of(answer.release),
            term: match (term, &answer.each) {
                (Some(term), _) => term.term()?,
                // Each item states its own date; one that does not is refused when it comes.
                (None, Some(each)) if each.due.is_some() => stated_by_item,
                (None, _) => return Err("a mandatory answer needs a [term], or items that state their dates".into()),
            },
            term_urgent: term.and_then(|term| term.urgent.as_deref()).map(TermEntry::term).transpose()?,
            term_emergency: term.and_then(|term| term.emergency.as_deref()).map(TermEntry::term).transpose()?,
            version: entry.version_from.to_string(),
            source: entry.source.clone(),
            extension_days_max: entry.extension_max_days,
            suspensions_max: entry.suspensions_max(),
        }),
        _ => None,
    };
    let duties = entry.duties.iter().map(|duty| duty_of(entry, duty)).collect::<Result<_, _>>()?;
    Ok(TypeRule { role, answer, duties })
}

fn duty_of(entry: &Entry, duty: &catalogue::Recurring) -> Result<DutyRule, String> {
    let when = match (duty.rhythm, duty.apart, &duty.term) {
        (Some(rhythm), None, None) => DutyTime::Each { rhythm, stated: duty.rhythm_in.is_some() },
        (None, Some(apart), None) => DutyTime::Apart(apart),
        (None, None, Some(term)) => DutyTime::Once(term.term()?),
        _ => return Err("a duty says one of `rhythm`, `apart` and `term`".into()),
    };
    Ok(DutyRule {
        answer: duty.answer.clone(),
        owes: duty.owes,
        to: duty.to,
        when,
        release: release_of(duty.release),
        ends: duty.ends.clone(),
        version: entry.version_from.to_string(),
        source: duty.source.as_ref().unwrap_or(&entry.source).clone(),
    })
}

fn release_of(release: catalogue::Release) -> Release {
    match release {
        catalogue::Release::Automatic => Release::Automatic,
        catalogue::Release::Controller => Release::Controller,
    }
}

fn role_of(entry: &Entry) -> Result<Role, String> {
    Ok(match entry.role {
        catalogue::Role::Request | catalogue::Role::Notice | catalogue::Role::Ruling => Role::Opening,
        catalogue::Role::Reply | catalogue::Role::Report => Role::Answer,
        catalogue::Role::Receipt => Role::Receipt(match entry.code.as_str() {
            "receipt.delivery" => ReceiptKind::Delivery,
            "receipt.registration" => ReceiptKind::Registration,
            "receipt.refusal" => ReceiptKind::Refusal,
            other => return Err(format!("`{other}` is no receipt that the gateway knows; use another role")),
        }),
        catalogue::Role::Control(action) => Role::Control(control_of(action)),
    })
}

fn control_of(action: Action) -> Control {
    match action {
        Action::InterimReply => Control::InterimReply,
        Action::ExtensionRequest => Control::ExtensionRequest,
        Action::ExtensionDecision => Control::ExtensionDecision,
        Action::Redirection => Control::Redirection,
        Action::ReasonedRefusal => Control::ReasonedRefusal,
        Action::Withdrawal => Control::Withdrawal,
        Action::Return => Control::Return,
        Action::Release => Control::Release,
        Action::Reminder | Action::RepeatRequest | Action::Escalation => Control::Notice,
        Action::ClarificationRequest => Control::ClarificationRequest,
        Action::Clarification => Control::Clarification,
        // Who is on it changes no term.
        Action::Executor => Control::Notice,
    }
}

/// The facts of a message's body, in the core's words.
#[must_use]
pub fn facts_of(facts: catalogue::BodyFacts) -> BodyFacts {
    let item = |item: catalogue::Item| {
        let catalogue::Item { key, performer, due, ends_on } = item;
        Item { key, performer, due, ends_on }
    };
    BodyFacts {
        stated_due: facts.stated_due,
        known_on: facts.known_on,
        items: facts.items.into_iter().map(item).collect(),
        duties: facts.duties,
        rhythm: facts.rhythm,
        named: facts.named,
        answered_items: facts.answered_items,
        answered_on: facts.answered_on,
        no_data: facts.no_data,
        expected_on: facts.expected_on,
        new_due: facts.new_due,
        granted: facts.granted,
        redirect_to: facts.redirect_to,
        reason_code: facts.reason_code,
        accepted: facts.accepted,
        registration: facts.registration.as_ref().map(RegistrationFact::from),
        content_sha256: facts.content_sha256,
    }
}
