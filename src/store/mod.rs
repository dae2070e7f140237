//! The stores: what the gateway has decided, on disk.
//!
//! Promises: what a store has confirmed survives a power cut. Never: decides; knows of HTTP or of a broker.

pub mod copy;
mod counters;
pub mod objects;
mod obligation_text;
pub mod postgres;
mod rung_facts;
pub mod sqlite;
