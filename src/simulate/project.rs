//! The folder of a simulated project, and its essor.toml.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::ask::Ask;
use super::{SimulateError, Target};

/// The project file, whose words in capitals are replaced.
const TEMPLATE: &str = include_str!("essor.toml");

/// The beginning of every simulated project file, by which it is known again.
const MARK: &str = "# Simulated:";

/// A project's file.
const PROJECT: &str = "essor.toml";

/// The folder that becomes a project.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Checks that the folder may be written into: it is empty or not there yet, or force is meant
    /// for it. A project that was not simulated is never touched.
    pub(super) fn check(target: &Target<'_>) -> Result<Self, SimulateError> {
        let root = target.folder;
        if let Ok(text) = fs::read_to_string(root.join(PROJECT))
            && !text.starts_with(MARK)
        {
            return Err(SimulateError::Genuine(root.to_owned()));
        }
        let holds = fs::read_dir(root).is_ok_and(|mut entries| entries.next().is_some());
        if holds && !target.force {
            return Err(SimulateError::NotEmpty(root.to_owned()));
        }
        Ok(Folder(root.to_owned()))
    }

    /// Makes the folder. An earlier simulation in it is removed, and nothing else.
    pub(super) fn prepare(&self) -> Result<(), SimulateError> {
        let activity = self.activity();
        fs::create_dir_all(&activity).map_err(|e| failed(&activity, e))?;
        self.remove_earlier()
    }

    /// Where the days are written.
    pub(super) fn activity(&self) -> PathBuf {
        self.0.join("data/activity")
    }

    /// The file of signups.
    pub(super) fn signups(&self) -> PathBuf {
        self.0.join("data/signups.parquet")
    }

    /// Removes the files of an earlier simulation: its days may be others.
    fn remove_earlier(&self) -> Result<(), SimulateError> {
        let activity = self.activity();
        let entries = fs::read_dir(&activity).map_err(|e| failed(&activity, e))?;
        let mut earlier = vec![self.0.join(PROJECT), self.signups()];
        for entry in entries {
            let path = entry.map_err(|e| failed(&activity, e))?.path();
            if is_day(&path) {
                earlier.push(path);
            }
        }
        for path in earlier {
            match fs::remove_file(&path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(failed(&path, e)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes essor.toml. It comes last: a simulation that was broken off is no project.
    pub(super) fn write_project(
        &self,
        ask: &Ask,
        target: &Target<'_>,
    ) -> Result<(), SimulateError> {
        let path = self.0.join(PROJECT);
        let platform = toml::Value::from(target.platform).to_string();
        let (days, signups) = TEMPLATE.split_once("SIGNUPS\n").unwrap_or((TEMPLATE, ""));
        let text = if target.with_signups {
            format!("{days}{signups}")
        } else {
            days.trim_end().to_owned() + "\n"
        };
        let text = text
            .replace("COMMAND", &ask.to_string())
            .replace("\"PLATFORM\"", &platform);
        fs::write(&path, text).map_err(|e| failed(&path, e))
    }
}

/// Whether a file is named like a simulated day.
fn is_day(path: &Path) -> bool {
    let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or("");
    path.extension().is_some_and(|e| e == "parquet") && crate::calendar::day(stem).is_ok()
}

fn failed(path: &Path, source: io::Error) -> SimulateError {
    SimulateError::Write {
        path: path.to_owned(),
        source,
    }
}
