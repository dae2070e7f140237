//! The simulated world around the real gateway.

pub mod chance;
pub(crate) mod dice;
pub mod flaw;
pub mod memory;
pub(crate) mod templates;
pub mod trace;
