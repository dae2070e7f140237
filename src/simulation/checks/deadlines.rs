//! Checks of time: the due date, the ladder, the order of facts.
//!
//! Promises: dates are counted anew by the core from their own protocol. Never: trusts a column.

use super::{Found, View};
use crate::domain::decision::{Event, EventKind};
use crate::domain::escalation::RungState;
use crate::domain::exchange::Duty;
use crate::domain::obligation::Obligation;
use crate::domain::term::{Event as TermEvent, Performer, compute};
use std::collections::{BTreeMap, BTreeSet};

fn duties<'v>(view: &'v View<'_>) -> impl Iterator<Item = &'v Duty> {
    view.disk.exchanges.values().flat_map(|exchange| &exchange.duties)
}

/// Invariant 6: the frozen date is the one that the rule gives, and nothing has moved it.
pub(super) fn due_date(view: &View<'_>) -> Found {
    let wrong = duties(view).filter_map(|duty| {
        let one = &duty.obligation;
        let counted = counted(view, one);
        (counted != Some((one.due.on, one.due.at)))
            .then(|| format!("{} is due on {} ({}), the rule says {counted:?}", one.id, one.due.on, one.due.at))
    });
    wrong.collect()
}

/// The due date counted anew from what its protocol names.
fn counted(view: &View<'_>, one: &Obligation) -> Option<(chrono::NaiveDate, chrono::DateTime<chrono::Utc>)> {
    let protocol = &one.due.protocol;
    let calendars = &view.world.setting.calendars;
    let calendar = calendars.for_performer(protocol.calendar.region.as_deref(), protocol.calendar.week).ok()?;
    let event = TermEvent::new(protocol.event.kind, protocol.event.at);
    let due = compute(&protocol.rule.term, &event, &Performer { calendar, zone: protocol.event.zone }).ok()?;
    Some((due.due_on, due.due_at))
}

/// Invariant 7: a rung fires once.
pub(super) fn each_rung_once(view: &View<'_>) -> Found {
    let mut fired: BTreeMap<String, u32> = BTreeMap::new();
    for event in view.disk.events.iter().filter(|event| event.kind == EventKind::RungFired) {
        let key = format!("rung {:?} of {:?}", event.detail, event.obligation);
        *fired.entry(key).or_default() += 1;
    }
    let mut found: Found = fired
        .into_iter()
        .filter(|(_, times)| *times > 1)
        .map(|(what, times)| format!("{what}: {times} times"))
        .collect();
    for duty in duties(view) {
        let numbers: BTreeSet<u8> = duty.rungs.rows.iter().map(|rung| rung.no).collect();
        if numbers.len() < duty.rungs.rows.len() {
            found.push(format!("{} has two rows of one rung", duty.obligation.id));
        }
    }
    found
}

/// Invariant 7: not before its time; and when all has healed, none is left behind (`no_limbo` says that one).
pub(super) fn no_rung_early_or_late(view: &View<'_>) -> Found {
    let mut found = Found::new();
    for duty in duties(view) {
        for rung in &duty.rungs.rows {
            let one = &duty.obligation;
            let at = match &rung.state {
                RungState::Fired { at } | RungState::Prepared { at } => *at,
                _ => continue,
            };
            let not_before = match rung.no {
                0 => rung.planned_at,
                1 => rung.planned_at.max(one.opened_at),
                2 => rung.planned_at.max(one.due.at),
                _ => rung.planned_at.max(one.due.lenient_at),
            };
            let is_outward = !view.world.bodies.iter().any(|body| body.code == one.performer && body.is_centre());
            if at < if is_outward { not_before } else { rung.planned_at } {
                found.push(format!("rung {} of {} fired at {at}, its time is {not_before}", rung.no, one.id));
            }
        }
    }
    found
}

/// Invariants 7 and 8: after an answer was recorded nothing climbs, unless it was sent back.
pub(super) fn an_answer_stops_the_ladder(view: &View<'_>) -> Found {
    let mut closed = BTreeSet::new();
    let mut found = Found::new();
    let climbs = |event: &Event| matches!(event.kind, EventKind::RungFired | EventKind::RungPrepared);
    for event in &view.disk.events {
        let Some(id) = event.obligation else { continue };
        match event.kind {
            EventKind::ObligationClosed => _ = closed.insert(id),
            EventKind::ObligationChanged => _ = closed.remove(&id),
            _ if climbs(event) && closed.contains(&id) => {
                found.push(format!("rung {:?} of {id} fired after it was closed", event.detail));
            }
            _ => {}
        }
    }
    found
}

/// Invariant 9: the same facts in another order make the same state. Facts of one instant keep their places.
pub(super) fn order_free(view: &View<'_>) -> Found {
    let mut found = Found::new();
    for duty in duties(view) {
        let one = &duty.obligation;
        let instants: BTreeSet<_> = one.facts.iter().map(crate::domain::obligation::Fact::at).collect();
        if instants.len() < one.facts.len() {
            continue;
        }
        let mut other = one.clone();
        other.facts.reverse();
        if (other.state(), other.due_at(), other.closed_at()) != (one.state(), one.due_at(), one.closed_at()) {
            found.push(format!("{}: {:?} and {:?}", one.id, one.state(), other.state()));
        }
    }
    found
}
