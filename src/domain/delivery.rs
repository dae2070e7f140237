//! When a delivery that failed is tried again: the durable retry times of the outbox row.
//!
//! Promises: a pure function of the count of failures, the instant and the seed, so that a restart changes nothing.
//! Never: gives up silently; after the last retry a person sees the delivery in the quarantine.

use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// The waits after the first, second, … failure, in seconds: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h (Standard
/// Webhooks' recommended schedule; surface: «Webhooks»).
const WAITS_S: [u32; 7] = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];

/// The longest time that a recipient's own `Retry-After` is believed.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);

/// The latest instant that a delivery can rightly wait for at `now`: no wait of the schedule, no lease and no believed
/// `Retry-After` is longer. What waits beyond it was put off by a clock that ran ahead, and is ready.
#[must_use]
pub fn waits_until_max(now: DateTime<Utc>) -> DateTime<Utc> {
    now.checked_add_signed(TimeDelta::hours(25)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// The same of a notice, which may wait for an opening hour: no holidays are longer than this.
#[must_use]
pub fn notice_waits_until_max(now: DateTime<Utc>) -> DateTime<Utc> {
    now.checked_add_signed(TimeDelta::days(30)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// When a delivery that has failed for the `failures`-th time (from 1) is tried again, with ±10 % of jitter by the
/// seed, and not before the other side's `retry_after`. `None` after the last: a person decides.
#[must_use]
pub fn delivery_retry_at(
    failures: u32,
    now: DateTime<Utc>,
    jitter_seed: u64,
    retry_after: Option<Duration>,
) -> Option<DateTime<Utc>> {
    let index = usize::try_from(failures.max(1) - 1).ok()?;
    let wait_ms = i64::from(*WAITS_S.get(index)?) * 1_000;
    let permille = 900 + i64::try_from(scramble(jitter_seed ^ u64::from(failures)) % 201).unwrap_or(100);
    let planned = TimeDelta::milliseconds(wait_ms * permille / 1_000);
    let asked = retry_after.map_or(TimeDelta::zero(), |asked| {
        TimeDelta::from_std(asked.min(RETRY_AFTER_MAX)).unwrap_or(TimeDelta::zero())
    });
    now.checked_add_signed(planned.max(asked))
}

/// Spreads a seed over all 64 bits (the finalizer of SplitMix64).
fn scramble(seed: u64) -> u64 {
    let mixed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait_s(failures: u32, seed: u64, retry_after_s: Option<u64>) -> Option<f64> {
        let now = DateTime::UNIX_EPOCH;
        let at = delivery_retry_at(failures, now, seed, retry_after_s.map(Duration::from_secs))?;
        Some((at - now).as_seconds_f64())
    }

    #[test]
    fn seven_retries_follow_the_schedule_within_ten_percent_and_then_a_person_decides() {
        for (failures, expected) in (1..).zip(WAITS_S) {
            for seed in 0..500 {
                let wait = wait_s(failures, seed, None).unwrap_or_default();
                let expected = f64::from(expected);
                assert!((expected * 0.9..=expected * 1.1).contains(&wait), "{failures}: {wait}");
            }
        }
        assert_eq!(wait_s(8, 0, None), None);
        assert_eq!(wait_s(8, 0, Some(1)), None, "a Retry-After does not lengthen the schedule");
    }

    #[test]
    fn jitter_spreads_letters_that_failed_together() {
        let waits: std::collections::BTreeSet<u64> =
            (0..1_000).filter_map(|seed| wait_s(2, seed, None)).map(f64::to_bits).collect();
        assert!(waits.len() > 150, "{}", waits.len());
    }

    #[test]
    fn retry_after_is_waited_for_but_not_for_longer_than_a_day() {
        assert_eq!(wait_s(1, 7, Some(120)), Some(120.0));
        assert!(wait_s(3, 7, Some(120)).is_some_and(|wait| wait >= 1_620.0));
        assert_eq!(wait_s(1, 7, Some(u64::MAX)), Some(86_400.0));
    }
}
