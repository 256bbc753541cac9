//! What chat servers and platforms export: one file a format.
//!
//! An [`Export`] says by which signs its bytes are known and turns them into rows of days: figures for
//! `usage`, and who was active or signed up. Only what it names enters: whatever else an export holds
//! (addresses, tokens, names, what was said) is never looked at. From the rows on, an export goes the
//! way of every other file.

use std::path::Path;

use crate::schema::Grain;

use super::error::IngestError;
use super::{Input, Options};

mod documents;
mod head;
mod name;
mod rows;
mod synapse_phone_home;
mod telegram_export;
mod telegram_statistics;
#[cfg(test)]
mod tests;
mod whatsapp_export;

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
    /// Begins to read one.
    pub open: fn(Opening) -> Result<Box<dyn Reader>, IngestError>,
}

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
    &synapse_phone_home::EXPORT,
    &telegram_statistics::EXPORT,
    &telegram_export::EXPORT,
    &whatsapp_export::EXPORT,
];

/// Finds a format by the name that `--as` takes.
pub(super) fn named(name: &str) -> Option<&'static Export> {
    EXPORTS.iter().find(|e| e.name == name).copied()
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The format's name.
    pub format: &'static str,
    /// What is taken of it.
    pub grain: Grain,
}

/// The loads that a file makes: one for a table of rows, one a grain for an export.
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
    let (export, sign) = match wanted {
        Some(name) => {
            let found = named(name).ok_or_else(|| unknown(&input.name, name))?;
            (found, "as was said".to_owned())
        }
        None => {
            let head = Head::read(input)?;
            match recognise(&head) {
                Some(found) => found,
                None => return Ok(plain()),
            }
        }
    };
    let options = name::complete(&input.name, export, options)?;
    let part = |grain: &Grain| Part {
        options: Options {
            exported: Some(Exported {
                format: export.name,
                grain: *grain,
            }),
            ..options.clone()
        },
        seen: format!("{}: {sign}", export.title),
    };
    Ok(export.gives.iter().map(part).collect())
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
