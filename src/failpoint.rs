//! Named places at which a test build can be made to die: what a crash exactly there leaves must be whole.
//!
//! Promises: without the feature `failpoints` a place is nothing at all. With it, `MEZHVED_FAILPOINT=after-commit:3` ends
//! the process at the third passing of that place, as abruptly as kill -9 does: nothing is flushed, closed or dropped;
//! `after-load:3:panic` panics there instead.
//! Never: part of a default build (`a_default_build_has_neither_fail_points_nor_flaws`).

/// The process has come to this place. The tests read the names from the source, so that none is left out.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub const fn reach(_name: &str) {}

/// The process has come to this place, and may end here.
#[cfg(feature = "failpoints")]
pub fn reach(name: &str) {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static ARMED: LazyLock<Option<(String, u64, bool)>> = LazyLock::new(armed);
    static PASSED: AtomicU64 = AtomicU64::new(0);
    let Some((armed, nth, panics)) = ARMED.as_ref() else { return };
    if armed == name && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == *nth {
        assert!(!panics, "the test wants a panic at {name}");
        // SIGABRT, so that the test can tell it from its own kill -9.
        std::process::abort();
    }
}

/// `NAME:NTH` or `NAME:NTH:panic`; a test that writes anything else must not pass for want of a crash.
#[cfg(feature = "failpoints")]
fn armed() -> Option<(String, u64, bool)> {
    let text = std::env::var("MEZHVED_FAILPOINT").ok()?;
    let (place, panics) = text.strip_suffix(":panic").map_or((&*text, false), |place| (place, true));
    let parsed = place.split_once(':').and_then(|(name, nth)| Some((name.to_owned(), nth.parse().ok()?, panics)));
    if parsed.is_none() {
        tracing::error!(text, "MEZHVED_FAILPOINT is neither NAME:NTH nor NAME:NTH:panic");
        std::process::abort();
    }
    parsed
}
