//! What a store is given (also by its benchmark): plainly artificial requests, and the rows that the gateway writes for each.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use mezhved::domain::decision::{Event, EventKind, Opened};
use mezhved::domain::escalation::{Rung, RungState, Rungs};
use mezhved::domain::exchange::{Duty, Exchange, Root};
use mezhved::domain::ids::{ExchangeId, MessageId, ObligationId, ParticipantCode, TypeCode};
use mezhved::domain::message::Format;
use mezhved::domain::obligation::{FrozenDue, Obligation};
use mezhved::domain::participant::Participant;
use mezhved::domain::rule::{Release, Urgency};
use mezhved::domain::term::Protocol;
use mezhved::gateway::ports::Changes;
use mezhved::gateway::ports::decisions::{
    Accepted, Direction, JournalRow, OutboxRow, Register, RouteKind, StoredMessage,
};
use serde_json::json;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use uuid::Uuid;

pub const CENTRE: &str = "centre";
pub const SCHOOL: &str = "school-17";
pub const CLINIC: &str = "clinic-2";

pub fn code(text: &str) -> ParticipantCode {
    ParticipantCode::new(text).unwrap()
}

pub fn type_code(text: &str) -> TypeCode {
    TypeCode::new(text).unwrap()
}

/// An instant of January 2026, e.g. `12T09:00`.
pub fn at(text: &str) -> DateTime<Utc> {
    format!("2026-01-{text}:00Z").parse().unwrap()
}

/// Whether ids are scattered as those of real senders are. Indexes feel it, so the benchmark sets it.
pub static SCATTERED: AtomicBool = AtomicBool::new(false);

/// An id that bears a kind and a number, so that a failure is read easily; ids of one kind sort by number.
fn id(kind: u8, n: u32) -> Uuid {
    let plain = (u128::from(kind) << 120) | u128::from(n);
    if !SCATTERED.load(Ordering::Relaxed) {
        return Uuid::from_u128(plain);
    }
    // An odd factor gives every number another one, far from its neighbours'.
    Uuid::from_u128(plain.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).rotate_right(64))
}

pub fn message_id(n: u32) -> MessageId {
    MessageId(id(0xa0, n))
}

pub fn exchange_id(n: u32) -> ExchangeId {
    ExchangeId::from(message_id(n))
}

pub fn obligation_id(n: u32) -> ObligationId {
    ObligationId(id(0xb0, n))
}

pub fn receipt_id(n: u32) -> MessageId {
    MessageId(id(0xc0, n))
}

/// One request that opens one obligation.
#[derive(Clone)]
pub struct Request {
    pub n: u32,
    pub controller: &'static str,
    pub performer: &'static str,
    pub route: RouteKind,
    pub case: Option<&'static str>,
    pub due_at: DateTime<Utc>,
}

/// Request number `n`, from the centre to the school over AMQP, due on 20 January.
pub fn request(n: u32) -> Request {
    Request {
        n,
        controller: CENTRE,
        performer: SCHOOL,
        route: RouteKind::Amqp,
        case: Some("2026-0001"),
        due_at: at("20T21:00"),
    }
}

pub fn opened_at() -> DateTime<Utc> {
    at("12T09:00")
}

impl Request {
    pub fn due(self, due_at: DateTime<Utc>) -> Self {
        Self { due_at, ..self }
    }

    pub fn between(self, controller: &'static str, performer: &'static str) -> Self {
        Self { controller, performer, ..self }
    }

    pub fn over(self, route: RouteKind) -> Self {
        Self { route, ..self }
    }

    pub fn case(self, case: Option<&'static str>) -> Self {
        Self { case, ..self }
    }

    pub fn obligation(&self) -> Obligation {
        Obligation {
            id: obligation_id(self.n),
            exchange: exchange_id(self.n),
            item: None,
            performer: code(self.performer),
            controller: code(self.controller),
            request_type: type_code("request.information"),
            answer_types: vec![type_code("reply.information"), type_code("reply.nil")],
            release: Release::Automatic,
            urgency: Urgency::Normal,
            case: self.case.map(str::to_owned),
            opened_at: opened_at(),
            due: FrozenDue {
                on: self.due_at.date_naive(),
                at: self.due_at,
                lenient_at: self.due_at + chrono::Duration::days(1),
                rule_version: "2026-01-01".to_owned(),
                source: "наше правило по умолчанию".to_owned(),
                protocol: protocol(self.due_at),
            },
            extension_days_max: Some(30),
            suspensions_max: 1,
            pauses: Vec::new(),
            recurs: None,
            facts: Vec::new(),
        }
    }

    pub fn exchange(&self) -> Exchange {
        let planned_at = self.due_at - chrono::Duration::days(2);
        let rungs = Rungs { rows: vec![Rung { no: 1, planned_at, state: RungState::Planned }] };
        Exchange {
            id: exchange_id(self.n),
            root: Some(Root {
                message: message_id(self.n),
                type_code: type_code("request.information"),
                from: code(self.controller),
                to: vec![code(self.performer)],
                case: self.case.map(str::to_owned),
                registered_at: opened_at(),
                number: format!("{}/2026", self.n),
            }),
            duties: vec![Duty { obligation: self.obligation(), rungs, alert: None }],
            parked: Vec::new(),
        }
    }

    pub fn accepted(&self) -> Accepted {
        Accepted {
            number: format!("{}/2026", self.n),
            date: opened_at().date_naive(),
            received_at: opened_at(),
            exchange: exchange_id(self.n),
            parked: false,
            obligations: vec![Opened {
                id: obligation_id(self.n),
                performer: code(self.performer),
                item: None,
                due_on: self.due_at.date_naive(),
                reply_by_differs: false,
            }],
        }
    }

    pub fn message(&self) -> StoredMessage {
        StoredMessage {
            id: message_id(self.n),
            sender: code(self.controller),
            recipients: vec![code(self.performer)],
            exchange: exchange_id(self.n),
            in_reply_to: None,
            type_code: type_code("request.information"),
            version: 1,
            format: Format::Json,
            content: Bytes::from(format!("{{\"request\":{}}}", self.n)),
            digest: [u8::try_from(self.n % 251).unwrap(); 32],
            received_at: opened_at(),
            outcome: self.accepted(),
        }
    }

    pub fn delivery(&self) -> OutboxRow {
        OutboxRow {
            message: message_id(self.n),
            recipient: code(self.performer),
            route: self.route,
            exchange: Some(exchange_id(self.n)),
            content: None,
            queued_at: opened_at() + chrono::Duration::milliseconds(self.n.into()),
        }
    }

    pub fn journal(&self) -> Vec<JournalRow> {
        let line = |participant: &str, direction, counterparty: &str| JournalRow {
            channel: None,
            register: Register { participant: code(participant), year: 2026, direction },
            number: self.n.into(),
            date: opened_at().date_naive(),
            message: message_id(self.n),
            type_code: type_code("request.information"),
            exchange: exchange_id(self.n),
            counterparty: code(counterparty),
            case: self.case.map(str::to_owned),
            annexes: "1, 2".to_owned(),
            summary: "Запрос сведений".to_owned(),
        };
        vec![
            line(self.controller, Direction::Outgoing, self.performer),
            line(self.performer, Direction::Incoming, self.controller),
        ]
    }

    pub fn events(&self) -> Vec<Event> {
        let event = |kind, obligation| Event {
            at: opened_at(),
            kind,
            exchange: Some(exchange_id(self.n)),
            obligation,
            message: Some(message_id(self.n)),
            participant: Some(code(self.controller)),
            detail: None,
        };
        vec![event(EventKind::MessageRegistered, None), event(EventKind::ObligationOpened, Some(obligation_id(self.n)))]
    }

    /// Everything that the gateway writes for it.
    pub fn changes(&self) -> Changes {
        let journal = self.journal();
        Changes {
            by_hand: Vec::new(),
            handovers: Vec::new(),
            messages: vec![self.message()],
            attachments: Vec::new(),
            exchanges: vec![self.exchange()],
            endings: Vec::new(),
            outbox: vec![self.delivery()],
            taking: None,
            proofs: Vec::new(),
            registers: journal.iter().map(|row| (row.register.clone(), row.number)).collect(),
            journal,
            quarantine: Vec::new(),
            notices: Vec::new(),
            events: self.events(),
            cases: Vec::new(),
            disclosures: Vec::new(),
            read: HashMap::new(),
        }
    }
}

/// A receipt of the gateway's own to the centre.
pub fn receipt(n: u32) -> OutboxRow {
    OutboxRow {
        message: receipt_id(n),
        recipient: code(CENTRE),
        route: RouteKind::Amqp,
        exchange: Some(exchange_id(n)),
        content: Some((Format::Xml, Bytes::from(format!("<receipt n=\"{n}\"/>")))),
        queued_at: opened_at() + chrono::Duration::milliseconds(n.into()),
    }
}

/// The protocol of a due date, as the core writes it.
fn protocol(due_at: DateTime<Utc>) -> Protocol {
    let protocol = json!({
        "event": {"kind": "registered", "at": "2026-01-12T09:00:00Z", "zone": "Asia/Irkutsk", "local_on": "2026-01-12"},
        "rule": {"term": {"unit": "working_day", "n": 5}, "laws": ["ГК РФ ст. 191"], "version": "1"},
        "calendar": {"name": "ru", "version": "2026.1", "region": "RU-IRK", "week": "five_day", "sources": []},
        "first_on": "2026-01-13",
        "excluded": [{"date": "2026-01-17", "why": "суббота"}, {"date": "2026-01-18", "why": "воскресенье"}],
        "raw_last_on": due_at.date_naive(),
        "roll": {"rule": "none", "applied": false},
        "due_on": due_at.date_naive(),
        "due_at": due_at,
        "provisional": false,
        "remarks": [{"remark": "at_once_is_policy", "hours": 24}],
    });
    serde_json::from_value(protocol).unwrap()
}

/// A participant that is reached by that route (`inbox`, `amqp`, `push`).
pub fn participant(participant: &str, route: &str) -> Participant {
    let route = match route {
        "push" => json!({"by": "push", "url": "https://school.example/hook"}),
        by => json!({"by": by}),
    };
    let participant = json!({
        "code": participant, "kind": "school", "title": "Школа № 17 (вымышленная)", "region": "RU-IRK",
        "zone": "Asia/Irkutsk", "executor": {"name": "И. О. Примерная", "phone": "+7 000 000-00-00"},
        "commission": "commission-1", "format": "json", "route": route,
    });
    serde_json::from_value(participant).unwrap()
}
