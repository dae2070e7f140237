//! The commands.
pub mod convert;
