//! Chance that can be repeated: the same seed, the same year.
//!
//! Promises: SplitMix64, the same numbers on every machine. Never: guards a secret.

use uuid::{Builder, Uuid};

/// A source of numbers that looks like chance.
#[derive(Debug)]
pub(in crate::cli) struct Dice(pub u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to below `end`; 0 where there is none.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// A number from `from` to `to`, both in.
    pub fn between(&mut self, from: i32, to: i32) -> i32 {
        let width = u64::from(to.saturating_sub(from).unsigned_abs()) + 1;
        from.saturating_add(i32::try_from(self.below(width)).unwrap_or(0))
    }

    /// Whether something that happens so many times in a hundred happens.
    pub fn percent(&mut self, of_a_hundred: u64) -> bool {
        self.below(100) < of_a_hundred
    }

    /// One of several; the first where there is none to choose.
    pub fn one_of<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(usize::try_from(self.below(of.len() as u64)).unwrap_or(0))
    }

    /// An id for a message.
    pub fn id(&mut self) -> Uuid {
        let (high, low) = (self.next().to_be_bytes(), self.next().to_be_bytes());
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&high);
        bytes[8..].copy_from_slice(&low);
        Builder::from_random_bytes(bytes).into_uuid()
    }
}
