//! Scans: what a file is by its content, its digest, its place among the annexes, and reading it back.
//!
//! Promises: PDF, JPEG and PNG only, recognised by their first bytes, within the limits; on disk before the message is
//! decided; given to the parties of its message only. Never: opens, converts or runs one.

use crate::domain::message::Envelope;
use crate::failpoint;
use crate::gateway::Gateway;
use crate::gateway::act::Actor;
use crate::gateway::arrival::stopping;
use crate::gateway::content::sha256_hex;
use crate::gateway::desk::checks::fault;
use crate::gateway::ports::scans::ScanRow;
use crate::gateway::rejection::{FaultView, Rejection, RejectionKind};
use crate::limits::{SCAN_BYTES_MAX, SCANS_MAX};
use bytes::Bytes;
use serde_json::{Value, json};

/// A file as it was handed in; its name is the clerk's word, what it is is not.
#[derive(Debug, Clone)]
pub struct NewScan {
    pub name: String,
    pub content: Bytes,
}

/// A scan as it is given out.
#[derive(Debug, Clone)]
pub struct Scan {
    pub media_type: String,
    pub content: Bytes,
}

/// A file that may be kept.
pub(super) struct Accepted {
    name: String,
    content: Bytes,
    sha256: String,
    media_type: &'static str,
}

/// The kinds of files that are taken: the first bytes, the media type, the ending.
const KINDS: [(&[u8], &str, &str); 3] = [
    (b"%PDF-", "application/pdf", "pdf"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
];

/// What it is by its first bytes.
fn media_type_of(content: &[u8]) -> Option<&'static str> {
    KINDS.iter().find(|(first, ..)| content.starts_with(first)).map(|(_, media_type, _)| *media_type)
}

/// The ending of a file of that type, for whoever saves it.
fn ending(media_type: &str) -> &'static str {
    KINDS.iter().find(|(_, known, _)| *known == media_type).map_or("bin", |(.., ending)| ending)
}

/// Recognises the files, on a thread that answers nobody else meanwhile: to hash large files takes long.
pub(super) async fn accept(scans: Vec<NewScan>) -> Result<Vec<Accepted>, Rejection> {
    tokio::task::spawn_blocking(move || recognised(scans)).await.map_err(|_| stopping())?
}

/// The same file twice is one.
fn recognised(scans: Vec<NewScan>) -> Result<Vec<Accepted>, Rejection> {
    if scans.len() > SCANS_MAX {
        return Err(too_much(&format!("a message has at most {SCANS_MAX} scans; join pages into one PDF")));
    }
    let mut accepted: Vec<Accepted> = Vec::new();
    for NewScan { name, content } in scans {
        if content.len() > SCAN_BYTES_MAX {
            return Err(too_much(&format!("a scan has at most {SCAN_BYTES_MAX} bytes; scan it coarser or in parts")));
        }
        let Some(media_type) = media_type_of(&content) else {
            return Err(fault("/scan", "scan_format", "a scan is a PDF, a JPEG or a PNG by its content; this is none"));
        };
        let sha256 = sha256_hex(&content);
        if accepted.iter().all(|one| one.sha256 != sha256) {
            accepted.push(Accepted { name: plain(&name, media_type), content, sha256, media_type });
        }
    }
    Ok(accepted)
}

fn too_much(message: &str) -> Rejection {
    let faults = vec![FaultView { path: "/scan".into(), code: "limit_scans", message: message.to_owned() }];
    Rejection { faults, ..Rejection::new(RejectionKind::TooLarge, "limit_scans", message) }
}

/// The last part of a name, in characters that every system may keep; a file without a name gets one.
fn plain(name: &str, media_type: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last.chars().filter(|one| !one.is_control()).take(200).collect();
    let kept = kept.trim().trim_matches('.').trim();
    if kept.is_empty() { format!("скан.{}", ending(media_type)) } else { kept.to_owned() }
}

/// Adds the files to the annexes of the message, unless it names them itself.
pub(super) fn annex(message: &mut Value, files: &[Accepted]) {
    let Some(message) = message.as_object_mut().filter(|_| !files.is_empty()) else { return };
    // Anything but a list is said to be wrong by the schema.
    let Some(annexes) = message.entry("attachments").or_insert_with(|| json!([])).as_array_mut() else { return };
    let numbers = annexes.iter().filter_map(|one| one.get("annex").and_then(Value::as_u64));
    let mut last = numbers.max().unwrap_or(0);
    for file in files {
        if annexes.iter().any(|one| one.get("sha256").and_then(Value::as_str) == Some(&file.sha256)) {
            continue;
        }
        last += 1;
        annexes.push(json!({
            "annex": last, "name": file.name, "media_type": file.media_type, "size": file.content.len(),
            "sha256": file.sha256,
        }));
    }
}

impl Gateway {
    /// Puts the files on disk, and makes sure that every annex of the message is there: one that was handed in now, or
    /// one that is kept already.
    pub(super) async fn stored(&self, (files, envelope): (&[Accepted], &Envelope)) -> Result<Vec<ScanRow>, Rejection> {
        for file in files {
            self.0.scans.keep(&file.sha256, file.content.clone()).await?;
            failpoint::reach("after-scan");
        }
        let mut scans = Vec::new();
        for (place, one) in envelope.attachments.iter().enumerate() {
            let Some(content) = self.0.scans.read(&one.sha256).await? else {
                let message = "there is no file of this digest: hand it in with the registration";
                return Err(fault(&format!("/attachments/{place}/sha256"), "scan_missing", message));
            };
            let Some(media_type) = media_type_of(&content) else { continue };
            if one.size_bytes != content.len() as u64 || one.media_type != media_type {
                let message = "`size` and `media_type` must be those of the file";
                return Err(fault(&format!("/attachments/{place}"), "scan_missing", message));
            }
            let (sha256, media_type) = (one.sha256.clone(), media_type.to_owned());
            scans.push(ScanRow { annex: one.annex, sha256, media_type, bytes: one.size_bytes });
        }
        Ok(scans)
    }

    /// A scan, for the parties of a message that it belongs to; for people of the centre where the centre is one. That it
    /// was read is written down for each of these messages first.
    ///
    /// # Errors
    /// `not_found`, also for what the actor may not see; `scan_lost` when its file is gone or is another.
    pub async fn scan(&self, sha256: &str, by: &Actor) -> Result<Scan, Rejection> {
        let missing = || Rejection::not_found("scan");
        let found = self.0.store.scan(sha256).await?.ok_or_else(missing)?;
        let messages = found.messages_of(&self.whose(by));
        if messages.is_empty() {
            return Err(missing());
        }
        let content = self.0.scans.read(sha256).await?.ok_or_else(|| {
            tracing::error!(sha256, "alarm: a scan that a message names is not on disk");
            let message = "the file of this scan is gone or was changed; the operator is told, and restores it";
            Rejection::new(RejectionKind::Unavailable, "scan_lost", message)
        })?;
        for message in messages {
            let stored = self.0.store.message(message).await?.ok_or_else(missing)?;
            self.disclose_message(&stored, by).await?;
        }
        Ok(Scan { media_type: found.media_type, content })
    }
}

impl Scan {
    /// A name to save it under, that says nothing of the child.
    #[must_use]
    pub fn file_name(&self, sha256: &str) -> String {
        format!("scan-{}.{}", sha256.get(..12).unwrap_or_default(), ending(&self.media_type))
    }
}
