//! `essor.toml`: the platform, its rivals, the sources and the thresholds of one project.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use serde::Deserialize;

use crate::calendar::Day;
use crate::schema::Grain;

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

/// What new content at a known path does to the load made of the old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnChange {
    /// Replaces it if it covers all its days, else adds to it.
    #[default]
    Cover,
    /// Replaces it.
    Replace,
    /// Adds to it.
    Add,
}

/// What one row of a file of people is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rows {
    /// A user's day.
    UserDays,
    /// A message.
    Messages,
}

/// When a row of a file of people says that its user was active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Active {
    /// Always.
    #[default]
    #[serde(rename = "any row")]
    AnyRow,
    /// When it counts a message.
    #[serde(rename = "messages > 0")]
    Messages,
}

/// Which of day and month stands first where both are numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum DateFormat {
    /// 23/02/2016
    #[serde(rename = "day/month/year")]
    DayFirst,
    /// 02/23/2016
    #[serde(rename = "month/day/year")]
    MonthFirst,
}

impl DateFormat {
    /// What essor.toml may say where a file does not tell.
    pub const ADVICE: &'static str =
        "date_format = \"day/month/year\"` or `date_format = \"month/day/year\"";

    /// As essor.toml writes it.
    pub fn name(self) -> &'static str {
        match self {
            DateFormat::DayFirst => "day/month/year",
            DateFormat::MonthFirst => "month/day/year",
        }
    }
}

/// How the files at a path are read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The files: a path or glob below the project's folder.
    pub path: String,
    /// What they give, where their columns do not say it.
    pub grain: Option<Grain>,
    /// The platform, for files without a `platform` column.
    pub platform: Option<String>,
    /// The server, for files without a `server` column.
    pub server: Option<String>,
    /// The file's column that holds the day or the moment (ISO text, or seconds or milliseconds since 1970).
    pub day: Option<String>,
    /// The file's column on the left, ours (a metric, or `platform`, `server`, `metric`, `value`, ...) on the right.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
    /// Columns (by the file's name) that hold a count since the beginning, whose differences are the flow.
    #[serde(default)]
    pub cumulative: Vec<String>,
    /// Columns that are not taken.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// What metric every row gives, for files whose column of values is called otherwise and mapped to `value`.
    pub metric: Option<String>,
    /// What every row's `dimension_value` is a value of: `country`.
    pub dimension: Option<String>,
    /// What every row's statement is, for files without a `status` column: `estimate`, `compiled`.
    pub status: Option<String>,
    /// The zone in which moments fall on days; the project's own where it is not given.
    pub zone: Option<String>,
    /// What new content at a known path does.
    #[serde(default)]
    pub on_change: OnChange,
    /// The format that the file is of, in place of what its bytes show: `synapse-phone-home`.
    #[serde(rename = "as")]
    pub format: Option<String>,
    /// Of delimited text: its encoding, where its bytes do not show it (`windows-1252`).
    pub encoding: Option<String>,
    /// Of delimited text: what stands between two fields, one character, `tab` or `space`.
    pub delimiter: Option<String>,
    /// Of delimited text: how many lines stand above the header.
    pub skip: Option<u64>,
    /// Of delimited text: which of day and month stands first.
    pub date_format: Option<DateFormat>,
    /// Of delimited text: what stands before the decimals of its numbers.
    pub decimal: Option<String>,
    /// Of delimited text: what stands between the thousands of its numbers.
    pub thousands: Option<String>,
    /// Of people: what a row is, where the name of its day's column does not say it.
    pub rows: Option<Rows>,
    /// Of people: when a row says that its user was active.
    #[serde(default)]
    pub active: Active,
}

impl Source {
    /// Whether what is said of delimited text can be meant.
    fn delimited(&self) -> Result<(), String> {
        if let Some(label) = &self.encoding
            && encoding_rs::Encoding::for_label(label.trim().as_bytes()).is_none()
        {
            return Err(format!(
                "encoding: there is no `{label}`; write one such as `utf-8`, `windows-1252` or `utf-16le`"
            ));
        }
        if let Some(delimiter) = &self.delimiter {
            let one =
                matches!(delimiter.as_bytes(), [b] if b.is_ascii() && !b.is_ascii_alphanumeric());
            if !one && !matches!(delimiter.as_str(), "tab" | "space") {
                return Err(format!(
                    "delimiter: `{delimiter}` can't be one; write one character such as `;`, or `tab` or `space`"
                ));
            }
        }
        for (key, mark) in [("decimal", &self.decimal), ("thousands", &self.thousands)] {
            let one = |mark: &String| {
                let mut chars = mark.chars();
                matches!((chars.next(), chars.next()), (Some(c), None) if !c.is_alphanumeric())
            };
            if mark.as_ref().is_some_and(|mark| !one(mark)) {
                return Err(format!("{key}: write one character, such as `,` or `.`"));
            }
        }
        if self.decimal.is_some() && self.decimal == self.thousands {
            return Err("decimal and thousands can't be the same".to_owned());
        }
        Ok(())
    }

    /// Whether it is of a file: the path may be written from the project's folder (`./` before it or
    /// not) or absolute.
    fn matches(&self, root: &Path, relative: &str, options: glob::MatchOptions) -> bool {
        let path = self.path.strip_prefix("./").unwrap_or(&self.path);
        let within = Path::new(path)
            .strip_prefix(root)
            .ok()
            .and_then(Path::to_str);
        glob::Pattern::new(within.unwrap_or(path))
            .is_ok_and(|pattern| pattern.matches_with(relative, options))
    }
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
        let zone = zone(document.project.zone.as_deref().unwrap_or("UTC")).map_err(&wrong)?;
        for source in &document.source {
            if let Some(name) = &source.zone {
                self::zone(name).map_err(&wrong)?;
            }
            source.delimited().map_err(&wrong)?;
            glob::Pattern::new(&source.path)
                .map_err(|e| wrong(format!("source path `{}` is no glob: {e}", source.path)))?;
        }
        for dispute in &document.dispute {
            let told = |e: String| wrong(format!("dispute on `{}`: {e}", dispute.platform));
            crate::metric::in_a_statement(&dispute.metric).map_err(|e| told(e.to_string()))?;
            crate::calendar::end_of(&dispute.as_of).map_err(|e| told(e.to_string()))?;
        }
        for confirmed in &document.confirmed {
            let told = |e: String| wrong(format!("confirmed of `{}`: {e}", confirmed.platform));
            crate::metric::find(&confirmed.metric).map_err(|e| told(e.to_string()))?;
            crate::calendar::day(&confirmed.day).map_err(|e| told(e.to_string()))?;
        }
        if document.project.carry_forward > 30 {
            return Err(wrong(format!(
                "carry_forward: {} days is too long; a server that is silent for more than 30 has left",
                document.project.carry_forward
            )));
        }
        for (name, platform) in &document.platform {
            if let Some(launched) = &platform.launched {
                crate::calendar::day(launched)
                    .map_err(|e| wrong(format!("platform `{name}`, launched: {e}")))?;
            }
        }
        let week_start = match document.project.week_start.as_deref() {
            None => chrono::Weekday::Mon,
            Some(name) => name.parse().map_err(|_| {
                wrong(format!(
                    "week_start: `{name}` is no day of the week; write `monday` or `sunday`"
                ))
            })?,
        };
        let memory = document.project.memory.as_deref().map(memory).transpose();
        dimensions(&document.project.dimensions).map_err(&wrong)?;
        let base = document
            .project
            .base
            .as_deref()
            .map(crate::calendar::end_of)
            .transpose();
        Ok(Project {
            root: root.to_owned(),
            platform: document.project.platform,
            network: document.project.network,
            carry_forward: document.project.carry_forward,
            rivals: document.project.rivals,
            zone,
            on_conflict: document.project.on_conflict,
            base: base.map_err(|e| wrong(format!("base: {e}")))?,
            data: if document.project.data.is_empty() {
                vec!["data".into()]
            } else {
                document.project.data
            },
            dimensions: document.project.dimensions,
            week_start,
            memory: memory.map_err(&wrong)?,
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

/// The names of dimensions, which must not be those of other columns.
fn dimensions(names: &[String]) -> Result<(), String> {
    const TAKEN: [&str; 9] = [
        "platform",
        "server",
        "user",
        "user_id",
        "day",
        "date",
        "timestamp",
        "time",
        "messages",
    ];
    for (place, name) in names.iter().enumerate() {
        let sound = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty() || !name.chars().all(sound) || TAKEN.contains(&name.as_str()) {
            return Err(format!(
                "dimensions: `{name}` can't be one; use small letters, digits and `_`, and none of {}",
                TAKEN.join(", ")
            ));
        }
        if names[..place].contains(name) {
            return Err(format!("dimensions: `{name}` stands there twice"));
        }
    }
    match names.len() {
        0..=16 => Ok(()),
        more => Err(format!("dimensions: {more} of them; at most 16 are kept")),
    }
}

/// An amount of memory.
fn memory(text: &str) -> Result<u64, String> {
    match bytes(text) {
        Some(bytes) if bytes >= 64 << 20 => Ok(bytes),
        _ => Err(format!(
            "memory: `{text}` is no amount of memory; write at least `64 MiB`, such as `6 GiB`"
        )),
    }
}

/// A number of bytes: `512 MiB`, `6GB`.
pub fn bytes(text: &str) -> Option<u64> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

/// A time zone by its IANA name.
pub fn zone(name: &str) -> Result<Tz, String> {
    name.parse().map_err(|_| {
        format!("`{name}` is not a time zone; write an IANA name, such as `UTC` or `Europe/Paris`")
    })
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
