//! Merging: what many small loads left is put together, so that a thousand daily loads read like one.
//!
//! Merged rows keep their `load`, so that one of them can still be replaced or undone. Files that are
//! merged away stay on disk: a reader that began before may be reading them.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::{
    SortColumn, concat_batches, filter_record_batch, lexsort_to_indices, take_record_batch,
};
use arrow::datatypes::Date32Type;
use deltalake::kernel::Action;
use deltalake::protocol::DeltaOperation;
use parquet::arrow::ArrowWriter;

use super::loads::batch_of;
use super::people::{NewFile, accounts_of, encode_accounts, file_schema, parquet, properties};
use super::{MERGED, Store, StoreError, delta};

/// Files above this many bytes are read well enough as they are.
const LARGE: i64 = 32 << 20;

/// So many small files of the last month, or of a table, are left alone; of a month that is over, one.
const FEW: usize = 8;

/// A file of a table, as its log names it.
struct Small {
    path: String,
    partition: BTreeMap<String, String>,
}

impl Store {
    /// Puts small files together where there are many of them.
    pub async fn merge(&mut self) -> Result<(), StoreError> {
        self.merge_activity().await?;
        self.merge_accounts().await?;
        self.merge_loads().await
    }

    fn small(&self, name: &'static str) -> Result<Vec<Small>, StoreError> {
        let snapshot = self.table(name)?.snapshot().map_err(|e| delta(name, e))?;
        let mut small: Vec<Small> = snapshot
            .log_data()
            .iter()
            .filter(|file| file.size() < LARGE)
            .map(|file| Small {
                path: file.path().to_string(),
                partition: file
                    .partition_values_map()
                    .into_iter()
                    .filter_map(|(key, value)| Some((key, value?)))
                    .collect(),
            })
            .collect();
        small.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(small)
    }

    async fn replace(
        &mut self,
        name: &'static str,
        gone: &BTreeSet<String>,
        files: Vec<NewFile>,
    ) -> Result<(), StoreError> {
        let mut actions = self.put(name, files).await?;
        for action in &mut actions {
            if let Action::Add(add) = action {
                add.data_change = false;
            }
        }
        let snapshot = self.table(name)?.snapshot().map_err(|e| delta(name, e))?;
        let removes = snapshot.log_data();
        let removes = removes
            .iter()
            .filter(|file| gone.contains(file.path().as_ref()))
            .map(|file| Action::Remove(file.remove_action(false)));
        actions.extend(removes);
        let operation = DeltaOperation::Optimize {
            predicate: None,
            target_size: LARGE,
        };
        self.commit(name, actions, operation, vec![]).await
    }

    async fn merge_activity(&mut self) -> Result<(), StoreError> {
        let mut months: BTreeMap<String, Vec<Small>> = BTreeMap::new();
        for file in self.small("activity")? {
            let month = file.partition.get("month").cloned().unwrap_or_default();
            months.entry(month).or_default().push(file);
        }
        let live: BTreeSet<&str> = self.loads().live().map(|l| l.load.as_str()).collect();
        let (mut gone, mut files) = (BTreeSet::new(), Vec::new());
        let last = months.keys().next_back().cloned();
        let few = |month: &String| if Some(month) == last.as_ref() { FEW } else { 1 };
        let many = months.into_iter().filter(|(m, s)| s.len() > few(m));
        for (month, small) in many {
            let mut batches = Vec::new();
            for file in &small {
                let reader = self.reader("activity", &file.path)?.build();
                for batch in reader.map_err(|e| parquet("activity", e))? {
                    let batch = batch.map_err(|e| parquet("activity", e.into()))?;
                    batches.push(alive(&batch, &live)?);
                }
            }
            gone.extend(small.into_iter().map(|file| file.path));
            files.extend(merged_month(&month, &batches, self.loads().last_seq())?);
        }
        match gone.is_empty() {
            true => Ok(()),
            false => self.replace("activity", &gone, files).await,
        }
    }

    async fn merge_accounts(&mut self) -> Result<(), StoreError> {
        let small = self.small("accounts")?;
        if small.len() <= FEW {
            return Ok(());
        }
        let mut accounts = Vec::new();
        for file in &small {
            let reader = self.reader("accounts", &file.path)?.build();
            for batch in reader.map_err(|e| parquet("accounts", e))? {
                let batch = batch.map_err(|e| parquet("accounts", e.into()))?;
                accounts.extend(accounts_of(&batch)?);
            }
        }
        accounts.sort_unstable_by_key(|(_, id)| *id);
        let first = accounts.first().map_or(0, |(_, id)| *id);
        let file = NewFile {
            path: format!("merged-{first:010}-{}.parquet", accounts.len()),
            bytes: encode_accounts(&accounts).map_err(|e| parquet("accounts", e))?,
            partition: vec![],
            rows: accounts.len(),
            days: None,
        };
        let gone = small.into_iter().map(|file| file.path).collect();
        self.replace("accounts", &gone, vec![file]).await
    }

    async fn merge_loads(&mut self) -> Result<(), StoreError> {
        let small = self.small("loads")?;
        if small.len() <= FEW {
            return Ok(());
        }
        let rows = batch_of(&self.loads().iter().collect::<Vec<_>>())?;
        let encode = || {
            let mut writer = ArrowWriter::try_new(Vec::new(), rows.schema(), None)?;
            writer.write(&rows)?;
            writer.into_inner()
        };
        let file = NewFile {
            path: format!("merged-{:08}.parquet", self.loads().last_seq()),
            bytes: encode().map_err(|e| parquet("loads", e))?,
            partition: vec![],
            rows: rows.num_rows(),
            days: None,
        };
        // Every row of the table is known, so that all of its files go, large ones too.
        let gone = self.files("loads")?.into_iter().collect();
        self.replace("loads", &gone, vec![file]).await
    }
}

/// The rows of a batch whose loads still count.
fn alive(batch: &RecordBatch, live: &BTreeSet<&str>) -> Result<RecordBatch, StoreError> {
    let shape = || StoreError::Shape {
        table: "activity",
        column: "load".to_owned(),
    };
    let loads = batch.column_by_name("load").ok_or_else(shape)?;
    let loads = loads.as_string_opt::<i32>().ok_or_else(shape)?;
    let keep: BooleanArray = loads.iter().map(|l| l.map(|l| live.contains(l))).collect();
    filter_record_batch(batch, &keep).map_err(|e| parquet("activity", e.into()))
}

/// The order of rows in a file: see `people::encode_month`.
const ORDER: [&str; 8] = [
    "event",
    "dimension",
    "platform",
    "server",
    "day",
    "bucket",
    "dimension_value",
    "load",
];

/// One file of all rows of a month; none where no row is left.
fn merged_month(
    month: &str,
    batches: &[RecordBatch],
    seq: i64,
) -> Result<Option<NewFile>, StoreError> {
    let told = |e: arrow::error::ArrowError| parquet("activity", e.into());
    let schema = file_schema();
    let all = concat_batches(&schema, batches).map_err(told)?;
    if all.num_rows() == 0 {
        return Ok(None);
    }
    let column = |name: &&str| {
        let values = all.column_by_name(name).cloned();
        let values = values.ok_or_else(|| StoreError::Shape {
            table: "activity",
            column: (*name).to_owned(),
        })?;
        Ok(SortColumn {
            values,
            options: None,
        })
    };
    let columns = ORDER
        .iter()
        .map(column)
        .collect::<Result<Vec<_>, StoreError>>()?;
    let order = lexsort_to_indices(&columns, None).map_err(told)?;
    let all = take_record_batch(&all, &order).map_err(told)?;
    let days = all
        .column_by_name("day")
        .map(|d| d.as_primitive::<Date32Type>());
    let days = days.and_then(|d| arrow::compute::min(d).zip(arrow::compute::max(d)));
    let encode = || {
        let mut writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties()?))?;
        for (start, rows) in alike(&all) {
            writer.write(&all.slice(start, rows))?;
            writer.flush()?;
        }
        writer.into_inner()
    };
    Ok(Some(NewFile {
        path: format!("month={month}/part={MERGED}/{seq:08}.parquet"),
        bytes: encode().map_err(|e| parquet("activity", e))?,
        partition: vec![
            ("month".to_owned(), month.to_owned()),
            ("part".to_owned(), MERGED.to_owned()),
        ],
        rows: all.num_rows(),
        days,
    }))
}

/// Where the rows of each event and dimension begin, and how many they are.
fn alike(rows: &RecordBatch) -> Vec<(usize, usize)> {
    let texts = |name| {
        rows.column_by_name(name)
            .and_then(|c| c.as_string_opt::<i32>())
    };
    let (Some(events), Some(dimensions)) = (texts("event"), texts("dimension")) else {
        return vec![(0, rows.num_rows())];
    };
    let kind = |row: usize| (events.value(row), dimensions.value(row));
    let mut starts: Vec<usize> = (1..rows.num_rows())
        .filter(|row| kind(*row) != kind(*row - 1))
        .collect();
    starts.insert(0, 0);
    let ends = starts.iter().skip(1).copied().chain([rows.num_rows()]);
    starts
        .iter()
        .copied()
        .zip(ends)
        .map(|(start, end)| (start, end - start))
        .collect()
}
