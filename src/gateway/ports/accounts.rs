//! The store as access control sees it: participants, their keys, people and their sessions.
//!
//! Promises: keys and session tokens are stored as SHA-256 of 256 random bits, passwords as argon2id.
//! Never: gives a secret back.

use crate::domain::ids::ParticipantCode;
use crate::domain::participant::Participant;
use crate::gateway::ports::StoreError;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Who may come in.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Adds or replaces participants, and re-routes what waits for them; all or none.
    async fn import_participants(&self, participants: Vec<Participant>) -> Result<(), StoreError>;

    async fn add_key(&self, key: StoredKey) -> Result<(), StoreError>;
    /// The participant of a live key.
    async fn key_owner(&self, sha256: [u8; 32], now: DateTime<Utc>) -> Result<Option<ParticipantCode>, StoreError>;
    async fn revoke_keys(&self, of: &ParticipantCode, at: DateTime<Utc>) -> Result<u64, StoreError>;

    /// The secrets with which pushes to a participant are signed, newest first (several while one rotates).
    async fn webhook_secrets(&self, of: &ParticipantCode) -> Result<Vec<Vec<u8>>, StoreError>;
    async fn add_webhook_secret(
        &self,
        of: &ParticipantCode,
        secret: Vec<u8>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    async fn add_user(&self, user: User) -> Result<(), StoreError>;
    async fn user(&self, login: &str) -> Result<Option<User>, StoreError>;

    async fn add_session(&self, session: Session) -> Result<(), StoreError>;
    async fn session(&self, sha256: [u8; 32], now: DateTime<Utc>) -> Result<Option<Session>, StoreError>;
    async fn end_session(&self, sha256: [u8; 32]) -> Result<(), StoreError>;
}

/// A key as stored.
#[derive(Debug, Clone)]
pub struct StoredKey {
    pub sha256: [u8; 32],
    pub participant: ParticipantCode,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// A person with a local account.
#[derive(Debug, Clone)]
pub struct User {
    pub login: String,
    /// As shown: «И. О. Фамилия».
    pub name: String,
    pub role: UserRole,
    /// PHC string, argon2id.
    pub password: String,
    pub created_at: DateTime<Utc>,
}

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserRole {
    Coordinator,
    /// Reads only.
    Observer,
    Administrator,
    /// Registers what came or went without a wire; decides nothing.
    Clerk,
}

/// A session of a person.
#[derive(Debug, Clone)]
pub struct Session {
    pub sha256: [u8; 32],
    pub login: String,
    pub name: String,
    pub role: UserRole,
    /// The token that every form carries against CSRF.
    pub csrf: String,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}
