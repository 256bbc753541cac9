//! Every step by which the store changes the disk, in one place, so that each can be made to fail.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

#[cfg(debug_assertions)]
use super::fault;

/// A step, and what it is about.
#[cfg_attr(not(debug_assertions), allow(dead_code))]
#[derive(Debug)]
pub(super) enum Step<'a> {
    /// A new file is written.
    Write(&'a Path),
    /// A file's bytes are synced.
    Sync(&'a Path),
    /// A second name is given to a file.
    Link(&'a Path, &'a Path),
    /// A file gets a name, whoever had it before.
    Rename(&'a Path, &'a Path),
    /// A name is taken away.
    Remove,
    /// A folder is made.
    Folder(&'a Path),
    /// What a folder holds is synced.
    SyncFolder(&'a Path),
    /// The store's lock is opened.
    Lock,
}

/// Release builds know no faults.
#[cfg(not(debug_assertions))]
mod fault {
    pub(super) fn before(_: &super::Step<'_>) -> std::io::Result<bool> {
        Ok(true)
    }

    pub(super) fn after(_: &super::Step<'_>) {}

    pub(super) fn bug(_: &str) -> bool {
        false
    }
}

/// Whether a bug is planted for the harness of faults to find.
pub(super) fn bug(name: &str) -> bool {
    fault::bug(name)
}

fn run(step: &Step<'_>, act: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    if fault::before(step)? {
        act()?;
        fault::after(step);
    }
    Ok(())
}

/// Writes a file in parts and syncs it.
pub(super) fn write<'a>(path: &Path, parts: impl Iterator<Item = &'a [u8]>) -> io::Result<()> {
    run(&Step::Write(path), || {
        let mut file = File::create(path)?;
        for part in parts {
            file.write_all(part)?;
        }
        Ok(())
    })?;
    run(&Step::Sync(path), || {
        OpenOptions::new().write(true).open(path)?.sync_all()
    })
}

pub(super) fn link(from: &Path, to: &Path) -> io::Result<()> {
    run(&Step::Link(from, to), || fs::hard_link(from, to))
}

pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    run(&Step::Rename(from, to), || fs::rename(from, to))
}

pub(super) fn remove(path: &Path) -> io::Result<()> {
    run(&Step::Remove, || fs::remove_file(path))
}

pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    run(&Step::Folder(path), || fs::create_dir(path))
}

pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    run(&Step::SyncFolder(path), || File::open(path)?.sync_all())
}

/// Opens the file by which writers wait for one another.
pub(super) fn open_lock(path: &Path) -> io::Result<File> {
    fault::before(&Step::Lock)?;
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
}
