//! The rows of a table of many small files, read at once.
//!
//! A load a day makes a file a day. A query plans and opens each of a thousand files anew wherever it names the
//! table, which takes seconds; read once, side by side, they are a few megabytes of rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::compute::concat_batches;
use rayon::prelude::*;

use super::people::parquet;
use super::{Store, StoreError, delta, schema_of};

/// From how many files on rows are gathered.
const MANY: usize = 16;

/// How many bytes of files are gathered at most.
const SMALL: i64 = 64 << 20;

impl Store {
    /// The rows of live loads of a table that is partitioned by load, as the table has them; none where its files are
    /// few or large.
    ///
    /// # Errors
    ///
    /// Where the table's log or a file can't be read.
    pub fn gathered(&self, table: &'static str) -> Result<Option<RecordBatch>, StoreError> {
        let snapshot = self.table(table)?.snapshot().map_err(|e| delta(table, e))?;
        let strangers = self.strangers(table)?;
        let log = snapshot.log_data();
        let mut files: Vec<(String, String, i64)> = Vec::new();
        for file in log.iter() {
            let load = file.partition_values_map().remove("load").flatten();
            let load = load.unwrap_or_default();
            if !strangers.contains(&load) {
                files.push((file.path().to_string(), load, file.size()));
            }
        }
        let bytes: i64 = files.iter().map(|(_, _, size)| size).sum();
        if files.len() < MANY || bytes > SMALL {
            return Ok(None);
        }
        // In the order of their names the rows of a store are always the same.
        files.sort();
        let read =
            |(path, load, _): (String, String, i64)| self.rows_with_load(table, &path, &load);
        let batches: Result<Vec<_>, StoreError> = files.into_par_iter().map(read).collect();
        let batches: Vec<RecordBatch> = batches?.into_iter().flatten().collect();
        let rows = concat_batches(&schema_of(table), &batches);
        Ok(Some(rows.map_err(|e| parquet(table, e.into()))?))
    }

    fn rows_with_load(
        &self,
        table: &'static str,
        path: &str,
        load: &str,
    ) -> Result<Vec<RecordBatch>, StoreError> {
        let reader = self
            .reader(table, path)?
            .build()
            .map_err(|e| parquet(table, e))?;
        let with_load = |batch: RecordBatch| {
            let loads = StringArray::from_iter_values(std::iter::repeat_n(load, batch.num_rows()));
            let mut columns = batch.columns().to_vec();
            columns.push(Arc::new(loads) as ArrayRef);
            RecordBatch::try_new(schema_of(table), columns)
        };
        let batches = reader.map(|batch| batch.and_then(with_load));
        let batches: Result<Vec<_>, _> = batches.collect();
        batches.map_err(|e| parquet(table, e.into()))
    }
}
