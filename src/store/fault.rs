//! Faults on purpose, so that tests can show what the store does when they happen.
//!
//! Only builds with debug assertions know this: `ESSOR_FAULT` names what is to go wrong, as words
//! between commas. `kill:N` kills the process at its Nth step on disk, `powerloss:N` takes back
//! what was not synced and kills it then, `nospace:N` gives no room from the Nth step on and
//! `readonly` none at all. The other words plant a bug for the harness to find.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use super::disk::Step;

/// What `ESSOR_FAULT` asks for.
#[derive(Debug, Default)]
struct Asked {
    kill: Option<u64>,
    power_loss: Option<u64>,
    no_space: Option<u64>,
    read_only: bool,
    bugs: BTreeSet<String>,
}

/// What a folder holds that it would not hold after a power cut.
#[derive(Debug)]
enum Entry {
    Added(PathBuf),
    Replaced {
        to: PathBuf,
        before: Option<Vec<u8>>,
    },
}

/// The steps so far, and what of them is not synced.
#[derive(Debug, Default)]
struct Seen {
    steps: u64,
    files: BTreeSet<PathBuf>,
    entries: Vec<Entry>,
}

static ASKED: LazyLock<Asked> =
    LazyLock::new(|| asked(&std::env::var("ESSOR_FAULT").unwrap_or_default()));
static SEEN: LazyLock<Mutex<Seen>> = LazyLock::new(Mutex::default);

fn asked(words: &str) -> Asked {
    let mut asked = Asked::default();
    for word in words.split(',').map(str::trim).filter(|w| !w.is_empty()) {
        let (name, number) = word.split_once(':').unwrap_or((word, ""));
        let number = number.parse().ok();
        match name {
            "kill" => asked.kill = number,
            "powerloss" => asked.power_loss = number,
            "nospace" => asked.no_space = number,
            "readonly" => asked.read_only = true,
            bug => _ = asked.bugs.insert(bug.to_owned()),
        }
    }
    asked
}

fn seen() -> MutexGuard<'static, Seen> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a bug is planted.
pub(super) fn bug(name: &str) -> bool {
    ASKED.bugs.contains(name)
}

/// Comes before a step: dies, refuses it, or says whether it is to be done.
pub(super) fn before(step: &Step<'_>) -> io::Result<bool> {
    if ASKED.read_only {
        return Err(io::Error::from_raw_os_error(30));
    }
    let mut seen = seen();
    seen.steps += 1;
    if ASKED.kill == Some(seen.steps) {
        die();
    }
    if let Some(at) = ASKED.power_loss.filter(|at| *at == seen.steps) {
        seen.lose_power(at);
        die();
    }
    let takes_room = !matches!(step, Step::Sync(_) | Step::SyncFolder(_) | Step::Remove);
    if takes_room && ASKED.no_space.is_some_and(|from| seen.steps >= from) {
        return Err(io::Error::from_raw_os_error(28));
    }
    if let (Step::Rename(_, to), true) = (step, ASKED.power_loss.is_some()) {
        let (to, before) = (to.to_path_buf(), fs::read(to).ok());
        seen.entries.push(Entry::Replaced { to, before });
    }
    Ok(match step {
        Step::Sync(_) => !bug("skip-fsync"),
        Step::SyncFolder(_) => !bug("skip-folder-sync"),
        _ => true,
    })
}

/// Comes after a step that was done.
pub(super) fn after(step: &Step<'_>) {
    if ASKED.power_loss.is_none() {
        return;
    }
    let mut seen = seen();
    match step {
        Step::Write(path) => {
            seen.files.insert(path.to_path_buf());
            seen.entries.push(Entry::Added(path.to_path_buf()));
        }
        Step::Sync(path) => _ = seen.files.remove(*path),
        Step::Link(from, to) => {
            if seen.files.contains(*from) {
                seen.files.insert(to.to_path_buf());
            }
            seen.entries.push(Entry::Added(to.to_path_buf()));
        }
        Step::Rename(from, to) => {
            if seen.files.remove(*from) {
                seen.files.insert(to.to_path_buf());
            }
        }
        Step::Folder(path) => seen.entries.push(Entry::Added(path.to_path_buf())),
        Step::SyncFolder(folder) => seen.entries.retain(|e| e.path().parent() != Some(folder)),
        Step::Remove | Step::Lock => {}
    }
}

impl Entry {
    fn path(&self) -> &Path {
        match self {
            Entry::Added(path) | Entry::Replaced { to: path, .. } => path,
        }
    }
}

impl Seen {
    /// Takes back what was not synced. A disk may have kept any part of it: every third time the names
    /// stay though the bytes do not, and every other third half of the bytes do.
    fn lose_power(&mut self, variant: u64) {
        if variant % 3 != 1 {
            for entry in self.entries.drain(..).rev() {
                _ = match entry {
                    Entry::Added(path) if path.is_dir() => fs::remove_dir_all(path),
                    Entry::Added(path) => fs::remove_file(path),
                    Entry::Replaced { to, before: None } => fs::remove_file(to),
                    Entry::Replaced {
                        to,
                        before: Some(bytes),
                    } => fs::remove_file(&to).and_then(|()| fs::write(&to, bytes)),
                };
            }
        }
        for path in &self.files {
            let Ok(file) = OpenOptions::new().write(true).open(path) else {
                continue;
            };
            let whole = file.metadata().map_or(0, |m| m.len());
            _ = file.set_len(if variant % 3 == 2 { whole / 2 } else { 0 });
        }
    }
}

/// Ends the process as a power cut or an operator would. No step is done meanwhile: whoever calls
/// this holds the count of steps.
fn die() -> ! {
    let id = std::process::id().to_string();
    loop {
        _ = std::process::Command::new("kill")
            .args(["-KILL", &id])
            .status();
    }
}
