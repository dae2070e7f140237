//! The participants at their desks: each step some of them write something.
//!
//! Promises: what they write is drawn from the seed; every letter stands in its writer's book before it is sent.
//! Never: looks into the gateway.

use crate::catalogue::Catalogue;
use crate::domain::ids::{MessageId, ParticipantCode};
use crate::domain::message::{Envelope, Format};
use crate::domain::participant::{BodyKind, Participant};
use crate::format;
use crate::simulation::books::{Books, Fate, Matter, Sort, Way, Written};
use crate::simulation::dice::Dice;
use crate::simulation::letters::{self, EVASIONS, OF_CENTRES, TO_CENTRES};
use crate::simulation::templates::Writing;
use anyhow::Context as _;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::sync::Arc;

/// Who writes, and when.
pub(super) struct Pens<'w> {
    pub bodies: &'w [Participant],
    pub now: DateTime<Utc>,
    pub step: u32,
}

impl Pens<'_> {
    /// One participant does one thing.
    pub fn act(&self, books: &mut Books, dice: &mut Dice) -> anyhow::Result<()> {
        match dice.below(100) {
            0..38 => self.open(books, dice),
            38..84 => self.go_on(books, dice),
            84..92 => self.contradict(books, dice),
            _ => self.poison(books, dice),
        }
    }

    fn body(&self, code: &ParticipantCode) -> anyhow::Result<&Participant> {
        self.bodies.iter().find(|body| body.code == *code).context("a participant of the world")
    }

    fn writing<'b>(&self, from: &'b Participant, dice: &mut Dice) -> Writing<'b> {
        Writing { from, now: self.now, id: dice.id() }
    }

    fn open(&self, books: &mut Books, dice: &mut Dice) -> anyhow::Result<()> {
        let (centres, others): (Vec<_>, Vec<_>) =
            self.bodies.iter().partition(|body| body.kind == BodyKind::SocialCentre);
        let centre = *dice.one_of(&centres).context("a centre")?;
        let (from, kind, to) = match dice.percent(80) {
            true => {
                let (kind, asked) = *dice.one_of(&OF_CENTRES).context("a request")?;
                let asked: Vec<_> =
                    others.iter().filter(|body| asked.is_none_or(|asked| asked == body.kind)).copied().collect();
                let mut to = vec![dice.one_of(&asked).context("somebody to ask")?.code.clone()];
                let second = dice.one_of(&asked).context("somebody to ask")?.code.clone();
                if dice.percent(15) && !to.contains(&second) {
                    to.push(second);
                }
                (centre, kind, to)
            }
            false => {
                let from = *dice.one_of(&others).context("a writer")?;
                (from, *dice.one_of(&TO_CENTRES).context("a kind")?, vec![centre.code.clone()])
            }
        };
        let letter = letters::opening(&self.writing(from, dice), kind, &to, dice)?;
        let dawdles = dice.percent(12);
        let envelope = self.put(books, (from, kind, &letter), dice)?;
        if dawdles {
            // It is known already, by telephone perhaps, and is answered before it has come.
            let wait = 2 + u32::try_from(dice.below(12))?;
            if let Some(letter) = books.letters.last_mut() {
                letter.not_before = self.step + wait;
            }
            for code in &envelope.to {
                books.matters.extend(letters::matters_of(code, &envelope));
            }
        }
        Ok(())
    }

    /// Somebody writes about something that has come.
    fn go_on(&self, books: &mut Books, dice: &mut Dice) -> anyhow::Result<()> {
        if books.matters.is_empty() {
            return Ok(());
        }
        let place = usize::try_from(dice.below(books.matters.len() as u64))?;
        let matter = books.matters[place].clone();
        let is_owed = !matter.kind.starts_with("control.");
        let kind = match is_owed && dice.percent(35) {
            true => *dice.one_of(&EVASIONS).context("an evasion")?,
            false => {
                books.matters.swap_remove(place);
                matter.kind
            }
        };
        // A centre takes back what it has asked, now and then.
        let withdraws = is_owed && dice.percent(4);
        let (by, kind) = if withdraws { (&matter.about.from, "control.withdrawal") } else { (&matter.by, kind) };
        if !is_owed && dice.percent(40) {
            return Ok(());
        }
        let about = Matter { by: by.clone(), kind, about: Arc::clone(&matter.about) };
        let Ok(body) = self.body(&about.by) else { return Ok(()) };
        let mut letter = letters::about(&self.writing(body, dice), kind, &about.about, dice)?;
        if withdraws {
            letter["to"] = json!([matter.by]);
        }
        self.put(books, (body, kind, &letter), dice).map(drop)
    }

    /// The same id, with other content.
    fn contradict(&self, books: &mut Books, dice: &mut Dice) -> anyhow::Result<()> {
        let good: Vec<usize> = (0..books.letters.len())
            .filter(|place| books.letters[*place].sort == Sort::Good && books.letters[*place].digest.is_some())
            .collect();
        let Some(place) = dice.one_of(&good).copied() else { return Ok(()) };
        let first = &books.letters[place];
        let (from, kind) = (self.body(&first.from)?, first.kind);
        let message = format::read(&first.content, first.format, Catalogue::builtin())?;
        let mut letter: Value = serde_json::from_slice(&format::write(&message, Format::Json, Catalogue::builtin())?)?;
        letter["summary"] = json!(format!("Вымышленное письмо {}, иначе", first.id));
        self.put(books, (from, kind, &letter), dice)?;
        if let Some(letter) = books.letters.last_mut() {
            letter.sort = Sort::Contradiction;
        }
        Ok(())
    }

    /// Writes a letter into its writer's book.
    fn put(
        &self,
        books: &mut Books,
        (from, kind, letter): (&Participant, &'static str, &Value),
        dice: &mut Dice,
    ) -> anyhow::Result<Arc<Envelope>> {
        let json = serde_json::to_vec(letter)?;
        let message =
            format::read(&json, Format::Json, Catalogue::builtin()).with_context(|| format!("an invented {kind}"))?;
        let digest = format::digest(&message, Catalogue::builtin())?;
        let (format, content) = match dice.percent(25) {
            true => (Format::Xml, format::write(&message, Format::Xml, Catalogue::builtin())?),
            false => (Format::Json, json),
        };
        let envelope = Arc::new(message.envelope);
        books.letters.push(Written {
            from: from.code.clone(),
            user: Some(from.code.to_string()),
            id: envelope.id,
            kind,
            to: envelope.to.clone(),
            format,
            content: Bytes::from(content),
            digest: Some(digest),
            way: if dice.percent(60) { Way::Queue } else { Way::Http },
            sort: Sort::Good,
            fate: Fate::Open,
            not_before: 0,
            opened: Vec::new(),
        });
        Ok(envelope)
    }

    /// Something that cannot be taken.
    fn poison(&self, books: &mut Books, dice: &mut Dice) -> anyhow::Result<()> {
        let from = dice.one_of(self.bodies).context("a writer")?;
        let writing = self.writing(from, dice);
        let centre = self.bodies.iter().find(|body| body.kind == BodyKind::SocialCentre && body.code != from.code);
        let to = [centre.context("another centre")?.code.clone()];
        let mut letter = letters::opening(&writing, "signal.referral", &to, dice)?;
        let mut user = from.code.to_string();
        let content = match dice.below(5) {
            0 => format!("{{\"id\": \"{}\", ", writing.id),
            1 => "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>".to_owned(),
            2 => {
                letter["type"] = json!("request.nothing-of-the-kind");
                letter.to_string()
            }
            3 => {
                letter["body"] = json!({"вымышлено": true});
                letter.to_string()
            }
            // Another's name.
            _ => {
                let others: Vec<_> = self.bodies.iter().filter(|body| body.code != from.code).collect();
                user = dice.one_of(&others).context("another")?.code.to_string();
                letter.to_string()
            }
        };
        books.letters.push(Written {
            from: ParticipantCode::new(&user)?,
            user: Some(user),
            id: MessageId(writing.id),
            kind: "poison",
            to: to.to_vec(),
            format: if content.starts_with('<') { Format::Xml } else { Format::Json },
            content: Bytes::from(content),
            digest: None,
            way: if dice.percent(80) { Way::Queue } else { Way::Http },
            sort: Sort::Poison,
            fate: Fate::Open,
            not_before: 0,
            opened: Vec::new(),
        });
        Ok(())
    }
}
