//! Parquet files: one a day, and one of signups.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, DictionaryArray, RecordBatch, StringArray, UInt8Array, UInt32Array,
    UInt64Array,
};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt8Type};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::SimulateError;
use super::block::Columns;
use super::value::{CLIENTS, COUNTRIES};
use crate::calendar::{Day, date32};

/// The key of a file's metadata that says that nothing in it is real.
pub const SYNTHETIC: &str = "essor.synthetic";

/// A file that is open only while bytes go to it, so that hundreds may be written side by side.
#[derive(Debug)]
struct Appended {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Appended {
    fn create(path: &Path) -> io::Result<Self> {
        File::create(path)?;
        Ok(Appended {
            path: path.to_owned(),
            bytes: vec![],
        })
    }
}

impl Write for Appended {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let mut file = OpenOptions::new().append(true).open(&self.path)?;
        file.write_all(&std::mem::take(&mut self.bytes))
    }
}

/// One Parquet file being written.
struct Table {
    path: PathBuf,
    schema: SchemaRef,
    writer: ArrowWriter<Appended>,
}

impl Table {
    fn create(
        path: PathBuf,
        schema: SchemaRef,
        properties: WriterProperties,
    ) -> Result<Self, SimulateError> {
        let file = Appended::create(&path).map_err(|source| SimulateError::Write {
            path: path.clone(),
            source,
        })?;
        // Arrow's own schema is left out: readers take texts as texts, not as Arrow dictionaries.
        let options = ArrowWriterOptions::new()
            .with_properties(properties)
            .with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(file, schema.clone(), options)
            .map_err(|source| failed(&path, source))?;
        Ok(Table {
            path,
            schema,
            writer,
        })
    }

    fn write(&mut self, columns: Vec<ArrayRef>) -> Result<(), SimulateError> {
        let batch = RecordBatch::try_new(self.schema.clone(), columns)?;
        self.writer
            .write(&batch)
            .map_err(|source| failed(&self.path, source))
    }

    /// Ends a row group and hands its bytes to the system.
    fn end_group(&mut self) -> Result<(), SimulateError> {
        self.writer
            .flush()
            .and_then(|()| self.writer.sync().map_err(ParquetError::from))
            .map_err(|source| failed(&self.path, source))
    }

    fn finish(mut self) -> Result<(), SimulateError> {
        self.writer
            .finish()
            .and_then(|_| self.writer.sync().map_err(ParquetError::from))
            .map_err(|source| failed(&self.path, source))
    }
}

fn failed(path: &Path, source: ParquetError) -> SimulateError {
    SimulateError::Parquet {
        path: path.to_owned(),
        source,
    }
}

/// How all files are written. Pseudonyms are as good as noise: no dictionary, no compression, no
/// statistics help with them.
fn properties(note: &str, day: &str) -> WriterProperties {
    let column = |name: &str| ColumnPath::from(name);
    WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_key_value_metadata(Some(vec![KeyValue::new(
            SYNTHETIC.to_owned(),
            format!("simulated by {note}"),
        )]))
        .set_max_row_group_row_count(None)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(column(day), EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_column_dictionary_enabled(column("user"), false)
        .set_column_encoding(column("user"), Encoding::PLAIN)
        .set_column_dictionary_enabled(column("messages"), false)
        .set_column_encoding(column("messages"), Encoding::DELTA_BINARY_PACKED)
        .build()
}

/// The columns of a block as Arrow holds them.
pub(super) struct Arrays {
    users: UInt64Array,
    messages: UInt32Array,
    countries: DictionaryArray<UInt8Type>,
    clients: DictionaryArray<UInt8Type>,
    days: Vec<std::ops::Range<usize>>,
}

impl Arrays {
    /// Takes the columns over without copying them.
    pub(super) fn of(columns: Columns, days: usize) -> Result<Self, SimulateError> {
        let days = (0..days).map(|day| columns.day(day)).collect();
        let texts = |keys: Vec<u8>, texts: &[&str]| {
            let texts = StringArray::from_iter_values(texts);
            DictionaryArray::try_new(UInt8Array::from(keys), Arc::new(texts))
        };
        Ok(Arrays {
            users: UInt64Array::new(ScalarBuffer::from(columns.users), None),
            messages: UInt32Array::new(ScalarBuffer::from(columns.messages), None),
            countries: texts(columns.countries, &COUNTRIES)?,
            clients: texts(columns.clients, &CLIENTS)?,
            days,
        })
    }
}

/// The file of one day.
pub(super) struct DayFile {
    table: Table,
    day: i32,
}

impl DayFile {
    /// Begins `YYYY-MM-DD.parquet` in `folder`.
    pub(super) fn create(folder: &Path, day: Day, note: &str) -> Result<Self, SimulateError> {
        let text = DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Utf8));
        let schema = Schema::new(vec![
            Field::new("user", DataType::UInt64, false),
            Field::new("day", DataType::Date32, false),
            Field::new("messages", DataType::UInt32, false),
            Field::new("country", text.clone(), false),
            Field::new("client", text, false),
        ]);
        let path = folder.join(format!("{day}.parquet"));
        Ok(DayFile {
            table: Table::create(path, Arc::new(schema), properties(note, "day"))?,
            day: date32(day),
        })
    }

    /// Writes what blocks have of the day, the `day`-th asked for, as one row group.
    pub(super) fn write(&mut self, blocks: &[Arrays], day: usize) -> Result<(), SimulateError> {
        for arrays in blocks {
            let rows = arrays.days[day].clone();
            if rows.is_empty() {
                continue;
            }
            let (start, length) = (rows.start, rows.len());
            self.table.write(vec![
                Arc::new(arrays.users.slice(start, length)),
                Arc::new(Date32Array::from_value(self.day, length)),
                Arc::new(arrays.messages.slice(start, length)),
                Arc::new(arrays.countries.slice(start, length)),
                Arc::new(arrays.clients.slice(start, length)),
            ])?;
        }
        self.table.end_group()
    }

    /// Ends the file.
    pub(super) fn finish(self) -> Result<(), SimulateError> {
        self.table.finish()
    }
}

/// The file of signups.
pub(super) struct SignupFile {
    table: Table,
    rows: usize,
}

impl SignupFile {
    /// Rows in a group.
    const GROUP: usize = 1 << 20;

    /// Begins the file.
    pub(super) fn create(path: PathBuf, note: &str) -> Result<Self, SimulateError> {
        let schema = Schema::new(vec![
            Field::new("user", DataType::UInt64, false),
            Field::new("signup_day", DataType::Date32, false),
        ]);
        let properties = properties(note, "signup_day");
        Ok(SignupFile {
            table: Table::create(path, Arc::new(schema), properties)?,
            rows: 0,
        })
    }

    /// Writes users who signed up on one day.
    pub(super) fn write(&mut self, users: Vec<u64>, day: i32) -> Result<(), SimulateError> {
        let rows = users.len();
        self.table.write(vec![
            Arc::new(UInt64Array::from(users)),
            Arc::new(Date32Array::from_value(day, rows)),
        ])?;
        self.rows += rows;
        if self.rows >= Self::GROUP {
            self.rows = 0;
            self.table.end_group()?;
        }
        Ok(())
    }

    /// Ends the file.
    pub(super) fn finish(self) -> Result<(), SimulateError> {
        self.table.finish()
    }
}
