//! From what was named on the command line to files: files, folders, globs, standard input.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::commands::WrongUse;
use crate::ingest;

/// Endings of files that a folder or archive is searched for; a file that is named itself is always read.
const DATA: [&str; 20] = [
    "csv", "tsv", "json", "ndjson", "jsonl", "parquet", "arrow", "ipc", "feather", "gz", "zst",
    "bz2", "xz", "zip", "tar", "tgz", "tbz2", "txz", "tzst", "taz",
];

/// Endings of files that are read in a folder or archive only where they are some program's export.
const PERHAPS: [&str; 8] = [
    "txt", "db", "sqlite", "sqlite3", "prom", "metrics", "om", "log",
];

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    /// A file, by the path that messages and loads know it by, and by where it is.
    File {
        /// Relative to the project where it lies within, with `/` between the parts.
        name: String,
        /// Where it is.
        path: PathBuf,
        /// Whether a folder was searched for it, and not itself named.
        searched: bool,
    },
    /// Standard input.
    Stdin,
    /// A database server.
    Database {
        /// What messages call it until it says whose it is.
        name: String,
        /// Where it is, with a password perhaps.
        url: String,
    },
}

impl Found {
    fn path(&self) -> Option<&Path> {
        match self {
            Found::File { path, .. } => Some(path),
            Found::Stdin | Found::Database { .. } => None,
        }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Files {
    /// The files, each once, in the order of their names within each word.
    pub found: Vec<Found>,
    /// Files in searched folders that do not look like data.
    pub passed_over: Vec<String>,
    /// Links in searched folders to files that lie elsewhere.
    pub led_out: Vec<String>,
}

/// Finds the files that the words mean, seen from `here`.
pub fn find(words: &[String], here: &Path, root: &Path) -> Result<Files> {
    let mut files = Files::default();
    for word in words {
        let path = here.join(word);
        if word == "-" {
            files.add(Found::Stdin);
        } else if ingest::is_database(word) {
            files.add(Found::Database {
                name: "the PostgreSQL database".to_owned(),
                url: word.clone(),
            });
        } else if path.is_dir() {
            files.search(&path, &Within::of(&path, root))?;
        } else if path.exists() {
            files.add(named(&path, root, false)?);
        } else if word.contains(['*', '?', '[']) {
            files.expand(word, here, root)?;
        } else {
            return Err(WrongUse(format!("`{word}` does not exist; name a file, a folder, a glob such as 'data/2016-*.csv', or `-` for standard input")).into());
        }
    }
    Ok(files)
}

impl Files {
    fn add(&mut self, found: Found) {
        if !self.found.iter().any(|f| f.path() == found.path()) {
            self.found.push(found);
        }
    }

    fn expand(&mut self, word: &str, here: &Path, root: &Path) -> Result<()> {
        // Only the word is a pattern: the folder that it is seen from may hold brackets of its own.
        let folder = glob::Pattern::escape(&here.to_string_lossy());
        let pattern = if Path::new(word).is_absolute() {
            word.to_owned()
        } else {
            format!("{folder}/{word}")
        };
        let options = glob::MatchOptions {
            require_literal_leading_dot: true,
            require_literal_separator: true,
            case_sensitive: true,
        };
        let paths = glob::glob_with(&pattern, options)
            .map_err(|e| WrongUse(format!("`{word}` is no glob: {e}")))?;
        let mut any = false;
        for path in paths {
            let path = path?;
            any = true;
            if path.is_dir() {
                self.search(&path, &Within::of(&path, root))?;
            } else {
                self.add(named(&path, root, false)?);
            }
        }
        if any {
            Ok(())
        } else {
            Err(WrongUse(format!("`{word}` matches no file")).into())
        }
    }

    /// Searches a folder and those below it, hidden ones, links to folders and links that lead out apart.
    fn search(&mut self, folder: &Path, within: &Within) -> Result<()> {
        let unreadable = || format!("can't read the folder `{}`", folder.display());
        let mut entries = std::fs::read_dir(folder)
            .with_context(unreadable)?
            .collect::<Result<Vec<_>, _>>()
            .with_context(unreadable)?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let kind = entry.file_type().with_context(unreadable)?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if kind.is_dir() {
                self.search(&path, within)?;
            } else if kind.is_symlink() && path.is_file() && !within.holds(&path) {
                self.led_out.push(path.display().to_string());
            } else if path.is_file() && looks_like_data(&path.to_string_lossy()) {
                self.add(named(&path, within.root, true)?);
            } else {
                self.passed_over.push(path.display().to_string());
            }
        }
        Ok(())
    }
}

/// Where files that are found may lie: in the folder that is searched or in the project. A link to somewhere else
/// came with the data; who means it names it.
struct Within<'a> {
    root: &'a Path,
    folders: Vec<PathBuf>,
}

impl<'a> Within<'a> {
    fn of(folder: &Path, root: &'a Path) -> Self {
        let folders = [folder, root];
        let folders = folders.iter().filter_map(|f| f.canonicalize().ok());
        Within {
            root,
            folders: folders.collect(),
        }
    }

    fn holds(&self, path: &Path) -> bool {
        let leads = path.canonicalize();
        leads.is_ok_and(|path| self.folders.iter().any(|folder| path.starts_with(folder)))
    }
}

/// Whether a file looks like data by its name, or may turn out to be.
pub fn looks_like_data(name: &str) -> bool {
    ends_with(name, &DATA) || may_be_data(name)
}

/// Whether a file is data only where it is some program's export.
pub fn may_be_data(name: &str) -> bool {
    ends_with(name, &PERHAPS)
}

/// The endings of files that are read in a folder, as a sentence lists them.
pub fn endings() -> String {
    let dotted: Vec<String> = DATA.iter().map(|e| format!(".{e}")).collect();
    dotted.join(", ")
}

fn ends_with(name: &str, endings: &[&str]) -> bool {
    let ending = Path::new(name)
        .extension()
        .map(|e| e.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|e| endings.contains(&e.as_str()))
}

fn named(path: &Path, root: &Path, searched: bool) -> Result<Found> {
    if path.to_str().is_none() {
        return Err(WrongUse(format!(
            "the name of `{}` is not UTF-8; rename the file",
            path.display()
        ))
        .into());
    }
    let full = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let parts = |p: &Path| {
        p.components()
            .map(|c| c.as_os_str().to_string_lossy().into_owned())
            .collect::<Vec<_>>()
            .join("/")
    };
    let name = match full.strip_prefix(&root) {
        Ok(within) => parts(within),
        Err(_) => full.to_string_lossy().into_owned(),
    };
    Ok(Found::File {
        name,
        path: full,
        searched,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_globs_give_each_file_once_in_order() {
        let root = tempfile::tempdir().unwrap();
        for file in [
            "data/b.csv",
            "data/a.csv.gz",
            "data/deep/c.ndjson",
            "data/README.md",
            "data/.hidden.csv",
        ] {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let files = find(
            &["data/*.csv".into(), "data".into(), "-".into()],
            root.path(),
            root.path(),
        )
        .unwrap();
        let names: Vec<&str> = files
            .found
            .iter()
            .map(|f| {
                if let Found::File { name, .. } = f {
                    name.as_str()
                } else {
                    "-"
                }
            })
            .collect();
        assert_eq!(
            names,
            ["data/b.csv", "data/a.csv.gz", "data/deep/c.ndjson", "-"]
        );
        assert_eq!(files.passed_over.len(), 1);
        assert!(
            find(&["data/*.xyz".into()], root.path(), root.path())
                .unwrap_err()
                .to_string()
                .contains("matches no file")
        );
    }
}
