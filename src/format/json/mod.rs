//! Messages as JSON: the fields of the envelope, then `body`.
//!
//! Promises: reads exactly what the schemas allow, whatever the order of keys. Never: rounds a number.

mod number;
mod reader;
mod scanner;
mod writer;

pub(super) use reader::read;
pub(super) use writer::Writer;
