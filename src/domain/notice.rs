//! A notice: a few lines by mail, or a thin webhook, that tell a person of a rung; beside the letters, never instead.
//!
//! Promises: nobody outside is told of a rung before it has fired or a person has sent its letter; what is not urgent
//! waits for the recipient's opening hour or for its morning digest. Never: bears anything of a child or a family (its
//! words are made of numbers, dates and titles only).

use crate::domain::calendar::Calendar;
use crate::domain::decide::letters::addressee;
use crate::domain::decision::Context;
use crate::domain::escalation::{Ladder, RungPolicy};
use crate::domain::exchange::Duty;
use crate::domain::ids::{ObligationId, ParticipantCode};
use crate::domain::participant::Participant;
use crate::domain::rule::Urgency;
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The duty of a person at a body: whom a rung tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// Who prepares answers at the body that owes.
    Executor,
    /// The registry of the body that owes.
    Registry,
    /// The head of the body that owes.
    Head,
    /// The registry of the third body that the rung's letter goes to.
    Addressee,
    /// The head of the department of the centre that owes.
    Department,
    /// The coordinator of the centre.
    Coordinator,
    /// The director of the centre.
    Director,
}

/// By what a rung tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The rung's letter itself, an ordinary message of the exchange.
    Message,
    Mail,
    Webhook,
    /// The page of the centre's people; every rung is there.
    Board,
}

/// Whom a rung tells, and by what, as the ladder's file says it.
pub type Telling = BTreeMap<Whom, Vec<Channel>>;

/// How a notice goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Medium {
    Mail,
    Webhook,
}

impl Medium {
    /// The stable code, as in the store and the figures.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhook => "webhook",
        }
    }
}

impl Whom {
    /// The stable code, as in the ladder's file and the store.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Executor => "executor",
            Self::Registry => "registry",
            Self::Head => "head",
            Self::Addressee => "addressee",
            Self::Department => "department",
            Self::Coordinator => "coordinator",
            Self::Director => "director",
        }
    }

    /// A person of ours, who may know of a letter before it is decided on.
    fn is_ours(self) -> bool {
        matches!(self, Self::Department | Self::Coordinator | Self::Director)
    }
}

/// What a notice tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// It fired.
    Fired,
    /// Its letter waits for a person.
    Prepared,
    /// A person has sent its letter.
    Sent,
    /// The alert is over.
    Resolved,
}

impl Occasion {
    fn code(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::Prepared => "prepared",
            Self::Sent => "sent",
            Self::Resolved => "resolved",
        }
    }
}

/// A notice that the core has decided on; its words are the gateway's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Follows from the occasion and the recipient: constant over retries, and never made twice.
    pub id: Uuid,
    pub medium: Medium,
    pub recipient: ParticipantCode,
    pub whom: Whom,
    pub occasion: Occasion,
    pub rung: u8,
    pub obligation: ObligationId,
    /// Not before this instant: an opening hour of the recipient, unless it is urgent.
    pub not_before: DateTime<Utc>,
}

/// Whom a rung tells of what has just happened to it.
pub(crate) fn of_rung(duty: &Duty, policy: &RungPolicy, occasion: Occasion, ctx: &Context<'_>) -> Vec<Notice> {
    let obligation = &duty.obligation;
    let Some(body) = ctx.directory.get(&obligation.performer) else { return Vec::new() };
    let since = duty.rungs.row(policy.no).map_or(ctx.now, |row| row.planned_at);
    let seed = format!("notice-{}-{}-{}", policy.no, occasion.code(), since.timestamp_micros());
    let mut notices: Vec<Notice> = Vec::new();
    for (whom, channels) in &policy.tell {
        let Some(to) = reached(*whom, policy, (body, &obligation.controller)) else { continue };
        let Some(recipient) = ctx.directory.get(to) else { continue };
        for medium in channels.iter().filter_map(|channel| medium_of(*channel)) {
            let taken = |one: &Notice| is_same_mailbox(one, (medium, recipient, *whom));
            if !is_told(medium, (*whom, occasion), obligation.urgency)
                || !is_reachable(recipient, medium, *whom)
                || notices.iter().any(taken)
            {
                continue;
            }
            let name = format!("{seed}-{}-{}", medium.code(), whom.code());
            notices.push(Notice {
                id: Uuid::new_v5(&obligation.id.0, name.as_bytes()),
                medium,
                recipient: recipient.code.clone(),
                whom: *whom,
                occasion,
                rung: policy.no,
                obligation: obligation.id,
                not_before: not_before(recipient, obligation.urgency, ctx),
            });
        }
    }
    notices
}

/// The end of an alert is told by webhook to whom its beginning was.
pub(crate) fn of_resolution(duty: &Duty, ladder: &Ladder, ctx: &Context<'_>) -> Vec<Notice> {
    let rung = duty.alert.as_ref().and_then(|alert| ladder.policy(alert.rung));
    rung.map_or_else(Vec::new, |policy| of_rung(duty, policy, Occasion::Resolved, ctx))
}

fn medium_of(channel: Channel) -> Option<Medium> {
    match channel {
        Channel::Mail => Some(Medium::Mail),
        Channel::Webhook => Some(Medium::Webhook),
        Channel::Message | Channel::Board => None,
    }
}

/// What a centre owes climbs inward: everybody told is its own.
fn reached<'a>(
    whom: Whom,
    policy: &RungPolicy,
    (body, controller): (&'a Participant, &'a ParticipantCode),
) -> Option<&'a ParticipantCode> {
    match whom {
        Whom::Executor | Whom::Registry | Whom::Head => Some(&body.code),
        Whom::Addressee => addressee(policy.action, body, controller).0,
        Whom::Department | Whom::Coordinator | Whom::Director if body.is_centre() => Some(&body.code),
        Whom::Department | Whom::Coordinator | Whom::Director => Some(controller),
    }
}

/// A mail of its own is for what is urgent and for letters that a person has sent; the rest stands in the digest of
/// the morning. A webhook tells programs of each beginning and end.
fn is_told(medium: Medium, (whom, occasion): (Whom, Occasion), urgency: Urgency) -> bool {
    let at_once = urgency != Urgency::Normal;
    match (medium, occasion) {
        (Medium::Mail, Occasion::Fired) => at_once,
        (Medium::Mail, Occasion::Prepared) => at_once && whom.is_ours(),
        (Medium::Mail, Occasion::Sent) => !whom.is_ours(),
        (Medium::Mail, Occasion::Resolved) | (Medium::Webhook, Occasion::Sent) => false,
        (Medium::Webhook, Occasion::Fired | Occasion::Prepared | Occasion::Resolved) => whom.is_ours(),
    }
}

fn is_reachable(recipient: &Participant, medium: Medium, whom: Whom) -> bool {
    match medium {
        Medium::Mail => recipient.mail_of(whom).is_some(),
        Medium::Webhook => recipient.alerts_url.is_some(),
    }
}

/// One person with two duties is told once.
fn is_same_mailbox(one: &Notice, (medium, recipient, whom): (Medium, &Participant, Whom)) -> bool {
    let same_body = one.medium == medium && one.recipient == recipient.code;
    same_body && (medium == Medium::Webhook || recipient.mail_of(one.whom) == recipient.mail_of(whom))
}

fn not_before(recipient: &Participant, urgency: Urgency, ctx: &Context<'_>) -> DateTime<Utc> {
    match (urgency, ctx.calendar_of(recipient)) {
        (Urgency::Normal, Ok(calendar)) => within_hours(recipient, &calendar, ctx.now),
        _ => ctx.now,
    }
}

/// This instant, if the body works then; else its next opening hour. Beyond the calendar every day is a working day:
/// late is worse than on a holiday.
#[must_use]
pub fn within_hours(body: &Participant, calendar: &Calendar, at: DateTime<Utc>) -> DateTime<Utc> {
    let today = body.zone.date(at);
    let works = |day: NaiveDate| calendar.next_working_on_or_after(day).map_or(true, |next| next == day);
    let opens = |day| body.zone.instant(day, body.hours.opens);
    if works(today) && at < body.zone.instant(today, body.hours.closes) {
        return at.max(opens(today));
    }
    let tomorrow = today.checked_add_days(Days::new(1)).unwrap_or(today);
    opens(calendar.next_working_on_or_after(tomorrow).unwrap_or(tomorrow))
}

/// The working day whose digest is due at an instant: from the opening hour until closing. `None` at night, on days
/// off, and where the calendar cannot tell.
#[must_use]
pub fn digest_day(body: &Participant, calendar: &Calendar, at: DateTime<Utc>) -> Option<NaiveDate> {
    let today = body.zone.date(at);
    let is_working = calendar.next_working_on_or_after(today).is_ok_and(|next| next == today);
    let (opens, closes) = (body.zone.instant(today, body.hours.opens), body.zone.instant(today, body.hours.closes));
    (is_working && at >= opens && at < closes).then_some(today)
}

/// The id of a digest: one for each person and day.
#[must_use]
pub fn digest_id(recipient: &ParticipantCode, whom: Whom, day: NaiveDate) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("mezhved-digest-{recipient}-{}-{day}", whom.code()).as_bytes())
}
