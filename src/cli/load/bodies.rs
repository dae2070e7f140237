//! The invented bodies of a load test: those of the example file, as many as are wanted, under codes that begin with
//! `load-`.
//!
//! Promises: whoever sees one, sees that it is invented; nobody is mailed, called or pushed to. Never: a real body.

use crate::cli::year;
use crate::config::participants;
use crate::domain::ids::ParticipantCode;
use crate::domain::participant::{BodyKind, Mailboxes, Participant, Route};
use anyhow::Context as _;
use std::collections::HashSet;

/// Every code of a load test begins so, and no other should.
pub(super) const PREFIX: &str = "load-";

/// Of which bodies there are many in a region, in the order in which they are added; again and again.
const MANY: [&str; 9] = [
    "school-test-17",
    "school-test-18",
    "clinic-test",
    "school-test-17",
    "guardianship-test",
    "school-test-18",
    "police-test",
    "school-test-17",
    "ngo-test",
];
/// Bodies around one centre.
const A_CENTRE_FOR: usize = 30;

/// Whether the body belongs to a load test.
pub(super) fn is_of_load(code: &ParticipantCode) -> bool {
    code.as_str().starts_with(PREFIX)
}

/// That many bodies, the first of them a centre.
pub(super) fn invent(count: usize, route: &Route) -> anyhow::Result<Vec<Participant>> {
    let patterns = participants::from_toml(include_str!("../../../config/examples/participants.toml"))?;
    // The citizen has no system, and the bodies of other regions take no part.
    let local = |one: &&Participant| one.region.as_deref() == Some("RU-IRK") && one.kind != BodyKind::Citizen;
    let once: Vec<&Participant> = patterns.iter().filter(local).collect();
    let centre = once.iter().find(|one| one.is_centre()).context("the example file has a centre")?;
    let mut bodies = Vec::new();
    for pattern in once.iter().take(count) {
        bodies.push(load(pattern, 1, route)?);
    }
    let (mut numbers, mut turn) = (std::collections::HashMap::<&str, usize>::new(), 0);
    while bodies.len() < count {
        let another_centre = bodies.len().is_multiple_of(A_CENTRE_FOR);
        let name = if another_centre { centre.code.as_str() } else { MANY[turn % MANY.len()] };
        turn += usize::from(!another_centre);
        let pattern = once.iter().find(|one| one.code.as_str() == name).context("a body of the example file")?;
        let number = numbers.entry(name).or_insert(1);
        *number += 1;
        bodies.push(load(pattern, *number, route)?);
    }
    let known: HashSet<ParticipantCode> = bodies.iter().map(|one| one.code.clone()).collect();
    for body in &mut bodies {
        for other in [&mut body.commission, &mut body.superior, &mut body.prosecutor, &mut body.register_keeper] {
            *other = other.take().map(|code| of_load(&code)).transpose()?.filter(|code| known.contains(code));
        }
    }
    Ok(bodies)
}

fn load(pattern: &Participant, number: usize, route: &Route) -> anyhow::Result<Participant> {
    let body = year::bodies::copy(pattern, number)?;
    Ok(Participant {
        code: of_load(&body.code)?,
        title: format!("Нагрузка: {}", body.title),
        route: route.clone(),
        executor: None,
        head: None,
        mail: Mailboxes::default(),
        alerts_url: None,
        ..body
    })
}

fn of_load(code: &ParticipantCode) -> anyhow::Result<ParticipantCode> {
    Ok(ParticipantCode::new(&format!("{PREFIX}{code}"))?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    #[test]
    fn bodies_of_a_load_test_are_as_many_as_wanted_and_name_only_one_another() {
        for count in [2, 7, 18, 60, 300] {
            let bodies = invent(count, &Route::Inbox).unwrap();
            let codes: HashSet<&ParticipantCode> = bodies.iter().map(|one| &one.code).collect();
            assert_eq!((bodies.len(), codes.len()), (count, count));
            assert!(bodies[0].is_centre());
            for body in &bodies {
                assert!(is_of_load(&body.code), "{}", body.code);
                assert!(body.executor.is_none() && body.mail == Mailboxes::default());
                for other in [&body.commission, &body.superior, &body.prosecutor, &body.register_keeper] {
                    assert!(other.as_ref().is_none_or(|code| codes.contains(code) && *code != body.code));
                }
            }
        }
        assert_eq!(invent(300, &Route::Inbox).unwrap().iter().filter(|one| one.is_centre()).count(), 10);
    }
}
