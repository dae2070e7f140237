//! Which acknowledgements to send: one for a whole prefix of the queue where it is complete, single ones behind a gap.
//!
//! Promises: an acknowledgement never covers a delivery that has not been taken. Never: sends anything itself.

use std::collections::VecDeque;

/// The deliveries of one channel that are not acknowledged yet, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    open: VecDeque<(u64, Standing)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    InWork,
    /// May be acknowledged.
    Taken,
    /// Has been acknowledged or rejected on its own.
    Settled,
}

/// One acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ack {
    pub tag: u64,
    /// Also everything before it.
    pub multiple: bool,
}

impl Ledger {
    /// A delivery came.
    pub fn came(&mut self, tag: u64) {
        self.open.push_back((tag, Standing::InWork));
    }

    /// It is on disk.
    pub fn taken(&mut self, tag: u64) {
        self.stand(tag, Standing::Taken);
    }

    /// It was rejected on its own, and before the next [`Ledger::acks`].
    pub fn rejected(&mut self, tag: u64) {
        self.stand(tag, Standing::Settled);
    }

    /// What may be acknowledged now; it counts as sent.
    pub fn acks(&mut self) -> Vec<Ack> {
        let mut acks = Vec::new();
        let mut prefix = (0_u64, 0_usize);
        while let Some(&(tag, standing)) = self.open.front() {
            match standing {
                Standing::InWork => break,
                Standing::Taken => prefix = (tag, prefix.1 + 1),
                Standing::Settled => {}
            }
            self.open.pop_front();
        }
        if prefix.1 > 0 {
            acks.push(Ack { tag: prefix.0, multiple: prefix.1 > 1 });
        }
        for (tag, standing) in &mut self.open {
            if *standing == Standing::Taken {
                *standing = Standing::Settled;
                acks.push(Ack { tag: *tag, multiple: false });
            }
        }
        acks
    }

    // Tags of one channel rise, so the place is found by bisection.
    fn stand(&mut self, tag: u64, standing: Standing) {
        if let Ok(place) = self.open.binary_search_by_key(&tag, |entry| entry.0)
            && let Some(entry) = self.open.get_mut(place)
        {
            entry.1 = standing;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(count: u64) -> Ledger {
        let mut ledger = Ledger::default();
        (1..=count).for_each(|tag| ledger.came(tag));
        ledger
    }

    #[test]
    fn a_complete_prefix_is_acknowledged_at_once_and_what_is_behind_a_gap_singly() {
        let mut ledger = ledger(6);
        [2, 1, 3, 5].into_iter().for_each(|tag| ledger.taken(tag));
        assert_eq!(ledger.acks(), [Ack { tag: 3, multiple: true }, Ack { tag: 5, multiple: false }]);
        assert_eq!(ledger.acks(), []);
        [4, 6].into_iter().for_each(|tag| ledger.taken(tag));
        assert_eq!(ledger.acks(), [Ack { tag: 6, multiple: true }]);
        assert!(ledger.open.is_empty());
    }

    #[test]
    fn a_rejected_delivery_does_not_hold_the_prefix_up() {
        let mut ledger = ledger(3);
        ledger.rejected(1);
        ledger.taken(2);
        assert_eq!(ledger.acks(), [Ack { tag: 2, multiple: false }]);
        ledger.rejected(3);
        assert_eq!(ledger.acks(), []);
        assert!(ledger.open.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_order_each_taken_delivery_is_covered_once_and_no_other(
            order in proptest::collection::vec((0_usize..64, 0_u8..4, proptest::bool::ANY), 1..200)
        ) {
            let mut ledger = ledger(64);
            let (mut taken, mut settled, mut acked) = (vec![false; 65], vec![false; 65], vec![false; 65]);
            for (place, what, flush) in order {
                let tag = place + 1;
                if !settled[tag] && !taken[tag] {
                    if what == 0 {
                        settled[tag] = true;
                        ledger.rejected(tag as u64);
                    } else {
                        taken[tag] = true;
                        ledger.taken(tag as u64);
                    }
                }
                if !flush { continue; }
                for ack in ledger.acks() {
                    let last = usize::try_from(ack.tag).unwrap_or(0);
                    for covered in if ack.multiple { 1..=last } else { last..=last } {
                        proptest::prop_assert!(taken[covered] || settled[covered]);
                        if taken[covered] { acked[covered] = true; }
                    }
                    proptest::prop_assert!(taken[last]);
                }
                proptest::prop_assert_eq!(&acked, &taken);
            }
        }
    }
}
