//! Who may come in: participants, keys, secrets, people, sessions.

use crate::given::{CLINIC, SCHOOL, at, code, participant};
use crate::stores;
use mezhved::gateway::ports::StoreError;
use mezhved::gateway::ports::accounts::{Session, StoredKey, User, UserRole};

#[tokio::test]
async fn participants_are_imported_replaced_and_the_generation_rises() {
    for subject in stores().await {
        let store = &*subject.store;
        assert_eq!(store.participants_generation().await.unwrap(), 0);
        let (school, clinic) = (participant(SCHOOL, "push"), participant(CLINIC, "inbox"));
        store.import_participants(vec![school.clone(), clinic.clone()]).await.unwrap();
        assert_eq!(store.participants().await.unwrap(), [clinic.clone(), school]);
        assert_eq!(store.participants_generation().await.unwrap(), 1);
        let school = participant(SCHOOL, "amqp");
        store.import_participants(vec![school.clone()]).await.unwrap();
        assert_eq!(store.participants().await.unwrap(), [clinic, school]);
        assert_eq!(store.participants_generation().await.unwrap(), 2);
    }
}

#[tokio::test]
async fn a_key_opens_until_it_expires_or_is_revoked() {
    for subject in stores().await {
        let store = &*subject.store;
        store.import_participants(vec![participant(SCHOOL, "amqp"), participant(CLINIC, "amqp")]).await.unwrap();
        let created_at = at("12T00:00");
        let key = |no: u8, of: &str, expires_at| StoredKey {
            sha256: [no; 32],
            participant: code(of),
            created_at,
            expires_at,
        };
        store.add_key(key(1, SCHOOL, None)).await.unwrap();
        store.add_key(key(2, SCHOOL, Some(at("14T00:00")))).await.unwrap();
        store.add_key(key(3, CLINIC, None)).await.unwrap();
        let owner = async |no: u8, now| store.key_owner([no; 32], at(now)).await.unwrap();
        assert_eq!(owner(1, "30T00:00").await, Some(code(SCHOOL)));
        assert_eq!(owner(2, "13T23:59").await, Some(code(SCHOOL)));
        assert_eq!(owner(2, "14T00:00").await, None);
        assert_eq!(owner(9, "13T00:00").await, None);
        assert_eq!(store.revoke_keys(&code(SCHOOL), at("13T00:00")).await.unwrap(), 2);
        assert_eq!(store.revoke_keys(&code(SCHOOL), at("13T00:00")).await.unwrap(), 0);
        // A clock that was set back does not bring a revoked key to life.
        assert_eq!(owner(1, "12T12:00").await, None);
        assert_eq!(owner(3, "30T00:00").await, Some(code(CLINIC)));
    }
}

#[tokio::test]
async fn a_key_of_nobody_and_a_key_twice_are_refused() {
    for subject in stores().await {
        let store = &*subject.store;
        let key =
            StoredKey { sha256: [1; 32], participant: code(SCHOOL), created_at: at("12T00:00"), expires_at: None };
        assert!(matches!(store.add_key(key.clone()).await, Err(StoreError::Rejected(_))));
        store.import_participants(vec![participant(SCHOOL, "amqp")]).await.unwrap();
        store.add_key(key.clone()).await.unwrap();
        assert!(matches!(store.add_key(key).await, Err(StoreError::Rejected(_))));
    }
}

#[tokio::test]
async fn secrets_of_a_webhook_come_newest_first() {
    for subject in stores().await {
        let store = &*subject.store;
        store.import_participants(vec![participant(SCHOOL, "push")]).await.unwrap();
        store.add_webhook_secret(&code(SCHOOL), vec![1], at("12T00:00")).await.unwrap();
        store.add_webhook_secret(&code(SCHOOL), vec![2], at("13T00:00")).await.unwrap();
        assert_eq!(store.webhook_secrets(&code(SCHOOL)).await.unwrap(), [vec![2], vec![1]]);
        assert!(store.webhook_secrets(&code(CLINIC)).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_person_is_found_by_login_and_added_once() {
    for subject in stores().await {
        let store = &*subject.store;
        let user = User {
            login: "primernaya".to_owned(),
            name: "И. О. Примерная".to_owned(),
            role: UserRole::Observer,
            password: "$argon2id$…".to_owned(),
            created_at: at("12T00:00"),
        };
        store.add_user(user.clone()).await.unwrap();
        let found = store.user("primernaya").await.unwrap().unwrap();
        assert_eq!(format!("{found:?}"), format!("{user:?}"));
        assert!(store.user("Primernaya").await.unwrap().is_none());
        assert!(matches!(store.add_user(user).await, Err(StoreError::Rejected(_))));
    }
}

#[tokio::test]
async fn a_session_lives_until_it_ends_or_is_ended() {
    for subject in stores().await {
        let store = &*subject.store;
        let session = |no: u8, created, expires| Session {
            sha256: [no; 32],
            login: "primernaya".to_owned(),
            name: "И. О. Примерная".to_owned(),
            role: UserRole::Coordinator,
            csrf: "token".to_owned(),
            created_at: at(created),
            expires_at: at(expires),
        };
        store.add_session(session(1, "12T00:00", "12T12:00")).await.unwrap();
        store.add_session(session(2, "12T01:00", "13T01:00")).await.unwrap();
        let found = store.session([1; 32], at("12T11:59")).await.unwrap().unwrap();
        assert_eq!(format!("{found:?}"), format!("{:?}", session(1, "12T00:00", "12T12:00")));
        assert!(store.session([1; 32], at("12T12:00")).await.unwrap().is_none());
        store.end_session([2; 32]).await.unwrap();
        assert!(store.session([2; 32], at("12T02:00")).await.unwrap().is_none());
        // A new session sweeps out those that have ended, so that a clock set back does not revive them.
        store.add_session(session(3, "12T12:00", "13T00:00")).await.unwrap();
        assert!(store.session([1; 32], at("12T11:59")).await.unwrap().is_none());
    }
}
