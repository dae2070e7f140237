//! The key file of a load test: who takes part, with the key and the broker's address of each.
//!
//! Promises: a new file is for its owner only (0600). Never: overwrites a file; prints what it holds.

use super::bodies;
use crate::app;
use crate::domain::participant::Participant;
use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

const HEAD: &str = "# Участники нагрузочного испытания и их ключи: записано командой mezhved load prepare.\n\
    # amqp — адрес брокера с именем и паролем этого участника; без него он работает только по HTTP.\n\n";

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyFile {
    pub peers: Vec<PeerKey>,
}

/// One participant's.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PeerKey {
    pub key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amqp: Option<String>,
    pub body: Participant,
}

/// Reads a key file.
///
/// # Errors
/// What is wrong with it; never what stands in it.
pub(super) fn read(file: &Path) -> anyhow::Result<KeyFile> {
    let text = app::read_text(file).context("`mezhved load prepare` writes the key file")?;
    let keys: KeyFile = toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        anyhow::anyhow!("{}: line {line}: {}", file.display(), error.message())
    })?;
    ensure!(!keys.peers.is_empty(), "{}: nobody stands in it", file.display());
    for peer in &keys.peers {
        let code = &peer.body.code;
        ensure!(bodies::is_of_load(code), "{}: `{code}` is no body of a load test", file.display());
    }
    Ok(keys)
}

/// Writes a new key file.
///
/// # Errors
/// When it is there already, or cannot be written.
pub(super) fn write(file: &Path, keys: &KeyFile) -> anyhow::Result<()> {
    let mut created = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .with_context(|| format!("{} cannot be made; name a file that is not there yet", file.display()))?;
    created.write_all(HEAD.as_bytes())?;
    created.write_all(toml::to_string(keys)?.as_bytes())?;
    Ok(created.sync_all()?)
}
