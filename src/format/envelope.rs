//! The envelope between its two shapes: the checked fields of a document and the typed [`Envelope`].
//!
//! Promises: moves what it can, clones nothing. Never: checks a value; its schema has done so, and what does not fit
//! here is a fault of the envelope's schema, reported as one.

use crate::catalogue::{Catalogue, Entry};
use crate::domain::ids::{ExchangeId, MessageId, ParticipantCode, TypeCode};
use crate::domain::message::{
    Attachment, Consent, Envelope, Executor, LegalBasis, Level, NoConsentGround, Node, Official, Registration, Support,
    Timestamp, Track,
};
use crate::format::fault::{Findings, Malformed, SCHEMA_VIOLATION, UNKNOWN_TYPE, UNKNOWN_VERSION};
use chrono::NaiveDate;
use std::sync::Arc;
use uuid::Uuid;

/// Fields by name.
type Fields = Vec<(Arc<str>, Node)>;

/// The field of that name.
pub(super) fn field<'n>(fields: &'n [(Arc<str>, Node)], name: &str) -> Option<&'n Node> {
    fields.iter().find(|(field, _)| &**field == name).map(|(_, node)| node)
}

/// The type and version, if both are there.
fn stated<'n>(field: impl Fn(&str) -> Option<&'n Node>) -> Option<(&'n str, i64)> {
    match (field("type")?, field("version")?) {
        (Node::Text(code), Node::Integer(version)) => Some((code, *version)),
        _ => None,
    }
}

/// The entry of the type and version that the fields state.
pub(super) fn entry_of<'n, 'c>(
    field: impl Fn(&str) -> Option<&'n Node>,
    catalogue: &'c Catalogue,
) -> Option<&'c Entry> {
    stated(field).and_then(|(code, version)| catalogue.entry_named(code, version))
}

/// Reports a type or version that the catalogue does not have.
pub(super) fn report_unknown_type(fields: &[(Arc<str>, Node)], catalogue: &Catalogue, found: &mut Findings<'_>) {
    match stated(|name| field(fields, name)) {
        Some((code, _)) if !catalogue.knows(code) => {
            found.add_below("type", UNKNOWN_TYPE, "use a type of the catalogue, or have this one added to it");
        }
        Some((code, version)) if catalogue.entry_named(code, version).is_none() => {
            found.add_below("version", UNKNOWN_VERSION, "use a version of this type that the catalogue has");
        }
        _ => {}
    }
}

/// The typed envelope of fields that have passed the envelope's schema.
pub(super) fn from_fields(fields: Fields) -> Result<Envelope, Malformed> {
    Parts(fields.into_iter()).envelope().ok_or_else(|| {
        Malformed::whole(SCHEMA_VIOLATION, "the envelope's schema is wider than the gateway's model of it; report this")
    })
}

/// Fields that are taken out one by one, in the schema's order, in which they stand.
struct Parts(std::vec::IntoIter<(Arc<str>, Node)>);

impl Parts {
    fn of(node: Node) -> Self {
        Self(if let Node::Record(fields) = node { fields } else { Vec::new() }.into_iter())
    }

    /// The next field, if it has this name.
    fn take(&mut self, name: &str) -> Option<Node> {
        let (next, _) = self.0.as_slice().first()?;
        if &**next == name { self.0.next().map(|(_, node)| node) } else { None }
    }

    fn text(&mut self, name: &str) -> Option<String> {
        if let Some(Node::Text(text)) = self.take(name) { Some(text) } else { None }
    }

    fn integer(&mut self, name: &str) -> Option<i64> {
        if let Some(Node::Integer(value)) = self.take(name) { Some(value) } else { None }
    }

    fn boolean(&mut self, name: &str) -> Option<bool> {
        if let Some(Node::Boolean(value)) = self.take(name) { Some(value) } else { None }
    }

    fn uuid(&mut self, name: &str) -> Option<Uuid> {
        self.text(name)?.parse().ok()
    }

    fn date(&mut self, name: &str) -> Option<NaiveDate> {
        self.text(name)?.parse().ok()
    }

    /// An optional record: outer none, when it does not fit.
    fn record<T>(&mut self, name: &str, read: fn(Parts) -> Option<T>) -> Option<Option<T>> {
        self.take(name).map_or(Some(None), |node| read(Parts::of(node)).map(Some))
    }

    fn list<T>(&mut self, name: &str, item: impl Fn(Node) -> Option<T>) -> Option<Vec<T>> {
        match self.take(name) {
            Some(Node::List(items)) => items.into_iter().map(item).collect(),
            _ => Some(Vec::new()),
        }
    }

    fn envelope(mut self) -> Option<Envelope> {
        let envelope = Envelope {
            id: MessageId(self.uuid("id")?),
            exchange: self.uuid("exchange").map(ExchangeId),
            in_reply_to: self.uuid("in_reply_to").map(MessageId),
            type_code: TypeCode::new(&self.text("type")?).ok()?,
            version: u32::try_from(self.integer("version")?).ok()?,
            from: ParticipantCode::new(&self.text("from")?).ok()?,
            to: self.list("to", |node| node.as_text().and_then(|code| ParticipantCode::new(code).ok()))?,
            created_at: Timestamp::parse(&self.text("created_at")?)?,
            case: self.text("case"),
            support: self.record("support", Parts::support)?,
            legal_basis: self.list("legal_basis", |node| Parts::of(node).legal_basis())?,
            consent: self.record("consent", Parts::consent)?,
            no_consent_ground: self.record("no_consent_ground", Parts::no_consent_ground)?,
            registration: self.record("registration", Parts::registration)?,
            signatory: self.record("signatory", Parts::signatory)?,
            executor: self.record("executor", Parts::executor)?,
            reply_by: self.date("reply_by"),
            summary: self.text("summary"),
            attachments: self.list("attachments", |node| Parts::of(node).attachment())?,
            test: self.boolean("test"),
        };
        // A field that the model does not have would be lost.
        self.0.as_slice().is_empty().then_some(envelope)
    }

    fn support(mut self) -> Option<Support> {
        let (track, level) = (self.text("track"), self.text("level"));
        let track = track.map_or(Some(None), |code| Track::from_code(&code).map(Some))?;
        let level = level.map_or(Some(None), |code| Level::from_code(&code).map(Some))?;
        Some(Support { track, level })
    }

    fn legal_basis(mut self) -> Option<LegalBasis> {
        Some(LegalBasis { act: self.text("act")?, article: self.text("article") })
    }

    fn consent(mut self) -> Option<Consent> {
        Some(Consent { kind: self.text("kind")?, reference: self.text("reference")? })
    }

    fn no_consent_ground(mut self) -> Option<NoConsentGround> {
        Some(NoConsentGround { code: self.text("code")?, reason: self.text("reason")? })
    }

    fn registration(mut self) -> Option<Registration> {
        Some(Registration { number: self.text("number")?, date: self.date("date")? })
    }

    fn signatory(mut self) -> Option<Official> {
        Some(Official { name: self.text("name")?, post: self.text("post") })
    }

    fn executor(mut self) -> Option<Executor> {
        Some(Executor { name: self.text("name")?, phone: self.text("phone"), email: self.text("email") })
    }

    fn attachment(mut self) -> Option<Attachment> {
        Some(Attachment {
            annex: u32::try_from(self.integer("annex")?).ok()?,
            name: self.text("name")?,
            media_type: self.text("media_type")?,
            size_bytes: u64::try_from(self.integer("size")?).ok()?,
            sha256: self.text("sha256")?,
        })
    }
}
