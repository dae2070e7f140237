//! The kit: messages with names instead of ids, and a story that moves one exchange through time.

use crate::bodies::{World, body, world};
use chrono::{DateTime, Duration, NaiveDate, Utc};
use mezhved::catalogue::Catalogue;
use mezhved::domain::alert::{Acknowledgement, Alert};
use mezhved::domain::decide::act::{Act, SendOrDecline};
use mezhved::domain::decide::{Command, decide};
use mezhved::domain::decision::{Arrived, Context, Decision, EventKind, Refusal};
use mezhved::domain::exchange::{Duty, Exchange};
use mezhved::domain::ids::{ExchangeId, MessageId, ObligationId, ParticipantCode, TypeCode};
use mezhved::domain::obligation::Fact;
use mezhved::domain::rule::{BodyFacts, Release, TypeRule, Urgency};
use uuid::Uuid;

/// A Tuesday noon in Irkutsk; the five-day week has Tuesday to Friday and Monday to Tuesday before it.
pub const TUESDAY: &str = "2026-03-17T12:00:00+08:00";

pub fn code(text: &str) -> ParticipantCode {
    ParticipantCode::new(text).unwrap()
}

/// The id of a message by its name in the story.
pub fn id(name: &str) -> MessageId {
    MessageId(Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()))
}

pub fn instant(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap_or_else(|error| panic!("{text}: {error}")).to_utc()
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// A message of the exchange that the message named `request` begins. Its instants are those of its arrival, unless a
/// test sets `created_at`.
pub fn message(name: &str, type_code: &str, from: &str, to: &[&str]) -> Arrived {
    let type_code = TypeCode::new(type_code).unwrap();
    Arrived {
        message: id(name),
        rule: rule_of(&type_code),
        type_code,
        from: code(from),
        to: to.iter().map(|one| code(one)).collect(),
        exchange: ExchangeId::from(id("request")),
        in_reply_to: (name != "request").then(|| id("request")),
        case: Some("СЛ-2026/17".to_owned()),
        urgency: Urgency::Normal,
        reply_by: None,
        facts: BodyFacts::default(),
        received_at: DateTime::UNIX_EPOCH,
        created_at: DateTime::UNIX_EPOCH,
        created_on: NaiveDate::default(),
        number: "12/2026".to_owned(),
    }
}

/// A request of the centre, answered by `reply.information`, released by the gateway.
pub fn request(to: &[&str]) -> Arrived {
    released(message("request", "request.information", "centre", to), Release::Automatic)
}

/// The same, released by nobody but the controller.
pub fn watched_request(to: &[&str]) -> Arrived {
    released(request(to), Release::Controller)
}

pub fn released(mut arrived: Arrived, release: Release) -> Arrived {
    arrived.rule.answer.as_mut().unwrap().release = release;
    arrived
}

pub fn urgent(arrived: Arrived, urgency: Urgency) -> Arrived {
    Arrived { urgency, ..arrived }
}

pub fn stating(arrived: Arrived, facts: BodyFacts) -> Arrived {
    Arrived { facts, ..arrived }
}

/// The ordinary answer to a [`request`].
pub fn reply(name: &str, from: &str) -> Arrived {
    message(name, "reply.information", from, &["centre"])
}

pub fn extension(new_due: &str, to: &str) -> Arrived {
    let facts = BodyFacts { granted: Some(true), new_due: Some(day(new_due)), ..BodyFacts::default() };
    stating(message("extension", "control.extension-decision", "centre", &[to]), facts)
}

pub fn redirection(name: &str, from: &str, to: &str) -> Arrived {
    let facts = BodyFacts { redirect_to: Some(code(to)), ..BodyFacts::default() };
    stating(message(name, "control.redirection", from, &["centre"]), facts)
}

/// One exchange as time goes by.
#[derive(Clone)]
pub struct Story {
    pub exchange: Exchange,
    pub now: DateTime<Utc>,
    pub world: &'static World,
}

impl Story {
    pub fn at(text: &str) -> Self {
        let exchange = Exchange::unseen(ExchangeId::from(id("request")));
        Self { exchange, now: instant(text), world: world() }
    }

    /// The story of a request that has just been received.
    pub fn of(arrived: Arrived, at: &str) -> Self {
        let mut story = Self::at(at);
        story.receive(arrived);
        story
    }

    pub fn go(&mut self, to: &str) -> &mut Self {
        self.now = instant(to);
        self
    }

    pub fn decide(&mut self, command: &Command) -> Result<Decision, Refusal> {
        let World { directory, calendars, ladders, .. } = self.world;
        let before = self.exchange.clone();
        let outcome = decide(&mut self.exchange, command, &Context { now: self.now, calendars, ladders, directory });
        assert!(outcome.is_ok() || self.exchange == before, "a refused command changed the exchange: {outcome:?}");
        outcome
    }

    pub fn try_receive(&mut self, arrived: Arrived) -> Result<Decision, Refusal> {
        let created_at = if arrived.created_at == DateTime::UNIX_EPOCH { self.now } else { arrived.created_at };
        let created_on = body(arrived.from.as_str()).zone.date(created_at);
        let received = Arrived { received_at: self.now, created_at, created_on, ..arrived };
        self.decide(&Command::Receive(Box::new(received)))
    }

    pub fn receive(&mut self, arrived: Arrived) -> Decision {
        let (type_code, from) = (arrived.type_code.clone(), arrived.from.clone());
        self.try_receive(arrived).unwrap_or_else(|refusal| panic!("{type_code} of {from}: {refusal}"))
    }

    pub fn act(&mut self, performer: &str, act: Act) -> Result<Decision, Refusal> {
        let obligation = self.obligation(performer);
        self.decide(&Command::Act { obligation, act, by: "koordinator".to_owned() })
    }

    pub fn acknowledge(&mut self, performer: &str, until: &str) -> Result<Decision, Refusal> {
        let with =
            Acknowledgement {
                owner: "koordinator".into(), until: instant(until), reason: "звоню в школу".into()
            };
        self.decide(&Command::Acknowledge { obligation: self.obligation(performer), with })
    }

    pub fn decide_rung(&mut self, performer: &str, no: u8, send: SendOrDecline) -> Result<Decision, Refusal> {
        let obligation = self.obligation(performer);
        self.decide(&Command::DecideRung { obligation, no, send, by: "koordinator".to_owned() })
    }

    pub fn try_sweep(&mut self, performer: &str, delivered: bool) -> Result<Decision, Refusal> {
        self.decide(&Command::Sweep { obligation: self.obligation(performer), delivered })
    }

    pub fn sweep(&mut self, performer: &str) -> Decision {
        self.try_sweep(performer, true).unwrap()
    }

    /// Sweeps at each planned instant up to `until`, as a gateway that never sleeps would. What fired, and when by the
    /// performer's clock.
    pub fn climb(&mut self, performer: &str, until: &str) -> Vec<String> {
        let zone = body(performer).zone;
        let mut climbed = Vec::new();
        while let Some(at) = self.duty(performer).rungs.planned().map(|rung| rung.planned_at.max(self.now)) {
            if at > instant(until) {
                break;
            }
            self.now = at;
            let local = zone.local(at).format("%a %d.%m %H:%M");
            climbed.extend(rungs_of(&self.sweep(performer)).into_iter().map(|rung| format!("{local} {rung}")));
        }
        self.now = instant(until);
        climbed
    }

    pub fn duty(&self, performer: &str) -> &Duty {
        let of = |duty: &&Duty| duty.obligation.performer == code(performer);
        self.exchange.duties.iter().find(of).unwrap_or_else(|| panic!("{performer} owes nothing"))
    }

    pub fn obligation(&self, performer: &str) -> ObligationId {
        self.duty(performer).obligation.id
    }

    pub fn state(&self, performer: &str) -> &'static str {
        self.duty(performer).obligation.state().code()
    }

    pub fn due_on(&self, performer: &str) -> String {
        self.duty(performer).obligation.due_on().to_string()
    }

    pub fn alert(&self, performer: &str) -> &Alert {
        self.duty(performer).alert.as_ref().expect("an alert")
    }

    /// The rows of the ladder: number and state.
    pub fn rungs(&self, performer: &str) -> Vec<(u8, &'static str)> {
        self.duty(performer).rungs.rows.iter().map(|row| (row.no, row.state.code())).collect()
    }
}

/// The rungs that a decision tells of, as `fired 2`.
pub fn rungs_of(decision: &Decision) -> Vec<String> {
    let rung = |kind: EventKind| kind.code().strip_prefix("rung.").map(str::to_owned);
    let told = decision.events.iter().filter_map(|event| Some((rung(event.kind)?, event.detail.clone()?)));
    told.map(|(what, no)| format!("{what} {no}")).collect()
}

/// The codes of the events of a decision, in order.
pub fn kinds(decision: &Decision) -> Vec<String> {
    decision.events.iter().map(|event| event.kind.code()).collect()
}

/// A fact without its instant: what was said, and by which message.
pub fn said(fact: &Fact) -> String {
    let mut words = serde_json::to_value(fact).unwrap();
    words.as_object_mut().unwrap().remove("at");
    words.to_string()
}

pub fn send() -> SendOrDecline {
    SendOrDecline::Send
}

pub fn decline() -> SendOrDecline {
    SendOrDecline::Decline { reason: "созвонились".to_owned() }
}

pub fn minutes(count: i64) -> Duration {
    Duration::minutes(count)
}

/// The rule of a type's first edition, for a body that names no case of its term.
fn rule_of(code: &TypeCode) -> TypeRule {
    let entry = Catalogue::builtin().entry(code, 1).unwrap_or_else(|| panic!("no type {code}"));
    world().policies.rule(entry, None).unwrap_or_else(|| panic!("no rule of {code}")).clone()
}
