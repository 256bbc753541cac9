//! What the tests of the formats share: a file goes the way of every file, and its rows come back as text.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::array::AsArray;
use arrow::datatypes::{Date32Type, Int64Type};
use arrow::record_batch::RecordBatch;

use crate::calendar::from_date32;
use crate::ingest::{self, IngestError, Input, Options, Rows};
use crate::pseudonym::Key;
use crate::schema::Grain;

mod damage;
pub(crate) mod given;
mod mastodon;
mod zulip;

/// What was read of an export.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Told {
    /// The format that it was taken for, and why.
    pub seen: String,
    /// Figures, in the order of the file: `server day metric value`, or `server day metric dimension=value value`; a
    /// count since the beginning has a `+` after its metric. An empty server is `-`.
    pub figures: Vec<String>,
    /// Who was active: `day users`, or `day users messages` where messages are counted. Users are counted once.
    pub activity: Vec<String>,
    /// Who signed up: `day users`.
    pub signups: Vec<String>,
    /// What was not taken, of all loads: `line field: reason`.
    pub rejects: Vec<String>,
}

/// Options with a key for pseudonyms.
pub(crate) fn options() -> Options {
    Options {
        key: Ok(Key::parse(&"5e".repeat(32)).unwrap()),
        ..Options::default()
    }
}

/// Options by which an export that does not say it is of `chat.example.org` and 2016-02-23.
pub(crate) fn said() -> Options {
    let mut options = options();
    options.source.server = Some("chat.example.org".to_owned());
    options.at = chrono::NaiveDate::from_ymd_opt(2016, 2, 23);
    options
}

/// Reads a file of this name and these bytes.
pub(crate) fn read(name: &str, bytes: impl AsRef<[u8]>, options: &Options) -> Told {
    try_read(&Input::bytes(name, bytes.as_ref().to_vec()), options).unwrap()
}

/// Reads a file of `tests/exports`, named from there: `slack/members.ndjson`.
pub(crate) fn read_file(name: &str, options: &Options) -> Told {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/exports")
        .join(name);
    try_read(&Input::path(name, path), options).unwrap()
}

/// A real sample, from the folder of samples that is no part of the project; says so where there is none.
pub(crate) fn sample(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("ESSOR_SHARED_DATA").map_or_else(beside, PathBuf::from);
    let path = folder.join(name);
    if !path.exists() {
        println!("skipped: no sample `{name}`; name the folder of samples in ESSOR_SHARED_DATA");
        return None;
    }
    Some(path)
}

/// Reads an input as `essor ingest` does: all loads that it makes.
pub(crate) fn try_read(input: &Input, options: &Options) -> Result<Told, IngestError> {
    let mut told = Told::default();
    for part in ingest::parts(input, options)? {
        told.seen.clone_from(&part.seen);
        let mut days: BTreeMap<i32, (Vec<[u8; 16]>, u64, bool)> = BTreeMap::new();
        let summary = ingest::read::<IngestError>(input, &part.options, &mut |rows, rejects| {
            let reject = |r: ingest::Reject| format!("{} {}: {}", r.line, r.column, r.reason);
            told.rejects.extend(rejects.into_iter().map(reject));
            match rows {
                Rows::Table(batch) => told
                    .figures
                    .extend((0..batch.num_rows()).map(|row| figure(&batch, row))),
                Rows::People(people) => {
                    for (row, user) in people.users.iter().enumerate() {
                        let day = people.list[people.cells[row] as usize].day;
                        let of = days.entry(day).or_default();
                        of.0.push(*user);
                        of.1 += people.messages.as_ref().map_or(0, |m| u64::from(m[row]));
                        of.2 |= people.messages.is_some();
                    }
                }
            }
            Ok(())
        })?;
        let line = |(day, (mut users, messages, counted)): (i32, (Vec<[u8; 16]>, u64, bool))| {
            users.sort_unstable();
            users.dedup();
            let counted = if counted {
                format!(" {messages}")
            } else {
                String::new()
            };
            format!("{} {}{counted}", from_date32(day), users.len())
        };
        let lines = days.into_iter().map(line);
        match summary.grain {
            Grain::Signups => told.signups.extend(lines),
            _ => told.activity.extend(lines),
        }
    }
    Ok(told)
}

fn figure(batch: &RecordBatch, row: usize) -> String {
    let text = |name: &str| {
        batch
            .column_by_name(name)
            .unwrap()
            .as_string::<i32>()
            .value(row)
    };
    let server = if text("server").is_empty() {
        "-"
    } else {
        text("server")
    };
    let day = batch
        .column_by_name("day")
        .unwrap()
        .as_primitive::<Date32Type>()
        .value(row);
    let mut line = format!("{server} {} {}", from_date32(day), text("metric"));
    if text("kind") == "counter" {
        line.push('+');
    }
    if !text("dimension").is_empty() {
        line.push_str(&format!(
            " {}={}",
            text("dimension"),
            text("dimension_value")
        ));
    }
    let value = batch
        .column_by_name("value")
        .unwrap()
        .as_primitive::<Int64Type>()
        .value(row);
    format!("{line} {value}")
}

#[test]
fn a_phone_home_report_is_told_as_text() {
    let report = r#"{"homeserver": "a.example", "timestamp": 1456185600, "total_users": 9, "daily_active_users": 4}"#;
    let told = read("r.json", report, &options());
    assert!(
        told.seen
            .starts_with("phone-home reports of Matrix Synapse: ")
    );
    assert_eq!(
        told.figures,
        [
            "a.example 2016-02-23 dau 4",
            "a.example 2016-02-23 registered_users 9"
        ]
    );
    assert!(told.rejects.is_empty() && told.activity.is_empty());
}
