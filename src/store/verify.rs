//! Reads a whole store back and holds it against what its logs and its loads say.

use std::collections::{BTreeMap, HashSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int32Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rayon::prelude::*;
use roaring::RoaringTreemap;

use super::people::{accounts_of, parquet};
use super::seal::{hash, seal};
use super::{Load, Store, StoreError, TABLES, delta};
use crate::bitmap::View;
use crate::pseudonym::Pseudonym;
use crate::schema::{BUCKET, Grain};

/// Something in a store that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The table, and the file or load.
    pub at: String,
    /// What is wrong.
    pub what: String,
}

/// What was read of a store.
#[derive(Debug, Default)]
pub struct Verified {
    /// Files that the logs name.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Their rows.
    pub rows: u64,
    /// Bitmaps among them.
    pub bitmaps: u64,
    /// Accounts.
    pub accounts: u64,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

/// What one file holds.
#[derive(Default)]
struct Found {
    bytes: u64,
    rows: u64,
    bitmaps: u64,
    accounts: Vec<(Pseudonym, u32)>,
    /// The greatest id that a bitmap has, and one more.
    ids: u64,
    /// Rows (of `activity`: users of days) by load.
    of_loads: BTreeMap<String, u64>,
    faults: Vec<String>,
}

impl Store {
    /// Reads every file of a store that was opened whole. What a fault keeps from being read is told as one.
    ///
    /// # Errors
    ///
    /// Where a table's log can't be read; what is wrong with files is no error but a [`Fault`].
    pub fn verify(&self) -> Result<Verified, StoreError> {
        let mut verified = Verified::default();
        let mut by_load: BTreeMap<(&str, String), u64> = BTreeMap::new();
        let (mut accounts, mut ids) = (Vec::new(), 0);
        for table in TABLES {
            for (path, found) in self.read_back(table)? {
                verified.files += 1;
                verified.bytes += found.bytes;
                verified.rows += found.rows;
                verified.bitmaps += found.bitmaps;
                ids = ids.max(found.ids);
                accounts.extend(found.accounts);
                for (load, rows) in found.of_loads {
                    *by_load.entry((table, load)).or_default() += rows;
                }
                let at = format!("{table}/{path}");
                let fault = |what| Fault {
                    at: at.clone(),
                    what,
                };
                verified.faults.extend(found.faults.into_iter().map(fault));
            }
        }
        verified.accounts = accounts.len() as u64;
        verified.faults.extend(of_accounts(&accounts, ids));
        for load in self.loads().live() {
            verified.faults.extend(of_load(load, &by_load));
        }
        verified.faults.extend(twice(self.loads().live()));
        Ok(verified)
    }

    fn read_back(&self, table: &'static str) -> Result<Vec<(String, Found)>, StoreError> {
        let snapshot = self.table(table)?.snapshot().map_err(|e| delta(table, e))?;
        let log = snapshot.log_data();
        let named = log.iter().map(|file| {
            let load = file.partition_values_map().remove("load").flatten();
            (
                file.path().to_string(),
                file.size(),
                file.num_records(),
                load,
            )
        });
        let named: Vec<_> = named.collect();
        let read = |(path, size, rows, load): (String, i64, Option<usize>, Option<String>)| {
            let found = self.file(table, &path, size, rows, load);
            (path, found)
        };
        Ok(named.into_par_iter().map(read).collect())
    }

    /// Reads a file to its end.
    fn file(
        &self,
        table: &'static str,
        path: &str,
        size: i64,
        rows: Option<usize>,
        load: Option<String>,
    ) -> Found {
        let mut found = Found::default();
        let bytes = match std::fs::read(self.folder().join(table).join(path)) {
            Ok(bytes) => bytes,
            Err(error) => {
                found.faults.push(format!("can't be read: {error}"));
                return found;
            }
        };
        found.bytes = bytes.len() as u64;
        if i64::try_from(bytes.len()) != Ok(size) {
            let told = format!("has {} bytes, where the log says {size}", bytes.len());
            found.faults.push(told);
        }
        if seal(path).is_some_and(|seal| seal != hash(&bytes)) {
            found.faults.push("its bytes are not those that were written: their hash differs from the one in its name".to_owned());
        }
        if let Err(error) = found.rows_of(table, bytes.into(), load) {
            found.faults.push(format!("can't be decoded: {error}"));
        } else if rows.is_some_and(|rows| rows as u64 != found.rows) {
            found.faults.push(format!(
                "has {} rows, where the log says {}",
                found.rows,
                rows.unwrap_or_default()
            ));
        }
        found
    }
}

impl Found {
    fn rows_of(
        &mut self,
        table: &'static str,
        bytes: bytes::Bytes,
        load: Option<String>,
    ) -> Result<(), StoreError> {
        let told = |e| parquet(table, e);
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes)
            .map_err(told)?
            .build();
        for batch in reader.map_err(told)? {
            let batch = batch.map_err(|e| parquet(table, e.into()))?;
            self.rows += batch.num_rows() as u64;
            match table {
                "activity" => self.activity(&batch)?,
                "accounts" => self.accounts.extend(accounts_of(&batch)?),
                _ => {
                    if let Some(load) = &load {
                        *self.of_loads.entry(load.clone()).or_default() += batch.num_rows() as u64;
                    }
                }
            }
        }
        Ok(())
    }

    /// Decodes each bitmap, and counts the users of each load's days.
    fn activity(&mut self, batch: &RecordBatch) -> Result<(), StoreError> {
        let shape = |name: &str| StoreError::Shape {
            table: "activity",
            column: name.to_owned(),
        };
        let column = |name: &'static str| batch.column_by_name(name).ok_or_else(|| shape(name));
        let text = |name| {
            column(name)?
                .as_string_opt::<i32>()
                .ok_or_else(|| shape(name))
        };
        let users = column("users")?.as_binary_opt::<i32>();
        let users = users.ok_or_else(|| shape("users"))?;
        let messages = column("messages")?.as_list_opt::<i32>();
        let messages = messages.ok_or_else(|| shape("messages"))?;
        let buckets = column("bucket")?.as_primitive_opt::<Int32Type>();
        let buckets = buckets.ok_or_else(|| shape("bucket"))?;
        let (dimensions, loads) = (text("dimension")?, text("load")?);
        for row in 0..batch.num_rows() {
            self.bitmaps += 1;
            let view = match View::new(users.value(row)) {
                Ok(view) => view,
                Err(error) => {
                    self.faults
                        .push(format!("row {row}: its bitmap of users is broken: {error}"));
                    continue;
                }
            };
            let last = view.iter().last().map_or(0, |id| u64::from(id) + 1);
            if last > u64::from(BUCKET) {
                self.faults.push(format!(
                    "row {row}: an id of its bitmap is beyond the bucket"
                ));
            }
            let start =
                u64::try_from(buckets.value(row)).unwrap_or(u64::MAX / 2) * u64::from(BUCKET);
            self.ids = self.ids.max(start + last);
            if dimensions.value(row).is_empty() {
                *self
                    .of_loads
                    .entry(loads.value(row).to_owned())
                    .or_default() += view.count();
            }
            if messages.is_valid(row) {
                let slices = messages.value(row);
                let slices = slices.as_binary_opt::<i32>();
                self.slices(row, &view, slices.ok_or_else(|| shape("messages"))?);
            }
        }
        Ok(())
    }

    /// Counts of messages are of users of the row.
    fn slices(&mut self, row: usize, users: &View, slices: &arrow::array::BinaryArray) {
        for slice in slices.iter().flatten() {
            self.bitmaps += 1;
            let fault = match View::new(slice) {
                Ok(slice) if slice.and_count(users) == slice.count() => continue,
                Ok(_) => "counts messages of somebody who was not active".to_owned(),
                Err(error) => format!("a bitmap of its messages is broken: {error}"),
            };
            self.faults.push(format!("row {row}: {fault}"));
        }
    }
}

/// Each pseudonym has one id and each id one pseudonym, and every id in a bitmap is of an account.
fn of_accounts(accounts: &[(Pseudonym, u32)], ids: u64) -> Vec<Fault> {
    let fault = |what: String| Fault {
        at: "accounts".to_owned(),
        what,
    };
    let given: RoaringTreemap = accounts.iter().map(|(_, id)| u64::from(*id)).collect();
    let people: HashSet<&Pseudonym> = accounts.iter().map(|(pseudonym, _)| pseudonym).collect();
    let mut faults = Vec::new();
    if given.len() < accounts.len() as u64 {
        faults.push(fault(format!(
            "{} ids stand for two pseudonyms",
            accounts.len() as u64 - given.len()
        )));
    }
    if people.len() < accounts.len() {
        faults.push(fault(format!(
            "{} pseudonyms have two ids",
            accounts.len() - people.len()
        )));
    }
    if ids > given.max().map_or(0, |last| last + 1) {
        faults.push(fault(format!(
            "bitmaps hold the id {} and no account has it",
            ids - 1
        )));
    }
    faults
}

/// What a load says of its rows is what the tables hold.
fn of_load(load: &Load, by_load: &BTreeMap<(&str, String), u64>) -> Vec<Fault> {
    let rows = |table| {
        by_load
            .get(&(table, load.load.clone()))
            .copied()
            .unwrap_or(0)
    };
    let (kept, rejected) = (
        load.rows_kept.unsigned_abs(),
        load.rows_rejected.unsigned_abs(),
    );
    let mut faults = Vec::new();
    let mut fault = |what: String| {
        faults.push(Fault {
            at: format!("load {} of `{}`", load.load, load.path),
            what,
        });
    };
    let name = load.load.split('.').next().unwrap_or_default();
    if !load.identity.starts_with(name) {
        fault("its name is not the beginning of its identity".to_owned());
    }
    if rows("rejects") != rejected {
        fault(format!(
            "{} rejected rows are kept, where it says {rejected}",
            rows("rejects")
        ));
    }
    match load.grain {
        Grain::Disclosures if rows("disclosures") != kept => {
            fault(format!(
                "has {} rows, where it says {kept}",
                rows("disclosures")
            ));
        }
        Grain::Activity | Grain::Signups => {
            let users = rows("activity");
            if users > kept || users == 0 && kept > 0 {
                fault(format!("has {users} users of days of {kept} rows"));
            }
        }
        _ => {}
    }
    faults
}

/// Loads that count the same content twice.
fn twice<'a>(live: impl Iterator<Item = &'a Load>) -> Vec<Fault> {
    let mut seen: BTreeMap<&str, &Load> = BTreeMap::new();
    let mut faults = Vec::new();
    for load in live {
        if let Some(first) = seen.insert(&load.identity, load) {
            faults.push(Fault {
                at: format!("load {} of `{}`", load.load, load.path),
                what: format!(
                    "is the same content as load {}: it counts twice",
                    first.load
                ),
            });
        }
    }
    faults
}
