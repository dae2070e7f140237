//! A type's rules get a later edition: what was owed before stays owed by the rule that it was born under.

use crate::kit::{CENTRE, SCHOOL, Story, control, coordinator, new_id, request};
use mezhved::catalogue::Catalogue;
use serde_json::json;
use std::fs;
use std::sync::Arc;

const FILE: &str = "request.information/1/entry.2026-07-01.toml";

/// The built-in catalogue, and from 1 July 2026 ten working days for an answer to a written request.
pub fn ten_days_from_july() -> Arc<Catalogue> {
    let folder = std::env::temp_dir().join(format!("mezhved-editions-{}-{}", std::process::id(), new_id()));
    let text = fs::read_to_string("schemas/request.information/1/entry.toml").unwrap();
    let (head, urgent) = text.split_once("[term.urgent]").unwrap();
    let head = head.replace("version_from = 2026-01-01", "version_from = 2026-07-01").replace("n = 5", "n = 10");
    let head = head.replace("extension_max_days = 30", "extension_max_days = 5");
    let source = head.find("source =").unwrap();
    let end = source + head[source..].find('\n').unwrap();
    let head = format!("{}source = \"Пример другой редакции\"{}", &head[..source], &head[end..]);
    fs::create_dir_all(folder.join(FILE).parent().unwrap()).unwrap();
    fs::write(folder.join(FILE), format!("{head}[term.urgent]{urgent}")).unwrap();
    let catalogue = Catalogue::load(&folder).unwrap_or_else(|fault| panic!("{fault}"));
    fs::remove_dir_all(&folder).unwrap();
    Arc::new(catalogue)
}

#[tokio::test]
async fn a_later_edition_rules_what_comes_from_its_day_on_and_nothing_that_was_owed_before() {
    let story = Story::with_catalogue("2026-06-30 23:30", ten_days_from_july()).await;
    let before = new_id();
    story.submit(&request(before, &[SCHOOL], "2026-06-30 23:00")).await.unwrap();
    // It is still 30 June in Greenwich and in Moscow: the day is the addressee's.
    story.set("2026-07-01 00:30");
    story.submit(&request(new_id(), &[SCHOOL], "2026-07-01 00:10")).await.unwrap();
    let owed = story.obligations(CENTRE).await;
    let shown: Vec<String> = owed.iter().map(|one| one.due_on.to_string()).collect();
    assert_eq!(shown, ["2026-07-07", "2026-07-15"]);
    let why = async |place: usize| {
        let told = story.gateway.explanation(owed[place].id, &coordinator()).await.unwrap();
        told.lines.join("\n")
    };
    assert!(why(0).await.contains("раздел 6"), "{}", why(0).await);
    assert!(why(1).await.contains("Пример другой редакции"), "{}", why(1).await);
    let protocol = serde_json::to_value(story.gateway.explanation(owed[1].id, &coordinator()).await.unwrap()).unwrap();
    assert!(protocol.to_string().contains("2026-07-01"), "{protocol}");
}

#[tokio::test]
async fn an_obligation_keeps_its_own_limit_of_extensions_after_an_edition_with_another() {
    let story = Story::with_catalogue("2026-06-30 10:00", ten_days_from_july()).await;
    let (before, after) = (new_id(), new_id());
    story.submit(&request(before, &[SCHOOL], "2026-06-30 09:00")).await.unwrap();
    story.set("2026-07-01 10:00");
    story.submit(&request(after, &[SCHOOL], "2026-07-01 09:00")).await.unwrap();
    let granted = |id, until: &str| {
        control("control.extension-decision", id, (CENTRE, SCHOOL), json!({"granted": true, "new_due": until}))
    };
    // 30 days under the rule of the first, 5 under that of the second.
    story.submit(&granted(before, "2026-07-24")).await.unwrap();
    let refused = story.submit(&granted(after, "2026-07-24")).await.unwrap_err();
    assert_eq!(refused.code, "extension_too_long", "{refused:?}");
    let due: Vec<String> = story.obligations(CENTRE).await.iter().map(|one| one.due_on.to_string()).collect();
    assert_eq!(due, ["2026-07-15", "2026-07-24"]);
}
