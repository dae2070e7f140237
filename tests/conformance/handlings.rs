//! Beginnings without an end: how often the handling of a delivery broke off.

use crate::given::at;
use crate::postgres_node::Postgres;
use crate::replicas::until;
use crate::{Folder, stores};
use mezhved::gateway::ports::accounts::{User, UserRole};
use mezhved::gateway::ports::{Accounts as _, Decisions as _};
use mezhved::store::postgres::{PostgresOptions, PostgresStore};
use mezhved::store::sqlite::SqliteStore;

const KEYS: [[u8; 32]; 2] = [[1; 32], [2; 32]];

#[tokio::test]
async fn beginnings_are_counted_for_each_delivery_until_one_comes_to_its_end() {
    for subject in stores().await {
        let store = &*subject.store;
        for count in 1..=3 {
            assert_eq!(store.begin_handlings(KEYS, at("12T10:00"), at("01T00:00")).await.unwrap(), [count, count]);
        }
        let begun = store.begin_handlings([[3; 32], [2; 32]], at("12T10:00"), at("01T00:00")).await.unwrap();
        assert_eq!(begun, [1, 4], "each apart");
        store.end_handling([1; 32]).await.unwrap();
        store.end_handling([1; 32]).await.unwrap();
        assert_eq!(store.begin_handlings(KEYS, at("12T10:01"), at("01T00:00")).await.unwrap(), [1, 5]);
    }
}

#[tokio::test]
async fn what_was_begun_last_before_the_given_instant_is_forgotten() {
    for subject in stores().await {
        let store = &*subject.store;
        store.begin_handlings(KEYS, at("12T10:00"), at("01T00:00")).await.unwrap();
        store.begin_handlings([[3; 32], [2; 32]], at("13T10:00"), at("12T10:00")).await.unwrap();
        let begun = store.begin_handlings([[4; 32], [3; 32]], at("14T10:00"), at("12T10:01")).await.unwrap();
        assert_eq!(begun, [1, 2], "what was begun later stands");
        let begun = store.begin_handlings(KEYS, at("14T10:00"), at("01T00:00")).await.unwrap();
        assert_eq!(begun, [1, 3], "of two keys that began together one began again since");
    }
}

#[tokio::test]
async fn a_beginning_is_on_disk_before_anything_else_is_done() {
    let folder = Folder::new();
    let path = folder.file("mezhved.db");
    SqliteStore::open(&path).unwrap().begin_handlings(KEYS, at("12T10:00"), at("01T00:00")).await.unwrap();
    let again = SqliteStore::open(&path).unwrap();
    assert_eq!(again.begin_handlings(KEYS, at("12T10:00"), at("01T00:00")).await.unwrap(), [2, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_after_a_count_on_the_same_connection_waits_for_the_disk_of_the_server() {
    let node = Postgres::start();
    let database = node.database();
    // The server itself does not write out for so long.
    database.sql("ALTER SYSTEM SET wal_writer_delay = '10s'");
    database.sql("SELECT pg_reload_conf()");
    until(async || (database.sql("SHOW wal_writer_delay") == "10s").then_some(())).await;
    let (login, created_at) = ("primernaya".to_owned(), at("12T00:00"));
    let user = User {
        login, name: "П. Примерная".into(), role: UserRole::Clerk, password: "…".into(), created_at
    };
    // One connection for all that is no decision.
    let open = async || PostgresStore::open(&database.url(), PostgresOptions { connections_max: 2 }).await.ok();
    let store = open().await.unwrap();
    store.begin_handlings(KEYS, at("12T10:00"), at("01T00:00")).await.unwrap();
    store.add_user(user).await.unwrap();
    node.kill();
    node.restart();
    drop(store);
    let user = until(open).await.user("primernaya").await.unwrap();
    assert!(user.is_some(), "confirmed, and gone with the server");
}
