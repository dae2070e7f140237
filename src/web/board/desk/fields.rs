//! What a form of the desk sent, and how it becomes the JSON of a message: every field is named by the place that it
//! fills, so that a fault of the message is a fault of the field.
//!
//! Promises: a field that was left empty is not there; rows that were left empty close up. Never: mends what was written.

use crate::catalogue::plan::{ListPlan, Plan, RecordPlan, Shape};
use crate::domain::zone::Zone;
use crate::limits::SCHEMA_DEPTH_MAX;
use chrono::NaiveDateTime;
use serde_json::{Map, Value};

/// Rows of one list that a form may have.
const ROWS_MAX: usize = 60;

/// Names and values, in the order of the form.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(pub Vec<(String, String)>);

impl Fields {
    /// The value of a field, without the blanks around it; empty where there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
    }

    /// The value, where there is one.
    pub(super) fn some(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    /// All values of a group of boxes.
    pub(super) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// Sets a value where the form has none.
    pub(super) fn propose(&mut self, name: &str, value: impl Into<String>) {
        if self.some(name).is_none() {
            self.0.retain(|(known, _)| known != name);
            self.0.push((name.to_owned(), value.into()));
        }
    }

    /// How many rows of a list are filled: the last filled one counts.
    pub(super) fn rows(&self, path: &str) -> usize {
        let below = format!("{path}/");
        let number = |name: &str| name.strip_prefix(&below)?.split('/').next()?.parse::<usize>().ok();
        let filled = self.0.iter().filter(|(_, value)| !value.trim().is_empty());
        filled.filter_map(|(name, _)| number(name)).max().map_or(0, |last| (last + 1).min(ROWS_MAX))
    }

    /// A record as JSON; none where nothing of it was filled in.
    pub(super) fn record(&self, plan: &RecordPlan, (path, zone): (&str, Zone)) -> Option<Value> {
        if path.matches('/').count() > SCHEMA_DEPTH_MAX {
            return None;
        }
        let mut record = Map::new();
        for field in &plan.fields {
            let below = format!("{path}/{}", field.name);
            record.extend(self.value(&field.plan, (&below, zone)).map(|value| (field.name.to_string(), value)));
        }
        (!record.is_empty()).then_some(Value::Object(record))
    }

    fn value(&self, plan: &Plan, (path, zone): (&str, Zone)) -> Option<Value> {
        match plan {
            Plan::Record(record) => self.record(record, (path, zone)),
            Plan::List(list) => self.list(list, (path, zone)),
            Plan::Boolean => match self.get(path) {
                "true" => Some(Value::Bool(true)),
                "false" => Some(Value::Bool(false)),
                _ => None,
            },
            // What is no integer is said to be none by the schema, at this field.
            Plan::Integer(_) => {
                self.some(path).map(|text| text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from))
            }
            Plan::Text(text) => self.some(path).map(|value| match text.shape {
                Shape::DateTime => Value::from(moment(value, zone).unwrap_or_else(|| value.to_owned())),
                _ => Value::from(value.replace("\r\n", "\n")),
            }),
        }
    }

    /// A list; one that was left empty is an empty list where that is allowed, else it is missing.
    fn list(&self, plan: &ListPlan, (path, zone): (&str, Zone)) -> Option<Value> {
        let items: Vec<Value> = match &*plan.item {
            Plan::Text(text) if matches!(text.shape, Shape::OneOf(_)) => self.all(path).map(Value::from).collect(),
            item => {
                let rows = 0..self.rows(path);
                rows.filter_map(|row| self.value(item, (&format!("{path}/{row}"), zone))).collect()
            }
        };
        (!items.is_empty() || plan.items_min == 0).then_some(Value::Array(items))
    }
}

/// `2026-03-02T09:30` of that zone as an instant with its offset.
pub(super) fn moment(local: &str, zone: Zone) -> Option<String> {
    let formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];
    let local = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(local, format).ok())?;
    Some(zone.with_offset(zone.instant(local.date(), local.time())).to_rfc3339())
}
