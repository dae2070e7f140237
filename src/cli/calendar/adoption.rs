//! The preview of an adoption, and the adoption, as an operator reads them.
//!
//! Promises: the same lines before and after, so that the two can be compared. Never: decides (the gateway does).

use crate::domain::term::{date_words, days_words};
use crate::gateway::Gateway;
use crate::gateway::act::Actor;
use crate::gateway::adopt::{CalendarMove, CalendarMoves};
use crate::gateway::ports::Store;
use anyhow::anyhow;
use std::io::Write;
use std::process::ExitCode;

/// Shows what would move, or moves it by the decision of a person for a reason.
pub(super) async fn run(
    gateway: &Gateway,
    store: &dyn Store,
    (decision, json, out): (Option<(&str, &str)>, bool, &mut dyn Write),
) -> anyhow::Result<ExitCode> {
    let moves = match decision {
        None => gateway.calendar_moves().await,
        Some((by, reason)) => gateway.adopt_calendar(&person(store, by).await?, reason.to_owned()).await,
    };
    let moves = moves.map_err(|rejection| anyhow!("{rejection}"))?;
    if json {
        serde_json::to_writer_pretty(&mut *out, &moves)?;
        writeln!(out)?;
    } else {
        words(&moves, decision.is_some(), out)?;
    }
    out.flush()?;
    Ok(if moves.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn person(store: &dyn Store, login: &str) -> anyhow::Result<Actor> {
    let user = store.user(login).await?;
    let user = user.ok_or_else(|| anyhow!("login `{login}` is not known; create it: mezhved users create"))?;
    Ok(Actor::Person { login: user.login, name: user.name, role: user.role })
}

fn words(moves: &CalendarMoves, done: bool, out: &mut dyn Write) -> std::io::Result<()> {
    let verb = if done { "Сдвинуто" } else { "Сдвинется" };
    writeln!(out, "Открытых обязательств: {}. {verb}: {}.", moves.open, moves.moves.len())?;
    for one in &moves.moves {
        writeln!(out, "{}", line(one))?;
    }
    if !moves.faults.is_empty() {
        writeln!(out, "Не пересчитаны (остаются как есть): {}.", moves.faults.len())?;
    }
    for (id, fault) in &moves.faults {
        writeln!(out, "  {}: {fault}", id.0)?;
    }
    Ok(())
}

fn line(one: &CalendarMove) -> String {
    let number = one.number.as_deref().unwrap_or("без номера");
    let by = match one.working_days {
        0 => "день тот же, меняется час или прочтение в пользу исполнителя".to_owned(),
        days @ 1.. => format!("позже на {}", days_words(u32::try_from(days).unwrap_or(u32::MAX))),
        days => format!("раньше на {}", days_words(u32::try_from(days.unsigned_abs()).unwrap_or(u32::MAX))),
    };
    let provisional = if one.provisional { "; предварительно" } else { "" };
    format!(
        "№ {number}  {}  {} ({}): {} → {}, {by}{provisional}; календарь {} → {}",
        one.obligation.0,
        one.performer_title,
        one.performer,
        date_words(one.from),
        date_words(one.to),
        one.from_version,
        one.to_version,
    )
}
