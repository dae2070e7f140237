//! Keys, secrets, people and sessions.
//!
//! Promises: a revoked or expired key opens nothing, whatever the clock says later. Never: gives a secret back, but for
//! the one with which we sign our own pushes.

use crate::domain::ids::ParticipantCode;
use crate::gateway::ports::StoreError;
use crate::gateway::ports::accounts::{Session, StoredKey, User, UserRole};
use crate::store::postgres::row::Record;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

pub(super) async fn add_key(connection: &mut PgConnection, key: &StoredKey) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO api_key (sha256, participant, created_at, expires_at) VALUES ($1, $2, $3, $4)";
    let query = sqlx::query(SQL).bind(&key.sha256[..]).bind(key.participant.as_str());
    query.bind(key.created_at).bind(key.expires_at).execute(connection).await?;
    Ok(())
}

pub(super) async fn key_owner(
    connection: &mut PgConnection,
    sha256: [u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<ParticipantCode>, StoreError> {
    const SQL: &str = "SELECT participant FROM api_key
         WHERE sha256 = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)";
    let row = sqlx::query(SQL).bind(&sha256[..]).bind(now).fetch_optional(connection).await?;
    row.map(|row| Record::new(&row, "api_key").participant("participant")).transpose()
}

pub(super) async fn revoke_keys(
    connection: &mut PgConnection,
    of: &ParticipantCode,
    at: DateTime<Utc>,
) -> Result<u64, StoreError> {
    const SQL: &str = "UPDATE api_key SET revoked_at = $2 WHERE participant = $1 AND revoked_at IS NULL";
    Ok(sqlx::query(SQL).bind(of.as_str()).bind(at).execute(connection).await?.rows_affected())
}

pub(super) async fn webhook_secrets(
    connection: &mut PgConnection,
    of: &ParticipantCode,
) -> Result<Vec<Vec<u8>>, StoreError> {
    const SQL: &str = "SELECT n, secret FROM webhook_secret WHERE participant = $1 ORDER BY created_at DESC, n DESC";
    let rows = sqlx::query(SQL).bind(of.as_str()).fetch_all(connection).await?;
    rows.iter().map(|row| Ok(Record::new(row, "webhook_secret").blob("secret")?.to_vec())).collect()
}

pub(super) async fn add_webhook_secret(
    connection: &mut PgConnection,
    of: &ParticipantCode,
    (secret, at): (&[u8], DateTime<Utc>),
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO webhook_secret (participant, secret, created_at) VALUES ($1, $2, $3)";
    sqlx::query(SQL).bind(of.as_str()).bind(secret).bind(at).execute(connection).await?;
    Ok(())
}

fn role_code(role: UserRole) -> &'static str {
    match role {
        UserRole::Coordinator => "coordinator",
        UserRole::Observer => "observer",
        UserRole::Administrator => "administrator",
        UserRole::Clerk => "clerk",
    }
}

pub(super) async fn add_user(connection: &mut PgConnection, user: &User) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO person (login, name, role, password, created_at) VALUES ($1, $2, $3, $4, $5)";
    let query = sqlx::query(SQL).bind(&user.login).bind(&user.name).bind(role_code(user.role));
    query.bind(&user.password).bind(user.created_at).execute(connection).await?;
    Ok(())
}

pub(super) async fn user(connection: &mut PgConnection, login: &str) -> Result<Option<User>, StoreError> {
    const SQL: &str = "SELECT login, name, role, password, created_at FROM person WHERE login = $1";
    let Some(row) = sqlx::query(SQL).bind(login).fetch_optional(connection).await? else { return Ok(None) };
    let record = Record::new(&row, "person");
    Ok(Some(User {
        login: record.string("login")?,
        name: record.string("name")?,
        role: record.one_of("role")?,
        password: record.string("password")?,
        created_at: record.instant("created_at")?,
    }))
}

/// Adds a session, and forgets those that had ended by then.
pub(super) async fn add_session(connection: &mut PgConnection, session: &Session) -> Result<(), StoreError> {
    const SQL: &str = "WITH ended AS (DELETE FROM session WHERE expires_at <= $6)
         INSERT INTO session (sha256, login, name, role, csrf, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let query = sqlx::query(SQL).bind(&session.sha256[..]).bind(&session.login).bind(&session.name);
    let query = query.bind(role_code(session.role)).bind(&session.csrf);
    query.bind(session.created_at).bind(session.expires_at).execute(connection).await?;
    Ok(())
}

pub(super) async fn session(
    connection: &mut PgConnection,
    sha256: [u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<Session>, StoreError> {
    const SQL: &str = "SELECT sha256, login, name, role, csrf, created_at, expires_at FROM session
         WHERE sha256 = $1 AND expires_at > $2";
    let row = sqlx::query(SQL).bind(&sha256[..]).bind(now).fetch_optional(connection).await?;
    let Some(row) = row else { return Ok(None) };
    let record = Record::new(&row, "session");
    Ok(Some(Session {
        sha256: record.digest("sha256")?,
        login: record.string("login")?,
        name: record.string("name")?,
        role: record.one_of("role")?,
        csrf: record.string("csrf")?,
        created_at: record.instant("created_at")?,
        expires_at: record.instant("expires_at")?,
    }))
}

pub(super) async fn end_session(connection: &mut PgConnection, sha256: [u8; 32]) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM session WHERE sha256 = $1").bind(&sha256[..]).execute(connection).await?;
    Ok(())
}
