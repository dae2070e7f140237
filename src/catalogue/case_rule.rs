//! `[[case]]` of an entry: what a message of the type does to the case that it names.
//!
//! Promises: every field that a rule names is in the type's schema with a fitting type. Never: decides; it says what the
//! body states, and the core records it.

use crate::catalogue::entry::Entry;
use crate::catalogue::plan::{Plan, RecordPlan, Shape};
use crate::domain::case::{Move, Stage, What};
use crate::domain::message::{Level, Message, Node, Track};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// One rule; a type may have several, each under its own condition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CaseRule {
    /// Left out, every message of the type does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<CaseWhen>,
    /// Постановка.
    #[serde(skip_serializing_if = "is_false")]
    pub opens: bool,
    /// Снятие.
    #[serde(skip_serializing_if = "is_false")]
    pub closes: bool,
    /// The track that it sets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track: Option<Track>,
    /// The stage that it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// The field that holds the track.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track_in: Option<String>,
    /// The field that holds the level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level_in: Option<String>,
    /// The fields, as `order.date`, that hold the day from which it is so: the first that is filled in. Left out, the day
    /// of the message. A day after the registration of the message counts as that of its registration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_in: Vec<String>,
    /// The field that holds the code of the ground of opening or closing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_in: Option<String>,
}

/// A field of the body and the code that it must hold; of a boolean `true` or `false`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseWhen {
    pub field: String,
    pub is: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Entry {
    /// What a message of this type does to its case.
    #[must_use]
    pub fn case_moves(&self, message: &Message) -> Vec<Move> {
        let body = message.body.expose();
        self.case.iter().filter(|rule| rule.applies(body)).flat_map(|rule| rule.moves(body)).collect()
    }

    /// Checks the rules against the schema.
    pub(super) fn check_case(&self) -> Result<(), String> {
        self.case.iter().try_for_each(|rule| rule.check(&self.body))
    }
}

impl CaseRule {
    fn applies(&self, body: &Node) -> bool {
        self.when.as_ref().is_none_or(|when| match body.field(&when.field) {
            Some(Node::Boolean(value)) => value.to_string() == when.is,
            Some(node) => node.as_text() == Some(when.is.as_str()),
            None => false,
        })
    }

    fn moves(&self, body: &Node) -> Vec<Move> {
        let on: Option<NaiveDate> = self.on_in.iter().find_map(|path| text(body, path)?.parse().ok());
        let reason = || self.reason_in.as_deref().and_then(|path| text(body, path)).map(str::to_owned);
        let track =
            self.track.or_else(|| self.track_in.as_deref().and_then(|path| Track::from_code(text(body, path)?)));
        let level = self.level_in.as_deref().and_then(|path| Level::from_code(text(body, path)?));
        let whats = [
            self.opens.then(|| What::Opened { reason: reason() }),
            track.map(|track| What::Track { track }),
            level.map(|level| What::Level { level }),
            self.stage.map(|stage| What::Stage { stage }),
            self.closes.then(|| What::Closed { reason: reason() }),
        ];
        whats.into_iter().flatten().map(|what| Move { on, what }).collect()
    }

    /// What it does, in Russian, for the page of the type.
    pub(super) fn words(&self) -> String {
        let field = |head: &str, path: &Option<String>| path.as_ref().map(|path| format!("{head} из поля `{path}`"));
        let parts = [
            self.opens.then(|| "постановка".to_owned()),
            self.closes.then(|| "снятие".to_owned()),
            self.track.map(|track| format!("вид сопровождения `{}`", track.code())),
            field("вид сопровождения", &self.track_in),
            field("уровень", &self.level_in),
            self.stage.map(|stage| format!("этап `{}`", stage.code())),
            field("основание", &self.reason_in),
            (!self.on_in.is_empty()).then(|| format!("со дня в поле `{}`", self.on_in.join("` или `"))),
        ];
        let words = parts.into_iter().flatten().collect::<Vec<_>>().join("; ");
        match &self.when {
            Some(when) => format!("если `{}` = `{}`: {words}", when.field, when.is),
            None => words,
        }
    }

    fn check(&self, body: &RecordPlan) -> Result<(), String> {
        let is_date = |plan: &Plan| matches!(plan, Plan::Text(text) if matches!(text.shape, Shape::Date));
        if let Some(path) = self.on_in.iter().find(|path| !super::fields::find(body, path).is_some_and(is_date)) {
            return Err(format!("`{path}` must be a date in the schema"));
        }
        for path in [&self.reason_in, &self.track_in, &self.level_in].into_iter().flatten() {
            codes(body, path)?;
        }
        let known = |path: &Option<String>, known: fn(&str) -> bool| match path {
            Some(path) => codes(body, path).map(|codes| codes.iter().all(|code| known(code))),
            None => Ok(true),
        };
        if !known(&self.track_in, |code| Track::from_code(code).is_some())? {
            return Err("track_in must name an \"enum\" of tracks".into());
        }
        if !known(&self.level_in, |code| Level::from_code(code).is_some())? {
            return Err("level_in must name an \"enum\" of levels".into());
        }
        self.check_whole(body)
    }

    fn check_whole(&self, body: &RecordPlan) -> Result<(), String> {
        let sets = self.track.is_some() || self.track_in.is_some() || self.level_in.is_some() || self.stage.is_some();
        if self.opens && self.closes {
            return Err("a message opens a case or closes it; make two rules with `when`".into());
        }
        if !(self.opens || self.closes || sets) {
            return Err("the rule does nothing: opens, closes, track, track_in, level_in or stage".into());
        }
        if self.track.is_some() && self.track_in.is_some() {
            return Err("track or track_in, not both".into());
        }
        let Some(when) = &self.when else { return Ok(()) };
        let fits = match super::fields::find(body, &when.field) {
            Some(Plan::Boolean) => matches!(when.is.as_str(), "true" | "false"),
            Some(_) => codes(body, &when.field)?.contains(&when.is.as_str()),
            None => false,
        };
        if fits { Ok(()) } else { Err(format!("`{}` is never `{}` by the schema", when.field, when.is)) }
    }
}

/// The codes that a field may hold.
fn codes<'p>(body: &'p RecordPlan, path: &str) -> Result<Vec<&'p str>, String> {
    match super::fields::find(body, path) {
        Some(Plan::Text(text)) => match &text.shape {
            Shape::OneOf(codes) => Ok(codes.iter().map(|code| &**code).collect()),
            _ => Err(format!("`{path}` must be an \"enum\" in the schema")),
        },
        _ => Err(format!("`{path}` must be an \"enum\" in the schema")),
    }
}

/// The text of a field, by its path.
fn text<'b>(body: &'b Node, path: &str) -> Option<&'b str> {
    path.split('.').try_fold(body, |node, name| node.field(name))?.as_text()
}
