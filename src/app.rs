//! The composition root: makes the parts and joins them.

use crate::domain::decision::Ladders;

/// The ladders that are compiled in.
///
/// # Errors
/// Never in a build whose tests pass.
pub fn builtin_ladders() -> anyhow::Result<Ladders> {
    Ok(toml::from_str(include_str!("../config/ladders.toml"))?)
}
