//! A participant's program, as the demo imagines it: an HTTP client with a key, in the participant's own format.
//!
//! Promises: speaks to the gateway as a stranger's program would, by key and over HTTP. Never: calls a verb.

use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::domain::message::{Format, Message};
use crate::domain::participant::Participant;
use crate::format;
use crate::simulation::templates::Writing;
use anyhow::{Context as _, ensure};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// A peer may be told to wait by a busy gateway.
const PATIENCE: Duration = Duration::from_secs(10);

/// The client of one participant.
pub(super) struct Peer {
    pub participant: Arc<Participant>,
    http: reqwest::Client,
    base: String,
    key: String,
    clock: Clock,
    cursor: u64,
}

/// A letter from the inbox, read.
pub(super) struct Received {
    pub message: Message,
}

impl Peer {
    pub fn new(at: SocketAddr, key: String, (participant, clock): (Arc<Participant>, Clock)) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
        Ok(Self { participant, http, base: format!("http://{at}/api/v1"), key, clock, cursor: 0 })
    }

    pub fn code(&self) -> &str {
        self.participant.code.as_str()
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// What a new message of this participant begins with.
    pub fn writing(&self) -> Writing<'_> {
        Writing { from: &self.participant, now: self.now(), id: Uuid::new_v4() }
    }

    /// Waits so many hours of the invented time.
    pub async fn wait_hours(&self, hours: u64) {
        tokio::time::sleep(self.clock.scaled(Duration::from_secs(hours * 3600))).await;
    }

    /// Sends a message, written in JSON, in the participant's own format.
    pub async fn send(&self, message: &Value) -> anyhow::Result<()> {
        let catalogue = Catalogue::builtin();
        let bytes = serde_json::to_vec(message)?;
        let read = format::read(&bytes, Format::Json, catalogue).context("a template of the demo")?;
        let body = format::write(&read, self.participant.format, catalogue)?;
        let media_type = match self.participant.format {
            Format::Json => "application/json",
            Format::Xml => "application/xml",
        };
        let request = self.http.post(format!("{}/messages", self.base)).header("content-type", media_type);
        let answer = request.bearer_auth(&self.key).body(body).send().await?;
        let status = answer.status();
        ensure!(status.is_success(), "{}: {status} {}", self.code(), answer.text().await?);
        Ok(())
    }

    /// Takes what has come, and registers each letter with a number of its own.
    pub async fn take(&mut self) -> anyhow::Result<Vec<Received>> {
        let url = format!("{}/inbox?after={}", self.base, self.cursor);
        let page: Value = serde_json::from_str(&self.http.get(url).bearer_auth(&self.key).send().await?.text().await?)?;
        let mut letters = Vec::new();
        for letter in page["letters"].as_array().into_iter().flatten() {
            let seq = letter["seq"].as_u64().unwrap_or_default();
            self.cursor = self.cursor.max(seq);
            let content = letter["content"].as_str().unwrap_or_default();
            let message = format::read(content.as_bytes(), self.participant.format, Catalogue::builtin())?;
            let id = message.envelope.id;
            let notice = json!({
                "accepted": true, "content_sha256": letter["content_sha256"], "number": format!("вх-{seq}"),
            });
            let url = format!("{}/inbox/{id}/registration", self.base);
            let request = self.http.post(url).bearer_auth(&self.key).header("content-type", "application/json");
            request.body(notice.to_string()).send().await?;
            letters.push(Received { message });
        }
        Ok(letters)
    }
}
