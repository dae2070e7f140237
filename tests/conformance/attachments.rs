//! Whose files are whose: rights come from who has a file, and only what nobody names is given out for removal.

use crate::given::{at, code, message_id, request};
use crate::{save, stores};
use chrono::{DateTime, TimeDelta, Utc};
use mezhved::domain::ids::MessageId;
use mezhved::gateway::ports::attachments::{Access, Held, Kept, Leftovers, Naming};
use mezhved::gateway::ports::objects::ObjectName;
use mezhved::gateway::ports::{Changes, Store};

fn name(digit: char) -> ObjectName {
    ObjectName::new(&digit.to_string().repeat(64)).unwrap()
}

/// Puts a file, as the gateway does.
async fn put(store: &dyn Store, (name, by): (&ObjectName, &str), when: DateTime<Utc>) -> bool {
    assert!(store.expect_object(name, when).await.unwrap());
    let media_type = "application/pdf".to_owned();
    store.object_kept(Kept { name: name.clone(), by: code(by), media_type, bytes: 7, at: when }).await.unwrap()
}

/// Accepts message `n` from one to another, which names a file.
async fn send(store: &dyn Store, (n, name): (u32, &ObjectName), (from, to): (&'static str, &'static str)) -> MessageId {
    let mut changes: Changes = request(n).between(from, to).changes();
    changes.attachments.push(Naming { message: message_id(n), name: name.clone() });
    save(store, changes).await;
    message_id(n)
}

async fn access(store: &dyn Store, name: &ObjectName, who: &str) -> Access {
    store.access(name, &[code(who)]).await.unwrap()
}

fn held() -> Option<Held> {
    Some(Held { media_type: "application/pdf".into(), bytes: 7 })
}

#[tokio::test]
async fn a_file_is_reached_through_whoever_has_it_and_not_through_who_only_names_it() {
    for subject in stores().await {
        let (store, file) = (&*subject.store, name('a'));
        let early = send(store, (1, &file), ("clinic-2", "centre")).await;
        assert!(!put(store, (&file, "centre"), at("12T09:00")).await, "for the first time");
        assert!(put(store, (&file, "centre"), at("12T09:05")).await, "again");
        // Who passes on what he has got has no need to put it; his addressee gets it in whatever order they came.
        let onward = send(store, (2, &file), ("school-17", "youth")).await;
        let first = send(store, (3, &file), ("centre", "school-17")).await;
        assert_eq!(access(store, &file, "centre").await, Access { held: held(), messages: vec![first, early] });
        assert_eq!(access(store, &file, "school-17").await, Access { held: held(), messages: vec![first, onward] });
        assert_eq!(access(store, &file, "youth").await, Access { held: held(), messages: vec![onward] });
        // The clinic has only named it.
        assert_eq!(access(store, &file, "clinic-2").await, Access { held: None, messages: vec![early] });
        assert_eq!(access(store, &file, "police").await, Access::default());
        assert_eq!(access(store, &name('b'), "centre").await, Access::default());
        let who = [code("police"), code("youth")];
        assert_eq!(store.access(&file, &who).await.unwrap().held, held(), "people of several bodies");
    }
}

#[tokio::test]
async fn what_nobody_names_is_left_over_and_what_is_being_removed_is_nobodys_and_takes_no_upload() {
    for subject in stores().await {
        let store = &*subject.store;
        let (orphan, fresh, named, awaited, begun) = (name('1'), name('2'), name('3'), name('4'), name('5'));
        send(store, (1, &awaited), ("centre", "school-17")).await;
        for one in [&orphan, &named, &awaited] {
            put(store, (one, "centre"), at("01T09:00")).await;
        }
        send(store, (2, &named), ("centre", "school-17")).await;
        put(store, (&fresh, "centre"), at("09T09:00")).await;
        // A process that died between the file and its row.
        assert!(store.expect_object(&begun, at("01T10:00")).await.unwrap());
        let since = |now: DateTime<Utc>| Leftovers { untouched_since: now - TimeDelta::days(7), now, limit: 10 };
        let mut claimed = store.claim_leftovers(since(at("09T10:00"))).await.unwrap();
        claimed.sort();
        assert_eq!(claimed, [orphan.clone(), begun.clone()]);
        assert_eq!(access(store, &orphan, "centre").await.held, None);
        assert!(!store.expect_object(&orphan, at("09T10:00")).await.unwrap(), "it is just going");
        send(store, (3, &orphan), ("centre", "school-17")).await;
        assert!(store.claim_leftovers(since(at("09T10:30"))).await.unwrap().is_empty(), "another is at it");
        let later = store.claim_leftovers(since(at("09T11:30"))).await.unwrap();
        assert_eq!(later.len(), 2, "who was at it is gone");
        for one in &later {
            store.object_removed(one).await.unwrap();
        }
        assert!(!put(store, (&orphan, "centre"), at("09T12:00")).await, "as if it had never been there");
        assert_eq!(access(store, &orphan, "school-17").await.held, held());
        let rest = store.claim_leftovers(since(at("30T09:00"))).await.unwrap();
        assert_eq!(rest, [fresh], "what a message names stays, whichever came first");
    }
}
