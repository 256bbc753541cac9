//! What a crawler found at many Mastodon servers on one day: a line a server, `{"instance": ..., "activity": [...]}`.
//!
//! `activity` is read as [`mastodon_activity`](super::mastodon_activity) reads it. `userCount` and `statusCount`
//! are of the day of the crawl, which the file's name says (`servers-2023-02-12.jsonl`): accounts, and posts since the
//! beginning. Crawlers write the names of `/api/v1/instance` in camelCase or as they are.

use serde_json::{Map, Value};

use super::answers::Answers;
use super::counts::{host, taken};
use super::mastodon_activity::{self, Week};
use super::{Export, Head, Opening, Reader, Rows};
use crate::calendar::Day;
use crate::ingest::error::IngestError;
use crate::schema::Grain;

pub(super) static EXPORT: Export = Export {
    name: "mastodon-crawl",
    title: "a crawl of Mastodon servers",
    platform: "Mastodon",
    family: "fediverse",
    rank: 0,
    of_servers: true,
    gives: &[Grain::Usage],
    lacks_server: false,
    lacks_day: true,
    utc: true,
    messages: false,
    cumulative: &["messages_sent"],
    recognise,
    part: None,
    chat: None,
    private_name: false,
    open,
};

fn recognise(head: &Head) -> Option<String> {
    let found = head.object()?;
    let instance = found.get("instance")?.as_object()?;
    let named = instance.contains_key("uri") || instance.contains_key("domain");
    (named && found.contains_key("activity"))
        .then(|| "its first server has `instance` and `activity`".to_owned())
}

fn open(opening: Opening) -> Result<Box<dyn Reader>, IngestError> {
    Answers::open(opening, "not a server: a JSON object is expected", give)
}

fn give(line: u64, found: Map<String, Value>, day: Day, rows: &mut Rows) {
    let empty = Map::new();
    let instance = found.get("instance").and_then(Value::as_object);
    let instance = instance.unwrap_or(&empty);
    let named = instance.get("uri").or_else(|| instance.get("domain"));
    let Some(server) = named.and_then(Value::as_str).and_then(host) else {
        return rows.reject(line, "uri", "no server: `uri` names its host");
    };
    if other_program(instance) {
        return rows.left_out(line, "version", OTHER_PROGRAM);
    }
    let stats = instance.get("stats").and_then(Value::as_object);
    totals(line, &server, stats.unwrap_or(&empty), day, rows);
    weeks(line, &server, found.get("activity"), rows);
}

fn totals(line: u64, server: &str, stats: &Map<String, Value>, day: Day, rows: &mut Rows) {
    for (names, metric) in [
        (["userCount", "user_count"], "registered_users"),
        (["statusCount", "status_count"], "messages_sent"),
    ] {
        let named = names
            .iter()
            .find_map(|name| Some((*name, stats.get(*name)?)));
        let Some((name, value)) = named else { continue };
        if let Some(count) = taken(rows, line, name, Some(value)) {
            rows.figure(line, server, day, metric, count);
        }
    }
}

fn weeks(line: u64, server: &str, activity: Option<&Value>, rows: &mut Rows) {
    let weeks = match activity {
        Some(Value::Array(weeks)) => weeks,
        // A server whose admin has switched it off answers without.
        None | Some(Value::Null) => return,
        Some(_) => return rows.reject(line, "activity", "not a list of weeks"),
    };
    let mut read = vec![];
    for week in weeks {
        match week {
            Value::Object(week) => read.extend(Week::read(line, week, rows)),
            _ => rows.reject(line, "activity", "not a week: a JSON object is expected"),
        }
    }
    mastodon_activity::give(server, read, rows);
}

/// Whether a server that answers as Mastodon does says that it is another program, as in `2.7.2 (compatible; Pleroma 2.5.0)`.
pub(super) fn other_program(instance: &Map<String, Value>) -> bool {
    let version = instance.get("version").and_then(Value::as_str);
    version.is_some_and(|version| version.contains("compatible;"))
}

pub(super) const OTHER_PROGRAM: &str =
    "not Mastodon: another program, which only answers in its form; its NodeInfo can be taken";
