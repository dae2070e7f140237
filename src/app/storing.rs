//! The store that a configuration names, opened.
//!
//! Promises: one place knows which stores there are. Never: opens a second store beside the one that is named.

use crate::config::Config;
use crate::gateway::ports::Store;
use crate::store::sqlite::SqliteStore;
use anyhow::Context as _;
use std::path::Path;
use std::sync::Arc;

/// For what a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To serve, or to decide as one who serves does: the only one on an embedded store.
    Serve,
    /// For a command, beside a gateway that may be serving.
    Command,
}

/// Opens the store.
pub(super) async fn open(config: &Config, purpose: Purpose) -> anyhow::Result<Arc<dyn Store>> {
    let file = &config.store.path;
    make_folder(file)?;
    Ok(match purpose {
        Purpose::Serve => Arc::new(SqliteStore::open_exclusive(file)?),
        Purpose::Command => Arc::new(SqliteStore::open(file)?),
    })
}

/// What the log calls the store: never an address with a password.
pub fn name(config: &Config) -> String {
    config.store.path.display().to_string()
}

fn make_folder(file: &Path) -> anyhow::Result<()> {
    match file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => {
            std::fs::create_dir_all(folder).with_context(|| format!("the folder {} cannot be made", folder.display()))
        }
        None => Ok(()),
    }
}
