//! Throw-away projects, and essor run in them.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

/// What pseudonyms are made with in tests.
pub const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// A project in a temporary folder.
pub struct Project {
    folder: TempDir,
}

/// What a run of essor gave.
pub struct Ran {
    pub out: String,
    pub err: String,
    pub code: i32,
}

/// The folder of this repository.
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

impl Project {
    /// A project with nothing but an essor.toml.
    pub fn new(essor_toml: &str) -> Self {
        let project = Project {
            folder: tempfile::tempdir().unwrap(),
        };
        project.write("essor.toml", essor_toml);
        project
    }

    /// This repository's project: its essor.toml and data, without its store and reports.
    pub fn of_repository() -> Self {
        let project =
            Project::new(&std::fs::read_to_string(repository().join("essor.toml")).unwrap());
        for file in ["disclosures.csv", "mastostats.csv"] {
            project.write(
                &format!("data/{file}"),
                std::fs::read(repository().join("data").join(file)).unwrap(),
            );
        }
        project
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub fn command(&self) -> Command {
        let mut command = Command::cargo_bin("essor").unwrap();
        command
            .current_dir(self.root())
            .env_remove("ESSOR_LOG")
            .env("ESSOR_KEY", KEY)
            .env("NO_COLOR", "1");
        command
    }

    /// Runs essor with words split at spaces; `'` keeps spaces together.
    pub fn essor(&self, words: &str) -> Ran {
        let output = self.command().args(split(words)).output().unwrap();
        Ran {
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code().unwrap_or(-1),
        }
    }

    /// Runs essor, which must end with 0, and gives what it printed.
    pub fn ok(&self, words: &str) -> String {
        let ran = self.essor(words);
        assert_eq!(ran.code, 0, "essor {words}\n{}{}", ran.out, ran.err);
        ran.out
    }

    /// The rows of any SQL as CSV without its header.
    pub fn sql(&self, sql: &str) -> String {
        let output = self
            .command()
            .args(["query", "--sql", sql, "--format", "csv"])
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{sql}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_once('\n')
            .map(|(_, rows)| rows.to_owned())
            .unwrap_or_default()
    }
}

/// Words split at spaces, where `'two words'` is one; a quote within a word stands for itself.
pub fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').unwrap_or((quoted, "")),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}
