//! `essor.toml`: the platform, its rivals, the sources and the thresholds of one project.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use serde::Deserialize;

use crate::calendar::Day;

mod check;
mod source;

use check::{base, check, memory, week_start};
pub use check::{bytes, zone};
pub use source::{Active, DateFormat, OnChange, Rows, Source};

/// The name of the file that makes a folder a project.
pub const FILE: &str = "essor.toml";

/// Why a project can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// Neither the folder nor one above it holds `essor.toml`.
    #[error("no `{FILE}` in `{}` or a folder above it; `essor init NAME` makes a project", .0.display())]
    Missing(PathBuf),
    /// The file can't be read.
    #[error("can't read `{}`", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what `essor.toml` should be.
    #[error("`{}` can't be used: {source}", .path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A value in it is wrong.
    #[error("`{}`: {message}", .path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        message: String,
    },
}

/// What is known of a platform besides its figures.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    /// The day it was opened to the public, from which its age counts.
    pub launched: Option<String>,
    /// Other spellings of its name that files may use.
    #[serde(default)]
    pub aliases: Vec<String>,
}

/// What to do when two live loads state the same figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    /// Refuse the second load, unless both are answers of programs that count alike: then the one that reaches further counts.
    #[default]
    Answers,
    /// Refuse the second load.
    Refuse,
    /// Add them up.
    Sum,
    /// Take the larger.
    Max,
    /// Take the one loaded last.
    Latest,
}

/// A dispute settled by hand.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dispute {
    /// The platform.
    pub platform: String,
    /// The metric.
    pub metric: String,
    /// The `as_of` of the statement, as the file writes it.
    pub as_of: String,
    /// Its value.
    pub value: i64,
    /// Whether it computes.
    pub computes: bool,
}

/// A figure that looks impossible and is so all the same.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmed {
    /// The platform.
    pub platform: String,
    /// The server; empty where there is none.
    #[serde(default)]
    pub server: String,
    /// The metric.
    pub metric: String,
    /// The day.
    pub day: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ProjectTable {
    platform: Option<String>,
    rivals: Vec<String>,
    zone: Option<String>,
    on_conflict: OnConflict,
    base: Option<String>,
    data: Vec<String>,
    dimensions: Vec<String>,
    week_start: Option<String>,
    memory: Option<String>,
    network: Option<String>,
    carry_forward: u16,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Document {
    project: ProjectTable,
    source: Vec<Source>,
    platform: BTreeMap<String, Platform>,
    dispute: Vec<Dispute>,
    confirmed: Vec<Confirmed>,
}

/// A project: its folder and what its `essor.toml` says.
#[derive(Debug, Clone)]
pub struct Project {
    /// The folder that holds `essor.toml`.
    pub root: PathBuf,
    /// The platform that reports are about, unless another is asked for.
    pub platform: Option<String>,
    /// The platforms it is compared with; empty for all those that have a comparable figure.
    pub rivals: Vec<String>,
    /// The zone in which moments fall on days.
    pub zone: Tz,
    /// What two loads with the same figure do.
    pub on_conflict: OnConflict,
    /// The date at which indexed growth is 100.
    pub base: Option<Day>,
    /// What `essor report` ingests first: paths below the folder.
    pub data: Vec<String>,
    /// The columns of files of people that split their users: `country`, `client`.
    pub dimensions: Vec<String>,
    /// The day that weeks begin with.
    pub week_start: chrono::Weekday,
    /// What the servers of the project belong to: the platform of their exports.
    pub network: Option<String>,
    /// For how many silent days a server's last figure stands in its network's sums.
    pub carry_forward: u16,
    /// How many bytes of memory ingest and queries may each take; half of the machine's where it is not given.
    pub memory: Option<u64>,
    /// How files are read.
    pub sources: Vec<Source>,
    /// What is known of platforms.
    pub platforms: BTreeMap<String, Platform>,
    /// Disputes settled by hand.
    pub disputes: Vec<Dispute>,
    /// Figures that count although they look impossible.
    pub confirmed: Vec<Confirmed>,
}

impl Project {
    /// Opens the project that `folder` lies in.
    pub fn find(folder: &Path) -> Result<Self, ProjectError> {
        let root = folder
            .ancestors()
            .find(|f| f.join(FILE).is_file())
            .ok_or_else(|| ProjectError::Missing(folder.to_owned()))?;
        Self::open(root)
    }

    /// Opens the project in `root`.
    pub fn open(root: &Path) -> Result<Self, ProjectError> {
        let path = root.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(|source| ProjectError::Read {
            path: path.clone(),
            source,
        })?;
        Self::parse(root, &text)
    }

    /// Reads the text of an `essor.toml` that stands in `root`.
    pub fn parse(root: &Path, text: &str) -> Result<Self, ProjectError> {
        let path = root.join(FILE);
        let document: Document = toml::from_str(text).map_err(|source| ProjectError::Parse {
            path: path.clone(),
            source: Box::new(source),
        })?;
        let wrong = |message: String| ProjectError::Value {
            path: path.clone(),
            message,
        };
        check(&document).map_err(&wrong)?;
        let table = document.project;
        Ok(Project {
            root: root.to_owned(),
            zone: zone(table.zone.as_deref().unwrap_or("UTC")).map_err(&wrong)?,
            week_start: week_start(table.week_start.as_deref()).map_err(&wrong)?,
            base: base(table.base.as_deref()).map_err(&wrong)?,
            memory: table
                .memory
                .as_deref()
                .map(memory)
                .transpose()
                .map_err(&wrong)?,
            platform: table.platform,
            network: table.network,
            carry_forward: table.carry_forward,
            rivals: table.rivals,
            on_conflict: table.on_conflict,
            data: match table.data.is_empty() {
                true => vec!["data".into()],
                false => table.data,
            },
            dimensions: table.dimensions,
            sources: document.source,
            platforms: document.platform,
            disputes: document.dispute,
            confirmed: document.confirmed,
        })
    }

    /// How many bytes of memory ingest and queries may each take.
    pub fn memory_bound(&self) -> usize {
        let half = || {
            let mut system = sysinfo::System::new();
            system.refresh_memory();
            let machine = system.total_memory();
            // Within a container its limit is the machine.
            let limit = system.cgroup_limits().map_or(machine, |l| l.total_memory);
            machine.min(limit) / 2
        };
        let bytes = self.memory.unwrap_or_else(half).max(64 << 20);
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    /// How a file is read: the last source whose path matches, given relative to the folder.
    pub fn source(&self, relative: &str) -> Source {
        let options = glob::MatchOptions {
            require_literal_separator: true,
            ..Default::default()
        };
        self.sources
            .iter()
            .rev()
            .find(|s| s.matches(&self.root, relative, options))
            .cloned()
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error =
            Project::parse(Path::new("p"), "[project]\nplatfrom = \"Telegram\"\n").unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("platfrom") && text.contains("line 2"),
            "{text}"
        );
    }

    #[test]
    fn the_last_matching_source_reads_a_file() {
        let text = "[[source]]\npath = \"data/*.csv\"\nplatform = \"A\"\n[[source]]\npath = \"data/b.csv\"\nplatform = \"B\"\n";
        let project = Project::parse(Path::new("p"), text).unwrap();
        assert_eq!(project.source("data/b.csv").platform.as_deref(), Some("B"));
        assert_eq!(project.source("data/a.csv").platform.as_deref(), Some("A"));
        assert_eq!(project.source("data/deep/a.csv").platform, None);
    }
}
