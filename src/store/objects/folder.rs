//! Files of messages in a local folder: `ab/abcdef…`.
//!
//! Promises: a file is written beside its place, synced, put into its place, and the folders are synced before it is
//! said to be kept; nobody but the owner of the process reads the folder. Never: overwrites a file: one that is not what
//! its digest says is set aside, one that is stays.

use super::incoming::Parts;
use super::{place, read, remove, size, unavailable};
use crate::gateway::content::hex;
use crate::gateway::ports::StoreError;
use crate::gateway::ports::objects::{Incoming, ObjectName, Objects, Pieces};
use async_trait::async_trait;
use bytes::Bytes;
use object_store::local::LocalFileSystem;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Bytes that go to the disk at a time.
const PART_BYTES: usize = 512 * 1024;
/// Bytes of a file that are read at a time when it is compared with its digest.
const BUFFER_BYTES: usize = 256 * 1024;

/// Files in a folder; it is made with the first of them.
pub struct ObjectFolder {
    folder: PathBuf,
    /// Where earlier versions kept scans: read, never written.
    older: Option<PathBuf>,
}

impl ObjectFolder {
    /// The files of that folder.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, older: None }
    }

    /// With a second folder, in which files are looked for that are not in the first.
    #[must_use]
    pub fn or_in(self, older: PathBuf) -> Self {
        let older = Some(older).filter(|older| *older != self.folder);
        Self { older, ..self }
    }

    /// The folder that holds a file now, if one does.
    async fn holder(&self, name: &ObjectName) -> Result<Option<Arc<LocalFileSystem>>, StoreError> {
        let (folders, place) = ([Some(self.folder.clone()), self.older.clone()], name.place());
        let found = blocking(move || {
            let mut folders = folders.into_iter().flatten();
            folders.find(|one| one.join(&place).is_file()).map(|one| open(&one)).transpose()
        });
        Ok(found.await?.map(Arc::new))
    }
}

#[async_trait]
impl Objects for ObjectFolder {
    async fn begin(&self, name: &ObjectName) -> Result<Box<dyn Incoming>, StoreError> {
        let folder = self.folder.clone();
        let store = blocking(move || {
            make_private(&folder)?;
            open(&folder)
        });
        let parts = Parts::new(Arc::new(store.await?), place(name), PART_BYTES);
        Ok(Box::new(IncomingFile { parts, folder: self.folder.clone(), name: name.clone() }))
    }

    async fn size(&self, name: &ObjectName) -> Result<Option<u64>, StoreError> {
        match self.holder(name).await? {
            Some(store) => size(&*store, &place(name)).await,
            None => Ok(None),
        }
    }

    async fn read(&self, name: &ObjectName, part: Option<Range<u64>>) -> Result<Option<Pieces>, StoreError> {
        match self.holder(name).await? {
            Some(store) => read(&*store, &place(name), part).await,
            None => Ok(None),
        }
    }

    async fn remove(&self, name: &ObjectName) -> Result<(), StoreError> {
        let folder = self.folder.clone();
        match blocking(move || folder.is_dir().then(|| open(&folder)).transpose()).await? {
            Some(store) => remove(&store, &place(name)).await,
            None => Ok(()),
        }
    }

    async fn remove_unfinished(&self, older_than: Duration) -> Result<usize, StoreError> {
        let folder = self.folder.clone();
        blocking(move || remove_unfinished(&folder, older_than)).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        let folder = self.folder.clone();
        // A folder that no file has made yet can be made.
        blocking(move || match fs::metadata(&folder) {
            Ok(found) if found.is_dir() && !found.permissions().readonly() => Ok(()),
            Ok(_) => Err(io::Error::other("is no folder that can be written")),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(fault) => Err(fault),
        })
        .await
    }
}

struct IncomingFile {
    parts: Parts,
    folder: PathBuf,
    name: ObjectName,
}

#[async_trait]
impl Incoming for IncomingFile {
    async fn write(&mut self, piece: Bytes) -> Result<(), StoreError> {
        self.parts.write(piece).await
    }

    async fn keep(self: Box<Self>) -> Result<(), StoreError> {
        let Self { parts, folder, name } = *self;
        let (root, digest) = (folder.clone(), name.clone());
        if blocking(move || stands(&root, &digest)).await? {
            parts.discard().await;
        } else {
            parts.finish().await?;
        }
        // What stood there may have been put there a moment ago by somebody who has not synced the folders yet.
        blocking(move || sync_folders(&folder.join(name.place()))).await
    }

    async fn discard(self: Box<Self>) {
        self.parts.discard().await;
    }
}

/// The folder as a store that syncs what it writes.
fn open(folder: &Path) -> io::Result<LocalFileSystem> {
    LocalFileSystem::new_with_prefix(folder).map(|store| store.with_fsync(true)).map_err(io::Error::other)
}

/// Makes the folder where there is none. Personal data: nobody else reads it.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Whether the file is there and is what its digest says. One that is not is set aside: the operator may want to know
/// what it is.
fn stands(folder: &Path, name: &ObjectName) -> io::Result<bool> {
    let place = folder.join(name.place());
    let mut file = match File::open(&place) {
        Ok(file) => file,
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(fault) => return Err(fault),
    };
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0_u8; BUFFER_BYTES]);
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => break,
            bytes => hasher.update(&buffer[..bytes]),
        }
    }
    if hex(&hasher.finalize()) == name.as_str() {
        return Ok(true);
    }
    tracing::error!(digest = %name, "alarm: a file on disk is not what its digest says; it is set aside");
    fs::rename(&place, place.with_extension(format!("{}.damaged", uuid::Uuid::new_v4().simple())))?;
    Ok(false)
}

/// The file's own folder, the folder of all files, and the one in which that one stands.
fn sync_folders(place: &Path) -> io::Result<()> {
    for folder in place.ancestors().skip(1).take(3) {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Files that are still being written bear a number after their name: `abcdef…#1`. Earlier versions wrote `….part`.
fn remove_unfinished(folder: &Path, older_than: Duration) -> io::Result<usize> {
    let mut removed = 0;
    for inner in entries(folder)?.iter().filter(|one| one.is_dir()) {
        for file in entries(inner)?.iter().filter(|one| is_unfinished(one)) {
            let age = fs::metadata(file)?.modified()?.elapsed().unwrap_or_default();
            if age >= older_than {
                fs::remove_file(file)?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}

fn is_unfinished(file: &Path) -> bool {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let numbered =
        name.split_once('#').is_some_and(|(_, no)| !no.is_empty() && no.bytes().all(|one| one.is_ascii_digit()));
    numbered || name.ends_with(".part")
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
    tokio::task::spawn_blocking(work).await.map_err(unavailable)?.map_err(unavailable)
}
