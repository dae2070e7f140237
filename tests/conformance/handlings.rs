//! Beginnings without an end: how often the handling of a delivery broke off.

use crate::given::at;
use crate::{Folder, stores};
use mezhved::gateway::ports::Decisions as _;
use mezhved::store::sqlite::SqliteStore;

#[tokio::test]
async fn beginnings_are_counted_for_each_delivery_until_one_comes_to_its_end() {
    for subject in stores().await {
        let store = &*subject.store;
        for count in 1..=3 {
            assert_eq!(store.begin_handlings([[1; 32], [2; 32]], at("12T10:00")).await.unwrap(), [count, count]);
        }
        assert_eq!(store.begin_handlings([[3; 32], [2; 32]], at("12T10:00")).await.unwrap(), [1, 4], "each apart");
        store.end_handling([1; 32]).await.unwrap();
        store.end_handling([1; 32]).await.unwrap();
        assert_eq!(store.begin_handlings([[1; 32], [2; 32]], at("12T10:01")).await.unwrap(), [1, 5]);
    }
}

#[tokio::test]
async fn a_beginning_is_on_disk_before_anything_else_is_done() {
    let folder = Folder::new();
    let path = folder.file("mezhved.db");
    SqliteStore::open(&path).unwrap().begin_handlings([[1; 32], [2; 32]], at("12T10:00")).await.unwrap();
    let again = SqliteStore::open(&path).unwrap();
    assert_eq!(again.begin_handlings([[1; 32], [2; 32]], at("12T10:00")).await.unwrap(), [2, 2]);
}
