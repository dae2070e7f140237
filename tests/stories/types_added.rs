//! Adding a type is adding a folder.

use crate::kit::{CENTRE, Story, new_id};
use mezhved::catalogue::Catalogue;
use serde_json::json;
use std::sync::Arc;

#[tokio::test]
async fn a_type_that_was_added_as_a_folder_is_exchanged_and_answered() {
    let folder = std::env::temp_dir().join(format!("mezhved-types-{}", std::process::id()));
    let add = |name: &str, from: &str| {
        let (source, target) = (std::path::Path::new("schemas").join(from).join("1"), folder.join(name).join("1"));
        std::fs::create_dir_all(&target).unwrap();
        for file in ["entry.toml", "body.schema.json"] {
            let text = std::fs::read_to_string(source.join(file)).unwrap();
            let text = text
                .replace("request.information", "request.library-card")
                .replace("reply.information", "reply.library-card");
            std::fs::write(target.join(file), text).unwrap();
        }
    };
    add("request.library-card", "request.information");
    add("reply.library-card", "reply.information");
    let catalogue = Arc::new(Catalogue::load(&folder).unwrap_or_else(|fault| panic!("{fault}")));
    let story = Story::with_catalogue("2026-03-02 10:00", catalogue).await;
    let id = new_id();
    let mut message = crate::kit::request(id, &["police-test"], "2026-03-02 09:00");
    message["type"] = json!("request.library-card");
    story.submit(&message).await.unwrap_or_else(|fault| panic!("{fault:?}"));
    let xml = &story.inbox("police-test").await[0].content;
    assert!(xml.contains("urn:mezhved:request.library-card:1"));
    let mut answer = crate::kit::reply(id, "police-test", "2026-03-02 09:30");
    answer["type"] = json!("reply.library-card");
    story.submit(&answer).await.unwrap_or_else(|fault| panic!("{fault:?}"));
    assert_eq!(story.obligations(CENTRE).await[0].state, "fulfilled");
    std::fs::remove_dir_all(&folder).unwrap();
}
