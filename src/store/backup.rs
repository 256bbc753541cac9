//! Copies one version of a store, while others may be writing to it.
//!
//! Every table is copied at the version at which it was opened: the log up to there and the files that it names.
//! Files are written once and never changed, so that what is written meanwhile does not touch them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{FOLDER, Store, StoreError, TABLES, delta, durable, refused};

/// What was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copied {
    /// Files.
    pub files: usize,
    /// Bytes.
    pub bytes: u64,
}

/// Why a store is not copied.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is something at the place where the copy is to be.
    #[error("`{}` is there already; name a folder that is not, or an empty one", .0.display())]
    Taken(PathBuf),
    /// There is no store to copy back.
    #[error("`{}` holds no store; name the folder that `essor backup` wrote", .0.display())]
    Nothing(PathBuf),
    /// A store stands where another is to be put.
    #[error("`{}` is there already; move it away first, so that nothing is lost", .0.display())]
    Stands(PathBuf),
}

impl Store {
    /// Copies a store that was opened whole into `to/.essor`, which comes to be there at once when all is on disk.
    ///
    /// # Errors
    ///
    /// Where there is something at `to`, or a file can't be read or written; then nothing is there.
    pub fn back_up(&self, to: &Path) -> Result<Copied, BackupError> {
        let occupied = fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some());
        if occupied || to.is_file() {
            return Err(BackupError::Taken(to.to_owned()));
        }
        let partial = to.join(format!("{FOLDER}.partial"));
        make(&partial)?;
        let mut copied = Copied::default();
        for table in TABLES {
            for name in self.files_of(table)? {
                let from = self.folder().join(table).join(&name);
                copied.add(&from, &partial.join(table).join(&name))?;
            }
        }
        let mark = self.folder().join("key-mark");
        if mark.exists() {
            copied.add(&mark, &partial.join("key-mark"))?;
        }
        place(&partial, &to.join(FOLDER))?;
        Ok(copied)
    }

    /// The files of a table at its version: the log up to there, and what it names.
    fn files_of(&self, table: &'static str) -> Result<Vec<String>, StoreError> {
        let of = self.table(table)?;
        let last = of.version().unwrap_or_default();
        let log = self.folder().join(table).join("_delta_log");
        let mut names: Vec<String> = Vec::new();
        for entry in fs::read_dir(&log).map_err(|e| refused(&log, e))? {
            let name = entry.map_err(|e| refused(&log, e))?.file_name();
            let name = name.to_string_lossy().into_owned();
            // `_last_checkpoint` may be of a later version; without it the log is listed.
            let version = name
                .split('.')
                .next()
                .and_then(|number| number.parse().ok());
            if version.is_some_and(|version: u64| i128::from(version) <= i128::from(last)) {
                names.push(format!("_delta_log/{name}"));
            }
        }
        let snapshot = of.snapshot().map_err(|e| delta(table, e))?;
        names.extend(
            snapshot
                .log_data()
                .iter()
                .map(|file| file.path().to_string()),
        );
        Ok(names)
    }
}

impl Copied {
    fn add(&mut self, from: &Path, to: &Path) -> Result<(), StoreError> {
        if let Some(folder) = to.parent() {
            make(folder)?;
        }
        self.bytes += fs::copy(from, to).map_err(|e| refused(from, e))?;
        self.files += 1;
        synced(to)
    }

    /// Copies all that lies below a folder.
    fn add_all(&mut self, from: &Path, to: &Path) -> Result<(), StoreError> {
        for entry in fs::read_dir(from).map_err(|e| refused(from, e))? {
            let entry = entry.map_err(|e| refused(from, e))?;
            let (from, to) = (entry.path(), to.join(entry.file_name()));
            match entry.file_type().map_err(|e| refused(&from, e))? {
                kind if kind.is_dir() => self.add_all(&from, &to)?,
                kind if kind.is_file() => self.add(&from, &to)?,
                // A copy has none; what stands behind a link is not of the store.
                _ => {}
            }
        }
        Ok(())
    }
}

/// Copies the store that [`Store::back_up`] wrote to `from` into a project that has none.
///
/// # Errors
///
/// Where `from` holds no store, the project has one, or a file can't be read or written.
pub fn restore(from: &Path, root: &Path) -> Result<Copied, BackupError> {
    let (from, to) = (from.join(FOLDER), root.join(FOLDER));
    if !from.join("loads/_delta_log").is_dir() {
        return Err(BackupError::Nothing(from));
    }
    if to.exists() {
        return Err(BackupError::Stands(to));
    }
    let partial = root.join(format!("{FOLDER}.partial"));
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(|e| refused(&partial, e))?;
    }
    make(&partial)?;
    let mut copied = Copied::default();
    copied.add_all(&from, &partial)?;
    place(&partial, &to)?;
    Ok(copied)
}

fn make(folder: &Path) -> Result<(), StoreError> {
    durable::make_folders(folder).map_err(|e| refused(folder, e))
}

fn synced(path: &Path) -> Result<(), StoreError> {
    let sync = || -> io::Result<()> {
        File::open(path)?.sync_all()?;
        // The name is on disk when its folder is.
        path.parent()
            .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    sync().map_err(|e| refused(path, e))
}

/// Puts a whole copy in its place in one step.
fn place(partial: &Path, to: &Path) -> Result<(), StoreError> {
    fs::rename(partial, to).map_err(|e| refused(to, e))?;
    synced(to)
}
