//! Access control and participants, answered from PostgreSQL.
//!
//! Promises: an import holds the decision lock, because it moves what waits in the outbox. Never: holds SQL.

use crate::domain::ids::ParticipantCode;
use crate::domain::participant::Participant;
use crate::gateway::ports::accounts::{Session as LogIn, StoredKey, User};
use crate::gateway::ports::{Accounts, StoreError};
use crate::store::postgres::reader::Reader;
use crate::store::postgres::session::{Session, within};
use crate::store::postgres::{PostgresStore, accounts, lock, participants};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

#[async_trait]
impl Accounts for PostgresStore {
    async fn import_participants(&self, participants: Vec<Participant>) -> Result<(), StoreError> {
        let mut session = Session::begin(&self.deciding, lock::BEGIN_LETTERS_AND_DECISION).await?;
        within(participants::import(session.connection(), &participants)).await?;
        session.commit_with(self.presence.commit_and_tell()).await
    }

    async fn add_key(&self, key: StoredKey) -> Result<(), StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let done = within(accounts::add_key(reader.connection(), &key)).await;
        reader.answered(done)
    }

    async fn key_owner(&self, sha256: [u8; 32], now: DateTime<Utc>) -> Result<Option<ParticipantCode>, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(accounts::key_owner(reader.connection(), sha256, now)).await;
        reader.answered(found)
    }

    async fn revoke_keys(&self, of: &ParticipantCode, at: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let done = within(accounts::revoke_keys(reader.connection(), of, at)).await;
        reader.answered(done)
    }

    async fn webhook_secrets(&self, of: &ParticipantCode) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(accounts::webhook_secrets(reader.connection(), of)).await;
        reader.answered(found)
    }

    async fn add_webhook_secret(
        &self,
        of: &ParticipantCode,
        secret: Vec<u8>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let done = within(accounts::add_webhook_secret(reader.connection(), of, (&secret, at))).await;
        reader.answered(done)
    }

    async fn add_user(&self, user: User) -> Result<(), StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let done = within(accounts::add_user(reader.connection(), &user)).await;
        reader.answered(done)
    }

    async fn user(&self, login: &str) -> Result<Option<User>, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(accounts::user(reader.connection(), login)).await;
        reader.answered(found)
    }

    async fn add_session(&self, session: LogIn) -> Result<(), StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let done = within(accounts::add_session(reader.connection(), &session)).await;
        reader.answered(done)
    }

    async fn session(&self, sha256: [u8; 32], now: DateTime<Utc>) -> Result<Option<LogIn>, StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let found = within(accounts::session(reader.connection(), sha256, now)).await;
        reader.answered(found)
    }

    async fn end_session(&self, sha256: [u8; 32]) -> Result<(), StoreError> {
        let mut reader = Reader::of(&self.pool).await?;
        let done = within(accounts::end_session(reader.connection(), sha256)).await;
        reader.answered(done)
    }
}
