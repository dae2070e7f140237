//! The HTTP door, as a participant's program uses it: submit, fetch, register, ask where a letter is.
//!
//! Promises: every wait ends. Never: repeats a submission (an open loop does not hide what failed).

use crate::domain::ids::{ExchangeId, MessageId};
use crate::domain::message::Format;
use anyhow::{Context as _, ensure};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// A gateway under load may let one wait.
const PATIENCE: Duration = Duration::from_secs(30);
/// Letters of one page of an inbox.
const PAGE: usize = 100;

/// What the gateway says to a submission.
pub(super) enum Answer {
    Accepted,
    Refused(String),
    Failed(String),
}

/// A letter of an inbox.
#[derive(Deserialize)]
pub(super) struct Letter {
    pub seq: u64,
    pub id: MessageId,
    pub content_sha256: String,
    pub content: String,
}

/// One delivery, as the gateway tells it to a party.
#[derive(Deserialize)]
pub(super) struct Delivery {
    pub message: MessageId,
    pub recipient: String,
    pub state: String,
}

/// The gateway's door.
#[derive(Clone)]
pub(super) struct HttpDoor {
    client: reqwest::Client,
    base: String,
}

impl HttpDoor {
    pub fn new(url: &str) -> anyhow::Result<Self> {
        // A second call in one process finds the provider installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        ensure!(url.starts_with("http://") || url.starts_with("https://"), "--url: write http://HOST:PORT");
        let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
        Ok(Self { client, base: format!("{}/api/v1", url.trim_end_matches('/')) })
    }

    /// Whether a gateway is there, before anything is sent.
    pub async fn greet(&self, key: &str) -> anyhow::Result<()> {
        let answer = self.client.get(format!("{}/inbox?limit=1", self.base)).bearer_auth(key).send().await;
        let status = answer.map_err(without_url).context("no gateway answers at --url")?.status();
        ensure!(status != 401, "the gateway does not know the key; was the file prepared for its store?");
        ensure!(status.is_success(), "the gateway answers {status}");
        Ok(())
    }

    pub async fn submit(&self, key: &str, (format, content): (Format, Bytes)) -> Answer {
        let media_type = match format {
            Format::Json => "application/json",
            Format::Xml => "application/xml",
        };
        let request = self.client.post(format!("{}/messages", self.base)).header("content-type", media_type);
        let answer = match request.bearer_auth(key).body(content).send().await {
            Ok(answer) => answer,
            Err(fault) if fault.is_timeout() => return Answer::Failed("timeout".to_owned()),
            Err(fault) if fault.is_connect() => return Answer::Failed("connect".to_owned()),
            Err(_) => return Answer::Failed("connection".to_owned()),
        };
        let status = answer.status();
        if status.is_success() {
            // The receipt is here only when it has been read to its end.
            return match answer.bytes().await {
                Ok(_) => Answer::Accepted,
                Err(_) => Answer::Failed("connection".to_owned()),
            };
        }
        let problem: Value = serde_json::from_slice(&answer.bytes().await.unwrap_or_default()).unwrap_or_default();
        let code = problem["code"].as_str().map_or_else(|| status.as_u16().to_string(), str::to_owned);
        if status.is_server_error() { Answer::Failed(code) } else { Answer::Refused(code) }
    }

    /// What waits in an inbox; a letter waits until it is registered.
    pub async fn inbox(&self, key: &str) -> anyhow::Result<Vec<Letter>> {
        #[derive(Deserialize)]
        struct Page {
            letters: Vec<Letter>,
        }
        let page: Page = self.get(key, &format!("inbox?limit={PAGE}")).await?;
        Ok(page.letters)
    }

    pub async fn register(&self, key: &str, letter: &Letter) -> anyhow::Result<()> {
        let number = format!("вх-{}", letter.seq);
        let notice = json!({"accepted": true, "content_sha256": letter.content_sha256, "number": number});
        let request = self.client.post(format!("{}/inbox/{}/registration", self.base, letter.id)).bearer_auth(key);
        let request = request.header("content-type", "application/json").body(notice.to_string());
        request.send().await.and_then(reqwest::Response::error_for_status).map_err(without_url)?;
        Ok(())
    }

    /// The deliveries of an exchange; none where the gateway does not know it.
    pub async fn deliveries(&self, key: &str, exchange: ExchangeId) -> anyhow::Result<Vec<Delivery>> {
        #[derive(Deserialize)]
        struct Chronology {
            deliveries: Vec<Delivery>,
        }
        let chronology: Chronology = self.get(key, &format!("exchanges/{exchange}")).await?;
        Ok(chronology.deliveries)
    }

    async fn get<T: for<'a> Deserialize<'a>>(&self, key: &str, path: &str) -> anyhow::Result<T> {
        let answer = self.client.get(format!("{}/{path}", self.base)).bearer_auth(key).send().await;
        let answer = answer.and_then(reqwest::Response::error_for_status).map_err(without_url)?;
        Ok(serde_json::from_slice(&answer.bytes().await.map_err(without_url)?)?)
    }
}

/// An address of the API names messages; an error need not.
fn without_url(error: reqwest::Error) -> reqwest::Error {
    error.without_url()
}
