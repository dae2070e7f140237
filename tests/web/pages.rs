//! The pages as a coordinator sees and uses them.
//!
//! Promises: reads the HTML that a browser would get. Never: needs a program in the browser.

use crate::letters;
use crate::site::{Site, json};
use mezhved::gateway::ports::accounts::UserRole;
use serde_json::Value;

/// A site where school 1 was asked on Monday the 2nd, due on the 10th.
async fn asked() -> (Site, String, Value, Value) {
    let site = Site::new().await;
    site.person("anna", UserRole::Coordinator).await;
    let key = site.key("centre").await;
    let letter = letters::request("school-1", "Запрос <b>характеристики</b> \u{202e}");
    let receipt = json(site.post("/api/v1/messages", &key, &letter).await).await;
    let id = receipt["obligations"][0]["id"].as_str().unwrap().to_owned();
    (site, id, letter, receipt)
}

#[tokio::test]
async fn empty_board_says_that_it_is_calm_and_when_it_looked() {
    let site = Site::new().await;
    site.person("anna", UserRole::Coordinator).await;
    site.gateway.sweep_once().await.unwrap();
    let (cookie, _) = site.enter("anna").await;
    let page = site.page("/", &cookie).await;
    assert!(page.contains("Просрочек нет, открытых сроков нет, проверено 10:15:00"), "{page}");
}

#[tokio::test]
async fn board_shows_who_owes_what_by_when_and_whom_to_call() {
    let (site, id, ..) = asked().await;
    let (cookie, _) = site.enter("anna").await;
    let page = site.page("/", &cookie).await;
    for part in
        ["Просрочек нет, ближайший срок 10.03.2026 (вт)", "СЛ-2026/014", "Образцовая школа №\u{a0}1", "Завучева З. З."]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(page.contains("href=\"tel:+73955000101\""));
    assert!(page.contains(&format!("href=\"/obligations/{id}/explanation\"")));
    assert!(page.contains("осталось 5\u{a0}рабочих дней"));
}

#[tokio::test]
async fn overdue_answer_leads_the_board_and_can_be_taken() {
    let (site, id, ..) = asked().await;
    site.go_to("2026-03-12T02:00:00Z").await;
    let (cookie, csrf) = site.enter("anna").await;
    let page = site.page("/", &cookie).await;
    assert!(page.contains("Просрочено 1 (у 1\u{a0}органа)") && page.contains("молчит 1\u{a0}орган"), "{page}");
    assert!(page.contains("просрочено на 2\u{a0}рабочих дня") && page.contains("никто не взял"));
    let path = format!("/obligations/{id}/acknowledgement");
    let fields = [
        ("csrf", &*csrf),
        ("next", "/?side=to_us&bucket=all&from=0"),
        ("until", "2026-03-13"),
        ("reason", "Звонили <i>"),
    ];
    let answer = site.post_form(&path, &cookie, &fields).await;
    assert_eq!(answer.status(), 303);
    let place = answer.headers()["location"].to_str().unwrap();
    assert_eq!(place, "/?side=to_us&bucket=all&from=0&done=1");
    let page = site.page(place, &cookie).await;
    assert!(page.contains("на контроле: Контролёрова К. К. до 13.03.2026: Звонили &#60;i&#62;"), "{page}");
}

#[tokio::test]
async fn prepared_letter_waits_for_a_person_and_is_sent() {
    let (site, id, ..) = asked().await;
    for day in ["2026-03-10T02:00:00Z", "2026-03-11T02:00:00Z", "2026-03-13T02:00:00Z"] {
        site.go_to(day).await;
    }
    let (cookie, csrf) = site.enter("anna").await;
    let page = site.page("/?bucket=prepared", &cookie).await;
    assert!(page.contains("Подготовлено письмо") && page.contains("Директорова Д. Д."), "{page}");
    let path = format!("/obligations/{id}/rungs/3");
    let answer = site.post_form(&path, &cookie, &[("csrf", &csrf), ("next", "/"), ("decision", "send")]).await;
    assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
    let page = site.page(&format!("/obligations/{id}"), &cookie).await;
    assert!(page.contains("— отправлено"), "{page}");
    let again = site.post_form(&path, &cookie, &[("csrf", &csrf), ("next", "/"), ("decision", "send")]).await;
    assert_eq!(again.status(), 409);
    assert!(again.text().await.unwrap().contains("Состояние уже изменилось"));
}

#[tokio::test]
async fn page_of_an_obligation_tells_its_story_and_why_its_date() {
    let (site, id, letter, _) = asked().await;
    let key = site.key("school-1").await;
    site.clock.set(crate::site::at("2026-03-05T02:00:00Z"));
    assert_eq!(site.post("/api/v1/messages", &key, &letters::reply(&letter, "school-1")).await.status(), 202);
    let (cookie, csrf) = site.enter("anna").await;
    let page = site.page(&format!("/obligations/{id}"), &cookie).await;
    for part in ["Хронология", "исполнено в срок", "Вернуть на доработку", "02.03.2026 10:15"]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
    let why = site.page(&format!("/obligations/{id}/explanation"), &cookie).await;
    assert!(why.contains("Почему эта дата?") && why.contains("10.03.2026 (вт)") && why.contains("09.03.2026"), "{why}");
    let path = format!("/obligations/{id}/decision");
    let answer = site
        .post_form(&path, &cookie, &[("csrf", &csrf), ("next", "/"), ("action", "return"), ("reason", "мало")])
        .await;
    assert_eq!(answer.status(), 303);
    assert!(site.page(&format!("/obligations/{id}"), &cookie).await.contains("ждём ответа"));
}

#[tokio::test]
async fn journal_page_prints_the_form_and_shows_text_as_text() {
    let (site, ..) = asked().await;
    let (cookie, _) = site.enter("anna").await;
    let page = site.page("/journal", &cookie).await;
    assert!(page.contains("Входящая информация и запросы") && page.contains("Исходящая информация и запросы"));
    assert!(page.contains("Запрос &#60;b&#62;характеристики&#60;/b&#62; ⟨U+202E⟩"), "{page}");
    assert!(!page.contains('\u{202e}'));
}

#[tokio::test]
async fn fragment_is_the_part_of_the_page_that_is_fetched_anew() {
    let (site, ..) = asked().await;
    let (cookie, _) = site.enter("anna").await;
    let fragment = site.page("/board/fragment?side=to_us&bucket=all", &cookie).await;
    assert!(fragment.contains("Образцовая школа №\u{a0}1") && !fragment.contains("<html"));
}

#[tokio::test]
async fn board_says_that_the_terms_were_not_looked_at_when_the_sweep_is_older_than_the_gateway_is_ready_with() {
    let site = Site::new().await;
    site.person("anna", UserRole::Coordinator).await;
    let (cookie, _) = site.enter("anna").await;
    let stale = async || site.page("/", &cookie).await.contains("Сроки давно не проверялись");
    assert!(stale().await, "there was none yet");
    site.gateway.sweep_once().await.unwrap();
    assert!(!stale().await);
    let swept = site.clock.now();
    site.clock.set(swept + chrono::TimeDelta::seconds(60));
    assert!(!stale().await);
    site.clock.set(swept + chrono::TimeDelta::seconds(61));
    assert!(stale().await);
}

#[tokio::test]
async fn board_says_that_the_calendar_ends_and_marks_dates_of_a_year_that_is_not_published() {
    let site = Site::new().await;
    site.person("anna", UserRole::Coordinator).await;
    let (cookie, _) = site.enter("anna").await;
    assert!(!site.page("/", &cookie).await.contains("календарь кончается"));
    site.go_to("2027-12-28T02:00:00Z").await;
    let letter = letters::request("school-1", "Запрос");
    let key = site.key("centre").await;
    let receipt = json(site.post("/api/v1/messages", &key, &letter).await).await;
    let id = receipt["obligations"][0]["id"].as_str().unwrap();
    let page = site.page("/", &cookie).await;
    assert!(page.contains("производственный календарь кончается через 3 дн."), "{page}");
    assert!(page.contains("12.01.2028 (ср)") && page.contains("предварительно: календарь не сверен"), "{page}");
    assert!(site.page(&format!("/obligations/{id}"), &cookie).await.contains("предварительно: календарь не сверен"));
}

#[tokio::test]
async fn open_board_hears_of_a_change_at_once() {
    let (site, ..) = asked().await;
    let (cookie, _) = site.enter("anna").await;
    let mut stream = site.client.get(site.url("/board/stream")).header("cookie", &cookie).send().await.unwrap();
    let first = stream.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b"retry: 3000\nevent: beat"));
    let key = site.key("centre").await;
    site.post("/api/v1/messages", &key, &letters::request("school-2", "Ещё один")).await;
    let next =
        tokio::time::timeout(std::time::Duration::from_secs(60), stream.chunk()).await.unwrap().unwrap().unwrap();
    assert!(next.starts_with(b"event: change"), "{next:?}");
}

#[tokio::test]
async fn pages_speak_english_when_asked() {
    let (site, ..) = asked().await;
    let (cookie, _) = site.enter("anna").await;
    let answer = site.client.get(site.url("/language?lang=en")).send().await.unwrap();
    let language = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let page = site.page("/", &format!("{cookie}; {language}")).await;
    assert!(page.contains("<html lang=\"en\">") && page.contains("Nothing is overdue"), "{page}");
}

#[tokio::test]
async fn unknown_page_is_a_page_for_people() {
    let (site, ..) = asked().await;
    let (cookie, _) = site.enter("anna").await;
    let page = site.page("/nothing-here", &cookie).await;
    assert!(page.contains("Такой страницы или записи нет") && page.contains("unknown_route"), "{page}");
}
