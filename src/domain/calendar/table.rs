//! One reading of the days (a week, a treatment of special days) laid out for counting.
//!
//! Promises: the n-th working day from a place, and how many lie before it, in constant time. Never: knows dates.

use super::days::{DayKind, Days};

/// 0 in `off`: the day is worked.
const WORKED: u16 = 0;

/// Working days as ranks: `rank[i]` is how many lie before day i, `working[k]` is the k-th of them.
#[derive(Debug)]
pub(super) struct Table {
    /// Per day: 0 when worked, else 1 + the index of the reason.
    off: Vec<u16>,
    rank: Vec<u32>,
    working: Vec<u32>,
}

impl Table {
    /// Lays out the reasons of each day, in order (`None`: worked).
    pub(super) fn new(days: impl Iterator<Item = Option<u16>>) -> Self {
        let mut table = Self { off: Vec::new(), rank: vec![0], working: Vec::new() };
        let mut before = 0_u32;
        for (index, reason) in (0_u32..).zip(days) {
            table.off.push(reason.map_or(WORKED, |reason| reason + 1));
            if reason.is_none() {
                table.working.push(index);
                before += 1;
            }
            table.rank.push(before);
        }
        table
    }

    pub(super) fn is_working(&self, index: usize) -> bool {
        self.off[index] == WORKED
    }

    pub(super) fn kind<'a>(&self, index: usize, days: &'a Days) -> DayKind<'a> {
        match self.off[index] {
            WORKED if days.is_short(index) => DayKind::Short,
            WORKED => DayKind::Working,
            reason => DayKind::Off(days.reason(reason - 1)),
        }
    }

    /// How many working days lie before day `index` (which may be one past the end).
    pub(super) fn rank(&self, index: usize) -> u32 {
        self.rank[index]
    }

    /// The `count`-th working day (from 1) at or after day `index`.
    pub(super) fn nth_from(&self, index: usize, count: u32) -> Option<usize> {
        let place = self.rank[index].checked_add(count)?.checked_sub(1)?;
        self.working.get(place as usize).map(|&day| day as usize)
    }

    /// The `count`-th working day (from 1) before day `index`.
    pub(super) fn nth_before(&self, index: usize, count: u32) -> Option<usize> {
        let place = self.rank[index].checked_sub(count)?;
        self.working.get(place as usize).map(|&day| day as usize)
    }
}
