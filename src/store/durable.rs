//! The local disk as an object store that has written what it says it has written.
//!
//! `object_store` and delta-rs leave it to the operating system when bytes reach the disk, so that
//! a power cut may take back what was acknowledged or leave an empty log entry behind. Here a file
//! is written under another name, synced, put in its place in one step, and its folder synced,
//! commits of the Delta log included; only then is it acknowledged.

use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result, UploadPart,
};

use super::{FOLDER, disk};

/// A local folder as an object store whose writes are on disk when they return.
#[derive(Debug, Clone)]
pub struct Durable {
    inner: Arc<LocalFileSystem>,
    folder: PathBuf,
}

/// Tells apart the temporary names of one process.
static TEMPORARY: AtomicU64 = AtomicU64::new(0);

impl Durable {
    /// The store of what lies below `folder`, which exists.
    pub fn new(folder: &FilePath) -> Result<Self> {
        Ok(Durable {
            inner: Arc::new(LocalFileSystem::new_with_prefix(folder)?),
            folder: folder.to_owned(),
        })
    }

    fn file(&self, location: &Path) -> Result<PathBuf> {
        self.inner.path_to_filesystem(location)
    }

    fn put_now(&self, location: &Path, payload: &PutPayload, create: bool) -> Result<PutResult> {
        let target = self.file(location)?;
        place(&target, payload, create).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => Error::AlreadyExists {
                path: location.to_string(),
                source: Box::new(source),
            },
            _ => Error::Generic {
                store: "local disk",
                source: Box::new(source),
            },
        })?;
        Ok(PutResult {
            e_tag: None,
            version: None,
        })
    }
}

/// Writes a file whole or not at all, and returns when it is on disk.
fn place(target: &FilePath, payload: &PutPayload, create: bool) -> io::Result<()> {
    let folder = target.parent().unwrap_or(FilePath::new("."));
    make_folders(folder)?;
    let number = TEMPORARY.fetch_add(1, Ordering::Relaxed);
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.{}-{number}.tmp", std::process::id()));
    let parts = payload.iter().map(|part| part.as_ref());
    let written = disk::write(&temporary, parts).and_then(|()| {
        if create {
            // A link fails where the name is taken; a rename would replace it.
            disk::link(&temporary, target)
        } else {
            disk::rename(&temporary, target)
        }
    });
    if create || written.is_err() {
        // The link, if there is one, is what counts: a leftover name does no harm.
        let _ = disk::remove(&temporary);
    }
    written?;
    disk::sync_folder(folder)
}

/// Writes a small file that is there whole and durable, or not at all.
pub(super) fn write_file(path: &FilePath, bytes: &[u8]) -> io::Result<()> {
    place(path, &PutPayload::from(bytes.to_vec()), true)
}

/// The folders whose names this process has synced or found synced.
static SYNCED: LazyLock<Mutex<HashSet<PathBuf>>> = LazyLock::new(Mutex::default);

/// Makes missing folders and syncs each one's parent, so that a new folder outlives a power cut. A folder
/// of the store that is there already may be what a killed process made and did not sync, so that its
/// parent is synced too, once a process.
pub(super) fn make_folders(folder: &FilePath) -> io::Result<()> {
    let known = || SYNCED.lock().unwrap_or_else(PoisonError::into_inner);
    if known().contains(folder) {
        return Ok(());
    }
    let there = folder.is_dir();
    let of_store = folder.components().any(|c| c.as_os_str() == FOLDER);
    if there && !of_store {
        return Ok(());
    }
    let parent = folder.parent().filter(|p| !p.as_os_str().is_empty());
    if let Some(parent) = parent {
        make_folders(parent)?;
    }
    if !there {
        match disk::make_folder(folder) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
            _ => {}
        }
    }
    parent.map_or(Ok(()), disk::sync_folder)?;
    known().insert(folder.to_owned());
    Ok(())
}

/// A part of a file as the system holds it.
fn lent(file: &File, range: &Range<u64>) -> io::Result<Bytes> {
    if range.is_empty() {
        return Ok(Bytes::new());
    }
    // SAFETY: a file of the store is written under another name and never again once it is in its
    // place; where it is removed, what is mapped stays until it is let go. Only a program that is not
    // essor could cut one short meanwhile, which would end this process as any other that reads it so.
    let map = unsafe { memmap2::Mmap::map(file)? };
    let whole = Bytes::from_owner(map);
    match (usize::try_from(range.start), usize::try_from(range.end)) {
        (Ok(start), Ok(end)) if end <= whole.len() => Ok(whole.slice(start..end)),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

impl fmt::Display for Durable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Durable({})", self.folder.display())
    }
}

#[async_trait]
impl ObjectStore for Durable {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        let create = match opts.mode {
            PutMode::Create => true,
            PutMode::Overwrite => false,
            PutMode::Update(_) => {
                return Err(Error::NotImplemented {
                    operation: "`put_opts` with mode `PutMode::Update`".into(),
                    implementer: self.to_string(),
                });
            }
        };
        let (store, location) = (self.clone(), location.clone());
        tokio::task::spawn_blocking(move || store.put_now(&location, &payload, create))
            .await
            .map_err(|source| Error::JoinError { source })?
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(Gathered {
            store: self.clone(),
            location: location.clone(),
            parts: Vec::new(),
        }))
    }

    /// A part of a data file is lent from the system's own copy of it: bitmaps are most of a store, and to
    /// copy them into memory of our own costs more than to unite them.
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let part = options.range.is_some() && location.extension() == Some("parquet");
        let mut found = self.inner.get_opts(location, options).await?;
        if let (true, GetResultPayload::File(file, _)) = (part, &found.payload) {
            let lent = lent(file, &found.range).map_err(|source| Error::Generic {
                store: "local disk",
                source: Box::new(source),
            });
            let lent = futures::stream::once(std::future::ready(lent));
            found.payload = GetResultPayload::Stream(lent.boxed());
        }
        Ok(found)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    /// What comes after a name: without this each opening of a table would look at every commit there
    /// ever was.
    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await?;
        let folder = self
            .file(to)?
            .parent()
            .map(FilePath::to_owned)
            .unwrap_or_default();
        disk::sync_folder(&folder).map_err(|source| Error::Generic {
            store: "local disk",
            source: Box::new(source),
        })
    }
}

/// A multipart upload (of a checkpoint, say): gathered, then put in its place like any other file.
#[derive(Debug)]
struct Gathered {
    store: Durable,
    location: Path,
    parts: Vec<bytes::Bytes>,
}

#[async_trait]
impl MultipartUpload for Gathered {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.parts.extend(data);
        Box::pin(std::future::ready(Ok(())))
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let payload: PutPayload = std::mem::take(&mut self.parts).into_iter().collect();
        self.store
            .put_opts(&self.location, payload, PutOptions::default())
            .await
    }

    async fn abort(&mut self) -> Result<()> {
        self.parts.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_name_is_taken_once_and_no_temporary_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = Durable::new(folder.path()).unwrap();
        let at = Path::from("log/0.json");
        store.put_now(&at, &"first".into(), true).unwrap();
        let again = store.put_now(&at, &"second".into(), true);
        assert!(matches!(again, Err(Error::AlreadyExists { .. })));
        store.put_now(&at, &"third".into(), false).unwrap();
        let log = folder.path().join("log");
        assert_eq!(fs::read_to_string(log.join("0.json")).unwrap(), "third");
        assert_eq!(fs::read_dir(log).unwrap().count(), 1);
    }
}
