//! The three exchanges of the source documents, from the first paper to the last: the СОП track and the ТЖС track of the
//! Angarsk order (S4: `004_…`), and the primary assessment of case management (S1: `001_…`).
//!
//! Promises: every due date is a literal date, counted by hand over the calendar of 2026 in the Иркутская область (23
//! February, 9 March, 21 April (Радоница), 1 and 11 May, 12 June, 4 November and 31 December are days off).
//! Never: a date that is computed by what it checks.

mod assessment;
mod dangerous_position;
mod difficult_situation;

use crate::kit::{Story, code, coordinator, irkutsk, new_id, system};
use mezhved::catalogue::Catalogue;
use mezhved::domain::ids::{ParticipantCode, TypeCode};
use mezhved::gateway::act::Action;
use mezhved::gateway::cases::views::CaseView;
use mezhved::gateway::ports::decisions::Direction;
use mezhved::gateway::ports::reads::{DutyFilter, JournalFilter};
use mezhved::gateway::views::{JournalLine, ObligationView};
use serde_json::{Value, json};

const CASE: &str = "СЛ-2026/014";
const COMMISSION: &str = "commission-test";

/// A letter of a type, with the content of its example, about our case.
fn letter(of: &str, (from, to): (&str, &[&str])) -> Value {
    let entry = Catalogue::builtin().latest(&TypeCode::new(of).unwrap()).unwrap();
    let mut letter: Value = serde_json::from_str(entry.example_json.as_deref().unwrap()).unwrap();
    (letter["id"], letter["case"]) = (json!(new_id()), json!(CASE));
    (letter["from"], letter["to"]) = (json!(from), json!(to));
    for of_the_example in ["exchange", "in_reply_to", "registration"] {
        letter.as_object_mut().unwrap().remove(of_the_example);
    }
    letter
}

/// The same in answer to another.
fn answering(mut letter: Value, what: &Value) -> Value {
    (letter["exchange"], letter["in_reply_to"]) = (what["id"].clone(), what["id"].clone());
    letter
}

/// A letter that begins an exchange of its own and says which one it follows.
fn following(mut letter: Value, what: &Value) -> Value {
    letter["in_reply_to"] = what["id"].clone();
    letter
}

/// The letter goes out, and is there at once.
async fn goes(story: &Story, at: &str, mut letter: Value) -> Value {
    story.set(at);
    letter["created_at"] = json!(irkutsk(at).to_rfc3339());
    story.submit(&letter).await.unwrap_or_else(|refused| panic!("{at} {}: {refused:?}", letter["type"]));
    letter
}

/// Time passes, and the gateway looks at what is owed.
async fn passes(story: &Story, until: &str) {
    story.set(until);
    story.sweep().await;
}

async fn of_the_case(story: &Story) -> Vec<ObligationView> {
    let filter = DutyFilter { limit: 200, case: Some(CASE.to_owned()), ..DutyFilter::default() };
    story.gateway.obligations(filter, &coordinator()).await.unwrap()
}

/// What `letter` opened: what is owed, by whom to whom, until when, and where it stands.
async fn opened_by(story: &Story, letter: &Value) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for one in of_the_case(story).await {
        if json!(one.exchange) != letter["id"] {
            continue;
        }
        let what = one.duty.as_ref().map_or_else(|| one.awaited_title.clone(), |duty| duty.report.to_string());
        let what = [Some(what), one.item].into_iter().flatten().collect::<Vec<String>>().join(" ");
        let (who, whom) = (one.performer.code, one.controller.code);
        rows.push(format!("{what}: {who} → {whom} {} {}", one.due_on, one.state));
    }
    rows.sort();
    rows
}

/// The controller is content with every answer to `letter`.
async fn released(story: &Story, at: &str, (letter, controller): (&Value, &str)) {
    story.set(at);
    let mut count = 0;
    for one in of_the_case(story).await {
        if json!(one.exchange) == letter["id"] && one.controller.code == code(controller) && one.state == "answered" {
            story.gateway.act(one.id, Action::Release, system(controller)).await.unwrap();
            count += 1;
        }
    }
    assert!(count > 0, "{at}: {controller} finds nothing to release");
}

async fn record(story: &Story) -> CaseView {
    story.gateway.case(None, CASE, &coordinator()).await.unwrap()
}

/// §6 of a participant, of our case, in one direction: «№ | Дата | Приложение | Содержание» and with whom.
async fn journal(story: &Story, (of, direction): (&str, Direction)) -> Vec<String> {
    let participant: ParticipantCode = code(of);
    let filter =
        JournalFilter { participant, case: Some(CASE.to_owned()), from: None, to: None, limit: 1000, in_house: false };
    let lines = story.gateway.whole_journal(filter, Some(direction), &system(of)).await.unwrap();
    lines.iter().map(line).collect()
}

fn line(line: &JournalLine) -> String {
    let JournalLine { number, annexes, summary, counterparty, .. } = line;
    let annexes = if annexes.is_empty() { String::new() } else { format!(" [{annexes}]") };
    format!("{number} {} {counterparty}{annexes} {summary}", line.date.format("%d.%m.%Y"))
}

/// The stages of a case with their days.
fn stages(case: &CaseView) -> Vec<String> {
    let code = |stage: &Value| stage.as_str().unwrap().to_owned();
    case.stages.iter().map(|one| format!("{} {}", code(&json!(one.stage)), one.on)).collect()
}

/// «Уровень сопровождения | Дата постановки | Дата перевода | Дата снятия» (S3).
fn spells(case: &CaseView) -> Vec<String> {
    let mut rows = Vec::new();
    for one in &case.levels {
        let moved = one.moved_on.map(|on| format!(", moved {on}"));
        let removed = one.removed_on.map(|on| format!(", removed {on}"));
        let level = json!(one.level);
        let level = level.as_str().unwrap();
        rows.push(format!("{level}: {}{}", one.placed_on, moved.or(removed).unwrap_or_default()));
    }
    rows
}
