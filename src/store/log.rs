//! Whether the log of a table is whole, which is asked before Delta reads it.
//!
//! Delta takes an empty entry for a commit of nothing, and of a garbled one it panics. So every entry
//! from the first to the last must be there, and what Delta is going to read must be JSON to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{StoreError, refused};

/// What an entry says of itself: how many lines it has.
pub(super) const LINES: &str = "essorLines";

/// What is wrong with an entry of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It has no bytes.
    Empty,
    /// It is cut short or garbled.
    Torn,
    /// It is not there though later ones are.
    Missing,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Empty => "is empty",
            Fault::Torn => "is cut short or garbled",
            Fault::Missing => "is missing",
        })
    }
}

/// How much of a log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// What Delta reads, whole; of entries that a checkpoint stands for, that they have bytes.
    Read,
    /// Beside it the last byte of those that a checkpoint stands for.
    Whole,
    /// Every entry whole.
    Every,
}

/// An entry that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The table.
    pub table: String,
    /// The version that the entry made.
    pub version: u64,
    /// The file of the entry.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: Fault,
    /// Whether it is the last one of its log, and no checkpoint stands for it.
    pub last: bool,
}

impl Broken {
    /// The name of the entry's file.
    pub fn entry(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

/// A line of an entry, as much as is asked of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    commit_info: Option<Info>,
    add: Option<Named>,
    remove: Option<Named>,
    txn: Option<Once>,
    protocol: Option<IgnoredAny>,
    meta_data: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Info {
    #[serde(rename = "essorLines")]
    lines: Option<usize>,
}

#[derive(Debug, Deserialize)]
struct Named {
    path: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Once {
    app_id: String,
    version: i64,
}

/// What the entries of a log name.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// The files that were ever added or removed.
    pub files: BTreeSet<String>,
    /// The transactions and their versions.
    pub once: BTreeSet<(String, i64)>,
}

/// The entries and the last checkpoint of a log.
struct Found {
    entries: BTreeMap<u64, PathBuf>,
    checkpoint: Option<u64>,
}

fn found(log: &Path) -> io::Result<Found> {
    let mut found = Found {
        entries: BTreeMap::new(),
        checkpoint: None,
    };
    let listed = match fs::read_dir(log) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(found),
        listed => listed?,
    };
    for file in listed {
        let file = file?;
        let name = file.file_name();
        let Some((version, ending)) = name.to_str().and_then(|n| n.split_once('.')) else {
            continue;
        };
        let version = match version.parse::<u64>() {
            Ok(number) if version.len() == 20 => number,
            _ => continue,
        };
        if ending == "json" {
            found.entries.insert(version, file.path());
        } else if ending.starts_with("checkpoint") && ending.ends_with("parquet") {
            found.checkpoint = found.checkpoint.max(Some(version));
        }
    }
    Ok(found)
}

/// The entries of a table's log that are not whole. A log of which there is nothing has none.
pub(super) fn broken(folder: &Path, table: &str, depth: Depth) -> Result<Vec<Broken>, StoreError> {
    let log = folder.join(table).join("_delta_log");
    let found = found(&log).map_err(|e| refused(&log, e))?;
    let last = found.entries.keys().next_back().copied();
    let Some(end) = last.max(found.checkpoint) else {
        return Ok(Vec::new());
    };
    let mut broken = Vec::new();
    for version in 0..=end {
        let path = log.join(format!("{version:020}.json"));
        let stands = found
            .checkpoint
            .is_some_and(|checkpoint| version <= checkpoint);
        let depth = if stands { depth } else { Depth::Every };
        let fault = fault(&path, depth, version == 0).map_err(|e| refused(&path, e))?;
        broken.extend(fault.map(|fault| Broken {
            table: table.to_owned(),
            version,
            path,
            fault,
            last: version == end && !stands,
        }));
    }
    Ok(broken)
}

/// The first broken entry of some tables is an error. `loads` is made last: once it is there, all are.
pub(super) fn refuse_broken(
    folder: &Path,
    tables: &[&str],
    depth: Depth,
) -> Result<(), StoreError> {
    for table in tables {
        if let Some(first) = broken(folder, table, depth)?.into_iter().next() {
            return Err(told(first));
        }
    }
    match lost(folder, tables).into_iter().next() {
        Some(first) => Err(told(first)),
        None => Ok(()),
    }
}

fn told(broken: Broken) -> StoreError {
    StoreError::Log {
        entry: broken.entry(),
        table: broken.table,
        fault: broken.fault,
    }
}

/// The tables whose whole log is gone.
pub(super) fn lost(folder: &Path, tables: &[&str]) -> Vec<Broken> {
    if is_new(folder, "loads") {
        return Vec::new();
    }
    let first = |table: &str| {
        let log = folder.join(table).join("_delta_log");
        log.join("00000000000000000000.json")
    };
    let gone = tables.iter().filter(|table| is_new(folder, table));
    let broken = gone.map(|table| Broken {
        table: (*table).to_owned(),
        version: 0,
        path: first(table),
        fault: Fault::Missing,
        last: false,
    });
    broken.collect()
}

/// Whether a table was never made.
pub(super) fn is_new(folder: &Path, table: &str) -> bool {
    let log = folder.join(table).join("_delta_log");
    !log.join("00000000000000000000.json").exists()
}

fn fault(path: &Path, depth: Depth, first: bool) -> io::Result<Option<Fault>> {
    let size = match fs::metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Some(Fault::Missing)),
        found => found?.len(),
    };
    if size == 0 {
        return Ok(Some(Fault::Empty));
    }
    let whole = match depth {
        Depth::Read => true,
        Depth::Whole => {
            let (mut file, mut end) = (File::open(path)?, [0]);
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut end)?;
            matches!(end, [b'}' | b'\n'])
        }
        Depth::Every => is_whole(&fs::read(path)?, first),
    };
    Ok((!whole).then_some(Fault::Torn))
}

fn lines(bytes: &[u8]) -> Option<Vec<Line>> {
    let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let lines = text.split(|byte| *byte == b'\n');
    lines
        .map(|line| serde_json::from_slice(line).ok())
        .collect()
}

fn is_whole(bytes: &[u8], first: bool) -> bool {
    let Some(lines) = lines(bytes) else {
        return false;
    };
    let known = |line: &Line| {
        line.commit_info.is_some()
            || line.add.is_some()
            || line.remove.is_some()
            || line.txn.is_some()
            || line.protocol.is_some()
            || line.meta_data.is_some()
    };
    let said = lines.iter().find_map(|l| l.commit_info.as_ref()?.lines);
    let table = lines.iter().any(|l| l.meta_data.is_some());
    lines.iter().all(known) && said.is_none_or(|n| n == lines.len()) && (table || !first)
}

/// What the entries of a whole log name.
pub(super) fn named(folder: &Path, table: &str) -> Result<Contents, StoreError> {
    let log = folder.join(table).join("_delta_log");
    let found = found(&log).map_err(|e| refused(&log, e))?;
    let mut named = Contents::default();
    for path in found.entries.values() {
        let bytes = fs::read(path).map_err(|e| refused(path, e))?;
        for line in lines(&bytes).unwrap_or_default() {
            let files = line.add.into_iter().chain(line.remove);
            named.files.extend(files.map(|file| file.path));
            named
                .once
                .extend(line.txn.map(|once| (once.app_id, once.version)));
        }
    }
    Ok(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATED: &str = "{\"commitInfo\":{}}\n{\"protocol\":{}}\n{\"metaData\":{}}";
    const ADDED: &str = "{\"commitInfo\":{\"essorLines\":2}}\n{\"add\":{\"path\":\"a\"}}";

    fn faults(entries: &[(u64, &str)], depth: Depth) -> Vec<(u64, Fault)> {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("usage/_delta_log");
        fs::create_dir_all(&log).unwrap();
        for (version, text) in entries {
            fs::write(log.join(format!("{version:020}.json")), text).unwrap();
        }
        let broken = broken(folder.path(), "usage", depth).unwrap();
        broken.into_iter().map(|b| (b.version, b.fault)).collect()
    }

    #[test]
    fn entries_that_are_empty_cut_garbled_or_missing_are_named() {
        let whole = [(0, CREATED), (1, ADDED), (2, ADDED)];
        assert_eq!(faults(&whole, Depth::Read), []);
        for (text, fault) in [
            ("", Fault::Empty),
            (&ADDED[..ADDED.len() - 9], Fault::Torn),
            ("{\"commitInfo\":{\"essorLines\":2}}", Fault::Torn),
            ("{\"commitInfo\":{\"essorLines\":2}}\n", Fault::Torn),
            ("\0\0\0\0", Fault::Torn),
            ("{}", Fault::Torn),
            ("null", Fault::Torn),
            ("\n", Fault::Torn),
        ] {
            let middle = [(0, CREATED), (1, text), (2, ADDED)];
            assert_eq!(faults(&middle, Depth::Read), [(1, fault)], "{text:?}");
            let last = [(0, CREATED), (1, text)];
            assert_eq!(faults(&last, Depth::Read), [(1, fault)], "{text:?}");
        }
        let gap = [(0, CREATED), (3, ADDED)];
        let missing = [(1, Fault::Missing), (2, Fault::Missing)];
        assert_eq!(faults(&gap, Depth::Read), missing);
        assert_eq!(faults(&[(0, ADDED)], Depth::Read), [(0, Fault::Torn)]);
    }
}
