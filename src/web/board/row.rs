//! One obligation as a line of the board.
//!
//! Promises: every cell is ready to be printed. Never: computes a due date (the views bring it).

use crate::domain::alert::AlertState;
use crate::domain::ids::ObligationId;
use crate::domain::participant::BodyKind;
use crate::domain::zone::Zone;
use crate::gateway::views::{AlertView, ObligationView, Party, RungView};
use crate::web::dates::{minute, until as until_text};
use crate::web::words::Lang;
use chrono::Duration;

/// How a line looks at a glance; also said in words, never by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    Late,
    Today,
    Soon,
    Calm,
}

impl Urgency {
    /// The class of the style.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Today => "today",
            Self::Soon => "soon",
            Self::Calm => "calm",
        }
    }
}

/// A line of the board.
pub(super) struct Row {
    pub id: ObligationId,
    pub case: Option<String>,
    pub awaited: String,
    pub request: String,
    pub performer: Body,
    pub controller: Body,
    pub due: String,
    /// The date leans on a calendar that is not published or not checked yet.
    pub provisional: bool,
    pub lateness: String,
    pub urgency: Urgency,
    pub last_text: Option<String>,
    pub last_at: Option<String>,
    pub alert: Option<Alert>,
    pub letters: Vec<Letter>,
    /// The answer is owed to us, so that we decide.
    pub ours: bool,
    /// The default end of an acknowledgement: as `<input type="date">` wants it.
    pub take_until: String,
}

/// A body with whom to call.
pub(super) struct Body {
    pub title: String,
    pub person: Option<String>,
    pub phone: Option<Phone>,
}

/// A phone number as written and as dialled.
pub(super) struct Phone {
    pub written: String,
    pub dialled: String,
}

/// An alert that is not resolved.
pub(super) struct Alert {
    /// Who took it, until when, why; nobody when absent.
    pub taken: Option<(String, String, String)>,
    pub since: String,
}

/// A prepared letter that waits for a decision.
pub(super) struct Letter {
    pub no: u8,
    pub title: String,
    /// The addressee, with the person in charge.
    pub addressee: Option<String>,
    /// What it says, line by line.
    pub lines: Vec<String>,
}

impl Row {
    /// The line of that obligation.
    pub(super) fn new(view: &ObligationView, lang: Lang, zone: Zone) -> Self {
        let number = view.request_number.as_deref().unwrap_or("—");
        Self {
            id: view.id,
            case: view.case.clone(),
            awaited: match (&view.duty, &view.item) {
                (Some(duty), _) => format!("{}: {} ({})", view.awaited_title, duty.period_text, duty.rhythm_text),
                (None, Some(item)) => format!("{} ({} {item})", view.awaited_title, lang.words().item.to_lowercase()),
                (None, None) => view.awaited_title.clone(),
            },
            request: format!("{} №\u{a0}{number}", view.request_title),
            performer: Body::new(&view.performer),
            controller: Body::new(&view.controller),
            due: view.due_text.clone(),
            provisional: view.provisional,
            lateness: lateness(view, lang),
            urgency: urgency(view),
            last_text: view.last_event.as_ref().map(|event| event.text.clone()),
            last_at: view.last_event.as_ref().map(|event| minute(event.at, zone)),
            alert: view.alert.as_ref().and_then(|alert| Alert::new(alert, zone)),
            letters: view
                .rungs
                .iter()
                .filter(|rung| rung.state == "prepared")
                .map(|rung| letter(view, rung, lang))
                .collect(),
            ours: view.controller.kind == Some(BodyKind::SocialCentre),
            take_until: String::new(),
        }
    }

    /// With the day that an acknowledgement proposes: tomorrow.
    pub(super) fn taking_from(mut self, today: chrono::NaiveDate) -> Self {
        self.take_until = (today + Duration::days(1)).to_string();
        self
    }
}

impl Body {
    /// The body and the person who answers the phone there.
    pub(super) fn new(party: &Party) -> Self {
        let contact = party.executor.as_ref().or(party.head.as_ref());
        let phone = contact.and_then(|contact| contact.phone.clone()).map(|written| {
            let dialled = written.chars().filter(|sign| sign.is_ascii_digit() || *sign == '+').collect();
            Phone { written, dialled }
        });
        Self { title: unbroken(&party.title), person: contact.map(|contact| contact.name.clone()), phone }
    }
}

impl Alert {
    fn new(alert: &AlertView, zone: Zone) -> Option<Self> {
        let taken = match &alert.state {
            AlertState::Resolved { .. } => return None,
            AlertState::Open => None,
            AlertState::Acknowledged { owner, until, reason, .. } => {
                Some((owner.clone(), until_text(*until, zone), reason.clone()))
            }
        };
        Some(Self { taken, since: minute(alert.raised_at, zone) })
    }
}

/// «просрочено на 3 рабочих дня», «осталось 2 рабочих дня».
pub(super) fn lateness(view: &ObligationView, lang: Lang) -> String {
    let words = lang.words();
    match (view.overdue, view.late_by_working_days, view.left_working_days) {
        (true, 0, _) => words.late_less_than_day.to_owned(),
        (_, late, _) if late > 0 => format!("{} {}", words.late_by, lang.working_days(late)),
        (_, _, Some(0)) => words.left_today.to_owned(),
        (_, _, Some(left)) => format!("{} {}", words.left, lang.working_days(left)),
        _ => words.obligation_state(lang, view.state).to_owned(),
    }
}

/// The urgency of an obligation that is open.
pub(super) fn urgency(view: &ObligationView) -> Urgency {
    match view.left_working_days {
        _ if view.overdue => Urgency::Late,
        Some(0) => Urgency::Today,
        Some(1..=3) => Urgency::Soon,
        _ => Urgency::Calm,
    }
}

/// What the prepared letter says: the facts that the gateway puts into it, in its own words.
pub(super) fn letter(view: &ObligationView, rung: &RungView, lang: Lang) -> Letter {
    let words = lang.words();
    let number = view.request_number.as_deref().unwrap_or("—");
    let mut lines = vec![
        format!("{}: {} № {number}", words.request, view.request_title),
        format!("{}: {}", words.answer, view.awaited_title),
        format!("{}: {}", words.owes, view.performer.title),
        format!("{}: {}, {}", words.due, view.due_text, lateness(view, lang)),
    ];
    if let Some(case) = &view.case {
        lines.insert(0, format!("{} {case}", capital(words.case)));
    }
    let person = |party: &Party| {
        let head = party.head.as_ref().or(party.executor.as_ref()).map(|contact| contact.name.as_str());
        head.map_or_else(|| party.title.clone(), |name| format!("{}, {name}", party.title))
    };
    Letter { no: rung.no, title: rung.title.clone(), addressee: rung.addressee.as_ref().map(person), lines }
}

/// A number stays with its sign.
fn unbroken(title: &str) -> String {
    title.replace("№ ", "№\u{a0}")
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
