//! The books of the participants: what each has written, was told, and has received. They are outside the gateway, and
//! the checks believe them, not its tables.
//!
//! Promises: a word that reached a participant stands in its book. Never: forgets one; knows what the gateway knows.

use crate::catalogue::Catalogue;
use crate::domain::decision::Opened;
use crate::domain::ids::{MessageId, ParticipantCode};
use crate::domain::message::{Envelope, Format, Message};
use crate::format;
use crate::gateway::arrival::Submitted;
use crate::gateway::rejection::Rejection;
use crate::simulation::broker::Posted;
use crate::simulation::letters;
use bytes::Bytes;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How a letter goes to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Http,
    Queue,
}

/// What sort of letter it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Good,
    /// The id of another letter, with other content.
    Contradiction,
    /// Nothing that can be taken.
    Poison,
}

/// What its writer knows of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// Not sent yet, or nothing was heard: it is sent again.
    Open,
    /// The broker has confirmed it; the gateway's receipt is still to come.
    WithBroker,
    /// The gateway has said that it is registered.
    Receipted {
        number: String,
    },
    Refused {
        code: String,
    },
}

/// A letter that a participant has written.
#[derive(Debug)]
pub(super) struct Written {
    pub from: ParticipantCode,
    /// As whom it is sent; poison sometimes lies.
    pub user: Option<String>,
    pub id: MessageId,
    pub kind: &'static str,
    pub to: Vec<ParticipantCode>,
    pub format: Format,
    pub content: Bytes,
    pub digest: Option<[u8; 32]>,
    pub way: Way,
    pub sort: Sort,
    pub fate: Fate,
    /// The step before which it is not sent: a letter that dawdles.
    pub not_before: u32,
    /// What the receipt said of obligations.
    pub opened: Vec<(String, String)>,
}

/// A letter as it reached a participant.
#[derive(Debug)]
pub(super) struct Received {
    pub envelope: Arc<Envelope>,
    content: Bytes,
    /// Its place among all that anybody has received.
    pub no: usize,
}

/// Something that a participant may write about.
#[derive(Debug, Clone)]
pub(super) struct Matter {
    pub by: ParticipantCode,
    pub kind: &'static str,
    pub about: Arc<Envelope>,
}

/// The books.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub letters: Vec<Written>,
    pub received: BTreeMap<(ParticipantCode, MessageId), Received>,
    /// Registered in its own books under that number, and the gateway has confirmed it.
    pub registered: BTreeMap<(ParticipantCode, MessageId), String>,
    pub refused: BTreeSet<(ParticipantCode, MessageId)>,
    /// What is owed, and what may be said of it.
    pub matters: Vec<Matter>,
    /// What a participant saw that must not be.
    pub wrong: Vec<String>,
}

impl Books {
    /// The gateway has answered over HTTP.
    pub fn answered(&mut self, no: usize, answer: Result<Submitted, Rejection>) {
        match answer {
            Ok(submitted) => {
                let opened = submitted.accepted.obligations.iter().map(said).collect();
                self.settle(no, Fate::Receipted { number: submitted.accepted.number }, opened);
            }
            Err(rejection) if rejection.is_passing() => {}
            Err(rejection) => self.settle(no, Fate::Refused { code: rejection.code.to_owned() }, Vec::new()),
        }
    }

    fn settle(&mut self, no: usize, fate: Fate, opened: Vec<(String, String)>) {
        let Some(id) = self.letters.get(no).map(|letter| letter.id) else { return };
        let is_shared = self.letters.iter().filter(|letter| letter.id == id).count() > 1;
        let Some(letter) = self.letters.get_mut(no) else { return };
        match (&letter.fate, &fate) {
            (Fate::Receipted { .. }, Fate::Receipted { .. }) if letter.fate == fate && letter.opened == opened => {}
            // Of two letters of one id a receipt may have meant the other: only what is said of one alone must stay.
            (was @ Fate::Receipted { .. }, now) if !is_shared => {
                let told = format!("one_effect: {} of {} was told {was:?} and then {now:?}", letter.id, letter.from);
                self.wrong.push(told);
            }
            _ => (letter.fate, letter.opened) = (fate, opened),
        }
    }

    /// A letter has reached a participant.
    pub fn receive(&mut self, by: &ParticipantCode, posted: &Posted) {
        let message = match format::read(&posted.content, posted.format, Catalogue::builtin()) {
            Ok(message) => message,
            Err(fault) => return self.wrong.push(format!("round_trip: {by} cannot read {}: {fault}", posted.message)),
        };
        let envelope = &message.envelope;
        if envelope.id != posted.message || !envelope.to.contains(by) {
            self.wrong.push(format!("no_cross_talk: {by} was given {} as {}", envelope.id, posted.message));
            return;
        }
        if let Some(before) = self.received.get(&(by.clone(), envelope.id)) {
            if before.content != posted.content {
                self.wrong.push(format!("no_cross_talk: {} came to {by} twice, with other content", envelope.id));
            }
            return;
        }
        self.compare(by, &message);
        if envelope.from == ParticipantCode::gateway() {
            self.receipt(by, &message);
        }
        let envelope = Arc::new(message.envelope);
        let no = self.received.len();
        let kept = Received { envelope: Arc::clone(&envelope), content: posted.content.clone(), no };
        self.received.insert((by.clone(), envelope.id), kept);
        self.matters.extend(letters::matters_of(by, &envelope));
    }

    /// What came is what was written, to the letter, whatever formats it went through.
    fn compare(&mut self, by: &ParticipantCode, message: &Message) {
        let id = message.envelope.id;
        let mut written = self.letters.iter().filter(|letter| letter.id == id && letter.digest.is_some()).peekable();
        if written.peek().is_none() {
            return;
        }
        let came = format::digest(message, Catalogue::builtin()).ok();
        if !written.any(|letter| letter.digest == came) {
            self.wrong.push(format!("round_trip: {id} came to {by} as nobody has written it"));
        }
    }

    /// The gateway's own word to a sender.
    fn receipt(&mut self, by: &ParticipantCode, message: &Message) {
        let about = message.envelope.in_reply_to;
        let is_ours = |letter: &Written| Some(letter.id) == about && letter.from == *by;
        let places = self.letters.iter().enumerate().filter(|(_, letter)| is_ours(letter));
        let places: Vec<usize> = places.map(|(place, _)| place).collect();
        if places.is_empty() && about.is_some() {
            self.wrong.push(format!("no_cross_talk: {by} has a receipt of {about:?}, which it did not write"));
            return;
        }
        let body = format::write(message, Format::Json, Catalogue::builtin()).ok();
        let body: Value = body.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let fate = match message.envelope.type_code.as_str() {
            "receipt.delivery" => Fate::Receipted { number: text("/body/registration/number") },
            _ => Fate::Refused { code: text("/body/code") },
        };
        // A receipt does not say which of two letters of one id it means; that there was one is seen in the book.
        if let [only] = places.as_slice() {
            self.settle(*only, fate, opened_of(&body));
        }
    }

    /// Whether the gateway has said anything of an id to its writer.
    pub fn was_told(&self, letter: &Written) -> bool {
        let gateway = ParticipantCode::gateway();
        let mut told = self.received.iter().filter(|((by, _), _)| *by == letter.from);
        told.any(|(_, one)| one.envelope.from == gateway && one.envelope.in_reply_to == Some(letter.id))
    }

    /// Letters that are still to be sent.
    pub fn open(&self, way: Way, step: u32) -> Vec<usize> {
        let open = self.letters.iter().enumerate();
        let is_open = |one: &Written| one.way == way && one.fate == Fate::Open && one.not_before <= step;
        open.filter(|(_, one)| is_open(one)).map(|(place, _)| place).collect()
    }
}

fn said(opened: &Opened) -> (String, String) {
    (opened.id.to_string(), opened.due_on.to_string())
}

fn opened_of(body: &Value) -> Vec<(String, String)> {
    let text = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let items = body.pointer("/body/obligations").and_then(Value::as_array);
    items.into_iter().flatten().map(|item| (text(item, "id"), text(item, "due_on"))).collect()
}
