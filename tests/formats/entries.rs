//! What the entries say, over all of them: complete, consistent with one another, in the language of those who read it.
//!
//! Promises: a type that nobody could send, answer or read about is found. Never: judges a law.

use mezhved::catalogue::{Catalogue, Entry, Party, Role};
use mezhved::config::participants;
use mezhved::domain::ids::TypeCode;
use mezhved::domain::message::Format;
use mezhved::domain::participant::{BodyKind, Directory};
use mezhved::format;
use std::collections::BTreeSet;

/// The whole domain, A to E.
const TYPES: &str = "signal.referral signal.referral-outcome signal.phone-message notice.rights-violation
    notice.commission notice.child-without-care notice.dangerous-position notice.abuse-or-offence notice.health-need
    notice.left-education notice.youth-need notice.employment-need notice.penal-supervision notice.family-change
    notice.support-level notice.case-opened notice.case-closed signal.family-change report.visit-act report.monitoring
    request.school-characteristics reply.school-characteristics request.information reply.information
    request.police-record reply.police-record request.guardianship reply.guardianship request.health reply.health
    request.register-status reply.register-status request.plan-proposals reply.plan-proposals request.primary-survey
    reply.primary-survey request.relocation reply.relocation request.court-copy reply.court-copy request.engagement
    reply.engagement report.measure request.service-data reply.service-data council.invitation council.response
    council.extract
    ruling.commission report.ruling-execution ruling.deregistration plan.approved report.plan-progress
    report.control-act petition.commission
    supervision.representation supervision.demand supervision.court-ruling supervision.investigator
    supervision.administrative reply.supervision appeal.citizen reply.appeal
    receipt.delivery receipt.registration receipt.refusal control.executor control.interim-reply
    control.clarification-request control.clarification control.extension-request control.extension-decision
    control.redirection control.reasoned-refusal control.reminder control.repeat-request control.escalation
    control.withdrawal control.return control.release";

fn entries() -> impl Iterator<Item = &'static Entry> {
    Catalogue::builtin().entries()
}

fn entry(code: &str) -> &'static Entry {
    Catalogue::builtin().latest(&TypeCode::new(code).unwrap()).unwrap_or_else(|| panic!("{code}"))
}

#[test]
fn every_type_of_the_domain_is_in_the_catalogue_and_no_other() {
    let known: BTreeSet<&str> = entries().map(|entry| entry.code.as_str()).collect();
    assert_eq!(known, TYPES.split_whitespace().collect());
}

#[test]
fn every_example_goes_between_bodies_of_the_example_file_whose_roles_allow_it() {
    let text = include_str!("../../config/examples/participants.toml");
    let directory: Directory = participants::from_toml(text).unwrap().into_iter().collect();
    for entry in entries() {
        let document = entry.example_json.as_deref().unwrap();
        let envelope = format::read(document.as_bytes(), Format::Json, Catalogue::builtin()).unwrap().envelope;
        let kind = |code: &mezhved::domain::ids::ParticipantCode| match code.as_str() {
            "mezhved" => None,
            known => Some(directory.get(code).unwrap_or_else(|| panic!("{}: {known} is nobody", entry.code)).kind),
        };
        for to in &envelope.to {
            assert!(entry.allows(kind(&envelope.from), kind(to)), "{}: {} to {to}", entry.code, envelope.from);
        }
    }
}

/// Every kind of body that a party may be.
fn kinds(parties: &[Party]) -> Vec<BodyKind> {
    use BodyKind::*;
    let all = [
        SocialCentre,
        SocialProtection,
        Commission,
        EducationAuthority,
        School,
        Guardianship,
        Youth,
        HealthAuthority,
        HealthFacility,
        Employment,
        Police,
        PenalInspection,
        CultureSport,
        Prosecutor,
        Court,
        Investigator,
        Ombudsman,
        Ngo,
        RegisterKeeper,
        Citizen,
    ];
    let is = |kind: &BodyKind| parties.iter().any(|party| *party == Party::Any || *party == Party::Kind(*kind));
    all.into_iter().filter(is).collect()
}

#[test]
fn whoever_may_be_asked_may_answer_whoever_may_ask() {
    for asking in entries() {
        for parties in &asking.parties {
            for from in kinds(&parties.from) {
                for to in kinds(&parties.to) {
                    let answers = asking.answer.iter().flat_map(|answer| &answer.types);
                    let mute: Vec<_> =
                        answers.filter(|code| !entry(code.as_str()).allows(Some(to), Some(from))).collect();
                    assert!(mute.is_empty(), "{}: {to:?} may not send {mute:?} to {from:?}", asking.code);
                }
            }
        }
    }
}

#[test]
fn every_answer_answers_something_or_is_owed_by_a_duty() {
    let duties = entries().flat_map(|entry| &entry.duties).map(|duty| &duty.answer);
    let awaited: BTreeSet<&TypeCode> =
        entries().filter_map(|entry| entry.answer.as_ref()).flat_map(|one| &one.types).chain(duties).collect();
    let answers = entries().filter(|entry| matches!(entry.role, Role::Reply | Role::Report));
    let idle: Vec<&str> =
        answers.map(|one| &one.code).filter(|code| !awaited.contains(code)).map(|code| code.as_str()).collect();
    assert!(idle.is_empty(), "{idle:?}");
}

#[test]
fn data_of_a_special_category_names_its_law_and_its_consent_where_one_is_needed() {
    let marked = |is: fn(&Entry) -> bool| -> Vec<&str> {
        entries().filter(|entry| is(entry)).map(|entry| entry.code.as_str()).collect()
    };
    assert_eq!(
        marked(|entry| entry.special_category),
        ["notice.abuse-or-offence", "notice.health-need", "reply.health", "request.health"]
    );
    assert_eq!(marked(|entry| entry.needs_consent), ["reply.health", "request.health"]);
    for entry in entries().filter(|entry| entry.needs_consent) {
        let document = entry.example_json.as_deref().unwrap();
        let envelope = format::read(document.as_bytes(), Format::Json, Catalogue::builtin()).unwrap().envelope;
        assert!(envelope.consent.is_some() || envelope.no_consent_ground.is_some(), "{}", entry.code);
    }
}

#[test]
fn what_people_are_shown_is_russian() {
    // Names of other standards stay as they are.
    let names = ["acknowledgment", "RequestRejected", "Cancel"];
    let english = |text: &str| {
        let words = text.split(|one: char| !one.is_ascii_alphabetic());
        let roman = |word: &str| word.chars().all(|letter| "IVX".contains(letter));
        words
            .filter(|word| word.len() > 2 && !roman(word) && !names.contains(word))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for entry in entries() {
        let shown = [&[entry.title_ru.clone(), entry.source.clone()], entry.law.as_slice()].concat();
        for text in shown {
            assert!(english(&text).is_empty() && !text.contains("[P]"), "{}: {text}", entry.code);
        }
        let untitled = entry.body.fields.iter().find(|field| field.title.is_none());
        assert!(untitled.is_none(), "{}: `{}` has no title", entry.code, untitled.unwrap().name);
    }
}
