//! Parquet and Arrow IPC, read by Polars.

use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use polars::prelude::{
    DataFrame, IpcReader, IpcStreamReader, ParquetReader, PolarsResult, SerReader,
};

use super::columns::{Layout, Role};
use super::error::IngestError;
use super::interchange;
use super::reject::Lines;
use super::sniff::{Bytes, Compression, Format};
use super::stream::{self, Body, Chunk, Cutter};
use super::table::Column;

/// How many rows go to a worker at a time.
pub(super) const ROWS: usize = 1 << 17;

/// A file in columns. Its footer stands at its end, so all of its bytes are at hand.
pub(super) struct File {
    name: String,
    format: Format,
    bytes: bytes::Bytes,
    layout: Option<Arc<Layout>>,
    rows: usize,
    /// The row groups of Parquet that are still to be read, by first row and length.
    groups: std::vec::IntoIter<(usize, usize)>,
    /// What was read of the file and is still to be given.
    frame: Option<DataFrame>,
    given: usize,
    line: u64,
}

impl File {
    pub(super) fn open(
        name: &str,
        format: Format,
        compression: Compression,
        mut source: Bytes,
        size: usize,
        rows: usize,
    ) -> Result<(Self, Vec<Arc<str>>), IngestError> {
        // Grown step by step, a large file would stand in memory more than twice for a while.
        let mut bytes = Vec::with_capacity(size);
        source
            .read_to_end(&mut bytes)
            .map_err(|e| stream::failed(name, compression, e))?;
        let bytes = bytes::Bytes::from(bytes);
        if format == Format::Parquet {
            refuse_decimals(name, &bytes)?;
        }
        let (names, groups) = guard(name, format, || head(format, &bytes))?;
        let rows = rows.clamp(1, ROWS);
        let groups = groups.into_iter();
        let file = File {
            name: name.to_owned(),
            format,
            bytes,
            layout: None,
            rows,
            groups,
            frame: None,
            given: 0,
            line: 1,
        };
        Ok((file, names))
    }

    /// The bytes of the file, for another reader of them.
    pub(super) fn bytes(&self) -> bytes::Bytes {
        self.bytes.clone()
    }

    /// The layout decided from the names, without which no column can be taken.
    pub(super) fn with_layout(mut self, layout: Arc<Layout>) -> Self {
        self.layout = Some(layout);
        self
    }

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
    fn body(&self, frame: &DataFrame) -> Result<Body, IngestError> {
        let layout = self
            .layout
            .as_ref()
            .ok_or_else(|| corrupt(&self.name, self.format, "no columns"))?;
        let (mut names, mut columns): (Vec<Arc<str>>, Vec<Column>) = (vec![], vec![]);
        for column in frame.columns() {
            let name: Arc<str> = Arc::from(column.name().as_str());
            if layout.role(&name)? == Role::Ignored {
                continue;
            }
            let found = || column.dtype().to_string();
            let made = guard(&self.name, self.format, || interchange::column(column))?;
            let made = made.ok_or_else(|| IngestError::ColumnType {
                name: self.name.clone(),
                column: name.to_string(),
                found: found(),
            })?;
            names.push(name);
            columns.push(made);
        }
        let slots = layout.slots(&names)?;
        if interchange::rows(&columns) != Some(frame.height()) {
            return Err(corrupt(
                &self.name,
                self.format,
                "columns of unequal length",
            ));
        }
        Ok(Body::Columns { columns, slots })
    }
}

impl Cutter for File {
    fn next(&mut self) -> Result<Option<Chunk>, IngestError> {
        loop {
            let Some(frame) = &self.frame else {
                self.frame = self.read()?;
                if self.frame.is_none() {
                    return Ok(None);
                }
                self.given = 0;
                continue;
            };
            let length = self.rows.min(frame.height() - self.given);
            if length == 0 {
                self.frame = None;
                continue;
            }
            let part = frame.slice(self.given as i64, length);
            let body = self.body(&part)?;
            let lines = Lines::successive(self.line, length as u32);
            self.given += length;
            self.line += length as u64;
            return Ok(Some(Chunk {
                body,
                lines,
                rejects: vec![],
            }));
        }
    }
}

type Head = (Vec<Arc<str>>, Vec<(usize, usize)>);

/// The names of a file's columns and the stretches of rows that it is read in.
/// Polars is built here without decimal numbers, and panics where it meets them.
fn refuse_decimals(name: &str, bytes: &bytes::Bytes) -> Result<(), IngestError> {
    let Ok(reader) = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()) else {
        // What is no sound Parquet is told by the reader that is to read it.
        return Ok(());
    };
    let schema = reader.schema();
    match schema.fields().iter().find(|f| f.data_type().is_decimal()) {
        None => Ok(()),
        Some(field) => Err(IngestError::ColumnType {
            name: name.to_owned(),
            column: field.name().clone(),
            found: field.data_type().to_string(),
        }),
    }
}

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

fn corrupt(name: &str, format: Format, detail: impl ToString) -> IngestError {
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
