//! What tests break on purpose in the simulated world, to see that the checks find it.
//!
//! Promises: each is a way in which a gateway, its store or its channel could be wrong. Never: reached by a command.

/// A deliberate defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A delivery is acknowledged when it comes, not when it is on disk.
    AckBeforeCommit,
    /// One acknowledgement covers deliveries that are not taken yet.
    AckTooMuch,
    /// A commit is confirmed before it is on disk: the last ones are gone after a crash.
    NoFsync,
    /// Now and then a transaction lacks a row of the outbox.
    LostOutboxRow,
    /// A repeat is not recognised.
    NoDeduplication,
    /// Of the same id with other content nothing is kept.
    ConflictSwallowed,
    /// A restart counts open due dates anew, a day later.
    DueMovesOnRestart,
    /// What a rung has done is kept in memory, and forgotten by a crash.
    RungInMemory,
    /// A letter is marked as delivered before the broker has confirmed it.
    SentBeforeConfirmed,
    /// Now and then a letter bears the content of another.
    CrossedContent,
    /// An inbox shows what is in another's.
    OpenInbox,
    /// Events are written beside the transaction, and lost with a crash.
    AuditOutside,
    /// A lease never runs out.
    LeaseForEver,
    /// A letter does not wait for the earlier ones of its exchange.
    OutOfOrder,
    /// Two gateways decide at once, each on what it has read.
    TwoDecide,
    /// Now and then a transaction never ends: whoever decides next waits for ever.
    LockKept,
    /// What was refused once is never registered.
    RefusalStands,
}

impl Flaw {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::AckBeforeCommit,
        Self::AckTooMuch,
        Self::NoFsync,
        Self::LostOutboxRow,
        Self::NoDeduplication,
        Self::ConflictSwallowed,
        Self::DueMovesOnRestart,
        Self::RungInMemory,
        Self::SentBeforeConfirmed,
        Self::CrossedContent,
        Self::OpenInbox,
        Self::AuditOutside,
        Self::LeaseForEver,
        Self::OutOfOrder,
        Self::TwoDecide,
        Self::LockKept,
        Self::RefusalStands,
    ];
}
