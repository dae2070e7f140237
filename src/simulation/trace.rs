//! The trace of a world: what happened, line by line.
//!
//! Promises: the digest is of every line, also of those that are not kept. Never: content of a message.

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use std::collections::VecDeque;
use std::fmt::Write as _;

/// Lines that are kept for the one who reads of a violation.
const TAIL_LINES: usize = 60;

/// The lines of one world.
#[derive(Debug, Clone)]
pub struct Trace {
    pub(super) step: u32,
    pub(super) at: DateTime<Utc>,
    lines: VecDeque<String>,
    lines_max: usize,
    digest: Sha256,
}

impl Trace {
    /// Keeps the last lines.
    #[must_use]
    pub fn tail() -> Self {
        Self::keeping(TAIL_LINES)
    }

    /// Keeps every line.
    #[must_use]
    pub fn whole() -> Self {
        Self::keeping(usize::MAX)
    }

    /// Keeps none.
    #[must_use]
    pub fn none() -> Self {
        Self::keeping(0)
    }

    fn keeping(lines_max: usize) -> Self {
        Self { step: 0, at: DateTime::UNIX_EPOCH, lines: VecDeque::new(), lines_max, digest: Sha256::new() }
    }

    /// Writes a line about the end of the world, which a tail is not for.
    pub(super) fn close(&mut self, what: std::fmt::Arguments<'_>) {
        let lines_max = self.lines_max;
        if lines_max < usize::MAX {
            self.lines_max = 0;
        }
        self.say(what);
        self.lines_max = lines_max;
    }

    /// Writes a line.
    pub(super) fn say(&mut self, what: std::fmt::Arguments<'_>) {
        let mut line = String::with_capacity(96);
        // Writing into a string does not fail.
        let _ = write!(line, "{:>4} {} {what}", self.step, self.at.format("%Y-%m-%dT%H:%M:%S"));
        self.digest.update(line.as_bytes());
        self.digest.update(b"\n");
        if self.lines_max == 0 {
            return;
        }
        if self.lines.len() == self.lines_max {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The lines that were kept.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// SHA-256 of all lines, lower-case hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        self.digest.clone().finalize().iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}
