//! Terms: how a due date is counted, frozen and explained.

use serde::{Deserialize, Serialize};

/// The working week of a performer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Week {
    #[default]
    FiveDay,
    SixDay,
}
