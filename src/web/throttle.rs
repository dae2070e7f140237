//! How often a login may fail before it has to wait.
//!
//! Promises: after five failures of one name from one address, twenty from one address, or twenty of one name, the wait
//! doubles with every further one; the memory is bounded. Never: locks a person out for long because somebody else
//! guesses at the name (30 s at most for a name alone).

use crate::web::limits::THROTTLE_KEYS_MAX;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// After so long without a failure all is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3600);

/// The failures of late.
#[derive(Default)]
pub(super) struct Throttle(Mutex<HashMap<Key, Failures>>);

/// What is counted. Names are kept as digests: a password typed into the wrong field is not remembered.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    Name([u8; 32]),
    Pair([u8; 32], IpAddr),
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

/// One attempt: a name from an address. An IPv6 address counts as its /64 network, which one person has whole.
#[derive(Clone, Copy)]
pub(super) struct Attempt {
    name: [u8; 32],
    address: IpAddr,
}

impl Attempt {
    /// The attempt of that name from that address.
    pub(super) fn new(name: &str, address: IpAddr) -> Self {
        let address = match address.to_canonical() {
            IpAddr::V6(six) => IpAddr::V6((u128::from(six) & !u128::from(u64::MAX)).into()),
            four @ IpAddr::V4(_) => four,
        };
        Self { name: Sha256::digest(name.as_bytes()).into(), address }
    }

    fn keys(self) -> [Key; 3] {
        [Key::Pair(self.name, self.address), Key::Address(self.address), Key::Name(self.name)]
    }
}

impl Key {
    /// Failures that cost nothing, and the longest wait in seconds.
    fn bounds(self) -> (u32, u64) {
        match self {
            Self::Pair(..) => (5, 900),
            Self::Address(_) => (20, 900),
            Self::Name(_) => (20, 30),
        }
    }

    fn wait(self, failures: Failures) -> Duration {
        let (free, seconds_max) = self.bounds();
        if failures.count < free {
            return Duration::ZERO;
        }
        let doublings = (failures.count - free).min(20);
        Duration::from_secs((1_u64 << doublings).min(seconds_max))
    }
}

impl Throttle {
    /// Counts the attempt as failed in advance, unless it still has to wait: then for how long. Counting first keeps
    /// many attempts at the same time from slipping through together.
    pub(super) fn begin(&self, attempt: Attempt, now: Instant) -> Result<(), Duration> {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = |key: Key| {
            let past = failures.get(&key)?;
            (past.last + key.wait(*past)).checked_duration_since(now).filter(|left| !left.is_zero())
        };
        if let Some(left) = attempt.keys().into_iter().filter_map(left).max() {
            return Err(left);
        }
        make_room(&mut failures, now);
        for key in attempt.keys() {
            let past = failures.entry(key).or_insert(Failures { count: 0, last: now });
            *past = Failures { count: past.count.saturating_add(1), last: now };
        }
        Ok(())
    }

    /// The attempt was the right one: it does not count, and the name from this address starts afresh.
    pub(super) fn succeeded(&self, attempt: Attempt) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for key in attempt.keys() {
            match (key, failures.get_mut(&key)) {
                (Key::Pair(..), _) => drop(failures.remove(&key)),
                (_, Some(past)) => past.count = past.count.saturating_sub(1),
                (_, None) => {}
            }
        }
    }
}

/// Forgets what is old, and when that is not enough, what is oldest.
fn make_room(failures: &mut HashMap<Key, Failures>, now: Instant) {
    if failures.len() + 3 <= THROTTLE_KEYS_MAX {
        return;
    }
    failures.retain(|_, past| now.duration_since(past.last) < FORGOTTEN_AFTER);
    if failures.len() + 3 > THROTTLE_KEYS_MAX {
        let mut ages: Vec<Instant> = failures.values().map(|past| past.last).collect();
        ages.sort_unstable();
        let median = ages.get(ages.len() / 2).copied().unwrap_or(now);
        failures.retain(|_, past| past.last > median);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    fn from(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[tokio::test]
    async fn sixth_failure_waits_and_each_further_one_twice_as_long() {
        let (throttle, now, attempt) = (Throttle::default(), Instant::now(), Attempt::new("anna", from(1)));
        for _ in 0..5 {
            throttle.begin(attempt, now).unwrap();
        }
        assert_eq!(throttle.begin(attempt, now), Err(Duration::from_secs(1)));
        throttle.begin(attempt, now + Duration::from_secs(1)).unwrap();
        assert_eq!(throttle.begin(attempt, now + Duration::from_secs(1)), Err(Duration::from_secs(2)));
    }

    #[tokio::test]
    async fn spraying_many_names_from_one_address_waits() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let taken = (0..100).filter(|no| throttle.begin(Attempt::new(&no.to_string(), from(1)), now).is_ok()).count();
        assert_eq!(taken, 20);
        assert!(throttle.begin(Attempt::new("anna", from(2)), now).is_ok());
    }

    #[tokio::test]
    async fn guessing_at_a_name_from_many_addresses_delays_its_owner_by_half_a_minute_at_most() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for no in 0..250 {
            let _ = throttle.begin(Attempt::new("anna", from(no)), now + Duration::from_secs(u64::from(no) * 40));
        }
        let later = now + Duration::from_secs(249 * 40);
        assert!(throttle.begin(Attempt::new("anna", from(255)), later).unwrap_err() <= Duration::from_secs(30));
    }

    #[tokio::test]
    async fn right_password_clears_the_past_of_the_name_at_its_address() {
        let (throttle, now, attempt) = (Throttle::default(), Instant::now(), Attempt::new("anna", from(1)));
        for _ in 0..4 {
            throttle.begin(attempt, now).unwrap();
        }
        throttle.succeeded(attempt);
        assert!((0..5).all(|_| throttle.begin(attempt, now).is_ok()));
    }

    #[tokio::test]
    async fn memory_is_bounded() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for no in 0..20_000_u32 {
            let address = IpAddr::from((0x0a00_0000 + no).to_be_bytes());
            let _ = throttle.begin(Attempt::new(&no.to_string(), address), now + Duration::from_millis(u64::from(no)));
        }
        assert!(throttle.0.lock().unwrap().len() <= THROTTLE_KEYS_MAX);
    }
}
