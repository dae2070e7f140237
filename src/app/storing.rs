//! The store that a configuration names, opened.
//!
//! Promises: one place knows which stores there are. Never: opens a second store beside the one that is named.

use crate::config::Config;
use crate::gateway::ports::Store;
use crate::store::postgres::{PostgresOptions, PostgresStore};
use crate::store::scans::FolderScans;
use crate::store::sqlite::SqliteStore;
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A command does one thing after the other.
const COMMAND_CONNECTIONS: u32 = 2;

/// For what a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To serve, or to decide as one who serves does: the only one on an embedded store.
    Serve,
    /// For a command, beside a gateway that may be serving.
    Command,
}

/// Opens the store: the database, if one is named, else the file.
pub(super) async fn open(config: &Config, purpose: Purpose) -> anyhow::Result<Arc<dyn Store>> {
    let url = &config.store.url;
    if !url.is_empty() {
        let connections_max = match purpose {
            Purpose::Serve => config.store.connections_max,
            Purpose::Command => COMMAND_CONNECTIONS,
        };
        let store = PostgresStore::open(url.expose(), PostgresOptions { connections_max }).await;
        return Ok(Arc::new(store.context("`store.url`")?));
    }
    let file = &config.store.path;
    make_folder(file)?;
    Ok(match purpose {
        Purpose::Serve => Arc::new(SqliteStore::open_exclusive(file)?),
        Purpose::Command => Arc::new(SqliteStore::open(file)?),
    })
}

/// What the log calls the store: never an address, which may hold a password.
pub fn name(config: &Config) -> String {
    match config.store.url.is_empty() {
        true => config.store.path.display().to_string(),
        false => "the PostgreSQL database of `store.url`".to_owned(),
    }
}

/// Where scans are kept: the stated folder, or one beside the store.
pub(super) fn scans_folder(config: &Config) -> PathBuf {
    let stated = &config.store.scans;
    if stated.as_os_str().is_empty() { FolderScans::beside(&config.store.path) } else { stated.clone() }
}

fn make_folder(file: &Path) -> anyhow::Result<()> {
    match file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => {
            std::fs::create_dir_all(folder).with_context(|| format!("the folder {} cannot be made", folder.display()))
        }
        None => Ok(()),
    }
}
