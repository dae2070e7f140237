//! The schemas as files that any validator takes: each JSON Schema stands alone, the XSDs refer to one another.
//!
//! Promises: what is exported says exactly what the plans check. Never: a reference that leaves the folder.

use crate::catalogue::dialect::{COMMON_REFERENCE, DIALECT, LOCAL_REFERENCE};
use crate::catalogue::source::Json;
use crate::catalogue::{Catalogue, CatalogueError, Entry, xsd};

/// A file: its name and its text.
pub type File = (String, String);

impl Catalogue {
    /// All schemas as files of one flat folder: `<type>.<version>.schema.json` and `.xsd`, `envelope.schema.json`,
    /// `message.schema.json` and `message.xsd` for whole messages.
    ///
    /// # Errors
    /// A schema that is no JSON any more, which cannot happen to a loaded one.
    pub fn export(&self) -> Result<Vec<File>, CatalogueError> {
        let mut files = vec![
            ("envelope.schema.json".to_owned(), alone(&self.envelope_schema, &self.common_schema).pretty()),
            ("message.xsd".to_owned(), xsd::of_message(self, |entry| format!("{}.xsd", stem(entry)))),
        ];
        let mut bodies = Vec::new();
        for entry in self.entries() {
            let schema: Json = serde_json::from_str(&entry.schema).map_err(|error| CatalogueError {
                file: stem(entry),
                place: String::new(),
                remedy: error.to_string(),
            })?;
            files.push((format!("{}.schema.json", stem(entry)), alone(&schema, &self.common_schema).pretty()));
            files.push((format!("{}.xsd", stem(entry)), xsd::of_body(entry)));
            bodies.push((entry, schema));
        }
        files.push(("message.schema.json".to_owned(), self.whole(bodies).pretty()));
        files.sort();
        Ok(files)
    }

    /// The schema of whole messages: the envelope with a body that its type chooses.
    fn whole(&self, bodies: Vec<(&Entry, Json)>) -> Json {
        let mut defs = common_defs(&self.common_schema);
        let (mut known, mut chosen) = (Vec::new(), Vec::new());
        for (entry, schema) in bodies {
            let stated = Json::object([
                (
                    "properties",
                    Json::object([
                        ("type", Json::object([("const", Json::text(entry.code.as_str()))])),
                        ("version", Json::object([("const", Json::Integer(entry.version.into()))])),
                    ]),
                ),
                ("required", Json::List(vec![Json::text("type"), Json::text("version")])),
            ]);
            let body = Json::object([("$ref", Json::text(format!("{LOCAL_REFERENCE}{}", stem(entry))))]);
            let then = Json::object([("properties", Json::object([("body", body)]))]);
            known.push(stated.clone());
            chosen.push(Json::object([("if", stated), ("then", then)]));
            let home = format!("{LOCAL_REFERENCE}{}/$defs/", stem(entry));
            let mut schema = refer(&schema, &home);
            if let Json::Object(members) = &mut schema {
                members.retain(|(key, _)| key != "$schema");
            }
            defs.push((stem(entry), schema));
        }
        let mut message = refer(&self.envelope_schema, LOCAL_REFERENCE);
        if let Json::Object(members) = &mut message {
            members.iter_mut().for_each(add_body);
            members.push(("anyOf".to_owned(), Json::List(known)));
            members.push(("allOf".to_owned(), Json::List(chosen)));
            members.push(("$defs".to_owned(), Json::Object(defs)));
        }
        message
    }
}

/// Makes the envelope's schema one of a message.
fn add_body((key, value): &mut (String, Json)) {
    match (key.as_str(), value) {
        ("title", title) => *title = Json::text("Сообщение"),
        ("description", description) => {
            *description = Json::text("A whole message: the envelope, and the body that its type and version choose.")
        }
        ("required", Json::List(names)) => names.push(Json::text("body")),
        ("properties", Json::Object(properties)) => {
            properties.push((
                "body".to_owned(),
                Json::object([("title", Json::text("Содержание")), ("type", Json::text("object"))]),
            ));
        }
        _ => {}
    }
}

/// `request.information.1`.
fn stem(entry: &Entry) -> String {
    format!("{}.{}", entry.code, entry.version)
}

/// A schema with all the definitions it uses, its own and the shared ones.
fn alone(schema: &Json, common: &Json) -> Json {
    let mut whole = refer(schema, LOCAL_REFERENCE);
    let mut defs = whole.get("$defs").map(Json::members).unwrap_or_default().to_vec();
    let shared = common_defs(common);
    // A definition may use another: until nothing new is used.
    loop {
        let used = Json::List(vec![whole.clone(), Json::Object(defs.clone())]);
        let wanted = |name: &str| {
            mentions(&used, &format!("{LOCAL_REFERENCE}{name}")) && !defs.iter().any(|(known, _)| known == name)
        };
        let Some(found) = shared.iter().find(|(name, _)| wanted(name)) else { break };
        defs.push(found.clone());
    }
    if let Json::Object(members) = &mut whole {
        members.retain(|(key, _)| key != "$defs");
        if !defs.is_empty() {
            members.push(("$defs".to_owned(), Json::Object(defs)));
        }
    }
    debug_assert_eq!(whole.get("$schema").and_then(Json::as_text), Some(DIALECT));
    whole
}

fn common_defs(common: &Json) -> Vec<(String, Json)> {
    common.get("$defs").map(Json::members).unwrap_or_default().to_vec()
}

fn mentions(schema: &Json, target: &str) -> bool {
    match schema {
        Json::Object(members) => members
            .iter()
            .any(|(key, value)| (key == "$ref" && value.as_text() == Some(target)) || mentions(value, target)),
        Json::List(items) => items.iter().any(|item| mentions(item, target)),
        Json::Null | Json::Boolean(_) | Json::Integer(_) | Json::Fraction(_) | Json::Text(_) => false,
    }
}

/// The schema with its references turned to where the definitions will be: shared ones at the root, own ones at `home`.
fn refer(schema: &Json, home: &str) -> Json {
    match schema {
        Json::Object(members) => Json::Object(
            members
                .iter()
                .map(|(key, value)| match (key.as_str(), value.as_text()) {
                    ("$ref", Some(target)) => (key.clone(), Json::text(turned(target, home))),
                    _ => (key.clone(), refer(value, home)),
                })
                .collect(),
        ),
        Json::List(items) => Json::List(items.iter().map(|item| refer(item, home)).collect()),
        other => other.clone(),
    }
}

fn turned(target: &str, home: &str) -> String {
    match (target.strip_prefix(COMMON_REFERENCE), target.strip_prefix(LOCAL_REFERENCE)) {
        (Some(name), _) => format!("{LOCAL_REFERENCE}{name}"),
        (None, Some(name)) => format!("{home}{name}"),
        (None, None) => target.to_owned(),
    }
}
