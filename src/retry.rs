//! How long to wait before trying something again inside this process; the only file that knows the `backoff` crate.
//!
//! Promises: waits grow from an initial to a largest one, with jitter, and begin anew after a success. Never: durable
//! retry times (those are `domain::delivery`'s and stand in the outbox row); sleeps.

use backoff::backoff::Backoff;
use backoff::{ExponentialBackoff, ExponentialBackoffBuilder};
use std::time::Duration;

/// The waits of one thing that is tried again and again.
#[derive(Debug)]
pub struct Pace {
    policy: ExponentialBackoff,
    longest: Duration,
}

impl Pace {
    /// Waits from `first` to `longest`, doubled each time, each spread by a third either way.
    #[must_use]
    pub fn new(first: Duration, longest: Duration) -> Self {
        let policy = ExponentialBackoffBuilder::new()
            .with_initial_interval(first)
            .with_max_interval(longest)
            .with_multiplier(2.0)
            .with_randomization_factor(0.33)
            .with_max_elapsed_time(None)
            .build();
        Self { policy, longest }
    }

    /// For a lost connection: 0.2 s to 5 s.
    #[must_use]
    pub fn reconnect() -> Self {
        Self::new(Duration::from_millis(200), Duration::from_secs(5))
    }

    /// For a part of this machine that does not answer (the store): 0.1 s to 5 s.
    #[must_use]
    pub fn local() -> Self {
        Self::new(Duration::from_millis(100), Duration::from_secs(5))
    }

    /// The next wait; never more than the longest.
    pub fn next_wait(&mut self) -> Duration {
        self.policy.next_backoff().map_or(self.longest, |wait| wait.min(self.longest))
    }

    /// It went well: the next wait is a short one again.
    pub fn succeeded(&mut self) {
        self.policy.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest_and_begin_anew_after_a_success() {
        let mut pace = Pace::new(Duration::from_millis(100), Duration::from_secs(5));
        let waits: Vec<Duration> = (0..20).map(|_| pace.next_wait()).collect();
        assert!(waits[0] >= Duration::from_millis(66) && waits[0] <= Duration::from_millis(134), "{waits:?}");
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(5)), "{waits:?}");
        assert!(waits[19] >= Duration::from_millis(3_300), "{waits:?}");
        pace.succeeded();
        assert!(pace.next_wait() <= Duration::from_millis(134));
    }
}
