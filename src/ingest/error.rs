//! Why a file can't be read at all. What is wrong with one row only is a [`super::Reject`].

use std::sync::Arc;

use crate::pseudonym::KeyError;
use crate::schema::Grain;

/// Why a file gives nothing.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The file can't be opened or read.
    #[error("can't read `{name}`")]
    Read {
        /// The file.
        name: String,
        /// Why.
        source: std::io::Error,
    },
    /// The compressed bytes are damaged or cut short.
    #[error(
        "`{name}` can't be decompressed: the {compression} data is damaged or cut short; copy or make it again"
    )]
    Compression {
        /// The file.
        name: String,
        /// `gzip`, `zstd`, `bzip2` or `xz`.
        compression: &'static str,
        /// What the decoder says.
        source: std::io::Error,
    },
    /// There is nothing in it.
    #[error("`{name}` is empty; a file needs at least a header line")]
    Empty {
        /// The file.
        name: String,
    },
    /// None of the formats that are read.
    #[error(
        "`{name}` is {found}, which is not read; give CSV, NDJSON, JSON, Parquet or Arrow (gzip, zstd, bzip2, xz, zip and tar are fine)"
    )]
    Format {
        /// The file.
        name: String,
        /// What it looks like.
        found: &'static str,
    },
    /// `--as` names no format.
    #[error(
        "`{name}` can't be read as `{given}`: there is no such format; the formats are {known}"
    )]
    UnknownExport {
        /// The file.
        name: String,
        /// What was given.
        given: String,
        /// The formats.
        known: String,
    },
    /// An answer that does not say whose it is, or of which day.
    #[error(
        "`{name}` is {export}, which does not say its {what}, and its name names none; say it with `{flag}` (as in `{flag} {example}`), or put it in the file's name"
    )]
    Unsaid {
        /// The file.
        name: String,
        /// What it is.
        export: &'static str,
        /// What is unsaid.
        what: &'static str,
        /// The option that says it.
        flag: &'static str,
        /// An example of its value.
        example: &'static str,
    },
    /// More is in an archive than is taken unasked.
    #[error("`{name}` {limit}; raise the cap with `{flag}` if that is meant")]
    Cap {
        /// The archive or the member.
        name: String,
        /// What there is too much of, as a sentence goes on.
        limit: String,
        /// The option that raises the cap.
        flag: &'static str,
    },
    /// A member of an archive that only a password opens.
    #[error("`{name}` is encrypted, which is not read; decrypt it and ingest it again")]
    Encrypted {
        /// The member.
        name: String,
    },
    /// A member of an archive can't be written where it is read from.
    #[error(
        "`{name}` can't be unpacked into a temporary file; make room there, or name another folder in TMPDIR"
    )]
    Spool {
        /// The member.
        name: String,
        /// Why.
        source: std::io::Error,
    },
    /// An export whose figures mean nothing that is known here.
    #[error("`{name}` is {export}, but {detail}")]
    Meaningless {
        /// The file.
        name: String,
        /// What it is.
        export: &'static str,
        /// What is missing and what to do.
        detail: String,
    },
    /// The format is known, but its bytes are not sound.
    #[error("`{name}` is not sound {format}: {detail}; make it again at its source")]
    Corrupt {
        /// The file.
        name: String,
        /// The format.
        format: &'static str,
        /// What the decoder says.
        detail: String,
    },
    /// The process that reads it can't be started.
    #[error("`{name}` can't be read: no process to read it in can be started")]
    Reader {
        /// The file.
        name: String,
        /// Why.
        source: std::io::Error,
    },
    /// The process that read it has ended.
    #[error(
        "the reader of `{name}` died ({how}): the file is broken or hostile, or needs more memory than essor may take; make it again at its source, or raise `memory` in essor.toml"
    )]
    Died {
        /// The file.
        name: String,
        /// By which signal, and what it said.
        how: String,
    },
    /// It was written to while it was read.
    #[error("`{name}` changed while it was read; ingest it again when it is whole")]
    Changed {
        /// The file.
        name: String,
    },
    /// A database does not answer as one of its kind.
    #[error("`{name}` can't be asked")]
    Database {
        /// The database, without its password.
        name: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file or database of a known kind with nothing in it that is read.
    #[error("`{name}` is {found}; {advice}")]
    NothingKnown {
        /// The file or database.
        name: String,
        /// What it looks like.
        found: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// A line too long to be a row.
    #[error("`{name}` has a row of more than {} MiB at line {line}; that is no table of rows", super::LONGEST_ROW >> 20)]
    Endless {
        /// The file.
        name: String,
        /// Where it starts.
        line: u64,
    },
    /// The header of a CSV file can't be used.
    #[error("the header of `{name}` can't be used: {detail}")]
    Header {
        /// The file.
        name: String,
        /// What is wrong and what to do.
        detail: String,
    },
    /// Something that can be read in two ways.
    #[error(
        "it can't be told of `{name}` {what}: {detail}; in essor.toml, below the file's [[source]], say `{advice}`"
    )]
    Undecided {
        /// The file.
        name: String,
        /// What can't be told.
        what: String,
        /// Why.
        detail: String,
        /// What to declare.
        advice: String,
    },
    /// A column that is nothing known.
    #[error("`{column}` in `{name}` is not a metric or a column known here{}; in essor.toml, below the file's [[source]], take it with `columns = {{ \"{column}\" = \"{}\" }}` or leave it out with `ignore = [\"{column}\"]`", .near.as_ref().map(|n| format!(" (did you mean `{n}`?)")).unwrap_or_default(), .near.as_deref().unwrap_or(if column.to_lowercase().contains("date") || column.to_lowercase().contains("day") { "day" } else { "METRIC" }))]
    UnknownColumn {
        /// The file.
        name: String,
        /// The column, by the file's name.
        column: String,
        /// The nearest known name.
        near: Option<String>,
    },
    /// A column that looks like what must not be kept.
    #[error(
        "`{column}` in `{name}` looks like content or identity, of which nothing is kept; in essor.toml, below the file's [[source]], drop it with `ignore = [\"{column}\"]`, or, if it is the id of a user, make pseudonyms of it with `columns = {{ \"{column}\" = \"user\" }}`"
    )]
    Suspicious {
        /// The file.
        name: String,
        /// The column, by the file's name.
        column: String,
    },
    /// Two columns that mean the same.
    #[error(
        "`{first}` and `{second}` in `{name}` both give `{meaning}`; leave one out in essor.toml with `ignore = [\"{second}\"]`"
    )]
    TwoColumns {
        /// The file.
        name: String,
        /// One of them.
        first: String,
        /// The other.
        second: String,
        /// What both give.
        meaning: String,
    },
    /// A column that must be there is not.
    #[error("`{name}` has no `{column}` column, which {grain} need; {advice}")]
    MissingColumn {
        /// The file.
        name: String,
        /// The column.
        column: &'static str,
        /// What the file gives.
        grain: &'static str,
        /// How to declare it.
        advice: String,
    },
    /// A column of a type that holds no such values.
    #[error(
        "`{column}` in `{name}` is of type {found}; give text, whole numbers, or a date or timestamp for the day"
    )]
    ColumnType {
        /// The file.
        name: String,
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// `essor.toml` says something of the file's columns that is not so.
    #[error("essor.toml says `{key} = {value}` for `{name}`: {detail}")]
    Declared {
        /// The file.
        name: String,
        /// The key in `[[source]]`.
        key: &'static str,
        /// What it says.
        value: String,
        /// What is wrong and what to do.
        detail: String,
    },
    /// The file is of people, and there is no key to make pseudonyms with.
    #[error("`{name}` holds user ids: {source}")]
    Key {
        /// The file.
        name: String,
        /// Why there is none.
        source: Arc<KeyError>,
    },
    /// A stage failed in a way that no file should bring about.
    #[error("reading `{name}` failed inside: {detail}; this is a fault of essor, please report it")]
    Internal {
        /// The file.
        name: String,
        /// What failed.
        detail: String,
    },
}

/// What a grain is called in a message.
pub(super) fn plural(grain: Grain) -> &'static str {
    match grain {
        Grain::Disclosures => "disclosures",
        Grain::Usage => "usage figures",
        Grain::Activity => "user-days",
        Grain::Signups => "signups",
    }
}
