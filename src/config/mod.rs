//! Configuration: a document that happens to be read by a program.
//!
//! Promises: every key has a default with prose above it in `config/mezhved.toml`; all faults are reported at once,
//! each with its key, its line and a hint. Never: prints a secret.

pub mod participants;
mod read;

pub use read::{ConfigFault, ConfigFaults};

use serde::Deserialize;
use std::fmt;
use std::path::{Path, PathBuf};

/// The defaults, as compiled in.
pub const DEFAULTS: &str = include_str!("../../config/mezhved.toml");

/// The whole configuration, checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub http: Http,
    pub store: StoreSection,
    pub amqp: Amqp,
    pub push: Push,
    pub mail: Mail,
    pub catalogue: CatalogueSection,
    pub escalation: Escalation,
    pub log: Log,
}

/// The HTTP door.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    pub listen: std::net::SocketAddr,
    pub connections_max: usize,
}

/// The store.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreSection {
    pub path: PathBuf,
    /// Empty: the file. Else a PostgreSQL database.
    pub url: Secret,
    pub connections_max: u32,
    /// Empty: `scans` beside the file.
    pub scans: PathBuf,
}

/// The broker.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amqp {
    pub url: Secret,
    pub prefetch: u16,
    pub heartbeat_s: u16,
}

/// The way out over HTTPS.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Push {
    pub allow_networks: Vec<String>,
}

/// Mail to people.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    pub host: String,
    pub port: u16,
    pub tls: MailTls,
    pub user: String,
    pub password: Secret,
    pub from: String,
    pub authorities: PathBuf,
    pub board_url: String,
}

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    None,
    StartTls,
    Tls,
}

/// Further message types.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueSection {
    pub folder: PathBuf,
}

/// The ladder and its sweeper.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    pub ladders: PathBuf,
    pub sweep_every_s: u64,
    pub sweep_age_max_s: u64,
}

/// The log.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub level: String,
    pub format: LogFormat,
}

/// For whom the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Json,
    Text,
}

/// A value that is never printed.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The value, for the one who uses it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether nothing was set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.is_empty() { "(none)" } else { "(secret)" })
    }
}

impl Config {
    /// The configuration of a file (if there is one) and the environment, over the defaults.
    ///
    /// # Errors
    /// [`ConfigFaults`]: all of them.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigFaults> {
        let environment = std::env::vars().filter(|(name, _)| name.starts_with("MEZHVED__"));
        read::read(file, environment)
    }
}
