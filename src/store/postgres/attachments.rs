//! Whose files are whose: rows of attachments, of who put them, and of the messages that name them.
//!
//! Promises: a file that a message names is no left-over, whichever came first: left-overs are claimed under the decision
//! lock, so that no decision names one meanwhile. Never: the content of a file.

use crate::domain::ids::{MessageId, ParticipantCode};
use crate::gateway::ports::StoreError;
use crate::gateway::ports::attachments::{Access, Held, Kept, Leftovers, NAMING_MESSAGES_MAX, Naming};
use crate::gateway::ports::objects::ObjectName;
use crate::store::postgres::row::{Record, int};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use sqlx::postgres::{PgBindIterExt, PgRow};

/// After this a removal that was begun is taken up by another: whoever began it is gone.
const REMOVAL_LEASE_HOURS: i64 = 1;

/// Writes what the messages of a batch name.
pub(super) async fn save(connection: &mut PgConnection, named: &[Naming]) -> Result<(), StoreError> {
    const NAME: &str = "INSERT INTO message_attachment (message, sha256)
         SELECT * FROM unnest($1::uuid[], $2::text[]) ON CONFLICT DO NOTHING";
    const MARK: &str =
        "UPDATE attachment SET named = true WHERE sha256 = ANY ($1) AND NOT named AND state <> 'leaving'";
    if named.is_empty() {
        return Ok(());
    }
    let digests = || named.iter().map(|one| one.name.as_str());
    sqlx::query(NAME)
        .bind(named.iter().map(|one| one.message.0).bind_iter())
        .bind(digests().bind_iter())
        .execute(&mut *connection)
        .await?;
    sqlx::query(MARK).bind(digests().collect::<Vec<_>>()).execute(connection).await?;
    Ok(())
}

/// A file is about to come, unless one of its name is just going.
pub(super) async fn expect(
    connection: &mut PgConnection,
    (name, at): (&ObjectName, DateTime<Utc>),
) -> Result<bool, StoreError> {
    const EXPECT: &str = "INSERT INTO attachment (sha256, state, named, touched_at)
         VALUES ($1, 'coming', EXISTS (SELECT 1 FROM message_attachment WHERE sha256 = $1), $2)
         ON CONFLICT (sha256) DO UPDATE SET touched_at = greatest(attachment.touched_at, excluded.touched_at)
         WHERE attachment.state <> 'leaving'";
    Ok(sqlx::query(EXPECT).bind(name.as_str()).bind(at).execute(connection).await?.rows_affected() == 1)
}

/// A file has come; whether its owner had put it before.
pub(super) async fn kept(connection: &mut PgConnection, kept: &Kept) -> Result<bool, StoreError> {
    const MARK: &str = "UPDATE attachment SET state = 'kept', bytes = $2, touched_at = greatest(touched_at, $3)
         WHERE sha256 = $1 AND state <> 'leaving'";
    const OWN: &str = "INSERT INTO attachment_owner (sha256, participant, media_type, put_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING";
    let sha256 = kept.name.as_str();
    let marked = sqlx::query(MARK).bind(sha256).bind(int(kept.bytes)).bind(kept.at).execute(&mut *connection).await?;
    if marked.rows_affected() == 0 {
        let (row, problem) = (sha256.to_owned(), "the file that was expected has no row".to_owned());
        return Err(StoreError::Inconsistent { table: "attachment", column: "sha256", row, problem });
    }
    let own = sqlx::query(OWN).bind(sha256).bind(kept.by.as_str()).bind(&kept.media_type).bind(kept.at);
    Ok(own.execute(connection).await?.rows_affected() == 0)
}

/// What these participants may have of a file. It is had by whoever put it, and by whom one of these has sent it to, with
/// the media type that it was put as.
pub(super) async fn access(
    connection: &mut PgConnection,
    (name, who): (&ObjectName, &[ParticipantCode]),
) -> Result<Access, StoreError> {
    const HELD: &str = "WITH RECURSIVE reach (who, media_type) AS (
             SELECT o.participant, o.media_type FROM attachment_owner o JOIN attachment a ON a.sha256 = o.sha256
             WHERE o.sha256 = $1 AND a.state = 'kept'
             UNION
             SELECT d.recipient, r.media_type
             FROM reach r JOIN message_attachment n ON n.sha256 = $1
             JOIN message m ON m.id = n.message AND m.sender = r.who
             JOIN outbox d ON d.message = n.message)
         SELECT a.sha256, a.bytes, r.media_type FROM reach r JOIN attachment a ON a.sha256 = $1
         WHERE r.who = ANY ($2) LIMIT 1";
    const NAMING: &str = "SELECT m.id FROM message_attachment n JOIN message m ON m.id = n.message
         WHERE n.sha256 = $1
           AND (m.sender = ANY ($2)
                OR EXISTS (SELECT 1 FROM outbox d WHERE d.message = m.id AND d.recipient = ANY ($2)))
         ORDER BY m.n DESC LIMIT $3";
    let who: Vec<&str> = who.iter().map(ParticipantCode::as_str).collect();
    let found = sqlx::query(HELD).bind(name.as_str()).bind(&who).fetch_optional(&mut *connection).await?;
    let held = found.as_ref().map(|row| {
        let record = Record::new(row, "attachment");
        Ok::<_, StoreError>(Held { media_type: record.string("media_type")?, bytes: record.integer("bytes")? })
    });
    let naming = sqlx::query(NAMING).bind(name.as_str()).bind(&who).bind(int(NAMING_MESSAGES_MAX));
    let read = |row: &PgRow| Ok::<_, StoreError>(MessageId(Record::new(row, "message").uuid("id")?));
    let messages = naming.fetch_all(connection).await?.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Access { held: held.transpose()?, messages })
}

/// Takes files that are left over; from here on nobody has them.
pub(super) async fn claim(connection: &mut PgConnection, leftovers: Leftovers) -> Result<Vec<ObjectName>, StoreError> {
    const TAKE: &str = "UPDATE attachment SET state = 'leaving', touched_at = $3
         WHERE sha256 IN (SELECT sha256 FROM attachment a
                          WHERE NOT named AND touched_at < greatest($1, $2)
                            AND touched_at < CASE state WHEN 'leaving' THEN $2 ELSE $1 END
                            AND NOT EXISTS (SELECT 1 FROM message_scan s WHERE s.sha256 = a.sha256)
                            AND (state = 'leaving'
                                 OR NOT EXISTS (SELECT 1 FROM message_attachment n WHERE n.sha256 = a.sha256))
                          ORDER BY touched_at LIMIT $4)
         RETURNING sha256";
    let lease = leftovers.now - TimeDelta::hours(REMOVAL_LEASE_HOURS);
    let take = sqlx::query(TAKE).bind(leftovers.untouched_since).bind(lease).bind(leftovers.now);
    let read = |row: &PgRow| {
        let record = Record::new(row, "attachment");
        ObjectName::new(record.text("sha256")?).ok_or_else(|| record.fault("sha256", "not a digest"))
    };
    let rows = take.bind(int(leftovers.limit)).fetch_all(&mut *connection).await?;
    let taken: Vec<ObjectName> = rows.iter().map(read).collect::<Result<_, _>>()?;
    sqlx::query("DELETE FROM attachment_owner WHERE sha256 = ANY ($1)")
        .bind(taken.iter().map(ObjectName::as_str).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(taken)
}

/// A file that was claimed is gone.
pub(super) async fn removed(connection: &mut PgConnection, name: &ObjectName) -> Result<(), StoreError> {
    let delete = sqlx::query("DELETE FROM attachment WHERE sha256 = $1 AND state = 'leaving'");
    delete.bind(name.as_str()).execute(connection).await?;
    Ok(())
}
