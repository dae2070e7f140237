//! Flaws that a test build can be given, one at a time, to show that a check catches each: the guard on the guard.
//!
//! Promises: without the feature `flaws` there are none, and the compiler drops every branch that asks. Never: part of a
//! default build (`a_default_build_has_neither_fail_points_nor_flaws`).

/// A promise of the gateway, broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A delivery is acknowledged to the broker before it is on disk.
    AcknowledgedBeforeCommit,
    /// Who asked is answered (202) before the commit.
    ReceiptBeforeCommit,
    /// A letter counts as delivered when it was published, without the broker's confirmation.
    SentBeforeConfirmed,
    /// A message that came before is taken once more.
    NoDeduplication,
    /// The same id with other content gets the first one's receipt, and the content is dropped.
    ConflictSwallowed,
    /// Days are counted in UTC and not where the participant is.
    DaysOfUtc,
    /// The planned rung is not saved.
    RungInMemory,
    /// Only the first addressee gets an obligation.
    SecondAddresseeForgotten,
    /// Letters are queued after the transaction that decided them.
    OutboxOutsideTransaction,
    /// A commit does not wait for the disk.
    NoFsync,
    /// What a killed process had leased stays leased.
    LeaseNeverEnds,
    /// The last numbers of the registers are not saved.
    RegisterNotSaved,
    /// A return is taken for that of whichever letter it came with.
    ForeignReturnTaken,
    /// A participant reads messages that are none of its own.
    WallDown,
    /// An answer leaves the ladder standing.
    AnsweredStillEscalates,
    /// A rung that has fired stands as planned, and fires again.
    RungFiresAgain,
    /// A clock that is set back a little is believed.
    ClockBackBelieved,
}

impl Flaw {
    /// Every one of them.
    pub const ALL: [Self; 17] = [
        Self::AcknowledgedBeforeCommit,
        Self::ReceiptBeforeCommit,
        Self::SentBeforeConfirmed,
        Self::NoDeduplication,
        Self::ConflictSwallowed,
        Self::DaysOfUtc,
        Self::RungInMemory,
        Self::SecondAddresseeForgotten,
        Self::OutboxOutsideTransaction,
        Self::NoFsync,
        Self::LeaseNeverEnds,
        Self::RegisterNotSaved,
        Self::ForeignReturnTaken,
        Self::WallDown,
        Self::AnsweredStillEscalates,
        Self::RungFiresAgain,
        Self::ClockBackBelieved,
    ];
}

/// Whether this process has that flaw.
#[cfg(not(feature = "flaws"))]
#[inline(always)]
#[must_use]
pub const fn is(_flaw: Flaw) -> bool {
    false
}

/// Whether this process has that flaw: the one that `MEZHVED_FLAW` names, as it is written here.
#[cfg(feature = "flaws")]
#[must_use]
pub fn is(flaw: Flaw) -> bool {
    static CHOSEN: std::sync::LazyLock<Option<Flaw>> = std::sync::LazyLock::new(chosen);
    *CHOSEN == Some(flaw)
}

/// A name that is none must not pass for a build without a flaw.
#[cfg(feature = "flaws")]
fn chosen() -> Option<Flaw> {
    let name = std::env::var("MEZHVED_FLAW").ok()?;
    let found = Flaw::ALL.into_iter().find(|flaw| format!("{flaw:?}") == name);
    if found.is_none() {
        tracing::error!(name, "MEZHVED_FLAW names no flaw");
        std::process::abort();
    }
    found
}
