//! The way out over HTTPS.
//!
//! Promises: the same `webhook-id` over all retries of a letter; each attempt ends within 15 s. Never: sends unsigned;
//! puts a URL, which may hold a token, into a reason or a log.

use crate::channel::content_type;
use crate::channel::push::answer::{cause, judge};
use crate::channel::push::guard::{self, GuardedResolver, Policy};
use crate::channel::push::signature::sign;
use crate::clock::Clock;
use crate::domain::ids::ParticipantCode;
use crate::domain::participant::Route;
use crate::gateway::ports::StoreError;
use crate::gateway::ports::outlet::{DeliveryFault, Letter, Outlet};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Certificate, Client, redirect};
use rustls::crypto::CryptoProvider;
use std::sync::Arc;
use std::time::Duration;

/// From connecting to the end of the answer.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE_PER_HOST_MAX: usize = 4;

/// Gives the live secrets of a participant, newest first.
pub type Secrets = Arc<dyn Fn(ParticipantCode) -> BoxFuture<'static, Result<Vec<Vec<u8>>, StoreError>> + Send + Sync>;

/// What may be pushed to, and whose certificates are trusted besides the system's.
#[derive(Debug, Clone, Default)]
pub struct PushConfig {
    pub policy: Policy,
    /// Certificates of further authorities, PEM.
    pub authorities_pem: Option<Vec<u8>>,
}

/// Why there can be no outlet.
#[derive(Debug, thiserror::Error)]
pub enum PushFault {
    #[error("the certificates of further authorities cannot be read as PEM: {0}")]
    Authorities(#[source] reqwest::Error),
    #[error("the HTTPS client cannot be built: {0}")]
    Client(#[source] reqwest::Error),
}

/// What is posted: it is signed under its id, which is constant over retries.
pub(super) struct Signed {
    pub id: String,
    pub content_type: &'static str,
    pub content: Bytes,
}

/// The outlet.
pub struct PushOutlet {
    policy: Policy,
    secrets: Secrets,
    clock: Clock,
    secure: Client,
    /// For `http://` inside the allowed networks.
    plain: Client,
}

impl PushOutlet {
    /// An outlet.
    ///
    /// # Errors
    /// [`PushFault`].
    pub fn new(config: PushConfig, secrets: Secrets, clock: Clock) -> Result<Self, PushFault> {
        // Where the program has chosen no TLS provider yet, it gets the one that we are built with.
        if CryptoProvider::get_default().is_none() {
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let (secure, plain) = (client(&config, false)?, client(&config, true)?);
        Ok(Self { policy: config.policy, secrets, clock, secure, plain })
    }

    async fn attempt(&self, letter: &Letter) -> Result<(), DeliveryFault> {
        let Route::Push { url } = &letter.recipient.route else {
            return Err(later("the participant has no endpoint any more"));
        };
        let (id, content) = (letter.message.to_string(), letter.content.clone());
        let signed = Signed { id, content_type: content_type(letter.format), content };
        self.post(url, letter.recipient_code(), signed).await
    }

    /// One signed request, judged by its answer.
    pub(super) async fn post(&self, url: &str, to: &ParticipantCode, signed: Signed) -> Result<(), DeliveryFault> {
        let url = guard::parse(url, &self.policy).map_err(|fault| later(&fault.to_string()))?;
        let secrets = (self.secrets)(to.clone()).await;
        // Without our own store nothing can be signed: that is not the endpoint's fault.
        let secrets = secrets.map_err(|fault| DeliveryFault::ChannelDown { reason: fault.to_string() })?;
        if secrets.is_empty() {
            return Err(later("the participant has no webhook secret; create one"));
        }
        let Signed { id, content_type, content } = signed;
        let now = self.clock.now();
        let client = if url.scheme() == "https" { &self.secure } else { &self.plain };
        let request = client
            .post(url)
            .header(CONTENT_TYPE, content_type)
            .header("webhook-signature", sign(&secrets, &id, now.timestamp(), &content))
            .header("webhook-timestamp", now.timestamp())
            .header("webhook-id", id)
            .body(content);
        match request.send().await {
            Ok(answer) => judge(answer, now).await,
            Err(error) if error.is_timeout() => Err(later("no answer in time")),
            Err(error) => Err(later(&format!("not reached: {}", cause(&error.without_url())))),
        }
    }
}

#[async_trait]
impl Outlet for PushOutlet {
    async fn deliver(&self, letter: &Letter) -> Result<(), DeliveryFault> {
        let outcome = self.attempt(letter).await;
        let result = if outcome.is_ok() { "delivered" } else { "failed" };
        metrics::counter!("mezhved_push_attempts_total", "result" => result).increment(1);
        outcome
    }
}

fn client(config: &PushConfig, plain: bool) -> Result<Client, PushFault> {
    let pem = config.authorities_pem.as_deref().unwrap_or_default();
    let authorities = Certificate::from_pem_bundle(pem).map_err(PushFault::Authorities)?;
    Client::builder()
        .https_only(!plain)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .user_agent(concat!("mezhved/", env!("CARGO_PKG_VERSION")))
        .timeout(ATTEMPT_TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
        .dns_resolver(GuardedResolver { policy: config.policy.clone(), plain })
        .tls_certs_merge(authorities)
        .build()
        .map_err(PushFault::Client)
}

fn later(reason: &str) -> DeliveryFault {
    DeliveryFault::Later { reason: reason.to_owned(), retry_after: None }
}
