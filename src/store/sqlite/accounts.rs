//! Keys, secrets, people and sessions.
//!
//! Promises: a revoked or expired key opens nothing, whatever the clock says later. Never: gives a secret back, but for
//! the one with which we sign our own pushes.

use crate::domain::ids::ParticipantCode;
use crate::gateway::ports::StoreError;
use crate::gateway::ports::accounts::{Session, StoredKey, User, UserRole};
use crate::store::sqlite::row::{Record, micros};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, params};

pub(super) fn add_key(connection: &Connection, key: &StoredKey) -> Result<(), StoreError> {
    let sql = "INSERT INTO api_key (sha256, participant, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)";
    let expires_at = key.expires_at.map(micros);
    connection.execute(sql, params![&key.sha256, key.participant.as_str(), micros(key.created_at), expires_at])?;
    Ok(())
}

pub(super) fn key_owner(
    connection: &Connection,
    sha256: [u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<ParticipantCode>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT participant FROM api_key
         WHERE sha256 = ?1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)",
    )?;
    let read = |row: &Row<'_>| Record::new(row, "api_key").participant("participant");
    statement.query_and_then(params![&sha256, micros(now)], read)?.next().transpose()
}

pub(super) fn revoke_keys(connection: &Connection, of: &ParticipantCode, at: DateTime<Utc>) -> Result<u64, StoreError> {
    let sql = "UPDATE api_key SET revoked_at = ?2 WHERE participant = ?1 AND revoked_at IS NULL";
    Ok(connection.execute(sql, params![of.as_str(), micros(at)])? as u64)
}

pub(super) fn webhook_secrets(connection: &Connection, of: &ParticipantCode) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT n, secret FROM webhook_secret WHERE participant = ?1 ORDER BY created_at DESC, n DESC",
    )?;
    let read = |row: &Row<'_>| Ok(Record::new(row, "webhook_secret").blob("secret")?.to_vec());
    statement.query_and_then([of.as_str()], read)?.collect()
}

pub(super) fn add_webhook_secret(
    connection: &Connection,
    of: &ParticipantCode,
    (secret, at): (&[u8], DateTime<Utc>),
) -> Result<(), StoreError> {
    let sql = "INSERT INTO webhook_secret (participant, secret, created_at) VALUES (?1, ?2, ?3)";
    connection.execute(sql, params![of.as_str(), secret, micros(at)])?;
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

pub(super) fn add_user(connection: &Connection, user: &User) -> Result<(), StoreError> {
    let sql = "INSERT INTO person (login, name, role, password, created_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    let created_at = micros(user.created_at);
    connection.execute(sql, params![user.login, user.name, role_code(user.role), user.password, created_at])?;
    Ok(())
}

pub(super) fn user(connection: &Connection, login: &str) -> Result<Option<User>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT login, name, role, password, created_at FROM person WHERE login = ?1")?;
    let read = |row: &Row<'_>| {
        let record = Record::new(row, "person");
        Ok(User {
            login: record.string("login")?,
            name: record.string("name")?,
            role: record.one_of("role")?,
            password: record.string("password")?,
            created_at: record.instant("created_at")?,
        })
    };
    statement.query_and_then([login], read)?.next().transpose()
}

/// Adds a session, and forgets those that had ended by then.
pub(super) fn add_session(connection: &Connection, session: &Session) -> Result<(), StoreError> {
    let created_at = micros(session.created_at);
    connection.execute("DELETE FROM session WHERE expires_at <= ?1", [created_at])?;
    let sql = "INSERT INTO session (sha256, login, name, role, csrf, created_at, expires_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let role = role_code(session.role);
    let expires_at = micros(session.expires_at);
    let values = params![&session.sha256, session.login, session.name, role, session.csrf, created_at, expires_at];
    connection.execute(sql, values)?;
    Ok(())
}

pub(super) fn session(
    connection: &Connection,
    sha256: [u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<Session>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT sha256, login, name, role, csrf, created_at, expires_at FROM session
         WHERE sha256 = ?1 AND expires_at > ?2",
    )?;
    let read = |row: &Row<'_>| {
        let record = Record::new(row, "session");
        Ok(Session {
            sha256: record.digest("sha256")?,
            login: record.string("login")?,
            name: record.string("name")?,
            role: record.one_of("role")?,
            csrf: record.string("csrf")?,
            created_at: record.instant("created_at")?,
            expires_at: record.instant("expires_at")?,
        })
    };
    statement.query_and_then(params![&sha256, micros(now)], read)?.next().transpose()
}

pub(super) fn end_session(connection: &Connection, sha256: [u8; 32]) -> Result<(), StoreError> {
    connection.execute("DELETE FROM session WHERE sha256 = ?1", [&sha256[..]])?;
    Ok(())
}
