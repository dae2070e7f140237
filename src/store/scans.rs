//! Scans as files of a local folder, addressed by their digest: `ab/abcdef…`.
//!
//! Promises: a file is written beside its place, synced, put into its place, and the folders are synced before it is
//! said to be kept; what is read is checked against its digest. Never: overwrites a file that is not what its digest says
//! (it is set aside), or follows a name from outside.

use crate::failpoint;
use crate::gateway::content::sha256_hex;
use crate::gateway::ports::StoreError;
use crate::gateway::ports::scans::Scans;
use async_trait::async_trait;
use bytes::Bytes;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The folder of the scans.
pub struct FolderScans {
    folder: PathBuf,
}

impl FolderScans {
    /// The scans of that folder; it is made with the first of them.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where the scans of a store stand that names no other place: beside its file.
    #[must_use]
    pub fn beside(store: &Path) -> PathBuf {
        store.parent().unwrap_or(Path::new("")).join("scans")
    }

    /// Removes what a killed process left half written. Only for the one gateway that serves: another may be writing.
    ///
    /// # Errors
    /// What the folder's file system says.
    pub fn remove_leftovers(&self) -> io::Result<usize> {
        let mut removed = 0;
        for folder in entries(&self.folder)?.iter().filter(|one| one.is_dir()) {
            for file in entries(folder)?.iter().filter(|one| one.extension().is_some_and(|ending| ending == "part")) {
                fs::remove_file(file)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// The place of a digest; none for what is no digest.
    fn place(&self, sha256: &str) -> Option<PathBuf> {
        let is_digest = sha256.len() == 64 && sha256.bytes().all(|one| matches!(one, b'0'..=b'9' | b'a'..=b'f'));
        is_digest.then(|| self.folder.join(&sha256[..2]).join(sha256))
    }
}

#[async_trait]
impl Scans for FolderScans {
    async fn keep(&self, sha256: &str, content: Bytes) -> Result<(), StoreError> {
        let place = self.place(sha256).ok_or_else(|| unavailable(io::Error::other("not a digest")))?;
        let digest = sha256.to_owned();
        blocking(move || keep(&place, (&digest, &content))).await
    }

    async fn read(&self, sha256: &str) -> Result<Option<Bytes>, StoreError> {
        let Some(place) = self.place(sha256) else { return Ok(None) };
        let digest = sha256.to_owned();
        blocking(move || read(&place, &digest)).await
    }
}

/// What stands in a folder; nothing where there is none.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(found) => found.map(|one| one.map(|one| one.path())).collect(),
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(fault) => Err(fault),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|fault| StoreError::Unavailable(Box::new(fault)))?;
    done.map_err(unavailable)
}

fn unavailable(fault: io::Error) -> StoreError {
    StoreError::Unavailable(Box::new(fault))
}

fn keep(place: &Path, (digest, content): (&str, &[u8])) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let folder = place.parent().unwrap_or(Path::new(""));
    if read(place, digest)?.is_some() {
        // It may have been put there a moment ago by somebody who has not synced the folder yet.
        return sync_folders(folder);
    }
    fs::create_dir_all(folder)?;
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let beside = folder.join(format!("{digest}.{}-{number}.part", std::process::id()));
    let written = write(&beside, content).and_then(|()| {
        failpoint::reach("scan-beside-its-place");
        put(&beside, place, number)
    });
    if written.is_err() {
        // What is left of it bears no digest's name; nobody will take it for a scan.
        let _ = fs::remove_file(&beside);
    }
    written?;
    sync_folders(folder)
}

/// Into its place. What stands there is not what its digest says; the operator may want to know what it is.
fn put(beside: &Path, place: &Path, number: u64) -> io::Result<()> {
    if place.try_exists()? {
        fs::rename(place, place.with_extension(format!("{}-{number}.damaged", std::process::id())))?;
    }
    fs::rename(beside, place)
}

fn write(beside: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    // Personal data, and nothing to be run: nobody else reads it, nobody executes it.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(beside)?;
    file.write_all(content)?;
    file.sync_all()
}

/// The file's own folder, the folder of all scans, and the one in which that one stands.
fn sync_folders(folder: &Path) -> io::Result<()> {
    for folder in folder.ancestors().take(3) {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn read(place: &Path, digest: &str) -> io::Result<Option<Bytes>> {
    let content = match fs::read(place) {
        Ok(content) => content,
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(fault) => return Err(fault),
    };
    if sha256_hex(&content) == digest {
        return Ok(Some(Bytes::from(content)));
    }
    tracing::error!(digest, "alarm: a scan on disk is not what its digest says");
    Ok(None)
}
