//! The only place that reads the time.
//!
//! Promises: one source of instants for the whole process, real or hastened. Never: decides anything.

use chrono::{DateTime, SubsecRound as _, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// Where instants come from.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Source>);

#[derive(Debug)]
enum Source {
    System,
    /// Runs so many times faster than the machine, from an instant on (the demo).
    Fast {
        from: DateTime<Utc>,
        since: Instant,
        factor: u32,
    },
    /// Stands still until it is set (tests): microseconds since the epoch.
    Frozen(AtomicI64),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(Source::System))
    }

    /// A clock that begins at an instant and runs `factor` times as fast as the machine.
    #[must_use]
    pub fn fast(from: DateTime<Utc>, factor: u32) -> Self {
        Self(Arc::new(Source::Fast { from, since: Instant::now(), factor }))
    }

    /// A clock that stands at an instant until [`Clock::set`].
    #[must_use]
    pub fn frozen(at: DateTime<Utc>) -> Self {
        Self(Arc::new(Source::Frozen(AtomicI64::new(at.timestamp_micros()))))
    }

    /// Sets a frozen clock, forward or back; another clock does not care.
    pub fn set(&self, at: DateTime<Utc>) {
        if let Source::Frozen(micros) = &*self.0 {
            micros.store(at.timestamp_micros(), Ordering::SeqCst);
        }
    }

    /// Now, in whole microseconds: what is decided on and what the store gives back are the same instant.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the time")]
    pub fn now(&self) -> DateTime<Utc> {
        let now = match &*self.0 {
            Source::System => Utc::now(),
            Source::Fast { from, since, factor } => *from + since.elapsed() * *factor,
            Source::Frozen(micros) => {
                DateTime::from_timestamp_micros(micros.load(Ordering::SeqCst)).unwrap_or(DateTime::UNIX_EPOCH)
            }
        };
        now.trunc_subsecs(6)
    }

    /// How long to wait on the machine for so much time here, at least a millisecond.
    #[must_use]
    pub fn scaled(&self, span: Duration) -> Duration {
        match &*self.0 {
            Source::System | Source::Frozen(_) => span,
            Source::Fast { factor, .. } => (span / (*factor).max(1)).max(Duration::from_millis(1)),
        }
    }
}

/// Measures spans by the machine's monotonic clock; tells no date.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Begins now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// How long ago it began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
