//! The tables of people: `accounts`, which gives each pseudonym its id, and `activity`, its bitmaps.
//!
//! Several loads are committed together: the accounts first (an id once given stays given, whether
//! or not the load that brought it counts), then the bitmaps under a part of the group's own, and last
//! the loads' rows in one commit. A part whose loads never came into `loads` is taken out by the next
//! writer, as any load's rows are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BinaryBuilder, Date32Array, Int32Array, ListBuilder, RecordBatch,
    StringArray,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use chrono::Datelike;
use deltalake::kernel::{Action, Add};
use object_store::path::Path;
use object_store::{ObjectStore, PutOptions};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use rayon::prelude::*;

use super::seal::sealed;
use super::{MERGED, Store, StoreError, delta, disk, refused, write_operation};
use crate::activity::{Census, Row};
use crate::calendar::{self, Day};
use crate::pseudonym::Pseudonym;
use crate::schema::{self, BUCKET};

/// Rows of bitmaps that are read or passed over together.
const ROW_GROUP: usize = 1 << 10;

/// The bitmaps of one load.
pub struct LoadRows {
    /// The load.
    pub load: Arc<str>,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// One file on its way to disk.
pub(super) struct NewFile {
    pub path: String,
    pub bytes: Vec<u8>,
    pub partition: Vec<(String, String)>,
    pub rows: usize,
    pub days: Option<(i32, i32)>,
}

impl Store {
    /// All accounts, for new rows to be looked up in.
    pub fn census(&self) -> Result<Census, StoreError> {
        let files = self.files("accounts")?;
        let mut readers = Vec::new();
        let mut accounts = 0;
        for path in &files {
            let builder = self.reader("accounts", path)?;
            accounts += builder.metadata().file_metadata().num_rows() as usize;
            readers.push(builder);
        }
        let mut census = Census::with_capacity(accounts);
        for builder in readers {
            let reader = builder.with_batch_size(1 << 20).build();
            for batch in reader.map_err(|e| parquet("accounts", e))? {
                let batch = batch.map_err(|e| parquet("accounts", e.into()))?;
                census.remember(&accounts_of(&batch)?);
            }
        }
        Ok(census)
    }

    /// Commits accounts that were just numbered.
    pub async fn commit_accounts(&mut self, fresh: &[(Pseudonym, u32)]) -> Result<(), StoreError> {
        let Some((_, first)) = fresh.first() else {
            return Ok(());
        };
        let name = format!("accounts-{first:010}-{}.parquet", fresh.len());
        let file = NewFile {
            path: name,
            bytes: encode_accounts(fresh).map_err(|e| parquet("accounts", e))?,
            partition: vec![],
            rows: fresh.len(),
            days: None,
        };
        let adds = self.put("accounts", vec![file]).await?;
        self.commit("accounts", adds, write_operation("accounts"), vec![])
            .await
    }

    /// Commits the bitmaps of some loads, which stay unseen until [`Store::finish_all`].
    pub async fn commit_activity(&mut self, loads: Vec<LoadRows>) -> Result<(), StoreError> {
        let Some(group) = loads.first().map(|l| l.load.clone()) else {
            return Ok(());
        };
        let mut months: BTreeMap<i32, Vec<(Arc<str>, Row)>> = BTreeMap::new();
        for load in loads {
            for row in load.rows {
                let rows = months.entry(month_of(row.cell.day)).or_default();
                rows.push((load.load.clone(), row));
            }
        }
        if disk::bug("swap-bitmaps") {
            swap_two(&mut months);
        }
        let files: Result<Vec<NewFile>, ParquetError> = months
            .into_iter()
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|(month, rows)| encode_month(month, rows, &group))
            .collect();
        let adds = self
            .put("activity", files.map_err(|e| parquet("activity", e))?)
            .await?;
        self.commit("activity", adds, write_operation("activity"), vec![])
            .await
    }

    /// The paths of a table's files, in the order of their names.
    pub(super) fn files(&self, name: &'static str) -> Result<Vec<String>, StoreError> {
        let snapshot = self.table(name)?.snapshot().map_err(|e| delta(name, e))?;
        let mut files: Vec<String> = snapshot
            .log_data()
            .iter()
            .map(|file| file.path().to_string())
            .collect();
        files.sort();
        Ok(files)
    }

    pub(super) fn reader(
        &self,
        table: &'static str,
        path: &str,
    ) -> Result<ParquetRecordBatchReaderBuilder<File>, StoreError> {
        let at = self.folder().join(table).join(path);
        let file = File::open(&at).map_err(|e| refused(&at, e))?;
        ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| parquet(table, e))
    }

    /// Puts files on disk and returns what the table's log is to say of them.
    pub(super) async fn put(
        &self,
        table: &'static str,
        files: Vec<NewFile>,
    ) -> Result<Vec<Action>, StoreError> {
        let storage = self.table(table)?.log_store().object_store(None);
        let mut adds = Vec::with_capacity(files.len());
        for file in files {
            let size = file.bytes.len() as i64;
            let stats = statistics(&file);
            let path = sealed(&file.path, &file.bytes);
            storage
                .put_opts(
                    &Path::from(path.as_str()),
                    file.bytes.into(),
                    PutOptions::default(),
                )
                .await
                .map_err(|e| delta(table, e.into()))?;
            let partition = file.partition.into_iter().map(|(k, v)| (k, Some(v)));
            adds.push(Action::Add(Add {
                path,
                partition_values: partition.collect(),
                size,
                modification_time: chrono::Utc::now().timestamp_millis(),
                data_change: true,
                stats: Some(stats),
                ..Add::default()
            }));
        }
        Ok(adds)
    }

    /// The parts of `activity` that belong to no load: what a crash left.
    pub fn unfinished_parts(&self) -> Result<BTreeSet<String>, StoreError> {
        let known: BTreeSet<&str> = self.loads().iter().map(|l| l.load.as_str()).collect();
        let mut parts = self.partitions("activity", "part")?;
        parts.retain(|part| part != MERGED && !known.contains(part.as_str()));
        Ok(parts)
    }
}

pub(super) fn parquet(table: &str, source: ParquetError) -> StoreError {
    StoreError::Parquet {
        table: table.to_owned(),
        source,
    }
}

/// The first day of the month of a day.
pub(super) fn month_of(day: i32) -> i32 {
    let day: Day = calendar::from_date32(day);
    day.with_day(1).map_or(0, calendar::date32)
}

/// The file's statistics as Delta's log holds them.
fn statistics(file: &NewFile) -> String {
    let mut stats = serde_json::json!({ "numRecords": file.rows });
    if let Some((first, last)) = file.days {
        let text = |d| calendar::from_date32(d).to_string();
        stats["minValues"] = serde_json::json!({ "day": text(first) });
        stats["maxValues"] = serde_json::json!({ "day": text(last) });
        stats["nullCount"] = serde_json::json!({ "day": 0 });
    }
    stats.to_string()
}

pub(super) fn accounts_of(batch: &RecordBatch) -> Result<Vec<(Pseudonym, u32)>, StoreError> {
    let shape = |column: &str| StoreError::Shape {
        table: "accounts",
        column: column.to_owned(),
    };
    let column = |name: &str| batch.column_by_name(name).ok_or_else(|| shape(name));
    let number = |name: &str| {
        let found = column(name)?.as_primitive_opt::<Int32Type>();
        found.ok_or_else(|| shape(name))
    };
    let pseudonyms = column("pseudonym")?.as_binary_opt::<i32>();
    let pseudonyms = pseudonyms.ok_or_else(|| shape("pseudonym"))?;
    let (buckets, ids) = (number("bucket")?, number("id")?);
    let mut accounts = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let pseudonym = Pseudonym::try_from(pseudonyms.value(row));
        let id = buckets.value(row) as u32 * BUCKET + ids.value(row) as u32;
        accounts.push((pseudonym.map_err(|_| shape("pseudonym"))?, id));
    }
    Ok(accounts)
}

pub(super) fn encode_accounts(accounts: &[(Pseudonym, u32)]) -> Result<Vec<u8>, ParquetError> {
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_encoding("bucket".into(), Encoding::DELTA_BINARY_PACKED)
        .set_column_encoding("id".into(), Encoding::DELTA_BINARY_PACKED)
        .build();
    let schema = schema::ACCOUNTS.clone();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties))?;
    for accounts in accounts.chunks(1 << 20) {
        let mut pseudonyms = BinaryBuilder::with_capacity(accounts.len(), accounts.len() * 16);
        accounts
            .iter()
            .for_each(|(p, _)| pseudonyms.append_value(p));
        let number = |of: fn(u32) -> u32| -> ArrayRef {
            let numbers = accounts.iter().map(|(_, id)| of(*id) as i32);
            Arc::new(Int32Array::from_iter_values(numbers))
        };
        let columns = vec![
            Arc::new(pseudonyms.finish()) as ArrayRef,
            number(|id| id / BUCKET),
            number(|id| id % BUCKET),
        ];
        writer.write(&RecordBatch::try_new(schema.clone(), columns)?)?;
    }
    writer.into_inner()
}

/// The schema of a file of `activity`: the table's without what its path says.
pub(super) fn file_schema() -> SchemaRef {
    let fields = schema::ACTIVITY.fields().iter();
    let fields = fields.filter(|f| !matches!(f.name().as_str(), "month" | "part"));
    Arc::new(Schema::new(fields.cloned().collect::<Vec<_>>()))
}

/// How bitmaps are written: as they are, so that they are read without a copy; counts of messages,
/// which fewer questions read, under zstd.
pub(super) fn properties() -> Result<WriterProperties, ParquetError> {
    let slices: ColumnPath = ColumnPath::new(vec![
        "messages".to_owned(),
        "list".to_owned(),
        "item".to_owned(),
    ]);
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_compression("users".into(), Compression::UNCOMPRESSED)
        .set_column_dictionary_enabled("users".into(), false)
        .set_column_compression(slices.clone(), Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_column_dictionary_enabled(slices, false)
        .set_max_row_group_row_count(Some(ROW_GROUP));
    for column in ["day", "bucket", "event", "dimension"] {
        builder = builder.set_column_statistics_enabled(column.into(), EnabledStatistics::Chunk);
    }
    Ok(builder.build())
}

/// Encodes the rows of one month, those of all users before those of each dimension, in row groups of
/// their own: a question about all users reads no others.
fn encode_month(
    month: i32,
    mut rows: Vec<(Arc<str>, Row)>,
    part: &str,
) -> Result<NewFile, ParquetError> {
    rows.sort_by(|(a, x), (b, y)| {
        (x.event, &x.dimension, &x.cell.platform, &x.cell.server)
            .cmp(&(y.event, &y.dimension, &y.cell.platform, &y.cell.server))
            .then_with(|| (x.cell.day, x.bucket).cmp(&(y.cell.day, y.bucket)))
            .then_with(|| (&x.value, a).cmp(&(&y.value, b)))
    });
    let schema = file_schema();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties()?))?;
    let kind = |row: &(Arc<str>, Row)| (row.1.event, row.1.dimension.clone());
    for alike in rows.chunk_by(|a, b| kind(a) == kind(b)) {
        for rows in alike.chunks(ROW_GROUP) {
            writer.write(&RecordBatch::try_new(schema.clone(), columns(rows))?)?;
        }
        writer.flush()?;
    }
    let days = rows.iter().map(|(_, row)| row.cell.day);
    let days = days.clone().min().zip(days.max());
    let first = calendar::from_date32(month).to_string();
    Ok(NewFile {
        path: format!("month={first}/part={part}/part-00000.parquet"),
        bytes: writer.into_inner()?,
        partition: vec![
            ("month".to_owned(), first),
            ("part".to_owned(), part.to_owned()),
        ],
        rows: rows.len(),
        days,
    })
}

/// Puts the bitmaps of two days in one another's place: a bug for the harness of faults to find.
fn swap_two(months: &mut BTreeMap<i32, Vec<Loaded>>) {
    let rows = months.values_mut().flatten().map(|(_, row)| row);
    let mut plain: Vec<&mut Row> = rows.filter(|row| row.dimension.is_empty()).collect();
    if let [first, .., last] = plain.as_mut_slice() {
        std::mem::swap(&mut first.users, &mut last.users);
    }
}

/// A load and one of its rows.
type Loaded = (Arc<str>, Row);

fn columns(rows: &[Loaded]) -> Vec<ArrayRef> {
    let text = |of: &dyn Fn(&Loaded) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    };
    let days = rows.iter().map(|(_, row)| row.cell.day);
    let buckets = rows.iter().map(|(_, row)| row.bucket as i32);
    let mut users = BinaryBuilder::new();
    let item = Field::new_list_field(DataType::Binary, true);
    let mut messages = ListBuilder::new(BinaryBuilder::new()).with_field(item);
    for (_, row) in rows {
        users.append_value(&row.users);
        for slice in row.messages.iter().flatten() {
            messages.values().append_value(slice);
        }
        messages.append(row.messages.is_some());
    }
    vec![
        text(&|(_, row)| &row.cell.platform),
        text(&|(_, row)| &row.cell.server),
        Arc::new(Date32Array::from_iter_values(days)),
        Arc::new(Int32Array::from_iter_values(buckets)),
        text(&|(_, row)| row.event.name()),
        text(&|(_, row)| &row.dimension),
        text(&|(_, row)| &row.value),
        Arc::new(users.finish()),
        Arc::new(messages.finish()),
        text(&|(load, _)| load),
    ]
}
