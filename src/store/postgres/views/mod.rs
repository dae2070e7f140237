//! What is shown, read from PostgreSQL: lists, pages, chronologies, figures.
//!
//! Promises: a list costs by its page, whatever the size of its table; rows of a page are fetched together, never one by
//! one. Never: changes a row.

pub(super) mod by_hand;
pub(super) mod cases;
pub(super) mod chronology;
pub(super) mod deliveries;
pub(super) mod disclosures;
pub(super) mod events;
pub(super) mod figures;
pub(super) mod journal;
pub(super) mod messages;
pub(super) mod quarantine;
pub(super) mod search;
