//! What the invented bodies write: the catalogue's examples, with the dates, parties and items of this year.
//!
//! Promises: every letter passes the strict door. Never: an answer to more than was asked.

use crate::catalogue::Catalogue;
use crate::cli::year::families::Opening;
use crate::domain::ids::{ParticipantCode, TypeCode};
use crate::domain::message::Envelope;
use crate::simulation::templates::{self, Writing};
use anyhow::Context as _;
use chrono::{Days, NaiveDate, TimeDelta};
use serde_json::{Value, json};

/// A letter that begins an exchange.
pub(in crate::cli) fn opening(by: &Writing<'_>, planned: &Opening) -> anyhow::Result<Value> {
    let to: Vec<&str> = planned.to.iter().map(ParticipantCode::as_str).collect();
    let mut letter = templates::opening(planned.kind, by, &to)?;
    letter["support"] = json!({"track": planned.track, "level": planned.level});
    if planned.kind != "signal.referral" {
        letter["case"] = json!(planned.case);
    }
    let day = by.from.zone.date(by.now);
    let body = &mut letter["body"];
    match planned.kind {
        "request.information" => _ = body.as_object_mut().and_then(|body| body.remove("requested_due")),
        "request.plan-proposals" => body["meeting_date"] = after(day, 14),
        "council.invitation" => {
            let at = by.from.zone.with_offset(by.now + TimeDelta::days(12));
            body["meeting"]["at"] = json!(at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
        }
        "notice.family-change" => {
            body["changed_on"] = json!(day - Days::new(5));
            body["known_on"] = json!(day - Days::new(1));
        }
        "ruling.commission" => {
            body["date"] = json!(day);
            _ = body.as_object_mut().and_then(|body| body.remove("report_every"));
            body["orders"] = items(
                &to,
                |no, code| json!({"no": no, "body": code, "what": "Провести вымышленную работу", "due": after(day, 30)}),
            );
        }
        "plan.approved" => {
            body["date"] = json!(day);
            body["period"] = json!({"from": day, "to": after(day, 330)});
            body["measures"] = items(
                &to,
                |id, code| json!({"id": id, "name": "Вымышленное мероприятие", "body": code, "from": day, "to": after(day, 60)}),
            );
        }
        _ => {}
    }
    Ok(letter)
}

fn items(of: &[&str], item: impl Fn(String, &str) -> Value) -> Value {
    of.iter().enumerate().map(|(place, code)| item((place + 1).to_string(), code)).collect()
}

fn after(day: NaiveDate, days: u64) -> Value {
    json!(day + Days::new(days))
}

/// A letter inside an exchange.
pub(in crate::cli) fn answer(by: &Writing<'_>, kind: &str, request: &Envelope) -> anyhow::Result<Value> {
    let mut letter = templates::answering(kind, by, request)?;
    let day = by.from.zone.date(by.now);
    let own = request.to.iter().position(|to| *to == by.from.code).map_or(1, |place| place + 1).to_string();
    let body = &mut letter["body"];
    match kind {
        "report.ruling-execution" => {
            body["orders"] =
                json!([{"no": own, "done": true, "measures": "Вымышленная работа проведена", "date": day}]);
        }
        "report.measure" => {
            body["no"] = json!(own);
            body["done_on"] = json!(day);
        }
        "report.plan-progress" => {
            let half = if day < half_of(day) { 1 } else { 2 };
            body["period"] = json!({"year": chrono::Datelike::year(&day), "half": half});
            body["measures"] = json!([{"id": own, "status": "done", "result": "Вымышленный итог"}]);
        }
        "report.control-act" => {
            body["date"] = json!(day);
            letter["to"] = json!([by.from.commission.as_ref().context("who has no commission, owes it no act")?]);
        }
        "control.interim-reply" => body["expected_on"] = after(day, 7),
        "control.extension-request" => body["new_due"] = after(day, 14),
        "control.extension-decision" => *body = json!({"granted": true, "new_due": after(day, 12)}),
        _ => {}
    }
    Ok(letter)
}

/// Reports of the first half-year are written until the middle of July.
fn half_of(day: NaiveDate) -> NaiveDate {
    NaiveDate::from_ymd_opt(chrono::Datelike::year(&day), 7, 15).unwrap_or(day)
}

/// What a letter is answered with in full; `None` where nothing is owed.
pub(in crate::cli) fn demanded(kind: &TypeCode) -> Option<&'static str> {
    let answer = Catalogue::builtin().latest(kind)?.answer.as_ref().filter(|answer| answer.mandatory)?;
    answer.types.first().map(|code| code.as_str())
}
