//! The invented centre and commission: who is asked what, day after day.
//!
//! Promises: plainly invented families only. Never: ends by itself.

use crate::cli::demo::peer::Peer;
use crate::simulation::templates::opening;
use chrono::TimeDelta;
use serde_json::json;

/// What the centre asks, over and over: type, addressees, level of support.
const ROUNDS: [(&str, &[&str], &str); 7] = [
    ("request.school-characteristics", &["school-test-17", "school-test-18"], "basic"),
    ("request.information", &["school-test-kazan"], "basic"),
    ("request.information", &["guardianship-test"], "adaptation"),
    ("request.information", &["police-test"], "basic"),
    ("request.information", &["school-test-18"], "crisis"),
    ("request.plan-proposals", &["education-test", "guardianship-test"], "basic"),
    ("notice.family-change", &["register-test"], "basic"),
];

/// Asks everybody at once on the first day, then somebody every other day.
pub(super) async fn ask(peer: Peer) -> anyhow::Result<()> {
    for round in 0..ROUNDS.len() {
        send(&peer, round).await?;
    }
    for round in ROUNDS.len().. {
        peer.wait_hours(40).await;
        send(&peer, round).await?;
    }
    Ok(())
}

async fn send(peer: &Peer, round: usize) -> anyhow::Result<()> {
    let (kind, to, level) = ROUNDS[round % ROUNDS.len()];
    let mut message = opening(kind, &peer.writing(), to)?;
    message["case"] = json!(format!("СЛ-2026/{:03}", 14 + round));
    message["support"] = json!({"track": "difficult_situation", "level": level});
    let today = peer.participant.zone.date(peer.now());
    let body = &mut message["body"];
    if body.get("requested_due").is_some() {
        body.as_object_mut().and_then(|body| body.remove("requested_due"));
    }
    if body.get("meeting_date").is_some() {
        body["meeting_date"] = json!((today + TimeDelta::days(14)).to_string());
    }
    peer.send(&message).await
}
