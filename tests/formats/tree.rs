//! A message as a plain tree, before it is JSON or XML: what the tests generate, mutate and print.
//!
//! Promises: can hold what no schema allows. Never: uses the gateway's own writers.

use mezhved::domain::message::Node;
use std::sync::Arc;

/// A value as it will be spelled.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    Text(String),
    /// A number or boolean, literally.
    Literal(String),
    List(Vec<Tree>),
    Record(Vec<(String, Tree)>),
    /// JSON only.
    Null,
}

impl From<&Node> for Tree {
    fn from(node: &Node) -> Self {
        match node {
            Node::Text(text) => Self::Text(text.clone()),
            Node::Integer(value) => Self::Literal(value.to_string()),
            Node::Boolean(value) => Self::Literal(value.to_string()),
            Node::List(items) => Self::List(items.iter().map(Self::from).collect()),
            Node::Record(fields) => Self::record(fields),
        }
    }
}

impl Tree {
    /// A record of checked fields.
    pub fn record(fields: &[(Arc<str>, Node)]) -> Self {
        Self::Record(fields.iter().map(|(name, node)| (name.to_string(), Self::from(node))).collect())
    }

    /// The number of values in it, itself included.
    pub fn count(&self) -> usize {
        1 + match self {
            Self::List(items) => items.iter().map(Self::count).sum(),
            Self::Record(fields) => fields.iter().map(|(_, value)| value.count()).sum(),
            Self::Text(_) | Self::Literal(_) | Self::Null => 0,
        }
    }

    /// The value of that number, in the order of writing.
    pub fn nth(&mut self, place: usize) -> Option<&mut Self> {
        if place == 0 {
            return Some(self);
        }
        let children: Vec<&mut Self> = match self {
            Self::List(items) => items.iter_mut().collect(),
            Self::Record(fields) => fields.iter_mut().map(|(_, value)| value).collect(),
            Self::Text(_) | Self::Literal(_) | Self::Null => Vec::new(),
        };
        let mut place = place - 1;
        for child in children {
            let count = child.count();
            if place < count {
                return child.nth(place);
            }
            place -= count;
        }
        None
    }

    /// The text of a record's field.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        let Self::Record(fields) = self else { return None };
        fields.iter().find_map(|(field, value)| match value {
            Self::Text(text) if field == name => Some(text.as_str()),
            _ => None,
        })
    }
}
