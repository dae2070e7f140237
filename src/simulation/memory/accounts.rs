//! Who there is and what is attached, of which the simulated world asks little: its participants, and no more.
//!
//! Promises: what it does not ask is answered so. Never: a key, a person, a file.

use super::Tables;
use super::store::{MemoryStore, Stored, not_asked};
use crate::domain::ids::ParticipantCode;
use crate::domain::participant::Participant;
use crate::gateway::ports::accounts::{Session, StoredKey, User};
use crate::gateway::ports::attachments::{Access, Kept, Leftovers};
use crate::gateway::ports::objects::ObjectName;
use crate::gateway::ports::{Accounts, Attachments};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

#[async_trait]
impl Accounts for MemoryStore {
    async fn import_participants(&self, participants: Vec<Participant>) -> Stored<()> {
        let work = |disk: &mut Tables| {
            disk.participants.extend(participants.into_iter().map(|one| (one.code.clone(), one)));
            disk.generation += 1;
            disk.reroute();
        };
        self.write("import", work).await
    }

    async fn add_key(&self, _key: StoredKey) -> Stored<()> {
        not_asked()
    }

    async fn key_owner(&self, _sha256: [u8; 32], _now: DateTime<Utc>) -> Stored<Option<ParticipantCode>> {
        not_asked()
    }

    async fn revoke_keys(&self, _of: &ParticipantCode, _at: DateTime<Utc>) -> Stored<u64> {
        not_asked()
    }

    async fn webhook_secrets(&self, _of: &ParticipantCode) -> Stored<Vec<Vec<u8>>> {
        not_asked()
    }

    async fn add_webhook_secret(&self, _of: &ParticipantCode, _secret: Vec<u8>, _at: DateTime<Utc>) -> Stored<()> {
        not_asked()
    }

    async fn add_user(&self, _user: User) -> Stored<()> {
        not_asked()
    }

    async fn user(&self, _login: &str) -> Stored<Option<User>> {
        not_asked()
    }

    async fn add_session(&self, _session: Session) -> Stored<()> {
        not_asked()
    }

    async fn session(&self, _sha256: [u8; 32], _now: DateTime<Utc>) -> Stored<Option<Session>> {
        not_asked()
    }

    async fn end_session(&self, _sha256: [u8; 32]) -> Stored<()> {
        not_asked()
    }
}

/// There are no files in this world, and nobody has one.
#[async_trait]
impl Attachments for MemoryStore {
    async fn expect_object(&self, _: &ObjectName, _: DateTime<Utc>) -> Stored<bool> {
        not_asked()
    }

    async fn object_kept(&self, _: Kept) -> Stored<bool> {
        not_asked()
    }

    async fn access(&self, _: &ObjectName, _: &[ParticipantCode]) -> Stored<Access> {
        self.read("access", |_| Access::default()).await
    }

    async fn claim_leftovers(&self, _: Leftovers) -> Stored<Vec<ObjectName>> {
        not_asked()
    }

    async fn object_removed(&self, _: &ObjectName) -> Stored<()> {
        not_asked()
    }
}
