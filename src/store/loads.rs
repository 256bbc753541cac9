//! The loads: what was read when, and which of it is live.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Date32Type, Int32Type, Int64Type, TimestampMicrosecondType};
use datafusion::prelude::SessionContext;
use deltalake::DeltaTable;

use super::StoreError;
use crate::calendar::{self, Day};
use crate::schema::{self, Grain};

/// One row of `loads`: a load, or the undoing of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// Its place in the order of commits, from 1.
    pub seq: i64,
    /// The short name: the first twelve digits of the identity, and `.2`, `.3`, ... where the same
    /// identity was loaded again after having been replaced or undone.
    pub load: String,
    /// The hash of the decompressed bytes with the declared platform, server, zone and mapping.
    pub identity: String,
    /// Whether this row undoes the loads it supersedes and adds nothing itself.
    pub unload: bool,
    /// What it gave.
    pub grain: Grain,
    /// The file, relative to the project where it lies within.
    pub path: String,
    /// The format found: `csv+gzip`.
    pub format: String,
    /// How many bytes, decompressed.
    pub bytes: i64,
    /// Rows read from the file.
    pub rows_read: i64,
    /// Rows kept.
    pub rows_kept: i64,
    /// Rows rejected.
    pub rows_rejected: i64,
    /// The first day it says something of.
    pub first_day: Option<Day>,
    /// The last day it says something of.
    pub last_day: Option<Day>,
    /// The loads that it replaces or undoes.
    pub supersedes: Vec<String>,
    /// The zone in which its moments fell on days.
    pub zone: String,
    /// When it was committed, in microseconds since 1970 (UTC).
    pub loaded_at: i64,
    /// The version of the schemas that it was written in.
    pub schema_version: i32,
    /// What made the figures up, where they are; empty else.
    pub synthetic: String,
}

impl Load {
    /// Whether it is of a database in use, which is known by whose it is and not by where it lies.
    pub fn is_of_database(&self) -> bool {
        self.path.starts_with("synapse://")
    }

    /// Whether the file that it was read from is no longer there.
    pub fn is_gone(&self, root: &std::path::Path) -> bool {
        self.path != "-" && !self.path.contains("://") && !root.join(&self.path).exists()
    }

    /// How many times its identity has been loaded, itself included.
    pub(super) fn generation(&self) -> i64 {
        self.load
            .split_once('.')
            .and_then(|(_, n)| n.parse().ok())
            .unwrap_or(1)
    }

    /// The name of its Delta application transaction.
    pub(super) fn transaction(&self) -> String {
        if self.unload {
            format!("unload {}", self.load)
        } else {
            self.identity.clone()
        }
    }
}

/// Rows of `loads` in the table's schema.
pub(super) fn batch_of(loads: &[&Load]) -> Result<RecordBatch, StoreError> {
    let text = |of: &dyn for<'a> Fn(&'a Load) -> &'a str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(loads.iter().map(|l| of(l))))
    };
    let count = |of: fn(&Load) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(loads.iter().map(|l| of(l))))
    };
    let day = |of: fn(&Load) -> Option<Day>| -> ArrayRef {
        let days = loads.iter().map(|l| of(l).map(calendar::date32));
        Arc::new(days.collect::<Date32Array>())
    };
    let supersedes = loads.iter().map(|l| l.supersedes.join(","));
    let moments = TimestampMicrosecondArray::from_iter_values(loads.iter().map(|l| l.loaded_at));
    let versions = Int32Array::from_iter_values(loads.iter().map(|l| l.schema_version));
    let columns = vec![
        count(|l| l.seq),
        text(&|l| &l.load),
        text(&|l| &l.identity),
        text(&|l| if l.unload { "unload" } else { "load" }),
        text(&|l| l.grain.name()),
        text(&|l| &l.path),
        text(&|l| &l.format),
        count(|l| l.bytes),
        count(|l| l.rows_read),
        count(|l| l.rows_kept),
        count(|l| l.rows_rejected),
        day(|l| l.first_day),
        day(|l| l.last_day),
        Arc::new(StringArray::from_iter_values(supersedes)),
        text(&|l| &l.zone),
        Arc::new(moments.with_timezone("UTC")),
        Arc::new(versions),
        text(&|l| &l.synthetic),
    ];
    RecordBatch::try_new(schema::LOADS.clone(), columns).map_err(|e| StoreError::Parquet {
        table: "loads".into(),
        source: e.into(),
    })
}

/// Every row of `loads`, in the order of the commits.
#[derive(Debug, Clone, Default)]
pub struct Loads {
    rows: Vec<Load>,
}

impl Loads {
    pub(super) async fn read(table: &DeltaTable) -> Result<Self, StoreError> {
        let provider = table.table_provider().await?;
        let context = SessionContext::new();
        let batches = context.read_table(provider)?.collect().await?;
        let mut rows = Vec::new();
        for batch in &batches {
            let columns = Columns::of(batch)?;
            rows.extend((0..batch.num_rows()).map(|row| columns.load(row)));
        }
        rows.sort_by_key(|l: &Load| l.seq);
        Ok(Loads { rows })
    }

    /// All rows, undone and replaced loads included.
    pub fn iter(&self) -> impl Iterator<Item = &Load> {
        self.rows.iter()
    }

    /// The loads that count: neither replaced nor undone.
    pub fn live(&self) -> impl Iterator<Item = &Load> {
        let gone: BTreeSet<&str> = self
            .rows
            .iter()
            .flat_map(|l| l.supersedes.iter().map(String::as_str))
            .collect();
        self.rows
            .iter()
            .filter(move |l| !l.unload && !gone.contains(l.load.as_str()))
    }

    /// The loads that count, as rows of the table.
    pub fn live_batch(&self) -> Result<RecordBatch, StoreError> {
        batch_of(&self.live().collect::<Vec<_>>())
    }

    /// The name that the next load of an identity gets.
    pub fn name_for(&self, identity: &str) -> String {
        let short = identity.get(..12).unwrap_or(identity);
        let before = self
            .rows
            .iter()
            .filter(|l| !l.unload && l.identity == identity)
            .count();
        if before == 0 {
            short.to_owned()
        } else {
            format!("{short}.{}", before + 1)
        }
    }

    /// The live load of a name or of the beginning of one.
    pub fn find(&self, name: &str) -> Result<&Load, StoreError> {
        let mut found = self
            .live()
            .filter(|l| !name.is_empty() && l.load.starts_with(name));
        match (found.next(), found.next()) {
            (Some(load), None) => Ok(load),
            (Some(_), Some(_)) => self
                .live()
                .find(|l| l.load == name)
                .ok_or_else(|| StoreError::NoSuchLoad(name.to_owned())),
            _ => Err(StoreError::NoSuchLoad(name.to_owned())),
        }
    }

    pub(super) fn last_seq(&self) -> i64 {
        self.rows.last().map_or(0, |l| l.seq)
    }

    pub(super) fn next_seq(&self) -> i64 {
        self.rows.last().map_or(1, |l| l.seq + 1)
    }

    pub(super) fn newest_schema(&self) -> i32 {
        self.rows
            .iter()
            .map(|l| l.schema_version)
            .max()
            .unwrap_or(0)
    }

    pub(super) fn push(&mut self, load: Load) {
        self.rows.push(load);
    }
}

/// The columns of one batch of `loads`, typed.
struct Columns {
    text: Vec<StringArray>,
    count: Vec<Int64Array>,
    day: Vec<Date32Array>,
    loaded_at: TimestampMicrosecondArray,
    version: Int32Array,
}

const TEXT: [&str; 9] = [
    "load",
    "identity",
    "action",
    "grain",
    "path",
    "format",
    "supersedes",
    "zone",
    "synthetic",
];
const COUNT: [&str; 5] = ["seq", "bytes", "rows_read", "rows_kept", "rows_rejected"];

impl Columns {
    fn of(batch: &RecordBatch) -> Result<Self, StoreError> {
        let column = |name: &str, to: &DataType| {
            let shape = || StoreError::Shape {
                table: "loads",
                column: name.to_owned(),
            };
            let found = batch.column_by_name(name).ok_or_else(shape)?;
            arrow::compute::cast(found, to).map_err(|_| shape())
        };
        let text = |name: &&str| match (column(name, &DataType::Utf8), *name) {
            // Stores of version 1 lack it: it is their version that is to be told.
            (Err(_), "synthetic") => Ok(StringArray::from(vec![""; batch.num_rows()])),
            (found, _) => found.map(|c| c.as_string::<i32>().clone()),
        };
        let count = |name: &&str| {
            column(name, &DataType::Int64).map(|c| c.as_primitive::<Int64Type>().clone())
        };
        let day = |name: &&str| {
            column(name, &DataType::Date32).map(|c| c.as_primitive::<Date32Type>().clone())
        };
        let moment = DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, None);
        Ok(Columns {
            text: TEXT.iter().map(text).collect::<Result<_, _>>()?,
            count: COUNT.iter().map(count).collect::<Result<_, _>>()?,
            day: ["first_day", "last_day"]
                .iter()
                .map(day)
                .collect::<Result<_, _>>()?,
            loaded_at: column("loaded_at", &moment)?
                .as_primitive::<TimestampMicrosecondType>()
                .clone(),
            version: column("schema_version", &DataType::Int32)?
                .as_primitive::<Int32Type>()
                .clone(),
        })
    }

    fn load(&self, row: usize) -> Load {
        let text = |i: usize| self.text[i].value(row).to_owned();
        let count = |i: usize| self.count[i].value(row);
        let day = |i: usize| {
            (!self.day[i].is_null(row)).then(|| calendar::from_date32(self.day[i].value(row)))
        };
        Load {
            seq: count(0),
            load: text(0),
            identity: text(1),
            unload: text(2) == "unload",
            grain: match text(3).as_str() {
                "disclosures" => Grain::Disclosures,
                "activity" => Grain::Activity,
                "signups" => Grain::Signups,
                _ => Grain::Usage,
            },
            path: text(4),
            format: text(5),
            bytes: count(1),
            rows_read: count(2),
            rows_kept: count(3),
            rows_rejected: count(4),
            first_day: day(0),
            last_day: day(1),
            supersedes: text(6)
                .split(',')
                .filter(|s| !s.is_empty())
                .map(str::to_owned)
                .collect(),
            zone: text(7),
            loaded_at: self.loaded_at.value(row),
            schema_version: self.version.value(row),
            synthetic: text(8),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_they_were_written() {
        let first = Load {
            seq: 1,
            load: "0123456789ab".into(),
            identity: "0123456789abcdef".into(),
            unload: false,
            grain: Grain::Activity,
            path: "data/a.parquet".into(),
            format: "parquet".into(),
            bytes: 10,
            rows_read: 3,
            rows_kept: 2,
            rows_rejected: 1,
            first_day: calendar::day("2016-02-01").ok(),
            last_day: calendar::day("2016-02-29").ok(),
            supersedes: vec![],
            zone: "UTC".into(),
            loaded_at: 5,
            schema_version: schema::VERSION,
            synthetic: "essor".into(),
        };
        let undoing = Load {
            seq: 2,
            unload: true,
            first_day: None,
            last_day: None,
            supersedes: vec![first.load.clone(), "b".into()],
            ..first.clone()
        };
        let batch = batch_of(&[&first, &undoing]).unwrap();
        let columns = Columns::of(&batch).unwrap();
        assert_eq!((columns.load(0), columns.load(1)), (first, undoing));
    }
}
