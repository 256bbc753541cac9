//! What chat servers and platforms export: one file a format.
//!
//! An [`Export`] says by which signs its bytes are known and turns them into rows of days: figures for
//! `usage`, and who was active or signed up. Only what it names enters: whatever else an export holds
//! (addresses, tokens, names, what was said) is never looked at. From the rows on, an export goes the
//! way of every other file.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::calendar::Day;
use crate::schema::Grain;

use super::error::IngestError;
use super::{Input, Options};

mod answer;
mod answers;
mod bounded;
mod braze_kpi;
mod counts;
mod database;
mod documents;
mod head;
mod mastodon_activity;
mod mastodon_crawl;
mod mastodon_instance;
mod mattermost_analytics;
mod name;
mod nested;
mod nodeinfo;
mod panopticon;
mod prometheus;
mod rocket_chat;
mod rocket_chat_sessions;
mod rows;
mod slack_members;
mod synapse_database;
mod synapse_phone_home;
mod table;
mod teams_usage;
mod telegram_export;
mod telegram_statistics;
#[cfg(test)]
mod tests;
mod whatsapp_export;
mod zulip;
mod zulip_chart;
mod zulip_counts;

pub use database::Database;
pub(super) use head::Head;
pub(super) use rows::{Rows, RowsCutter, names};

/// One format that some program exports.
pub(super) struct Export {
    /// What `--as` calls it and `loads.format` holds: `synapse-phone-home`.
    pub name: &'static str,
    /// What it is, as a sentence goes on: `phone-home reports of Matrix Synapse`.
    pub title: &'static str,
    /// Whose figures these are where nothing else says it.
    pub platform: &'static str,
    /// Which exports count the same figures alike: where two of a family overlap, the one that reaches further counts.
    pub family: &'static str,
    /// How exactly it counts beside others of its family: what counts more exactly goes before what reaches further.
    pub rank: u8,
    /// Whether it is of servers that people run, which a project may sum into a network of its own.
    pub of_servers: bool,
    /// What it gives; several are a load each.
    pub gives: &'static [Grain],
    /// Whether the export does not say which server it is of.
    pub lacks_server: bool,
    /// Whether the export does not say which day it is of.
    pub lacks_day: bool,
    /// Whether its days are days of UTC, whatever the project's zone.
    pub utc: bool,
    /// Whether its rows of people count messages.
    pub messages: bool,
    /// Metrics that it gives as counts since the beginning, whose differences are the flow.
    pub cumulative: &'static [&'static str],
    /// The sign by which the first bytes are such an export, as a sentence goes on: `its first
    /// report has "homeserver" and "total_users"`.
    pub recognise: fn(&Head) -> Option<String>,
    /// Makes the loads of one, where they are not simply one a grain.
    pub part: Option<Parting>,
    /// Of which chat or workspace one is, where another export of it has the same messages: the one made
    /// later then stands in the place of the earlier.
    pub chat: Option<fn(&Head) -> Option<ChatId>>,
    /// Whether its file is named by people, as chats are by those who write in them.
    pub private_name: bool,
    /// Begins to read one.
    pub open: fn(Opening) -> Result<Box<dyn Reader>, IngestError>,
}

/// Of which chat or workspace an export is.
pub(super) struct ChatId {
    /// What tells it from others of its format.
    pub told: String,
    /// The one day that the export holds, where it holds one.
    pub day: Option<Day>,
}

/// Makes the loads of a file, each without what it was taken for.
pub(super) type Parting =
    fn(&'static Export, &Input, &Options) -> Result<Vec<Options>, IngestError>;

/// An export whose rows are about to be read.
pub(super) struct Opening<'a> {
    /// What the file is called in messages.
    pub name: &'a str,
    /// Its decompressed bytes.
    pub bytes: super::sniff::Bytes,
    /// Where it lies, if on disk and not compressed: databases are opened by their path.
    pub path: Option<&'a Path>,
    /// Which of what it gives is asked for.
    pub grain: Grain,
    /// How it is read: the server and the day that it lacks stand here.
    pub options: &'a Options,
}

/// Reads rows of an export.
pub(super) trait Reader: Send {
    /// Adds rows until `rows` is full or the export has ended; false when it has.
    fn read(&mut self, rows: &mut Rows) -> Result<bool, IngestError>;
}

/// Every format, the most telling signs first.
pub(super) static EXPORTS: &[&Export] = &[
    &synapse_database::EXPORT,
    &panopticon::EXPORT,
    &synapse_phone_home::EXPORT,
    &prometheus::EXPORT,
    &mastodon_activity::EXPORT,
    &mastodon_crawl::EXPORT,
    &mastodon_instance::EXPORT,
    &nodeinfo::EXPORT,
    &telegram_statistics::EXPORT,
    &telegram_export::EXPORT,
    &whatsapp_export::EXPORT,
    &mattermost_analytics::STANDARD,
    &mattermost_analytics::POSTS,
    &mattermost_analytics::BOT_POSTS,
    &mattermost_analytics::POSTERS,
    &rocket_chat::STATISTICS,
    &rocket_chat_sessions::EXPORT,
    &slack_members::EXPORT,
    &zulip::REALM,
    &zulip::COUNTS,
    &zulip::USER_COUNTS,
    &zulip_chart::EXPORT,
    &braze_kpi::EXPORT,
    &teams_usage::COUNTS,
    &teams_usage::USER_COUNTS,
    &teams_usage::USER_DETAIL,
];

/// The names of the formats that programs export.
pub fn formats() -> Vec<&'static str> {
    EXPORTS.iter().map(|export| export.name).collect()
}

/// Finds a format by the name that `--as` takes.
pub(super) fn named(name: &str) -> Option<&'static Export> {
    EXPORTS.iter().find(|e| e.name == name).copied()
}

/// Which exports count alike with those of this format; none of a table of rows.
pub fn family(format: &str) -> Option<&'static str> {
    let name = format.split('+').next().unwrap_or(format);
    named(name).map(|export| export.family)
}

/// How exactly a load of this format counts beside others of its family.
pub fn rank(format: &str) -> u8 {
    let name = format.split('+').next().unwrap_or(format);
    named(name).map_or(0, |export| export.rank)
}

/// Whether another export of the same chat or workspace as a load of this format has the same messages.
pub fn is_history(format: &str) -> bool {
    let name = format.split('+').next().unwrap_or(format);
    named(name).is_some_and(|export| export.chat.is_some())
}

/// Names the chat that an export is of, and its file where that is named by people, by pseudonyms.
fn of_chat(export: &Export, head: &Head, file: &str, mut options: Options) -> Options {
    let chat = export.chat.and_then(|tell| tell(head));
    options.at = options.at.or(chat.as_ref().and_then(|chat| chat.day));
    let Ok(key) = &options.key else {
        return options;
    };
    let scope = key.scope(&format!("chats of {}", export.name));
    let named = |told: &str| {
        let pseudonym = key.pseudonym(scope, told.as_bytes());
        let hex: String = pseudonym
            .iter()
            .take(6)
            .map(|b| format!("{b:02x}"))
            .collect();
        format!("chat-{hex}")
    };
    let name = named(chat.as_ref().map_or(file, |chat| &chat.told));
    if let (true, Some(exported)) = (export.private_name, &mut options.exported) {
        exported.known_as = Some(format!("{}://{name}", export.name));
    }
    if chat.is_some() && options.source.server.is_none() {
        options.source.server = Some(name);
    }
    options
}

/// The format whose signs the first bytes bear, with the sign.
pub(super) fn recognise(head: &Head) -> Option<(&'static Export, String)> {
    EXPORTS
        .iter()
        .find_map(|export| Some((*export, (export.recognise)(head)?)))
}

/// One of the loads that a file makes.
#[derive(Debug, Clone)]
pub struct Part {
    /// How it is read.
    pub options: Options,
    /// What the file was taken for and why; empty of a file that is none of these exports.
    pub seen: String,
}

/// What an export of a part is: its format, which of its tables, and the day where it names none.
#[derive(Debug, Clone)]
pub struct Exported {
    /// The format's name.
    pub format: &'static str,
    /// What is taken of it.
    pub grain: Grain,
    /// Which stretch of it, where it is a database in use.
    pub live: Option<Live>,
    /// What loads know the file by, where its own name may name people.
    pub known_as: Option<String>,
}

/// A stretch of a database that is in use: it changes all the time and has no hash, so that its loads
/// are known by what it is and by their days.
#[derive(Debug, Clone)]
pub struct Live {
    /// What it is called wherever it lies: `synapse://chat.example.org`.
    pub name: Arc<str>,
    /// Which of its days.
    pub stretch: Stretch,
    /// Its columns of moments, each with how many rows are of no day; they are told of with the figures of all days.
    unread: Arc<[(&'static str, u64)]>,
    database: Database,
}

/// The days of a load of a database in use.
#[derive(Debug, Clone)]
pub enum Stretch {
    /// One day of people, with how many rows it has.
    Day(Day, u64),
    /// All days of some figures.
    Series(Arc<Series>),
}

/// Figures by day and metric.
pub type Series = BTreeMap<(Day, &'static str), i64>;

impl Live {
    /// What stands in an identity for the content.
    pub(super) fn said(&self) -> String {
        match &self.stretch {
            Stretch::Day(day, _) => format!("{} {day}", self.name),
            Stretch::Series(series) => {
                let figure = |((day, metric), value): (&(Day, &str), &i64)| {
                    format!("\n{day} {metric} {value}")
                };
                let figures: String = series.iter().map(figure).collect();
                format!("{}{figures}", self.name)
            }
        }
    }
}

/// The loads that a file makes: one for a table of rows, one a grain for an export, none for what only lies beside
/// exports or holds nothing yet.
///
/// # Errors
///
/// Where the file can't be read, `--as` names no format, or an export lacks its server or day and neither
/// the options nor the file's name say it.
pub fn parts(input: &Input, options: &Options) -> Result<Vec<Part>, IngestError> {
    let plain = || {
        vec![Part {
            options: options.clone(),
            seen: String::new(),
        }]
    };
    let wanted = options.source.format.as_deref();
    if wanted.is_some_and(|name| super::sniff::Format::NAMES.contains(&name)) {
        return Ok(plain());
    }
    let wanted = wanted.map(|name| named(name).ok_or_else(|| unknown(&input.name, name)));
    let wanted = wanted.transpose()?;
    let head = Head::read(input)?;
    let (export, sign) = match wanted {
        Some(export) => (export, "as was said".to_owned()),
        None => match recognise(&head) {
            Some(found) => found,
            None => match answer::of_nothing(&head) {
                Some((found, advice)) => {
                    return Err(IngestError::NothingKnown {
                        name: input.name.clone(),
                        found,
                        advice,
                    });
                }
                None if answer::lies_beside(&head) => return Ok(vec![]),
                None => return Ok(plain()),
            },
        },
    };
    let parted = match export.part {
        Some(part) => part(export, input, options)?,
        None => {
            let options = name::complete(&input.name, export, options)?;
            let part = |grain: &Grain| {
                let options = taking(export, *grain, None, &options);
                of_chat(export, &head, &input.name, options)
            };
            export.gives.iter().map(part).collect()
        }
    };
    let seen = format!("{}: {sign}", export.title);
    let part = |options| Part {
        options,
        seen: seen.clone(),
    };
    Ok(parted.into_iter().map(part).collect())
}

/// Options by which one grain of an export is read.
fn taking(export: &'static Export, grain: Grain, live: Option<Live>, options: &Options) -> Options {
    Options {
        exported: Some(Exported {
            format: export.name,
            grain,
            live,
            known_as: None,
        }),
        ..options.clone()
    }
}

/// Whether a word on the command line is the URL of a database rather than a path.
pub fn is_database(word: &str) -> bool {
    ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| word.starts_with(scheme))
}

/// The loads that a PostgreSQL database makes; `note` is called with what there is to say of it.
///
/// # Errors
///
/// Where there is no connection, or the database is of no known server.
pub fn database_parts(
    url: &str,
    options: &Options,
    note: &mut dyn FnMut(String),
) -> Result<Vec<Part>, IngestError> {
    let database = Database::postgres(url)?;
    if let Some(said) = database.unencrypted() {
        note(said);
    }
    let export = &synapse_database::EXPORT;
    let seen = format!("{}: it has its tables", export.title);
    let parts = synapse_database::parts_of(export, database, options)?;
    let part = |options| Part {
        options,
        seen: seen.clone(),
    };
    Ok(parts.into_iter().map(part).collect())
}

fn unknown(file: &str, name: &str) -> IngestError {
    let known: Vec<&str> = super::sniff::Format::NAMES
        .iter()
        .copied()
        .chain(EXPORTS.iter().map(|e| e.name))
        .collect();
    IngestError::UnknownExport {
        name: file.to_owned(),
        given: name.to_owned(),
        known: known.join(", "),
    }
}
