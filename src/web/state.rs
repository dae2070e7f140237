//! What every handler may reach, and how the door is set.
//!
//! Promises: cheap to clone; all waiting lines are bounded. Never: holds anything of a single request.

use crate::clock::Clock;
use crate::domain::ids::ParticipantCode;
use crate::gateway::Gateway;
use crate::gateway::ports::Accounts;
use crate::web::board::Gathered;
use crate::web::documents::Documents;
use crate::web::figures::Snapshot;
use crate::web::limits;
use crate::web::login::Passwords;
use crate::web::problem::Problem;
use crate::web::server::Patience;
use crate::web::throttle::Throttle;
use crate::web::transfers::{Transfers, UploadTurn};
use metrics_exporter_prometheus::PrometheusHandle;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

/// What the composition root hands in.
pub struct WebParts {
    pub gateway: Gateway,
    /// Keys, people and sessions.
    pub store: Arc<dyn Accounts>,
    /// The clock by which keys and sessions end: the machine's, also in a demonstration whose own clock runs fast.
    pub clock: Clock,
    pub metrics: PrometheusHandle,
    pub config: WebConfig,
}

/// How the door is set.
#[derive(Debug, Clone)]
pub struct WebConfig {
    /// Connections that are open at the same time.
    pub connections_max: usize,
    /// Proxies whose `X-Forwarded-For` is believed, for the counting of failed logins only.
    pub trusted_proxies: Vec<IpAddr>,
    pub patience: Patience,
}

impl Default for WebConfig {
    fn default() -> Self {
        Self { connections_max: 1024, trusted_proxies: Vec::new(), patience: Patience::default() }
    }
}

/// The door's state: cheap to clone.
#[derive(Clone)]
pub struct WebState(Arc<Inner>);

struct Inner {
    parts: WebParts,
    closing: CancellationToken,
    large_documents: Semaphore,
    uploads: Semaphore,
    documents: Documents,
    transfers: Transfers,
    streams: Arc<Semaphore>,
    throttle: Throttle,
    passwords: Passwords,
    snapshot: Mutex<Option<Snapshot>>,
    board: Mutex<Option<Gathered>>,
}

impl WebState {
    /// The state of one door.
    #[must_use]
    pub fn new(parts: WebParts) -> Self {
        Self(Arc::new(Inner {
            parts,
            closing: CancellationToken::new(),
            large_documents: Semaphore::new(limits::LARGE_DOCUMENTS_MAX),
            uploads: Semaphore::new(limits::UPLOADS_MAX),
            documents: Documents::default(),
            transfers: Transfers::default(),
            streams: Arc::new(Semaphore::new(limits::STREAMS_MAX)),
            throttle: Throttle::default(),
            passwords: Passwords::default(),
            snapshot: Mutex::new(None),
            board: Mutex::new(None),
        }))
    }

    pub(super) fn gateway(&self) -> &Gateway {
        &self.0.parts.gateway
    }

    pub(super) fn accounts(&self) -> &dyn Accounts {
        &*self.0.parts.store
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.0.parts.clock
    }

    pub(super) fn metrics(&self) -> &PrometheusHandle {
        &self.0.parts.metrics
    }

    pub(super) fn config(&self) -> &WebConfig {
        &self.0.parts.config
    }

    /// What the board showed last.
    pub(super) fn board(&self) -> &Mutex<Option<Gathered>> {
        &self.0.board
    }

    pub(super) fn large_documents(&self) -> &Semaphore {
        &self.0.large_documents
    }

    pub(super) fn uploads(&self) -> &Semaphore {
        &self.0.uploads
    }

    /// A turn to read a scan or to make a document.
    pub(super) async fn document(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.0.documents.turn(limits::DOCUMENT_WAIT).await
    }

    /// A turn to send an attachment.
    pub(super) async fn upload(&self, who: &ParticipantCode) -> Result<UploadTurn, Problem> {
        self.0.transfers.upload(who).await
    }

    /// A turn to fetch an attachment.
    pub(super) async fn download(&self) -> Result<OwnedSemaphorePermit, Problem> {
        self.0.transfers.download().await
    }

    pub(super) fn streams(&self) -> &Arc<Semaphore> {
        &self.0.streams
    }

    pub(super) fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    pub(super) fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    pub(super) fn snapshot(&self) -> &Mutex<Option<Snapshot>> {
        &self.0.snapshot
    }

    /// Rises when the process stops: live streams end, connections finish what they have in hand.
    pub(super) fn closing(&self) -> &CancellationToken {
        &self.0.closing
    }

    pub(super) fn close(&self) {
        self.0.closing.cancel();
    }
}
