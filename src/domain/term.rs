//! Terms: how a due date is counted, frozen and explained. (Being furnished on another branch; these are its outlines.)

use serde::{Deserialize, Serialize};

/// The working week of a performer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Week {
    #[default]
    FiveDay,
    SixDay,
}

/// Outline.
#[derive(Debug, Clone, PartialEq)]
pub struct Term;

/// Outline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Protocol {
    pub rule: String,
}

/// Outline.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("outline")]
pub struct TermError;
