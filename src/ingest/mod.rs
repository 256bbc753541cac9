//! From the bytes of a file to rows in the schema of a table, and the rows that were not taken.
//!
//! What can't be read is rejected whole, with its line, its column and what is expected there; the
//! rest is kept, and what is kept and what is rejected add up to what was read. Nothing is dropped
//! or turned into something else without a word.
//!
//! One thread reads, decompresses and cuts the file into chunks of whole rows; workers read the
//! fields of a chunk (with Polars, which stays in this folder) and clean them; the calling thread
//! takes the chunks in the order of the file and decides what depends on the rows before.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use chrono_tz::Tz;

use crate::calendar::{Day, from_date32};
use crate::project::{self, OnConflict, Project, Source};
use crate::pseudonym::{Key, KeyError};
use crate::schema::Grain;
use crate::user_days::UserDays;

pub mod apart;
mod archive;
mod cell;
mod clean;
mod clean_disclosures;
mod clean_usage;
mod clean_user_days;
mod columnar;
mod columns;
mod coverage;
mod csv;
mod delimited;
mod error;
mod exports;
mod guard;
mod identity;
mod interchange;
mod json;
mod json_cut;
mod moment;
mod people;
mod pipeline;
mod platforms;
mod preview;
mod reject;
mod scan;
mod sniff;
mod stream;
mod table;
#[cfg(test)]
mod tests;
mod unpack;

pub use archive::{Failed, Limits, Member, Walk};
pub use coverage::{Coverage, SeriesKey};
pub use error::IngestError;
pub use exports::{
    Database, Exported, Live, Part, Series, Stretch, database_parts, family, formats, is_database,
    is_history, parts, rank,
};
pub use identity::{Content, content, identity};
pub use platforms::fold;
pub use preview::{Copied, Look, Proposed, copy, look};
pub use reject::Reject;
pub use sniff::{Compression, Format, compression};

use stream::failed;

/// The longest row that is read. Chunks are a few times smaller, so this bounds the memory that a
/// file without line feeds can take.
pub(crate) const LONGEST_ROW: usize = 16 << 20;

/// How many bytes of text a chunk has, unless the options say otherwise.
const CHUNK: usize = 8 << 20;

/// Where a file's bytes come from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// A file on disk.
    Path(PathBuf),
    /// Bytes at hand.
    Bytes(bytes::Bytes),
}

/// One file to read.
#[derive(Debug, Clone)]
pub struct Input {
    /// What it is called in messages.
    pub name: String,
    /// Where its bytes come from.
    pub origin: Origin,
    /// How much it may unpack to.
    pub limits: Limits,
}

impl Input {
    /// A file on disk.
    pub fn path(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Input {
            name: name.into(),
            origin: Origin::Path(path.into()),
            limits: Limits::default(),
        }
    }

    /// Bytes at hand.
    pub fn bytes(name: impl Into<String>, bytes: impl Into<bytes::Bytes>) -> Self {
        Input {
            name: name.into(),
            origin: Origin::Bytes(bytes.into()),
            limits: Limits::default(),
        }
    }

    /// The same, which may unpack to so much.
    pub fn within(self, limits: Limits) -> Self {
        Input { limits, ..self }
    }
}

/// How a file is read.
#[derive(Debug, Clone)]
pub struct Options {
    /// What essor.toml declares of the file.
    pub source: Source,
    /// The zone in which moments fall on days.
    pub zone: Tz,
    /// The platforms that the store holds already, as they are spelled there.
    pub known: Vec<String>,
    /// The name that each platform is kept under, by its aliases and by itself.
    pub aliases: BTreeMap<String, String>,
    /// The columns of files of people that split their users.
    pub dimensions: Vec<String>,
    /// What pseudonyms are made with, or why there is nothing.
    pub key: Result<Key, Arc<KeyError>>,
    /// Whether the same key twice in the file is refused or left to the store's views.
    pub on_conflict: OnConflict,
    /// The network that servers of the project belong to, where essor.toml names one.
    pub network: Option<String>,
    /// The day of an answer that does not say its own.
    pub at: Option<Day>,
    /// The program's format that the file is of, and what is taken of it; none for a table of rows.
    pub exported: Option<Exported>,
    /// Where foreign binary files are read; none for this process.
    pub apart: Option<apart::Apart>,
    /// How many workers clean chunks; 0 for as many as there are processors.
    pub threads: usize,
    /// How many bytes of text a chunk has, and at most how many rows of columns; 0 for the default.
    pub chunk: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            source: Source::default(),
            zone: Tz::UTC,
            known: vec![],
            aliases: BTreeMap::new(),
            dimensions: vec![],
            key: Err(Arc::new(KeyError::Missing)),
            on_conflict: OnConflict::default(),
            network: None,
            at: None,
            exported: None,
            apart: None,
            threads: 0,
            chunk: 0,
        }
    }
}

impl Options {
    /// How a project reads a file: by the source that matches its path, relative to the project's
    /// folder. `known` are the platforms that the store holds.
    pub fn of(project: &Project, relative: &str, known: Vec<String>) -> Self {
        let source = project.source(relative);
        // A project whose zones are not names is never opened, so the fallback is not reached.
        let zone = source
            .zone
            .as_deref()
            .and_then(|name| project::zone(name).ok())
            .unwrap_or(project.zone);
        let mut aliases = BTreeMap::new();
        for (name, platform) in &project.platforms {
            aliases.extend(
                platform
                    .aliases
                    .iter()
                    .map(|alias| (alias.trim().to_owned(), name.clone())),
            );
        }
        // A platform's own name stands for itself, whatever another lists as an alias.
        aliases.extend(
            project
                .platforms
                .keys()
                .map(|name| (name.clone(), name.clone())),
        );
        Options {
            source,
            zone,
            known,
            aliases,
            on_conflict: project.on_conflict,
            dimensions: project.dimensions.clone(),
            network: project.network.clone(),
            ..Options::default()
        }
    }
}

/// What was read of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// What the file gives.
    pub grain: Grain,
    /// The format of its decompressed bytes.
    pub format: Format,
    /// How it is compressed.
    pub compression: Compression,
    /// The hash and number of its decompressed bytes.
    pub content: Content,
    /// The identity of the load: the content with what is declared of it.
    pub identity: String,
    /// The rows of the file; the header and blank lines are none.
    pub rows_read: u64,
    /// Those that were taken, even where they give no figure (a wide row with empty cells).
    pub rows_kept: u64,
    /// Those that were not.
    pub rows_rejected: u64,
    /// Of those, the ones that give nothing by the rules of the format.
    pub rows_left_out: u64,
    /// The rows given to the table: a wide row gives one a figure.
    pub rows_given: u64,
    /// The first day with a figure.
    pub first_day: Option<Day>,
    /// The last day with a figure.
    pub last_day: Option<Day>,
    /// The days with figures, by server and by series.
    pub coverage: Coverage,
    /// The columns of a file of people that were not taken though nothing says so.
    pub passed_over: Vec<String>,
    /// What made the figures up, where the file says that they are; empty else.
    pub synthetic: String,
}

/// A stretch of what a file gives.
#[derive(Debug)]
pub enum Rows {
    /// Rows of a table, in the schema of [`schema`].
    Table(RecordBatch),
    /// Rows of people, under their pseudonyms.
    People(UserDays),
}

impl Summary {
    fn span(coverage: &Coverage) -> (Option<Day>, Option<Day>) {
        match coverage.span() {
            Some((first, last)) => (Some(from_date32(first)), Some(from_date32(last))),
            None => (None, None),
        }
    }
}

/// The schema of a grain's batches: the table's without its last column, `load`, which the store
/// adds.
pub fn schema(grain: Grain) -> SchemaRef {
    let table = grain.schema();
    let fields = table.fields();
    let without = fields.iter().take(fields.len().saturating_sub(1)).cloned();
    Arc::new(arrow::datatypes::Schema::new(without.collect::<Vec<_>>()))
}

/// Reads a file. `sink` gets its rows and rejects chunk by chunk, in the order of the file, on the
/// calling thread; an error of it ends the reading. On an error what was given so far must be
/// thrown away. The result does not depend on the number of threads, nor but for where it is cut
/// on the size of the chunks.
pub fn read<E: From<IngestError>>(
    input: &Input,
    options: &Options,
    sink: &mut dyn FnMut(Rows, Vec<Reject>) -> Result<(), E>,
) -> Result<Summary, E> {
    let opened = pipeline::open(input, options)?;
    opened.run(sink)
}
