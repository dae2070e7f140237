//! The kit: a gateway on a real SQLite file, artificial participants, a frozen clock, and messages in a line each.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use mezhved::catalogue::{Catalogue, calendars};
use mezhved::clock::Clock;
use mezhved::config::participants;
use mezhved::domain::calendar::CalendarSet;
use mezhved::domain::ids::{MessageId, ParticipantCode};
use mezhved::domain::message::Format;
use mezhved::gateway::act::{Actor, RegistrationNotice};
use mezhved::gateway::arrival::{Arrival, ChannelKind, Submitted};
use mezhved::gateway::ports::Store;
use mezhved::gateway::ports::accounts::UserRole;
use mezhved::gateway::ports::reads::{DutyFilter, InboxPage};
use mezhved::gateway::rejection::Rejection;
use mezhved::gateway::views::{InboxLetter, ObligationView};
use mezhved::gateway::{Gateway, Parts};
use mezhved::store::objects::ObjectFolder;
use mezhved::store::sqlite::SqliteStore;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use uuid::Uuid;

pub const CENTRE: &str = "centre-vymysel";
pub const SCHOOL: &str = "school-test-17";

/// A gateway with everything it stands on.
pub struct Story {
    pub gateway: Gateway,
    pub clock: Clock,
    pub store: Arc<dyn Store>,
    folder: Folder,
    catalogue: Arc<Catalogue>,
    calendars: Arc<CalendarSet>,
}

/// A folder that goes with its story.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An instant written as `2026-03-02 10:00` in Irkutsk.
pub fn irkutsk(text: &str) -> DateTime<Utc> {
    let local = format!("{}:00+08:00", text.replace(' ', "T"));
    DateTime::parse_from_rfc3339(&local).unwrap().with_timezone(&Utc)
}

pub fn code(text: &str) -> ParticipantCode {
    ParticipantCode::new(text).unwrap()
}

pub fn system(text: &str) -> Actor {
    Actor::Participant(code(text))
}

pub fn coordinator() -> Actor {
    Actor::Person { login: "coordinator".into(), name: "Коор Динатор".into(), role: UserRole::Coordinator }
}

impl Story {
    /// Begins at an instant in Irkutsk.
    pub async fn at(instant: &str) -> Self {
        Self::with_catalogue(instant, Arc::clone(Catalogue::builtin())).await
    }

    pub async fn with_catalogue(instant: &str, catalogue: Arc<Catalogue>) -> Self {
        Self::with(instant, catalogue, calendars::embedded().unwrap()).await
    }

    /// Begins by calendars of its own.
    pub async fn with_calendars(instant: &str, calendars: CalendarSet) -> Self {
        Self::with(instant, Arc::clone(Catalogue::builtin()), calendars).await
    }

    async fn with(instant: &str, catalogue: Arc<Catalogue>, calendars: CalendarSet) -> Self {
        let calendars = Arc::new(calendars);
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("mezhved-story-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let clock = Clock::frozen(irkutsk(instant));
        let (gateway, store) = open(&folder, &clock, (&catalogue, &calendars)).await;
        let text = include_str!("../../config/examples/participants.toml");
        store.import_participants(participants::from_toml(text).unwrap()).await.unwrap();
        assert!(gateway.refresh_directory().await.unwrap());
        Self { gateway, clock, store, folder: Folder(folder), catalogue, calendars }
    }

    /// Ends the gateway and opens another on the same file.
    pub async fn restart(self) -> Self {
        let calendars = Arc::clone(&self.calendars);
        self.restart_by(calendars).await
    }

    /// The same, as an upgrade that brings other calendars.
    pub async fn upgrade(self, calendars: CalendarSet) -> Self {
        self.restart_by(Arc::new(calendars)).await
    }

    async fn restart_by(self, calendars: Arc<CalendarSet>) -> Self {
        let Self { gateway, clock, store, folder, catalogue, .. } = self;
        drop((gateway, store));
        wait_for_lock(&folder.0).await;
        let (gateway, store) = open(&folder.0, &clock, (&catalogue, &calendars)).await;
        Self { gateway, clock, store, folder, catalogue, calendars }
    }

    /// Where its database is.
    pub fn database(&self) -> PathBuf {
        self.folder.0.join("mezhved.db")
    }

    /// Ends the gateway; its folder stays until the value given back goes.
    pub async fn end(self) -> impl Sized {
        let Self { gateway, store, folder, .. } = self;
        drop((gateway, store));
        wait_for_lock(&folder.0).await;
        folder
    }

    pub fn set(&self, instant: &str) {
        self.clock.set(irkutsk(instant));
    }

    /// Submits over HTTP, as JSON.
    pub async fn submit(&self, message: &Value) -> Result<Submitted, Rejection> {
        let from = message["from"].as_str().unwrap().to_owned();
        self.submit_bytes(&from, Format::Json, serde_json::to_vec(message).unwrap()).await
    }

    pub async fn submit_bytes(&self, from: &str, format: Format, bytes: Vec<u8>) -> Result<Submitted, Rejection> {
        let arrival = Arrival {
            sender: code(from),
            format,
            content: Bytes::from(bytes),
            channel: ChannelKind::Http,
            transport_id: None,
        };
        self.gateway.submit(arrival).await
    }

    /// The obligations that a participant is a party of.
    pub async fn obligations(&self, of: &str) -> Vec<ObligationView> {
        let filter = DutyFilter { limit: 100, ..DutyFilter::default() };
        self.gateway.obligations(filter, &system(of)).await.unwrap()
    }

    /// The only obligation there is.
    pub async fn obligation(&self) -> ObligationView {
        let all = self.gateway.obligations(DutyFilter { limit: 100, ..DutyFilter::default() }, &coordinator()).await;
        let mut all = all.unwrap();
        assert_eq!(all.len(), 1, "exactly one obligation");
        all.remove(0)
    }

    pub async fn inbox(&self, of: &str) -> Vec<InboxLetter> {
        self.gateway.inbox(InboxPage { recipient: code(of), after: 0, limit: 100 }).await.unwrap()
    }

    /// The types that wait in an inbox, oldest first.
    pub async fn inbox_types(&self, of: &str) -> Vec<String> {
        let known = ["control.", "notice.", "request.", "reply.", "ruling.", "report.", "receipt.", "signal."];
        let type_of = |letter: &InboxLetter| {
            let word = |text: &str| {
                text.split(['"', '<', '>', ':'])
                    .map(str::trim)
                    .find(|word| known.iter().any(|kind| word.starts_with(kind)))
                    .map(str::to_owned)
            };
            word(&letter.content).unwrap()
        };
        self.inbox(of).await.iter().map(type_of).collect()
    }

    pub async fn register(&self, letter: &InboxLetter, by: &str, number: &str) {
        let notice = RegistrationNotice {
            accepted: true,
            content_sha256: Some(letter.content_sha256.clone()),
            number: Some(number.into()),
            date: None,
            reason: None,
        };
        self.gateway.register_delivery(letter.id, &code(by), notice).await.unwrap();
    }

    pub async fn sweep(&self) -> usize {
        let swept = self.gateway.sweep_once().await.unwrap();
        assert_eq!(swept.failed, 0, "nothing fails in a sweep");
        swept.looked_at
    }
}

async fn open(
    folder: &std::path::Path,
    clock: &Clock,
    (catalogue, calendars): (&Arc<Catalogue>, &Arc<CalendarSet>),
) -> (Gateway, Arc<dyn Store>) {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open_exclusive(&folder.join("mezhved.db")).unwrap());
    let parts = Parts {
        store: Arc::clone(&store),
        objects: Arc::new(ObjectFolder::new(folder.join("attachments"))),
        catalogue: Arc::clone(catalogue),
        calendars: Arc::clone(calendars),
        ladders: Arc::new(mezhved::app::builtin_ladders().unwrap()),
        clock: clock.clone(),
        sweep_age_max_s: 60,
    };
    (Gateway::start(parts).await.unwrap(), store)
}

/// The committer ends a moment after the last handle is gone; its store's lock with it.
async fn wait_for_lock(folder: &std::path::Path) {
    for _ in 0..500 {
        if SqliteStore::open_exclusive(&folder.join("mezhved.db")).is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the lock of {} is not given back", folder.display());
}

pub fn new_id() -> MessageId {
    MessageId(Uuid::new_v4())
}

/// A request for information from the centre.
pub fn request(id: MessageId, to: &[&str], created_at: &str) -> Value {
    json!({
        "id": id, "type": "request.information", "version": 1, "from": CENTRE, "to": to,
        "created_at": format!("{}:00+08:00", created_at.replace(' ', "T")), "case": "СЛ-2026/014",
        "summary": "Запрос сведений о занятости",
        "body": {
            "persons": [{"name": "Примеров Пример Примерович", "birth_date": "2014-03-09", "relation": "child"}],
            "questions": ["Посещает ли ребёнок занятия?"]
        }
    })
}

/// Its answer.
pub fn reply(to_request: MessageId, from: &str, created_at: &str) -> Value {
    json!({
        "id": new_id(), "type": "reply.information", "version": 1, "from": from, "to": [CENTRE],
        "exchange": to_request, "in_reply_to": to_request,
        "created_at": format!("{}:00+08:00", created_at.replace(' ', "T")),
        "summary": "Ответ на запрос сведений",
        "body": { "answers": [{"answer": "Посещает регулярно."}], "no_data": false }
    })
}

/// A message inside an exchange.
pub fn control(kind: &str, root: MessageId, (from, to): (&str, &str), body: Value) -> Value {
    json!({
        "id": new_id(), "type": kind, "version": 1, "from": from, "to": [to], "exchange": root, "in_reply_to": root,
        "created_at": "2026-03-02T11:00:00+08:00", "body": body
    })
}
