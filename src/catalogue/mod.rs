//! (room to be furnished)
pub mod calendars;
