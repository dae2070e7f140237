//! What goes on at the gateway at one time: each a caller of a real verb, with a book of what it was told.
//!
//! Promises: a word is written into the book in the moment in which it reaches the participant, so that a kill after
//! that takes nothing back. Never: asks for what the doors do not offer.

use crate::domain::ids::{MessageId, ParticipantCode};
use crate::domain::message::Format;
use crate::gateway::Gateway;
use crate::gateway::act::{Actor, RegistrationNotice, RungDecision};
use crate::gateway::arrival::{Arrival, ChannelKind};
use crate::gateway::ports::accounts::UserRole;
use crate::gateway::ports::reads::{DutyFilter, InboxPage};
use crate::gateway::views::InboxLetter;
use crate::simulation::books::Books;
use crate::simulation::broker::Posted;
use crate::simulation::chance::Chance;
use crate::worker::notices::Line;
use bytes::Bytes;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a caller shares with the world.
#[derive(Clone)]
pub(super) struct Caller {
    /// Which gateway it calls.
    pub no: usize,
    pub gateway: Gateway,
    pub mail: Line,
    pub chance: Arc<Chance>,
    pub books: Arc<Mutex<Books>>,
}

/// Letters that are fetched at once.
const PAGE: u64 = 12;

impl Caller {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a letter over HTTP.
    pub async fn submit(self, no: usize) {
        let Some(arrival) = self.arrival(no) else { return };
        self.chance.point("HTTP request").await;
        let answer = self.gateway.submit(arrival).await;
        self.chance.may_die("HTTP answer").await;
        let word = match &answer {
            Ok(submitted) => submitted.accepted.number.clone(),
            Err(rejection) => rejection.code.to_owned(),
        };
        self.chance.say(format_args!("letter {no} over HTTP: {word}"));
        self.books().answered(no, answer);
    }

    fn arrival(&self, no: usize) -> Option<Arrival> {
        let books = self.books();
        let letter = books.letters.get(no)?;
        Some(Arrival {
            sender: letter.from.clone(),
            format: letter.format,
            content: letter.content.clone(),
            channel: ChannelKind::Http,
            transport_id: None,
        })
    }

    /// Fetches what waits in an inbox, and registers or refuses it.
    pub async fn fetch(self, (code, format): (ParticipantCode, Format), is_calm: bool) {
        let limit = usize::try_from(1 + self.chance.draw(|dice| dice.below(PAGE))).unwrap_or(1);
        let page = InboxPage { recipient: code.clone(), after: 0, limit };
        let Ok(letters) = self.gateway.inbox(page).await else { return };
        for letter in letters {
            let content = Bytes::from(letter.content.clone());
            self.books().receive(&code, &Posted::fetched(letter.id, format, content));
            match self.chance.draw(|dice| dice.below(100)) {
                _ if is_calm => self.register(&code, &letter).await,
                0..80 => self.register(&code, &letter).await,
                80..82 => self.refuse(&code, letter.id).await,
                82..84 => {
                    // It thinks better of it.
                    self.refuse(&code, letter.id).await;
                    self.register(&code, &letter).await;
                }
                84..88 => self.register_other(&code, letter.id).await,
                _ => {}
            }
        }
    }

    async fn register(&self, code: &ParticipantCode, letter: &InboxLetter) {
        let number = format!("вх-{}", &letter.id.to_string()[..8]);
        let notice = RegistrationNotice {
            accepted: true,
            content_sha256: Some(letter.content_sha256.clone()),
            number: Some(number.clone()),
            date: None,
            reason: None,
        };
        let answer = self.gateway.register_delivery(letter.id, code, notice).await;
        self.chance.may_die("answer to a registration").await;
        if answer.is_ok() {
            self.chance.say(format_args!("{code} has registered {}", letter.id));
            self.books().registered.insert((code.clone(), letter.id), number);
        }
    }

    async fn refuse(&self, code: &ParticipantCode, id: MessageId) {
        let reason = Some("Вымышленная причина".to_owned());
        let notice = RegistrationNotice { accepted: false, content_sha256: None, number: None, date: None, reason };
        if self.gateway.register_delivery(id, code, notice).await.is_ok() {
            self.chance.say(format_args!("{code} has refused {id}"));
            self.books().refused.insert((code.clone(), id));
        }
    }

    /// A registration of other content than was given proves nothing, and is told so.
    async fn register_other(&self, code: &ParticipantCode, id: MessageId) {
        let notice = RegistrationNotice {
            accepted: true,
            content_sha256: Some("0".repeat(64)),
            number: Some("чужой".to_owned()),
            date: None,
            reason: None,
        };
        if self.gateway.register_delivery(id, code, notice).await.is_ok() {
            self.books().wrong.push(format!("registered_needs_the_digest: {code} registered other content of {id}"));
        }
    }

    /// The coordinator goes through the letters that wait for a decision.
    pub async fn decide(self) {
        let filter = DutyFilter { prepared: true, limit: 50, ..DutyFilter::default() };
        let Ok(waiting) = self.gateway.obligations(filter, &coordinator()).await else { return };
        for obligation in waiting {
            let Some(rung) = obligation.rungs.iter().find(|rung| rung.state == "prepared") else { continue };
            let decision = match self.chance.draw(|dice| dice.below(100)) {
                0..50 if rung.addressee.is_some() => RungDecision::Send,
                50..60 => RungDecision::Decline { reason: "Вымышленная причина".to_owned() },
                _ => continue,
            };
            // What meanwhile is answered, or was decided by another, is refused; that is no fault.
            let decided = self.gateway.decide_rung((obligation.id, rung.no), decision, coordinator()).await;
            let word = decided.map_or_else(|rejection| rejection.code, |_| "done");
            self.chance.say(format_args!("rung {} of {} decided: {word}", rung.no, obligation.id));
        }
    }

    /// Looks over the wall: what a participant asks of others' letters is as if they were not there.
    pub async fn peep(self, code: ParticipantCode) {
        let actor = Actor::Participant(code.clone());
        let drawn = {
            let books = self.books();
            let place = self.chance.draw(|dice| dice.below(books.letters.len() as u64));
            let letter = usize::try_from(place).ok().and_then(|place| books.letters.get(place));
            letter.map(|letter| letter.id)
        };
        let Some(id) = drawn else { return };
        let is_party = {
            let books = self.books();
            let mut of_id = books.letters.iter().filter(|letter| letter.id == id);
            of_id.any(|letter| letter.from == code || letter.to.contains(&code))
        };
        if self.gateway.message(id, Format::Json, &actor).await.is_ok() && !is_party {
            self.books().wrong.push(format!("the_wall: {code} has read {id}"));
        }
        let filter = DutyFilter { limit: 20, ..DutyFilter::default() };
        let Ok(seen) = self.gateway.obligations(filter, &actor).await else { return };
        for one in seen.iter().filter(|one| one.performer.code != code && one.controller.code != code) {
            self.books().wrong.push(format!("the_wall: {code} sees the obligation {}", one.id));
        }
    }
}

/// The invented person who decides.
pub(super) fn coordinator() -> Actor {
    let name = "Координаторова Проба Вымысловна".to_owned();
    Actor::Person { login: "coordinator".to_owned(), name, role: UserRole::Coordinator }
}
