//! How the invented bodies behave: one answers in time, one late, one keeps silent, one asks for more time.
//!
//! Promises: answers over HTTP like any participant's program. Never: looks into the gateway.

use crate::cli::demo::peer::{Peer, Received};
use crate::domain::message::Envelope;
use crate::simulation::templates::answering;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

/// Something that a body will do.
struct Planned {
    at: DateTime<Utc>,
    kind: &'static str,
    request: Envelope,
}

/// Takes letters and answers them in its own manner, until the demo ends.
pub(super) async fn live(mut peer: Peer) -> anyhow::Result<()> {
    let mut planned: Vec<Planned> = Vec::new();
    let mut seen = 0_usize;
    loop {
        for letter in peer.take().await? {
            planned.extend(plan(&peer, letter, seen));
            seen += 1;
        }
        let now = peer.now();
        let (due, later) = planned.into_iter().partition(|one| one.at <= now);
        planned = later;
        for one in due {
            act(&peer, &one).await?;
        }
        peer.wait_hours(1).await;
    }
}

/// What a body does about a letter, and after how many hours.
fn plan(peer: &Peer, letter: Received, seen: usize) -> Vec<Planned> {
    let request = letter.message.envelope;
    let Some(reply) = reply_to(request.type_code.as_str()) else { return grant(peer, request) };
    let steps: &[(i64, &'static str)] = match peer.code() {
        "school-test-17" => &[(30, reply)],
        // Eight working days for a term of five.
        "school-test-18" => &[(250, reply)],
        // Silent; later a commission's word helps, sometimes.
        "school-test-kazan" if seen.is_multiple_of(2) => &[],
        "school-test-kazan" => &[(400, reply)],
        "guardianship-test" => &[(60, "control.interim-reply"), (150, reply)],
        "police-test" => &[(90, "control.extension-request"), (320, reply)],
        "centre-vymysel" => &[(70, reply)],
        _ => &[(100, reply)],
    };
    let planned = |&(hours, kind): &(i64, &'static str)| Planned {
        at: peer.now() + TimeDelta::hours(hours),
        kind,
        request: request.clone(),
    };
    steps.iter().map(planned).collect()
}

/// The centre grants every extension it is asked for.
fn grant(peer: &Peer, request: Envelope) -> Vec<Planned> {
    if request.type_code.as_str() != "control.extension-request" {
        return Vec::new();
    }
    vec![Planned { at: peer.now() + TimeDelta::hours(20), kind: "control.extension-decision", request }]
}

fn reply_to(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "request.information" => "reply.information",
        "request.school-characteristics" => "reply.school-characteristics",
        "request.plan-proposals" => "reply.plan-proposals",
        "signal.referral" => "signal.referral-outcome",
        "ruling.commission" => "report.ruling-execution",
        _ => return None,
    })
}

async fn act(peer: &Peer, planned: &Planned) -> anyhow::Result<()> {
    let mut message = answering(planned.kind, &peer.writing(), &planned.request)?;
    let day = |days| (peer.participant.zone.date(peer.now()) + TimeDelta::days(days)).to_string();
    match planned.kind {
        "control.interim-reply" => message["body"]["expected_on"] = json!(day(5)),
        "control.extension-request" => message["body"]["new_due"] = json!(day(14)),
        "control.extension-decision" => message["body"] = json!({"granted": true, "new_due": day(13)}),
        _ => {}
    }
    let sent = peer.send(&message).await;
    // An extension may come too late, an order may be another body's: a person would shrug, and so does the demo.
    if let Err(refused) = sent {
        tracing::debug!(%refused, "the demo's body was refused");
    }
    Ok(())
}
