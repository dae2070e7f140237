//! The decision lock: one transaction at a time decides, settles or imports, in all gateways of a database together.
//!
//! Why one lock, and not one for each register or exchange: the numbers of a centre's register have no gaps, so whoever
//! gives one out waits for whoever gave the one before to commit or to roll back; a batch touches the registers of many
//! bodies at once, and each of its messages those of two; cursors (events, inboxes, journals) must be in the order of
//! commits, or a reader that has passed a number would miss what is committed under a lower one later. What is serial by
//! its nature is so by one lock, taken first, and then there are no deadlocks, no serialization failures and no retries
//! inside. A batch pays for it once, as it pays for the sync to disk once.
//!
//! What became of letters is written into their rows beside decisions, under the lock of letters: it depends on nothing
//! that is decided and gives out no number. Only its events need the decision lock, and take it in the end. Whoever
//! changes letters on record under the decision lock (proofs, what is sent again, an import) has the lock of letters from
//! the beginning, or gets it at once or begins again: nobody waits for it who has the decision lock.
//!
//! Promises: the lock ends with its transaction, and with the connection of a gateway that died. Never: is held by a
//! claim (claims have a lock of their own, and skip rows that others hold).

/// `mzhvdcsn`: the key of the lock, in all versions the same. What is read under it is found by keys; on a table that
/// has just grown the planner would sooner read the whole of it.
pub(super) const BEGIN_DECISION: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
     SET LOCAL enable_seqscan = off; SELECT pg_advisory_xact_lock(7888732554992513902)";

/// Who only asks whether a decision could be made waits no longer than one takes.
pub(super) const BEGIN_PROBE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
     SET LOCAL lock_timeout = '2s'; SELECT pg_advisory_xact_lock(7888732554992513902)";

/// `mzhvlttr`: who writes down what became of letters.
pub(super) const BEGIN_LETTERS: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
     SET LOCAL enable_seqscan = off; SELECT pg_advisory_xact_lock(7888732555127846002)";
/// … and then needs the decision lock.
pub(super) const DECISION: &str = "SELECT pg_advisory_xact_lock(7888732554992513902)";
/// Who is to decide about letters on record.
pub(super) const BEGIN_LETTERS_AND_DECISION: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
     SET LOCAL enable_seqscan = off; SELECT pg_advisory_xact_lock(7888732555127846002); \
     SELECT pg_advisory_xact_lock(7888732554992513902)";
/// Who finds that he is, with the decision lock.
pub(super) const TRY_LETTERS: &str = "SELECT pg_try_advisory_xact_lock(7888732555127846002)";

/// Who counts on both (presence.rs): nobody decides, and nobody claims.
pub(super) const BEGIN_BOTH: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
     SELECT pg_advisory_xact_lock(7888732554992513902); SELECT pg_advisory_xact_lock(7888732554976321901)";

/// A migration that changes tables in use: first the locks of those who write, then short waits for the tables.
pub(super) const STAND_ASIDE: &str = "SET LOCAL lock_timeout = '5s'; \
     SELECT pg_advisory_xact_lock(7888732555127846002); SELECT pg_advisory_xact_lock(7888732554992513902); SELECT pg_advisory_xact_lock(7888732554976321901); \
     SET LOCAL lock_timeout = '2s'";

/// `mzhvmgrt`: one gateway migrates, the others wait and find it done.
pub(super) const BEGIN_MIGRATION: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
     SELECT pg_advisory_xact_lock(7888732555143770740)";

/// `mzhvclam`: claims follow each other, so that the next sees the leases of the one before, and letters of one exchange
/// stay in order. A claim takes milliseconds (some more behind thousands of letters that
/// earlier ones hold back), and waits for a decision only where a
/// retry moves a counter. On a table that has just grown the planner
/// knows nothing of it yet and would read all that waits in order to sort it.
pub(super) const BEGIN_CLAIM: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
     SET LOCAL enable_bitmapscan = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; \
     SELECT pg_advisory_xact_lock(7888732554976321901)";
