//! What the invented participants write: the catalogue's examples with the parties and dates of the world.
//!
//! Promises: what is meant to be good passes the strict door; each letter bears words of its own, by which it is known.
//! Never: a real name.

use crate::catalogue::Catalogue;
use crate::domain::ids::ParticipantCode;
use crate::domain::message::Envelope;
use crate::domain::participant::BodyKind;
use crate::simulation::books::Matter;
use crate::simulation::dice::Dice;
use crate::simulation::templates::{self, Writing};
use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use std::sync::Arc;

/// Requests of a centre, and the kind of body that each asks.
pub(super) const OF_CENTRES: [(&str, Option<BodyKind>); 5] = [
    ("request.information", None),
    ("request.school-characteristics", Some(BodyKind::School)),
    ("request.police-record", Some(BodyKind::Police)),
    ("request.guardianship", Some(BodyKind::Guardianship)),
    ("request.information", None),
];
/// What others write to a centre of their own accord.
pub(super) const TO_CENTRES: [&str; 2] = ["request.information", "signal.referral"];

/// A letter that begins an exchange.
pub(super) fn opening(by: &Writing<'_>, kind: &str, to: &[ParticipantCode], dice: &mut Dice) -> anyhow::Result<Value> {
    let to: Vec<&str> = to.iter().map(ParticipantCode::as_str).collect();
    let mut letter = templates::opening(kind, by, &to)?;
    let level = *dice.one_of(&["adaptation", "basic", "basic", "crisis", "emergency"]).unwrap_or(&"basic");
    letter["support"] = json!({"track": "difficult_situation", "level": level});
    if kind != "signal.referral" {
        letter["case"] = json!(format!("СЛ-2026/{:03}", dice.below(40)));
    }
    if let Some(body) = letter["body"].as_object_mut().filter(|_| kind == "request.information") {
        body.remove("requested_due");
    }
    letter["summary"] = json!(format!("Вымышленное письмо {}", by.id));
    Ok(letter)
}

/// A letter about another.
pub(super) fn about(by: &Writing<'_>, kind: &str, about: &Envelope, dice: &mut Dice) -> anyhow::Result<Value> {
    let mut letter = templates::answering(kind, by, about)?;
    let day = by.from.zone.date(by.now);
    let body = &mut letter["body"];
    match kind {
        "control.interim-reply" => body["expected_on"] = after(day, 7),
        "control.extension-request" => body["new_due"] = after(day, 14 + dice.below(20)),
        "control.extension-decision" if dice.percent(75) => {
            *body = json!({"granted": true, "new_due": after(day, 8 + dice.below(12))});
        }
        "control.extension-decision" => *body = json!({"granted": false, "reason": "Вымышленная причина"}),
        _ => {}
    }
    letter["summary"] = json!(format!("Вымышленное письмо {}", by.id));
    Ok(letter)
}

fn after(day: NaiveDate, days: u64) -> Value {
    json!(day + Days::new(days))
}

/// What a letter that has come gives its reader to write about.
pub(super) fn matters_of(by: &ParticipantCode, envelope: &Arc<Envelope>) -> Vec<Matter> {
    let matter = |kind| Matter { by: by.clone(), kind, about: Arc::clone(envelope) };
    let code = envelope.type_code.as_str();
    match code {
        "control.extension-request" => vec![matter("control.extension-decision")],
        "control.clarification-request" => vec![matter("control.clarification")],
        "control.reasoned-refusal" => vec![matter("control.release")],
        _ if code.starts_with("reply.") => vec![matter("control.release"), matter("control.return")],
        _ => demanded(envelope).map(matter).into_iter().collect(),
    }
}

/// What a letter is answered with in full; `None` where nothing is owed.
pub(super) fn demanded(letter: &Envelope) -> Option<&'static str> {
    let answer = Catalogue::builtin().latest(&letter.type_code)?.answer.as_ref().filter(|answer| answer.mandatory)?;
    answer.types.first().map(|code| code.as_str())
}

/// What a performer may write instead of the answer.
pub(super) const EVASIONS: [&str; 4] =
    ["control.interim-reply", "control.extension-request", "control.clarification-request", "control.reasoned-refusal"];
