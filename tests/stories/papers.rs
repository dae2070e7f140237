//! The letters of the ladder on paper: word for word, the draft and what was sent, for each rung and for our own memos.
//!
//! Promises: the texts are those of `golden/*.txt`; written anew when `MEZHVED_GOLDEN=write`. Never: a child's name.

use crate::kit::{CENTRE, SCHOOL, Story, code, coordinator, new_id, request, system};
use mezhved::gateway::act::{RegistrationNotice, RungDecision};
use mezhved::gateway::paper::Paper;
use serde_json::{Value, json};
use std::path::Path;

/// The document as plain text, top to bottom.
fn plain(paper: &Paper) -> String {
    let mut lines: Vec<String> = Vec::new();
    lines.extend(paper.draft.then(|| "ПРОЕКТ".to_owned()));
    lines.extend(paper.sender.clone());
    lines.extend(paper.number.clone());
    lines.push(paper.reference.clone());
    lines.push(String::new());
    lines.extend(paper.addressee.iter().map(|line| format!("    {line}")));
    lines.push(String::new());
    lines.extend((paper.kind == "memo").then(|| "Служебная записка".to_owned()));
    lines.push(paper.subject.clone());
    lines.push(String::new());
    lines.extend(paper.paragraphs.clone());
    lines.extend(paper.annexes.iter().map(|annex| format!("Приложение: {annex}")));
    lines.push(format!("{} ____________ {}", paper.signature.0, paper.signature.1));
    lines.extend(paper.executor.clone());
    lines.join("\n") + "\n"
}

/// Compares with the file of that name.
fn golden(name: &str, paper: &Paper) {
    let text = plain(paper);
    for word in ["Пример", "Посещает", "2014", "СЛ-2026", "занятости", "эскалац"] {
        let text = text.replace("Примеровна", "");
        assert!(!text.contains(word), "{name} repeats «{word}»: {text}");
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories/golden").join(format!("{name}.txt"));
    if std::env::var("MEZHVED_GOLDEN").is_ok_and(|word| word == "write") {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(text, expected, "{name}: the letter is another one; see what changed");
}

/// The centre asks the school, formally, and the school has registered it.
async fn asked() -> Story {
    let story = Story::at("2026-03-02 10:00").await;
    let mut letter = request(new_id(), &[SCHOOL], "2026-03-02 09:00");
    letter["registration"] = json!({"number": "01-12/346", "date": "2026-03-02"});
    letter["legal_basis"] = json!([{"act": "120-ФЗ", "article": "ст. 9"}]);
    story.submit(&letter).await.unwrap();
    let inbox = story.inbox(SCHOOL).await;
    story.register(&inbox[0], SCHOOL, "вх-17").await;
    story
}

async fn paper(story: &Story, no: u8) -> Paper {
    let id = story.obligation().await.id;
    story.gateway.paper(id, no, &coordinator()).await.unwrap()
}

#[tokio::test]
async fn letters_of_every_outward_rung_read_as_official_russian() {
    let story = asked().await;
    for (no, day, name) in [
        (0, "2026-03-05 09:00", "0-warning"),
        (2, "2026-03-11 09:00", "2-reminder"),
        (3, "2026-03-13 09:00", "3-repeat"),
        (4, "2026-03-17 09:00", "4-commission"),
        (5, "2026-03-24 09:00", "5-superior"),
        (6, "2026-03-31 09:00", "6-prosecutor"),
    ] {
        story.set(day);
        story.sweep().await;
        if no >= 3 {
            golden(&format!("{name}-draft"), &paper(&story, no).await);
            let id = story.obligation().await.id;
            story.gateway.decide_rung((id, no), RungDecision::Send, coordinator()).await.unwrap();
        }
        story.set("2026-04-10 12:00");
        golden(name, &paper(&story, no).await);
        story.set(day);
    }
}

#[tokio::test]
async fn memos_of_what_the_centre_owes_go_to_its_own_people() {
    let story = Story::at("2026-03-02 10:00").await;
    let mut letter = request(new_id(), &[CENTRE], "2026-03-02 09:00");
    letter["from"] = json!("commission-test");
    story.submit(&letter).await.unwrap();
    for (no, day, name) in [
        (0, "2026-03-04 09:00", "memo-0-executor"),
        (1, "2026-03-10 09:00", "memo-1-department"),
        (2, "2026-03-11 09:00", "memo-2-director"),
    ] {
        story.set(day);
        story.sweep().await;
        golden(name, &paper(&story, no).await);
    }
    let id = story.obligation().await.id;
    let refused = story.gateway.paper(id, 2, &system("commission-test")).await.unwrap_err();
    assert_eq!(refused.code, "not_found", "our memos are ours");
}

#[tokio::test]
async fn a_draft_is_seen_by_who_writes_it_and_never_by_whom_it_accuses() {
    let story = asked().await;
    story.set("2026-03-13 09:00");
    story.sweep().await;
    let id = story.obligation().await.id;
    let by = |who: &str| system(who);
    assert!(story.gateway.paper(id, 3, &by(CENTRE)).await.unwrap().draft);
    assert_eq!(story.gateway.paper(id, 3, &by(SCHOOL)).await.unwrap_err().code, "not_found");
    assert_eq!(story.gateway.paper(id, 3, &by("police-test")).await.unwrap_err().code, "not_found");
    story.gateway.decide_rung((id, 3), RungDecision::Send, coordinator()).await.unwrap();
    let sent = story.gateway.paper(id, 3, &by(SCHOOL)).await.unwrap();
    assert!(!sent.draft && sent.number.is_some());
    story.set("2026-03-17 09:00");
    story.sweep().await;
    story.gateway.decide_rung((id, 4), RungDecision::Send, coordinator()).await.unwrap();
    assert_eq!(
        story.gateway.paper(id, 4, &by(SCHOOL)).await.unwrap_err().code,
        "not_found",
        "a letter to the commission is the commission's"
    );
    assert_eq!(story.gateway.paper(id, 6, &coordinator()).await.unwrap_err().code, "not_found", "not reached");
}

#[tokio::test]
async fn a_draft_that_goes_to_nobody_is_not_for_whom_it_accuses_either() {
    let story = Story::at("2026-03-02 10:00").await;
    let nobody = "police-test";
    story.submit(&request(new_id(), &[nobody], "2026-03-02 09:00")).await.unwrap();
    let mut without = Vec::new();
    for day in ["2026-03-13", "2026-03-17", "2026-03-24", "2026-03-31", "2026-04-07"] {
        story.set(&format!("{day} 09:00"));
        story.sweep().await;
        let shown = story.obligation().await;
        for rung in shown.rungs.iter().filter(|rung| rung.state == "prepared") {
            without.extend(rung.addressee.is_none().then_some(rung.no));
            let refused = story.gateway.paper(shown.id, rung.no, &system(nobody)).await.unwrap_err();
            assert_eq!(refused.code, "not_found", "rung {}", rung.no);
            assert!(story.gateway.paper(shown.id, rung.no, &system(CENTRE)).await.unwrap().draft);
            let decided = story.gateway.decide_rung((shown.id, rung.no), RungDecision::Send, coordinator()).await;
            assert_eq!(decided.is_ok(), rung.addressee.is_some());
        }
    }
    assert!(!without.is_empty(), "no rung was without an addressee");
}

#[tokio::test]
async fn a_letter_that_was_sent_says_nothing_of_what_came_after_it() {
    let story = Story::at("2026-03-02 10:00").await;
    story.submit(&request(new_id(), &[SCHOOL], "2026-03-02 09:00")).await.unwrap();
    story.set("2026-03-11 09:00");
    story.sweep().await;
    let sent = plain(&paper(&story, 2).await);
    assert!(sent.contains("Документ находится в ящике адресата"), "{sent}");
    // The school registers it later on that very day, under a date that is earlier still.
    story.set("2026-03-11 15:00");
    let letter = story.inbox(SCHOOL).await.remove(0);
    let notice = RegistrationNotice {
        accepted: true,
        content_sha256: Some(letter.content_sha256.clone()),
        number: Some("вх-17".into()),
        date: Some("2026-03-10".parse().unwrap()),
        reason: None,
    };
    story.gateway.register_delivery(letter.id, &code(SCHOOL), notice).await.unwrap();
    story.set("2026-04-10 12:00");
    assert_eq!(plain(&paper(&story, 2).await), sent);
    story.set("2026-03-13 09:00");
    story.sweep().await;
    let next = plain(&paper(&story, 3).await);
    assert!(next.contains("Документ зарегистрирован адресатом: № вх-17 от 10.03.2026."), "{next}");
}

/// A commission and a prosecutor that are late themselves.
#[tokio::test]
async fn a_commission_and_a_prosecutor_that_are_late_are_reported_to_their_own_superiors() {
    for (late, superior) in [("commission-test", "minsoc-test"), ("prosecutor-test", "prosecutor-oblast")] {
        let story = Story::at("2026-03-02 10:00").await;
        let mut over = (*story.gateway.participant(&code("prosecutor-test")).unwrap()).clone();
        over.code = code("prosecutor-oblast");
        over.title = "Прокуратура Вымышленной области".into();
        let mut under = (*story.gateway.participant(&code("prosecutor-test")).unwrap()).clone();
        under.superior = Some(over.code.clone());
        story.store.import_participants(vec![over, under]).await.unwrap();
        story.gateway.refresh_directory().await.unwrap();
        let mut letter = request(new_id(), &[late], "2026-03-02 09:00");
        letter["case"] = Value::Null;
        letter.as_object_mut().unwrap().remove("case");
        story.submit(&letter).await.unwrap();
        let mut told = Vec::new();
        for day in ["2026-03-13", "2026-03-17", "2026-03-24", "2026-03-31"] {
            story.set(&format!("{day} 09:00"));
            story.sweep().await;
            let shown = story.obligation().await;
            let Some(rung) = shown.rungs.iter().find(|rung| rung.state == "prepared") else { continue };
            let (no, to) = (rung.no, rung.addressee.as_ref().map(|party| party.code.to_string()));
            if let Some(to) = to {
                let paper = story.gateway.paper(shown.id, no, &coordinator()).await.unwrap();
                assert!(!paper.addressee.is_empty() && paper.draft);
                story.gateway.decide_rung((shown.id, no), RungDecision::Send, coordinator()).await.unwrap();
                told.push((no, to));
            }
        }
        assert!(
            told.contains(&(4, superior.to_owned())) && told.contains(&(5, superior.to_owned())),
            "{late}: {told:?}"
        );
        assert!(
            told.iter().all(|(no, to)| *no == 3 || to == superior),
            "{late}: nobody is told about itself: {told:?}"
        );
        assert!(!story.inbox_types(superior).await.is_empty());
    }
}
