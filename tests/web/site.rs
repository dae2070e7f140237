//! A whole gateway behind a real listener, with a store in a folder of its own and a clock that stands still.
//!
//! Promises: every part is the real one; a site ends with its value. Never: shares anything with another test.

use chrono::{DateTime, Utc};
use mezhved::catalogue::{Catalogue, calendars};
use mezhved::clock::Clock;
use mezhved::domain::ids::ParticipantCode;
use mezhved::domain::participant::Participant;
use mezhved::gateway::ports::Accounts;
use mezhved::gateway::ports::accounts::{StoredKey, User, UserRole};
use mezhved::gateway::{Gateway, Parts};
use mezhved::store::objects::ObjectFolder;
use mezhved::store::sqlite::SqliteStore;
use mezhved::web::secrets::{Token, hash_password};
use mezhved::web::{Patience, WebConfig, WebParts, WebState, serve};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A Monday morning in Irkutsk.
pub const MONDAY: &str = "2026-03-02T02:15:00Z";
/// The password of every person here.
pub const PASSWORD: &str = "вымышленный пароль";

/// Plainly artificial bodies.
const PARTICIPANTS: &str = include_str!("participants.toml");

pub struct Site {
    pub address: SocketAddr,
    pub gateway: Gateway,
    pub store: Arc<SqliteStore>,
    /// The gateway's clock, frozen.
    pub clock: Clock,
    /// The clock of keys and sessions, frozen.
    pub people_clock: Clock,
    pub client: reqwest::Client,
    cancel: CancellationToken,
    served: Option<tokio::task::JoinHandle<std::io::Result<()>>>,
    folder: PathBuf,
}

#[derive(serde::Deserialize)]
struct File {
    participants: Vec<Participant>,
}

impl Site {
    /// A site with the usual patience.
    pub async fn new() -> Self {
        Self::with(WebConfig::default()).await
    }

    /// A site that waits a second where the usual one waits ten.
    pub async fn impatient() -> Self {
        let second = Duration::from_secs(1);
        let patience = Patience { headers: second, body_pause: second, body: second * 3, ..Patience::default() };
        Self::with(WebConfig { patience, ..WebConfig::default() }).await
    }

    pub async fn with(config: WebConfig) -> Self {
        let folder = std::env::temp_dir().join(format!("mezhved-web-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        let store = Arc::new(SqliteStore::open_exclusive(&folder.join("mezhved.db")).unwrap());
        let file: File = toml::from_str(PARTICIPANTS).unwrap();
        store.import_participants(file.participants).await.unwrap();
        let (clock, people_clock) = (Clock::frozen(at(MONDAY)), Clock::frozen(at(MONDAY)));
        let gateway = Gateway::start(Parts {
            store: store.clone(),
            objects: Arc::new(ObjectFolder::new(folder.join("attachments"))),
            catalogue: Arc::clone(Catalogue::builtin()),
            calendars: Arc::new(calendars::embedded().unwrap()),
            ladders: Arc::new(toml::from_str(include_str!("../../config/ladders.toml")).unwrap()),
            clock: clock.clone(),
            sweep_age_max_s: 60,
        })
        .await
        .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, cancel) = (listener.local_addr().unwrap(), CancellationToken::new());
        let state = WebState::new(WebParts {
            gateway: gateway.clone(),
            store: store.clone(),
            clock: people_clock.clone(),
            metrics: mezhved::telemetry::figures(),
            config,
        });
        let served = Some(tokio::spawn(serve(listener, state, cancel.clone())));
        Self { address, gateway, store, clock, people_clock, client: client(), cancel, served, folder }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The files of attachments, those included that are still being written.
    pub fn files(&self) -> Vec<PathBuf> {
        let entries = |of: PathBuf| std::fs::read_dir(of).into_iter().flatten().map(|one| one.unwrap().path());
        entries(self.folder.join("attachments")).flat_map(entries).collect()
    }

    /// A live key of that participant.
    pub async fn key(&self, participant: &str) -> String {
        let token = Token::random().unwrap();
        let key = StoredKey {
            sha256: token.sha256(),
            participant: ParticipantCode::new(participant).unwrap(),
            created_at: self.people_clock.now(),
            expires_at: None,
        };
        self.store.add_key(key).await.unwrap();
        token.as_key()
    }

    /// A person with the usual password.
    pub async fn person(&self, login: &str, role: UserRole) {
        static HASH: OnceLock<String> = OnceLock::new();
        let password = HASH.get_or_init(|| hash_password(PASSWORD).unwrap()).clone();
        let name = "Контролёрова К. К.".to_owned();
        let user = User { login: login.to_owned(), name, role, password, created_at: self.people_clock.now() };
        self.store.add_user(user).await.unwrap();
    }

    /// Posts a form from a page of our own.
    pub async fn post_form(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> reqwest::Response {
        let body = serde_urlencoded::to_string(fields).unwrap();
        let request = self.client.post(self.url(path)).header("content-type", "application/x-www-form-urlencoded");
        request.header("cookie", cookie).header("accept", "text/html").body(body).send().await.unwrap()
    }

    pub async fn login(&self, login: &str, password: &str) -> reqwest::Response {
        self.post_form("/login", "", &[("login", login), ("password", password), ("next", "/")]).await
    }

    /// Logs in and gives the cookie, and the session's token from a page.
    pub async fn enter(&self, login: &str) -> (String, String) {
        let answer = self.login(login, PASSWORD).await;
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let page = self.page("/", &cookie).await;
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        (cookie, csrf)
    }

    /// A page as a person sees it.
    pub async fn page(&self, path: &str, cookie: &str) -> String {
        let request = self.client.get(self.url(path)).header("accept", "text/html").header("cookie", cookie);
        request.send().await.unwrap().text().await.unwrap()
    }

    /// Gets JSON with a key.
    pub async fn get(&self, path: &str, key: &str) -> serde_json::Value {
        let request = self.client.get(self.url(path)).bearer_auth(key);
        json(request.send().await.unwrap()).await
    }

    /// Posts JSON with a key.
    pub async fn post(&self, path: &str, key: &str, body: &serde_json::Value) -> reqwest::Response {
        let request = self.client.post(self.url(path)).bearer_auth(key).header("content-type", "application/json");
        request.body(body.to_string()).send().await.unwrap()
    }

    /// The gateway's day moves on, and its rungs with it.
    pub async fn go_to(&self, instant: &str) {
        self.clock.set(at(instant));
        self.gateway.sweep_once().await.unwrap();
    }

    /// Stops the server as SIGTERM does, and waits until it has.
    pub async fn stop(&mut self) {
        self.cancel.cancel();
        if let Some(served) = self.served.take() {
            served.await.unwrap().unwrap();
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.cancel.cancel();
        // What is left in the folder is the system's to clean.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

pub fn at(instant: &str) -> DateTime<Utc> {
    instant.parse().unwrap()
}

pub async fn json(answer: reqwest::Response) -> serde_json::Value {
    let text = answer.text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The code of a refusal.
pub async fn code(answer: reqwest::Response) -> (u16, String) {
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem = json(answer).await;
    assert_eq!(problem["status"], status);
    (status, problem["code"].as_str().unwrap().to_owned())
}
