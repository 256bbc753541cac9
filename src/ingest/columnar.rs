//! Parquet and Arrow IPC, read by Polars.

use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use polars::prelude::{
    DataFrame, IpcReader, IpcStreamReader, ParquetReader, PolarsResult, SerReader,
};

use super::columns::Slots;
use super::error::IngestError;
use super::interchange;
use super::people::People;
use super::reject::Lines;
use super::sniff::{Bytes, Compression, Format};
use super::stream::{self, Body, Chunk, Cutter};
use super::table::Column;

/// How many rows go to a worker at a time.
pub(super) const ROWS: usize = 1 << 17;

/// What reads a file in columns, a few rows at a time.
pub(super) trait Decoder: Send {
    /// The columns that are taken of the next rows; none when there are no more.
    fn next(&mut self) -> Result<Option<Vec<Column>>, IngestError>;
}

/// A file in columns whose head was read. Its footer stands at its end, so all of its bytes are at hand.
pub(super) struct Opened {
    name: String,
    format: Format,
    bytes: bytes::Bytes,
    /// The names of its columns.
    pub names: Vec<Arc<str>>,
    /// The row groups of Parquet, by first row and length.
    groups: Vec<(usize, usize)>,
}

/// What is read of a file in columns.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// The places of the columns that are taken.
    pub taken: Vec<usize>,
    /// Whether the rows are of people.
    pub people: bool,
    /// How many rows are given at a time.
    pub rows: usize,
}

impl Opened {
    pub(super) fn open(
        name: &str,
        format: Format,
        bytes: bytes::Bytes,
    ) -> Result<Self, IngestError> {
        if format == Format::Parquet {
            refuse_decimals(name, &bytes)?;
        }
        let (names, groups) = guard(name, format, || head(format, &bytes))?;
        Ok(Opened {
            name: name.to_owned(),
            format,
            bytes,
            names,
            groups,
        })
    }

    /// What reads its rows, and what made its figures up where it says so.
    pub(super) fn decoder(self, wanted: Wanted) -> Result<(Box<dyn Decoder>, String), IngestError> {
        if wanted.people && self.format == Format::Parquet {
            let mut people = People::open(
                &self.name,
                self.bytes,
                &self.names,
                &wanted.taken,
                wanted.rows,
            )?;
            let synthetic = std::mem::take(&mut people.synthetic);
            return Ok((Box::new(people), synthetic));
        }
        let frames = Frames {
            name: self.name,
            format: self.format,
            bytes: self.bytes,
            names: self.names,
            wanted,
            groups: self.groups.into_iter(),
            frame: None,
            given: 0,
        };
        Ok((Box::new(frames), String::new()))
    }
}

/// All bytes of a file.
pub(super) fn all(
    name: &str,
    compression: Compression,
    mut source: Bytes,
    size: usize,
) -> Result<bytes::Bytes, IngestError> {
    // Grown step by step, a large file would stand in memory more than twice for a while.
    let mut bytes = Vec::with_capacity(size);
    source
        .read_to_end(&mut bytes)
        .map_err(|e| stream::failed(name, compression, e))?;
    Ok(bytes.into())
}

/// What Polars reads of a file.
struct Frames {
    name: String,
    format: Format,
    bytes: bytes::Bytes,
    names: Vec<Arc<str>>,
    wanted: Wanted,
    /// The row groups of Parquet that are still to be read, by first row and length.
    groups: std::vec::IntoIter<(usize, usize)>,
    /// What was read of the file and is still to be given.
    frame: Option<DataFrame>,
    given: usize,
}

impl Frames {
    /// Reads the next row group, or all of an Arrow file.
    fn read(&mut self) -> Result<Option<DataFrame>, IngestError> {
        let Some((first, length)) = self.groups.next() else {
            return Ok(None);
        };
        let (format, cursor) = (self.format, Cursor::new(self.bytes.clone()));
        let frame = guard(&self.name, format, || match format {
            Format::Parquet => ParquetReader::new(cursor)
                .with_slice(Some((first, length)))
                .finish(),
            Format::ArrowFile => IpcReader::new(cursor).finish(),
            _ => IpcStreamReader::new(cursor).finish(),
        })?;
        // A decoder that gives fewer rows than the file says it has would lose them silently.
        if format == Format::Parquet && frame.height() != length {
            return Err(corrupt(&self.name, format, "a row group ends early"));
        }
        Ok(Some(frame))
    }

    /// The columns that are taken of a few rows.
    fn columns(&self, frame: &DataFrame) -> Result<Vec<Column>, IngestError> {
        let mut columns: Vec<Column> = vec![];
        for place in &self.wanted.taken {
            let found = frame.columns().get(*place);
            let named = self.names.get(*place);
            let (Some(column), Some(name)) = (found, named) else {
                return Err(corrupt(&self.name, self.format, "a column is missing"));
            };
            let made = guard(&self.name, self.format, || interchange::column(column))?;
            let made = made.ok_or_else(|| IngestError::ColumnType {
                name: self.name.clone(),
                column: name.to_string(),
                found: column.dtype().to_string(),
            })?;
            columns.push(made);
        }
        if interchange::rows(&columns) != Some(frame.height()) {
            return Err(corrupt(
                &self.name,
                self.format,
                "columns of unequal length",
            ));
        }
        Ok(columns)
    }
}

impl Decoder for Frames {
    fn next(&mut self) -> Result<Option<Vec<Column>>, IngestError> {
        loop {
            let Some(frame) = &self.frame else {
                self.frame = self.read()?;
                if self.frame.is_none() {
                    return Ok(None);
                }
                self.given = 0;
                continue;
            };
            let length = self.wanted.rows.min(frame.height() - self.given);
            if length == 0 {
                self.frame = None;
                continue;
            }
            let part = frame.slice(self.given as i64, length);
            let columns = self.columns(&part)?;
            self.given += length;
            return Ok(Some(columns));
        }
    }
}

/// The rows of a file in columns, cut into chunks with their lines.
pub(super) struct Cut {
    decoder: Box<dyn Decoder>,
    slots: Slots,
    line: u64,
}

impl Cut {
    pub(super) fn new(decoder: Box<dyn Decoder>, slots: Slots) -> Self {
        Cut {
            decoder,
            slots,
            line: 1,
        }
    }
}

impl Cutter for Cut {
    fn next(&mut self) -> Result<Option<Chunk>, IngestError> {
        let Some(columns) = self.decoder.next()? else {
            return Ok(None);
        };
        let rows = interchange::rows(&columns).unwrap_or_default();
        let lines = Lines::successive(self.line, rows as u32);
        self.line += rows as u64;
        Ok(Some(Chunk {
            body: Body::Columns {
                columns,
                slots: self.slots.clone(),
            },
            lines,
            rejects: vec![],
        }))
    }
}

/// Polars is built here without decimal numbers, and panics where it meets them.
fn refuse_decimals(name: &str, bytes: &bytes::Bytes) -> Result<(), IngestError> {
    let schema = guard(name, Format::Parquet, || {
        // What is no sound Parquet is told by the reader that is to read it.
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).ok();
        Ok(reader.map(|reader| reader.schema().clone()))
    })?;
    let mut fields = schema.iter().flat_map(|schema| schema.fields());
    match fields.find(|f| f.data_type().is_decimal()) {
        None => Ok(()),
        Some(field) => Err(IngestError::ColumnType {
            name: name.to_owned(),
            column: field.name().clone(),
            found: field.data_type().to_string(),
        }),
    }
}

/// The names of a file's columns and the stretches of rows that it is read in.
type Head = (Vec<Arc<str>>, Vec<(usize, usize)>);

fn head(format: Format, bytes: &bytes::Bytes) -> PolarsResult<Head> {
    let cursor = Cursor::new(bytes.clone());
    let all = vec![(0, usize::MAX)];
    let (schema, groups) = match format {
        Format::Parquet => {
            let mut reader = ParquetReader::new(cursor);
            let schema = reader.schema()?;
            let mut first = 0;
            let groups = reader.get_metadata()?.row_groups.iter().map(|group| {
                first += group.num_rows();
                (first - group.num_rows(), group.num_rows())
            });
            let groups = groups.filter(|(_, rows)| *rows > 0).collect();
            (schema, groups)
        }
        Format::ArrowFile => (IpcReader::new(cursor).schema()?, all),
        _ => (Arc::new(IpcStreamReader::new(cursor).arrow_schema()?), all),
    };
    Ok((
        schema
            .iter_names()
            .map(|name| Arc::from(name.as_str()))
            .collect(),
        groups,
    ))
}

pub(super) fn corrupt(name: &str, format: Format, detail: impl ToString) -> IngestError {
    let format = if format == Format::Parquet {
        "Parquet"
    } else {
        "Arrow"
    };
    IngestError::Corrupt {
        name: name.to_owned(),
        format,
        detail: detail.to_string(),
    }
}

/// Runs a decoder, which may panic on bytes that no writer makes.
fn guard<T>(
    name: &str,
    format: Format,
    decode: impl FnOnce() -> PolarsResult<T>,
) -> Result<T, IngestError> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(Ok(decoded)) => Ok(decoded),
        Ok(Err(error)) => Err(corrupt(name, format, error)),
        Err(_) => Err(corrupt(name, format, "its decoder gave up")),
    }
}
