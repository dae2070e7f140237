//! People: logging in, staying in, and what others may not do in their name.
//!
//! Promises: every refusal is told by its code or page. Never: a password that is not plainly invented.

use crate::site::{PASSWORD, Site, at, code};
use mezhved::gateway::ports::accounts::UserRole;

#[tokio::test]
async fn right_password_opens_a_session_in_a_host_cookie() {
    let site = Site::new().await;
    site.person("anna", UserRole::Coordinator).await;
    let answer = site.login("anna", PASSWORD).await;
    assert_eq!(answer.status(), 303);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-mezhved="), "{cookie}");
    for part in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let (cookie, _) = site.enter("anna").await;
    assert!(site.page("/", &cookie).await.contains("Контролёрова К. К."));
}

#[tokio::test]
async fn unknown_name_and_wrong_password_get_the_same_answer() {
    let site = Site::new().await;
    site.person("anna", UserRole::Coordinator).await;
    let known = site.login("anna", "не тот пароль").await;
    let unknown = site.login("boris", "не тот пароль").await;
    assert_eq!((known.status(), unknown.status()), (401.try_into().unwrap(), 401.try_into().unwrap()));
    assert_eq!(known.text().await.unwrap(), unknown.text().await.unwrap());
}

#[tokio::test]
async fn sixth_wrong_password_has_to_wait_and_the_right_one_with_it() {
    let site = Site::new().await;
    site.person("anna", UserRole::Coordinator).await;
    for _ in 0..5 {
        assert_eq!(site.login("anna", "не тот пароль").await.status(), 401);
    }
    // The first waits are short, and a slow machine outlasts them; they double with every failure.
    let mut failures = 5;
    while site.login("anna", "не тот пароль").await.status() == 401 {
        failures += 1;
        assert!(failures < 12, "nobody had to wait");
    }
    let answer = site.login("anna", PASSWORD).await;
    assert_eq!(answer.status(), 429);
    assert!(answer.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    // Another person at the same address is not locked out.
    site.person("vera", UserRole::Coordinator).await;
    assert_eq!(site.login("vera", PASSWORD).await.status(), 303);
}

#[tokio::test]
async fn spraying_one_password_over_many_names_is_slowed_down() {
    let site = Site::new().await;
    let mut statuses = Vec::new();
    for no in 0..28 {
        statuses.push(site.login(&format!("name-{no}"), "Весна2026!").await.status().as_u16());
    }
    let taken = statuses.iter().filter(|status| **status == 401).count();
    assert!((20..27).contains(&taken) && statuses.iter().all(|status| [401, 429].contains(status)), "{statuses:?}");
}

#[tokio::test]
async fn page_without_a_session_leads_to_the_login_and_back() {
    let site = Site::new().await;
    let request = site.client.get(site.url("/journal?participant=centre")).header("accept", "text/html");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 303);
    assert_eq!(answer.headers()["location"], "/login?next=/journal%3Fparticipant%3Dcentre");
}

#[tokio::test]
async fn login_leads_on_to_no_other_site() {
    let site = Site::new().await;
    site.person("anna", UserRole::Coordinator).await;
    for next in ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nX: 1"] {
        let fields = [("login", "anna"), ("password", PASSWORD), ("next", next)];
        let answer = site.post_form("/login", "", &fields).await;
        assert_eq!(answer.headers()["location"], "/login/check?next=/", "{next}");
    }
    for path in ["/login/check?next=//evil.example", "/language?lang=en&next=https://evil.example"] {
        let (cookie, _) = site.enter("anna").await;
        let answer = site.client.get(site.url(path)).header("cookie", cookie).send().await.unwrap();
        assert_eq!(answer.headers()["location"], "/", "{path}");
    }
}

#[tokio::test]
async fn browser_that_kept_no_cookie_is_told_so() {
    let site = Site::new().await;
    let page = site.page("/login/check?next=/", "").await;
    assert!(page.contains("Браузер не сохранил вход"), "{page}");
}

#[tokio::test]
async fn session_ends_at_logout_and_after_twelve_hours() {
    let site = Site::new().await;
    site.person("anna", UserRole::Coordinator).await;
    let (cookie, csrf) = site.enter("anna").await;
    assert_eq!(site.post_form("/logout", &cookie, &[("csrf", "x")]).await.status(), 403);
    assert_eq!(site.post_form("/logout", &cookie, &[("csrf", &csrf)]).await.status(), 303);
    assert!(site.page("/", &cookie).await.is_empty());
    let (cookie, _) = site.enter("anna").await;
    site.people_clock.set(at("2026-03-02T14:16:00Z"));
    assert!(site.page("/", &cookie).await.is_empty());
}

#[tokio::test]
async fn each_login_has_a_token_of_its_own_and_ends_the_one_before() {
    let site = Site::new().await;
    site.person("anna", UserRole::Coordinator).await;
    let (first, _) = site.enter("anna").await;
    let fields = [("login", "anna"), ("password", PASSWORD)];
    let answer = site.post_form("/login", &first, &fields).await;
    let second = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_ne!(first, second);
    assert!(site.page("/", &first).await.is_empty());
    assert!(!site.page("/", &second).await.is_empty());
}

#[tokio::test]
async fn form_without_the_sessions_token_changes_nothing() {
    let site = Site::new().await;
    site.person("anna", UserRole::Coordinator).await;
    let (cookie, _) = site.enter("anna").await;
    let path = format!("/obligations/{}/acknowledgement", uuid::Uuid::new_v4());
    let fields = [("csrf", "wrong"), ("until", "2026-03-10"), ("reason", "так")];
    let answer = site.client.post(site.url(&path)).header("cookie", &cookie);
    let answer = answer.header("content-type", "application/x-www-form-urlencoded");
    let body = serde_urlencoded::to_string(fields).unwrap();
    assert_eq!(code(answer.body(body).send().await.unwrap()).await, (403, "csrf_missing".to_owned()));
    // The API with a cookie wants it in a header.
    let path = format!("/api/v1/obligations/{}/release", uuid::Uuid::new_v4());
    let answer = site.client.post(site.url(&path)).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(code(answer).await, (403, "csrf_missing".to_owned()));
}

#[tokio::test]
async fn form_from_another_site_is_refused() {
    let site = Site::new().await;
    site.person("anna", UserRole::Coordinator).await;
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("sec-fetch-site", "same-site")]
    {
        let request = site.client.post(site.url("/login")).header(name, value);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body("login=anna&password=x").send().await.unwrap();
        assert_eq!(code(answer).await, (403, "cross_site".to_owned()), "{name}: {value}");
    }
}

#[tokio::test]
async fn observer_reads_and_changes_nothing() {
    let site = Site::new().await;
    site.person("olga", UserRole::Observer).await;
    let answer = site.login("olga", PASSWORD).await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let page = site.page("/", &cookie).await;
    assert!(page.contains("Просрочек нет"));
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let path = format!("/api/v1/obligations/{}/release", uuid::Uuid::new_v4());
    let request = site.client.post(site.url(&path)).header("cookie", &cookie).header("x-csrf-token", csrf);
    assert_eq!(code(request.send().await.unwrap()).await, (403, "observer".to_owned()));
    let path = format!("/obligations/{}/acknowledgement", uuid::Uuid::new_v4());
    let fields = [("csrf", csrf), ("until", "2026-03-10"), ("reason", "так")];
    assert_eq!(site.post_form(&path, &cookie, &fields).await.status(), 403);
}

#[tokio::test]
async fn two_cookies_of_one_name_are_none() {
    let site = Site::new().await;
    site.person("anna", UserRole::Coordinator).await;
    let (cookie, _) = site.enter("anna").await;
    assert!(site.page("/", &format!("{cookie}; __Host-mezhved=planted")).await.is_empty());
}
