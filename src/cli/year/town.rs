//! The town at work: bodies take their letters, answer in their manner, and are reminded; a coordinator decides.
//!
//! Promises: everything goes through the gateway's own verbs, by a clock that is set by hand; the same seed makes the
//! same year. Never: sleeps.

use crate::catalogue::Catalogue;
use crate::cli::year::bodies::{Bodies, Manner};
use crate::cli::year::families::Opening;
use crate::cli::year::letters;
use crate::clock::Clock;
use crate::domain::calendar::Calendar;
use crate::domain::ids::{ExchangeId, ParticipantCode};
use crate::domain::message::{Envelope, Format};
use crate::domain::participant::Participant;
use crate::format;
use crate::gateway::act::{Actor, RegistrationNotice, RungDecision};
use crate::gateway::arrival::{Arrival, ChannelKind};
use crate::gateway::ports::accounts::UserRole;
use crate::gateway::ports::reads::{DutyFilter, InboxPage};
use crate::gateway::{Gateway, views::InboxLetter};
use crate::simulation::dice::Dice;
use crate::simulation::templates::Writing;
use anyhow::Context as _;
use bytes::Bytes;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Something that will be written.
enum Deed {
    Open(Opening),
    Answer { kind: &'static str, by: ParticipantCode, request: Arc<Envelope> },
}

/// What was counted on the way.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// Messages that the bodies wrote and the gateway accepted.
    pub written: u64,
    /// Letters that the gateway wrote itself, each counted once for every addressee.
    pub by_gateway: u64,
    /// Letters that the coordinator sent on, and declined.
    pub sent_on: u64,
    pub declined: u64,
    /// What the gateway refused, by code.
    pub refused: BTreeMap<&'static str, u64>,
}

/// The gateway, the bodies and what they are about to do.
pub(super) struct Town {
    pub gateway: Gateway,
    pub clock: Clock,
    pub bodies: Bodies,
    pub calendar: Calendar,
    pub counted: Counted,
    pub dice: Dice,
    centre: ParticipantCode,
    agenda: BTreeMap<(DateTime<Utc>, u64), Deed>,
    planned: u64,
    cursors: HashMap<ParticipantCode, u64>,
    /// Requests that a body has laid aside.
    laid_aside: HashMap<(ExchangeId, ParticipantCode), (&'static str, Arc<Envelope>)>,
}

/// The hours at which letters are taken, and the one at which the coordinator decides.
const TAKEN_AT: [u32; 2] = [10, 15];
const DECIDED_AT: u32 = 11;
/// Letters that are taken at once.
const PAGE: usize = 200;

impl Town {
    pub fn new(
        (gateway, clock): (Gateway, Clock),
        (centre, bodies): (ParticipantCode, Bodies),
        calendar: Calendar,
        dice: Dice,
    ) -> Self {
        let (agenda, cursors, laid_aside) = (BTreeMap::new(), HashMap::new(), HashMap::new());
        let counted = Counted::default();
        Self { gateway, clock, bodies, calendar, counted, dice, centre, agenda, planned: 0, cursors, laid_aside }
    }

    /// Puts what a family's year brings on the agenda.
    pub fn expect(&mut self, openings: Vec<Opening>) -> anyhow::Result<()> {
        for opening in openings {
            let (on, by) = (opening.on, opening.from.clone());
            self.put(on, &by, Deed::Open(opening))?;
        }
        Ok(())
    }

    /// One day, hour by hour; on days off only the sweep is there.
    pub async fn live(&mut self, day: NaiveDate) -> anyhow::Result<()> {
        let zone = self.body(&self.centre)?.zone;
        let working = self.calendar.is_working(day)?;
        for hour in 8..=18 {
            let at = zone.instant(day, NaiveTime::from_hms_opt(hour, 0, 0).context("an hour")?);
            if !working && hour != 9 && hour != 15 {
                continue;
            }
            self.clock.set(at);
            self.write_what_is_due(at).await?;
            let swept = self.gateway.sweep_once().await?;
            anyhow::ensure!(swept.failed == 0, "{} obligations could not be decided on {day}", swept.failed);
            if working && TAKEN_AT.contains(&hour) {
                self.take_letters().await?;
            }
            if working && hour == DECIDED_AT {
                self.decide().await?;
            }
        }
        Ok(())
    }

    fn body(&self, code: &ParticipantCode) -> anyhow::Result<Arc<Participant>> {
        self.gateway.participant(code).with_context(|| format!("{code} is not in the directory"))
    }

    /// On a day, at an hour of work.
    fn put(&mut self, on: NaiveDate, by: &ParticipantCode, deed: Deed) -> anyhow::Result<()> {
        let hour = u32::try_from(self.dice.between(9, 17))?;
        let time = NaiveTime::from_hms_opt(hour, 0, 0).context("an hour")?;
        let at = self.body(by)?.zone.instant(on, time);
        self.planned += 1;
        self.agenda.insert((at, self.planned), deed);
        Ok(())
    }

    fn in_working_days(&mut self, from: i32, to: i32) -> anyhow::Result<NaiveDate> {
        let today = self.body(&self.centre)?.zone.date(self.clock.now());
        let days = self.dice.between(from, to);
        Ok(self.calendar.add_working_days(today, days)?)
    }

    async fn write_what_is_due(&mut self, at: DateTime<Utc>) -> anyhow::Result<()> {
        let later = self.agenda.split_off(&(at, u64::MAX));
        let due = std::mem::replace(&mut self.agenda, later);
        let mut arrivals = Vec::new();
        for deed in due.into_values() {
            arrivals.push(self.write(&deed, at)?);
        }
        for outcome in futures_util::future::join_all(arrivals.into_iter().map(|one| self.gateway.submit(one))).await {
            match outcome {
                Ok(_) => self.counted.written += 1,
                Err(refused) => *self.counted.refused.entry(refused.code).or_default() += 1,
            }
        }
        Ok(())
    }

    fn write(&mut self, deed: &Deed, now: DateTime<Utc>) -> anyhow::Result<Arrival> {
        let by = match deed {
            Deed::Open(opening) => self.body(&opening.from)?,
            Deed::Answer { by, .. } => self.body(by)?,
        };
        let writing = Writing { from: &by, now, id: self.dice.id() };
        let letter = match deed {
            Deed::Open(opening) => letters::opening(&writing, opening)?,
            Deed::Answer { kind, request, .. } => letters::answer(&writing, kind, request)?,
        };
        let json = serde_json::to_vec(&letter)?;
        let read = format::read(&json, Format::Json, Catalogue::builtin()).context("an invented letter")?;
        let content = format::write(&read, by.format, Catalogue::builtin())?;
        if read.envelope.type_code.as_str() == "plan.approved" {
            self.report_half_years(&by.code, "report.control-act", &Arc::new(read.envelope))?;
        }
        let (sender, content) = (by.code.clone(), Bytes::from(content));
        Ok(Arrival { sender, format: by.format, content, channel: ChannelKind::Http, transport_id: None })
    }

    async fn take_letters(&mut self) -> anyhow::Result<()> {
        let codes: Vec<ParticipantCode> = self.bodies.all.iter().map(|body| body.code.clone()).collect();
        for code in codes {
            let after = self.cursors.get(&code).copied().unwrap_or(0);
            let page = InboxPage { recipient: code.clone(), after, limit: PAGE };
            let letters = self.gateway.inbox(page).await?;
            let registering = letters.iter().map(|letter| {
                let (gateway, code) = (self.gateway.clone(), code.clone());
                async move { gateway.register_delivery(letter.id, &code, registered(letter)).await }
            });
            for registered in futures_util::future::join_all(registering).await {
                registered?;
            }
            if let Some(last) = letters.last() {
                self.cursors.insert(code.clone(), last.seq);
            }
            let format = self.body(&code)?.format;
            for letter in letters {
                let message = format::read(letter.content.as_bytes(), format, Catalogue::builtin())?;
                self.react(&code, message.envelope)?;
            }
        }
        Ok(())
    }

    /// What a body does about a letter.
    fn react(&mut self, by: &ParticipantCode, letter: Envelope) -> anyhow::Result<()> {
        let (kind, exchange) = (letter.type_code.as_str().to_owned(), letter.exchange_id());
        // No invented body writes these itself.
        let of_the_ladder = [
            "control.reminder",
            "control.repeat-request",
            "control.escalation",
            "notice.commission",
            "notice.rights-violation",
        ];
        self.counted.by_gateway += u64::from(of_the_ladder.contains(&kind.as_str()));
        match kind.as_str() {
            "control.reminder" => self.wake(by, exchange, 75),
            "control.repeat-request" => self.wake(by, exchange, 80),
            "control.extension-request" => {
                let on = self.in_working_days(1, 2)?;
                self.plan_answer(on, "control.extension-decision", (by, Arc::new(letter)))
            }
            _ => match letters::demanded(&letter.type_code) {
                Some(answer) => self.owe(by, answer, Arc::new(letter)),
                None => Ok(()),
            },
        }
    }

    fn plan_answer(
        &mut self,
        on: NaiveDate,
        kind: &'static str,
        (by, request): (&ParticipantCode, Arc<Envelope>),
    ) -> anyhow::Result<()> {
        self.put(on, by, Deed::Answer { kind, by: by.clone(), request })
    }

    /// An answer is owed: when it is given is a matter of manner.
    fn owe(&mut self, by: &ParticipantCode, answer: &'static str, request: Arc<Envelope>) -> anyhow::Result<()> {
        if request.type_code.as_str() == "plan.approved" {
            self.report_half_years(by, "report.plan-progress", &request)?;
        }
        let far = matches!(request.type_code.as_str(), "plan.approved" | "ruling.commission");
        let manner = self.bodies.manners.get(by).copied().unwrap_or(Manner::Prompt);
        let forgets = self.dice.percent(4);
        let (from, to) = match manner {
            Manner::Prompt if forgets => (8, 16),
            Manner::Prompt => (1, 4),
            Manner::Slow => (2, 9),
            Manner::OnReminder | Manner::Silent => {
                let key = (request.exchange_id(), by.clone());
                self.laid_aside.insert(key, (answer, request));
                return Ok(());
            }
        };
        let on = self.in_working_days(from, to)?;
        // What is due in a month or two is done by then, a little before or after.
        let on = if far { self.calendar.next_working_on_or_after(on + Days::new(24))? } else { on };
        if manner == Manner::Slow && !far && self.dice.percent(20) {
            let kind = if self.dice.percent(50) { "control.interim-reply" } else { "control.extension-request" };
            let soon = self.in_working_days(1, 2)?;
            self.plan_answer(soon, kind, (by, Arc::clone(&request)))?;
        }
        self.plan_answer(on, answer, (by, request))
    }

    /// The half-year reports on a plan and the acts of its control (S4): in the last weeks of the half-year, sometimes after them.
    fn report_half_years(
        &mut self,
        by: &ParticipantCode,
        report: &'static str,
        plan: &Arc<Envelope>,
    ) -> anyhow::Result<()> {
        let today = self.body(by)?.zone.date(self.clock.now());
        let year = chrono::Datelike::year(&today);
        for (month, day) in [(6, 8), (12, 7)] {
            let from = NaiveDate::from_ymd_opt(year, month, day).context("a day")?;
            if from > today {
                let on = self.calendar.next_working_on_or_after(from + Days::new(self.dice.below(26)))?;
                self.plan_answer(on, report, (by, Arc::clone(plan)))?;
            }
        }
        Ok(())
    }

    /// A reminder finds what was laid aside, so many times in a hundred; the silent wait for sharper words.
    fn wake(&mut self, by: &ParticipantCode, exchange: ExchangeId, percent: u64) -> anyhow::Result<()> {
        let silent = self.bodies.manners.get(by) == Some(&Manner::Silent) && percent < 80;
        if silent || !self.dice.percent(percent) {
            return Ok(());
        }
        let Some((kind, request)) = self.laid_aside.remove(&(exchange, by.clone())) else { return Ok(()) };
        let on = self.in_working_days(1, 3)?;
        self.plan_answer(on, kind, (by, request))
    }

    /// The coordinator goes through the letters that wait for a decision, and leaves some for tomorrow.
    async fn decide(&mut self) -> anyhow::Result<()> {
        let viewer = Some(self.centre.clone());
        let filter = DutyFilter { viewer, prepared: true, limit: PAGE, ..DutyFilter::default() };
        let waiting = self.gateway.obligations(filter, &coordinator()).await?;
        for obligation in waiting.into_iter().filter(|one| one.controller.code == self.centre) {
            let Some(rung) = obligation.rungs.iter().find(|rung| rung.state == "prepared") else { continue };
            let (decision, count) = match self.dice.below(100) {
                0..75 if rung.addressee.is_some() => (RungDecision::Send, &mut self.counted.sent_on),
                0..80 => {
                    let reason = "Ответ обещан по телефону, или писать некому".to_owned();
                    (RungDecision::Decline { reason }, &mut self.counted.declined)
                }
                _ => continue,
            };
            self.gateway.decide_rung((obligation.id, rung.no), decision, coordinator()).await?;
            *count += 1;
        }
        Ok(())
    }
}

fn registered(letter: &InboxLetter) -> RegistrationNotice {
    let (content_sha256, number) = (Some(letter.content_sha256.clone()), Some(format!("вх-{}", letter.seq)));
    RegistrationNotice { accepted: true, content_sha256, number, date: None, reason: None }
}

/// The invented person who decides.
pub(super) fn coordinator() -> Actor {
    let name = "Координаторова Проба Вымысловна".to_owned();
    Actor::Person { login: "coordinator".to_owned(), name, role: UserRole::Coordinator }
}
