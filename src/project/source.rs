//! What essor.toml says of files: `[[source]]`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::schema::Grain;

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
    pub(super) fn delimited(&self) -> Result<(), String> {
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
    pub(super) fn matches(&self, root: &Path, relative: &str, options: glob::MatchOptions) -> bool {
        let path = self.path.strip_prefix("./").unwrap_or(&self.path);
        let within = Path::new(path)
            .strip_prefix(root)
            .ok()
            .and_then(Path::to_str);
        glob::Pattern::new(within.unwrap_or(path))
            .is_ok_and(|pattern| pattern.matches_with(relative, options))
    }
}
