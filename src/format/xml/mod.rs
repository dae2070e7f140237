//! Messages as XML: `<message xmlns="urn:mezhved:message:1">`, elements only.
//!
//! Promises: reads exactly what the derived XSD allows, writes what it reads. Never: reads a DTD, an entity, a file.

mod attributes;
mod door;
mod namespaces;
mod reader;
mod writer;

pub(super) use reader::read;
pub(super) use writer::Writer;
