//! Writes the rows of one load into its partition of one table.

use std::sync::Arc;
use std::thread::JoinHandle;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::kernels::aggregate::{max, min};
use arrow::datatypes::{Date32Type, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use deltalake::kernel::Add;
use object_store::path::Path;
use object_store::{ObjectStore, PutOptions};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::seal::sealed;
use super::{StoreError, delta, schema_of};
use crate::calendar;

/// Rows a file holds at most: large enough to read fast, small enough to encode in memory.
const ROWS_A_FILE: usize = 1 << 20;

/// One encoded file, not yet on disk.
struct Encoded {
    bytes: Vec<u8>,
    rows: usize,
    days: Option<(i32, i32)>,
}

/// Encodes batches into Parquet on threads of its own and puts the files in their place at the end.
///
/// Nothing it writes is seen before the table's log names it.
pub struct Writer {
    table: &'static str,
    storage: Arc<dyn ObjectStore>,
    pending: Vec<RecordBatch>,
    rows: usize,
    encoding: Vec<JoinHandle<Result<Encoded, parquet::errors::ParquetError>>>,
    encoded: Vec<Encoded>,
}

impl Writer {
    pub(super) fn new(table: &'static str, storage: Arc<dyn ObjectStore>) -> Self {
        Writer {
            table,
            storage,
            pending: Vec::new(),
            rows: 0,
            encoding: Vec::new(),
            encoded: Vec::new(),
        }
    }

    /// The table that it writes to.
    pub fn table(&self) -> &'static str {
        self.table
    }

    /// Whether the rows of a load stand in a folder of their own, which says whose they are.
    fn partitioned(&self) -> bool {
        self.table != "loads"
    }

    /// Takes rows in the table's schema, with or without the column `load` at its end.
    pub fn write(&mut self, batch: RecordBatch) -> Result<(), StoreError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.rows += batch.num_rows();
        self.pending.push(batch);
        if self.rows >= ROWS_A_FILE {
            self.encode()?;
        }
        Ok(())
    }

    /// Hands what is pending to a thread that encodes it, and waits where two are busy already.
    fn encode(&mut self) -> Result<(), StoreError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        if self.encoding.len() >= 2 {
            let oldest = self.encoding.remove(0);
            self.collect(oldest)?;
        }
        let batches = std::mem::take(&mut self.pending);
        self.rows = 0;
        let schema = match self.partitioned() {
            true => without_load(&schema_of(self.table)),
            false => schema_of(self.table),
        };
        self.encoding
            .push(std::thread::spawn(move || encode(&schema, &batches)));
        Ok(())
    }

    fn collect(
        &mut self,
        thread: JoinHandle<Result<Encoded, parquet::errors::ParquetError>>,
    ) -> Result<(), StoreError> {
        let refused = |source| StoreError::Parquet {
            table: self.table.to_owned(),
            source,
        };
        let encoded = thread
            .join()
            .map_err(|_| {
                refused(parquet::errors::ParquetError::General(
                    "an encoder stopped".into(),
                ))
            })?
            .map_err(refused)?;
        self.encoded.push(encoded);
        Ok(())
    }

    /// Puts the files of `load` on disk and returns what the table's log is to say of them.
    pub(super) async fn close(mut self, load: &str) -> Result<Vec<Add>, StoreError> {
        self.encode()?;
        for thread in std::mem::take(&mut self.encoding) {
            self.collect(thread)?;
        }
        let mut adds = Vec::with_capacity(self.encoded.len());
        for (part, file) in std::mem::take(&mut self.encoded).into_iter().enumerate() {
            let name = match self.partitioned() {
                true => format!("load={load}/part-{part:05}.parquet"),
                false => format!("{load}.parquet"),
            };
            let name = sealed(&name, &file.bytes);
            let size = file.bytes.len() as i64;
            let stats = statistics(&file);
            let at = Path::from(name.as_str());
            self.storage
                .put_opts(&at, file.bytes.into(), PutOptions::default())
                .await
                .map_err(|e| delta(self.table, e.into()))?;
            adds.push(Add {
                path: name,
                partition_values: self
                    .partitioned()
                    .then(|| ("load".to_owned(), Some(load.to_owned())))
                    .into_iter()
                    .collect(),
                size,
                modification_time: chrono::Utc::now().timestamp_millis(),
                data_change: true,
                stats: Some(stats),
                ..Add::default()
            });
        }
        Ok(adds)
    }
}

fn without_load(schema: &SchemaRef) -> SchemaRef {
    let fields: Vec<_> = schema
        .fields()
        .iter()
        .filter(|f| f.name() != "load")
        .cloned()
        .collect();
    Arc::new(Schema::new(fields))
}

fn encode(
    schema: &SchemaRef,
    batches: &[RecordBatch],
) -> Result<Encoded, parquet::errors::ParquetError> {
    // Least and greatest texts would cost two comparisons a value and serve no query; days are what
    // files and row groups are passed over by. Values seldom repeat: a dictionary of them is not worth
    // its making.
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled("day".into(), EnabledStatistics::Chunk)
        .set_column_dictionary_enabled("value".into(), false)
        .set_column_encoding("value".into(), Encoding::DELTA_BINARY_PACKED)
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties))?;
    let mut rows = 0;
    let mut days: Option<(i32, i32)> = None;
    for batch in batches {
        let columns: Result<Vec<_>, _> = schema
            .fields()
            .iter()
            .map(|f| as_stored(batch, f))
            .collect();
        let batch = RecordBatch::try_new(schema.clone(), columns?)?;
        rows += batch.num_rows();
        days = widen(days, day_span(&batch));
        writer.write(&batch)?;
    }
    Ok(Encoded {
        bytes: writer.into_inner()?,
        rows,
        days,
    })
}

/// A column of a batch as the table holds it: text may come as views or dictionaries.
fn as_stored(batch: &RecordBatch, field: &Field) -> Result<ArrayRef, ArrowError> {
    let column = batch.column(batch.schema_ref().index_of(field.name())?);
    if column.data_type() == field.data_type() {
        return Ok(column.clone());
    }
    arrow::compute::cast(column, field.data_type())
}

fn day_span(batch: &RecordBatch) -> Option<(i32, i32)> {
    let column = batch.column_by_name("day")?;
    let days = column.as_primitive_opt::<Date32Type>()?;
    Some((min(days)?, max(days)?))
}

fn widen(a: Option<(i32, i32)>, b: Option<(i32, i32)>) -> Option<(i32, i32)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (a, b) => a.or(b),
    }
}

/// The file's statistics as Delta's log holds them: what a reader needs to pass over files by day.
fn statistics(file: &Encoded) -> String {
    let mut stats = serde_json::json!({ "numRecords": file.rows });
    if let Some((first, last)) = file.days {
        let text = |d| calendar::from_date32(d).to_string();
        stats["minValues"] = serde_json::json!({ "day": text(first) });
        stats["maxValues"] = serde_json::json!({ "day": text(last) });
        stats["nullCount"] = serde_json::json!({ "day": 0 });
    }
    stats.to_string()
}
