//! (room to be furnished)
pub mod due;
