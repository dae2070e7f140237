//! The place of the files of messages, by the configuration.
//!
//! Promises: scans of earlier versions are found where they were; what is wrong is said with its key. Never: asks a
//! bucket for anything (the janitor does).

use crate::config::Config;
use crate::gateway::Gateway;
use crate::gateway::attachments::AttachmentRules;
use crate::gateway::ports::Objects;
use crate::store::objects::{BucketSettings, ObjectBucket, ObjectFolder};
use crate::worker::janitor;
use anyhow::Context as _;
use chrono::TimeDelta;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Where files are kept.
///
/// # Errors
/// A bucket that is described wrongly, with the key.
pub(super) fn objects(config: &Config) -> anyhow::Result<Arc<dyn Objects>> {
    let (attachments, scans) = (&config.attachments, scans_folder(config));
    if !attachments.url.contains("://") {
        return Ok(Arc::new(ObjectFolder::new(folder(config)).or_in(scans)));
    }
    let settings = BucketSettings {
        url: attachments.url.clone(),
        endpoint: attachments.endpoint.clone(),
        region: attachments.region.clone(),
        access_key: attachments.access_key.clone(),
        secret_key: attachments.secret_key.expose().to_owned(),
    };
    let bucket = ObjectBucket::new(&settings).context("`attachments.url`")?;
    Ok(Arc::new(bucket.or_in(Arc::new(ObjectFolder::new(scans)))))
}

/// What may be attached.
///
/// # Errors
/// A limit that is none, with the key.
pub(super) fn rules(config: &Config) -> anyhow::Result<AttachmentRules> {
    let attachments = &config.attachments;
    anyhow::ensure!(
        attachments.leftover_days >= 1,
        "`attachments.leftover_days`: at least 1, or uploads would be lost"
    );
    Ok(AttachmentRules {
        bytes_max: attachments.bytes_max,
        media_types: attachments.media_types.iter().map(|one| one.to_ascii_lowercase()).collect(),
    })
}

/// Starts the janitor.
pub(super) fn spawn(
    config: &Config,
    gateway: &Gateway,
    (stop, tasks): (&CancellationToken, &mut JoinSet<&'static str>),
) {
    let older_than = TimeDelta::days(i64::from(config.attachments.leftover_days));
    let (gateway, cancel) = (gateway.clone(), stop.child_token());
    tasks.spawn(async move {
        janitor::run(gateway, older_than, cancel).await;
        "janitor"
    });
}

fn folder(config: &Config) -> PathBuf {
    let stated = &config.attachments.url;
    if stated.is_empty() { beside(&config.store.path, "attachments") } else { PathBuf::from(stated) }
}

fn scans_folder(config: &Config) -> PathBuf {
    let stated = &config.store.scans;
    if stated.as_os_str().is_empty() { beside(&config.store.path, "scans") } else { stated.clone() }
}

fn beside(store: &Path, name: &str) -> PathBuf {
    store.parent().unwrap_or(Path::new("")).join(name)
}
